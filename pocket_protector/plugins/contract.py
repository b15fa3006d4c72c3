"""Tests, for pytest, that every source of references and every exporter passes.

A plugin's tests subclass `SecretSourceContract` or `ExporterContract`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from pocket_protector.document.exported import ExportedDomain, ExportedEntry
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import Fault, FormatError, ProviderError, StoreError
from pocket_protector.plugins.exporter import DomainExporter
from pocket_protector.plugins.source import FETCH_SECONDS, MAX_FETCHED_BYTES, SecretSource

_AT_ONCE = 20
_CANARY = "canary"


class SecretSourceContract:
    """Subclass this as `Test…`, for pytest to find it, and write the methods without a default."""

    good: tuple[str, ...] = ()
    """References that have the source's form, whether or not they lead to a value."""
    bad: tuple[str, ...] = ()
    """References of the scheme that do not have its form."""

    def source(self) -> SecretSource:
        """Return a new source."""
        raise NotImplementedError

    def stored(self) -> tuple[str, bytes]:
        """Return a reference, and the bytes of its value."""
        raise NotImplementedError

    def missing(self) -> str:
        """Return a reference that leads to nothing."""
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
    """Fetch as `pprotect` does, which gives the source a reference without its fragment."""
    return source.fetch(reference.without_fragment(), time.monotonic() + FETCH_SECONDS)


class ExporterContract:
    """Subclass this as `Test…`, for pytest to find it, and write the methods without a default."""

    values: tuple[str, ...] = ("canary", "", " two words ", "öffnen ☃ 🔐", "it's #1", '{"a": "b"}', "one\ntwo\n")
    """Values that the format can hold."""
    refused: tuple[tuple[str, bytes], ...] = ()
    """Names and values that the format cannot hold; each value contains the word `canary`."""

    def exporter(self) -> DomainExporter:
        """Return a new exporter."""
        raise NotImplementedError

    def read(self, made: bytes) -> Mapping[str, bytes | Reference]:
        """Decode the exporter's output; return name → value."""
        raise NotImplementedError

    def exported(self, contents: Mapping[str, bytes]) -> bytes:
        """Export a domain with these values."""
        entries = tuple(ExportedEntry(name, contents[name], Sensitivity.MEDIUM) for name in sorted(contents))
        made = self.exporter().export(ExportedDomain(bytes(16), "dev", None, entries))
        assert type(made) is bytes
        return made

    def test_what_it_makes_can_be_read(self) -> None:
        contents = {f"NAME_{at}": value.encode() for at, value in enumerate(self.values)}
        assert self.read(self.exported(contents)) == contents
        assert self.read(self.exported({})) == {}

    def test_what_it_does_not_hold_is_refused_and_not_shown(self) -> None:
        for name, value in self.refused:
            assert _CANARY.encode() in value
            error = self._refusal({"ANOTHER": b"value", name: value})
            assert error is not None, f"the value of {name} passes"
            assert name in error.message
            assert _CANARY not in error.message + error.hint

    def _refusal(self, contents: Mapping[str, bytes]) -> StoreError | None:
        try:
            self.exported(contents)
        except StoreError as error:
            return error
        return None
