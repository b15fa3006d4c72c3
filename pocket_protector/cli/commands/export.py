"""The command for printing a key domain in a format for other programs."""

from __future__ import annotations

from typing import Annotated

import typer

from pocket_protector.cli import output
from pocket_protector.cli.parameters import (
    RequiredDomain,
    ResolveOptions,
    Reveal,
    Secrets,
    format_names,
)
from pocket_protector.cli.programs import Uppercase
from pocket_protector.cli.session import session_of
from pocket_protector.cli.usage import UsageError
from pocket_protector.cli.uses import printing
from pocket_protector.document.exported import ExportedDomain, ExportedEntry
from pocket_protector.exports.variables import variable_names
from pocket_protector.plugins.registry import PACKAGE, export_as, export_formats


def export(
    ctx: typer.Context,
    domain: RequiredDomain,
    *,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="json|dotenv|yaml|shell",
            help="How to print; other packages add formats.",
            autocompletion=format_names,
        ),
    ] = None,
    secret: Secrets = None,
    uppercase: Uppercase = False,
    using: ResolveOptions,
    reveal: Reveal = False,
) -> None:
    """Print a key domain's values, or some of them, in a format for other programs."""
    chosen = _format(format_)
    session = session_of(ctx)
    guarded = session.open()
    store = guarded.key_file
    values = session.opened(guarded, domain, printing(session, using, reveal=reveal), secret).values
    names = variable_names(values, None, uppercase=uppercase)
    references = store.get_references(domain) if using.no_resolve else {}
    entries = tuple(
        ExportedEntry(name, references.get(secret, values[secret]), store.get_secret_sensitivity(domain, secret))
        for name, secret in sorted((name, secret) for secret, name in names.items())
    )
    production = store.get_policy(domain).production
    output.data(export_as(chosen, ExportedDomain(store.file_id, domain, production, entries)))


def _format(name: str | None) -> str:
    """Return the given format; raises UsageError for none and for an unknown one."""
    known = export_formats()
    hint = f"--format {'|'.join(known)}"
    if name is None:
        raise UsageError("no format is given", hint=hint)
    if name == PACKAGE:
        raise UsageError(f"{name!r} seals, and has a command of its own", hint="pprotect package")
    if name not in known:
        raise UsageError(f"{name[:80]!r} is not a format of an installed plugin", hint=hint)
    return name
