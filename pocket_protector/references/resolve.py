"""Fetching what references lead to, as the person or the program that asks (docs/references.md)."""

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
"""After one failure, for others that are about to be told of too."""
_GRACE_SECONDS = 0.25
"""For a source that keeps to its deadline to say itself what was wrong."""


Place = tuple[str, str]
"""An entry: its domain and its name."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The values of entries, by their domains and names, and why others could not be had; what is in neither was not
    tried after a failure. Whether the user's log of accesses has them all."""

    values: dict[Place, bytes] = field(default_factory=dict)
    failures: dict[Place, ProviderError] = field(default_factory=dict)
    recorded: bool = False

    def require_all(self) -> None:
        """ProviderError if one could not be had; it names the others too."""
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
"""What each fragment names in what was fetched."""

Begun = Callable[[Mapping[Place, Reference]], None]
"""Is told what is about to be fetched, once."""

Told = Callable[[int, int], None]
"""Is told how many are done, of how many."""


def resolve(
    references: Mapping[Place, Reference], told: Told | None = None, begun: Begun | None = None, *, partly: bool = False
) -> Resolved:
    """The values of references; what has the same URI but for its fragment is fetched once. After a failure nothing
    more is begun, unless what can be had will do (`partly`)."""
    sources: dict[str, SecretSource] = {}
    outcomes: dict[Place, Outcome] = {}
    known = {scheme: _known(scheme) for scheme in {reference.scheme for reference in references.values()}}
    for place, reference in references.items():
        try:
            sources[reference.text] = _checked(known[reference.scheme], reference)
        except ProviderError as error:
            outcomes[place] = error
    if partly or not outcomes:
        askable = {place: reference for place, reference in references.items() if place not in outcomes}
        outcomes |= _fetched(askable, sources, told, begun, stop_early=not partly)
    resolved = Resolved()
    for place, reference in references.items():
        outcome = outcomes.get(place)
        if isinstance(outcome, ProviderError):
            resolved.failures[place] = _placed(outcome, *place, reference)
        elif outcome is not None:
            resolved.values[place] = outcome
    return resolved


def _fetched(
    references: Mapping[Place, Reference],
    sources: Mapping[str, SecretSource],
    told: Told | None,
    begun: Begun | None,
    *,
    stop_early: bool,
) -> dict[Place, Outcome]:
    """What came of each reference that was asked for."""
    wanted: dict[Reference, dict[Place, Reference]] = {}
    jobs: dict[Reference, _Job] = {}
    for place, reference in references.items():
        pointer = reference.without_fragment()
        wanted.setdefault(pointer, {})[place] = reference
        job = jobs.setdefault(pointer, _Job(sources[reference.text], pointer, {}))
        job.fragments[reference.fragment] = None

    def begin(job: Reference) -> None:
        if begun is not None:
            begun(wanted[job])

    arrived = _Fetching(jobs, begin, told, stop_early=stop_early).outcomes()
    return {
        place: values if isinstance(values, ProviderError) else values[reference.fragment]
        for pointer, values in arrived.items()
        for place, reference in wanted[pointer].items()
    }


def _known(scheme: str) -> SecretSource | ProviderError:
    try:
        return source_of(scheme)
    except ProviderError as error:
        return error


def _checked(source: SecretSource | ProviderError, reference: Reference) -> SecretSource:
    """The source of the reference; ProviderError if there is none, if it is not of the source's form, and for one to
    something local which the reader has not allowed."""
    if isinstance(source, ProviderError):
        raise source
    try:
        check_reference(reference)
    except FormatError as error:
        raise ProviderError(Fault.OTHER, error.message, hint=error.hint) from None
    if source.local and os.environ.get(ALLOW_LOCAL_VARIABLE) != "1":
        raise ProviderError(
            Fault.DENIED,
            "it leads to what only this machine has, and whoever can write the file could have put it there",
            hint=f"if you trust every reference in the file: {ALLOW_LOCAL_VARIABLE}=1",
        )
    return source


