"""Commands about key domains."""

from __future__ import annotations

from typing import Annotated

import typer

from pocket_protector.cli import output
from pocket_protector.cli.parameters import Domain, Json
from pocket_protector.cli.session import session_of


def add_domain(ctx: typer.Context, domain: Domain = None) -> None:
    """Add a key domain, with you as its owner."""
    session = session_of(ctx)
    store = session.read_to_change()
    owner = session.identity(store).name
    output.note("Adding new domain.")
    name = session.asked(domain, "Domain name", "DOMAIN")
    session.write(store, store.add_domain(name, owner), f"added key domain {name}, owned by {owner}")


def rm_domain(ctx: typer.Context, domain: Domain = None) -> None:
    """Remove a key domain with all its secrets. Git's history keeps them."""
    session = session_of(ctx)
    store = session.read_to_change()
    output.note("Removing domain.")
    name = session.asked(domain, "Domain name", "DOMAIN")
    session.write(store, store.rm_domain(name), f"removed key domain {name}")


def list_domains(ctx: typer.Context, json: Json = False) -> None:
    """Print the names of the key domains."""
    store = session_of(ctx).read()
    names = store.get_domain_names()
    if json:
        output.listing("domains", names)
    elif names:
        output.lines(names)
    else:
        output.note(f"(No domains in protected at {store.path})")


def rotate_domain_keys(
    ctx: typer.Context,
    domain: Domain = None,
    no_history: Annotated[
        bool,
        typer.Option("--no-history", help="Keep no retired key: values that other branches add under it are lost."),
    ] = False,
) -> None:
    """Give a key domain a new key, re-seal every value to it, and wrap it for the present owners."""
    session = session_of(ctx)
    store = session.read_to_change()
    identity = session.identity(store)
    name = session.asked(domain, "Domain name", "DOMAIN")
    changed = store.rotate_domain_key(name, identity, history=not no_history)
    output.note(f"wrapping the new key of {name} for: {', '.join(changed.get_domain_owner_names(name))}")
    session.write(store, changed, f"rotated the key of {name}")
