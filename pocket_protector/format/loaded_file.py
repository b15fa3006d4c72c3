"""A protected file's bytes together with what they hold."""

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
    """The text of a file, and the document that it makes."""

    text: str
    document: Document

    def with_document(self, document: Document) -> LoadedFile:
        """This file changed so that it holds `document`; lines of other things stay as they are.

        The new text is read back and compared before it is returned. StoreError if it would be too large.
        """
        if document == self.document:
            return self
        from pocket_protector.format.patches import changes
        from pocket_protector.format.splice import splice

        return _verified(splice(self.text, parse_nodes(self.text), changes(self.document, document)), document)

    def locate(self, error: LocatedError) -> None:
        """Give `error` the line of the place that its keys name."""
        error.line = error.line or locate(parse_nodes(self.text), error.keys)


def load(raw: bytes, memo: Memo | None = None) -> LoadedFile:
    """Parse the bytes of a protected file of format 1, or of Pocket Protector's own; `memo` is for many versions of one
    file.

    FormatError or IntegrityError, with path and line, for the first fault; nothing is loaded in part.
    """
    if len(raw) > MAX_FILE_BYTES:
        raise FormatError(f"the file has more than {MAX_FILE_BYTES} bytes")
    text = _decode(raw)
    marker = _CONFLICT_MARKER.search(text) if "<<<<<<<" in text else None
    if marker:
        raise FormatError(
            "the file has git's conflict markers",
            hint="pprotect resolve joins the two sides, or names what both changed",
            line=text.count("\n", 0, marker.start()) + 1,
        )
    if not text.strip():
        raise FormatError("the file is empty", hint="pprotect init makes a new one")
    root = parse_tree(text)
    try:
        document = read_document(root, memo) if FILE_META in root else read_legacy_document(root)
    except LocatedError as error:
        error.line = locate(parse_nodes(text), error.keys)
        raise
    return LoadedFile(text, document)


def load_text(text: str) -> LoadedFile:
    """As `load`, for text."""
    try:
        return load(text.encode())
    except UnicodeEncodeError as error:
        # Text from elsewhere may hold halves of surrogate pairs, which no UTF-8 file does.
        raise FormatError("the text is not UTF-8 text", line=text.count("\n", 0, error.start) + 1) from None


def dump(document: Document) -> LoadedFile:
    """A new file of format 1 that holds `document`."""
    from pocket_protector.format import emit
    from pocket_protector.format.patches import changes

    lines = [
        line for keys, tree in changes(None, document) if tree is not None for line in emit.entry(keys[0], tree, "")
    ]
    return _verified("".join(line + "\n" for line in lines), document)


def _verified(text: str, document: Document) -> LoadedFile:
    """Nothing is written that would not be read back as what was meant."""
    if len(text.encode()) > MAX_FILE_BYTES:
        raise StoreError(
            f"the file would have more than {MAX_FILE_BYTES} bytes",
            hint="remove secrets that are no longer needed, or shorten the log: pprotect truncate-audit-log",
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
        raise FormatError("the file begins with a byte order mark", hint="save it as UTF-8 without one", line=1)
    return text
