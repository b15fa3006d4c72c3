"""What a step adds to the memory."""

from __future__ import annotations

from pocket_protector.model.statements import Signer
from pocket_protector.trust.hashes import grant_hash, owner_hash, secret_hash
from pocket_protector.trust.state import Memory, Step, ancestry, differing, mark


def remembered(step: Step) -> Memory:
    """The memory after the step: with what it takes out of the document."""
    memory, old, new = step.before.memory, step.before.document, step.after.document
    custodians, keys = dict(memory.custodians), dict(memory.keys)
    epochs, elsewhere = dict(memory.epochs), dict(memory.elsewhere)
    for name, custodian in old.custodians.items():
        if name not in new.custodians:
            custodians[name] = frozenset({custodian.keys})
    for name, domain in old.domains.items():
        if name not in new.domains or new.domains[name].key != domain.key:
            keys[name] = keys.get(name, frozenset()) | {domain.key}
        if name not in new.domains and not step.is_noted("domain", name):
            elsewhere[name] = frozenset({mark(old, domain)})
    for name, domain in new.domains.items():
        before = old.domains.get(name)
        if domain.epoch is not None and (before is None or before.epoch != domain.epoch or before.key != domain.key):
            epochs[name] = epochs.get(name, frozenset()) | ancestry(new, name)
        elsewhere.pop(name, None)
    gone = _gone(step)
    return Memory(memory.gone | gone if gone else memory.gone, epochs, custodians, keys, elsewhere)


def _gone(step: Step) -> set[bytes]:
    """The hashes of what a step takes out of its domains: values; grants under a key that stays, so that they cannot
    come back; and who was an owner under a key that does not, or is one no longer. What the log does not tell of was
    not taken out: it is another branch's."""
    gone: set[bytes] = set()
    for name, old in step.before.document.domains.items():
        new = step.after.document.domains.get(name)
        if new is None or new is old:
            continue
        for key in differing(old.secrets, new.secrets):
            was, now = old.secrets.get(key), new.secrets.get(key)
            changed = was is not None and (now is None or now.value != was.value)
            if was is not None and changed and (new.key != old.key or step.is_noted("secret", name, key)):
                gone.add(secret_hash(name, key, was))
        if new.key == old.key and new.owners == old.owners:
            continue
        for owner, grant in old.owners.items():
            kept = new.owners.get(owner)
            if new.key != old.key or kept is None:
                keys = step.before.standings[name].owners.keys.get(owner, ())
                gone.update(owner_hash(name, old.public_key, Signer(owner, key)) for key in keys)
            replaced = grant.signed is not None and (kept is None or kept.signed != grant.signed)
            unlisted = owner not in step.after.document.custodians and step.is_noted("custodian", owner)
            noted = unlisted or step.is_noted("owner", name, owner)
            if grant.signed and replaced and new.key == old.key and noted:
                gone.add(grant_hash(grant.signed))
    return gone
