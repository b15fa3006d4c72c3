"""What a sealed package says of itself in plain text (docs/format.md, section 13.2)."""

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
    """What opens the entries that are gated: the token; or, without it, a person who is asked, too."""

    TOKEN = "token"  # noqa: S105
    TOKEN_OR_HUMAN = "token-or-human"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Header:
    """From whom, of what, for whom, and for how long: the package's id (16 bytes), the file's (16 bytes), the sender by
    name and keys, the domain and what its policy says of production, two times, the gate, and each recipient's X25519
    public key (32 bytes). FormatError for what no package says."""

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
            raise FormatError("a package's id and its file's have 16 bytes each")
        try:
            parse_custodian_name(self.sender)
            parse_domain_name(self.domain)
        except StoreError as error:
            raise FormatError(error.message) from None
        parse_public_key(self.keys.public_key)
        parse_verify_key(self.keys.verify_key)
        life = datetime.fromisoformat(parse_time(self.expires)) - datetime.fromisoformat(parse_time(self.created))
        if not timedelta(0) < life <= LONGEST_LIFE:
            raise FormatError(f"a package expires after it was made, and within {LONGEST_LIFE.days} days")
        if not 1 <= len(self.recipients) <= MOST_RECIPIENTS or len({*self.recipients}) < len(self.recipients):
            raise FormatError(f"a package has 1 to {MOST_RECIPIENTS} recipients, none of them twice")
        for recipient in self.recipients:
            parse_public_key(recipient)

    def encode(self) -> bytes:
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
        """32 bytes that everything else in the package is bound to."""
        return digest(self.encode())

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """The inverse of `encode`; FormatError for anything else."""
        label, version, package_id, file_id, sender, *others = split(raw, _FIELDS)
        public_key, verify_key, domain, production, created, expires, gate, recipients = others
        if label != _LABEL:
            raise FormatError("this is no package")
        if version != bytes([VERSION]):
            raise FormatError("this package is of a later version", hint="upgrade pprotect")
        words = {word: said for said, word in _PRODUCTION.items()}
        gates = {known.value.encode(): known for known in Gate}
        if production not in words or gate not in gates or len(recipients) % KEY_BYTES:
            raise FormatError("the package's header has a field that no package has")
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
