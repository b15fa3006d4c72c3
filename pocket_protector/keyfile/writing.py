"""A protected file on disk: reading it, writing it, and joining it with another version."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from pocket_protector import files
from pocket_protector.crypto.identity import Identity
from pocket_protector.document.document import Document
from pocket_protector.errors import MergeConflictError, StoreError
from pocket_protector.format.loaded_file import MAX_FILE_BYTES, LoadedFile, dump, load, load_text
from pocket_protector.keyfile.credentials import Creds
from pocket_protector.keyfile.document_version import DocumentVersion
from pocket_protector.keyfile.reading import View, now


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Stored(View):
    """A protected file that knows the version from which it was made."""

    _version: DocumentVersion = field(default_factory=lambda: DocumentVersion(None, None))

    # Making, reading and writing

    @classmethod
    def create(cls, path: str | os.PathLike[str]) -> Self:
        """Return a new file, which `write` puts on disk only where there is no file or an empty one."""
        return cls(os.fspath(path), None, Document.create(now()))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file of format 1, or of Pocket Protector 20.0.1 to 26.4.3, whole or not at all."""
        name = os.fspath(path)
        hint = "pprotect init makes one here; -f FILE or PPROTECT_FILE names another"
        return cls.from_bytes(files.read(name, MAX_FILE_BYTES, hint=hint), name)

    @classmethod
    def from_bytes(cls, raw: bytes, path: str | os.PathLike[str]) -> Self:
        """Read a file as `from_file` does, from bytes that were read from `path`."""
        return cls._loaded(load(raw), os.fspath(path))

    @classmethod
    def from_contents_and_path(cls, contents: str, path: str | os.PathLike[str]) -> Self:
        """Read a file as `from_file` does, from a text that was read from `path`."""
        return cls._loaded(load_text(contents), os.fspath(path))

    @classmethod
    def _loaded(cls, file: LoadedFile, path: str) -> Self:
        return cls(path, file, file.document, DocumentVersion(None, file.document))

    def get_contents(self) -> str:
        """Return the text for `write` to put on disk if the file there has not changed since it was read."""
        return self._rendered().text

    def write(self) -> Self:
        """Put this object's changes on disk, atomically and under a lock, and return the file now on disk.

        If the file changed meanwhile, both changes are joined. Raises MergeConflictError, and writes nothing, if both
        touch the same object.
        """
        from pocket_protector.changes.merge import merge

        with files.replacing(self.path) as target:
            raw = target.read(MAX_FILE_BYTES)
            base = self._version.base()
            if not raw or raw == self._version.resolves:
                written = self._rendered()
            elif base is None:
                raise StoreError(f"{self.path} exists already", hint="remove it first, or use it as it is")
            else:
                theirs = self._file if self._file and raw == self._file.text.encode() else load(raw)
                written = theirs.with_document(merge(base, self._document, theirs.document))
            new = written.text.encode()
            if new != raw:
                target.replace(new)
        self._version.synced = self._document
        return self._loaded(written, self.path)

    def joined(self, base: Self, theirs: Self, conflicted: bytes, creds: Creds | Identity | None = None) -> Self:
        """Return this file, one side of a git merge, with the changes from `base` to `theirs`.

        `write` may put the result in the place of `conflicted`, the bytes that git left on disk. Raises
        MergeConflictError, which names the objects that both sides changed. With an owner's credentials there is no
        conflict if both sides rotated a domain's key, or changed its policy.
        """
        from pocket_protector.changes.merge import merge

        sides = base._document, theirs._document, self._document.changeable()
        try:
            if creds is None:
                document = merge(*sides)
            else:
                from pocket_protector.changes.join import join

                document = join(*sides, self.unlock(creds), now())
        except MergeConflictError as error:
            rotated = creds is None and any(name.startswith("domain/") for name in error.objects)
            what_to_do = "an owner runs: pprotect join"
            if not rotated:
                what_to_do = "take one side (git checkout --ours, or --theirs), and redo the other's change"
            error.hint = f"nothing was written: {what_to_do}"
            raise
        return type(self)(self.path, self._file, document, DocumentVersion(self._version, None, conflicted))

    def joinable(self, base: Self, theirs: Self) -> list[str]:
        """Return the domains whose key or policy this file, one side of a merge, and `theirs` changed since `base`."""
        from pocket_protector.changes.join import joinable

        return joinable(base._document, self._document, theirs._document)

    def edited_by_hand(self, base: Self) -> bool:
        """Return whether more than this file's objects differs from `base`, such as comments and keys that begin with
        `x-`.
        """
        assert base._file is not None
        return base._file.with_document(self._document).text != self.get_contents()

    def is_made_from(self, other: Stored) -> bool:
        """Return whether this object is `other`, or was made from it by changes."""
        version: DocumentVersion | None = self._version
        while version is not None and version is not other._version:
            version = version.parent
        return version is not None

    def check_changeable(self) -> None:
        """Check that the file can be changed.

        Raises StoreError for a file of Pocket Protector's own format, which is never rewritten by accident.
        """
        self._document.changeable()

    # Inside

    def _changed(self, change: Callable[..., Document], *arguments: Any) -> Self:
        with self._locating():
            document = change(self._document, *arguments)
        return type(self)(self.path, self._file, document, DocumentVersion(self._version, None))

    def _rendered(self) -> LoadedFile:
        return dump(self._document) if self._file is None else self._file.with_document(self._document)
