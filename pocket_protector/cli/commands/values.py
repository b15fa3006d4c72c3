"""Commands for printing values."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from pocket_protector.cli import output
from pocket_protector.cli.parameters import (
    NoResolve,
    RequiredDomain,
    RequiredName,
    RequireSigned,
    ResolveOptions,
    Reveal,
    secret_names,
)
from pocket_protector.cli.session import session_of
from pocket_protector.cli.usage import UsageError
from pocket_protector.cli.uses import printing
from pocket_protector.exports.variables import assignments

_FORMATS = ("json", "env", "shell")
_OTHERWISE = "--output-format json, or --secret NAME"


def get(
    ctx: typer.Context,
    domain: RequiredDomain,
    name: RequiredName,
    no_resolve: NoResolve = False,
    reveal: Reveal = False,
    require_signed: RequireSigned = False,
) -> None:
    """Print one value, exactly. Only a terminal gets a line end after it."""
    session = session_of(ctx)
    use = printing(session, ResolveOptions(no_resolve=no_resolve, require_signed=require_signed), reveal=reveal)
    output.data(session.opened(session.open(), domain, use, [name]).values[name])
    if sys.stdout.isatty():
        output.data("\n")


def decrypt_domain(
    ctx: typer.Context,
    domain: RequiredDomain,
    *,
    output_format: Annotated[
        str | None,
        typer.Option(
            "--output-format", metavar="json|env|shell", help="How to print; without --secret, json by default."
        ),
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option("--secret", metavar="NAME", help="Print only this secret.", autocompletion=secret_names),
    ] = None,
    using: ResolveOptions,
    reveal: Reveal = False,
) -> None:
    """Print all values of a key domain as JSON, or with --secret the text of one."""
    if output_format is not None and output_format not in _FORMATS:
        raise UsageError(f"{output_format!r} is not an output format", hint=f"--output-format {'|'.join(_FORMATS)}")
    session = session_of(ctx)
    use = printing(session, using, reveal=reveal)
    chosen = session.opened(session.open(), domain, use, None if secret is None else [secret]).texts()
    if secret is not None and output_format is None:
        output.data("".join(f"{value}\n" for value in chosen.values()))
    elif output_format in ("env", "shell"):
        output.data(assignments(chosen, "export " if output_format == "shell" else "", hint=_OTHERWISE))
    else:
        output.data(json.dumps(chosen, indent=2, sort_keys=True) + "\n")
