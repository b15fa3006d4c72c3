"""The same commands with the same answers on stdin give the same result with theirs and with ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from shell import Shell, make_shell
from upstream import Upstream, installed

ALICE, BOB = "alice@example.com", "bob@example.com"


def lines(*answers: str) -> str:
    return "".join(f"{answer}\n" for answer in answers)


@dataclass
class Both:
    """A folder for each tool, in which the same is done."""

    upstream: Upstream
    theirs: Path
    ours: Shell

    def do(self, *words: str, answers: str = "", fails: bool = False, **variables: str) -> tuple[str, str]:
        """Run a command with both; its two outputs. Both succeed, or both fail."""
        theirs = self.upstream.command(self.theirs, *words, answers=answers, **variables)
        ours = self.ours(*words, stdin=answers, env=variables)
        assert (theirs.returncode != 0, ours.code != 0) == (fails, fails), (words, theirs.stderr, ours.err)
        return theirs.stdout, ours.out

    def same(self, *words: str, answers: str = "", **variables: str) -> str:
        """Run a command that prints data, and no question, with both; its output, which is the same."""
        theirs, ours = self.do(*words, answers=answers, **variables)
        assert ours == theirs
        return ours

    def values(self, domain: str, user: str, passphrase: str) -> dict[str, str]:
        printed = self.same("decrypt-domain", domain, PPROTECT_USER=user, PPROTECT_PASSPHRASE=passphrase)
        values: dict[str, str] = json.loads(printed)
        return values

    def start(self, *kind: str) -> None:
        """A file with two custodians, one domain and two secrets."""
        self.do("init", *kind, answers=lines(ALICE, "alices", "alices"))
        self.do("add-key-custodian", *kind, answers=lines(BOB, "bobs", "bobs"))
        self.do("add-domain", answers=lines(ALICE, "alices", "dev"))
        self.do("add-secret", answers=lines("dev", "a", "value a"))
        self.do("add-secret", answers=lines("dev", "b-2", "valüe b"))


@pytest.fixture
def both(new: Upstream, tmp_path: Path) -> Both:
    return both_in(new, tmp_path)


@pytest.fixture(params=["20.0.1", "26.4.3"])
def either_and_ours(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Both]:
    return both_in(installed(request.param), tmp_path)


def both_in(upstream: Upstream, tmp_path: Path) -> Both:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    return Both(upstream, theirs, make_shell(tmp_path / "ours"))


@pytest.mark.slow
def test_the_commands_of_all_versions(either_and_ours: Both) -> None:
    both = either_and_ours
    both.start()
    assert both.values("dev", ALICE, "alices") == {"a": "value a", "b-2": "valüe b"}
    both.do("add-owner", answers=lines(ALICE, "alices", "dev", BOB))
    assert both.values("dev", BOB, "bobs") == {"a": "value a", "b-2": "valüe b"}
    both.do("update-secret", answers=lines("dev", "a", "other"))
    both.do("rm-secret", answers=lines("dev", "b-2"))
    both.do("rotate-domain-keys", answers=lines(BOB, "bobs", "dev"))
    assert both.values("dev", ALICE, "alices") == {"a": "other"}
    # Signed by the rotation: ours also asks who is going to rotate.
    both.do("rm-owner", answers=lines("dev", ALICE, BOB, "bobs"))
    both.do("decrypt-domain", "dev", PPROTECT_USER=ALICE, PPROTECT_PASSPHRASE="alices", fails=True)
    both.do("set-key-custodian-passphrase", answers=lines(BOB, "bobs", "new", "new"))
    assert both.values("dev", BOB, "new") == {"a": "other"}
    both.do("add-domain", answers=lines(BOB, "new", "prod"))
    both.do("rm-domain", answers=lines("dev"))
    assert both.same("list-domains") == "prod\n"


@pytest.mark.slow
def test_commands_with_options(both: Both) -> None:
    both.start("--key-type", "fast")
    both.do("init", answers=lines("x", "y", "y"), fails=True)
    both.do("add-domain", "--user", ALICE, answers=lines("alices", "prod"))
    both.do("add-secret", "--domain", "prod", "--secret-name", "a", answers=lines("value of prod"))
    for folder in (both.theirs, both.ours.folder):
        (folder / "value").write_text("several\nlines\n", encoding="utf-8")
        (folder / "passphrase").write_text("alices\n", encoding="utf-8")
    both.do("add-secret", "--domain", "prod", "--secret-name", "file", "--from-file", "value")
    both.do("update-secret", "--domain", "dev", "--secret-name", "a", "--from-file", "-", answers="all\nof\nit")
    assert both.values("prod", ALICE, "alices") == {"a": "value of prod", "file": "several\nlines\n"}
    assert both.values("dev", ALICE, "alices") == {"a": "all\nof\nit", "b-2": "valüe b"}
    given = ("--user", ALICE, "--passphrase-file", "passphrase", "--non-interactive")
    assert "dev" in both.same("list-user-secrets", *given)
    for words in (
        ("list-domains",),
        ("list_domains",),
        ("list-all-secrets",),
        ("list-domain-secrets", "dev"),
        ("decrypt-domain", *given, "dev"),
        ("decrypt-domain", *given, "--output-format", "json", "--secret", "a", "dev"),
        ("decrypt-domain", *given, "--secret", "a", "dev"),
        ("decrypt-domain", *given, "--output-format", "env", "prod"),
        ("decrypt-domain", *given, "--output-format", "shell", "prod"),
        ("exec", *given, "--domain", "prod", "--", "sh", "-c", 'printf %s "$a$file"'),
        ("exec", *given, "--domain", "dev", "--prefix", "APP", "--uppercase", "--", "sh", "-c", "echo $APP_B_2"),
    ):
        both.same(*words)
    for words in (
        ("decrypt-domain", *given, "nope"),
        ("decrypt-domain", *given, "--output-format", "env", "dev"),
        ("decrypt-domain", *given, "--output-format", "toml", "dev"),
        ("decrypt-domain", *given, "--secret", "nope", "dev"),
        ("list-domain-secrets", "nope"),
        ("add-secret", "--domain", "dev", "--secret-name", "a", "--from-file", "value"),
        ("add-secret", "--domain", "dev", "--secret-name", "1st", "--from-file", "value"),
        ("update-secret", "--domain", "dev", "--secret-name", "nope", "--from-file", "value"),
        ("list-user-secrets", "--user", BOB, "--passphrase-file", "passphrase", "--non-interactive"),
        ("exec", *given, "--domain", "dev"),
        ("exec", *given, "--", "true"),
    ):
        both.do(*words, fails=True)


def test_variables_of_another_prefix(both: Both) -> None:
    both.start("--key-type", "fast")
    mine = {"MY_USER": ALICE, "MY_PASSPHRASE": "alices"}
    expected = both.same("decrypt-domain", "dev", PPROTECT_USER=ALICE, PPROTECT_PASSPHRASE="alices")
    assert both.same("decrypt-domain", "--env-prefix", "MY", "dev", **mine) == expected
    assert both.same("decrypt-domain", "dev", PPROTECT_ENV_PREFIX="MY", **mine) == expected
    both.do("decrypt-domain", "--ignore-env", "--env-prefix", "MY", "dev", fails=True, **mine)
    both.do("decrypt-domain", "--non-interactive", "--ignore-env", "--env-prefix", "MY", "dev", fails=True, **mine)


def test_confirmation(both: Both) -> None:
    both.start("--key-type", "fast")
    both.do("rm-secret", "--confirm", answers=lines("dev", "a", "n"))
    assert set(both.values("dev", ALICE, "alices")) == {"a", "b-2"}
    both.do("rm-secret", "--confirm", answers=lines("dev", "a", "y"))
    assert set(both.values("dev", ALICE, "alices")) == {"b-2"}
    both.do("update-secret", "--confirm", answers=lines("dev", "b-2", "new value", "y"))
    assert both.values("dev", ALICE, "alices") == {"b-2": "new value"}


@pytest.mark.slow
def test_handing_over_and_new_keys(both: Both) -> None:
    both.start("--key-type", "fast")
    both.do("migrate-owner", answers=lines(ALICE, "alices", BOB, "n"))
    both.do("decrypt-domain", "dev", PPROTECT_USER=BOB, PPROTECT_PASSPHRASE="bobs", fails=True)
    both.do("migrate-owner", answers=lines(ALICE, "alices", BOB, "y"))
    assert set(both.values("dev", BOB, "bobs")) == {"a", "b-2"}
    both.do("rekey-custodian", "--key-type", "fast", answers=lines(BOB, "bobs", "new", "new"))
    assert set(both.values("dev", BOB, "new")) == {"a", "b-2"}
    both.do(
        "set-key-custodian-passphrase",
        "--key-type",
        "fast",
        answers=lines(ALICE, "alices", "other", "nother"),
        fails=True,
    )
    assert set(both.values("dev", ALICE, "alices")) == {"a", "b-2"}
    both.do("rm-owner", answers=lines("dev", BOB, ALICE, "alices"))
    both.do("rm-owner", answers=lines("dev", ALICE), fails=True)


def test_raw_keys_are_made_shown_and_confirmed(both: Both) -> None:
    outputs = both.do("init", "--key-type", "raw", answers=lines("ci", "YES"))
    keys = [re.findall(r"P[0-9a-f]{64}P", output) for output in outputs]
    assert [len(found) for found in keys] == [1, 1]
    for key, run in ((keys[0][0], both.upstream.command), (keys[1][0], None)):
        answers = lines("ci", key, "dev")
        if run:
            assert run(both.theirs, "add-domain", answers=answers).returncode == 0
        else:
            both.ours.done("add-domain", stdin=answers)
    declined = ("add-key-custodian", "--key-type", "raw")
    assert both.upstream.command(both.theirs, *declined, answers=lines("other", "no")).returncode == 0
    # Ours shows no key that it does not store.
    refused = both.ours(*declined, stdin=lines("other", "no"))
    assert (refused.code, refused.out) == (2, "")
    assert both.same("list-domains") == "dev\n"
