"""Makes the second part of docs/cli.md from the commands themselves: `python tests/docs/cli_reference.py`."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer

from pocket_protector.cli.app import app

DOCUMENT = Path(__file__).parents[2] / "docs" / "cli.md"
MARK = "<!-- What follows is made from the commands: python tests/docs/cli_reference.py -->\n"
GLOBAL_PANEL = "Options of every command"


def generated(document: str) -> str:
    """The document with its second part made anew."""
    introduction, mark, _ = document.partition(MARK)
    assert mark, "the mark is gone"
    return introduction + mark + "\n" + "\n".join(_reference())


def commands() -> dict[str, Any]:
    """Every command by name, in the order of the help page."""
    group = typer.main.get_command(app)
    return {name: group.get_command(None, name) for name in group.list_commands(None)}


def options_of(command: Any) -> tuple[list[Any], list[Any]]:
    """A command's own parameters, and those of every command."""
    everywhere = [parameter for parameter in command.params if _panel(parameter) == GLOBAL_PANEL]
    return [parameter for parameter in command.params if parameter not in everywhere], everywhere


def _reference() -> Iterator[str]:
    found = commands()
    yield "## Options of every command\n"
    yield from _table(options_of(next(iter(found.values())))[1])
    yield "## Commands\n"
    panel = None
    for name, command in found.items():
        if command.rich_help_panel != panel:
            panel = command.rich_help_panel
            yield f"### {panel}\n"
        yield from _command(name, command)


def _command(name: str, command: Any) -> Iterator[str]:
    own, _ = options_of(command)
    arguments = [parameter for parameter in own if parameter.param_type_name == "argument"]
    shown = [parameter.metavar if parameter.required else f"[{parameter.metavar}]" for parameter in arguments]
    yield f"#### {name}\n"
    yield f"    pprotect {' '.join([name, *shown])}\n"
    yield f"{inspect.cleandoc(command.help)}\n"
    if own:
        yield from _table(own)


def _table(parameters: Iterable[Any]) -> Iterator[str]:
    yield "| | |\n|---|---|"
    for parameter in parameters:
        yield f"| {_spelled(parameter)} | {_escaped(parameter.help)} |"
    yield ""


def _spelled(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{_escaped(parameter.metavar)}`"
    value = "" if parameter.is_flag else f" {parameter.metavar}"
    return ", ".join(f"`{_escaped(option + value)}`" for option in sorted(parameter.opts, key=len))


def _panel(parameter: Any) -> str | None:
    return getattr(parameter, "rich_help_panel", None)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    DOCUMENT.write_text(generated(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
