"""Collect edits of a text by offset, and apply them together."""

from __future__ import annotations

import re

from pocket_protector.errors import StoreError
from pocket_protector.format.nodes import Collection, Mapping, Node, Scalar

# The line ends of YAML. Offsets count characters, as the parser's marks do.
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


class Edits:
    """Replacements (start, end, new text) in `text`. They must not overlap."""

    def __init__(self, text: str) -> None:
        first = _BREAK.search(text)
        self.newline = first[0] if first else "\n"
        ending = _BREAK.search(text, max(len(text) - 1, 0))
        # Add a missing final line end for the time of the edits, so that none of them has to handle its absence.
        self._added_end = "" if ending else self.newline
        self.text = text + self._added_end
        self._edits: list[tuple[int, int, str]] = []

    def replace(self, start: int, end: int, new: str) -> None:
        """Replace the characters from `start` up to `end`."""
        self._edits.append((start, end, new))

    def insert_lines(self, at: int, lines: list[str]) -> None:
        """Insert whole lines before the line that begins at `at`."""
        self.replace(at, at, "".join(line + self.newline for line in lines))

    def cut_lines(self, start: int, end: int) -> None:
        """Remove the lines from that of `start` to that of `end`, both included."""
        self.replace(self.line_start(start), self.line_end(end), "")

    def line_start(self, at: int) -> int:
        """Return the offset of the first character of the line at `at`."""
        if at and self.text.startswith("\r\n", at - 1):
            at -= 1
        while at and not _BREAK.fullmatch(self.text, at - 1, at):
            at -= 1
        return at

    def line_end(self, at: int) -> int:
        """Return the offset of the next line: `at` itself after a line end, as at the end of a block scalar."""
        if at and _BREAK.fullmatch(self.text, at - 1, at):
            return at
        found = _BREAK.search(self.text, at)
        return found.end() if found else len(self.text)

    def after_colon(self, key: Scalar) -> int:
        """Return the offset after the colon of a key."""
        return self.text.index(":", key.end_mark.index) + 1

    def result(self) -> str:
        """Return the edited text. Raises StoreError if two edits overlap."""
        parts, at = [], 0
        for start, end, new in sorted(self._edits, key=lambda edit: edit[:2]):
            if start < at:
                raise StoreError(
                    "this file's layout cannot be edited in place", hint="write each entry on lines of its own"
                )
            parts += [self.text[at:start], new]
            at = end
        return "".join([*parts, self.text[at:]]).removesuffix(self._added_end)


def start_of(node: Node) -> int:
    """Return the offset of the first character of a node."""
    return node.start if isinstance(node, Collection) else int(node.start_mark.index)


def end_of(node: Node) -> int:
    """Return the offset after the last character of a node.

    The parser's end mark of a block lies after the comments that follow it, so the end of its last scalar counts.
    """
    if isinstance(node, Scalar):
        return int(node.end_mark.index)
    if node.flow or not node.items:
        return node.end
    if isinstance(node, Mapping):
        key, value = next(reversed(node.items.values()))
        return max(int(key.end_mark.index), end_of(value))
    return end_of(node.items[-1])
