"""Options objects: a command declares many options as one frozen dataclass, which mypy checks.

    @dataclass(frozen=True, slots=True)
    class ListOptions:
        long: Annotated[bool, typer.Option("--long", help="Print details.")] = False
        json: Json = False

    def list_things(ctx: typer.Context, domain: RequiredDomain, options: ListOptions) -> None: ...

`spread` gives typer the function that it expects, with `domain`, `long` and `json` as parameters.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints


def spread(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function with the fields of every options object among the parameters of `function`.

    It takes keyword arguments, as typer passes them, builds the objects and calls `function`. If no parameter is an
    options object, `function` itself is returned.
    """
    signature = inspect.signature(function, eval_str=True)
    objects: dict[str, Any] = {
        p.name: p.annotation for p in signature.parameters.values() if is_dataclass(p.annotation)
    }
    if not objects:
        return function

    @wraps(function)
    def call(**given: Any) -> Any:
        for name, kind in objects.items():
            given[name] = kind(**{field.name: given.pop(field.name) for field in fields(kind)})
        return function(**given)

    parameters = [part for parameter in signature.parameters.values() for part in _parts(parameter)]
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return call


def _parts(parameter: inspect.Parameter) -> Iterator[inspect.Parameter]:
    """Yield the parameters in place of one; keyword-only ones, because those may follow each other in any order."""
    if not is_dataclass(parameter.annotation):
        yield parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        return
    hints = get_type_hints(parameter.annotation, include_extras=True)
    for field in fields(parameter.annotation):
        default = inspect.Parameter.empty if field.default is MISSING else field.default
        yield inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hints[field.name]
        )
