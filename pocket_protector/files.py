"""The only opener of paths: finding a file, reading with caps, and replacing it whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from pocket_protector.errors import StoreError

FILE_NAME = "protected.yaml"
STATE_VARIABLE = "PPROTECT_STATE_DIR"

_LONGEST_PATH = 4096
_LOCK_SECONDS = 30.0
_LOG_LOCK_SECONDS = 1.0
_LOCK_POLL_SECONDS = 0.01


def discover(directory: str) -> str:
    """The `protected.yaml` of `directory` or of the nearest folder above it, up to the root of the git work tree.

    Outside git, and where there is none, the one in `directory`, there or not.
    """
    here = os.path.abspath(directory)
    folder = here
    candidates = []
    while True:
        candidates.append(os.path.join(folder, FILE_NAME))
        if _is_trusted(os.path.join(folder, ".git")):
            return next(filter(os.path.lexists, candidates), candidates[0])
        parent = os.path.dirname(folder)
        if parent == folder:
            return candidates[0]
        folder = parent


def _is_trusted(path: str) -> bool:
    """Whether something is there that this user or root made. In a folder that others can write to, such as /tmp,
    anybody could put a `.git`, and a protected file of their own beside it (git's safe.directory is for the same)."""
    try:
        return os.lstat(path).st_uid in (os.geteuid(), 0)
    except OSError:
        return False


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
        _refuse("read", path, error, hint=hint)
    if len(raw) > most:
        raise StoreError(f"{path} has more than {most} bytes")
    return raw


def read_start(path: str, most: int) -> bytes:
    """The first `most` bytes of a file."""
    try:
        with open(path, "rb") as file:
            return file.read(most)
    except OSError as error:
        _refuse("read", path, error)


def state_folder() -> str:
    """This user's own folder for what is no secret and not the project's: PPROTECT_STATE_DIR, else `pprotect` in
    XDG_STATE_HOME, else in ~/.local/state (XDG Base Directory, 0.8)."""
    chosen = os.environ.get(STATE_VARIABLE)
    if chosen:
        return os.path.abspath(chosen)
    base = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(base, "pprotect")


def append_private(path: str, raw: bytes, most: int) -> None:
    """Append to a log of this user's alone; one that would grow beyond `most` bytes first becomes `<path>.1`."""
    try:
        make_private_folder(os.path.dirname(path))
        descriptor = _lock(path, 0o600, _LOG_LOCK_SECONDS)
        try:
            size = os.fstat(descriptor).st_size
            if size + len(raw) > most:
                os.replace(path, f"{path}.1")
                descriptor, full = _lock(path, 0o600, _LOG_LOCK_SECONDS), descriptor
                os.close(full)
                size = 0
            # What a writer left that was cut off is a line of its own.
            cut = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            os.lseek(descriptor, 0, os.SEEK_END)
            with open(descriptor, "ab", closefd=False) as file:
                file.write(b"\n" + raw if cut else raw)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        _refuse("write", path, error)


def create_private(path: str, raw: bytes) -> None:
    """A new file of this user's alone, whole or not at all, whenever this process is killed. StoreError if something is
    there."""
    folder, name = os.path.split(os.path.abspath(path))
    new_path = os.path.join(folder, f".{name}.pprotect-new")
    try:
        descriptor = _lock(new_path, 0o600)
        try:
            os.ftruncate(descriptor, 0)
            with open(descriptor, "wb", closefd=False) as file:
                file.write(raw)
            os.fsync(descriptor)
            # Unlike a rename, this takes no other's place.
            os.link(new_path, path, follow_symlinks=False)
            _sync_folder(folder)
        finally:
            os.unlink(new_path)
            os.close(descriptor)
    except FileExistsError:
        raise StoreError(f"{path} exists already", hint="name another file, or remove it first") from None
    except (OSError, ValueError) as error:
        _refuse("write", path, error)


def remove(path: str) -> None:
    """Of a file that is there no longer, or cannot be removed, nothing is said."""
    with suppress(OSError):
        os.unlink(path)


def make_private_folder(path: str) -> None:
    """The folder and those above it, there afterwards; one that was made is this user's alone."""
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        os.makedirs(path, mode=0o700, exist_ok=True)
    except OSError as error:
        _refuse("make", path, error)


def place_in_git(path: str) -> tuple[str, str]:
    """The folder that all work trees of the file's git repository share (its common directory), and the path in the
    work tree; outside git "", and the whole path. git itself is not asked: this is on the way of every read."""
    real = os.path.realpath(path)
    folder = os.path.dirname(real)
    while True:
        git = os.path.join(folder, ".git")
        if os.path.lexists(git):
            return _common_folder(git), os.path.relpath(real, folder)
        parent = os.path.dirname(folder)
        if parent == folder:
            return "", real
        folder = parent


def _common_folder(git: str) -> str:
    """What `.git` leads to: itself, or in a further work tree what the files there say (gitrepository-layout(5))."""
    try:
        if os.path.isfile(git):
            line = read_start(git, _LONGEST_PATH).decode(errors="surrogateescape").strip()
            git = os.path.join(os.path.dirname(git), line.removeprefix("gitdir: "))
            common = os.path.join(git, "commondir")
            if os.path.isfile(common):
                git = os.path.join(git, read_start(common, _LONGEST_PATH).decode(errors="surrogateescape").strip())
        return os.path.realpath(git)
    except (OSError, ValueError, StoreError):
        # Not a repository that git would use either: what matters is that the answer stays the same.
        return git


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
            _sync_folder(os.path.dirname(self._path))
        except OSError as error:
            _refuse("write", self._path, error)

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
        descriptor = _lock(new_path)
    except (OSError, ValueError) as error:
        _refuse("write", path, error)
    target = Target(real, new_path, descriptor)
    try:
        yield target
    finally:
        if not target.replaced:
            os.unlink(new_path)
        os.close(descriptor)


def _lock(new_path: str, mode: int = 0o666, seconds: float = _LOCK_SECONDS) -> int:
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


def _sync_folder(folder: str) -> None:
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


def _refuse(verb: str, path: str, error: OSError | ValueError, *, hint: str = "") -> NoReturn:
    reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    raise StoreError(f"cannot {verb} {path}: {reason[:1].lower()}{reason[1:]}", hint=hint) from None
