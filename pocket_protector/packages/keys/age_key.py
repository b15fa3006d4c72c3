"""Parse the X25519 keys of age, in Bech32 (c2sp.org/age, "The X25519 recipient type"; BIP-173).

A recipient of age is an X25519 public key, and an identity a private one, of 32 bytes each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import reduce

from pocket_protector.crypto.keys import KEY_BYTES, PrivateKey, parse_public_key
from pocket_protector.errors import FormatError

MAX_RECIPIENT_CHARACTERS = 8192
"""The longest text of a recipient. It leaves room for hybrid ones of 1959 characters, to refuse them by their kind."""
MAX_IDENTITY_CHARACTERS = 65536

_RECIPIENT, _IDENTITY = "age", "age-secret-key-"
_TAKEN = "give an X25519 recipient (age1…, without the name of a plugin) or an ssh-ed25519 key"
_ENCRYPTED = ("age-encryption.org/", "-----BEGIN AGE ENCRYPTED FILE-----")

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_MAX_CHARACTERS = 90
_CHECKSUM_GROUPS = 6
_KEY_GROUPS = 52
_PADDING_BITS = _KEY_GROUPS * 5 - KEY_BYTES * 8
# Feedback for each bit shifted out of the checksum: multiples of the code's generator polynomial.
_FEEDBACK = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def parse_age_recipient(text: str) -> bytes:
    """Return the X25519 public key (32 bytes) of a recipient `age1…` (62 characters).

    The text may have one line end (LF or CRLF).

    Raises FormatError for a hybrid, hardware or plugin recipient, a secret key, any other text, and a key that
    `parse_public_key` refuses.
    """
    if len(text) > MAX_RECIPIENT_CHARACTERS:
        raise FormatError(f"a recipient of age has at most {MAX_RECIPIENT_CHARACTERS} characters", hint=_TAKEN)
    line = re.sub(r"\r?\n\Z", "", text)
    readable = line.lower().rpartition("1")[0]
    if readable.startswith(("age-secret-key-", "age-plugin-")):
        raise FormatError(
            "this is a secret key of age, not a recipient", hint="get its recipient with: age-keygen -y FILE"
        )
    if readable in ("age1pq", "age1tagpq"):
        raise FormatError("pprotect cannot seal to a post-quantum recipient of age", hint=_TAKEN)
    if readable.startswith("age1"):
        raise FormatError("pprotect cannot seal to a recipient of a plugin or a hardware key of age", hint=_TAKEN)
    return parse_public_key(_decode_key(line, _RECIPIENT))


def parse_age_identity(text: str) -> PrivateKey:
    """Return the only secret key `AGE-SECRET-KEY-1…` (74 characters) of an identity file, as age-keygen writes it.

    Lines end with LF or CRLF; empty lines and lines that begin with # are skipped. Raises FormatError for no key or
    several, a hybrid or plugin key, an encrypted file, any other text, and more than 65536 characters.
    """
    if len(text) > MAX_IDENTITY_CHARACTERS:
        raise FormatError(f"an identity file of age has at most {MAX_IDENTITY_CHARACTERS} characters")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    keys = [line for line in lines if line and not line.startswith("#")]
    if not keys:
        raise FormatError("the identity file of age has no key")
    if keys[0].startswith(_ENCRYPTED):
        raise FormatError("the identity file of age is encrypted", hint="decrypt it with: age -d FILE")
    if len(keys) > 1:
        raise FormatError("the identity file of age has more than one key", hint="give a file with only the right key")
    (key,) = keys
    readable = key.lower().rpartition("1")[0]
    if readable.startswith("age-plugin-"):
        raise FormatError("the key belongs to a plugin of age", hint="give a key AGE-SECRET-KEY-1…")
    if readable == "age-secret-key-pq-":
        raise FormatError("this is a post-quantum key of age", hint="give a key AGE-SECRET-KEY-1…")
    return PrivateKey(_decode_key(key, _IDENTITY))


def _decode_key(text: str, readable: str) -> bytes:
    """Return the 32 bytes of a Bech32 text with this human-readable part: 52 groups, the last 4 bits zero."""
    actual, groups = _decode(text)
    if actual != readable:
        raise FormatError(
            f"a key of this kind must begin with {readable}1", hint=_TAKEN if readable == _RECIPIENT else ""
        )
    bits = reduce(lambda above, group: above << 5 | group, groups, 0)
    if len(groups) != _KEY_GROUPS:
        raise FormatError(f"the key of age does not have exactly {KEY_BYTES} bytes")
    if bits & ((1 << _PADDING_BITS) - 1):
        raise FormatError("the key of age has stray bits after its last byte")
    return (bits >> _PADDING_BITS).to_bytes(KEY_BYTES, "big")


def _decode(text: str) -> tuple[str, list[int]]:
    """Return the human-readable part, in lower case, and the following groups of 5 bits, without the checksum.

    Raises FormatError for everything that is invalid in BIP-173. age lifts its limit of 90 characters, but keys of 32
    bytes are shorter.
    """
    # Checked before the change of case, because the lower case of some other characters is an ASCII letter.
    if len(text) > _MAX_CHARACTERS or not all("!" <= character <= "~" for character in text):
        raise FormatError("the key of age is too long, or has characters outside of Bech32")
    if text not in (text.lower(), text.upper()):
        raise FormatError("the key of age mixes upper and lower case")
    readable, _, data = text.lower().rpartition("1")
    if not readable or len(data) < _CHECKSUM_GROUPS or not set(data) <= set(_ALPHABET):
        raise FormatError("the key of age is not Bech32")
    groups = [_ALPHABET.index(character) for character in data]
    if _checksum([*_expanded(readable), *groups]) != 1:
        raise FormatError("the checksum of the key of age is wrong", hint="copy the complete key again")
    return readable, groups[:-_CHECKSUM_GROUPS]


def _expanded(readable: str) -> list[int]:
    """Expand the human-readable part to groups: all high bits, a zero, all low bits."""
    codes = readable.encode()
    return [*(code >> 5 for code in codes), 0, *(code & 31 for code in codes)]


def _checksum(groups: Iterable[int]) -> int:
    """Return the remainder of the polynomial over GF(32), 6 groups of 5 bits; 1 means a valid checksum."""
    remainder = 1
    for group in groups:
        high, low = divmod(remainder, 1 << 25)
        remainder = low << 5 ^ group
        for bit, feedback in enumerate(_FEEDBACK):
            remainder ^= feedback * (high >> bit & 1)
    return remainder
