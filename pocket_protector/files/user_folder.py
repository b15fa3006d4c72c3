"""Files that only this user can read: the state folder, new private files, and logs."""

from __future__ import annotations

import os
from contextlib import suppress

from pocket_protector.errors import StoreError
from pocket_protector.files.atomic_write import lock_file, sync_folder
from pocket_protector.files.bounded_read import refuse

STATE_VARIABLE = "PPROTECT_STATE_DIR"
_LOG_LOCK_SECONDS = 1.0


def state_folder() -> str:
    """Return the path of this user's folder for state that is neither secret nor part of a project.

    It is PPROTECT_STATE_DIR, else `pprotect` in XDG_STATE_HOME, else in ~/.local/state (XDG Base Directory, 0.8).
    """
    chosen = os.environ.get(STATE_VARIABLE)
    if chosen:
        return os.path.abspath(chosen)
    base = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(base, "pprotect")


def append_private(path: str, raw: bytes, most: int) -> None:
    """Append `raw` to a log that only this user can read.

    A log that would grow beyond `most` bytes is renamed to `<path>.1` first. Raises StoreError if it cannot be written.
    """
    try:
        make_private_folder(os.path.dirname(path))
        descriptor = lock_file(path, 0o600, _LOG_LOCK_SECONDS)
        try:
            size = os.fstat(descriptor).st_size
            if size + len(raw) > most:
                os.replace(path, f"{path}.1")
                descriptor, full = lock_file(path, 0o600, _LOG_LOCK_SECONDS), descriptor
                os.close(full)
                size = 0
            # A killed writer may have left half a line: end it before the new one.
            cut = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            os.lseek(descriptor, 0, os.SEEK_END)
            with open(descriptor, "ab", closefd=False) as file:
                file.write(b"\n" + raw if cut else raw)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        refuse("write", path, error)


def create_private(path: str, raw: bytes) -> None:
    """Create a file that only this user can read, atomically. Raises StoreError if the path exists."""
    folder, name = os.path.split(os.path.abspath(path))
    new_path = os.path.join(folder, f".{name}.pprotect-new")
    try:
        descriptor = lock_file(new_path, 0o600)
        try:
            os.ftruncate(descriptor, 0)
            with open(descriptor, "wb", closefd=False) as file:
                file.write(raw)
            os.fsync(descriptor)
            # Unlike a rename, a link never replaces an existing file.
            os.link(new_path, path, follow_symlinks=False)
            sync_folder(folder)
        finally:
            os.unlink(new_path)
            os.close(descriptor)
    except FileExistsError:
        raise StoreError(f"{path} exists already", hint="choose another path, or remove the file first") from None
    except (OSError, ValueError) as error:
        refuse("write", path, error)


def remove(path: str) -> None:
    """Remove a file. A file that is gone already, or cannot be removed, is not an error."""
    with suppress(OSError):
        os.unlink(path)


def make_private_folder(path: str) -> None:
    """Create a folder and its parents unless they exist. Only this user can enter the new ones."""
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        os.makedirs(path, mode=0o700, exist_ok=True)
    except OSError as error:
        refuse("make", path, error)
