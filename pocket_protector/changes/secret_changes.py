"""Changes of secrets.

No change needs credentials, except to lower a sensitivity. An identity that can sign signs the entry.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from pocket_protector.changes.signing import check_authority, require_signing, sign_secret
from pocket_protector.crypto.identity import Identity
from pocket_protector.document.audit_log import section
from pocket_protector.document.document import Document, without
from pocket_protector.document.domain import Domain, Secret, seal_value
from pocket_protector.document.exported import ExportedEntry
from pocket_protector.document.names import parse_secret_name
from pocket_protector.document.new_secret import NewSecret, SetMode
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.document.times import format_time, later_time
from pocket_protector.errors import AccessError, NameFormatError, StoreError, command
from pocket_protector.trust.authority import owners_of

_WORDS = {SetMode.ADD: "added", SetMode.UPDATE: "updated"}


def set_secret(
    document: Document, mode: SetMode, new: NewSecret, now: datetime, identity: Identity | None = None
) -> Document:
    """Seal a value, or store a reference, in its place. An identity that can sign signs the entry.

    Raises StoreError if `mode` adds and the secret exists, PPKeyError if it updates and the secret does not exist,
    NameFormatError for a malformed name of a new secret, and AccessError if the sensitivity is lowered without an
    owner's identity.
    """
    secrets = document.changeable().domain(new.domain).secrets
    if mode is SetMode.ADD_OR_UPDATE:
        mode = SetMode.UPDATE if new.name in secrets else SetMode.ADD
    elif mode is SetMode.UPDATE:
        document.secret(new.domain, new.name)
    elif new.name in secrets:
        raise StoreError(
            f"secret {new.name!r} already exists in {new.domain!r}",
            hint=f"{command('update-secret', new.domain, new.name)} changes it",
        )
    text = f"{_WORDS[mode]} secret {new.name} in {new.domain}"
    if isinstance(new.content, Reference):
        text += f" as a reference to {new.content.scheme}"
    secret = _sealed(document, new, now, identity)
    return _placed(document, document.domain(new.domain), new.name, secret, _Note(now, identity, text))


def set_sensitivity(
    document: Document,
    domain: str,
    name: str,
    sensitivity: Sensitivity,
    now: datetime,
    identity: Identity | None = None,
) -> Document:
    """Change an entry's sensitivity; its value stays.

    Raises AccessError if the sensitivity is lowered, or the entry is signed, and no owner's identity is given: the
    signature covers the sensitivity. Raises StoreError if nothing changes.
    """
    old, found = document.changeable().secret(domain, name), document.domain(domain)
    if old.sensitivity is sensitivity:
        raise StoreError(f"the sensitivity of {name!r} in {domain!r} is {sensitivity.word} already")
    if identity is None and old.signed is not None:
        raise AccessError(f"{name!r} in {domain!r} is signed, and its signature covers the sensitivity", hint=_OWNER)
    if old.signed is not None or sensitivity < old.sensitivity:
        _check_lowering(document, found, name, identity)
    secret = replace(old, sensitivity=sensitivity, signed=None)
    return _placed(document, found, name, secret, _Note(now, identity, ""))


def import_reference(document: Document, domain: str, name: str, value: str, now: datetime) -> Document:
    """Seal `value`, the resolved value of the reference, in the reference's place. Nobody signs it.

    Raises StoreError if the entry is not a reference.
    """
    old, found = document.changeable().secret(domain, name), document.domain(domain)
    if not isinstance(old.value, Reference):
        raise StoreError(
            f"{name!r} in {domain!r} is no reference", hint=command("list-domain-secrets", domain, "--long")
        )
    updated = later_time(format_time(now), old.updated)
    secret = Secret(seal_value(found, name, value), updated, sensitivity=old.sensitivity)
    text = f"imported secret {name} in {domain} from {old.value.scheme}"
    return _placed(document, found, name, secret, _Note(now, None, text))


def import_entries(
    document: Document, domain: str, entries: Iterable[ExportedEntry], sender: str, now: datetime, overwrite: bool
) -> Document:
    """Add the entries of a package from `sender` to the domain. Nobody signs them.

    Without `overwrite` an existing entry stays as it is. The sensitivity of an existing entry is never lowered.
    """
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
    # All at once, because making a domain checks all of its secrets.
    return document.with_domain(replace(found, secrets=secrets))


def rm_secret(document: Document, domain: str, name: str, now: datetime) -> Document:
    """Remove a secret. Raises PPKeyError if it does not exist."""
    document.changeable().secret(domain, name)
    found = document.domain(domain)
    changed = document.with_domain(replace(found, secrets=without(found.secrets, name)))
    return changed.log_entry(section("secret", domain, name), now, f"removed secret {name} from {domain}")


def rename_hint(domain: str, name: str) -> str:
    """Return the hint for a name that Pocket Protector allowed and format 1 forbids."""
    set_it, remove_it = command("set-secret", domain), command("rm-secret", domain, name)
    return f"set it under another name ({set_it} NAME), then: {remove_it}"


def sign_secrets(document: Document, domain: str, names: Iterable[str], identity: Identity, now: datetime) -> Document:
    """Sign these values as they are, after an owner has reviewed them.

    Raises PPKeyError for an unknown name, and AccessError if the identity does not count as an owner or cannot sign.
    """
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


@dataclass(frozen=True, slots=True)
class _Note:
    """The time of a change, its author, and its text for the log ("" if only the sensitivity changes)."""

    time: datetime
    identity: Identity | None
    text: str


def _sealed(document: Document, new: NewSecret, now: datetime, identity: Identity | None) -> Secret:
    found = document.domain(new.domain)
    try:
        parse_secret_name(new.name)
    except NameFormatError as error:
        if new.name in found.secrets:
            error.hint = rename_hint(new.domain, new.name)
        raise
    old = found.secrets.get(new.name)
    before = old.sensitivity if old else Sensitivity.MEDIUM
    chosen = before if new.sensitivity is None else new.sensitivity
    if old is not None and chosen < before:
        _check_lowering(document, found, new.name, identity)
    held = new.content if isinstance(new.content, Reference) else seal_value(found, new.name, new.content)
    return Secret(held, later_time(format_time(now), old.updated if old else ""), sensitivity=chosen)


def _placed(document: Document, domain: Domain, name: str, secret: Secret, note: _Note) -> Document:
    """Return the document with the entry, signed if there is an identity, and with the change in the log."""
    identity = note.identity
    if identity is not None:
        secret = sign_secret(document, domain, name, secret, identity)
    old = domain.secrets.get(name)
    changed = document.with_domain(replace(domain, secrets={**domain.secrets, name: secret}))
    where = section("secret", domain.name, name)
    before = old.sensitivity if old else secret.sensitivity
    if note.text:
        usual = old is not None or secret.sensitivity is Sensitivity.MEDIUM
        text = note.text if usual else f"{note.text}, of {secret.sensitivity.word} sensitivity"
        changed = changed.log_entry(where, note.time, text)
    if secret.sensitivity is before:
        return changed
    verb = "raised" if secret.sensitivity > before else "lowered"
    signer = f"{identity.name} " if identity else ""
    levels = f"from {before.word} to {secret.sensitivity.word}"
    return changed.log_entry(
        where, note.time, f"{signer}{verb} the sensitivity of secret {name} in {domain.name} {levels}"
    )


def _check_lowering(document: Document, domain: Domain, name: str, identity: Identity | None) -> None:
    """Check that the identity can lower the sensitivity.

    Raises AccessError unless the identity belongs to an owner who counts and can sign.
    """
    if identity is None:
        raise AccessError(f"to lower the sensitivity of {name!r} takes an owner of {domain.name!r}", hint=_OWNER)
    _check_owner(document, domain, identity)


def _check_owner(document: Document, domain: Domain, identity: Identity) -> None:
    """Check that the identity belongs to an owner who counts and can sign.

    Raises AccessError if it does not.
    """
    domain.check_owner(identity.name)
    require_signing(identity)
    check_authority(domain, owners_of(document, domain), identity)
