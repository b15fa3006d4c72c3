"""Open a sealed package (docs/format.md, section 13).

Each step needs the one before: `SealedPackage.parse`, `SealedPackage.check`, `CheckedPackage.open`, and
`OpenedPackage.opened_with` for the gated entries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from pocket_protector.crypto.aead import decrypt, derive_key
from pocket_protector.crypto.encoding import lp
from pocket_protector.crypto.keys import SIGNATURE_BYTES, PrivateKey, digest, is_signed, key_id, statement
from pocket_protector.crypto.sealing import open_sealed
from pocket_protector.document.exported import ExportedEntry
from pocket_protector.document.times import format_time
from pocket_protector.errors import AccessError, FormatError, IntegrityError, PolicyError
from pocket_protector.packages.armour import to_binary
from pocket_protector.packages.contents import Outline, parse_gated, parse_open
from pocket_protector.packages.framing import split
from pocket_protector.packages.header import MAX_HEADER_BYTES, Gate, Header
from pocket_protector.packages.package_sealing import (
    GATED,
    HUMAN,
    MAGIC,
    MAX_PACKAGE_BYTES,
    OPEN,
    RECIPIENT,
    SIGNATURE,
    TOKEN,
    check_not_production,
    place,
)
from pocket_protector.packages.token import Token

_LENGTH_BYTES = 4
_COMPARTMENTS = 3
_MOST_AHEAD = timedelta(minutes=10)
"""The sender's clock may be this far ahead of the reader's."""


@dataclass(frozen=True, slots=True, repr=False)
class SealedPackage:
    """A well-formed package. Nothing in it is verified yet: do not believe its header.

    `boxes` has a sealed key for each recipient; so has `human`, if the gate lets a person do without the token.
    `body_digest` (32 bytes) and `header` are what `signature` (64 bytes) covers.
    """

    header: Header
    boxes: tuple[bytes, ...]
    open_part: bytes
    gated_part: bytes
    token_part: bytes
    human: tuple[bytes, ...]
    body_digest: bytes
    signature: bytes

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Parse the binary form or the text. Raise FormatError for anything else, for a package that is cut off, and
        for one with more behind it."""
        package = to_binary(raw)
        if len(package) > MAX_PACKAGE_BYTES:
            raise FormatError(f"a package has at most {MAX_PACKAGE_BYTES} bytes")
        if not package.startswith(MAGIC):
            raise FormatError(
                "this is not a valid sealed package", hint="give the whole file that pprotect package made"
            )
        start = len(MAGIC) + _LENGTH_BYTES
        end = start + int.from_bytes(package[len(MAGIC) : start], "big")
        if end - start > MAX_HEADER_BYTES or end + SIGNATURE_BYTES > len(package):
            raise FormatError("the package ends too early, or a length in it is wrong")
        header, body = Header.parse(package[start:end]), package[end:-SIGNATURE_BYTES]
        number = len(header.recipients)
        human = number if header.gate is Gate.TOKEN_OR_HUMAN else 0
        parts = split(body, number + _COMPARTMENTS + human)
        open_part, gated_part, token_part = parts[number : number + _COMPARTMENTS]
        return cls(
            header,
            tuple(parts[:number]),
            open_part,
            gated_part,
            token_part,
            human=tuple(parts[number + _COMPARTMENTS :]),
            body_digest=digest(body),
            signature=package[-SIGNATURE_BYTES:],
        )

    def check(self, known: Callable[[Header], None], now: datetime) -> CheckedPackage:
        """Verify the package, in this order.

        1. `known` is called with the header, and raises an error of its own unless the reader knows the sender.
        2. Raise IntegrityError if the signature is not the sender's.
        3. Raise PolicyError if the package expired by `now`, or was made more than 10 minutes after it.
        4. Raise PolicyError for a production domain.
        """
        known(self.header)
        self._check_signature()
        self._check_times(now)
        check_not_production(self.header.domain, self.header.production)
        return CheckedPackage(self)

    def _check_signature(self) -> None:
        message = statement(SIGNATURE, self.header.hash(), self.body_digest)
        if not is_signed(self.header.keys.verify_key, self.signature, message):
            raise IntegrityError("the sender's signature does not match: the package was changed, or is not theirs")

    def _check_times(self, now: datetime) -> None:
        # Both have one form, in UTC, so that text compares like time.
        if self.header.expires <= format_time(now):
            raise PolicyError(f"the package expired at {self.header.expires}", hint="ask its sender for another one")
        if self.header.created > format_time(now + _MOST_AHEAD):
            raise PolicyError(
                f"the package was made at {self.header.created}, which is in the future", hint="set the clock"
            )


