"""The header of a sealed package, in plain text (docs/format.md, section 13.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Self

from pocket_protector.crypto.encoding import LABEL_PREFIX, lp
from pocket_protector.crypto.keys import KEY_BYTES, digest, parse_public_key, parse_verify_key
from pocket_protector.document.document import FILE_ID_BYTES
from pocket_protector.document.names import parse_custodian_name, parse_domain_name
from pocket_protector.document.statements import Keys
from pocket_protector.document.times import parse_time
from pocket_protector.errors import FormatError, StoreError
from pocket_protector.packages.framing import parse_text, split

VERSION = 1
PACKAGE_ID_BYTES = 16
MOST_RECIPIENTS = 64
MAX_HEADER_BYTES = 8 * 1024
LONGEST_LIFE = timedelta(days=30)

_LABEL = LABEL_PREFIX + b"package-header"
_FIELDS = 13
_PRODUCTION = {None: b"", False: b"false", True: b"true"}


class Gate(Enum):
    """The key to the gated entries: the token only, or the token or the consent of a person."""

    TOKEN = "token"  # noqa: S105
    TOKEN_OR_HUMAN = "token-or-human"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Header:
    """Sender, content, recipients and life of a package (docs/format.md, section 13.2).

    The ids of the package and of the file have 16 bytes each, and each recipient is an X25519 public key (32 bytes).
    `production` is that field of the domain's policy. Raises FormatError if a field is not valid.
    """

    package_id: bytes
    file_id: bytes
    sender: str
    keys: Keys
    domain: str
    production: bool | None
    created: str
    expires: str
    gate: Gate
    recipients: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if len(self.package_id) != PACKAGE_ID_BYTES or len(self.file_id) != FILE_ID_BYTES:
            raise FormatError("the ids of a package and of its file must have 16 bytes each")
        try:
            parse_custodian_name(self.sender)
            parse_domain_name(self.domain)
        except StoreError as error:
            raise FormatError(error.message) from None
        parse_public_key(self.keys.public_key)
        parse_verify_key(self.keys.verify_key)
        life = datetime.fromisoformat(parse_time(self.expires)) - datetime.fromisoformat(parse_time(self.created))
        if not timedelta(0) < life <= LONGEST_LIFE:
            raise FormatError(f"a package must expire after its creation, and within {LONGEST_LIFE.days} days")
        if not 1 <= len(self.recipients) <= MOST_RECIPIENTS or len({*self.recipients}) < len(self.recipients):
            raise FormatError(f"a package must have 1 to {MOST_RECIPIENTS} recipients without duplicates")
        for recipient in self.recipients:
            parse_public_key(recipient)

    def encode(self) -> bytes:
        """Return the header as the LP encoding of its label and fields (docs/format.md, section 13.2)."""
        return lp(
            _LABEL,
            bytes([VERSION]),
            self.package_id,
            self.file_id,
            self.sender.encode(),
            self.keys.public_key,
            self.keys.verify_key,
            self.domain.encode(),
            _PRODUCTION[self.production],
            self.created.encode(),
            self.expires.encode(),
            self.gate.value.encode(),
            b"".join(self.recipients),
        )

    def hash(self) -> bytes:
        """Return the BLAKE2b hash of the header (32 bytes). Everything else in the package is bound to it."""
        return digest(self.encode())

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Parse the bytes of a header. Raises FormatError unless `encode` returns the same bytes."""
        label, version, package_id, file_id, sender, *others = split(raw, _FIELDS)
        public_key, verify_key, domain, production, created, expires, gate, recipients = others
        if label != _LABEL:
            raise FormatError("this is not a valid package")
        if version != bytes([VERSION]):
            raise FormatError("a newer version of pprotect made this package", hint="upgrade pprotect")
        words = {word: value for value, word in _PRODUCTION.items()}
        gates = {known.value.encode(): known for known in Gate}
        if production not in words or gate not in gates or len(recipients) % KEY_BYTES:
            raise FormatError("a field of the package's header is not valid")
        return cls(
            package_id=package_id,
            file_id=file_id,
            sender=parse_text(sender),
            keys=Keys(public_key, verify_key),
            domain=parse_text(domain),
            production=words[production],
            created=parse_text(created),
            expires=parse_text(expires),
            gate=gates[gate],
            recipients=tuple(recipients[at : at + KEY_BYTES] for at in range(0, len(recipients), KEY_BYTES)),
        )
