"""Hold the starting point of a judgement: the trusted document, and the facts about earlier versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TypeVar

from pocket_protector.document.document import Document
from pocket_protector.document.domain import Domain
from pocket_protector.document.statements import Keys, Signer
from pocket_protector.trust.authority import EntryStatus, Owners, ancestors, entry_status, owners_of
from pocket_protector.trust.key_history import KeyHistory
from pocket_protector.trust.memory_hashes import grant_hash, level_hash, listed_hash, owner_hash, secret_hash

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Memory:
    """Remember facts about the judged versions (docs/format.md, section 12.3). Each set only grows.

    `custodians` has every pair of keys each name had. `epochs` has the hashes (32 bytes) of each domain's epochs and of
    their previous epochs. `keys` has each domain's public keys (33 bytes). `owners` has hashes of the owners known to
    have counted, each under a key. `seen` has hashes of entries and of their sensitivities, in a pin only.

    `gone` has hashes of objects that may not come back unnoticed. In a history these are each entry and each signed
    grant taken out by a step. A pin does not know the order of the versions. There it is each entry replaced by one new
    to the pin.
    """

    custodians: Mapping[str, frozenset[Keys]] = field(default_factory=dict)
    epochs: Mapping[str, frozenset[bytes]] = field(default_factory=dict)
    keys: Mapping[str, frozenset[bytes]] = field(default_factory=dict)
    owners: frozenset[bytes] = frozenset()
    seen: frozenset[bytes] = frozenset()
    gone: frozenset[bytes] = frozenset()

    def joined(self, other: Memory) -> Memory:
        return Memory(
            _union(self.custodians, other.custodians),
            _union(self.epochs, other.epochs),
            _union(self.keys, other.keys),
            _joined(self.owners, other.owners),
            _joined(self.seen, other.seen),
            _joined(self.gone, other.gone),
        )

    def counted(self, domain: str, public_key: bytes, signer: Signer) -> bool:
        """Return whether the signer is known to have counted while the domain had this public key (32 bytes)."""
        return owner_hash(domain, public_key, signer) in self.owners

    def was_owner(self, domain: str, public_key: bytes, signer: Signer) -> bool:
        """Return whether the signer counted, or is among the gone owners of a pin of version 1.

        A gone owner does not have a right to anything.
        """
        return self.counted(domain, public_key, signer) or owner_hash(domain, public_key, signer) in self.gone


@dataclass(frozen=True, slots=True)
class DomainAuthority:
    """Record the judgement of one domain's statements."""

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
    """Hold the trusted document, the judgement of its domains' statements, and the memory."""

    document: Document
    memory: Memory
    authorities: Mapping[str, DomainAuthority]

    @classmethod
    def trusting(cls, document: Document, memory: Memory | None = None) -> State:
        """Return the state of a reader who trusts the document, and knows its facts and those of `memory`."""
        proofs = KeyHistory(document)
        authorities = {name: authority_of(document, name, proofs) for name in document.domains}
        facts = facts_of(document, authorities, proofs)
        return cls(document, memory.joined(facts) if memory else facts, authorities)

    def knows_domain(self, name: str) -> bool:
        """Return whether the domain is in the trusted document, or was signed when it was last judged."""
        return name in self.document.domains or name in self.memory.epochs

    def accepting_document(self) -> State:
        """Return the state of a user who accepts the document as it is.

        Drop the facts it contradicts: the user gave up newer keys, epochs and entries.
        """
        memory, document = self.memory, self.document
        facts = facts_of(document, self.authorities, KeyHistory(document))
        epochs = {name: known for name, known in memory.epochs.items() if name not in document.domains}
        return replace(
            self,
            memory=replace(
                memory.joined(facts),
                custodians={**memory.custodians, **facts.custodians},
                epochs={**epochs, **facts.epochs},
                gone=memory.gone - facts.seen - _grants(document),
            ),
        )


