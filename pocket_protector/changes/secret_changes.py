"""Changes of secrets. None needs credentials, but to lower a sensitivity; with an identity that can sign, it vouches
for the entry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from pocket_protector.changes.signing import check_authority, check_can_sign, sign_secret
from pocket_protector.crypto.identity import Identity
from pocket_protector.document.audit_log import section
from pocket_protector.document.document import Document, without
from pocket_protector.document.domain import Domain, Secret, seal_value
from pocket_protector.document.exported import ExportedEntry
from pocket_protector.document.names import parse_secret_name
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.document.times import format_time, later_time
from pocket_protector.errors import AccessError, NameFormatError, StoreError, command
from pocket_protector.trust.authority import owners_of

Content = str | Reference
"""What is set: a value, which is sealed, or a pointer to one."""


def add_secret(
    document: Document,
    domain: str,
    name: str,
    value: Content,
    now: datetime,
    identity: Identity | None = None,
    sensitivity: Sensitivity | None = None,
) -> Document:
    """StoreError if the secret exists."""
    if name in document.changeable().domain(domain).secrets:
        hint = f"{command('update-secret', domain, name)} changes it"
        raise StoreError(f"secret {name!r} already exists in {domain!r}", hint=hint)
    return _set(document, domain, name, value, now, identity, sensitivity, f"added secret {name} in {domain}")


def update_secret(
    document: Document,
    domain: str,
    name: str,
    value: Content,
    now: datetime,
    identity: Identity | None = None,
    sensitivity: Sensitivity | None = None,
) -> Document:
    """PPKeyError if the secret does not exist. Its sensitivity stays if none is given."""
    document.changeable().secret(domain, name)
    return _set(document, domain, name, value, now, identity, sensitivity, f"updated secret {name} in {domain}")


def set_secret(
    document: Document,
    domain: str,
    name: str,
    value: Content,
    now: datetime,
    identity: Identity | None = None,
    sensitivity: Sensitivity | None = None,
) -> Document:
    """Add or update, whichever it takes."""
    change = update_secret if name in document.changeable().domain(domain).secrets else add_secret
    return change(document, domain, name, value, now, identity, sensitivity)


def set_sensitivity(
    document: Document,
    domain: str,
    name: str,
    sensitivity: Sensitivity,
    now: datetime,
    identity: Identity | None = None,
) -> Document:
    """The entry as it is, to be handled otherwise. AccessError without an owner's identity if that is less carefully,
    or if the entry is signed: the signature covers it. StoreError if nothing changes."""
    old, found = document.changeable().secret(domain, name), document.domain(domain)
    if old.sensitivity is sensitivity:
        raise StoreError(f"the sensitivity of {name!r} in {domain!r} is {sensitivity.word} already")
    if identity is None and old.signed is not None:
        raise AccessError(f"{name!r} in {domain!r} is signed, and its signature covers the sensitivity", hint=_OWNER)
    if old.signed is not None or sensitivity < old.sensitivity:
        _check_lowering(document, found, name, identity)
    secret = replace(old, sensitivity=sensitivity, signed=None)
    return _placed(document, found, name, secret, now, identity, "")


def import_reference(document: Document, domain: str, name: str, value: str, now: datetime) -> Document:
    """The value that a reference leads to now, sealed in its place; nobody vouches for it. StoreError for an entry that
    is no reference."""
    old, found = document.changeable().secret(domain, name), document.domain(domain)
    if not isinstance(old.value, Reference):
        raise StoreError(
            f"{name!r} in {domain!r} is no reference", hint=command("list-domain-secrets", domain, "--long")
        )
    updated = later_time(format_time(now), old.updated)
    secret = Secret(seal_value(found, name, value), updated, sensitivity=old.sensitivity)
    text = f"imported secret {name} in {domain} from {old.value.scheme}"
    return _placed(document, found, name, secret, now, None, text)


def import_entries(
    document: Document, domain: str, entries: Iterable[ExportedEntry], sender: str, now: datetime, overwrite: bool
) -> Document:
    """Entries of a package of the sender's, in the domain; nobody vouches for them. Those that exist stay as they are,
    or are changed if that is to `overwrite`; their sensitivity is never lowered."""
    found = document.changeable().domain(domain)
    secrets = dict(found.secrets)
    for entry in entries:
        old = secrets.get(entry.name)
        if old is not None and not overwrite:
            continue
        content = entry.content
        held = content if isinstance(content, Reference) else seal_value(found, entry.name, content.decode())
        sensitivity = max(entry.sensitivity, old.sensitivity) if old else entry.sensitivity
        updated = later_time(format_time(now), old.updated if old else "")
        secrets[entry.name] = Secret(held, updated, sensitivity=sensitivity)
        text = f"imported secret {entry.name} in {domain} from a package of {sender}, of {sensitivity.word} sensitivity"
        document = document.log_entry(section("secret", domain, entry.name), now, text)
    # At once: a domain looks at all of its secrets when it is made.
    return document.with_domain(replace(found, secrets=secrets))


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
    _check_owner(document, found, identity)
    for name in names:
        secret = sign_secret(document, found, name, document.secret(domain, name), identity)
        found = replace(found, secrets={**found.secrets, name: secret})
        document = document.with_domain(found)
        text = f"{identity.name} reviewed secret {name} in {domain}"
        document = document.log_entry(section("secret", domain, name), now, text)
    return document


_OWNER = "give an owner's credentials: -u NAME --passphrase-file PATH"


def _set(
    document: Document,
    domain: str,
    name: str,
    value: Content,
    now: datetime,
    identity: Identity | None,
    sensitivity: Sensitivity | None,
    text: str,
) -> Document:
    found = document.domain(domain)
    try:
        parse_secret_name(name)
    except NameFormatError as error:
        if name in found.secrets:
            error.hint = rename_hint(domain, name)
        raise
    old = found.secrets.get(name)
    before = old.sensitivity if old else Sensitivity.MEDIUM
    chosen = before if sensitivity is None else sensitivity
    if old is not None and chosen < before:
        _check_lowering(document, found, name, identity)
    held = value if isinstance(value, Reference) else seal_value(found, name, value)
    updated = later_time(format_time(now), old.updated if old else "")
    if isinstance(value, Reference):
        text += f" as a reference to {value.scheme}"
    return _placed(document, found, name, Secret(held, updated, sensitivity=chosen), now, identity, text)


def _placed(
    document: Document, domain: Domain, name: str, secret: Secret, now: datetime, identity: Identity | None, text: str
) -> Document:
    """The document with the entry, signed if there is an identity, and what was done in the log."""
    if identity is not None:
        secret = sign_secret(document, domain, name, secret, identity)
    old = domain.secrets.get(name)
    changed = document.with_domain(replace(domain, secrets={**domain.secrets, name: secret}))
    where = section("secret", domain.name, name)
    before = old.sensitivity if old else secret.sensitivity
    if text:
        usual = old is not None or secret.sensitivity is Sensitivity.MEDIUM
        changed = changed.log_entry(where, now, text if usual else f"{text}, of {secret.sensitivity.word} sensitivity")
    if secret.sensitivity is before:
        return changed
    verb = "raised" if secret.sensitivity > before else "lowered"
    who = f"{identity.name} " if identity else ""
    level = (
        f"{who}{verb} the sensitivity of secret {name} in {domain.name} from {before.word} to {secret.sensitivity.word}"
    )
    return changed.log_entry(where, now, level)


def _check_lowering(document: Document, domain: Domain, name: str, identity: Identity | None) -> None:
    """AccessError unless an owner does it, who can sign."""
    if identity is None:
        raise AccessError(f"to lower the sensitivity of {name!r} takes an owner of {domain.name!r}", hint=_OWNER)
    _check_owner(document, domain, identity)


def _check_owner(document: Document, domain: Domain, identity: Identity) -> None:
    """AccessError unless the identity is that of an owner who counts and can sign."""
    domain.check_owner(identity.name)
    check_can_sign(identity)
    check_authority(domain, owners_of(document, domain), identity)
