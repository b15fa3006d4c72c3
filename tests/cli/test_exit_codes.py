"""One status for each class of error, and one way to say it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

import pytest
from shell import ALICE, BOB, DEV, Shell, as_variables


def text(change: Callable[[str], str]) -> Callable[[Shell], None]:
    return lambda shell: shell.file.write_text(change(shell.file.read_text())) and None


def nothing(shell: Shell) -> None:
    """Leave the file as it is."""


def swapped(content: str) -> str:
    """The values of two secrets, each in the other's place."""
    lines = content.splitlines(keepends=True)
    at = [number for number, line in enumerate(lines) if line.startswith("    value: ")][:2]
    lines[at[0]], lines[at[1]] = lines[at[1]], lines[at[0]]
    return "".join(lines)


READ = ("decrypt-domain", "dev")


@pytest.mark.parametrize(
    ("code", "words", "change", "error"),
    [
        (0, READ, nothing, None),
        (2, (*READ, "--nope"), nothing, "no such option: --nope"),
        (3, READ, text(lambda _: ""), "empty"),
        (3, READ, text(lambda content: content.replace("format: 1", "format: 9")), "line 2, meta.format: "),
        (3, READ, text(lambda content: content + "dev:\n  meta: {}\n"), "dev"),
        (3, READ, text(lambda content: content.replace("value: A", "value: ?", 1)), "dev.secret-API_KEY.value: "),
        (3, READ, text(lambda content: f"<<<<<<< ours\n{content}=======\n>>>>>>> theirs\n"), "conflict markers"),
        (3, READ, lambda shell: shell.file.write_bytes(b"\xff\xfe") and None, "UTF-8"),
        (4, ("decrypt-domain", "prod"), nothing, ALICE),
        (5, READ, text(swapped), "dev.secret-API_KEY"),
        (6, ("decrypt-domain", "nope"), nothing, "no key domain named 'nope'"),
        (6, ("add-domain", "dev"), nothing, "already exists"),
        (6, READ, lambda shell: shell.file.unlink(), "cannot read"),
    ],
)
def test_a_status_for_each_class(
    alice: Shell, code: int, words: tuple[str, ...], change: Callable[[Shell], None], error: str | None
) -> None:
    change(alice)
    result = alice(*words)
    assert result.code == code, result.err
    if error is not None:
        result.failed(code, error)


def test_an_error_of_a_place_names_line_and_path(alice: Shell) -> None:
    content = alice.file.read_text()
    alice.file.write_text(swapped(content))
    line = content[: content.index("  secret-API_KEY:")].count("\n") + 1
    alice(*READ).failed(5, f"line {line}, dev.secret-API_KEY: it belongs to another place")


def test_conflict_markers_come_with_the_way_out(team: Shell) -> None:
    text(lambda content: f"<<<<<<< ours\n{content}=======\n>>>>>>> theirs\n")(team)
    team("list-domains").failed(3, "conflict markers", "pprotect resolve")
    team("set-secret", "dev", "new", "--generate").failed(3, "conflict markers", "pprotect resolve")


def test_hints_are_commands_that_work(team: Shell) -> None:
    """A hint can be pasted: here it is, less the value, which the command asks for."""
    result = team("add-secret", "dev", "API_KEY", stdin="x")
    hint = next(line for line in result.err.splitlines() if line.startswith("hint: "))
    command = hint.removeprefix("hint: ").split(" changes it")[0].split()
    assert command[0] == "pprotect"
    assert team(*command[1:], stdin="x").code == 0


def test_the_word_for_a_reader_that_went_away_is_none(alice: Shell) -> None:
    assert alice.sh("pprotect list-audit-log | head -c 1").err == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(team: Shell) -> None:
    before = team.file.read_bytes()
    team.folder.chmod(0o500)
    try:
        team("set-secret", "dev", "new", "--generate").failed(6, "cannot write")
    finally:
        team.folder.chmod(0o700)
    assert team.file.read_bytes() == before


def test_a_full_disk(team: Shell) -> None:
    before = team.file.read_bytes()
    result = team.sh(
        'unset "${!COVERAGE_@}"; ulimit -f 1; pprotect set-secret dev new --from-file -', stdin="x" * 100_000
    )
    result.failed(6, "cannot write")
    assert team.file.read_bytes() == before
    assert sorted(path.name for path in team.folder.iterdir()) == [".git", "protected.yaml"]


