"""The entries in a sealed package, in its two compartments (docs/format.md, section 13.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pocket_protector.crypto.encoding import lp, pad, unpad
from pocket_protector.document.domain import MAX_VALUE_BYTES
from pocket_protector.document.exported import ExportedEntry
from pocket_protector.document.names import parse_secret_name
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import FormatError, IntegrityError, NameFormatError
from pocket_protector.packages.framing import parse_text, split

_VALUE, _REFERENCE = b"value", b"reference"


class Outline(NamedTuple):
    """The facts about a gated entry that can be read before the gate is open."""

    name: str
    is_reference: bool
    sensitivity: Sensitivity


def is_gated(entry: ExportedEntry) -> bool:
    """Return whether an entry is behind the gate: those of high or inject-only sensitivity are, references too."""
    return entry.sensitivity >= Sensitivity.HIGH


def outline(entry: ExportedEntry) -> Outline:
    """Return the facts about an entry that can be read before the gate is open."""
    return Outline(entry.name, isinstance(entry.content, Reference), entry.sensitivity)


def encode_open(entries: Sequence[ExportedEntry], gated: Sequence[ExportedEntry]) -> bytes:
    """Encode the open compartment, its entries and the outlines of the gated ones, padded to 32 bytes or a multiple."""
    return pad(lp(lp(*map(_encode, entries)), lp(*(_heading(outline(entry)) for entry in gated))))


def encode_gated(entries: Sequence[ExportedEntry]) -> bytes:
    """Encode the gated compartment; padded to a multiple of 32 bytes."""
    return pad(lp(*map(_encode, entries)))


def parse_open(raw: bytes) -> tuple[tuple[ExportedEntry, ...], tuple[Outline, ...]]:
    """Decode the open compartment. Raise IntegrityError if it is not valid: the content is authenticated, so the sender
    broke the rules."""
    try:
        entries, gated = split(_unpadded(raw), 2)
        found = tuple(map(_entry, split(entries)))
        told = tuple(_outline(split(heading, 3)) for heading in split(gated))
        _check_order([entry.name for entry in found], [entry.name for entry in told])
        if any(map(is_gated, found)) or any(entry.sensitivity < Sensitivity.HIGH for entry in told):
            raise FormatError("a sensitive entry is not gated, or another entry is")
    except FormatError as error:
        raise _broken(error) from None
    return found, told


def parse_gated(raw: bytes, told: Sequence[Outline]) -> tuple[ExportedEntry, ...]:
    """Decode the gated compartment. Raise IntegrityError unless its entries are those with the outlines `told`."""
    try:
        found = tuple(map(_entry, split(_unpadded(raw))))
        if tuple(map(outline, found)) != tuple(told):
            raise FormatError("the gated entries are not those that the open part lists")
    except FormatError as error:
        raise _broken(error) from None
    return found


def _encode(entry: ExportedEntry) -> bytes:
    content = entry.content.text.encode() if isinstance(entry.content, Reference) else entry.content
    return _heading(outline(entry)) + lp(content)


def _heading(told: Outline) -> bytes:
    return lp(told.name.encode(), _REFERENCE if told.is_reference else _VALUE, told.sensitivity.word.encode())


def _outline(parts: Sequence[bytes]) -> Outline:
    name, kind, sensitivity = parts
    if kind not in (_VALUE, _REFERENCE):
        raise FormatError("an entry is neither a value nor a reference")
    try:
        parse_secret_name(parse_text(name))
    except NameFormatError as error:
        raise FormatError(error.message) from None
    return Outline(parse_text(name), kind == _REFERENCE, Sensitivity.parse(parse_text(sensitivity)))


def _entry(raw: bytes) -> ExportedEntry:
    *heading, content = split(raw, 4)
    told = _outline(heading)
    if told.is_reference:
        return ExportedEntry(told.name, Reference(parse_text(content)), told.sensitivity)
    parse_text(content)
    if len(content) > MAX_VALUE_BYTES:
        raise FormatError(f"a value has more than {MAX_VALUE_BYTES} bytes")
    return ExportedEntry(told.name, content, told.sensitivity)


def _unpadded(raw: bytes) -> bytes:
    payload = unpad(raw)
    if payload is None:
        raise FormatError("its padding is damaged")
    return payload


def _check_order(*groups: list[str]) -> None:
    names = [name for group in groups for name in group]
    if any(group != sorted(group) for group in groups) or len({*names}) < len(names):
        raise FormatError("its entries are out of order, or one is there twice")


def _broken(error: FormatError) -> IntegrityError:
    return IntegrityError(f"the content of the package is not valid: {error.message}")
