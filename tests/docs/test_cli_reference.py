"""docs/cli.md, `--help` and the commands say the same."""

from __future__ import annotations

import re
from pathlib import Path

import cli_reference
import pytest
from shell import Shell, make_shell

from pocket_protector.cli.argv import normalise

COMMANDS = cli_reference.commands()
TEXT = cli_reference.DOCUMENT.read_text(encoding="utf-8")


def words(text: str) -> str:
    """The text less its frame and its line breaks."""
    return " ".join(re.sub("[│╭╮╰╯─]", " ", text).split())


@pytest.fixture
def wide(tmp_path: Path) -> Shell:
    """A shell as wide as any help text."""
    shell = make_shell(tmp_path)
    shell.variables["COLUMNS"] = "300"
    return shell


def test_the_reference_is_what_the_commands_say() -> None:
    made = cli_reference.generated(TEXT)
    assert made == TEXT, "run: python tests/docs/cli_reference.py"


def test_a_changed_reference_is_noticed() -> None:
    assert cli_reference.generated(TEXT + "more\n") == TEXT
    assert cli_reference.generated(TEXT.replace("#### init", "#### int")) == TEXT


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_every_argument_and_option(wide: Shell, name: str) -> None:
    out = words(wide.done(name, "--help"))
    own, everywhere = cli_reference.options_of(COMMANDS[name])
    assert f"Usage: pprotect {name} " in out
    assert words(COMMANDS[name].help) in out
    for parameter in own + everywhere:
        assert words(parameter.help) in out
        assert parameter.metavar is None or parameter.metavar in out
        if parameter.param_type_name == "option":
            assert all(option in out for option in parameter.opts)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_may_stand_before_the_command(name: str) -> None:
    own, everywhere = cli_reference.options_of(COMMANDS[name])
    for parameter in own + everywhere:
        if parameter.param_type_name == "option" and parameter.name != "help":
            for option in (text for text in parameter.opts if text != "--generate"):
                words = [option] if parameter.is_flag else [option, "a-value"]
                assert normalise([*words, name])[0] == [name, *words], option


def test_the_help_page_lists_every_command(wide: Shell) -> None:
    out = words(wide.done("--help")) + " "
    for name, command in COMMANDS.items():
        assert f" {name} {words(command.help.partition(chr(10) * 2)[0])} " in out


def test_every_help_text_is_a_sentence() -> None:
    for name, command in COMMANDS.items():
        own, everywhere = cli_reference.options_of(command)
        for text in (command.help, *(parameter.help for parameter in own + everywhere)):
            assert text, name
            assert text.endswith("."), (name, text)
            assert text[0].isupper(), (name, text)


def test_commands_of_pocket_protector_are_all_there() -> None:
    theirs = """init add-key-custodian list-user-secrets set-key-custodian-passphrase rekey-custodian add-domain
        add-owner list-domains rotate-domain-keys migrate-owner rm-owner rm-domain add-secret update-secret rm-secret
        list-domain-secrets list-all-secrets decrypt-domain exec list-audit-log version"""
    assert set(theirs.split()) <= set(COMMANDS)


def test_exit_codes_are_those_of_the_errors() -> None:
    from pocket_protector import errors

    table = TEXT.split("## Exit codes")[1].split("##")[0]
    documented = set(map(int, re.findall(r"^\| (\d+) \|", table, re.M)))
    raised = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.PocketProtectorError)
    }
    assert raised <= documented


def test_schema_numbers_agree() -> None:
    from pocket_protector.cli import output

    assert f'"schema": {output.SCHEMA}' in TEXT
