"""`env://` and `file://`: variables and files of the user's machine."""

from __future__ import annotations

import errno
import os
import re
import stat

from pocket_protector.document.reference import Reference
from pocket_protector.errors import Fault, FormatError, ProviderError
from pocket_protector.plugins.source import MAX_FETCHED_BYTES

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# The virtual file systems of the kernel: variables and open files of processes, and devices.
_MADE_UP = ("/dev", "/proc", "/sys")
_MISSING = (errno.ENOENT, errno.ENOTDIR)
_REFUSED = (errno.EACCES, errno.EPERM)


def plain_segments(reference: Reference, form: str, first: int = 0) -> tuple[str, ...]:
    """Return the decoded segments of a reference, from index `first` on.

    Raises FormatError, with `form` as its hint, for a fragment, an empty segment, and `.` or `..` in a segment.
    """
    segments = reference.segments[first:]
    if reference.fragment is not None:
        raise FormatError(f"a reference of {reference.scheme}:// has no fragment", hint=form)
    if not all(segments) or any(part in (".", "..") for segment in segments for part in segment.split("/")):
        raise FormatError(f"a reference of {reference.scheme}:// has no empty segment, no . and no ..", hint=form)
    return segments


def may_hold_credentials(variable: str) -> bool:
    """Return whether a variable of the environment may hold credentials for a protected file.

    Applications and --env-prefix choose the prefix of `_PASSPHRASE`, so any variable with that ending may.
    """
    name = variable.upper()
    return name.startswith("PPROTECT_") or name.endswith("_PASSPHRASE")


class EnvironmentVariable:
    """Fetch the bytes of an environment variable."""

    form = "env://NAME"
    local = True

    def check(self, reference: Reference) -> None:
        """Check the name of the variable. Raises FormatError."""
        self._name(reference)

    def fetch(self, reference: Reference, deadline: float) -> bytes:  # noqa: ARG002 (it takes no time)
        """Return the value of the variable. Raises ProviderError if it is not set."""
        name = self._name(reference)
        if name == f"{os.environ.get('PPROTECT_ENV_PREFIX')}_USER":
            raise ProviderError(Fault.DENIED, "PPROTECT_ENV_PREFIX makes that variable one of your credentials")
        value = os.environb.get(name.encode())
        if value is None:
            raise ProviderError(Fault.NOT_FOUND, "the environment does not have this variable", hint=f"set {name}")
        return value

    def select(self, raw: bytes, fragment: str | None) -> bytes:  # noqa: ARG002 (it has none)
        """Return `raw`: these references have no fragment."""
        return raw

    def _name(self, reference: Reference) -> str:
        segments = plain_segments(reference, self.form)
        if len(segments) != 1 or reference.query or not _VARIABLE.fullmatch(segments[0]):
            raise FormatError("not a valid reference to an environment variable", hint=self.form)
        if may_hold_credentials(segments[0]):
            raise FormatError("a reference must not name a variable that may hold credentials for a protected file")
        return segments[0]


class LocalFile:
    """Fetch the bytes of a regular file, with a final line feed. Symbolic links are followed."""

    form = "file:///PATH"
    local = True

    def check(self, reference: Reference) -> None:
        """Check the path. Raises FormatError."""
        self._path(reference)

    def fetch(self, reference: Reference, deadline: float) -> bytes:  # noqa: ARG002 (no read of a file can be bounded)
        """Return the bytes of the file. Raises ProviderError if it cannot be read."""
        path = self._path(reference)
        try:
            real = os.path.realpath(path, strict=True)
            if _is_made_up(real):
                raise ProviderError(Fault.DENIED, "a symbolic link leads into /dev, /proc or /sys")
            return _read(real)
        except OSError as error:
            raise _unreadable(error) from None

    def select(self, raw: bytes, fragment: str | None) -> bytes:  # noqa: ARG002 (it has none)
        """Return `raw`: these references have no fragment."""
        return raw

    def _path(self, reference: Reference) -> str:
        if not reference.text.startswith("file:///") or reference.query:
            raise FormatError("not a valid reference to a file by its absolute path", hint=self.form)
        segments = plain_segments(reference, self.form, first=1)
        if any("/" in segment for segment in segments):
            raise FormatError("a slash in the path must not be percent-encoded", hint=self.form)
        path = "/" + "/".join(segments)
        if _is_made_up(path):
            raise FormatError("a reference must not lead into /dev, /proc or /sys", hint=self.form)
        return path


def _is_made_up(path: str) -> bool:
    return any(os.path.commonpath((path, folder)) == folder for folder in _MADE_UP)


def _read(path: str) -> bytes:
    """Return the bytes of a regular file. Links are refused, since the path is resolved already."""
    # The flags avoid a wait for the other end of a FIFO, and a new controlling terminal.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ProviderError(Fault.OTHER, "this is not a regular file")
        # A file of procfs has size 0, wherever it is mounted. Its value is empty then, which is an error.
        with open(descriptor, "rb", closefd=False) as file:
            raw = file.read(MAX_FETCHED_BYTES + 1) if found.st_size else b""
    finally:
        os.close(descriptor)
    if len(raw) > MAX_FETCHED_BYTES:
        raise ProviderError(Fault.OTHER, f"the file has more than {MAX_FETCHED_BYTES} bytes")
    return raw


def _unreadable(error: OSError) -> ProviderError:
    if error.errno in _MISSING:
        return ProviderError(Fault.NOT_FOUND, "there is no such file")
    if error.errno in _REFUSED:
        return ProviderError(Fault.DENIED, "you may not read that file")
    return ProviderError(Fault.OTHER, f"the file cannot be read: {errno.errorcode.get(error.errno or 0, 'OSError')}")
