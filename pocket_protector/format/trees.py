"""Parse the YAML subset of protected files into texts, lists and mappings (docs/format.md, section 7).

Every scalar is its source text; none is resolved to a number, a date or a truth value.
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
MAX_EVENTS = 500_000

Tree = str | list["Tree"] | dict[str, "Tree"]


def parse_tree(text: str) -> dict[str, Tree]:
    """Parse one YAML document with a mapping at the top.

    Raises FormatError, with the line, for invalid YAML and for everything outside the subset: aliases, anchors, tags,
    directives, merge keys, duplicate keys, keys that are not scalars, further documents, more than 16 levels, and
    more than 500,000 events.
    """
    try:
        return _parse(CParser(text).get_event)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise FormatError(f"not valid YAML: {error.problem}", line=mark.line + 1 if mark else 0) from None
    except YAMLError as error:
        raise FormatError(f"not valid YAML: {str(error).splitlines()[0]}") from None


def _parse(next_event: Any) -> dict[str, Tree]:  # noqa: C901, PLR0912 (one loop: it is the hot path)
    _start_document(next_event)
    top: list[Tree] = []
    current: Any = top
    stack: list[Any] = []
    key: str | None = None
    for _ in range(MAX_EVENTS):
        event = next_event()
        kind = type(event)
        if kind is ScalarEvent:
            if event.tag is not None or event.anchor is not None:
                _refuse_decoration(event)
            if type(current) is list:
                current.append(event.value)
            elif key is None:
                key = event.value
                if key in current or key == "<<":
                    _refuse_key(event)
            else:
                current[key] = event.value
                key = None
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            opened: Any = _open(event, len(stack))
            if type(current) is list:
                current.append(opened)
            elif key is None:
                _refuse(event, "a key must be a text")
            else:
                current[key] = opened
                key = None
            stack.append(current)
            current = opened
        elif kind is AliasEvent:
            _refuse(event, "YAML aliases are not allowed")
        elif stack:
            current = stack.pop()
        else:
            return _end_document(next_event, event, top[0])
    raise FormatError(f"more than {MAX_EVENTS} entries")


def _start_document(next_event: Any) -> None:
    event = next_event()
    if type(event) is StreamStartEvent:
        event = next_event()
    if type(event) is not DocumentStartEvent:
        raise FormatError("the file is empty", hint="create a new one with: pprotect init")
    if event.version is not None or event.tags:
        _refuse(event, "YAML directives are not allowed")


def _open(event: Any, depth: int) -> Tree:
    if event.tag is not None or event.anchor is not None:
        _refuse_decoration(event)
    if depth >= MAX_DEPTH:
        _refuse(event, f"nested deeper than {MAX_DEPTH} levels")
    return {} if type(event) is MappingStartEvent else []


def _end_document(next_event: Any, end: Any, top: Tree) -> dict[str, Tree]:
    event = next_event()
    if type(event) is not StreamEndEvent:
        _refuse(event, "a second YAML document is not allowed")
    if not isinstance(top, dict):
        _refuse(end, "the top level must be a mapping")
    return top


def _refuse(event: Any, message: str, *keys: str) -> NoReturn:
    raise FormatError(message, keys=keys, line=event.start_mark.line + 1)


def _refuse_decoration(event: Any) -> NoReturn:
    _refuse(event, f"YAML {'tags' if event.tag is not None else 'anchors'} are not allowed")


def _refuse_key(event: Any) -> NoReturn:
    _refuse(event, "YAML merge keys are not allowed" if event.value == "<<" else "duplicate key", event.value)