def facts_of(
    document: Document,
    authorities: Mapping[str, DomainAuthority],
    proofs: KeyHistory,
    before: State | None = None,
    *,
    with_entries: bool = True,
) -> Memory:
    """Return the facts a document adds to those of the state `before`.

    `with_entries` adds the facts about entries, for a pin.
    """
    old = before.document if before else Document(document.format, document.file_id)
    custodians = {
        name: frozenset(proofs.chain(name))
        for name in changed_names(old.custodians, document.custodians)
        if name in document.custodians
    }
    epochs, keys = dict[str, frozenset[bytes]](), dict[str, frozenset[bytes]]()
    owners, seen = set[bytes](), set[bytes]()
    for name, domain in document.domains.items():
        was = old.domains.get(name)
        if was is domain and old.custodians is document.custodians:
            continue
        if was is None or (was.key, was.epoch) != (domain.key, domain.epoch):
            keys[name] = frozenset({domain.key})
            if domain.epoch is not None:
                epochs[name] = epoch_hashes(document, name)
        if was is None or before is None or before.authorities[name].owners is not authorities[name].owners:
            owners |= _owner_facts(domain, authorities[name].owners)
        if with_entries:
            seen |= _entry_facts(domain, changed_names(was.secrets if was else {}, domain.secrets))
    return Memory(custodians, epochs, keys, frozenset(owners), frozenset(seen))


def _owner_facts(domain: Domain, owners: Owners) -> set[bytes]:
    facts = {
        owner_hash(domain.name, domain.public_key, Signer(name, key))
        for name, keys in owners.keys.items()
        for key in keys
    }
    if domain.epoch is None:
        facts |= {listed_hash(domain, name) for name in domain.owners}
    return facts


def _entry_facts(domain: Domain, names: Iterable[str]) -> set[bytes]:
    secrets = [(name, domain.secrets[name]) for name in names if name in domain.secrets]
    versions = {secret_hash(domain.name, name, secret) for name, secret in secrets}
    return versions | {level_hash(domain.name, name, secret) for name, secret in secrets}


def _grants(document: Document) -> set[bytes]:
    grants = (grant for domain in document.domains.values() for grant in domain.owners.values())
    return {grant_hash(grant.signed) for grant in grants if grant.signed}


def joined_states(states: Iterable[State]) -> State:
    """Join several states with the same document into one: the state of a merge, from each of its parents."""

    def join(one: State, other: State) -> State:
        assert one.document is other.document
        return State(one.document, one.memory.joined(other.memory), one.authorities)

    return reduce(join, states)


def epoch_hashes(document: Document, name: str) -> frozenset[bytes]:
    """Return the hashes of the domain's epoch and of all epochs before it, as far as the domain keeps them.

    A later signed statement names each of them.
    """
    domain = document.domains[name]
    assert domain.epoch is not None
    identifier = domain.epoch.hash(document.file_id, name, domain.public_key)
    earlier = dict(ancestors(document, domain))
    named = (past.epoch.previous for past in earlier.values())
    return frozenset({identifier, *domain.epoch.previous, *earlier}.union(*named))


def authority_of(
    document: Document, name: str, proofs: KeyHistory | None = None, before: State | None = None
) -> DomainAuthority:
    """Judge the domain's statements. Do not verify again the parts unchanged since `before`."""
    domain = document.domains[name]
    old = before.document.domains.get(name) if before else None
    if before is None or old is None or not _same_owners(before.document, document, old, domain):
        owners = owners_of(document, domain, proofs)
        entries = {key: entry_status(document, domain, owners, key, proofs) for key in domain.secrets}
        return DomainAuthority(owners, entries)
    known = before.authorities[name]
    changed = changed_names(old.secrets, domain.secrets)
    if not changed:
        return known
    entries = dict(known.entries)
    for key in changed:
        entries.pop(key, None)
        if key in domain.secrets:
            entries[key] = entry_status(document, domain, known.owners, key, proofs)
    return DomainAuthority(known.owners, entries)


def changed_names(old: Mapping[str, T], new: Mapping[str, T]) -> list[str]:
    """Return the sorted names of the objects that differ between the two mappings."""
    if old is new:
        return []
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


def _joined(one: frozenset[T], other: frozenset[T]) -> frozenset[T]:
    return one if other <= one else one | other


def _union(one: Mapping[str, frozenset[T]], other: Mapping[str, frozenset[T]]) -> Mapping[str, frozenset[T]]:
    return {**one, **{name: _joined(one.get(name, frozenset()), known) for name, known in other.items()}}
