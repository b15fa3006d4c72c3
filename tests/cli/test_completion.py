"""Completion in every shell, without credentials."""

from __future__ import annotations

import pytest
from shell import ALICE, BOB, CAROL, Shell

from pocket_protector import Creds, KeyFile

CASES = [
    ("pprotect rot", ["rotate-domain-keys"]),
    ("pprotect list-d", ["list-domains", "list-domain-secrets"]),
    ("pprotect get ", ["dev", "prod"]),
    ("pprotect get d", ["dev"]),
    ("pprotect get dev ", ["API_KEY", "db-password"]),
    ("pprotect get prod d", []),
    ("pprotect get nope ", []),
    ("pprotect run p", ["prod"]),
    ("pprotect exec --domain p", ["prod"]),
    ("pprotect decrypt-domain dev --secret d", ["db-password"]),
    ("pprotect export dev --secret d", ["db-password"]),
    ("pprotect export dev --format ", ["dotenv", "json", "shell", "yaml"]),
    ("pprotect update-secret dev A", ["API_KEY"]),
    ("pprotect set-secret --domain dev --secret-name d", ["db-password"]),
    ("pprotect add-owner dev b", [BOB]),
    ("pprotect rekey-custodian ", [ALICE, BOB, CAROL]),
    ("pprotect get -u al", [ALICE]),
    ("pprotect get --non", ["--non-interactive"]),
    ("pprotect --no", ["--non-interactive"]),
    ("pprotect -f protected.yaml get d", ["dev"]),
    ("pprotect get --file protected.yaml d", ["dev"]),
    ("pprotect -f missing.yaml get d", []),
]


def words_of(shell_name: str, line: str) -> dict[str, str]:
    """What the shell's script gives to the command, for a cursor at the end of the line."""
    if shell_name == "bash":
        words = line.split(" ")
        return {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_PPROTECT_COMPLETE": "complete_bash"}
    return {
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_PPROTECT_COMPLETE": f"complete_{shell_name}",
    }


def completed(shell: Shell, shell_name: str, line: str) -> list[str]:
    result = shell(env=words_of(shell_name, line))
    assert result.err == ""
    out = result.out
    if shell_name == "zsh":
        quoted = [item.split('"')[1] for item in out.split("((")[-1].splitlines() if '"' in item]
        return [item.split(":")[0] for item in quoted]
    return [item.split("\t")[0] for item in out.splitlines() if item]


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(("line", "expected"), CASES)
def test_completion(team: Shell, shell_name: str, line: str, expected: list[str]) -> None:
    assert sorted(completed(team, shell_name, line)) == sorted(expected)


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_names_that_a_shell_would_evaluate_are_not_offered(team: Shell, shell_name: str) -> None:
    """Whoever wrote the file chose the names, and a shell evaluates what it is offered."""
    store = KeyFile.from_file(team.file)
    nasty = ("d$(touch x)", "d`touch x`", "d\\$(touch x)", 'd"; touch x; "', "d'x", "d x", "d;x", "d*", "d|x", "~d")
    for name in nasty:
        store = store.add_domain(name, ALICE)
    store.add_domain("dürer.v2", ALICE).write()
    assert sorted(completed(team, shell_name, "pprotect get d")) == ["dev", "dürer.v2"]
    assert completed(team, shell_name, "pprotect get ~") == []


@pytest.mark.parametrize("content", [b"", b"\xff", b"- x\n", None])
def test_a_file_that_is_none_completes_to_nothing(team: Shell, content: bytes | None) -> None:
    team.file.unlink()
    if content is not None:
        team.file.write_bytes(content)
    assert completed(team, "bash", "pprotect get ") == []


def test_nothing_is_unlocked(team: Shell) -> None:
    """Names are shown to whoever has the file: completion works with credentials that would be refused."""
    env = words_of("bash", "pprotect get dev ") | {"PPROTECT_USER": ALICE, "PPROTECT_PASSPHRASE": "wrong"}
    assert team(env=env).out == "API_KEY\ndb-password\n"
    assert not team.store().check_creds(Creds(ALICE, "wrong"))


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish", "powershell", "pwsh"])
@pytest.mark.parametrize("command", ["pprotect", "pocket_protector"])
def test_every_shell_has_a_script(empty: Shell, shell_name: str, command: str) -> None:
    empty.command = command
    script = empty.done(env={f"_{command.upper()}_COMPLETE": f"source_{shell_name}"})
    assert f"_{command.upper()}_COMPLETE" in script
    assert command in script


def test_the_script_for_bash_completes(team: Shell) -> None:
    script = """
    eval "$(_PPROTECT_COMPLETE=source_bash pprotect)"
    COMP_WORDS=(pprotect get dev d) COMP_CWORD=3
    _pprotect_completion pprotect
    printf '%s\\n' "${COMPREPLY[@]}"
    """
    assert team.sh(script).out == "db-password\n"


def test_show_completion(empty: Shell) -> None:
    result = empty.sh("pprotect --show-completion; exit $?")
    assert result.code == 0
    assert "complete -o default -F _pprotect_completion pprotect" in result.out
