"""What a judgement starts from: the document that is trusted, and what was seen besides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TypeVar

from pocket_protector.document.document import Document
from pocket_protector.document.domain import Domain
from pocket_protector.document.statements import Keys
from pocket_protector.trust.authority import EntryStatus, Owners, ancestors, entry_status, owners_of
from pocket_protector.trust.key_history import KeyHistory
from pocket_protector.trust.memory_hashes import grant_hash, secret_hash

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Memory:
    """What was seen and need not be in the document any more.

    `gone` has hashes (32 bytes) of grants, values and owners that are no longer there; `epochs` the hashes of every
    epoch that a domain has had, the present one's too; `custodians` the last keys of those who are gone (on
    several branches perhaps several), and `keys` the public keys (33 bytes) that each domain had before.

    The rest is for who goes from branch to branch. `missed` has hashes of entries of the log that were seen, and that
    the document does not have without a truncation; `truncated` of those that one took out; `elsewhere` the domains
    that it does not have since it is another branch's, each alone in a document with the custodians of then.
    """

    gone: frozenset[bytes] = frozenset()
    epochs: Mapping[str, frozenset[bytes]] = field(default_factory=dict)
    custodians: Mapping[str, frozenset[Keys]] = field(default_factory=dict)
    keys: Mapping[str, frozenset[bytes]] = field(default_factory=dict)
    missed: frozenset[bytes] = frozenset()
    truncated: frozenset[bytes] = frozenset()
    elsewhere: Mapping[str, Document] = field(default_factory=dict)

    def joined(self, other: Memory) -> Memory:
        return Memory(
            self.gone | other.gone,
            _union(self.epochs, other.epochs),
            _union(self.custodians, other.custodians),
            _union(self.keys, other.keys),
            self.missed | other.missed,
            self.truncated | other.truncated,
            {**self.elsewhere, **other.elsewhere},
        )


@dataclass(frozen=True, slots=True)
class DomainAuthority:
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
    authorities: Mapping[str, DomainAuthority]

    @classmethod
    def of(cls, document: Document, memory: Memory | None = None) -> State:
        proofs = KeyHistory(document)
        authorities = {name: authority_of(document, name, proofs) for name in document.domains}
        return cls(document, memory or first_memory(document), authorities)

    def last_seen(self, name: str) -> Domain | None:
        """The domain as it was last, on whichever branch."""
        document = self.document if name in self.document.domains else self.memory.elsewhere.get(name)
        return document.domains[name] if document else None

    def accepted(self) -> State:
        """The state of somebody who says that the document is as it should be, and what it does not have was given
        up: nothing in it was taken out any more."""
        memory = self.memory
        there = {
            identifier
            for name, domain in self.document.domains.items()
            for identifier in (
                *(secret_hash(name, key, secret) for key, secret in domain.secrets.items()),
                *(grant_hash(grant.signed) for grant in domain.owners.values() if grant.signed),
            )
        }
        known = memory.missed | memory.truncated
        return replace(self, memory=replace(memory, gone=memory.gone - there, missed=frozenset(), truncated=known))


def first_memory(document: Document) -> Memory:
    """What a document says of the past by itself."""
    return Memory(epochs={name: ancestry(document, name) for name, d in document.domains.items() if d.epoch})


def joined(states: Iterable[State]) -> State:
    """One state of several that end with the same document: that of a merge, from each of its parents."""

    def join(one: State, other: State) -> State:
        assert one.document is other.document
        return State(one.document, one.memory.joined(other.memory), one.authorities)

    return reduce(join, states)


def recalled(state: State, document: Document) -> State:
    """The state with those domains of the document that were on another branch, as they were there."""
    elsewhere = state.memory.elsewhere
    back = {name: elsewhere[name] for name in document.domains if name in elsewhere}
    if not back:
        return state
    domains = {**state.document.domains, **{name: there.domains[name] for name, there in back.items()}}
    authorities = {**state.authorities, **{name: authority_of(there, name) for name, there in back.items()}}
    return State(replace(state.document, domains=domains), state.memory, authorities)


def ancestry(document: Document, name: str) -> frozenset[bytes]:
    """The hash of the domain's epoch, and of all that it follows as far as they are kept: each is named by a statement
    that was signed later."""
    domain = document.domains[name]
    assert domain.epoch is not None
    identifier = domain.epoch.hash(document.file_id, name, domain.public_key)
    earlier = dict(ancestors(document, domain))
    named = (past.epoch.previous for past in earlier.values())
    return frozenset({identifier, *domain.epoch.previous, *earlier}.union(*named))


def authority_of(
    document: Document, name: str, proofs: KeyHistory | None = None, before: State | None = None
) -> DomainAuthority:
    """The domain's standing; what is as it was in `before` is not verified again."""
    domain = document.domains[name]
    old = before.document.domains.get(name) if before else None
    if before is None or old is None or not _same_owners(before.document, document, old, domain):
        owners = owners_of(document, domain, proofs)
        entries = {key: entry_status(document, domain, owners, key, proofs) for key in domain.secrets}
        return DomainAuthority(owners, entries)
    known = before.authorities[name]
    changed = differing(old.secrets, domain.secrets)
    if not changed:
        return known
    entries = dict(known.entries)
    for key in changed:
        entries.pop(key, None)
        if key in domain.secrets:
            entries[key] = entry_status(document, domain, known.owners, key, proofs)
    return DomainAuthority(known.owners, entries)


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
