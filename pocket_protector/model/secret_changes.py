"""Changes of secrets. None needs credentials; with an identity that can sign, it vouches for the value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from pocket_protector.crypto.identity import Identity
from pocket_protector.errors import NameFormatError, StoreError, command
from pocket_protector.model.audit import section
from pocket_protector.model.document import Document, without
from pocket_protector.model.domain import seal_value
from pocket_protector.model.names import parse_secret_name
from pocket_protector.model.signing import check_authority, check_can_sign, sign_secret
from pocket_protector.model.standing import owners_of
from pocket_protector.model.times import format_time, later_time


def add_secret(
    document: Document, domain: str, name: str, value: str, now: datetime, identity: Identity | None = None
) -> Document:
    """StoreError if the secret exists."""
    if name in document.changeable().domain(domain).secrets:
        hint = f"{command('update-secret', domain, name)} changes it"
        raise StoreError(f"secret {name!r} already exists in {domain!r}", hint=hint)
    return _set(document, domain, name, value, now, identity, f"added secret {name} in {domain}")


def update_secret(
    document: Document, domain: str, name: str, value: str, now: datetime, identity: Identity | None = None
) -> Document:
    """PPKeyError if the secret does not exist."""
    document.changeable().secret(domain, name)
    return _set(document, domain, name, value, now, identity, f"updated secret {name} in {domain}")


def set_secret(
    document: Document, domain: str, name: str, value: str, now: datetime, identity: Identity | None = None
) -> Document:
    """Add or update, whichever it takes."""
    change = update_secret if name in document.changeable().domain(domain).secrets else add_secret
    return change(document, domain, name, value, now, identity)


def rm_secret(document: Document, domain: str, name: str, now: datetime) -> Document:
    """PPKeyError if the secret does not exist."""
    document.changeable().secret(domain, name)
    found = document.domain(domain)
    changed = document.with_domain(replace(found, secrets=without(found.secrets, name)))
    return changed.log_entry(section("secret", domain, name), now, f"removed secret {name} from {domain}")


def rename_hint(domain: str, name: str) -> str:
    """What to do about a name that only Pocket Protector allowed."""
    set_it, remove_it = command("set-secret", domain), command("rm-secret", domain, name)
    return f"set it under another name ({set_it} NAME), then: {remove_it}"


def sign_secrets(document: Document, domain: str, names: Iterable[str], identity: Identity, now: datetime) -> Document:
    """The identity vouches for these values as they are: an owner has looked at them. PPKeyError for an unknown one;
    AccessError for one who does not count as an owner, or whose keys cannot sign."""
    found = document.changeable().domain(domain)
    found.check_owner(identity.name)
    check_can_sign(identity)
    check_authority(found, owners_of(document, found), identity)
    for name in names:
        secret = sign_secret(document, found, name, document.secret(domain, name), identity)
        found = replace(found, secrets={**found.secrets, name: secret})
        document = document.with_domain(found)
        text = f"{identity.name} reviewed secret {name} in {domain}"
        document = document.log_entry(section("secret", domain, name), now, text)
    return document


def _set(
    document: Document, domain: str, name: str, value: str, now: datetime, identity: Identity | None, text: str
) -> Document:
    found = document.domain(domain)
    try:
        parse_secret_name(name)
    except NameFormatError as error:
        if name in found.secrets:
            error.hint = rename_hint(domain, name)
        raise
    old = found.secrets.get(name)
    secret = seal_value(found, name, value, later_time(format_time(now), old.updated if old else ""))
    if identity is not None:
        secret = sign_secret(document, found, name, secret, identity)
    changed = document.with_domain(replace(found, secrets={**found.secrets, name: secret}))
    return changed.log_entry(section("secret", domain, name), now, text)
