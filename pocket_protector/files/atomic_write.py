"""Replace a file atomically, under a lock."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pocket_protector.errors import StoreError
from pocket_protector.files.bounded_read import read, refuse

_LOCK_SECONDS = 30.0
_LOCK_POLL_SECONDS = 0.01


class Target:
    """A file locked by `replacing`: `read` returns its current bytes, `replace` gives it new ones."""

    def __init__(self, path: str, new_path: str, descriptor: int) -> None:
        self._path = path
        self._new_path = new_path
        self._descriptor = descriptor
        self.replaced = False

    def read(self, most: int) -> bytes | None:
        """Return the bytes of the file, at most `most`, or None if there is no file. Raises StoreError as `read`."""
        return read(self._path, most) if os.path.lexists(self._path) else None

    def replace(self, raw: bytes) -> None:
        """Replace the file with `raw` and keep its mode and owner.

        A crash leaves the old bytes or the new ones. Raises StoreError if the system refuses.
        """
        try:
            self._write(raw)
            os.replace(self._new_path, self._path)
            self.replaced = True
            sync_folder(os.path.dirname(self._path))
        except OSError as error:
            refuse("write", self._path, error)

    def _write(self, raw: bytes) -> None:
        os.ftruncate(self._descriptor, 0)
        with open(self._descriptor, "wb", closefd=False) as file:
            file.write(raw)
        if os.path.lexists(self._path):
            old, new = os.stat(self._path), os.fstat(self._descriptor)
            if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
                self._keep_owner(old)
            os.fchmod(self._descriptor, stat.S_IMODE(old.st_mode))
        os.fsync(self._descriptor)

    def _keep_owner(self, old: os.stat_result) -> None:
        try:
            os.fchown(self._descriptor, old.st_uid, old.st_gid)
        except PermissionError:
            # Only root can give a file away; the content is what counts.
            return


@contextmanager
def replacing(path: str) -> Iterator[Target]:
    """Lock the file at `path` against other writers, for `Target.replace`.

    The file need not exist; symbolic links are followed. The lock is on a temporary file of a fixed name in the same
    folder, and that file becomes the new one. So nothing is left behind, and the next writer takes over the temporary
    file of a killed one. Raises StoreError if another writer keeps the lock for 30 seconds.
    """
    try:
        real = os.path.realpath(path)
        folder, name = os.path.split(real)
        new_path = os.path.join(folder, f".{name}.pprotect-new")
        if os.path.lexists(real):
            if not stat.S_ISREG(os.stat(real).st_mode):
                raise StoreError(f"{path} is not a regular file")
            # The folder may permit a rename although the file itself is read-only: respect the file's mode.
            os.close(os.open(real, os.O_WRONLY | os.O_CLOEXEC))
        descriptor = lock_file(new_path)
    except (OSError, ValueError) as error:
        refuse("write", path, error)
    target = Target(real, new_path, descriptor)
    try:
        yield target
    finally:
        if not target.replaced:
            os.unlink(new_path)
        os.close(descriptor)


def lock_file(new_path: str, mode: int = 0o666, seconds: float = _LOCK_SECONDS) -> int:
    """Open and lock `new_path`, create it if necessary, and return its file descriptor.

    The descriptor is that of the file now at the path, not of one that another writer renamed meanwhile. `mode` is
    for a new file. Raises StoreError after `seconds` without the lock.
    """
    try:
        import fcntl
    except ImportError:
        raise StoreError("this system has no file locks, so pprotect cannot write files", hint="use WSL") from None
    deadline = time.monotonic() + seconds
    while True:
        descriptor = os.open(new_path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, new_path):
                _check_ours(descriptor, new_path)
                return descriptor
        except BlockingIOError:
            time.sleep(_LOCK_POLL_SECONDS)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        if time.monotonic() > deadline:
            raise StoreError(
                f"another process has been writing the file for {seconds:.0f} seconds",
                hint="end that process and repeat the command",
            )


def _check_ours(descriptor: int, path: str) -> None:
    """Check that a writer of ours can have left the temporary file.

    A planted link would make us overwrite another file, and the owner of a planted file could read it.
    """
    there = os.fstat(descriptor)
    if not stat.S_ISREG(there.st_mode) or there.st_nlink != 1 or there.st_uid != os.geteuid():
        raise StoreError(f"{path} is not a temporary file of this user", hint="remove it and repeat the command")


def _is_at(descriptor: int, path: str) -> bool:
    """Return whether an open file is still the one at `path`: another writer may have renamed or removed it."""
    try:
        there = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    mine = os.fstat(descriptor)
    return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)


def sync_folder(folder: str) -> None:
    """Flush the folder's entries to disk, so that a new name survives a crash.

    Some file systems do not support this and answer EINVAL or ENOTSUP; a folder without read permission cannot be
    opened for it. Neither is an error.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
