"""The protocol of an export format."""

from __future__ import annotations

from typing import Protocol

from pocket_protector.document.exported import ExportedDomain


class DomainExporter(Protocol):
    """One text format for a key domain's values (docs/plugins.md).

    `pprotect` makes an exporter without arguments, once in a process. An exporter returns its output: it writes no
    file, prints nothing and asks nobody.
    """

    def export(self, domain: ExportedDomain) -> bytes:
        """Return the domain in this format.

        The content of each entry is bytes: the caller has resolved each reference, or put its text there, and has
        refused inject-only values. Raises StoreError for an entry that the format cannot hold; the message names the
        entry and holds nothing of its value.
        """
        ...
