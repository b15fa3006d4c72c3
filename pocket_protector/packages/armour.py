"""A sealed package as text that can be pasted (docs/format.md, section 13.6)."""

from __future__ import annotations

import base64

from pocket_protector.errors import FormatError
from pocket_protector.packages.package_sealing import MAGIC, MAX_PACKAGE_BYTES

_BEGIN, _END = "-----BEGIN PPROTECT PACKAGE-----", "-----END PPROTECT PACKAGE-----"
_COLUMNS = 64
MAX_TEXT_BYTES = MAX_PACKAGE_BYTES * 3 // 2
_LEAST_COLUMNS = 16
"""On average: lines that are shorter cost more to read than they hold."""


def to_text(package: bytes) -> str:
    """Base64 (RFC 4648, section 4) in lines of 64 characters, between two lines that say what it is."""
    encoded = base64.b64encode(package).decode()
    lines = [encoded[at : at + _COLUMNS] for at in range(0, len(encoded), _COLUMNS)]
    return "\n".join([_BEGIN, *lines, _END, ""])


def to_binary(raw: bytes) -> bytes:
    """The package, whether it is given as it is or as text; the text's line ends may be any, and white space may stand
    around it. FormatError for anything else."""
    if raw.startswith(MAGIC):
        return raw
    if len(raw) > MAX_TEXT_BYTES or raw.count(b"\n") > len(raw) // _LEAST_COLUMNS + _COLUMNS:
        raise FormatError("this is not a sealed package: it is too long, or has very many lines")
    lines = [line.strip() for line in raw.decode("ascii", errors="replace").strip().splitlines()]
    if len(lines) < 3 or (lines[0], lines[-1]) != (_BEGIN, _END):
        raise FormatError("this is not a sealed package", hint="give the whole file that pprotect package made")
    encoded = "".join(lines[1:-1])
    try:
        package = base64.b64decode(encoded, validate=True)
    except ValueError:
        package = b""
    # What has stray bits behind its last byte would be the same package as another text.
    if base64.b64encode(package).decode() != encoded:
        raise FormatError("the text of the package is damaged: it is no base64")
    return package
