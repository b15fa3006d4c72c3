"""The YAML subset that protected files are written in, as nodes that know their place in the text.

A scalar node is the event of ruamel's C parser itself: `value` is its source text, never resolved to a type.
"""

from __future__ import annotations

from typing import Any, NoReturn

from _ruamel_yaml import CParser
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from pocket_protector.errors import FormatError

MAX_DEPTH = 16
MAX_NODES = 500_000

Scalar = ScalarEvent


class Collection:
    """What mappings and sequences share: `flow` style, and the offsets of their first and last character."""

    __slots__ = ("column", "end", "flow", "line", "start")

    def __init__(self, event: Any, flow: bool) -> None:
        mark = event.start_mark
        self.start: int = mark.index
        self.column: int = mark.column
        self.line: int = mark.line + 1
        self.flow = flow
        self.end: int = self.start


class Mapping(Collection):
    """Items in source order: key text → (key node, value node)."""

    __slots__ = ("items",)

    def __init__(self, event: Any, flow: bool) -> None:
        super().__init__(event, flow)
        self.items: dict[str, tuple[Scalar, Node]] = {}


class Sequence(Collection):
    __slots__ = ("items",)

    def __init__(self, event: Any, flow: bool) -> None:
        super().__init__(event, flow)
        self.items: list[Node] = []


Node = Scalar | Mapping | Sequence


def line_of(node: Node) -> int:
    """The line that a node begins on, from 1."""
    return node.line if isinstance(node, Collection) else int(node.start_mark.line) + 1


def locate(root: Mapping, keys: tuple[str, ...]) -> int:
    """The line of the deepest key on the way along `keys` that is there."""
    line, node = root.line, root
    for key in keys:
        if not isinstance(node, Mapping) or key not in node.items:
            break
        key_node, value = node.items[key]
        line = line_of(key_node)
        node = value  # type: ignore[assignment]
    return line


def parse_nodes(text: str) -> Mapping:
    """Parse one document whose top is a mapping.

    FormatError, with the line, for what YAML refuses and for what this subset leaves out: aliases, anchors,
    tags, directives, merge keys, duplicate keys, keys that are no scalars, further documents, and anything
    deeper than 16 levels or of more than 500,000 nodes.
    """
    try:
        return _parse(CParser(text).get_event)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise FormatError(f"not valid YAML: {error.problem}", line=mark.line + 1 if mark else 0) from None
    except YAMLError as error:
        raise FormatError(f"not valid YAML: {str(error).splitlines()[0]}") from None


def _parse(next_event: Any) -> Mapping:
    holder = _start_document(next_event)
    stack: list[Mapping | Sequence] = []
    current: Mapping | Sequence = holder
    pending: Scalar | None = None
    for _ in range(MAX_NODES):
        event = next_event()
        kind = type(event)
        if kind is ScalarEvent:
            if event.tag is not None or event.anchor is not None:
                _refuse_decoration(event)
            if type(current) is Mapping:
                if pending is None:
                    if event.value in current.items or event.value == "<<":
                        _refuse_key(event)
                    pending = event
                else:
                    current.items[pending.value] = (pending, event)
                    pending = None
            else:
                current.items.append(event)  # type: ignore[union-attr]
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            if event.tag is not None or event.anchor is not None:
                _refuse_decoration(event)
            opened = (Mapping if kind is MappingStartEvent else Sequence)(event, event.flow_style)
            if type(current) is Mapping:
                if pending is None:
                    raise FormatError("a key is a scalar", line=opened.line)
                current.items[pending.value] = (pending, opened)
                pending = None
            else:
                current.items.append(opened)  # type: ignore[union-attr]
            stack.append(current)
            if len(stack) > MAX_DEPTH:
                raise FormatError(f"nested deeper than {MAX_DEPTH} levels", line=opened.line)
            current = opened
        elif kind is AliasEvent:
            raise FormatError("YAML aliases are not allowed", line=event.start_mark.line + 1)
        elif stack:
            current.end = event.end_mark.index
            current = stack.pop()
        else:
            return _finish(holder, next_event)
    raise FormatError(f"more than {MAX_NODES} nodes")


def _start_document(next_event: Any) -> Sequence:
    """Up to the document's start; what collects its one top node."""
    event = next_event()
    if type(event) is StreamStartEvent:
        event = next_event()
    if type(event) is not DocumentStartEvent:
        raise FormatError("the file is empty", hint="pprotect init makes a new one")
    if event.version is not None or event.tags:
        raise FormatError("YAML directives are not allowed", line=event.start_mark.line + 1)
    return Sequence(event, flow=False)


def _finish(holder: Sequence, next_event: Any) -> Mapping:
    event = next_event()
    if type(event) is not StreamEndEvent:
        raise FormatError("a second YAML document is not allowed", line=event.start_mark.line + 1)
    top = holder.items[0]
    if not isinstance(top, Mapping):
        raise FormatError("the top level is a mapping", line=line_of(top))
    return top


def _refuse_decoration(event: Any) -> NoReturn:
    what = "tags" if event.tag is not None else "anchors"
    raise FormatError(f"YAML {what} are not allowed", line=event.start_mark.line + 1)


def _refuse_key(event: Any) -> NoReturn:
    what = "YAML merge keys are not allowed" if event.value == "<<" else "the key stands twice"
    raise FormatError(what, keys=(event.value,), line=event.start_mark.line + 1)
