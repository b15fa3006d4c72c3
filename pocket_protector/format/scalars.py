"""Scalars: base64 text ↔ bytes whose first byte is a version (docs/format.md, section 3)."""

from __future__ import annotations

import binascii

from pocket_protector.crypto.keys import KEY_BYTES, parse_public_key, parse_verify_key
from pocket_protector.errors import FormatError

LEGACY_VERSION = 0
VERSION = 1


def decode(text: str) -> bytes:
    """Canonical base64 (RFC 4648, section 4, padded) to bytes, of which there is at least one; else FormatError."""
    try:
        raw = binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        raise FormatError("not base64") from None
    # Strict mode lets stray bits in the last character pass: the text must be the one that encodes the bytes.
    if not raw or binascii.b2a_base64(raw, newline=False).decode() != text:
        raise FormatError("not canonical base64")
    return raw


def encode(raw: bytes) -> str:
    return binascii.b2a_base64(raw, newline=False).decode()


def decode_fixed(text: str, length: int) -> bytes:
    """The `length` bytes behind version byte 1; FormatError for another version or length."""
    raw = decode(text)
    if raw[0] != VERSION:
        raise unknown_version(raw[0])
    if len(raw) != 1 + length:
        raise FormatError(f"{1 + length} bytes belong here, not {len(raw)}")
    return raw[1:]


def encode_version(raw: bytes) -> str:
    """Text of `raw` behind version byte 1."""
    return encode(bytes([VERSION]) + raw)


def decode_sealed(text: str, least: dict[int, int]) -> bytes:
    """A scalar with its version byte, of at least `least[version]` bytes; FormatError for other versions."""
    raw = decode(text)
    shortest = least.get(raw[0])
    if shortest is None:
        raise unknown_version(raw[0])
    if len(raw) < shortest:
        raise FormatError(f"at least {shortest} bytes belong here, not {len(raw)}")
    return raw


def unknown_version(version: int) -> FormatError:
    return FormatError(f"version {version} is not known", hint="a newer pprotect may have written it: upgrade pprotect")


def decode_public_key(text: str) -> bytes:
    """An X25519 public key (32 bytes)."""
    return parse_public_key(decode_fixed(text, KEY_BYTES))


def decode_verify_key(text: str) -> bytes:
    """An Ed25519 verify key (32 bytes)."""
    return parse_verify_key(decode_fixed(text, KEY_BYTES))
