"""Changes of key custodians, and of the grants that are wrapped for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pocket_protector.changes.domain_changes import check_removable, last_owner_error, leaves_by_rotation
from pocket_protector.crypto.identity import Identity, WrappedIdentity
from pocket_protector.crypto.kdf import Argon2Cost
from pocket_protector.document import domain as domains
from pocket_protector.document.audit_log import section
from pocket_protector.document.custodian import Custodian, parse_new_passphrase
from pocket_protector.document.document import Document, without
from pocket_protector.errors import StoreError, command


def add_key_custodian(
    document: Document, name: str, passphrase: str, cost: Argon2Cost | None, now: datetime
) -> Document:
    """A custodian with a new identity; `cost` None means that the passphrase is a raw key. StoreError if it exists."""
    if name in document.changeable().custodians:
        hint = f"{command('set-key-custodian-passphrase', name)} changes the passphrase"
        raise StoreError(f"key custodian {name!r} already exists", hint=hint)
    changed = document.with_custodian(Custodian.create(name, passphrase, cost))
    kind = "raw-key" if cost is None else "key"
    return changed.log_entry(section("custodian", name), now, f"created {kind} custodian {name}")


def rm_key_custodian(document: Document, name: str, now: datetime) -> Document:
    """Take the custodian out, and every grant to them. StoreError if some domain has no other owner, or is signed and
    they count as its owner: from there they leave by a rotation first."""
    document.changeable().custodian(name)
    owned = sorted(document.owned_by(name))
    alone = [domain for domain in owned if len(document.domain(domain).owners) == 1]
    if alone:
        raise last_owner_error(name, alone)
    for domain in owned:
        check_removable(document, domain, name)
    signed = [domain for domain in owned if leaves_by_rotation(document, document.domain(domain), name)]
    if signed:
        raise StoreError(
            f"{name!r} owns signed domains, which an owner leaves only by a rotation: {', '.join(signed)}",
            hint=f"another owner runs first: {'; '.join(command('rm-owner', domain, name) for domain in signed)}",
        )
    changed = replace(document, custodians=without(document.custodians, name))
    for domain in owned:
        found = document.domain(domain)
        changed = changed.with_domain(replace(found, owners=without(found.owners, name)))
    text = f"removed key custodian {name} (was owner of {', '.join(owned)})"
    return changed.log_entry(section("custodian", name), now, text)


def rewrap_identity(
    document: Document, identity: Identity, passphrase: str, cost: Argon2Cost | None, now: datetime
) -> Document:
    """A new passphrase for the same keys: no grant changes. A legacy custodian's keys come from the passphrase
    itself, so there it makes new keys, as `rekey_custodian` does."""
    custodian = document.changeable().custodian(identity.name)
    if not isinstance(custodian, Custodian):
        return rekey_custodian(document, identity, passphrase, cost, now)
    wrapped = WrappedIdentity.wrap(identity, parse_new_passphrase(passphrase), cost)
    changed = document.with_custodian(replace(custodian, wrapped=wrapped))
    text = f"updated key custodian passphrase for {identity.name}"
    return changed.log_entry(section("custodian", identity.name), now, text)


def rekey_custodian(
    document: Document, identity: Identity, passphrase: str, cost: Argon2Cost | None, now: datetime
) -> Document:
    """New keys for the custodian, and each of their grants wrapped for them. The old keys vouch for the new ones, if
    they can sign."""
    old = document.changeable().custodian(identity.name)
    if isinstance(old, Custodian):
        custodian = old.rekeyed(identity, passphrase, cost, document.file_id, now)
    else:
        custodian = Custodian.create(identity.name, passphrase, cost)
    changed = document.with_custodian(custodian)
    owned = sorted(document.owned_by(identity.name))
    for name in owned:
        domain = document.domain(name)
        private = domains.open_key(domain, identity)
        granted = domain.owners[identity.name].granted
        grant = domains.wrap_for(name, domain.key, private, custodian.name, custodian.public_key, granted)
        # The grant names the custodian, not the keys of a day: who gave it stays.
        grant = replace(grant, signed=domain.owners[identity.name].signed)
        changed = changed.with_domain(replace(domain, owners={**domain.owners, custodian.name: grant}))
    text = f"rekeyed custodian {identity.name} (updated domains -> {', '.join(owned)})"
    return changed.log_entry(section("custodian", identity.name), now, text)
