"""The table of commands agrees with the commands themselves."""

from __future__ import annotations

import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import pytest
import typer

from pocket_protector.cli import commands as modules
from pocket_protector.cli.app import app
from pocket_protector.cli.argv import normalise
from pocket_protector.cli.command_table import COMMANDS, COMMANDS_BY_NAME, OPTION_WITH_LENGTH, OPTIONS_WITH_VALUE

GROUP: Any = typer.main.get_command(app)
BUILT = {row.name: GROUP.get_command(None, row.name) for row in COMMANDS}


def spelled(*, flags: bool) -> set[str]:
    """The names of the options of all commands: of the flags, or of those that take a value."""
    options = (parameter for command in BUILT.values() for parameter in command.params)
    return {
        name
        for option in options
        if option.param_type_name == "option" and option.is_flag is flags
        for name in (*option.opts, *option.secondary_opts)
    }


def test_every_option_with_a_value_is_in_the_table_and_no_other() -> None:
    assert spelled(flags=False) == OPTIONS_WITH_VALUE | {OPTION_WITH_LENGTH}


def test_no_option_is_a_flag_in_one_command_and_takes_a_value_in_another() -> None:
    assert not spelled(flags=True) & (OPTIONS_WITH_VALUE | {OPTION_WITH_LENGTH})


@pytest.mark.parametrize("option", sorted(OPTIONS_WITH_VALUE))
def test_the_value_of_an_option_is_not_taken_for_the_command(option: str) -> None:
    assert normalise([option, "version", "get"])[0] == ["get", option, "version"]


@pytest.mark.parametrize("option", sorted(spelled(flags=True) - {"--help", "-h"}))
def test_a_flag_takes_no_value_from_the_command_line(option: str) -> None:
    assert normalise([option, "version", "get"])[0] == ["version", option, "get"]


def public_functions() -> Iterable[tuple[str, str]]:
    """Each function of a module of commands that takes the context, which only commands do."""
    for found in pkgutil.iter_modules(modules.__path__):
        module = __import__(f"{modules.__name__}.{found.name}", fromlist=["*"])
        for name, function in inspect.getmembers(module, inspect.isfunction):
            first = next(iter(inspect.signature(function).parameters.values()), None)
            if function.__module__ == module.__name__ and not name.startswith("_") and first and first.name == "ctx":
                yield found.name, name


def test_every_command_function_is_in_the_table() -> None:
    assert sorted(public_functions()) == sorted((row.module, row.function) for row in COMMANDS)


def test_names_are_unique_and_functions_are_named_after_them() -> None:
    assert len(COMMANDS_BY_NAME) == len(COMMANDS)
    for row in COMMANDS:
        assert row.function.removesuffix("_") == row.name.replace("-", "_")


def test_a_panel_is_one_block_of_the_help_page() -> None:
    panels = [row.panel for row in COMMANDS]
    blocks = [panel for at, panel in enumerate(panels) if at == 0 or panels[at - 1] != panel]
    assert len(blocks) == len(set(panels))


@pytest.mark.parametrize("name", BUILT)
def test_each_command_stands_under_the_panel_of_its_row(name: str) -> None:
    assert BUILT[name].name == name
    assert BUILT[name].rich_help_panel == COMMANDS_BY_NAME[name].panel


@pytest.mark.parametrize("name", ["", "int", "get ", "GET", "secrets", "exec-", "__init__"])
def test_an_unknown_command_is_not_found(name: str) -> None:
    assert GROUP.get_command(None, name) is None


@pytest.mark.parametrize("module", ["argv", "command_table", "options", "session"])
def test_what_runs_before_a_command_imports_no_typer(module: str) -> None:
    script = (
        f"import sys, pocket_protector.cli.{module}; print(sorted({{'typer', 'click', 'rich'}} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
