"""Epochs: what a domain's key and policy are, said and signed by an owner, each on top of the one before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
    """One statement about a domain. `previous` has the hashes (32 bytes each, sorted) of the epochs that it follows:
    none for a domain's first, two or more where an owner joined rotations of two branches. `number` is one more than
    the largest of theirs."""

    number: int
    previous: tuple[bytes, ...]
    policy: Policy
    made: str
    signed: Signed

    def hash(self, file_id: bytes, domain: str, public_key: bytes) -> bytes:
        """BLAKE2b-256 of the statement."""
        return digest(self.signed.statement(EPOCH, self._fields(file_id, domain, public_key)))

    def matches(self, file_id: bytes, domain: str, public_key: bytes) -> bool:
        """Whether the maker signed exactly this, for that domain and public key (32 bytes)."""
        return self.signed.matches(EPOCH, self._fields(file_id, domain, public_key))

    def _fields(self, file_id: bytes, domain: str, public_key: bytes) -> tuple[bytes, ...]:
        return _epoch_fields(file_id, domain, public_key, self.number, self.previous, self.policy, self.made)


MAX_PAST_EPOCHS = 1000
"""How many earlier epochs a domain keeps: whoever judges the file verifies each."""


def make_epoch(
    identity: SigningIdentity,
    file_id: bytes,
    domain: str,
    public_key: bytes,
    follows: Mapping[bytes, int],
    policy: Policy,
    made: str,
) -> Epoch:
    """An epoch that `identity` signs; `follows` has the previous ones' hashes, each with its number."""
    number = 1 + max(follows.values(), default=0)
    previous = tuple(sorted(follows))
    fields = _epoch_fields(file_id, domain, public_key, number, previous, policy, made)
    return Epoch(number, previous, policy, made, sign(identity, EPOCH, fields))


def _epoch_fields(
    file_id: bytes, domain: str, public_key: bytes, number: int, previous: tuple[bytes, ...], policy: Policy, made: str
) -> tuple[bytes, ...]:
    return (
        file_id,
        domain.encode(),
        encode_number(number),
        public_key,
        encode_list(previous),
        policy.encode(),
        made.encode(),
    )


@dataclass(frozen=True, slots=True)
class PastGrant:
    """An owner's grant under an earlier epoch: what proves that the owner counted. `keys` are the owner's as they were
    when the epoch ended; `changes` lead to them from the keys that the grant names, or from earlier ones."""

    keys: Keys
    changes: tuple[KeyChange, ...]
    granted: str
    signed: Signed

    def chain(self, file_id: bytes, custodian: str) -> tuple[Keys, ...]:
        """The owner's keys, oldest first, as far back as the changes prove that they are one owner's."""
        return (*proven_changes(self.changes, file_id, custodian, self.keys), self.keys)

    def named(self, file_id: bytes, domain: str, public_key: bytes, custodian: str) -> tuple[Keys, ...]:
        """The keys that the grant names and those that they changed to; none if its signature matches for none."""
        chain = self.chain(file_id, custodian)
        for at in reversed(range(len(chain))):
            if self.signed.matches(
                GRANT, grant_fields(file_id, domain, public_key, custodian, chain[at], self.granted)
            ):
                return chain[at:]
        return ()


@dataclass(frozen=True, slots=True)
class PastEpoch:
    """An earlier epoch of a domain with its public key (32 bytes), and the grants by which its maker vouched, in one
    step or more, for the maker of a following one."""

    public_key: bytes
    epoch: Epoch
    grants: Mapping[str, PastGrant]
