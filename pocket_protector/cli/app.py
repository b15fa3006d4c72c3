"""The typer application. A command's module is imported when the command is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cache, partial
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from pocket_protector.cli import output
from pocket_protector.cli.command_table import COMMANDS, COMMANDS_BY_NAME
from pocket_protector.cli.global_parameters import global_parameters
from pocket_protector.cli.options import GlobalOptions
from pocket_protector.cli.session import Session
from pocket_protector.cli.typed_options import spread
from pocket_protector.cli.usage import UsageError

_CONTEXT = {"help_option_names": ["-h", "--help"]}


class Command(TyperCommand):
    """A command with the options of every command besides its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.callback is not None and self.name != global_parameters.__name__:
            self.params += _global_parameters()

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters, set to pass text through."""
        return _passing_strings_through(super().get_params(ctx))

    def invoke(self, ctx: Any) -> Any:
        """Make a `Session` of the options of every command, and run the command with it."""
        options = {field.name: ctx.params.pop(field.name) for field in fields(GlobalOptions)}
        ctx.obj = Session(GlobalOptions(**options), behind_dashes=ctx.obj or [])
        return super().invoke(ctx)


class Commands(TyperGroup):
    """Finds and imports commands by name.

    It also knows the options of every command, for its help page and for completion; `normalise` has moved them after
    the command.
    """

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters of the group and of every command."""
        return _passing_strings_through([*super().get_params(ctx), *_global_parameters()])

    def invoke(self, ctx: Any) -> Any:
        """Run the command; the group itself has no use for the options of every command."""
        for field in fields(GlobalOptions):
            ctx.params.pop(field.name, None)
        return super().invoke(ctx)

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands, in the order of the help page."""
        return [row.name for row in COMMANDS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of this name, or None."""
        row = COMMANDS_BY_NAME.get(cmd_name.replace("_", "-"))
        return None if row is None else _build(row.name, row.load(), row.panel)


app = typer.Typer(
    cls=Commands,
    context_settings=_CONTEXT,
    help="Keep a team's secrets encrypted in protected.yaml, in git, beside the code.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _group(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Declare the options for use without a command."""


def print_version() -> None:
    """Print the version on stdout."""
    from pocket_protector import __version__

    output.data(f"pocket_protector version {__version__}\n")


def _build(name: str, function: Callable[..., Any], panel: str | None) -> TyperCommand:
    single = typer.Typer(add_completion=False)
    single.command(name, cls=Command, context_settings=_CONTEXT, rich_help_panel=panel)(spread(function))
    command = typer.main.get_command(single)
    assert isinstance(command, TyperCommand)
    return command


@cache
def _global_parameters() -> list[Any]:
    return _build(global_parameters.__name__, global_parameters, None).params


def _passing_strings_through(parameters: list[Any]) -> list[Any]:
    """Make typer pass values on as text, and return the parameters.

    Typer's own conversion would import pydantic, and this import takes longer than most commands; our own `parse_*`
    functions convert. The help page shows no types either: every value is text, and a flag takes none.
    """
    for parameter in parameters:
        parameter.process_value = partial(_pass_through, parameter)
        if parameter.param_type_name == "argument" or parameter.is_flag:
            parameter.display_type_rich = _no_type
    return parameters


def _no_type(ctx: Any) -> None:
    return None


def _pass_through(parameter: Any, ctx: Any, value: Any) -> Any:
    if parameter.required and parameter.value_is_missing(value):
        raise UsageError(f"no {parameter.metavar or parameter.name} is given", hint=f"{ctx.command_path} --help")
    return parameter.callback(ctx, parameter, value) if parameter.callback else value
