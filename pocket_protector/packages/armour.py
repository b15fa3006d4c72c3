"""Convert a sealed package to text that can be pasted, and back (docs/format.md, section 13.6)."""

from __future__ import annotations

import base64

from pocket_protector.errors import FormatError
from pocket_protector.packages.package_sealing import MAGIC, MAX_PACKAGE_BYTES

_BEGIN, _END = "-----BEGIN PPROTECT PACKAGE-----", "-----END PPROTECT PACKAGE-----"
_COLUMNS = 64
MAX_TEXT_BYTES = MAX_PACKAGE_BYTES * 3 // 2
_LEAST_COLUMNS = 16
"""The smallest average length of a line: a limit on the work that very many short lines would cause."""


def to_text(package: bytes) -> str:
    """Encode a package as base64 (RFC 4648, section 4) in lines of 64 characters, between a BEGIN and an END line."""
    encoded = base64.b64encode(package).decode()
    lines = [encoded[at : at + _COLUMNS] for at in range(0, len(encoded), _COLUMNS)]
    return "\n".join([_BEGIN, *lines, _END, ""])


def to_binary(raw: bytes) -> bytes:
    """Return the bytes of a package, given as bytes or as text.

    The text may have any line ends, and white space around it. Raises FormatError for anything else.
    """
    if raw.startswith(MAGIC):
        return raw
    if len(raw) > MAX_TEXT_BYTES or raw.count(b"\n") > len(raw) // _LEAST_COLUMNS + _COLUMNS:
        raise FormatError("this is not a valid sealed package: it is too long, or has too many lines")
    lines = [line.strip() for line in raw.decode("ascii", errors="replace").strip().splitlines()]
    if len(lines) < 3 or (lines[0], lines[-1]) != (_BEGIN, _END):
        raise FormatError(
            "this is not a valid sealed package", hint="give the complete file that pprotect package wrote"
        )
    encoded = "".join(lines[1:-1])
    try:
        package = base64.b64decode(encoded, validate=True)
    except ValueError:
        package = b""
    # b64decode accepts stray bits after the last byte, so that two texts would be the same package.
    if base64.b64encode(package).decode() != encoded:
        raise FormatError("the text of the package is damaged: it is not canonical base64")
    return package
