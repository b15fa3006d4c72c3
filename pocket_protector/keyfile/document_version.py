"""The file version behind an object: the base of the merge when the object is written."""

from __future__ import annotations

from pocket_protector.document.document import Document


class DocumentVersion:
    """A version of a file, and the version from which it was made.

    `synced` is its document, once the document has been read from disk or written there. `resolves` has the unreadable
    bytes that a write may replace.
    """

    __slots__ = ("parent", "resolves", "synced")

    def __init__(self, parent: DocumentVersion | None, synced: Document | None, resolves: bytes | None = None) -> None:
        self.parent = parent
        self.synced = synced
        self.resolves: bytes | None = resolves if resolves is not None or parent is None else parent.resolves

    def base(self) -> Document | None:
        """Return the newest version, from this one back, that was on disk; the next write starts from it."""
        version: DocumentVersion | None = self
        while version is not None and version.synced is None:
            version = version.parent
        return version.synced if version is not None else None
