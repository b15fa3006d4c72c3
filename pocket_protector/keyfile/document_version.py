"""Which version of a file an object was made from, so that a write knows what to join."""

from __future__ import annotations

from pocket_protector.document.document import Document


class DocumentVersion:
    """One object of a lineage: `synced` is its document once that was read from disk or written there; `resolves` are
    bytes, which cannot be read, that it may take the place of."""

    __slots__ = ("parent", "resolves", "synced")

    def __init__(self, parent: DocumentVersion | None, synced: Document | None, resolves: bytes | None = None) -> None:
        self.parent = parent
        self.synced = synced
        self.resolves: bytes | None = resolves if resolves is not None or parent is None else parent.resolves

    def base(self) -> Document | None:
        """What the next write starts from: the newest version on the way back that was on disk."""
        version: DocumentVersion | None = self
        while version is not None and version.synced is None:
            version = version.parent
        return version.synced if version is not None else None
