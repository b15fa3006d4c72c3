"""Commands about who owns key domains."""

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
from pocket_protector.errors import IntegrityError, StoreError
from pocket_protector.keyfile.key_file import KeyFile


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
    store = session.read_to_change()
    identity = session.identity(store)
    output.note("Adding domain owner.")
    name = session.asked(domain, "Domain name", "DOMAIN")
    owner = session.asked(custodian, "New owner email", "CUSTODIAN")
    check_new_owner(session, store, owner, expect_fingerprint)
    session.guard(store, name, owner)
    session.write(store, store.add_owner(name, owner, identity), f"added owner {owner} to {name}")


def check_new_owner(session: Session, store: KeyFile, owner: str, expected: str | None) -> None:
    """IntegrityError if the fingerprint is not the expected one. Without, a custodian who was not seen before is shown
    with theirs; in a signed file also one who owned nothing: that they were there proves nothing."""
    from pocket_protector.trust.fingerprints import is_fingerprint, to_words

    found = store.get_fingerprint(owner)
    if expected is not None:
        try:
            matches = is_fingerprint(expected, found)
        except StoreError as error:
            raise UsageError(f"--expect-fingerprint: {error.message}", hint=error.hint) from None
        if not matches:
            raise IntegrityError(
                f"the fingerprint of {owner!r} is another: {to_words(found)}",
                hint="ask them by another way; somebody may have put other keys in the place of theirs",
            )
        return
    state = session.watch(store).trusted()
    seen = state is not None and owner in state.document.custodians
    signed = any(map(store.is_signed, store.get_domain_names()))
    if state is None or not seen or (signed and not state.document.owned_by(owner)):
        was = "had no access" if seen else "was not seen"
        output.note(f"note: {owner} {was} before; ask them by another way whether this is their fingerprint:")
        output.note(f"  {to_words(found)}")


def rm_owner(
    ctx: typer.Context,
    domain: Domain = None,
    custodian: Custodian = None,
    no_rotate: Annotated[
        bool,
        typer.Option("--no-rotate", help="Only take the grant out, and keep the key. Not in a signed key domain."),
    ] = False,
) -> None:
    """Remove an owner from a key domain.

    With an owner's credentials the domain's key is rotated in the same step, which ends the access. A signed domain
    asks for them. In another they come from options or the environment; without them the removed owner can still read
    the domain until it is rotated.
    """
    session = session_of(ctx)
    store = session.read_to_change()
    output.note("Removing domain owner.")
    name = session.asked(domain, "Domain name", "DOMAIN")
    owner = session.asked(custodian, "Owner email", "CUSTODIAN")
    identity = None
    if not no_rotate:
        identity = _rotator(session, store, name, owner)
    if identity is not None:
        session.guard(store, name, removing=owner)
    if session.write(store, store.rm_owner(name, owner, identity), f"removed owner {owner} from {name}"):
        could_read(store, name, owner, rotated=identity is not None)


def _rotator(session: Session, store: KeyFile, domain: str, owner: str) -> Identity | None:
    """Who rotates the key: asked for where the owner leaves by a rotation only."""
    if not leaves_by_rotation(store.document, store.document.domain(domain), owner):
        return session.given_identity(store)
    # What would be refused anyway is refused before anything is asked.
    check_removable(store.document, domain, owner)
    return session.identity(store)


def migrate_owner(ctx: typer.Context, custodian: Custodian = None) -> None:
    """Make a key custodian an owner of all key domains that you own."""
    session = session_of(ctx)
    store = session.read_to_change()
    identity = session.identity(store)
    owner = session.asked(custodian, "New owner email", "CUSTODIAN")
    owned = store.get_custodian_domains(identity.name)
    check_new_owner(session, store, owner, None)
    for name in owned:
        session.guard(store, name, owner)
    changed = store.migrate_owner(owner, identity)
    output.note(f"Will add {owner} as owner to: {', '.join(owned)}")
    if session.prompts.agreed("Proceed?"):
        session.write(store, changed, f"added owner {owner} to {', '.join(owned)}")
    else:
        output.note("aborted: nothing was written")
