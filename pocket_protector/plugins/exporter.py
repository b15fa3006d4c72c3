"""What an export format is."""

from __future__ import annotations

from typing import Any, Protocol

from pocket_protector.document.exported import ExportedDomain


class DomainExporter(Protocol):
    """One format that a key domain leaves the file in.

    It is made without arguments, once a process. It writes nothing, and asks nobody: what it makes is what it returns.
    """

    seals: bool
    """Whether nobody reads what it makes but whom it is sealed to. Then it is given inject-only values, and references
    as pointers; and `pprotect export` does not offer it."""

    def export(self, domain: ExportedDomain, request: Any = None) -> bytes:
        """The domain in the format. Unless it seals, no content is a `Reference`, and no entry inject-only.

        `request` is what a command of its own asks of it, and None from `pprotect export`. StoreError for what the
        format cannot hold: it names the entry, and has nothing of the value.
        """
        ...
