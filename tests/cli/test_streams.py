"""Streams that are closed, full or gone."""

from __future__ import annotations

import pytest
from shell import ALICE, Shell

READING = (
    "get dev API_KEY",
    "decrypt-domain dev",
    "list-domains",
    "list-all-secrets --json",
    "list-audit-log",
    "version",
    "--version",
)


@pytest.mark.parametrize("words", READING)
def test_stdout_is_full(alice: Shell, words: str) -> None:
    alice.sh(f"pprotect {words} >/dev/full").failed(6, "cannot write the output: no space left on device")


@pytest.mark.parametrize("words", READING)
def test_stdout_is_closed(alice: Shell, words: str) -> None:
    alice.sh(f"pprotect {words} >&-").failed(6, "cannot write the output: stdout is closed")


@pytest.mark.parametrize("words", READING)
def test_nobody_reads_stdout(alice: Shell, words: str) -> None:
    result = alice.sh(f"pprotect {words} | true; echo ${{PIPESTATUS[0]}}")
    assert result.out in ("0\n", "1\n")
    assert result.err == ""


def test_a_reader_that_leaves_early(alice: Shell) -> None:
    alice.done("set-secret", "dev", "long", "--from-file", "-", stdin="x" * 1_000_000)
    result = alice.sh("pprotect decrypt-domain dev | head -c 1 >/dev/null; echo ${PIPESTATUS[0]}")
    assert (result.out, result.err) == ("1\n", "")


@pytest.mark.parametrize("to", ["&-", "/dev/full"])
@pytest.mark.parametrize(("words", "code"), [("get dev API_KEY", 0), ("get dev nope", 6), ("nope", 2)])
def test_nobody_reads_stderr(alice: Shell, to: str, words: str, code: int) -> None:
    assert alice.sh(f"pprotect {words} 2>{to}").code == code


def test_all_three_are_closed(alice: Shell) -> None:
    before = alice.file.read_bytes()
    assert alice.sh("pprotect set-secret dev new --generate <&- >&- 2>&-").code == 0
    assert "new" in alice.store().get_domain_secret_names("dev")
    assert alice.file.read_bytes() != before


def test_a_key_that_cannot_be_shown_is_not_used(empty: Shell) -> None:
    for to in ("/dev/full", "&-"):
        result = empty.sh(f"pprotect init --key-type raw --user {ALICE} --yes >{to}")
        result.failed(6, "cannot write the output")
        assert [path.name for path in empty.folder.iterdir()] == [".git"]


def test_help_where_nothing_can_be_written(empty: Shell) -> None:
    for to in ("/dev/full", "&-"):
        assert empty.sh(f"pprotect --help >{to}").code in (0, 6)


def test_a_program_that_is_run_with_closed_streams(alice: Shell) -> None:
    assert alice.sh("pprotect run dev --uppercase -- sh -c 'exit 5' <&- >&- 2>&-").code == 5