def test_what_is_no_file(team: Shell) -> None:
    team("list-domains", "-f", "/dev/null").failed(3, "empty")
    team("set-secret", "dev", "new", "--generate", "-f", "/dev/null").failed(3, "empty")
    team("init", "--key-type", "raw", "-f", "/dev/null", *team.as_()).failed(6, "not a regular file")
    team("init", "--key-type", "raw", "-f", "missing/new.yaml", *team.as_()).failed(6, "no such file or directory")


def test_a_system_that_will_not(empty: Shell) -> None:
    result = empty.sh("pprotect --install-completion; exit $?", env={"HOME": "/dev/null"})
    result.failed(6, "/dev/null: ")


def test_every_command_refuses_a_file_that_is_none(alice: Shell) -> None:
    alice.file.write_text("- not\n- a mapping\n")
    before = alice.file.read_bytes()
    for words in (
        ("add-key-custodian", "x"),
        ("rm-key-custodian", BOB),
        ("list-user-secrets",),
        ("set-key-custodian-passphrase", BOB),
        ("rekey-custodian", BOB),
        ("add-domain", "x"),
        ("rm-domain", "dev"),
        ("list-domains",),
        ("rotate-domain-keys", "dev"),
        ("add-owner", "dev", BOB),
        ("rm-owner", "dev", BOB),
        ("migrate-owner", BOB),
        ("add-secret", "dev", "x", "--generate"),
        ("update-secret", "dev", "x", "--generate"),
        ("set-secret", "dev", "x", "--generate"),
        ("rm-secret", "dev", "x"),
        ("list-domain-secrets", "dev"),
        ("list-all-secrets",),
        ("get", "dev", "x"),
        ("decrypt-domain", "dev"),
        ("export", "dev", "--format", "json"),
        ("run", "dev", "--", "true"),
        ("exec", "--domain", "dev", "--", "true"),
        ("list-audit-log",),
        ("truncate-audit-log", "1"),
        ("upgrade",),
        ("trust",),
        ("trust", "accept", "--yes"),
        ("fingerprint", BOB),
        ("verify",),
        ("status",),
        ("review", "dev"),
        ("set-policy", "dev", "--require-signed"),
    ):
        alice(*words).failed(3, "")
    assert alice.file.read_bytes() == before


def test_resolve_joins_what_git_could_not(team: Shell) -> None:
    (team.folder / ".git").rmdir()
    git = _git(team)
    git("init", "-q", "-b", "main")
    git("add", "protected.yaml")
    git("commit", "-qm", "base")
    git("checkout", "-qb", "other")
    team.done("set-secret", "dev", "theirs", stdin="1")
    git("commit", "-qam", "theirs")
    git("checkout", "-q", "main")
    team.done("set-secret", "dev", "ours", stdin="2")
    git("commit", "-qam", "ours")
    team("resolve").failed(6, "no merge conflict", "git status")
    if git("merge", "-q", "other", check=False):
        team("list-domains").failed(3, "conflict markers", "pprotect resolve")
        conflicted = team.file.read_text()
        team.file.write_text(conflicted + "# my own note\n")
        team("resolve").failed(6, "was edited since git stopped", "git checkout -m")
        assert team.file.read_text() == conflicted + "# my own note\n"
        team.file.write_text(conflicted)
        result = team("resolve")
        assert result.code == 0
        assert "git add" in result.err
    assert team.values() == DEV | {"theirs": "1", "ours": "2"}


def _git(shell: Shell) -> Callable[..., int]:
    author = {f"GIT_{role}_{what}": "x@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

    def run(*words: str, check: bool = True) -> int:
        return subprocess.run(
            ["git", *words], cwd=shell.folder, env=shell.environment(author), check=check, capture_output=True
        ).returncode

    return run


def test_interrupted(team: Shell) -> None:
    terminal = team.terminal("add-domain", "new", env={"PPROTECT_USER": ALICE})
    terminal.expect("Passphrase: ")
    terminal.interrupt()
    assert terminal.end() == 130


def test_credentials_are_asked_for_before_the_change_is_tried(alice: Shell) -> None:
    alice("add-domain", "dev", env=as_variables() | {"PPROTECT_PASSPHRASE": "x"}).failed(4, "PPROTECT_PASSPHRASE")
