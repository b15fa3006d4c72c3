"""Replacing a file whole or not at all, under a lock."""

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
    """A file that is locked for replacing. `read` gives what stands there now, `replace` what shall."""

    def __init__(self, path: str, new_path: str, descriptor: int) -> None:
        self._path = path
        self._new_path = new_path
        self._descriptor = descriptor
        self.replaced = False

    def read(self, most: int) -> bytes | None:
        """As `read`; None if there is no file."""
        return read(self._path, most) if os.path.lexists(self._path) else None

    def replace(self, raw: bytes) -> None:
        """The file has these bytes, or the ones it had, whatever happens; mode and owner stay."""
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
    """Lock the file at `path` (there or not; symlinks are followed) against other writers, for `Target.replace`.

    The lock is held on the temporary file of a fixed name beside it, which becomes the new file: nothing is left
    behind, and what a killed writer left is taken over by the next. StoreError after 30 seconds without the lock.
    """
    try:
        real = os.path.realpath(path)
        folder, name = os.path.split(real)
        new_path = os.path.join(folder, f".{name}.pprotect-new")
        if os.path.lexists(real):
            if not stat.S_ISREG(os.stat(real).st_mode):
                raise StoreError(f"{path} is not a regular file")
            # The folder may allow to replace what the file itself forbids to write.
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
    """Open and lock `new_path`, made if need be, and be sure that it is still the file of that name."""
    try:
        import fcntl
    except ImportError:
        raise StoreError("writing is not supported on this system: it has no file locks", hint="use WSL") from None
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
                hint="end that process, and repeat the command",
            )


def _check_ours(descriptor: int, path: str) -> None:
    """What stands at the temporary name is taken over only if a writer of ours can have left it: a planted link would
    have another file overwritten, and a planted file stays open to who planted it."""
    there = os.fstat(descriptor)
    if not stat.S_ISREG(there.st_mode) or there.st_nlink != 1 or there.st_uid != os.geteuid():
        raise StoreError(f"something that is not this user's temporary file stands at {path}", hint="remove it")


def _is_at(descriptor: int, path: str) -> bool:
    """Whether an open file is still the one at `path`: another writer may have renamed or removed it."""
    try:
        there = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    mine = os.fstat(descriptor)
    return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)


def sync_folder(folder: str) -> None:
    """Make the new name last through a crash. Some file systems cannot, and say that the call is not valid; a folder
    that may be written but not read cannot be opened for it."""
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
