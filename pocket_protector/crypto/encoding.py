"""Encode several byte strings as one, without ambiguity (docs/format.md, section 2)."""

from __future__ import annotations

LABEL_PREFIX = b"pocket-protector/1/"

PADDING_BLOCK = 32


def lp(*parts: bytes) -> bytes:
    """Return each part with its length before it, as u32 big-endian."""
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


def pad(payload: bytes) -> bytes:
    """Return the length (u32 big-endian), the payload, then zeros up to the next multiple of 32 bytes."""
    framed = len(payload).to_bytes(4, "big") + payload
    return framed + bytes(-len(framed) % PADDING_BLOCK)


def unpad(padded: bytes) -> bytes | None:
    """Return the payload of `pad`; None if `pad` does not make exactly these bytes."""
    end = 4 + int.from_bytes(padded[:4], "big")
    if len(padded) < 4 or end + -end % PADDING_BLOCK != len(padded) or padded[end:].strip(b"\0"):
        return None
    return padded[4:end]
