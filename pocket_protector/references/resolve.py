"""Fetch the values of references with the credentials of the user who asks (docs/references.md)."""

from __future__ import annotations

import math
import os
import random
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

from pocket_protector.document.reference import Reference
from pocket_protector.errors import Fault, FormatError, ProviderError, ThrottledError
from pocket_protector.plugins.registry import check_reference, source_of
from pocket_protector.plugins.source import FETCH_SECONDS, MAX_FETCHED_BYTES, MOST_THREADS, SecretSource

ALLOW_LOCAL_VARIABLE = "PPROTECT_ALLOW_LOCAL_REFERENCES"

_MOST_NAMES = 10
_FIRST_PAUSE_SECONDS = 0.25
_MORE_FAILURES_SECONDS = 1.0
"""The time after a first failure in which others can still arrive, to be reported together."""
_GRACE_SECONDS = 0.25
"""The time after its deadline in which a source can still report its own error."""


Place = tuple[str, str]
"""The place of an entry: its domain and its name."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The results by place: the values, and the errors of entries whose value could not be fetched.

    An entry in neither was not tried after a failure. `recorded` is whether the user's access log has all of them.
    """

    values: dict[Place, bytes] = field(default_factory=dict)
    failures: dict[Place, ProviderError] = field(default_factory=dict)
    recorded: bool = False

    def require_all(self) -> None:
        """Check that nothing failed. Raises the first ProviderError; its message names the other failed entries too."""
        if not self.failures:
            return
        (_, first), *others = self.failures.items()
        names = [name for (_, name), _ in others]
        more = f" (and others: {', '.join(names[:_MOST_NAMES])})" if names else ""
        if len(names) > _MOST_NAMES:
            more = f"{more[:-1]} and {len(names) - _MOST_NAMES} more)"
        raise ProviderError(first.fault, first.message + more, hint=first.hint, place=first.place)


Outcome = bytes | ProviderError

Values = dict[str | None, Outcome]
"""Fragment → the value that it names, or the error."""

BeforeFetch = Callable[[Mapping[Place, Reference]], None]
"""A callback that receives the entries of one URI, once, before it is fetched."""

Progress = Callable[[int, int], None]
"""A callback that receives the number of finished fetches, and of all."""


def resolve(
    references: Mapping[Place, Reference],
    progress: Progress | None = None,
    before_fetch: BeforeFetch | None = None,
    *,
    partly: bool = False,
) -> Resolved:
    """Fetch the values of references, and return them with the errors.

    References whose URIs differ only in the fragment are fetched once. After a failure no further fetch begins,
    unless a part of the values is useful (`partly`).
    """
    sources: dict[str, SecretSource] = {}
    outcomes: dict[Place, Outcome] = {}
    known = {scheme: _source_or_error(scheme) for scheme in {reference.scheme for reference in references.values()}}
    for place, reference in references.items():
        try:
            sources[reference.text] = _checked_source(known[reference.scheme], reference)
        except ProviderError as error:
            outcomes[place] = error
    if partly or not outcomes:
        askable = {place: reference for place, reference in references.items() if place not in outcomes}
        outcomes |= _fetch_all(askable, sources, progress, before_fetch, stop_early=not partly)
    resolved = Resolved()
    for place, reference in references.items():
        outcome = outcomes.get(place)
        if isinstance(outcome, ProviderError):
            resolved.failures[place] = _with_place(outcome, *place, reference)
        elif outcome is not None:
            resolved.values[place] = outcome
    return resolved


def _fetch_all(
    references: Mapping[Place, Reference],
    sources: Mapping[str, SecretSource],
    progress: Progress | None,
    before_fetch: BeforeFetch | None,
    *,
    stop_early: bool,
) -> dict[Place, Outcome]:
    """Fetch from the sources, and return the value or error of each reference that was tried."""
    wanted: dict[Reference, dict[Place, Reference]] = {}
    jobs: dict[Reference, _Job] = {}
    for place, reference in references.items():
        pointer = reference.without_fragment()
        wanted.setdefault(pointer, {})[place] = reference
        job = jobs.setdefault(pointer, _Job(sources[reference.text], pointer, {}))
        job.fragments[reference.fragment] = None

    def begin(job: Reference) -> None:
        if before_fetch is not None:
            before_fetch(wanted[job])

    arrived = _Fetching(jobs, begin, progress, stop_early=stop_early).outcomes()
    return {
        place: values if isinstance(values, ProviderError) else values[reference.fragment]
        for pointer, values in arrived.items()
        for place, reference in wanted[pointer].items()
    }


def _source_or_error(scheme: str) -> SecretSource | ProviderError:
    try:
        return source_of(scheme)
    except ProviderError as error:
        return error


def _checked_source(source: SecretSource | ProviderError, reference: Reference) -> SecretSource:
    """Return the source of a reference.

    Raises ProviderError if no plugin has its scheme, if its form is not valid, and if it is local and the user has not
    allowed local references.
    """
    if isinstance(source, ProviderError):
        raise source
    try:
        check_reference(reference)
    except FormatError as error:
        raise ProviderError(Fault.OTHER, error.message, hint=error.hint) from None
    if source.local and os.environ.get(ALLOW_LOCAL_VARIABLE) != "1":
        raise ProviderError(
            Fault.DENIED,
            "it reads from this machine, and anybody who can write the file could have added it",
            hint=f"set {ALLOW_LOCAL_VARIABLE}=1 if you trust every reference in the file",
        )
    return source


def _with_place(error: ProviderError, domain: str, name: str, reference: Reference) -> ProviderError:
    """Return the error with the entry and its reference as its place."""
    place = f"secret {name!r} in {domain!r}: {reference}"
    return ProviderError(error.fault, error.message, hint=error.hint, place=place)


