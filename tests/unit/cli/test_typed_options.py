"""Options objects become parameters for typer, and objects again for the command."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, fields
from typing import Annotated, Any

import pytest
import typer

from pocket_protector.cli.app import app
from pocket_protector.cli.command_table import COMMANDS
from pocket_protector.cli.global_parameters import global_parameters
from pocket_protector.cli.options import GlobalOptions
from pocket_protector.cli.typed_options import spread

Long = Annotated[bool, typer.Option("--long")]


@dataclass(frozen=True, slots=True)
class Listing:
    long: Long = False
    names: Annotated[list[str] | None, typer.Option("--name")] = None


@dataclass(frozen=True, slots=True)
class Place:
    domain: Annotated[str, typer.Argument()]


def spread_over(function: Callable[..., Any]) -> list[tuple[str, Any]]:
    return [(p.name, p.default) for p in inspect.signature(spread(function)).parameters.values()]


def test_each_field_is_a_parameter_in_its_place_with_its_default() -> None:
    def command(ctx: typer.Context, place: Place, listing: Listing, json: bool = True) -> None: ...

    empty = inspect.Parameter.empty
    expected = [("ctx", empty), ("domain", empty), ("long", False), ("names", None), ("json", True)]
    assert spread_over(command) == expected


def test_annotations_are_kept_for_typer() -> None:
    def command(listing: Listing) -> None: ...

    assert inspect.signature(spread(command)).parameters["long"].annotation == Long


def test_the_command_is_called_with_its_objects() -> None:
    def command(place: Place, *, json: bool = False, listing: Listing) -> tuple[object, ...]:
        return place, json, listing

    called = spread(command)(domain="dev", json=True, long=True, names=["a"])
    assert called == (Place("dev"), True, Listing(True, ["a"]))


@pytest.mark.parametrize("given", [{"long": True}, {"long": True, "names": None, "other": 1}, {}])
def test_missing_and_unknown_options_are_refused(given: dict[str, Any]) -> None:
    def command(listing: Listing) -> None: ...

    with pytest.raises((KeyError, TypeError)):
        spread(command)(**given)


def test_a_function_without_objects_stays_as_it_is() -> None:
    def command(ctx: typer.Context, json: bool = False) -> None: ...

    assert spread(command) is command


def test_two_objects_with_one_name_are_refused() -> None:
    def command(place: Place, domain: str) -> None: ...

    with pytest.raises(ValueError, match="duplicate parameter name"):
        spread(command)


def test_the_name_and_help_of_the_command_stay() -> None:
    def command(listing: Listing) -> None:
        """List things."""

    assert (spread(command).__name__, spread(command).__doc__) == ("command", "List things.")


def test_the_global_options_are_those_that_typer_reads() -> None:
    declared = list(inspect.signature(global_parameters).parameters)
    assert declared == [field.name for field in fields(GlobalOptions)]


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)
def test_no_command_takes_more_than_six_parameters(row: Any) -> None:
    """The context not counted; more are an options object, which nobody can change."""
    parameters = list(inspect.signature(row.load(), eval_str=True).parameters.values())
    assert len(parameters) - 1 <= 6
    for parameter in parameters:
        if hasattr(parameter.annotation, "__dataclass_fields__"):
            assert parameter.annotation.__dataclass_params__.frozen


def test_options_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Listing().long = True  # type: ignore[misc]


def test_options_of_every_command_are_no_commands_own() -> None:
    group: Any = typer.main.get_command(app)
    own = {field.name for field in fields(GlobalOptions)}
    for row in COMMANDS:
        names = [parameter.name for parameter in group.get_command(None, row.name).params]
        assert len(names) == len(set(names)), row.name
        assert own <= set(names)
