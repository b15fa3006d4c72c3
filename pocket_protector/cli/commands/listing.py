"""Commands that list secrets, without credentials."""

from __future__ import annotations

from typing import Annotated

import typer

from pocket_protector.cli import output
from pocket_protector.cli.parameters import Json, RequiredDomain
from pocket_protector.cli.session import session_of
from pocket_protector.keyfile.key_file import KeyFile

_HEADS = ("NAME", "MODE", "SENSITIVITY", "UPDATED", "REFERENCE")


def list_domain_secrets(
    ctx: typer.Context,
    domain: RequiredDomain,
    long: Annotated[
        bool,
        typer.Option("--long", help="Print each secret's mode, sensitivity, time of the last change and reference."),
    ] = False,
    json: Json = False,
) -> None:
    """Print the names of a key domain's secrets."""
    store = session_of(ctx).read()
    names = store.get_domain_secret_names(domain)
    rows = _rows(store, domain) if long else []
    if json:
        output.listing("secrets", [dict(zip(map(str.lower, _HEADS), row, strict=True)) for row in rows] or names)
    elif long and names:
        output.table([_HEADS, *[tuple(cell or "" for cell in row) for row in rows]])
    elif names:
        output.lines(names)
    else:
        output.note(f"(No secrets in domain {domain!r} of protected at {store.path})")


def list_all_secrets(ctx: typer.Context, json: Json = False) -> None:
    """Print the names of all secrets, each with its key domains."""
    store = session_of(ctx).read()
    found = dict(sorted(store.get_all_secret_names().items()))
    if json:
        output.listing("secrets", found)
    elif found:
        output.lines(f"{name}: {', '.join(domains)}" for name, domains in found.items())
    else:
        output.note(f"(No secrets in protected at {store.path})")


def _rows(store: KeyFile, domain: str) -> list[tuple[str | None, ...]]:
    """Return the name, mode, sensitivity, time and reference (None for a sealed value) of each secret."""
    references = store.get_references(domain)
    return [
        (
            name,
            "reference" if name in references else "value",
            store.get_secret_sensitivity(domain, name).word,
            store.get_secret_time(domain, name),
            references[name].text if name in references else None,
        )
        for name in store.get_domain_secret_names(domain)
    ]
