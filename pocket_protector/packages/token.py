"""The token of a sealed package; its sender delivers it separately (docs/format.md, section 13.5)."""

from __future__ import annotations

import base64
import hmac
import os
import re
from dataclasses import dataclass
from typing import Self

from pocket_protector.crypto.encoding import LABEL_PREFIX, lp
from pocket_protector.crypto.keys import digest
from pocket_protector.errors import FormatError
from pocket_protector.packages.header import PACKAGE_ID_BYTES

TOKEN_SECRET_BYTES = 16
MAX_TOKEN_BYTES = 1024
"""The largest file with a token."""

_PREFIX = "PPT1"
_CHECKSUM_BYTES = 3
_GROUP = 7
_GROUPS = 8
_BYTES = TOKEN_SECRET_BYTES + PACKAGE_ID_BYTES + _CHECKSUM_BYTES
_LABEL = LABEL_PREFIX + b"package-token-checksum"
_HINT = f"use the form {_PREFIX}-" + "-".join(["X" * _GROUP] * _GROUPS)


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A token: the id of its package (16 bytes), and the secret that opens the gated entries (16 bytes)."""

    package_id: bytes
    secret: bytes

    @classmethod
    def generate(cls) -> Self:
        """Generate the token of a new package, with a random id and secret."""
        return cls(os.urandom(PACKAGE_ID_BYTES), os.urandom(TOKEN_SECRET_BYTES))

    @property
    def text(self) -> str:
        """The token as `PPT1-` and eight groups of seven characters, joined by hyphens.

        The characters are base32 (RFC 4648, section 6) of secret ‖ package id ‖ checksum (3 bytes). The checksum
        detects typing errors.
        """
        encoded = base64.b32encode(self._checked()).decode()
        return "-".join([_PREFIX, *(encoded[at : at + _GROUP] for at in range(0, len(encoded), _GROUP))])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a token, in upper or lower case, with or without hyphens and white space. Raises FormatError."""
        plain = re.sub(r"[\s-]", "", text)
        if not plain.isascii() or not re.fullmatch(rf"{_PREFIX}[A-Z2-7]{{{_GROUP * _GROUPS}}}", plain.upper()):
            raise FormatError("this is not a valid token of a package", hint=_HINT)
        raw = base64.b32decode(plain.upper().removeprefix(_PREFIX))
        end = TOKEN_SECRET_BYTES + PACKAGE_ID_BYTES
        token = cls(raw[TOKEN_SECRET_BYTES:end], raw[:TOKEN_SECRET_BYTES])
        if not hmac.compare_digest(token._checked(), raw):
            raise FormatError("the token is mistyped: its checksum is wrong", hint=_HINT)
        return token

    def _checked(self) -> bytes:
        raw = self.secret + self.package_id
        return raw + digest(lp(_LABEL, raw))[:_CHECKSUM_BYTES]

    def __repr__(self) -> str:
        return "<Token>"
