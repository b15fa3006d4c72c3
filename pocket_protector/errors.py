"""The whole error tree.

Every error this package raises for something that a user, a file or the environment can cause is a
`PocketProtectorError`. A message names things and never holds a value, a passphrase or a key.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any, Self

__all__ = [
    "AccessError",
    "Fault",
    "FormatError",
    "IntegrityError",
    "MergeConflictError",
    "NameFormatError",
    "PPError",
    "PPKeyError",
    "PassphraseError",
    "PocketProtectorError",
    "PolicyError",
    "ProviderError",
    "StoreError",
    "ThrottledError",
    "UnknownCustodianError",
]

_MOST_NAMES_LISTED = 100


class PocketProtectorError(Exception):
    """Root of the tree.

    `hint` says what to do next (often a command, ready to paste) or is empty; `exit_code` is the status
    that the command line ends with.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # Constructors differ; a process pool hands errors on by pickling them.
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[PocketProtectorError], args: tuple[Any, ...], state: dict[str, Any]) -> PocketProtectorError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


PPError = PocketProtectorError


class LocatedError(PocketProtectorError):
    """An error of one place in a file: `keys` lead to it from the top, `line` counts from 1 (0: not known)."""

    def __init__(self, message: str, *, hint: str = "", keys: tuple[str, ...] = (), line: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.keys = keys
        self.line = line

    @property
    def path(self) -> str:
        """The keys joined by dots, such as `dev.secret-db-password.value`."""
        return ".".join(self.keys)

    def under(self, *keys: str) -> Self:
        """Put `keys` before the place, on the way up to the top of the file; returns this error."""
        self.keys = keys + self.keys
        return self

    def __str__(self) -> str:
        place = ", ".join(filter(None, (f"line {self.line}" if self.line else "", self.path)))
        return f"{place}: {self.message}" if place else self.message


class FormatError(LocatedError):
    """The bytes are not a valid protected file, or a scalar in it is not valid in its place."""

    exit_code = 3


class AccessError(PocketProtectorError):
    """Credentials are missing or wrong, or their custodian is not an owner."""

    exit_code = 4


class PassphraseError(AccessError):
    """The passphrase or raw key does not open the private key, or is malformed. Another one would."""


class IntegrityError(LocatedError):
    """A well-formed object does not belong in its place: it was moved, swapped, forged or damaged."""

    exit_code = 5


class StoreError(PocketProtectorError):
    """The request contradicts the file, or the file cannot be read or written."""

    exit_code = 6


class PolicyError(PocketProtectorError):
    """A policy of the domain, or a demand of the caller, refuses the request."""

    exit_code = 8


class Fault(Enum):
    """Why a provider did not give a value."""

    NOT_SIGNED_IN = "not signed in"
    UNREACHABLE = "unreachable"
    NOT_FOUND = "not found"
    DENIED = "denied"
    OTHER = "failed"


class ProviderError(PocketProtectorError):
    """A provider did not give a value. The message never holds a provider's response body or a credential."""

    exit_code = 7

    def __init__(self, fault: Fault, message: str, *, hint: str = "", place: str = "") -> None:
        super().__init__(message, hint=hint)
        self.fault = fault
        self.place = place

    @property
    def brief(self) -> str:
        """The fault and the message, without the place."""
        return self.message if self.fault is Fault.OTHER else f"{self.fault.value}: {self.message}"

    def __str__(self) -> str:
        return f"{self.place}: {self.brief}" if self.place else self.brief


class ThrottledError(ProviderError):
    """The provider throttles requests. `after` is the wait that it asks for, in seconds, or None."""

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(Fault.OTHER, message, hint="wait a little, and repeat the command")
        self.after = after


class NameFormatError(StoreError, ValueError):
    """The name is not allowed for a new domain, custodian or secret."""


class MergeConflictError(StoreError):
    """Both sides changed the same objects; `objects` names them, such as `secret/dev/db-password`."""

    def __init__(self, objects: Iterable[str]) -> None:
        self.objects = tuple(objects)
        super().__init__(
            "both sides changed " + ", ".join(self.objects),
            hint="the file changed since it was read; nothing was written: repeat the command on it as it is now",
        )


class PPKeyError(StoreError, KeyError):
    """The name is not in the file. The message lists the known names, and the hint the closest one."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, hint: str = "") -> None:
        names = sorted(known)
        self.kind = kind
        self.name = name
        self._listing = _listing(names)
        super().__init__(f"no {kind} named {name!r} {self._listing}", hint=hint or _closest(name, names))

    def add_source(self, source: str) -> None:
        """Say in the message where the name came from, such as `env var: PPROTECT_USER`."""
        self.message = f"no {self.kind} named {self.name!r} (from {source}) {self._listing}"

    # KeyError would print the repr of the message.
    __str__ = PocketProtectorError.__str__


class UnknownCustodianError(AccessError, PPKeyError):
    """The credentials name a custodian that is not in the file."""


def command(*words: str) -> str:
    """Return a command line for a hint, quoted for the shell: names come from the file and may hold anything."""
    from shlex import join

    return join(("pprotect", *words))


def _listing(names: list[str]) -> str:
    if not names:
        return "(none is known)"
    more = len(names) - _MOST_NAMES_LISTED
    return f"(known: {', '.join(names[:_MOST_NAMES_LISTED])}{f' and {more} more' if more > 0 else ''})"


def _closest(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else ""
