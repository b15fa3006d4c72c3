"""Commands that print values."""

from __future__ import annotations

import json
import shlex
import sys
from typing import Annotated

import typer

from pocket_protector.cli import output
from pocket_protector.cli.opening import Use, opened
from pocket_protector.cli.parameters import (
    NoResolve,
    RequiredDomain,
    RequiredName,
    RequireSigned,
    Reveal,
    SkipUnresolved,
    secret_names,
)
from pocket_protector.cli.session import session_of
from pocket_protector.cli.usage import UsageError
from pocket_protector.environment import check_name, is_shell_name
from pocket_protector.errors import StoreError
from pocket_protector.model.decrypted import decoded

_FORMATS = ("json", "env", "shell")


def get(
    ctx: typer.Context,
    domain: RequiredDomain,
    name: RequiredName,
    no_resolve: NoResolve = False,
    reveal: Reveal = False,
    require_signed: RequireSigned = False,
) -> None:
    """Print one value. Nothing is added to it where stdout is no terminal."""
    use = Use(prints=True, require_signed=require_signed, no_resolve=no_resolve, reveal=reveal)
    output.data(opened(session_of(ctx), domain, use, name)[name])
    if sys.stdout.isatty():
        output.data("\n")


def decrypt_domain(
    ctx: typer.Context,
    domain: RequiredDomain,
    output_format: Annotated[
        str | None, typer.Option("--output-format", metavar="json|env|shell", help="How to print; json if not given.")
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option("--secret", metavar="NAME", help="Print this secret only.", autocompletion=secret_names),
    ] = None,
    no_resolve: NoResolve = False,
    skip_unresolved: SkipUnresolved = False,
    reveal: Reveal = False,
    require_signed: RequireSigned = False,
) -> None:
    """Print all values of a key domain, or with --secret one of them: bare, if no format is given."""
    if output_format is not None and output_format not in _FORMATS:
        raise UsageError(f"{output_format!r} is no output format", hint=f"--output-format {'|'.join(_FORMATS)}")
    use = Use(True, require_signed, no_resolve, skip_unresolved, reveal)
    raw = opened(session_of(ctx), domain, use, secret)
    chosen = {name: decoded(domain, name, value) for name, value in raw.items()}
    if secret is not None and output_format is None:
        output.data("".join(f"{value}\n" for value in chosen.values()))
    elif output_format in ("env", "shell"):
        output.data(_assignments(chosen, "export " if output_format == "shell" else ""))
    else:
        output.data(json.dumps(chosen, indent=2, sort_keys=True) + "\n")


def _assignments(values: dict[str, str], before: str) -> str:
    """One shell assignment a line; StoreError for a name that a shell cannot address, or that changes how programs
    run: a shell evaluates this."""
    for name in values:
        if not is_shell_name(name):
            raise StoreError(f"no shell can address a variable {name!r}", hint="--output-format json, or --secret NAME")
        check_name(name, name)
    return "".join(f"{before}{name}={shlex.quote(value)}\n" for name, value in sorted(values.items()))
