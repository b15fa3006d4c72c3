"""Parse the YAML subset into nodes with offsets and lines, for edits and for the places of errors.

A scalar node is the event of ruamel's C parser itself.
"""

from __future__ import annotations

from typing import Any

from _ruamel_yaml import CParser
from ruamel.yaml.events import (
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

Scalar = ScalarEvent


class Collection:
    """The common part of mappings and sequences: style, place, and `end`, the offset after the last character."""

    __slots__ = ("column", "end", "flow", "line", "start")

    def __init__(self, event: Any) -> None:
        mark = event.start_mark
        self.start: int = mark.index
        self.column: int = mark.column
        self.line: int = mark.line + 1
        self.flow: bool = event.flow_style
        self.end: int = self.start


class Mapping(Collection):
    """A mapping: `items` in source order, key text → (key node, value node), and `path`, its keys from the top down."""

    __slots__ = ("items", "path")

    def __init__(self, event: Any, path: tuple[str, ...]) -> None:
        super().__init__(event)
        self.path = path
        self.items: dict[str, tuple[Scalar, Node]] = {}


class Sequence(Collection):
    """A list: its items in source order."""

    __slots__ = ("items",)

    def __init__(self, event: Any) -> None:
        super().__init__(event)
        self.items: list[Node] = []


Node = Scalar | Mapping | Sequence


def parse_nodes(text: str) -> Mapping:
    """Return the root mapping of a text. `trees.parse_tree` must have accepted the text."""
    parser = CParser(text)
    stack: list[tuple[Mapping | Sequence | None, Scalar | None]] = []
    current: Mapping | Sequence | None = None
    key: Scalar | None = None
    while True:
        event = parser.get_event()
        kind = type(event)
        if kind is ScalarEvent and isinstance(current, Mapping) and key is None:
            key = event
            continue
        if kind is MappingEndEvent or kind is SequenceEndEvent:
            assert current is not None
            node: Node = current
            current.end = event.end_mark.index
            current, key = stack.pop()
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            stack.append((current, key))
            path = (*current.path, key.value) if isinstance(current, Mapping) and key is not None else ()
            current, key = Mapping(event, path) if kind is MappingStartEvent else Sequence(event), None
            continue
        elif kind is ScalarEvent:
            node = event
        elif kind is DocumentEndEvent:
            assert isinstance(node, Mapping)
            return node
        else:
            continue
        if isinstance(current, Mapping):
            assert key is not None
            current.items[key.value] = (key, node)
            key = None
        elif current is not None:
            current.items.append(node)


def locate(root: Mapping, keys: tuple[str, ...]) -> int:
    """Return the line, counted from 1, of the deepest existing key along `keys`."""
    line = root.line
    node: Node = root
    for key in keys:
        if not isinstance(node, Mapping) or key not in node.items:
            break
        key_node, node = node.items[key]
        line = int(key_node.start_mark.line) + 1
    return line
