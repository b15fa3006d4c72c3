"""`env://` and `file://`: what only the reader's machine has."""

from __future__ import annotations

import errno
import os
import re
import stat

from pocket_protector.document.reference import Reference
from pocket_protector.errors import Fault, FormatError, ProviderError
from pocket_protector.plugins.source import MAX_FETCHED_BYTES

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# What the kernel makes up: the variables and open files of processes, and devices.
_MADE_UP = ("/dev", "/proc", "/sys")
_MISSING = (errno.ENOENT, errno.ENOTDIR)
_REFUSED = (errno.EACCES, errno.EPERM)


def plain_segments(reference: Reference, form: str, first: int = 0) -> tuple[str, ...]:
    """The segments of a reference that has no fragment, from the one numbered `first` on; FormatError, with `form` as
    the hint, for one that has, and for segments that are empty or that a path would take for something else."""
    segments = reference.segments[first:]
    if reference.fragment is not None:
        raise FormatError(f"a reference of {reference.scheme}:// has no fragment", hint=form)
    if not all(segments) or any(part in (".", "..") for segment in segments for part in segment.split("/")):
        raise FormatError(f"a reference of {reference.scheme}:// has no empty segment, no . and no ..", hint=form)
    return segments


def may_hold_credentials(variable: str) -> bool:
    """Whether a variable of the environment may hold ours. An application, and --env-prefix, choose what stands before
    _PASSPHRASE, so that any of them may."""
    name = variable.upper()
    return name.startswith("PPROTECT_") or name.endswith("_PASSPHRASE")


class EnvironmentVariable:
    """A variable of the environment, byte for byte."""

    form = "env://NAME"
    local = True

    def check(self, reference: Reference) -> None:
        self._name(reference)

    def fetch(self, reference: Reference, deadline: float) -> bytes:  # noqa: ARG002 (it takes no time)
        name = self._name(reference)
        if name == f"{os.environ.get('PPROTECT_ENV_PREFIX')}_USER":
            raise ProviderError(Fault.DENIED, "PPROTECT_ENV_PREFIX makes that variable one of your credentials")
        value = os.environb.get(name.encode())
        if value is None:
            raise ProviderError(Fault.NOT_FOUND, "the environment has no such variable", hint=f"set {name}")
        return value

    def select(self, raw: bytes, fragment: str | None) -> bytes:  # noqa: ARG002 (it has none)
        return raw

    def _name(self, reference: Reference) -> str:
        segments = plain_segments(reference, self.form)
        if len(segments) != 1 or reference.query or not _VARIABLE.fullmatch(segments[0]):
            raise FormatError("not a reference to a variable of the environment", hint=self.form)
        if may_hold_credentials(segments[0]):
            raise FormatError("no reference leads to a variable that may hold credentials for this file")
        return segments[0]


class LocalFile:
    """A regular file, byte for byte, its last line feed included. Symbolic links are followed."""

    form = "file:///PATH"
    local = True

    def check(self, reference: Reference) -> None:
        self._path(reference)

    def fetch(self, reference: Reference, deadline: float) -> bytes:  # noqa: ARG002 (no wait of a file can be bounded)
        path = self._path(reference)
        try:
            real = os.path.realpath(path, strict=True)
            if _is_made_up(real):
                raise ProviderError(Fault.DENIED, "links lead from there into /dev, /proc or /sys")
            return _read(real)
        except OSError as error:
            raise _unreadable(error) from None

    def select(self, raw: bytes, fragment: str | None) -> bytes:  # noqa: ARG002 (it has none)
        return raw

    def _path(self, reference: Reference) -> str:
        if not reference.text.startswith("file:///") or reference.query:
            raise FormatError("not a reference to a file by its absolute path", hint=self.form)
        segments = plain_segments(reference, self.form, first=1)
        if any("/" in segment for segment in segments):
            raise FormatError("a slash between folders is not percent-encoded", hint=self.form)
        path = "/" + "/".join(segments)
        if _is_made_up(path):
            raise FormatError("no reference leads into /dev, /proc or /sys", hint=self.form)
        return path


def _is_made_up(path: str) -> bool:
    return any(os.path.commonpath((path, folder)) == folder for folder in _MADE_UP)


def _read(path: str) -> bytes:
    """All of a regular file that is no link; nothing of another."""
    # Without waiting for the other end of a FIFO, and without becoming the owner of a terminal.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ProviderError(Fault.OTHER, "it is a folder or something else that is no regular file")
        # A file of procfs has no size, wherever that is mounted; and an empty value is an error.
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
