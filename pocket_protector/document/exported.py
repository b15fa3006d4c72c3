"""A domain on its way out of the file, as exporters and packages take it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pocket_protector.document.decrypted import decoded
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import PolicyError, command


@dataclass(frozen=True, slots=True, repr=False)
class ExportedEntry:
    """A secret: its name, the bytes of its value or a reference, and its sensitivity."""

    name: str
    content: bytes | Reference
    sensitivity: Sensitivity

    def __repr__(self) -> str:
        return f"<ExportedEntry {self.name!r}>"


@dataclass(frozen=True, slots=True)
class ExportedDomain:
    """Entries of one domain, sorted by name.

    `file_id` is the file's (16 bytes; empty for a file of Pocket Protector's). `production` is the word of the domain's
    policy, or None if it has none.
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
        """Return name → value, or the text of a reference. Raise StoreError for a value that is not UTF-8 text."""
        return {entry.name: _text(self.name, entry.name, entry.content) for entry in self.entries}

    def for_text(self) -> ExportedDomain:
        """Return the domain for a format that people can read: each reference becomes its text. Raise PolicyError,
        which names them, for inject-only values; the text of a reference is not one."""
        values = [entry for entry in self.entries if not isinstance(entry.content, Reference)]
        for_programs = [entry.name for entry in values if entry.sensitivity is Sensitivity.INJECT_ONLY]
        if for_programs:
            raise PolicyError(
                f"these values in {self.name!r} are inject-only, and are not exported: {', '.join(for_programs)}",
                hint=f"a program gets them: {command('run', self.name)} -- COMMAND",
            )
        entries = tuple(
            replace(entry, content=entry.content.text.encode()) if isinstance(entry.content, Reference) else entry
            for entry in self.entries
        )
        return replace(self, entries=entries)


def _text(domain: str, name: str, content: bytes | Reference) -> str:
    return content.text if isinstance(content, Reference) else decoded(domain, name, content)
