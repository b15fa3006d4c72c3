"""What a step adds to the memory."""

from __future__ import annotations

from collections.abc import Iterator

from pocket_protector.document.document import Document
from pocket_protector.document.domain import Domain
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.document.statements import Signer
from pocket_protector.trust.judge.state import Memory, ancestry, differing
from pocket_protector.trust.judge.step import Step
from pocket_protector.trust.memory_hashes import grant_hash, level_hash, listed_hash, owner_hash, secret_hash


def remembered(step: Step) -> Memory:
    """The memory after the step: with what it takes out of the document."""
    memory, old, new = step.before.memory, step.before.document, step.after.document
    custodians, keys = dict(memory.custodians), dict(memory.keys)
    epochs, elsewhere = dict(memory.epochs), dict(memory.elsewhere)
    missed, truncated = memory.missed, memory.truncated
    if step.log is not None:
        missed, truncated = step.log.missed, step.log.truncated
    for name, custodian in old.custodians.items():
        if name not in new.custodians:
            custodians[name] = frozenset({custodian.keys})
    for name, domain in old.domains.items():
        if name not in new.domains or new.domains[name].key != domain.key:
            keys[name] = keys.get(name, frozenset()) | {domain.key}
        if name not in new.domains and not step.is_noted("domain", name):
            owners = {owner: old.custodians[owner] for owner in domain.owners if owner in old.custodians}
            elsewhere[name] = Document(old.format, old.file_id, {name: domain}, owners)
    for name, domain in new.domains.items():
        before = old.domains.get(name)
        if domain.epoch is not None and (before is None or before.epoch != domain.epoch or before.key != domain.key):
            epochs[name] = epochs.get(name, frozenset()) | ancestry(new, name)
        elsewhere.pop(name, None)
    for name in [name for name in elsewhere if name not in old.domains and step.is_noted("domain", name)]:
        del elsewhere[name]
    found, back = _gone(step), _listed(step)
    gone = memory.gone | found if found else memory.gone
    gone = gone - back if back else gone
    return Memory(gone, epochs, custodians, keys, missed, truncated, elsewhere)


def _gone(step: Step) -> set[bytes]:
    """The hashes of what a step takes out of its domains: values; grants under a key that stays, so that they cannot
    come back; and who was an owner under a key that does not, or is one no longer. What the log does not tell of was
    not taken out: it is another branch's."""
    gone: set[bytes] = set()
    for name, old in step.before.document.domains.items():
        new = step.after.document.domains.get(name)
        if new is None or new is old:
            continue
        gone.update(_values(step, old, new))
        gone.update(_owners(step, old, new))
    return gone


def _values(step: Step, old: Domain, new: Domain) -> Iterator[bytes]:
    for key in differing(old.secrets, new.secrets):
        was, now = old.secrets.get(key), new.secrets.get(key)
        if was is None:
            continue
        if now is not None and now.version == was.version:
            if now.sensitivity > was.sensitivity and step.is_noted("secret", old.name, key):
                yield level_hash(old.name, key, was)
            continue
        if new.key != old.key or step.is_noted("secret", old.name, key):
            yield secret_hash(old.name, key, was)
            if was.sensitivity > Sensitivity.MEDIUM:
                yield level_hash(old.name, key, was)


def _owners(step: Step, old: Domain, new: Domain) -> Iterator[bytes]:
    if new.key == old.key and new.owners == old.owners:
        return
    for owner, grant in old.owners.items():
        kept = new.owners.get(owner)
        if new.key != old.key or kept is None:
            keys = step.before.authorities[old.name].owners.keys.get(owner, ())
            yield from (owner_hash(old.name, old.public_key, Signer(owner, key)) for key in keys)
        if new.key != old.key or (kept is not None and kept.signed == grant.signed):
            continue
        unlisted = owner not in step.after.document.custodians and step.is_noted("custodian", owner)
        noted = unlisted or step.is_noted("owner", old.name, owner)
        if grant.signed is None and not noted:
            yield listed_hash(old.name, owner, grant)
        # A grant in the place of another: each may be one branch's.
        elif grant.signed is not None and noted and (kept is None or not step.is_behind):
            yield grant_hash(grant.signed)


def _listed(step: Step) -> set[bytes]:
    """The hashes of grants that nobody signed, and that are there again, or were taken out after all."""
    after = step.after.document.domains
    back = {
        listed_hash(name, owner, grant)
        for name, old in step.before.document.domains.items()
        for owner, grant in old.owners.items()
        if grant.signed is None and (name not in after or owner not in after[name].owners)
        if step.is_noted("owner", name, owner)
    }
    return back | {
        listed_hash(name, owner, grant)
        for name, new in after.items()
        if new.epoch is None
        for owner, grant in new.owners.items()
        if grant.signed is None
    }
