"""The protocol of a source of references."""

from __future__ import annotations

from typing import Protocol

from pocket_protector.document.reference import Reference

MAX_FETCHED_BYTES = 256 * 1024
"""The most that a source returns. A source that reads a body itself stops reading there."""

FETCH_SECONDS = 15.0
"""How long fetching one value may take, with sign-in and repeated attempts."""

MOST_THREADS = 64
"""How many threads call `fetch` at the same time, at most."""


class SecretSource(Protocol):
    """Fetches the values of one scheme's references (docs/plugins.md).

    `pprotect` makes a source without arguments, once in a process. Neither making it nor `check` imports an SDK or
    reaches a network. Several threads call `fetch` at the same time. A source keeps no value, and puts none into an
    error.
    """

    form: str
    """What its references look like, for hints."""

    local: bool
    """Whether its values come from the reader's machine alone. Then it is off unless the reader allows it."""

    def check(self, reference: Reference) -> None:
        """Raise FormatError unless the reference, with its fragment, has this source's form."""

    def fetch(self, reference: Reference, deadline: float) -> bytes:
        """Return the bytes that the reference leads to, at most `MAX_FETCHED_BYTES`.

        `check` has accepted the reference. It comes without its fragment, and the result serves every reference that
        differs in the fragment only. Do not wait beyond `deadline`, a value of `time.monotonic()`. Raise ProviderError
        if the value cannot be had, and ThrottledError if the caller may try again.
        """
        ...

    def select(self, raw: bytes, fragment: str | None) -> bytes:
        """Return the part of the fetched bytes that the fragment names; it is spelled as in the reference. Raise
        ProviderError if there is no such part."""
        ...
