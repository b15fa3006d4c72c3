"""How several byte strings become one, unambiguously (docs/format.md, section 2)."""

from __future__ import annotations

LABEL_PREFIX = b"pocket-protector/1/"

PADDING_BLOCK = 32


def lp(*parts: bytes) -> bytes:
    """Length-prefix: each part behind its length as u32 big-endian."""
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


def pad(payload: bytes) -> bytes:
    """u32 big-endian length, payload, then zeros up to the next multiple of 32 bytes."""
    framed = len(payload).to_bytes(4, "big") + payload
    return framed + bytes(-len(framed) % PADDING_BLOCK)


def unpad(padded: bytes) -> bytes | None:
    """The payload of `pad`, or None if `padded` is not exactly what `pad` makes."""
    end = 4 + int.from_bytes(padded[:4], "big")
    if len(padded) < 4 or end + -end % PADDING_BLOCK != len(padded) or padded[end:].strip(b"\0"):
        return None
    return padded[4:end]
