"""A decrypted domain in the form that exporters receive."""

from __future__ import annotations

from dataclasses import dataclass

from pocket_protector.document.decrypted import decoded
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity


@dataclass(frozen=True, slots=True, repr=False)
class ExportedEntry:
    """A secret's name, its value's bytes or the reference to it, and how carefully it is to be handled."""

    name: str
    content: bytes | Reference
    sensitivity: Sensitivity

    def __repr__(self) -> str:
        return f"<ExportedEntry {self.name!r}>"


@dataclass(frozen=True, slots=True)
class ExportedDomain:
    """A domain to export, and its entries, sorted by name.

    `file_id` has 16 bytes. `production` is the policy's statement: True, False, or None without one.
    """

    file_id: bytes
    name: str
    production: bool | None
    entries: tuple[ExportedEntry, ...]

    def __post_init__(self) -> None:
        names = [entry.name for entry in self.entries]
        if names != sorted({*names}):
            raise ValueError("exported entries are sorted by name, and none is there twice")

    def texts(self) -> dict[str, str]:
        """Return name → value, or the URI of a reference; StoreError for a value that is not UTF-8 text."""
        return {entry.name: _text(self.name, entry.name, entry.content) for entry in self.entries}


def _text(domain: str, name: str, content: bytes | Reference) -> str:
    return content.text if isinstance(content, Reference) else decoded(domain, name, content)
