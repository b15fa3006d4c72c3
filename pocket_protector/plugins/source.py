"""What a source of references is."""

from __future__ import annotations

from typing import Protocol

from pocket_protector.document.reference import Reference

MAX_FETCHED_BYTES = 256 * 1024
"""The most that a source returns. It stops reading there, wherever it reads a body itself."""

FETCH_SECONDS = 15.0
"""How long a value may take, sign-in and repeated attempts included."""

MOST_THREADS = 64
"""How many call `fetch` at the same time at most."""


class SecretSource(Protocol):
    """Where the references of one scheme lead.

    It is made without arguments, once a process. Neither that nor `check` imports an SDK or reaches a network. Several
    threads call `fetch` at the same time. Nothing that it fetches is kept, and nothing of it is in an error.
    """

    form: str
    """How its references look, for hints."""

    local: bool
    """Whether it gives what only the reader's machine has. Then it is off unless the reader allows it."""

    def check(self, reference: Reference) -> None:
        """FormatError for a reference that is not of this form, its fragment included."""

    def fetch(self, reference: Reference, deadline: float) -> bytes:
        """The bytes that are kept there, at most `MAX_FETCHED_BYTES`. The reference is one that `check` took, without
        its fragment: several that differ in nothing else are fetched as one.

        `deadline` is a `time.monotonic()` that nothing waits beyond. ProviderError says what is wrong; ThrottledError
        that the caller may try again.
        """
        ...

    def select(self, raw: bytes, fragment: str | None) -> bytes:
        """What the fragment, as it is written in the reference, names in what was fetched. ProviderError if nothing."""
        ...
