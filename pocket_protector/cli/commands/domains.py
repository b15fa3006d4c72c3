"""Commands about key domains."""

from __future__ import annotations

from typing import Annotated

import typer

from pocket_protector.cli import output
from pocket_protector.cli.parameters import Domain, Json, Production
from pocket_protector.cli.session import Session, session_of
from pocket_protector.document.names import looks_like_production
from pocket_protector.document.policy import Policy
from pocket_protector.errors import command
from pocket_protector.keyfile.key_file import KeyFile


def add_domain(ctx: typer.Context, domain: Domain = None, production: Production = None) -> None:
    """Add a key domain that you own."""
    session = session_of(ctx)
    guarded = session.open_to_change()
    store = guarded.key_file
    identity = session.identity(store)
    output.note("Adding new domain.")
    name = session.asked(domain, "Domain name", "DOMAIN")
    store.add_domain(name, identity.name)  # refuse a wrong name before asking more
    if identity.verify_key is not None or production is not None:
        production = is_production(session, name, production)
    policy = None if production is None else Policy(production=production)
    changed = store.add_domain(name, identity.name, creds=identity, policy=policy)
    session.write(guarded, changed, f"added key domain {name}, owned by {identity.name}")


def is_production(session: Session, name: str, given: bool | None, before: bool | None = None) -> bool | None:
    """Return whether a domain is production, or None if nobody has decided.

    `given` is the option, `before` the present policy. If both are None and the name looks like production, ask at a
    terminal, and print a note elsewhere.
    """
    if given is not None or before is not None or not looks_like_production(name):
        return before if given is None else given
    if session.prompts.terminal and (session.options.yes or not session.options.non_interactive):
        question = f"{name} looks like production. Treat all values in it as highly sensitive?"
        return True if session.prompts.agreed(question) else None
    set_it = command("set-policy", name, "--production")
    output.note(f"note: {name} looks like production: {set_it} (or --no-production)")
    return None


def rm_domain(ctx: typer.Context, domain: Domain = None) -> None:
    """Remove a key domain and all its secrets. They stay in git's history."""
    session = session_of(ctx)
    guarded = session.open_to_change()
    output.note("Removing domain.")
    name = session.asked(domain, "Domain name", "DOMAIN")
    session.write(guarded, guarded.key_file.rm_domain(name), f"removed key domain {name}")


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
        typer.Option(
            "--no-history", help="Do not keep the retired key: values that other branches add under it are lost."
        ),
    ] = False,
) -> None:
    """Give a key domain a new key, re-seal every value to it, and wrap it for the current owners."""
    session = session_of(ctx)
    guarded = session.open_to_change()
    store = guarded.key_file
    identity = session.identity(store)
    name = session.asked(domain, "Domain name", "DOMAIN")
    guarded.check_wrapping(name)
    changed = store.rotate_domain_key(name, identity, history=not no_history)
    tell_owners(store, changed, name)
    session.write(guarded, changed, f"rotated the key of {name}")


def tell_owners(before: KeyFile, after: KeyFile, name: str) -> None:
    """Print the owners of the new key, and the owners dropped as unauthorized."""
    kept = after.get_domain_owner_names(name)
    output.note(f"wrapping the new key of {name} for: {', '.join(kept)}")
    statuses = before.authority(name).owners.status
    for owner in before.get_domain_owner_names(name):
        if owner not in kept and not before.authority(name).owners.counts(owner):
            again = command("add-owner", name, owner)
            output.note(f"note: {owner} is dropped: {statuses[owner].value}; to give them access: {again}")
