"""Add the facts of a step to the memory."""

from __future__ import annotations

from collections.abc import Iterator

from pocket_protector.document.domain import Domain
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.trust.judge.state import Memory, changed_names, facts_of
from pocket_protector.trust.judge.step import Step
from pocket_protector.trust.memory_hashes import grant_hash, key_hash, level_hash, secret_hash


def remembered(step: Step) -> Memory:
    """Return the memory after the step."""
    document, authorities = step.after.document, step.after.authorities
    facts = facts_of(document, authorities, step.proofs, step.before, with_entries=not step.follows)
    gone = set[bytes]()
    for name, old in step.before.document.domains.items():
        new = document.domains.get(name)
        if new is not None and new is not old:
            gone.update(_taken_out(old, new) if step.follows else _superseded(step.before.memory, old, new))
    return step.before.memory.joined(facts).joined(Memory(gone=frozenset(gone)))


def _taken_out(old: Domain, new: Domain) -> Iterator[bytes]:
    """Yield the hashes of the objects a step of a history takes out of a domain.

    These are entries, lower sensitivities, and signed grants under an unchanged key.
    """
    for key in changed_names(old.secrets, new.secrets):
        was, now = old.secrets.get(key), new.secrets.get(key)
        if was is None:
            continue
        if now is not None and now.version == was.version:
            if now.sensitivity > was.sensitivity:
                yield level_hash(old.name, key, was)
            continue
        yield secret_hash(old.name, key, was)
        if was.sensitivity > Sensitivity.MEDIUM:
            yield level_hash(old.name, key, was)
    if new.key == old.key:
        for owner, grant in old.owners.items():
            kept = new.owners.get(owner)
            if grant.signed is not None and (kept is None or kept.signed != grant.signed):
                yield grant_hash(grant.signed)


def _superseded(memory: Memory, old: Domain, new: Domain) -> Iterator[bytes]:
    """Yield the hashes of the objects replaced by others new to the pin.

    These are entries, lower sensitivities, and the key of an unsigned domain. An object replaced by a known one may be
    the newer of the two.
    """
    for key in changed_names(old.secrets, new.secrets):
        was, now = old.secrets.get(key), new.secrets.get(key)
        if was is None or now is None:
            continue
        if now.version != was.version and secret_hash(new.name, key, now) not in memory.seen:
            yield secret_hash(old.name, key, was)
        higher = now.version == was.version and now.sensitivity > was.sensitivity
        if higher and level_hash(new.name, key, now) not in memory.seen:
            yield level_hash(old.name, key, was)
    if new.key != old.key and new.epoch is None and new.key not in memory.keys.get(new.name, frozenset()):
        yield key_hash(old)
