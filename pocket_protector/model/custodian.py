"""Key custodians: who can unlock, and how their private half is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pocket_protector.crypto.identity import Identity, WrappedIdentity
from pocket_protector.crypto.kdf import Argon2Cost
from pocket_protector.crypto.keys import verify_statement
from pocket_protector.crypto.legacy import PasswordDerivedKey
from pocket_protector.errors import AccessError, StoreError
from pocket_protector.model.names import parse_custodian_name

_STATEMENT = b"custodian"


@dataclass(frozen=True, slots=True)
class Custodian:
    """A custodian of format 1: both public keys (32 bytes each), the wrapped private half, and the signature
    (64 bytes) of the name and both keys by the custodian's own verify key."""

    name: str
    public_key: bytes
    verify_key: bytes
    wrapped: WrappedIdentity
    signature: bytes

    def __post_init__(self) -> None:
        verify_statement(
            self.verify_key, self.signature, _STATEMENT, self.name.encode(), self.public_key, self.verify_key
        )

    @classmethod
    def create(cls, name: str, passphrase: str, cost: Argon2Cost | None) -> Self:
        """A custodian with a new identity under `passphrase`; `cost` None means that it is a raw key."""
        identity = Identity.generate(parse_custodian_name(name))
        assert identity.signing is not None
        fields = (identity.name.encode(), identity.public_key, identity.signing.public)
        return cls(
            name=identity.name,
            public_key=identity.public_key,
            verify_key=identity.signing.public,
            wrapped=WrappedIdentity.wrap(identity, parse_new_passphrase(passphrase), cost),
            signature=identity.signing.sign(_STATEMENT, *fields),
        )

    def unlock(self, passphrase: str) -> Identity:
        """One key derivation; AccessError for a wrong passphrase."""
        return self.wrapped.unwrap(self.name, self.public_key, self.verify_key, passphrase)


@dataclass(frozen=True, slots=True)
class LegacyCustodian:
    """A custodian whose keys Pocket Protector derived from the passphrase itself; it cannot sign."""

    name: str
    derived: PasswordDerivedKey

    @property
    def public_key(self) -> bytes:
        return self.derived.public_key

    def unlock(self, passphrase: str) -> Identity:
        """One key derivation; AccessError for a wrong passphrase."""
        return self.derived.unlock(self.name, passphrase)


AnyCustodian = Custodian | LegacyCustodian


def parse_new_passphrase(passphrase: str) -> str:
    if not passphrase:
        raise StoreError("the new passphrase is empty", hint="give one, or use --key-type raw for a generated key")
    return passphrase


def check_identity(custodian: AnyCustodian, identity: Identity) -> None:
    """AccessError unless `identity` is of the custodian's present keys."""
    verify_key = custodian.verify_key if isinstance(custodian, Custodian) else None
    if (identity.public_key, identity.verify_key) != (custodian.public_key, verify_key):
        raise AccessError(
            f"the identity of {identity.name!r} is of other keys than the file's", hint="unlock the custodian again"
        )
