"""Write trees as YAML text: scalars with the quotes that they need, blocks and flows."""

from __future__ import annotations

import re

from pocket_protector.format.trees import Tree

INDENT = "  "

# YAML 1.2.2, section 7.4.2, allows a simple key at most 1024 characters.
_LONGEST_SIMPLE_KEY = 1000

# A plain scalar in a block: it has no indicator of YAML, and no final space for YAML to trim.
_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._@+/=(),>-]|:(?=[^\s])| (?=[^\s#]))*")
# Words and numbers that other YAML readers do not read as text.
_RESOLVED = re.compile(r"(?i:true|false|yes|no|on|off|null|y|n|\.inf|\.nan)|[-+.0-9][-+.0-9_:exob]*")


def scalar(text: str, *, flow: bool = False, value: bool = False) -> str:
    """Return the text as a YAML scalar for a block or, with `flow`, for a flow; it is quoted if necessary.

    Only this package reads a `value`, so a value that other readers would resolve to a number stays plain.
    """
    if text.isprintable():
        if not flow and _PLAIN.fullmatch(text) and (value or not _RESOLVED.fullmatch(text)):
            return text
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(map(_escaped, text)) + '"'


def is_simple(text: str) -> bool:
    """Return whether the text needs no escape in double quotes."""
    return text.isprintable() and "\\" not in text and '"' not in text and "'" not in text


def block(tree: Tree, indent: str) -> list[str]:
    """Return the lines of a mapping or list, which must not be empty, as a YAML block."""
    if isinstance(tree, list):
        return [f"{indent}- {scalar(item, value=True)}" for item in tree if isinstance(item, str)]
    assert isinstance(tree, dict)
    return [line for key, value in tree.items() for line in entry(key, value, indent)]


def entry(key: str, value: Tree, indent: str) -> list[str]:
    """Return the lines of one key and its value in a block."""
    head = f"{indent}{scalar(key)}:"
    if len(head) > _LONGEST_SIMPLE_KEY:
        return [f"{indent}? {scalar(key)}", *_behind_long_key(value, indent)]
    if isinstance(value, str):
        return [f"{head} {scalar(value, value=True)}"]
    if not value:
        return [f"{head} {empty(value)}"]
    # The dashes of a list have the indentation of its key.
    return [head, *block(value, indent if isinstance(value, list) else indent + INDENT)]


def _behind_long_key(value: Tree, indent: str) -> list[str]:
    if isinstance(value, str) or not value:
        return [f"{indent}: {scalar(value, value=True) if isinstance(value, str) else empty(value)}"]
    return [f"{indent}:", *block(value, indent + INDENT)]


def flow(tree: Tree) -> str:
    """Return the tree as a YAML flow on one line."""
    if isinstance(tree, str):
        return scalar(tree, flow=True)
    if isinstance(tree, list):
        return "[" + ", ".join(map(flow, tree)) + "]"
    return "{" + ", ".join(flow_entry(key, value) for key, value in tree.items()) + "}"


def flow_entry(key: str, value: Tree) -> str:
    """Return one key and its value for a YAML flow mapping."""
    return f"{scalar(key, flow=True)}: {flow(value)}"


def empty(tree: Tree) -> str:
    """Return the flow of an empty list or mapping."""
    return "[]" if isinstance(tree, list) else "{}"


def _escaped(character: str) -> str:
    if character in '\\"':
        return "\\" + character
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