@dataclass(frozen=True, slots=True, repr=False)
class CheckedPackage:
    """A package that is verified, from a known sender, and may be opened now."""

    sealed: SealedPackage

    def open(self, private: PrivateKey) -> OpenedPackage:
        """Open the entries that are not gated, with a recipient's private key.

        Raise AccessError if the package is not for this key, and IntegrityError for content that breaks the rules.
        """
        header = self.sealed.header
        if private.public not in header.recipients:
            raise AccessError(
                "the package is not for this key",
                hint="its sender seals to the key that pprotect pubkey prints, or to a file of yours",
            )
        index, bound = header.recipients.index(private.public), header.hash()
        key = _unsealed(self.sealed.boxes[index], private, RECIPIENT, place(bound, index))
        inside = decrypt(derive_key(key, lp(OPEN, bound)), self.sealed.open_part, lp(OPEN, bound))
        return OpenedPackage(self.sealed, *parse_open(inside), private, key)


@dataclass(frozen=True, slots=True, repr=False)
class OpenedPackage:
    """A package that is open up to its gate: `entries` are decrypted; `gated` has name, kind and sensitivity of the
    entries behind the gate. Both are sorted by name."""

    package: SealedPackage
    entries: tuple[ExportedEntry, ...]
    gated: tuple[Outline, ...]
    _private: PrivateKey
    _key: bytes

    def check_token(self, token: Token) -> None:
        """Check that the token belongs to this package. Raise AccessError if not."""
        if token.package_id != self.package.header.package_id:
            raise AccessError("the token is of another package", hint="each package has a token of its own")

    def opened_with(self, token: Token) -> tuple[ExportedEntry, ...]:
        """Open the gated entries with the token. Raise AccessError if it belongs to another package, or is wrong.

        A token is good for once: hold `using(token)` around this and whatever uses the entries.
        """
        self.check_token(token)
        bound = self.package.header.hash()
        try:
            gate_key = decrypt(
                derive_key(self._key, lp(TOKEN, token.secret, bound)), self.package.token_part, lp(TOKEN, bound)
            )
        except IntegrityError:
            raise AccessError("the token does not open the package") from None
        return self._gated(gate_key)

    def opened_by_human(self) -> tuple[ExportedEntry, ...]:
        """Open the gated entries without the token. Raise PolicyError if the sender's gate demands the token.

        The caller must have asked a person first. Cryptography does not enforce that: the recipient's key opens this.
        """
        if self.package.header.gate is not Gate.TOKEN_OR_HUMAN:
            raise PolicyError("the sender wants the token for the gated entries", hint="--token FILE, or --token -")
        index = self.package.header.recipients.index(self._private.public)
        context = place(self.package.header.hash(), index)
        return self._gated(_unsealed(self.package.human[index], self._private, HUMAN, context))

    def _gated(self, gate_key: bytes) -> tuple[ExportedEntry, ...]:
        bound = self.package.header.hash()
        return parse_gated(decrypt(gate_key, self.package.gated_part, lp(GATED, bound)), self.gated)


def _unsealed(box: bytes, private: PrivateKey, label: bytes, context: tuple[bytes, bytes]) -> bytes:
    """Open a box that holds a key (32 bytes) for the recipient."""
    key = open_sealed(box, {key_id(private.public): private}, label, context)
    if len(key) != len(private.public):
        raise IntegrityError("the recipient's box does not hold a key")
    return key
