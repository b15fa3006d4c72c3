"""Signed statements about objects (docs/format.md, section 3.5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pocket_protector.crypto.encoding import lp
from pocket_protector.crypto.identity import SigningIdentity
from pocket_protector.crypto.keys import is_signed, statement

EPOCH = b"epoch"
GRANT = b"grant"
ENTRY = b"entry"
CHANGE = b"change"


@dataclass(frozen=True, slots=True)
class Keys:
    """A custodian's two public keys: X25519 (32 bytes) and Ed25519 (32 bytes, or none for a legacy custodian)."""

    public_key: bytes
    verify_key: bytes


@dataclass(frozen=True, slots=True)
class Signer:
    """A signer: the custodian's name, and the verify key (32 bytes) that made the signature."""

    name: str
    verify_key: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature (64 bytes) of a statement that ends with its signer. It is unverified: `matches` verifies it."""

    by: Signer
    signature: bytes

    def matches(self, kind: bytes, fields: tuple[bytes, ...]) -> bool:
        """Return whether the signer signed the statement of this kind with these fields."""
        return is_signed(self.by.verify_key, self.signature, self.statement(kind, fields))

    def statement(self, kind: bytes, fields: tuple[bytes, ...]) -> bytes:
        """Return the bytes to sign: the fields, then the signer's name and verify key."""
        return statement(kind, *fields, self.by.name.encode(), self.by.verify_key)


def sign(identity: SigningIdentity, kind: bytes, fields: tuple[bytes, ...]) -> Signed:
    """Sign a statement of this kind, with these fields, as the identity."""
    by = Signer(identity.name, identity.verify_key)
    return Signed(by, identity.signing.sign(kind, *fields, by.name.encode(), by.verify_key))


def entry_fields(
    file_id: bytes, domain: str, public_key: bytes, name: str, said: tuple[bytes, ...]
) -> tuple[bytes, ...]:
    """Return the fields of a signed entry: those of `Secret.said`, in this place, under this key of the domain."""
    return file_id, domain.encode(), public_key, name.encode(), *said


def grant_fields(
    file_id: bytes, domain: str, public_key: bytes, custodian: str, keys: Keys, granted: str
) -> tuple[bytes, ...]:
    """Return the fields of a grant: the custodian with these keys may open the domain while it has this key."""
    return (
        file_id,
        domain.encode(),
        public_key,
        custodian.encode(),
        keys.public_key,
        keys.verify_key,
        granted.encode(),
    )


def change_fields(file_id: bytes, custodian: str, old: Keys, new: Keys, time: str) -> tuple[bytes, ...]:
    """Return the fields of a change of keys, which the custodian signs with the old key and with the new one."""
    return (
        file_id,
        custodian.encode(),
        old.public_key,
        old.verify_key,
        new.public_key,
        new.verify_key,
        time.encode(),
    )


def encode_list(items: Iterable[bytes]) -> bytes:
    """Encode a list as one field: the number of items (u64 big-endian), then LP of the sorted items."""
    ordered = sorted(items)
    return encode_number(len(ordered)) + lp(*ordered)


def encode_number(number: int) -> bytes:
    """Encode a number as u64 big-endian."""
    return number.to_bytes(8, "big")
