"""The names that may be given, and the older ones that are still read (docs/format.md, section 6)."""

from __future__ import annotations

import re
import unicodedata

from pocket_protector.errors import NameFormatError

MAX_NAME_CHARACTERS = 256

EXTENSION_PREFIX = "x-"
FILE_META = "meta"
CUSTODIANS = "key-custodians"
AUDIT_LOG = "audit-log"
_MERGE_KEY = "<<"

_SECRET = re.compile(r"[A-Za-z][-_A-Za-z0-9]*")
# Pocket Protector 20.0.1 wrote [A-z], which also takes in the six characters between Z and a.
_LEGACY_SECRET = re.compile(r"[A-z][-_A-z0-9]*")
# Letters, and parts of camelCase.
_WORDS = (re.compile(r"[a-z]+", re.IGNORECASE), re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+"))
_PRODUCTION = re.compile(
    r"production.*|produ[ck]tion|produ[ck]tiv|produccion|producao|produzione|prod(?!u).*|prd.*|(go)?live"
    r"|(?!pre|non|not).*(?<!re)prod(uction)?"
)
# Marks and invisible characters.
_UNSEEN = ("Mn", "Me", "Cf")
_FILLERS = "\u115f\u1160\u3164\uffa0"
_WHOLE = ("prod", "production")
_OTHER_LANGUAGES = ("\u043f\u0440\u043e\u0434", "\u751f\u4ea7", "\u672c\u756a")
_NO_PRODUCTION = ("pre", "non", "not", "no")
# Letters of other alphabets that look like ours, in both cases; and digits that stand for letters.
_LETTERS = {
    "o": "0\u043e\u03bf\u00f8",
    "p": "\u0440\u03c1",
    "c": "\u0441\u03f2",
    "r": "\u0433",
    "t": "\u0442\u03c4",
    "u": "\u0446\u03c5",
    "v": "\u03bd\u0475",
    "n": "\u0438\u03b7",
    "d": "\u0501\u0111",
    "i": "\u0456\u03b9",
    "e": "\u0435\u03b5",
}
_LOOKALIKES = {ord(look): ours for ours, looks in _LETTERS.items() for look in looks}
_LOOKALIKES |= {ord(look.upper()): ours.upper() for ours, looks in _LETTERS.items() for look in looks if look != "0"}
_DIGITS = str.maketrans("13", "ie")
_LEGACY_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f]+")


def parse_secret_name(text: str) -> str:
    """Check a secret's name: an ASCII letter, then ASCII letters, digits, hyphens and underscores."""
    if not _SECRET.fullmatch(text) or len(text) > MAX_NAME_CHARACTERS:
        raise NameFormatError(
            f"{_shown(text)} cannot name a secret",
            hint="begin with a letter; then ASCII letters, digits, hyphens and underscores",
        )
    return text


def parse_custodian_name(text: str) -> str:
    """Check a custodian's name: 1 to 256 printable characters in NFC, no space at either end."""
    return _parse_printable(text, "key custodian")


def parse_domain_name(text: str) -> str:
    """Check a domain's name: as for a custodian, without the words that the file itself uses."""
    if is_reserved(text) or text.startswith(EXTENSION_PREFIX):
        raise NameFormatError(
            f"{_shown(text)} cannot name a key domain",
            hint="names that begin with 'meta' or 'x-', 'key-custodians' and 'audit-log' are taken by the file itself",
        )
    return _parse_printable(text, "key domain")


def parse_legacy_name(text: str) -> str:
    """Check a custodian's or domain's name as Pocket Protector does: no control characters; never normalised."""
    if not _LEGACY_NAME.fullmatch(text):
        raise NameFormatError(f"{_shown(text)} is not a name that Pocket Protector allows")
    return text


def parse_legacy_secret_name(text: str) -> str:
    """Check a secret's name as the most permissive version of Pocket Protector did."""
    if not _LEGACY_SECRET.fullmatch(text):
        raise NameFormatError(f"{_shown(text)} is not a secret name that Pocket Protector allows")
    return text


def is_reserved(text: str) -> bool:
    """Return whether a top-level key is one of the file's own, and so never a domain."""
    return text.startswith(FILE_META) or text in (CUSTODIANS, AUDIT_LOG)


def looks_like_production(name: str) -> bool:
    """Return whether a domain's name looks like production in any spelling: `prod`, `PROD-eu`, `my.Production2`,
    `pröd`, `prd`; not `products`, `preprod` or `non-prod`."""
    plain = unicodedata.normalize("NFKD", name).translate(_LOOKALIKES)
    letters = "".join(c for c in plain if unicodedata.category(c) not in _UNSEEN and c not in _FILLERS)
    if any(word in name.casefold() for word in _OTHER_LANGUAGES):
        return True
    # As one word too: P-ROD.
    whole = re.sub("[^A-Za-z]", "", letters)
    return any(map(_names_production, {letters, letters.translate(_DIGITS)})) or whole.lower() in _WHOLE


def _names_production(letters: str) -> bool:
    for words in _WORDS:
        found = [word.lower() for word in words.findall(letters)]
        if all(len(word) == 1 for word in found):
            found = ["".join(found)]
        if any(
            _PRODUCTION.fullmatch(word) and before not in _NO_PRODUCTION
            for before, word in zip(["", *found], found, strict=False)
        ):
            return True
    return False


def _parse_printable(text: str, kind: str) -> str:
    fits = (
        0 < len(text) <= MAX_NAME_CHARACTERS
        and text.isprintable()
        and text == text.strip()
        and not text.startswith("-")
        and text != _MERGE_KEY
        and unicodedata.is_normalized("NFC", text)
    )
    if not fits:
        raise NameFormatError(
            f"{_shown(text)} cannot name a {kind}",
            hint=f"use 1 to {MAX_NAME_CHARACTERS} printable characters in Unicode's NFC form, no space at the ends"
            " and no hyphen at the start",
        )
    return text


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 80 else text[:80] + "…")
