"""X25519 and Ed25519 keys (docs/format.md, section 3)."""

from __future__ import annotations

import hashlib
import os

from nacl import bindings, exceptions

from pocket_protector.crypto.encoding import LABEL_PREFIX, lp
from pocket_protector.errors import FormatError

KEY_BYTES = 32
KEY_ID_BYTES = 8
SIGNATURE_BYTES = 64
DIGEST_BYTES = 32

_FIELD_PRIME = 2**255 - 19
# The u-coordinates of order 1, 2, 4 and 8 on Curve25519 and its twist, in canonical form (RFC 7748, section 6.1,
# asks to guard against them: a box sealed to one of these could be opened by anyone).
_LOW_ORDER = frozenset(
    {
        0,
        1,
        _FIELD_PRIME - 1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    }
)


class PrivateKey:
    """An X25519 private key (32 bytes), which never shows in a repr. `public` is the public key (32 bytes)."""

    __slots__ = ("public", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.public = bindings.crypto_scalarmult_base(raw)

    @classmethod
    def generate(cls) -> PrivateKey:
        """Make a random private key."""
        return cls(os.urandom(KEY_BYTES))

    def __repr__(self) -> str:
        return "<PrivateKey>"


class SigningKey:
    """An Ed25519 signing key, from a seed of 32 bytes. `public` is the verify key (32 bytes)."""

    __slots__ = ("_secret", "public")

    def __init__(self, seed: bytes) -> None:
        self.public, self._secret = bindings.crypto_sign_seed_keypair(seed)

    def sign(self, kind: bytes, *fields: bytes) -> bytes:
        """Sign a statement; returns 64 bytes (RFC 8032, Ed25519)."""
        return bindings.crypto_sign(statement(kind, *fields), self._secret)[:SIGNATURE_BYTES]

    def __repr__(self) -> str:
        return "<SigningKey>"


def statement(kind: bytes, *fields: bytes) -> bytes:
    """Return the bytes to sign: LP(label of the kind, fields…)."""
    return lp(LABEL_PREFIX + kind, *fields)


def is_signed(verify_key: bytes, signature: bytes, message: bytes) -> bool:
    """Return whether `signature` (64 bytes) by `verify_key` (32 bytes) is of exactly this message.

    libsodium refuses keys and R of small order, and signatures that are not in canonical form.
    """
    try:
        bindings.crypto_sign_open(signature + message, verify_key)
    except (exceptions.BadSignatureError, ValueError):
        return False
    return True


def parse_public_key(raw: bytes) -> bytes:
    """Check that 32 bytes are a canonical X25519 public key that is not of low order; else FormatError."""
    if len(raw) != KEY_BYTES:
        raise FormatError(f"a public key has {KEY_BYTES} bytes, not {len(raw)}")
    coordinate = int.from_bytes(raw, "little")
    if coordinate >= _FIELD_PRIME:
        raise FormatError("the public key is not in canonical form")
    if coordinate in _LOW_ORDER:
        raise FormatError("the public key is of low order")
    return raw


def parse_verify_key(raw: bytes) -> bytes:
    """Check that 32 bytes are a canonical Ed25519 point of the main subgroup; else FormatError."""
    if len(raw) != KEY_BYTES:
        raise FormatError(f"a verify key has {KEY_BYTES} bytes, not {len(raw)}")
    if not bindings.crypto_core_ed25519_is_valid_point(raw):
        raise FormatError("the verify key is not a canonical point of large order")
    return raw


def digest(data: bytes) -> bytes:
    """Return BLAKE2b of any bytes (32 bytes)."""
    return hashlib.blake2b(data, digest_size=DIGEST_BYTES).digest()


def key_id(public_key: bytes) -> bytes:
    """Return the id (8 bytes) by which sealed bytes name their public key: BLAKE2b of the key, digest size 8."""
    return hashlib.blake2b(public_key, digest_size=KEY_ID_BYTES).digest()