def _placed(error: ProviderError, domain: str, name: str, reference: Reference) -> ProviderError:
    """The error with the entry and what it points to."""
    place = f"secret {name!r} in {domain!r}: {reference}"
    return ProviderError(error.fault, error.message, hint=error.hint, place=place)


class _Job(NamedTuple):
    """Something to fetch, and the fragments of all references to it, each once and in their order."""

    source: SecretSource
    pointer: Reference
    fragments: dict[str | None, None]

    def outcome(self, deadline: float) -> Values | ProviderError:
        raw = _attempts(self.source, self.pointer, deadline)
        if isinstance(raw, ProviderError):
            return raw
        return {fragment: _selected(self.source, raw, fragment) for fragment in self.fragments}


class _Fetching:
    """Fetches several references at once, each in a thread of its own that is left behind when its time is up: an SDK
    may hang in a place that no time limit of its own covers."""

    def __init__(
        self,
        jobs: Mapping[Reference, _Job],
        begin: Callable[[Reference], None],
        told: Told | None,
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
        self._begun = begin
        self._stop_early = stop_early
        self._told = told

    def outcomes(self) -> dict[Reference, Values | ProviderError]:
        while (self._waiting or self._running) and time.monotonic() < self._ends:
            while self._waiting and len(self._running) < max(self._most, 1):
                self._begin(*self._waiting.popleft())
            self._wait()
            if self._told:
                self._told(len(self._done), self._number)
        return self._done

    def _begin(self, reference: Reference, job: _Job) -> None:
        self._begun(reference)
        deadline = time.monotonic() + FETCH_SECONDS
        self._running[reference] = deadline

        def work() -> None:
            try:
                outcome = job.outcome(deadline)
            # Whatever is not caught here, Python would print, text and all; and nothing would arrive.
            except BaseException as error:
                outcome = _foreign(error)
            self._arrived.put((reference, outcome))

        try:
            Thread(target=work, daemon=True).start()
        except RuntimeError:
            self._most = len(self._running) - 1
            if self._most:
                # What runs goes on; this one waits for a thread that ends.
                del self._running[reference]
                self._waiting.appendleft((reference, job))
            else:
                self._arrived.put((reference, ProviderError(Fault.OTHER, "no thread can be started to fetch it")))

    def _wait(self) -> None:
        """Until something arrives, or the first of those that run is out of time."""
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


def _selected(source: SecretSource, raw: bytes, fragment: str | None) -> Outcome:
    """What the fragment names in what was fetched."""
    try:
        value = _fitting(source.select(raw, fragment))
    except ProviderError as error:
        return _sound(error)
    # Any type: one fragment's failure is not that of the others.
    except BaseException as error:
        return _foreign(error)
    return value or ProviderError(Fault.OTHER, "the value is empty")


def _attempts(source: SecretSource, reference: Reference, deadline: float) -> Outcome:
    """What the source fetches, however often it has to be asked."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            raw = source.fetch(reference.without_fragment(), deadline)
        except ThrottledError as error:
            # Not all at the same moment again.
            wait = max(pause * random.uniform(0.5, 1), error.after or 0)  # noqa: S311
            if time.monotonic() + wait >= deadline:
                return _sound(error)
            time.sleep(wait)
            pause *= 2
        except ProviderError as error:
            return _sound(error)
        else:
            return _fitting(raw)


def _fitting(raw: bytes) -> Outcome:
    if not isinstance(raw, bytes):
        return ProviderError(Fault.OTHER, "the plugin returned no bytes")
    if len(raw) > MAX_FETCHED_BYTES:
        return ProviderError(Fault.OTHER, f"what is kept there has more than {MAX_FETCHED_BYTES} bytes")
    return raw


def _sound(error: ProviderError) -> ProviderError:
    """The error of a source, unless the plugin did not make it as it should."""
    try:
        sound = isinstance(error.fault, Fault) and isinstance(error.message, str) and isinstance(error.hint, str)
    except AttributeError:
        sound = False
    return error if sound else _foreign(error)


def _foreign(error: BaseException) -> ProviderError:
    """An error that a source should have sorted. Its text is a provider's, and may hold anything."""
    return ProviderError(Fault.OTHER, f"the plugin ended with {type(error).__name__}")
