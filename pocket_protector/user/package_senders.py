"""Decide whether this user knows the sender of a package (docs/packages.md). Nothing here asks the user."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from pocket_protector import files
from pocket_protector.errors import IntegrityError, PolicyError, StoreError
from pocket_protector.packages.header import Header
from pocket_protector.packages.keys.public_key import MAX_KEY_FILE_BYTES, PublicKey
from pocket_protector.trust.fingerprints import fingerprint, is_fingerprint, parse_fingerprint, to_words
from pocket_protector.trust.judge.state import State
from pocket_protector.user.known_keys import SENDERS, KnownKeys


class Acquaintance(Enum):
    """How the user knows a sender."""

    NAMED = "the caller named the sender's key"
    TRUSTED = "a trusted fingerprint, or an owner in the user's own file"
    KNOWN = "known from an earlier package"
    STRANGER = "not known"
    NOT_NAMED = "not the sender that the caller named"
    OTHER_KEYS = "known with other keys"


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender in a package's header, their fingerprint (32 bytes), and how the user knows them.

    The header alone proves nothing: only `SealedPackage.check` verifies the signature.
    """

    name: str
    fingerprint: bytes
    acquaintance: Acquaintance

    @property
    def words(self) -> str:
        """Return the fingerprint as eight words, the form that people compare."""
        return to_words(self.fingerprint)

    @property
    def is_new(self) -> bool:
        """Return whether to remember the sender, once the package is opened and the user vouches for them."""
        return self.acquaintance in (Acquaintance.NAMED, Acquaintance.STRANGER)

    def check(self) -> None:
        """Check that the user knows the sender.

        Raises PolicyError for a stranger. Raises IntegrityError if the sender is not the one that the caller named, or
        had other keys before.
        """
        if self.acquaintance is Acquaintance.STRANGER:
            raise PolicyError(
                f"unknown sender: the package says {self.name!r}, {self.words}",
                hint="compare the fingerprint with theirs over another channel, then: --sender FINGERPRINT",
            )
        if self.acquaintance is Acquaintance.NOT_NAMED:
            raise IntegrityError(f"the package is from {self.name!r}, not from the sender that --sender names")
        if self.acquaintance is Acquaintance.OTHER_KEYS:
            raise IntegrityError(
                f"{self.name!r} had other keys before; now the package says {self.words}",
                hint="if they confirm the new fingerprint over another channel: --sender FINGERPRINT",
            )


def judge_sender(
    header: Header,
    *,
    named: str | PublicKey | None = None,
    trust: Mapping[str, str] | None = None,
    seen: State | None = None,
    confirmed: bool = False,
) -> Sender:
    """Decide whether the user knows the sender in a package's header.

    `named` is a fingerprint (64 digits or eight words) or a public key. If it is given, the sender must have that key,
    and nothing else counts. Otherwise these are tried in order:

    1. `trust` maps names to fingerprints. If it has the sender's name, it decides, or else step 3 does, without step 2.
    2. `seen` is the user's own file, as they saw it last. A sender who counts as an owner of a signed domain there is
       trusted if the user accepted or made that file (`confirmed`). Nobody becomes such an owner by writing the file.
    3. The user's folder has the senders of earlier packages.

    Raises StoreError for a malformed fingerprint, and if the user's folder cannot be read.
    """
    found = fingerprint(header.sender, header.keys)
    return Sender(header.sender, found, _acquaintance(header, found, named, trust or {}, seen, confirmed))


def parse_sender(text: str) -> str | PublicKey:
    """Parse the user's text for a sender: a fingerprint, or the path of a file with a public key.

    A text in the form of a fingerprint is never taken for a path, because somebody else may have put a file there.
    Raises StoreError if the text is neither, and FormatError or IntegrityError for a file without a valid public key.
    """
    try:
        return parse_fingerprint(text)
    except StoreError:
        if not os.path.lexists(text):
            raise
    try:
        return PublicKey.parse(files.read(text, MAX_KEY_FILE_BYTES).decode())
    except UnicodeDecodeError:
        raise StoreError(f"{text} is not a valid public key", hint="give what pprotect pubkey printed") from None


def _acquaintance(
    header: Header,
    found: bytes,
    named: str | PublicKey | None,
    trust: Mapping[str, str],
    seen: State | None,
    confirmed: bool,
) -> Acquaintance:
    if named is not None:
        return Acquaintance.NAMED if _is_named(header, found, named) else Acquaintance.NOT_NAMED
    if header.sender in trust:
        if is_fingerprint(trust[header.sender], found):
            return Acquaintance.TRUSTED
    elif seen is not None and (custodian := seen.document.custodians.get(header.sender)) is not None:
        if custodian.keys != header.keys:
            return Acquaintance.OTHER_KEYS
        if confirmed and _is_owner(seen, header.sender):
            return Acquaintance.TRUSTED
    before = KnownKeys(SENDERS).fingerprint_of(header.sender)
    if before is None:
        return Acquaintance.STRANGER
    return Acquaintance.KNOWN if before == found.hex() else Acquaintance.OTHER_KEYS


def _is_named(header: Header, found: bytes, named: str | PublicKey) -> bool:
    if isinstance(named, PublicKey):
        return (named.name, named.keys) == (header.sender, header.keys)
    return is_fingerprint(named, found)


def _is_owner(seen: State, name: str) -> bool:
    """Return whether the custodian counts as an owner of a signed domain."""
    signed = [domain.name for domain in seen.document.domains.values() if domain.epoch is not None]
    return any(name in seen.authorities[domain].owners.counting for domain in signed)
