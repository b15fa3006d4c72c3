"""Tests that every source of references passes. A plugin's tests subclass `SecretSourceContract`, for pytest."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from pocket_protector.errors import Fault, FormatError, ProviderError
from pocket_protector.model.reference import Reference
from pocket_protector.plugins.sources import FETCH_SECONDS, MAX_FETCHED_BYTES, SecretSource

_AT_ONCE = 20


class SecretSourceContract:
    """What the subclass fills in; its name begins with `Test`, so that pytest finds it."""

    good: tuple[str, ...] = ()
    """References that are of the source's form, whether or not anything is there."""
    bad: tuple[str, ...] = ()
    """References of the scheme that are not of the form."""

    def source(self) -> SecretSource:
        """A new source."""
        raise NotImplementedError

    def stored(self) -> tuple[str, bytes]:
        """A reference, and the bytes that it leads to."""
        raise NotImplementedError

    def missing(self) -> str:
        """A reference to where nothing is."""
        raise NotImplementedError

    def test_it_says_how_its_references_look(self) -> None:
        source = self.source()
        assert source.form.startswith(f"{Reference(self.stored()[0]).scheme}://")
        assert isinstance(source.local, bool)

    def test_good_references_pass(self) -> None:
        assert self.good
        for text in (*self.good, self.stored()[0], self.missing()):
            self.source().check(Reference(text))

    def test_bad_references_are_refused(self) -> None:
        assert self.bad
        for text in self.bad:
            try:
                self.source().check(Reference(text))
            except FormatError:
                continue
            raise AssertionError(f"{text} passes")

    def test_it_fetches_what_is_there(self) -> None:
        text, value = self.stored()
        source, reference = self.source(), Reference(text)
        raw = _fetched(source, reference)
        assert source.select(raw, reference.fragment) == value
        assert type(raw) is bytes
        assert len(raw) <= MAX_FETCHED_BYTES

    def test_it_fetches_in_many_threads(self) -> None:
        text, value = self.stored()
        source, reference = self.source(), Reference(text)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            fetched = list(threads.map(lambda _: _fetched(source, reference), range(_AT_ONCE)))
        assert {source.select(raw, reference.fragment) for raw in fetched} == {value}

    def test_nothing_there_is_not_found(self) -> None:
        fault = None
        try:
            _fetched(self.source(), Reference(self.missing()))
        except ProviderError as error:
            fault = error.fault
        assert fault is Fault.NOT_FOUND


def _fetched(source: SecretSource, reference: Reference) -> bytes:
    """What the source gives `pprotect`, which keeps the fragment to itself."""
    return source.fetch(reference.without_fragment(), time.monotonic() + FETCH_SECONDS)
