"""From a passphrase to a 32-byte key (docs/format.md, section 5)."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass

from pocket_protector.crypto.encoding import LABEL_PREFIX, lp
from pocket_protector.errors import AccessError, FormatError, StoreError

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
    """What one Argon2id derivation costs (RFC 9106): passes, memory in KiB, lanes. FormatError over the caps."""

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


HARD = Argon2Cost(time=4, memory_kib=256 * 1024, lanes=4)
FAST = Argon2Cost(time=3, memory_kib=64 * 1024, lanes=4)

# Pocket Protector's two named pairs of (operations, bytes); ours of the same names take their place.
KDF_SENSITIVE = (4, 268435456)
"""Limits for a passphrase that is costly to guess, which stand for `HARD`."""
KDF_INTERACTIVE = (2, 67108864)
"""Limits for a passphrase that is checked fast, which stand for `FAST`."""


def cost_from_limits(opslimit: int | None, memlimit: int | None) -> Argon2Cost:
    """Operations and bytes, as libsodium counts them, to a cost: the named pairs give our profiles.

    Neither given: `HARD`. One given: the other is `KDF_SENSITIVE`'s. StoreError over the caps.
    """
    pair = (KDF_SENSITIVE[0] if opslimit is None else opslimit, KDF_SENSITIVE[1] if memlimit is None else memlimit)
    named = {KDF_SENSITIVE: HARD, KDF_INTERACTIVE: FAST}.get(pair)
    try:
        return named or Argon2Cost(time=pair[0], memory_kib=pair[1] // 1024, lanes=1)
    except FormatError as error:
        raise StoreError(error.message, hint=error.hint) from None


def stretch(passphrase: str, salt: bytes, cost: Argon2Cost) -> bytes:
    """Argon2id of the passphrase's NFC form in UTF-8; returns 32 bytes."""
    from argon2 import exceptions, low_level

    try:
        return low_level.hash_secret_raw(
            encode_passphrase(unicodedata.normalize("NFC", passphrase)),
            salt,
            time_cost=cost.time,
            memory_cost=cost.memory_kib,
            parallelism=cost.lanes,
            hash_len=KEK_BYTES,
            type=low_level.Type.ID,
        )
    except exceptions.HashingError:
        raise AccessError(
            f"the key derivation failed: it needs {cost.memory_kib} KiB of memory",
            hint="free memory, or use a raw key (--key-type raw) on small machines",
        ) from None


def stretch_raw(passphrase: str, salt: bytes) -> bytes:
    """BLAKE2b keyed with the 32 bytes of a raw key `P<64 hex>P`; returns 32 bytes. AccessError for other text."""
    return hashlib.blake2b(lp(_RAW_LABEL, salt), digest_size=KEK_BYTES, key=parse_raw_key(passphrase)).digest()


def is_raw_key(passphrase: str) -> bool:
    """Whether the text has the form of a raw key, `P<64 lower-case hex digits>P`."""
    return _RAW_KEY.fullmatch(passphrase) is not None


def parse_raw_key(passphrase: str) -> bytes:
    """The 32 bytes of a raw key; AccessError for text of another form."""
    match = _RAW_KEY.fullmatch(passphrase)
    if match is None:
        raise AccessError("a raw key has the form P<64 lower-case hex digits>P")
    return bytes.fromhex(match[1])


def encode_passphrase(passphrase: str) -> bytes:
    """UTF-8; AccessError for what is not text (a variable of the environment may hold any bytes)."""
    try:
        return passphrase.encode()
    except UnicodeEncodeError:
        raise AccessError("the passphrase is not valid UTF-8 text") from None
