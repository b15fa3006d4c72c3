"""Commands for changing secrets. Only --sign and lowering a sensitivity need credentials."""

from __future__ import annotations

from typing import Annotated

import typer

from pocket_protector.changes.signing import require_signing
from pocket_protector.cli import output
from pocket_protector.cli.parameters import (
    Domain,
    DomainOption,
    Name,
    NameOption,
    RequiredDomain,
    RequiredName,
    one_of,
    parse_sensitivity,
)
from pocket_protector.cli.secret_options import SecretOptions, reference_in, value_of
from pocket_protector.cli.session import Session, session_of
from pocket_protector.document.new_secret import NewSecret, SetMode
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import StoreError, command


def add_secret(ctx: typer.Context, options: SecretOptions) -> None:
    """Add a secret to a key domain."""
    output.note("Adding secret value.")
    _change(session_of(ctx), options, SetMode.ADD, "added secret {} to {}")


def update_secret(ctx: typer.Context, options: SecretOptions) -> None:
    """Change the value of a secret."""
    output.note("Updating secret value.")
    _change(session_of(ctx), options, SetMode.UPDATE, "updated secret {} in {}")


def set_secret(ctx: typer.Context, options: SecretOptions) -> None:
    """Add a secret, or change its value if it exists."""
    output.note("Setting secret value.")
    _change(session_of(ctx), options, SetMode.ADD_OR_UPDATE, "set secret {} in {}")


def rm_secret(
    ctx: typer.Context,
    domain: Domain = None,
    name: Name = None,
    domain_option: DomainOption = None,
    name_option: NameOption = None,
) -> None:
    """Remove a secret from a key domain. It stays in git's history."""
    session = session_of(ctx)
    guarded = session.open_to_change()
    output.note("Removing secret.")
    place = _place(session, one_of(domain, domain_option, "DOMAIN"), one_of(name, name_option, "NAME"))
    session.write(guarded, guarded.key_file.rm_secret(*place), f"removed secret {place[1]} from {place[0]}")


def set_sensitivity(
    ctx: typer.Context,
    domain: RequiredDomain,
    name: RequiredName,
    sensitivity: Annotated[str, typer.Argument(metavar="low|medium|high|inject-only", help="The new sensitivity.")],
) -> None:
    """Change the sensitivity of a secret. Its value stays the same.

    Lowering the sensitivity needs an owner's credentials. So does any change to a signed secret, which is signed again.
    """
    session = session_of(ctx)
    guarded = session.open_to_change()
    store = guarded.key_file
    level = parse_sensitivity(sensitivity)
    guarded.check_sealing(domain)
    lowers = store.lowers_sensitivity(domain, name, level)
    if lowers:
        _agree_to_lower(session, domain, name, level)
    signs = lowers or store.is_signed_secret(domain, name)
    identity = session.identity(store) if signs else None
    changed = store.set_sensitivity(domain, name, level, creds=identity)
    if signs and name in store.authority(domain).unreviewed:
        raise StoreError(
            f"no owner has signed {name!r} in {domain!r}; signing the new sensitivity would sign its value too",
            hint=f"review it first: {command('review', domain)}",
        )
    session.write(guarded, changed, f"the sensitivity of secret {name} in {domain} is now {level.word}")


def _change(session: Session, options: SecretOptions, mode: SetMode, done: str) -> None:
    domain = one_of(options.domain, options.domain_option, "DOMAIN")
    name = one_of(options.name, options.name_option, "NAME")
    reference = reference_in(options)
    level = None if options.sensitivity is None else parse_sensitivity(options.sensitivity)
    guarded = session.open_to_change()
    store = guarded.key_file
    place = _place(session, domain, name)
    store.change_secret(
        mode, NewSecret(*place, reference or "")
    )  # refuse a wrong domain or name before asking for the value
    guarded.check_sealing(place[0])
    lowers = level is not None and store.lowers_sensitivity(*place, level)
    if level is not None and lowers:
        _agree_to_lower(session, *place, level)
    identity = session.identity(store) if options.sign or lowers else None
    if identity is not None:
        require_signing(identity)
        if identity.name not in store.authority(place[0]).owners.counting:
            output.note(f"note: {identity.name} does not own {place[0]}: an owner must still review the value")
    if identity is None and store.get_policy(place[0]).require_signed:
        output.note(f"note: {place[0]} requires signed values: nobody can use them until an owner reviews this one")
    elif identity is None and reference and store.get_policy(place[0]).production:
        output.note(f"note: {place[0]} is production: nobody can resolve this reference until an owner reviews it")
    value = reference or value_of(session, options)
    changed = store.change_secret(mode, NewSecret(*place, value, level), identity)
    session.write(guarded, changed, done.format(place[1], place[0]))


def _agree_to_lower(session: Session, domain: str, name: str, level: Sensitivity) -> None:
    """Ask before lowering a sensitivity, at a terminal only: a script agrees by giving an owner's credentials.

    Raises StoreError if the answer is no.
    """
    question = f"Lower the sensitivity of {name} in {domain} to {level.word}?"
    if session.prompts.terminal and not session.prompts.agreed(question):
        raise StoreError("nothing was written: the sensitivity is unchanged")


def _place(session: Session, domain: str | None, name: str | None) -> tuple[str, str]:
    chosen = session.asked(domain, "Domain name", "DOMAIN")
    return chosen, session.asked(name, "Secret name", "NAME")
