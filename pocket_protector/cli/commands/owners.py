"""Commands about the owners of key domains."""

from __future__ import annotations

from typing import Annotated

import typer

from pocket_protector.changes.domain_changes import check_removable, leaves_by_rotation
from pocket_protector.cli import output
from pocket_protector.cli.commands.custodians import could_read
from pocket_protector.cli.parameters import Custodian, Domain
from pocket_protector.cli.session import Session, session_of
from pocket_protector.cli.usage import UsageError
from pocket_protector.crypto.identity import Identity
from pocket_protector.errors import PPKeyError, StoreError
from pocket_protector.keyfile.key_file import KeyFile
from pocket_protector.user.guarded_key_file import GuardedKeyFile


def add_owner(
    ctx: typer.Context,
    domain: Domain = None,
    custodian: Custodian = None,
    expect_fingerprint: Annotated[
        str | None,
        typer.Option(
            "--expect-fingerprint",
            metavar="FINGERPRINT",
            help="Only if the new owner's fingerprint is this: 64 hexadecimal digits, or 8 words.",
        ),
    ] = None,
) -> None:
    """Let a key custodian read a key domain that you own."""
    session = session_of(ctx)
    guarded = session.open_to_change()
    store = guarded.key_file
    identity = session.identity(store)
    output.note("Adding domain owner.")
    name = session.asked(domain, "Domain name", "DOMAIN")
    owner = session.asked(custodian, "New owner email", "CUSTODIAN")
    check_new_owner(guarded, owner, expect_fingerprint)
    guarded.check_wrapping(name, owner)
    session.write(guarded, store.add_owner(name, owner, identity), f"added owner {owner} to {name}")


def check_new_owner(guarded: GuardedKeyFile, owner: str, fingerprint: str | None) -> None:
    """Check the new owner's fingerprint, as `GuardedKeyFile.check_new_owner`.

    Raises UsageError for a text that is not a fingerprint.
    """
    try:
        guarded.check_new_owner(owner, fingerprint)
    except StoreError as error:
        if fingerprint is None or isinstance(error, PPKeyError):
            raise
        raise UsageError(f"--expect-fingerprint: {error.message}", hint=error.hint) from None


def rm_owner(
    ctx: typer.Context,
    domain: Domain = None,
    custodian: Custodian = None,
    no_rotate: Annotated[
        bool,
        typer.Option("--no-rotate", help="Only remove the grant, and keep the key. Not in a signed key domain."),
    ] = False,
) -> None:
    """Remove an owner from a key domain.

    With an owner's credentials the domain's key is rotated in the same step, which ends the access. A signed domain
    asks for them. In another they come from options or the environment; without them the removed owner can still read
    the domain until it is rotated.
    """
    session = session_of(ctx)
    guarded = session.open_to_change()
    store = guarded.key_file
    output.note("Removing domain owner.")
    name = session.asked(domain, "Domain name", "DOMAIN")
    owner = session.asked(custodian, "Owner email", "CUSTODIAN")
    identity = None if no_rotate else _rotator(session, store, name, owner)
    if identity is not None:
        guarded.check_wrapping(name, removing=owner)
    done = f"removed owner {owner} from {name}"
    if session.write(guarded, store.rm_owner(name, owner, identity), done, removing=owner):
        could_read(store, name, owner, rotated=identity is not None)


def _rotator(session: Session, store: KeyFile, domain: str, owner: str) -> Identity | None:
    """Return the identity that rotates the key: asked for if the owner leaves by a rotation only."""
    if not leaves_by_rotation(store.document, store.document.domain(domain), owner):
        return session.given_identity(store)
    # Refuse an owner who cannot be removed before asking for credentials.
    check_removable(store.document, domain, owner)
    return session.identity(store)


def migrate_owner(ctx: typer.Context, custodian: Custodian = None) -> None:
    """Make a key custodian an owner of all key domains that you own."""
    session = session_of(ctx)
    guarded = session.open_to_change()
    store = guarded.key_file
    identity = session.identity(store)
    owner = session.asked(custodian, "New owner email", "CUSTODIAN")
    owned = store.get_custodian_domains(identity.name)
    guarded.check_new_owner(owner)
    for name in owned:
        guarded.check_wrapping(name, owner)
    changed = store.migrate_owner(owner, identity)
    output.note(f"Will add {owner} as owner to: {', '.join(owned)}")
    if session.prompts.agreed("Proceed?"):
        session.write(guarded, changed, f"added owner {owner} to {', '.join(owned)}")
    else:
        output.note("aborted: nothing was written")
