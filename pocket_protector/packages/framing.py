"""Split bytes that `lp` has joined into parts, each with its length in front."""

from __future__ import annotations

from pocket_protector.errors import FormatError

_LENGTH_BYTES = 4


def split(raw: bytes, number: int | None = None) -> list[bytes]:
    """Return the parts that `lp` has joined (u32 big-endian length, then the bytes).

    Raises FormatError if `raw` does not end with a part, or does not have exactly `number` parts.
    """
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
        raise FormatError(f"the package does not have exactly {number} parts in a place where it must")
    return parts


def parse_text(raw: bytes) -> str:
    """Decode UTF-8. Raises FormatError for other bytes."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise FormatError("a name or a time in the package is not UTF-8 text") from None
