"""Key custodians: their keys, their wrapped private half, and the changes of their keys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from pocket_protector.crypto.identity import Identity, SigningIdentity
from pocket_protector.crypto.key_slots import KeySlot, WrappedSeed
from pocket_protector.crypto.keys import is_signed, statement
from pocket_protector.crypto.legacy_keys import PasswordDerivedKey
from pocket_protector.document.names import parse_custodian_name
from pocket_protector.document.statements import CHANGE, Keys, change_fields
from pocket_protector.document.times import format_time
from pocket_protector.errors import AccessError, IntegrityError

CUSTODIAN = b"custodian"

MAX_CHANGES = 64
"""A custodian keeps at most so many changes of keys, since every reader verifies each of them."""


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A custodian's change from `old` keys to new ones (docs/format.md, section 3.8).

    `by_old` and `by_new` are the signatures (64 bytes each) of the old key and of the new one.
    """

    old: Keys
    time: str
    by_old: bytes
    by_new: bytes

    def matches(self, file_id: bytes, name: str, new: Keys) -> bool:
        """Return whether both keys signed this change of the named custodian to `new`."""
        message = statement(CHANGE, *change_fields(file_id, name, self.old, new, self.time))
        return is_signed(self.old.verify_key, self.by_old, message) and is_signed(new.verify_key, self.by_new, message)


@dataclass(frozen=True, slots=True)
class Custodian:
    """A custodian of format 1, with both public keys (32 bytes each) and the wrapped private half.

    `signature` (64 bytes) is the custodian's own, of the name and both keys. `changes` led to these keys, oldest first.
    Raises IntegrityError if the signature does not match.
    """

    name: str
    public_key: bytes
    verify_key: bytes
    wrapped: WrappedSeed
    signature: bytes
    changes: tuple[KeyChange, ...] = ()

    def __post_init__(self) -> None:
        if not is_signed(self.verify_key, self.signature, own_statement(self.name, self.keys)):
            raise IntegrityError("the custodian signature does not match")

    @classmethod
    def create(cls, name: str, slot: KeySlot) -> Self:
        """Make a custodian with a new identity, which `slot` wraps. Raises NameFormatError for the name."""
        return cls._of(Identity.generate(parse_custodian_name(name)), slot)

    @classmethod
    def _of(cls, identity: SigningIdentity, slot: KeySlot) -> Self:
        keys = Keys(identity.public_key, identity.verify_key)
        return cls(
            name=identity.name,
            public_key=keys.public_key,
            verify_key=keys.verify_key,
            wrapped=slot.wrap(identity),
            signature=identity.signing.sign(CUSTODIAN, identity.name.encode(), keys.public_key, keys.verify_key),
        )

    def rekeyed(self, identity: SigningIdentity, slot: KeySlot, file_id: bytes, now: datetime) -> Custodian:
        """Return the custodian with new keys, which `slot` wraps. `identity` has the old keys, and signs the change."""
        fresh = Identity.generate(parse_custodian_name(self.name))
        new = Keys(fresh.public_key, fresh.verify_key)
        fields = change_fields(file_id, self.name, self.keys, new, format_time(now))
        change = KeyChange(
            self.keys, format_time(now), identity.signing.sign(CHANGE, *fields), fresh.signing.sign(CHANGE, *fields)
        )
        return replace(self._of(fresh, slot), changes=(*self.changes, change)[-MAX_CHANGES:])

    @property
    def keys(self) -> Keys:
        """Both public keys."""
        return Keys(self.public_key, self.verify_key)

    def unlock(self, passphrase: str) -> SigningIdentity:
        """Derive the key and unwrap the identity; PassphraseError for a wrong passphrase."""
        return self.wrapped.unwrap(self.name, self.public_key, self.verify_key, passphrase)


@dataclass(frozen=True, slots=True)
class LegacyCustodian:
    """A custodian whose keys Pocket Protector derived from the passphrase itself; it cannot sign."""

    name: str
    derived: PasswordDerivedKey

    @property
    def public_key(self) -> bytes:
        """The X25519 public key (32 bytes)."""
        return self.derived.public_key

    @property
    def keys(self) -> Keys:
        """The public key; the verify key is empty."""
        return Keys(self.public_key, b"")

    def unlock(self, passphrase: str) -> Identity:
        """Derive the private key; PassphraseError for a wrong passphrase."""
        return self.derived.unlock(self.name, passphrase)


AnyCustodian = Custodian | LegacyCustodian


def key_chain(custodian: AnyCustodian, file_id: bytes) -> tuple[Keys, ...]:
    """Return every pair of keys that the custodian has had, as far back as changes prove it, the present pair last."""
    if isinstance(custodian, LegacyCustodian):
        return (custodian.keys,)
    return (*proven_changes(custodian.changes, file_id, custodian.name, custodian.keys), custodian.keys)


def proven_changes(changes: tuple[KeyChange, ...], file_id: bytes, name: str, present: Keys) -> tuple[Keys, ...]:
    """Return the earlier keys that lead to the present ones by correctly signed changes, oldest first."""
    proven: list[Keys] = []
    for change in reversed(changes):
        if not change.matches(file_id, name, present):
            break
        present = change.old
        proven.insert(0, present)
    return tuple(proven)


def own_statement(name: str, keys: Keys) -> bytes:
    """Return the statement of name and both keys, which a custodian signs and a fingerprint hashes."""
    return statement(CUSTODIAN, name.encode(), keys.public_key, keys.verify_key)


def check_identity(custodian: AnyCustodian, identity: Identity) -> None:
    """Check that `identity` has the custodian's present keys; AccessError if not."""
    if Keys(identity.public_key, identity.verify_key or b"") != custodian.keys:
        raise AccessError(
            f"the identity of {identity.name!r} has other keys than the file", hint="unlock the custodian again"
        )
