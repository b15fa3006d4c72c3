"""Convert scalars: base64 text ↔ bytes with a version byte in front (docs/format.md, section 3)."""

from __future__ import annotations

import binascii

from pocket_protector.crypto.keys import KEY_BYTES, parse_public_key, parse_verify_key
from pocket_protector.errors import FormatError

LEGACY_VERSION = 0
VERSION = 1


def decode(text: str) -> bytes:
    """Decode canonical, padded base64 (RFC 4648, section 4) to at least one byte. Raises FormatError."""
    try:
        raw = binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        raise FormatError("not base64") from None
    # Strict mode accepts stray bits in the last character. Canonical text is the encoding of its own bytes.
    if not raw or binascii.b2a_base64(raw, newline=False).decode() != text:
        raise FormatError("not canonical base64")
    return raw


def encode(raw: bytes) -> str:
    """Encode bytes as padded base64 (RFC 4648, section 4)."""
    return binascii.b2a_base64(raw, newline=False).decode()


def decode_fixed(text: str, length: int) -> bytes:
    """Decode the `length` bytes that follow version byte 1. Raises FormatError for another version or length."""
    raw = decode(text)
    if raw[0] != VERSION:
        raise unknown_version(raw[0])
    if len(raw) != 1 + length:
        raise FormatError(f"this must be {1 + length} bytes, not {len(raw)}")
    return raw[1:]


def encode_version(raw: bytes) -> str:
    """Encode version byte 1 and `raw` as base64."""
    return encode(bytes([VERSION]) + raw)


def decode_sealed(text: str, least: dict[int, int]) -> bytes:
    """Decode sealed bytes, and return them with their version byte.

    `least` maps each allowed version to the smallest length in bytes, with the version byte. Raises FormatError for
    another version and for fewer bytes.
    """
    raw = decode(text)
    shortest = least.get(raw[0])
    if shortest is None:
        raise unknown_version(raw[0])
    if len(raw) < shortest:
        raise FormatError(f"this must be at least {shortest} bytes, not {len(raw)}")
    return raw


def unknown_version(version: int) -> FormatError:
    """Return the error for a version byte that is not known, or not allowed in its place."""
    return FormatError(
        f"version {version} is not known", hint="upgrade pprotect: a newer version may have written the file"
    )


def decode_public_key(text: str) -> bytes:
    """Decode an X25519 public key (32 bytes). Raises FormatError if it is not canonical, or of low order."""
    return parse_public_key(decode_fixed(text, KEY_BYTES))


def decode_verify_key(text: str) -> bytes:
    """Decode an Ed25519 verify key (32 bytes). Raises FormatError if it is not canonical, or of low order."""
    return parse_verify_key(decode_fixed(text, KEY_BYTES))
