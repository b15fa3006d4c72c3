"""The interface of a source of references."""

from __future__ import annotations

from typing import Protocol

from pocket_protector.document.reference import Reference

MAX_FETCHED_BYTES = 256 * 1024
"""The largest value in bytes. A source that reads the body of an answer itself stops there."""

FETCH_SECONDS = 15.0
"""The time limit for one value, with sign-in and repeated attempts."""

MOST_THREADS = 64
"""The largest number of threads that call `fetch` at the same time."""


class SecretSource(Protocol):
    """The source of the values for references of one scheme.

    A process constructs it once, without arguments. Neither the constructor nor `check` imports an SDK or uses the
    network. Several threads call `fetch` at the same time. A source keeps no value that it fetches, and its errors
    contain none.
    """

    form: str
    """The form of its references, for hints, such as `env://NAME`."""

    local: bool
    """Whether its values come from the user's machine. A local source is off unless the user allows it."""

    def check(self, reference: Reference) -> None:
        """Check the form of a reference and of its fragment. Raises FormatError."""

    def fetch(self, reference: Reference, deadline: float) -> bytes:
        """Fetch the value of a reference: at most `MAX_FETCHED_BYTES` bytes.

        `check` has accepted the reference. Its fragment is removed, because references that differ only in the
        fragment are fetched together. `deadline` is in seconds of `time.monotonic()`; no wait may exceed it. Raises
        ThrottledError if the caller may try again, and ProviderError for any other failure.
        """
        ...

    def select(self, raw: bytes, fragment: str | None) -> bytes:
        """Select the part of a fetched value for the fragment.

        The fragment is percent-encoded as in the reference, or None. Raises ProviderError if there is no such part.
        """
        ...
