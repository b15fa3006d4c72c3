"""Reading files with a cap, and turning what the system says into errors."""

from __future__ import annotations

import os
from typing import NoReturn

from pocket_protector.errors import StoreError


def read(path: str, most: int, *, hint: str = "") -> bytes:
    """All bytes of a file; StoreError if it cannot be read or has more than `most`."""
    try:
        with open(path, "rb") as file:
            expected = min(os.fstat(file.fileno()).st_size, most)
            raw = file.read(expected + 1)
            if len(raw) > expected:
                # It grew, or has no size, as a pipe.
                raw += file.read(most + 1 - len(raw))
    except (OSError, ValueError) as error:
        refuse("read", path, error, hint=hint)
    if len(raw) > most:
        raise StoreError(f"{path} has more than {most} bytes")
    return raw


def read_start(path: str, most: int) -> bytes:
    """The first `most` bytes of a file."""
    try:
        with open(path, "rb") as file:
            return file.read(most)
    except OSError as error:
        refuse("read", path, error)


def refuse(verb: str, path: str, error: OSError | ValueError, *, hint: str = "") -> NoReturn:
    reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    raise StoreError(f"cannot {verb} {path}: {reason[:1].lower()}{reason[1:]}", hint=hint) from None
