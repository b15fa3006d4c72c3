"""Make fingerprints of custodians for people to compare (docs/format.md, section 3.9)."""

from __future__ import annotations

import hmac
import re

from pocket_protector.crypto.keys import DIGEST_BYTES, digest
from pocket_protector.document.custodian import own_statement
from pocket_protector.document.statements import Keys
from pocket_protector.errors import StoreError

_CONSONANTS = "bdfghjklmnprstvz"
_VOWELS = "aiou"
_WORD_BYTES = 16
_WORD = re.compile(rf"[{_CONSONANTS}][{_VOWELS}][{_CONSONANTS}][{_VOWELS}][{_CONSONANTS}]")


def fingerprint(name: str, keys: Keys) -> bytes:
    """Return the BLAKE2b-256 of the custodian's own statement: the name and both public keys."""
    return digest(own_statement(name, keys))


def to_hex(raw: bytes) -> str:
    """Return the fingerprint as 64 hexadecimal digits."""
    return raw.hex()


def to_words(raw: bytes) -> str:
    """Return the first 16 bytes as eight words of five letters, two bytes each, to read out on a telephone.

    The letters of a word are those of proquints (D. Wilkerson, 2009).
    """
    numbers = [int.from_bytes(raw[at : at + 2], "big") for at in range(0, _WORD_BYTES, 2)]
    return "-".join(map(_word, numbers))


def parse_fingerprint(text: str) -> str:
    """Return the text in the form of `to_hex` or `to_words`, all 64 digits or all eight words.

    Raise StoreError if it is neither.
    """
    given = text.strip().lower()
    words = re.split(r"[-\s]+", given)
    if len(words) == _WORD_BYTES // 2 and all(map(_WORD.fullmatch, words)):
        return "-".join(words)
    digits = re.sub(r"[\s:]", "", given)
    if len(digits) != 2 * DIGEST_BYTES or not re.fullmatch(r"[0-9a-f]+", digits):
        raise StoreError(
            f"{text[:100]!a} is no fingerprint: that has 64 hexadecimal digits, or 8 words",
            hint="pprotect fingerprint CUSTODIAN prints both",
        )
    return digits


def is_fingerprint(text: str, raw: bytes) -> bool:
    """Return whether the text states this fingerprint. Raise StoreError if it is not a fingerprint."""
    given = parse_fingerprint(text)
    return any(hmac.compare_digest(given, form) for form in (to_hex(raw), to_words(raw)))


def _word(number: int) -> str:
    return (
        _CONSONANTS[number >> 12]
        + _VOWELS[number >> 10 & 3]
        + _CONSONANTS[number >> 6 & 15]
        + _VOWELS[number >> 4 & 3]
        + _CONSONANTS[number & 15]
    )
