"""docs/cli.md, docs/cli-reference.md, `--help` and the commands say the same."""

from __future__ import annotations

import re
from copy import copy
from pathlib import Path

import cli_reference
import pytest
from shell import Shell, make_shell

from pocket_protector.cli.argv import normalise

COMMANDS = cli_reference.commands()
REFERENCE = cli_reference.DOCUMENT.read_text(encoding="utf-8")
TEXT = cli_reference.DOCUMENT.with_name("cli.md").read_text(encoding="utf-8")


def words(text: str) -> str:
    """The text less its frame and its line breaks."""
    return " ".join(re.sub("[│╭╮╰╯─]", " ", text).split())


@pytest.fixture
def wide(tmp_path: Path) -> Shell:
    """A shell as wide as any help text."""
    shell = make_shell(tmp_path)
    shell.variables["COLUMNS"] = "300"
    return shell


def section(name: str) -> str:
    """The reference's section about a command."""
    return REFERENCE.split(f"\n### {name}\n")[1].split("\n### ")[0].split("\n## ")[0]


def anchor(name: str) -> str:
    """The anchor that a forge gives to a command's heading: numbered, if another heading of that name stands above."""
    before = REFERENCE.split(f"\n### {name}\n")[0]
    same = len(re.findall(rf"^##+ {name}$", before, re.M | re.I))
    return f"{name}-{same}" if same else name


def test_the_reference_is_what_the_commands_say() -> None:
    assert cli_reference.page(COMMANDS) == REFERENCE, "run: python tools/cli_reference.py"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_changes_makes_another_reference(name: str) -> None:
    fewer = {known: command for known, command in COMMANDS.items() if known != name}
    assert cli_reference.page(fewer) != REFERENCE
    changed = copy(COMMANDS[name])
    changed.help += " More."
    assert cli_reference.page({**COMMANDS, name: changed}) != REFERENCE
    for at, parameter in enumerate(COMMANDS[name].params):
        if parameter in cli_reference.options_of(COMMANDS[name])[0]:
            other = copy(parameter)
            other.help += " More."
            changed = copy(COMMANDS[name])
            changed.params = [*changed.params[:at], other, *changed.params[at + 1 :]]
            assert cli_reference.page({**COMMANDS, name: changed}) != REFERENCE


@pytest.mark.parametrize("name", COMMANDS)
def test_the_reference_names_every_argument_and_option(name: str) -> None:
    found = section(name)
    assert f"[{name}](#{anchor(name)})" in REFERENCE
    assert words(COMMANDS[name].help) in words(found)
    own, everywhere = cli_reference.options_of(COMMANDS[name])
    for parameter in own:
        option = parameter.param_type_name == "option"
        for text in [*parameter.opts, *parameter.secondary_opts] if option else [parameter.metavar]:
            assert f"`{text}".replace("|", "\\|") in found
        assert parameter.help.replace("|", "\\|") in found
    shared = REFERENCE.split("## Options of every command")[1].split("\n## ")[0]
    for parameter in everywhere:
        assert all(f"`{text}" in shared for text in parameter.opts)
        assert parameter.help in shared


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
