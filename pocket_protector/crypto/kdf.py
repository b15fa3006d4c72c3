"""Derive a 32-byte key from a passphrase or a raw key (docs/format.md, section 5)."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import ClassVar, Self

from pocket_protector.crypto.encoding import LABEL_PREFIX, lp
from pocket_protector.errors import AccessError, FormatError, PassphraseError, StoreError

SALT_BYTES = 16
KEK_BYTES = 32

_MAX_TIME = 16
_MAX_MEMORY_KIB = 1024 * 1024
_MAX_LANES = 16
_MAX_WORK_KIB = 4 * 1024 * 1024

_RAW_KEY = re.compile(r"P([0-9a-f]{64})P")
_RAW_LABEL = LABEL_PREFIX + b"raw-key"


@dataclass(frozen=True, slots=True)
class Argon2Cost:
    """Argon2id (RFC 9106) at this cost: passes, memory in KiB, lanes. Raises FormatError over the caps."""

    KIND: ClassVar[int] = 1
    ENCODED_BYTES: ClassVar[int] = 12

    time: int
    memory_kib: int
    lanes: int

    def __post_init__(self) -> None:
        fits = (
            1 <= self.time <= _MAX_TIME
            and 1 <= self.lanes <= _MAX_LANES
            and 8 * self.lanes <= self.memory_kib <= _MAX_MEMORY_KIB
            and self.time * self.memory_kib <= _MAX_WORK_KIB
        )
        if not fits:
            raise FormatError(
                f"key derivation cost out of bounds: {self.time} passes, {self.memory_kib} KiB, {self.lanes} lanes",
                hint="the caps are 16 passes, 1 GiB, 16 lanes and 4 GiB for passes x memory; no variable lifts them",
            )

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Parse passes, KiB and lanes, u32 big-endian each (12 bytes); FormatError over the caps."""
        return cls(*(int.from_bytes(raw[at : at + 4], "big") for at in (0, 4, 8)))

    def encode(self) -> bytes:
        """Return the inverse of `parse`."""
        return b"".join(number.to_bytes(4, "big") for number in (self.time, self.memory_kib, self.lanes))

    def derive_kek(self, passphrase: str, salt: bytes) -> bytes:
        """Return 32 bytes: Argon2id of the passphrase's NFC form in UTF-8. `salt` has 16 bytes.

        Raises PassphraseError for a passphrase that is not text, and AccessError if there is not enough memory.
        """
        from argon2 import exceptions, low_level

        try:
            return low_level.hash_secret_raw(
                encode_passphrase(unicodedata.normalize("NFC", passphrase)),
                salt,
                time_cost=self.time,
                memory_cost=self.memory_kib,
                parallelism=self.lanes,
                hash_len=KEK_BYTES,
                type=low_level.Type.ID,
            )
        except exceptions.HashingError:
            raise AccessError(
                f"the key derivation failed: it needs {self.memory_kib} KiB of memory",
                hint="free memory, or use a raw key (--key-type raw) on small machines",
            ) from None


@dataclass(frozen=True, slots=True)
class KeyedHash:
    """Keyed BLAKE2b: turns a raw key into a key. A raw key is random, so it needs no stretching and has no cost."""

    KIND: ClassVar[int] = 2
    ENCODED_BYTES: ClassVar[int] = 0

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Return the only one there is: it stores no parameters (0 bytes)."""
        del raw
        return cls()

    def encode(self) -> bytes:
        """Return the inverse of `parse`."""
        return b""

    def derive_kek(self, passphrase: str, salt: bytes) -> bytes:
        """Return 32 bytes: BLAKE2b of the salt (16 bytes), keyed with the bytes of a raw key `P<64 hex>P`.

        Raises PassphraseError for text of another form.
        """
        return hashlib.blake2b(lp(_RAW_LABEL, salt), digest_size=KEK_BYTES, key=parse_raw_key(passphrase)).digest()


Derivation = Argon2Cost | KeyedHash
"""How a key-encryption key comes from the text that a person or a program gives."""

DERIVATIONS: dict[int, type[Argon2Cost] | type[KeyedHash]] = {kind.KIND: kind for kind in (Argon2Cost, KeyedHash)}
"""Kind byte → the derivation that it stands for."""


HARD = Argon2Cost(time=4, memory_kib=256 * 1024, lanes=4)
FAST = Argon2Cost(time=3, memory_kib=64 * 1024, lanes=4)

# Pocket Protector's two named pairs of (passes, bytes). Here they select the profiles above.
KDF_SENSITIVE = (4, 268435456)
"""Limits for a passphrase that is costly to guess, which stand for `HARD`."""
KDF_INTERACTIVE = (2, 67108864)
"""Limits for a passphrase that is checked fast, which stand for `FAST`."""


def cost_from_limits(opslimit: int | None, memlimit: int | None) -> Argon2Cost:
    """Convert libsodium's limits (passes, bytes) to a cost; the two named pairs give our profiles.

    Without either it is `HARD`; without one, that of `KDF_SENSITIVE` is used. Raises StoreError over the caps.
    """
    pair = (KDF_SENSITIVE[0] if opslimit is None else opslimit, KDF_SENSITIVE[1] if memlimit is None else memlimit)
    named = {KDF_SENSITIVE: HARD, KDF_INTERACTIVE: FAST}.get(pair)
    try:
        return named or Argon2Cost(time=pair[0], memory_kib=pair[1] // 1024, lanes=1)
    except FormatError as error:
        raise StoreError(error.message, hint=error.hint) from None


def is_raw_key(passphrase: str) -> bool:
    """Return whether the text has the form of a raw key, `P<64 lower-case hex digits>P`."""
    return _RAW_KEY.fullmatch(passphrase) is not None


def parse_raw_key(text: str) -> bytes:
    """Return the 32 bytes of a raw key; PassphraseError for text of another form."""
    match = _RAW_KEY.fullmatch(text)
    if match is None:
        raise PassphraseError("a raw key has the form P<64 lower-case hex digits>P")
    return bytes.fromhex(match[1])


def encode_passphrase(passphrase: str) -> bytes:
    """Return the passphrase in UTF-8; PassphraseError if it is not text, since a variable may hold any bytes."""
    try:
        return passphrase.encode()
    except UnicodeEncodeError:
        raise PassphraseError("the passphrase is not valid UTF-8 text") from None
