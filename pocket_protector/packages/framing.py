"""Reading what `lp` made: parts behind their lengths."""

from __future__ import annotations

from pocket_protector.errors import FormatError

_LENGTH_BYTES = 4


def split(raw: bytes, number: int | None = None) -> list[bytes]:
    """The parts that `lp` joined: all of `raw`, and `number` of them if that is given. FormatError otherwise."""
    parts, at = [], 0
    while at < len(raw):
        start = at + _LENGTH_BYTES
        end = start + int.from_bytes(raw[at:start], "big")
        if start > len(raw) or end > len(raw):
            raise FormatError("the package ends too early, or a length in it is wrong")
        parts.append(raw[start:end])
        at = end
        if number is not None and len(parts) > number:
            break
    if number is not None and len(parts) != number:
        raise FormatError(f"the package has another number of parts in a place where {number} belong")
    return parts


def parse_text(raw: bytes) -> str:
    """UTF-8; FormatError otherwise."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise FormatError("a name or a time in the package is not UTF-8 text") from None
