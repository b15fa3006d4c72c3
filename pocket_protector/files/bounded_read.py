"""Read files up to a limit, and translate errors of the system."""

from __future__ import annotations

import os
from typing import NoReturn

from pocket_protector.errors import StoreError


def read(path: str, most: int, *, hint: str = "") -> bytes:
    """Return all bytes of a file. Raises StoreError if it cannot be read or has more than `most` bytes."""
    try:
        with open(path, "rb") as file:
            expected = min(os.fstat(file.fileno()).st_size, most)
            raw = file.read(expected + 1)
            if len(raw) > expected:
                # The file grew, or it is a pipe and has no size.
                raw += file.read(most + 1 - len(raw))
    except (OSError, ValueError) as error:
        refuse("read", path, error, hint=hint)
    if len(raw) > most:
        raise StoreError(f"{path} has more than {most} bytes")
    return raw


def read_start(path: str, most: int) -> bytes:
    """Return the first `most` bytes of a file. Raises StoreError if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(most)
    except OSError as error:
        refuse("read", path, error)


def refuse(verb: str, path: str, error: OSError | ValueError, *, hint: str = "") -> NoReturn:
    """Raise StoreError for an error of the system: `verb` says what failed, such as "read"."""
    reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    raise StoreError(f"cannot {verb} {path}: {reason[:1].lower()}{reason[1:]}", hint=hint) from None
