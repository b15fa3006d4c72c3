"""What a judgement starts from: the document that is trusted, and what was seen besides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce

from pocket_protector.crypto.encoding import lp
from pocket_protector.crypto.keys import digest
from pocket_protector.model.custodian import key_chain
from pocket_protector.model.document import Document
from pocket_protector.model.domain import Domain, Grant, Secret
from pocket_protector.model.standing import EntryStatus, Owners, ancestors, entry_status, named_keys, owners_of
from pocket_protector.model.statements import GRANT, Keys, Signer, grant_fields


@dataclass(frozen=True, slots=True)
class Memory:
    """What was seen and need not be in the document any more.

    `gone` has hashes (32 bytes) of grants, values and owners that are no longer there; `epochs` the hashes of every
    epoch that a domain has had, the present one's too; `custodians` the last keys of those who are gone, and
    `keys` the public keys (33 bytes) that each domain had before.
    """

    gone: frozenset[bytes] = frozenset()
    epochs: Mapping[str, frozenset[bytes]] = field(default_factory=dict)
    custodians: Mapping[str, Keys] = field(default_factory=dict)
    keys: Mapping[str, frozenset[bytes]] = field(default_factory=dict)

    def joined(self, other: Memory) -> Memory:
        return Memory(
            self.gone | other.gone,
            _union(self.epochs, other.epochs),
            {**self.custodians, **other.custodians},
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
    earlier = dict(ancestors(document, domain, domain.epoch))
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
    if old.secrets == domain.secrets:
        return known
    entries = {
        key: known.entries[key]
        if old.secrets.get(key) == secret
        else entry_status(document, domain, known.owners, key, secret)
        for key, secret in domain.secrets.items()
    }
    return Standing(known.owners, entries)


def _same_owners(before: Document, after: Document, old: Domain, new: Domain) -> bool:
    return (
        before.file_id == after.file_id
        and (old.key, old.epoch) == (new.key, new.epoch)
        and old.owners == new.owners
        and old.past == new.past
        and before.custodians == after.custodians
    )


def _union(
    one: Mapping[str, frozenset[bytes]], other: Mapping[str, frozenset[bytes]]
) -> Mapping[str, frozenset[bytes]]:
    return {name: one.get(name, frozenset()) | other.get(name, frozenset()) for name in one.keys() | other.keys()}


# The hashes that memory keeps


def secret_hash(domain: str, name: str, secret: Secret) -> bytes:
    """Of a value in its place, whoever signed it."""
    return digest(lp(b"entry", domain.encode(), name.encode(), secret.value, secret.updated.encode()))


def grant_hash(document: Document, domain: Domain, owner: str, grant: Grant, keys: Keys) -> bytes:
    """Of a grant's statement."""
    assert grant.signed is not None
    fields = grant_fields(document.file_id, domain.name, domain.public_key, owner, keys, grant.granted)
    return digest(grant.signed.statement(GRANT, fields))


def owner_hash(domain: str, public_key: bytes, signer: Signer) -> bytes:
    """Of the fact that somebody was an owner of the domain under that key."""
    return digest(lp(b"owner", domain.encode(), public_key, signer.name.encode(), signer.verify_key))


def forgotten(state: State, document: Document) -> frozenset[bytes]:
    """The hashes of what a step takes out of its domains: values; grants and owners under a key that stays, so that
    they cannot come back; and who was an owner under a key that does not."""
    gone: set[bytes] = set()
    for name, old in state.document.domains.items():
        new = document.domains.get(name)
        if new is None or new is old:
            continue
        if new.secrets is not old.secrets and new.secrets != old.secrets:
            gone.update(
                secret_hash(name, key, secret)
                for key, secret in old.secrets.items()
                if new.secrets.get(key) is not secret and _content(new.secrets.get(key)) != _content(secret)
            )
        if new.owners == old.owners and new.key == old.key:
            continue
        chains = {owner: key_chain(c, document.file_id) for owner, c in state.document.custodians.items()}
        for owner, grant in old.owners.items():
            kept = new.key == old.key and owner in new.owners
            if kept and new.owners[owner].signed == grant.signed:
                continue
            named = (
                named_keys(state.document, old, owner, grant, old.public_key, chains.get(owner, ()))
                if grant.signed
                else None
            )
            if named is not None and new.key == old.key:
                gone.add(grant_hash(state.document, old, owner, grant, named))
            gone.update(
                owner_hash(name, old.public_key, Signer(owner, key))
                for key in state.standings[name].owners.keys.get(owner, ())
            )
    return state.memory.gone | gone if gone else state.memory.gone


def _content(secret: Secret | None) -> tuple[bytes, str] | None:
    return None if secret is None else (secret.value, secret.updated)
