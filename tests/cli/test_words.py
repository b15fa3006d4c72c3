"""How the words of a command line are read."""

from __future__ import annotations

import pytest
from shell import ALICE, COMMANDS, DEV, Shell, as_variables

from pocket_protector import __version__

WRITTEN = f"pocket_protector version {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("words", [["version"], ["--version"], ["--yes", "--version"]])
def test_version(empty: Shell, command: str, words: list[str]) -> None:
    empty.command = command
    assert empty.done(*words) == WRITTEN


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_the_command_that_was_called(empty: Shell, command: str) -> None:
    empty.command = command
    assert f"Usage: {command} [OPTIONS] COMMAND" in empty.done("-h")
    assert f"Usage: {command} get [OPTIONS]" in empty.done("get", "--help")
    empty("get").failed(2, "no DOMAIN is given", f"{command} get --help")


@pytest.mark.parametrize("words", [["-h"], ["--help"], ["--help", "get"], ["-f", "x", "-h"]])
def test_help_of_all_commands(empty: Shell, words: list[str]) -> None:
    out = empty.done(*words)
    for word in ("rotate-domain-keys", "list-all-secrets", "--passphrase-file", "--non-interactive", "--version"):
        assert word in out


def test_nothing_at_all_is_the_help_page_and_a_usage_error(empty: Shell) -> None:
    result = empty()
    assert result.code == 2
    assert "error:" not in result.err
    assert "add-key-custodian" in result.out + result.err


@pytest.mark.parametrize(
    "words",
    [
        ["-f", "FILE", "get", "dev", "API_KEY", "-u", ALICE],
        ["get", "-f", "FILE", "dev", "-u", ALICE, "API_KEY"],
        ["get", "dev", "API_KEY", "--user", ALICE, "--file", "FILE"],
        ["--non-interactive", "--file=FILE", "get", f"--user={ALICE}", "dev", "API_KEY"],
        ["-fFILE", f"-u{ALICE}", "get", "dev", "API_KEY"],
        ["-u", ALICE, "get", "-f", "FILE", "--", "dev", "API_KEY"],
    ],
)
def test_global_options_stand_anywhere(team: Shell, words: list[str]) -> None:
    path = team.home / "elsewhere.yaml"
    team.file.rename(path)
    given = [word.replace("FILE", str(path)) for word in words]
    assert team.done(*given, env=as_variables() | {"PPROTECT_USER": "nobody"}) == DEV["API_KEY"]


def test_nothing_behind_the_dashes_is_ours(alice: Shell) -> None:
    words = ("-h", "--version", "--file", "x", "--yes", "--", "-u", "y")
    out = alice.done("run", "dev", "--uppercase", "--", "printf", "%s.", *words)
    assert out == "".join(f"{word}." for word in words)


@pytest.mark.parametrize("word", ["list_domains", "list-domains"])
def test_underscores_in_a_command(team: Shell, word: str) -> None:
    assert team.done(word) == "dev\nprod\n"


def test_underscores_in_options(team: Shell) -> None:
    out = team.done("decrypt_domain", "dev", "--output_format", "env", "--secret=API_KEY", *_underscored(team))
    assert out == "API_KEY=tulip-dev-api\n"


def _underscored(team: Shell) -> list[str]:
    return ["--passphrase_file", team.key_file(), f"--user={ALICE}", "--non_interactive"]


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (["ad-secret"], "no such command 'ad-secret'", "pprotect --help"),
        (["--yes"], "no command is given", "pprotect --help"),
        (["-u", ALICE], "no command is given", "pprotect --help"),
        (["--", "get", "dev"], "no command is given", "pprotect --help"),
        (["get"], "no DOMAIN is given", "pprotect get --help"),
        (["get", "dev"], "no NAME is given", "pprotect get --help"),
        (["get", "dev", "API_KEY", "more"], "too many arguments", "pprotect get --help"),
        (["list-domains", "--nope"], "no such option: --nope", "pprotect list-domains --help"),
        (["get", "dev", "API_KEY", "-f"], "'-f' requires an argument", "--help"),
        (["list-domains", "--yes=1"], "'--yes' does not take a value", "pprotect --help"),
        (["decrypt-domain"], "no DOMAIN is given", "pprotect decrypt-domain --help"),
        (["decrypt-domain", "dev", "--output-format", "xml"], "'xml' is no output format", "json|env|shell"),
        (["list-domain-secrets"], "no DOMAIN is given", "pprotect list-domain-secrets --help"),
        (["truncate-audit-log"], "no KEEP is given", "pprotect truncate-audit-log --help"),
        (["truncate-audit-log", "-1"], "no such option", "--help"),
        (["truncate-audit-log", "1.5"], "'1.5' is no number", "pprotect truncate-audit-log 100"),
        (["truncate-audit-log", "9" * 5000], "is no number", "pprotect truncate-audit-log 100"),
        (["add-secret", "dev", "new", "--generate=0"], "no length", "1 to 4096"),
        (["add-secret", "dev", "new", "--generate=4097"], "no length", "1 to 4096"),
        (["add-secret", "dev", "new", "--generate=abc"], "no length", "1 to 4096"),
        (["add-secret", "dev", "new", "--generate", "--from-file", "x"], "both give the value", None),
        (
            ["add-secret", "dev", "--domain", "prod"],
            "two values for DOMAIN: 'dev' and 'prod'",
            "arguments are taken in",
        ),
        (["add-key-custodian", "x", "--key-type", "soft"], "'soft' is not a key type", "hard|fast|raw"),
        (["add-key-custodian", "x", "-u", "y"], "two values for the key custodian: 'x' and 'y'", None),
        (["add-key-custodian", "x", "--passphrase-file", "k"], "your own passphrase", "--new-passphrase-file"),
        (["run"], "no DOMAIN is given", "pprotect run --help"),
        (["exec", "--", "true"], "no --domain is given", "pprotect exec --domain DOMAIN -- COMMAND"),
        (["exec", "--domain", "dev"], "stands behind `--`", "pprotect exec --domain DOMAIN -- COMMAND"),
    ],
)
def test_a_command_line_that_is_off(alice: Shell, words: list[str], error: str, hint: str | None) -> None:
    before = alice.file.read_bytes()
    alice(*words).failed(2, error, hint)
    assert alice.file.read_bytes() == before


def test_an_argument_may_be_given_as_an_option_too(team: Shell) -> None:
    team.done("set-secret", "dev", "--domain", "dev", "--secret-name", "made", "--generate")
    assert "made" in team.store().get_domain_secret_names("dev")


@pytest.mark.parametrize("words", [["--generate"], ["--generate=32"], ["--generate", "32"]])
def test_a_generated_value_stands_anywhere(team: Shell, words: list[str]) -> None:
    team.done("set-secret", *words, "dev", "made")
    assert len(team.values()["made"]) == 32
