"""Edits of a text by offset, gathered first and applied together."""

from __future__ import annotations

import re

from pocket_protector.errors import StoreError
from pocket_protector.format.nodes import Collection, Mapping, Node, Scalar

# What ends a line for YAML. Offsets count characters, as the parser's marks do.
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


class Edits:
    """Replacements (start, end, new text) in `text` that do not overlap."""

    def __init__(self, text: str) -> None:
        first = _BREAK.search(text)
        self.newline = first[0] if first else "\n"
        ending = _BREAK.search(text, max(len(text) - 1, 0))
        # With a last line end lent, no edit has to care whether there is one.
        self._lent = "" if ending else self.newline
        self.text = text + self._lent
        self._edits: list[tuple[int, int, str]] = []

    def replace(self, start: int, end: int, new: str) -> None:
        self._edits.append((start, end, new))

    def insert_lines(self, at: int, lines: list[str]) -> None:
        """Whole lines before the one that begins at `at`."""
        self.replace(at, at, "".join(line + self.newline for line in lines))

    def cut_lines(self, start: int, end: int) -> None:
        """The lines from that of `start` to that of `end`."""
        self.replace(self.line_start(start), self.line_end(end), "")

    def line_start(self, at: int) -> int:
        if at and self.text.startswith("\r\n", at - 1):
            at -= 1
        while at and not _BREAK.fullmatch(self.text, at - 1, at):
            at -= 1
        return at

    def line_end(self, at: int) -> int:
        """Where the next line begins; `at` itself if it is the end of a block scalar, which takes in its line end."""
        if at and _BREAK.fullmatch(self.text, at - 1, at):
            return at
        found = _BREAK.search(self.text, at)
        return found.end() if found else len(self.text)

    def after_colon(self, key: Scalar) -> int:
        """The offset behind the colon of a key."""
        return self.text.index(":", key.end_mark.index) + 1

    def result(self) -> str:
        parts, at = [], 0
        for start, end, new in sorted(self._edits, key=lambda edit: edit[:2]):
            if start < at:
                raise StoreError(
                    "this file's layout cannot be edited in place", hint="put each entry on lines of its own"
                )
            parts += [self.text[at:start], new]
            at = end
        return "".join([*parts, self.text[at:]]).removesuffix(self._lent)


def start_of(node: Node) -> int:
    return node.start if isinstance(node, Collection) else int(node.start_mark.index)


def end_of(node: Node) -> int:
    """Behind the last character of a node. A block's own end mark lies after the comments that follow it, so it is
    the end of its last scalar that counts."""
    if isinstance(node, Scalar):
        return int(node.end_mark.index)
    if node.flow or not node.items:
        return node.end
    if isinstance(node, Mapping):
        key, value = next(reversed(node.items.values()))
        return max(int(key.end_mark.index), end_of(value))
    return end_of(node.items[-1])
