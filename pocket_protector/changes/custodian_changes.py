"""Changes of key custodians, and of the grants to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pocket_protector.changes.domain_changes import check_removable, last_owner_error, leaves_by_rotation
from pocket_protector.changes.signing import require_signing
from pocket_protector.crypto.identity import Identity
from pocket_protector.crypto.key_slots import KeySlot
from pocket_protector.document import domain as domains
from pocket_protector.document.audit_log import section
from pocket_protector.document.custodian import Custodian
from pocket_protector.document.document import Document, without
from pocket_protector.errors import StoreError, command


def add_key_custodian(document: Document, name: str, slot: KeySlot, now: datetime) -> Document:
    """Add a custodian with a new identity, wrapped by `slot`. Raises StoreError if the custodian exists."""
    if name in document.changeable().custodians:
        hint = f"{command('set-key-custodian-passphrase', name)} changes the passphrase"
        raise StoreError(f"key custodian {name!r} already exists", hint=hint)
    changed = document.with_custodian(Custodian.create(name, slot))
    return changed.log_entry(section("custodian", name), now, f"created {slot.KIND_NAME} custodian {name}")


def rm_key_custodian(document: Document, name: str, now: datetime) -> Document:
    """Remove the custodian, and every grant to them.

    Raises StoreError if some domain has no other owner, or is signed and the custodian counts as its owner: a rotation
    must remove them from there first.
    """
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


def rewrap_custodian(document: Document, identity: Identity, slot: KeySlot, now: datetime) -> Document:
    """Wrap the same keys in `slot`, in place of the old wrapping: no grant changes.

    A legacy custodian's keys come from the passphrase itself, so such a custodian gets new keys, as from
    `rekey_custodian`.
    """
    custodian = document.changeable().custodian(identity.name)
    if not isinstance(custodian, Custodian):
        return rekey_custodian(document, identity, slot, now)
    wrapped = slot.wrap(require_signing(identity))
    changed = document.with_custodian(replace(custodian, wrapped=wrapped))
    text = f"updated key custodian passphrase for {identity.name}"
    return changed.log_entry(section("custodian", identity.name), now, text)


def rekey_custodian(document: Document, identity: Identity, slot: KeySlot, now: datetime) -> Document:
    """Give the custodian new keys, wrapped by `slot`, and wrap each of their grants for these.

    The old keys, those of `identity`, sign the change unless they cannot sign.
    """
    old = document.changeable().custodian(identity.name)
    if isinstance(old, Custodian):
        custodian = old.rekeyed(require_signing(identity), slot, document.file_id, now)
    else:
        custodian = Custodian.create(identity.name, slot)
    changed = document.with_custodian(custodian)
    owned = sorted(document.owned_by(identity.name))
    for name in owned:
        domain = document.domain(name)
        private = domains.open_key(domain, identity)
        granted = domain.owners[identity.name].granted
        grant = domains.wrap_for(name, domain.key, private, custodian.name, custodian.public_key, granted)
        # The change of keys proves the same custodian behind the new keys, so the grant's signature stays valid.
        grant = replace(grant, signed=domain.owners[identity.name].signed)
        changed = changed.with_domain(replace(domain, owners={**domain.owners, custodian.name: grant}))
    text = f"rekeyed custodian {identity.name} (updated domains -> {', '.join(owned)})"
    return changed.log_entry(section("custodian", identity.name), now, text)
