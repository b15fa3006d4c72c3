"""The text of a protected file together with the document in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pocket_protector.document.document import Document
from pocket_protector.document.names import FILE_META
from pocket_protector.errors import FormatError, LocatedError, StoreError
from pocket_protector.format.fields import Memo
from pocket_protector.format.nodes import locate, parse_nodes
from pocket_protector.format.read_legacy import read_legacy_document
from pocket_protector.format.read_v1 import read_document
from pocket_protector.format.trees import parse_tree

MAX_FILE_BYTES = 10 * 1024 * 1024

_CONFLICT_MARKER = re.compile(r"^(?:<{7}|\|{7}|={7}|>{7})(?:[ \r\n]|\Z)", re.MULTILINE)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LoadedFile:
    """The text of a protected file and the document that was read from it."""

    text: str
    document: Document

    def with_document(self, document: Document) -> LoadedFile:
        """Return this file with `document` in it; only the lines of changed objects differ (docs/format.md, section 7).

        The new text is read back and compared before it is returned. Raises StoreError if the file would be too
        large, or if its layout cannot hold the change.
        """
        if document == self.document:
            return self
        from pocket_protector.format.patches import changes
        from pocket_protector.format.splice import splice

        return _verified(splice(self.text, parse_nodes(self.text), changes(self.document, document)), document)

    def locate(self, error: LocatedError) -> None:
        """Set the line of `error` from its keys, unless it has one."""
        error.line = error.line or locate(parse_nodes(self.text), error.keys)


def load(raw: bytes, memo: Memo | None = None) -> LoadedFile:
    """Parse the bytes of a protected file, of format 1 or of Pocket Protector's format.

    `memo` saves work when many versions of one file are loaded. Raises FormatError or IntegrityError, with path and
    line, for the first fault; nothing is loaded in part.
    """
    if len(raw) > MAX_FILE_BYTES:
        raise FormatError(f"the file has more than {MAX_FILE_BYTES} bytes")
    text = _decode(raw)
    marker = _CONFLICT_MARKER.search(text) if "<<<<<<<" in text else None
    if marker:
        raise FormatError(
            "the file has git's conflict markers",
            hint="run: pprotect resolve",
            line=text.count("\n", 0, marker.start()) + 1,
        )
    if not text.strip():
        raise FormatError("the file is empty", hint="create a new one with: pprotect init")
    root = parse_tree(text)
    try:
        document = read_document(root, memo) if FILE_META in root else read_legacy_document(root)
    except LocatedError as error:
        error.line = locate(parse_nodes(text), error.keys)
        raise
    return LoadedFile(text, document)


def load_text(text: str) -> LoadedFile:
    """Parse the text of a protected file. Raises the errors of `load`."""
    try:
        return load(text.encode())
    except UnicodeEncodeError as error:
        # A str may hold half of a surrogate pair, and UTF-8 cannot encode that.
        raise FormatError("the text cannot be encoded as UTF-8", line=text.count("\n", 0, error.start) + 1) from None


def dump(document: Document) -> LoadedFile:
    """Return a new file of format 1 with `document` in it. Raises StoreError if it would be too large."""
    from pocket_protector.format import emit
    from pocket_protector.format.patches import changes

    lines = [
        line for keys, tree in changes(None, document) if tree is not None for line in emit.entry(keys[0], tree, "")
    ]
    return _verified("".join(line + "\n" for line in lines), document)


def _verified(text: str, document: Document) -> LoadedFile:
    """Return the text as a loaded file, after checking that it reads back as `document`."""
    if len(text.encode()) > MAX_FILE_BYTES:
        raise StoreError(
            f"the file would have more than {MAX_FILE_BYTES} bytes",
            hint="remove secrets that nobody needs, or shorten the log: pprotect truncate-audit-log",
        )
    try:
        loaded = load_text(text)
    except LocatedError as error:
        raise StoreError(f"the change cannot be written into this file's layout ({error})") from None
    if loaded.document != document:
        raise StoreError("the change cannot be written into this file's layout")
    return loaded


def _decode(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise FormatError("the file is not UTF-8 text", line=raw.count(b"\n", 0, error.start) + 1) from None
    if text.startswith("\ufeff"):
        raise FormatError(
            "the file begins with a byte order mark", hint="save the file as UTF-8 without the mark", line=1
        )
    return text