class _Job(NamedTuple):
    """One fetch: its source, its reference without a fragment, and the distinct fragments of all references to it."""

    source: SecretSource
    pointer: Reference
    fragments: dict[str | None, None]

    def outcome(self, deadline: float) -> Values | ProviderError:
        """Fetch, and return the value or error of each fragment."""
        raw = _fetch_with_retries(self.source, self.pointer, deadline)
        if isinstance(raw, ProviderError):
            return raw
        return {fragment: _select_part(self.source, raw, fragment) for fragment in self.fragments}


class _Fetching:
    """Fetch several references at once, each in its own thread.

    A thread that exceeds its time is abandoned, because an SDK may hang where none of its own time limits applies.
    """

    def __init__(
        self,
        jobs: Mapping[Reference, _Job],
        begin: Callable[[Reference], None],
        progress: Progress | None,
        *,
        stop_early: bool,
    ) -> None:
        self._waiting = deque(jobs.items())
        self._running: dict[Reference, float] = {}
        self._done: dict[Reference, Values | ProviderError] = {}
        self._arrived: SimpleQueue[tuple[Reference, Values | ProviderError]] = SimpleQueue()
        self._number = len(jobs)
        self._most = MOST_THREADS
        self._ends = math.inf
        self._before_fetch = begin
        self._stop_early = stop_early
        self._progress = progress

    def outcomes(self) -> dict[Reference, Values | ProviderError]:
        """Fetch all, or until the time after a failure ends, and return the results that arrived."""
        while (self._waiting or self._running) and time.monotonic() < self._ends:
            while self._waiting and len(self._running) < max(self._most, 1):
                self._begin(*self._waiting.popleft())
            self._wait()
            if self._progress:
                self._progress(len(self._done), self._number)
        return self._done

    def _begin(self, reference: Reference, job: _Job) -> None:
        self._before_fetch(reference)
        deadline = time.monotonic() + FETCH_SECONDS
        self._running[reference] = deadline

        def work() -> None:
            try:
                outcome = job.outcome(deadline)
            # Python would print an uncaught error with its text, and no result would arrive.
            except BaseException as error:
                outcome = _plugin_error(error)
            self._arrived.put((reference, outcome))

        try:
            Thread(target=work, daemon=True).start()
        except RuntimeError:
            self._most = len(self._running) - 1
            if self._most:
                # The running threads go on; this job waits until one of them ends.
                del self._running[reference]
                self._waiting.appendleft((reference, job))
            else:
                self._arrived.put(
                    (reference, ProviderError(Fault.OTHER, "the system cannot start a thread for the fetch"))
                )

    def _wait(self) -> None:
        """Wait until a result arrives, or the first of the running fetches exceeds its time."""
        first, deadline = min(self._running.items(), key=lambda item: item[1])
        until = min(deadline + _GRACE_SECONDS, self._ends)
        try:
            reference, outcome = self._arrived.get(timeout=max(until - time.monotonic(), 0.001))
        except Empty:
            if until == self._ends:
                return
            text = f"no answer within {FETCH_SECONDS:.0f} seconds"
            reference, outcome = first, ProviderError(Fault.UNREACHABLE, text)
        if self._running.pop(reference, None) is None:
            return
        self._done[reference] = outcome
        if self._stop_early and _failed(outcome):
            self._waiting.clear()
            self._ends = min(self._ends, time.monotonic() + _MORE_FAILURES_SECONDS)


def _failed(outcome: Values | ProviderError) -> bool:
    return isinstance(outcome, ProviderError) or any(isinstance(value, ProviderError) for value in outcome.values())


def _select_part(source: SecretSource, raw: bytes, fragment: str | None) -> Outcome:
    """Return the value that the fragment names, or the error."""
    try:
        value = _checked_value(source.select(raw, fragment))
    except ProviderError as error:
        return _checked_error(error)
    # Any type: an error of one fragment must not affect the others.
    except BaseException as error:
        return _plugin_error(error)
    return value or ProviderError(Fault.OTHER, "the value is empty")


def _fetch_with_retries(source: SecretSource, reference: Reference, deadline: float) -> Outcome:
    """Fetch from the source, and try again after each ThrottledError until the deadline."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            raw = source.fetch(reference.without_fragment(), deadline)
        except ThrottledError as error:
            # Random, so that the threads do not all try again at the same moment.
            wait = max(pause * random.uniform(0.5, 1), error.after or 0)  # noqa: S311
            if time.monotonic() + wait >= deadline:
                return _checked_error(error)
            time.sleep(wait)
            pause *= 2
        except ProviderError as error:
            return _checked_error(error)
        else:
            return _checked_value(raw)


def _checked_value(raw: bytes) -> Outcome:
    if not isinstance(raw, bytes):
        return ProviderError(Fault.OTHER, "the plugin did not return bytes")
    if len(raw) > MAX_FETCHED_BYTES:
        return ProviderError(Fault.OTHER, f"the value has more than {MAX_FETCHED_BYTES} bytes")
    return raw


def _checked_error(error: ProviderError) -> ProviderError:
    """Return the error of a source, or a generic one if the plugin filled its fields wrongly."""
    try:
        sound = isinstance(error.fault, Fault) and isinstance(error.message, str) and isinstance(error.hint, str)
    except AttributeError:
        sound = False
    return error if sound else _plugin_error(error)


def _plugin_error(error: BaseException) -> ProviderError:
    """Return an error for one that the source should have handled. Its text may hold anything, so it is dropped."""
    return ProviderError(Fault.OTHER, f"the plugin ended with {type(error).__name__}")
