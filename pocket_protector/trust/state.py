"""What a judgement starts from: the document that is trusted, and what was seen besides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import TypeVar

from pocket_protector.model.document import Document
from pocket_protector.model.domain import Domain
from pocket_protector.model.standing import EntryStatus, Owners, ancestors, entry_status, owners_of
from pocket_protector.model.statements import Keys, Signer
from pocket_protector.trust.hashes import grant_hash, owner_hash, secret_hash

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Memory:
    """What was seen and need not be in the document any more.

    `gone` has hashes (32 bytes) of grants, values and owners that are no longer there; `epochs` the hashes of every
    epoch that a domain has had, the present one's too; `custodians` the last keys of those who are gone (on
    several branches perhaps several), and
    `keys` the public keys (33 bytes) that each domain had before.
    """

    gone: frozenset[bytes] = frozenset()
    epochs: Mapping[str, frozenset[bytes]] = field(default_factory=dict)
    custodians: Mapping[str, frozenset[Keys]] = field(default_factory=dict)
    keys: Mapping[str, frozenset[bytes]] = field(default_factory=dict)

    def joined(self, other: Memory) -> Memory:
        return Memory(
            self.gone | other.gone,
            _union(self.epochs, other.epochs),
            _union(self.custodians, other.custodians),
            _union(self.keys, other.keys),
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """What the statements of one domain amount to."""

    owners: Owners
    entries: Mapping[str, EntryStatus]

    @property
    def reviewed(self) -> int:
        return sum(status is EntryStatus.REVIEWED for status in self.entries.values())

    @property
    def unreviewed(self) -> list[str]:
        return sorted(name for name, status in self.entries.items() if status is not EntryStatus.REVIEWED)


@dataclass(frozen=True, slots=True)
class State:
    """The trusted document, with the standing of its domains, and the memory."""

    document: Document
    memory: Memory
    standings: Mapping[str, Standing]

    @classmethod
    def of(cls, document: Document, memory: Memory | None = None) -> State:
        standings = {name: standing_of(document, name) for name in document.domains}
        return cls(document, memory or first_memory(document), standings)


def first_memory(document: Document) -> Memory:
    """What a document says of the past by itself."""
    return Memory(epochs={name: ancestry(document, name) for name, d in document.domains.items() if d.epoch})


def joined(states: Iterable[State]) -> State:
    """One state of several that end with the same document: that of a merge, from each of its parents."""
    return reduce(lambda one, other: State(one.document, one.memory.joined(other.memory), one.standings), states)


def ancestry(document: Document, name: str) -> frozenset[bytes]:
    """The hash of the domain's epoch, and of all that it follows as far as they are kept: each is named by a statement
    that was signed later."""
    domain = document.domains[name]
    assert domain.epoch is not None
    identifier = domain.epoch.hash(document.file_id, name, domain.public_key)
    earlier = dict(ancestors(document, domain))
    named = (past.epoch.previous for past in earlier.values())
    return frozenset({identifier, *domain.epoch.previous, *earlier}.union(*named))


def standing_of(document: Document, name: str, before: State | None = None) -> Standing:
    """The domain's standing; what is as it was in `before` is not verified again."""
    domain = document.domains[name]
    old = before.document.domains.get(name) if before else None
    if before is None or old is None or not _same_owners(before.document, document, old, domain):
        owners = owners_of(document, domain)
        entries = {key: entry_status(document, domain, owners, key, s) for key, s in domain.secrets.items()}
        return Standing(owners, entries)
    known = before.standings[name]
    changed = differing(old.secrets, domain.secrets)
    if not changed:
        return known
    entries = dict(known.entries)
    for key in changed:
        entries.pop(key, None)
        if key in domain.secrets:
            entries[key] = entry_status(document, domain, known.owners, key, domain.secrets[key])
    return Standing(known.owners, entries)


def differing(old: Mapping[str, T], new: Mapping[str, T]) -> list[str]:
    """The names of what is not the same in both, sorted."""
    changed = [name for name, thing in new.items() if old.get(name) is not thing and old.get(name) != thing]
    return sorted([*changed, *(old.keys() - new.keys())])


def _same_owners(before: Document, after: Document, old: Domain, new: Domain) -> bool:
    return (
        before.file_id == after.file_id
        and (old.key, old.epoch) == (new.key, new.epoch)
        and old.owners == new.owners
        and old.past == new.past
        and before.custodians == after.custodians
    )


def _union(one: Mapping[str, frozenset[T]], other: Mapping[str, frozenset[T]]) -> Mapping[str, frozenset[T]]:
    return {name: one.get(name, frozenset()) | other.get(name, frozenset()) for name in one.keys() | other.keys()}


def forgotten(state: State, document: Document) -> frozenset[bytes]:
    """The hashes of what a step takes out of its domains: values; grants under a key that stays, so that they cannot
    come back; and who was an owner under a key that does not, or is one no longer."""
    gone: set[bytes] = set()
    for name, old in state.document.domains.items():
        new = document.domains.get(name)
        if new is None or new is old:
            continue
        for key in differing(old.secrets, new.secrets):
            was, now = old.secrets.get(key), new.secrets.get(key)
            if was is not None and (now is None or now.value != was.value):
                gone.add(secret_hash(name, key, was))
        if new.key == old.key and new.owners == old.owners:
            continue
        for owner, grant in old.owners.items():
            kept = new.owners.get(owner)
            if new.key != old.key or kept is None:
                keys = state.standings[name].owners.keys.get(owner, ())
                gone.update(owner_hash(name, old.public_key, Signer(owner, key)) for key in keys)
            if new.key == old.key and grant.signed is not None and (kept is None or kept.signed != grant.signed):
                gone.add(grant_hash(grant.signed))
    return state.memory.gone | gone if gone else state.memory.gone
