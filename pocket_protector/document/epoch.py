"""Epochs: signed statements of a domain's key and policy, each of which names the ones before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pocket_protector.crypto.identity import SigningIdentity
from pocket_protector.crypto.keys import digest
from pocket_protector.document.custodian import KeyChange, proven_changes
from pocket_protector.document.policy import Policy
from pocket_protector.document.statements import (
    EPOCH,
    GRANT,
    Keys,
    Signed,
    encode_list,
    encode_number,
    grant_fields,
    sign,
)


@dataclass(frozen=True, slots=True)
class Epoch:
    """A signed statement of a domain's key and policy (docs/format.md, section 4.6).

    `previous` has the hashes (32 bytes each, sorted) of the epochs that it follows: none for a domain's first, two or
    more where an owner joined rotations of two branches. `number` is one more than the largest of theirs.
    """

    number: int
    previous: tuple[bytes, ...]
    policy: Policy
    made: str
    signed: Signed

    def hash(self, file_id: bytes, domain: str, public_key: bytes) -> bytes:
        """Return BLAKE2b-256 of the statement (32 bytes)."""
        return digest(self.signed.statement(EPOCH, self._fields(file_id, domain, public_key)))

    def matches(self, file_id: bytes, domain: str, public_key: bytes) -> bool:
        """Return whether the maker signed exactly this epoch, for this domain and public key (32 bytes)."""
        return self.signed.matches(EPOCH, self._fields(file_id, domain, public_key))

    def _fields(self, file_id: bytes, domain: str, public_key: bytes) -> tuple[bytes, ...]:
        key = DomainKey(file_id, domain, public_key)
        return _epoch_fields(key, self.number, self.previous, self.policy, self.made)


MAX_PAST_EPOCHS = 1000
"""A domain keeps at most so many earlier epochs, since every reader verifies each of them."""


class DomainKey(NamedTuple):
    """A domain's public key (32 bytes) and where it belongs: the file's id (16 bytes) and the domain's name."""

    file_id: bytes
    domain: str
    public_key: bytes


def make_epoch(
    identity: SigningIdentity, key: DomainKey, follows: Mapping[bytes, int], policy: Policy, made: str
) -> Epoch:
    """Make an epoch, signed by `identity`. `follows` maps the hashes of the epochs before it to their numbers."""
    number = 1 + max(follows.values(), default=0)
    previous = tuple(sorted(follows))
    fields = _epoch_fields(key, number, previous, policy, made)
    return Epoch(number, previous, policy, made, sign(identity, EPOCH, fields))


def _epoch_fields(
    key: DomainKey, number: int, previous: tuple[bytes, ...], policy: Policy, made: str
) -> tuple[bytes, ...]:
    return (
        key.file_id,
        key.domain.encode(),
        encode_number(number),
        key.public_key,
        encode_list(previous),
        policy.encode(),
        made.encode(),
    )


@dataclass(frozen=True, slots=True)
class PastGrant:
    """An owner's grant under an earlier epoch, kept as the proof that the owner counted.

    `keys` are the owner's as they were when the epoch ended. `changes` lead to them from the keys that the grant names,
    or from earlier ones.
    """

    keys: Keys
    changes: tuple[KeyChange, ...]
    granted: str
    signed: Signed

    def chain(self, file_id: bytes, custodian: str) -> tuple[Keys, ...]:
        """Return the owner's keys, oldest first, as far back as the changes prove that they are one owner's."""
        return (*proven_changes(self.changes, file_id, custodian, self.keys), self.keys)

    def named(self, file_id: bytes, domain: str, public_key: bytes, custodian: str) -> tuple[Keys, ...]:
        """Return the keys that the grant names and those that followed them; () if its signature matches for none."""
        chain = self.chain(file_id, custodian)
        for at in reversed(range(len(chain))):
            if self.signed.matches(
                GRANT, grant_fields(file_id, domain, public_key, custodian, chain[at], self.granted)
            ):
                return chain[at:]
        return ()


@dataclass(frozen=True, slots=True)
class PastEpoch:
    """An earlier epoch of a domain with its public key (32 bytes).

    `grants` lead from its maker, in one step or more, to the maker of a following epoch.
    """

    public_key: bytes
    epoch: Epoch
    grants: Mapping[str, PastGrant]
