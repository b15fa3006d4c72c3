"""Trees → YAML text: which scalars need quotes, and blocks and flows of them."""

from __future__ import annotations

import re

from pocket_protector.format.trees import Tree

INDENT = "  "

# YAML takes no longer key before a colon (section 7.4.2: 1024 characters).
_LONGEST_SIMPLE_KEY = 1000

# Plain in a block: nothing that YAML reads as an indicator, and no end of a line that it would trim.
_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._@+/=(),>-]|:(?=[^\s])| (?=[^\s#]))*")
# Words and numbers that other YAML readers resolve to something else than text.
_RESOLVED = re.compile(r"(?i:true|false|yes|no|on|off|null|y|n|\.inf|\.nan)|[-+.0-9][-+.0-9_:exob]*")


def scalar(text: str, *, flow: bool = False, value: bool = False) -> str:
    """The text as it may stand in a block or in a flow. A `value` is ours alone to read: only its form matters."""
    if text.isprintable():
        if not flow and _PLAIN.fullmatch(text) and (value or not _RESOLVED.fullmatch(text)):
            return text
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(map(_escaped, text)) + '"'


def is_simple(text: str) -> bool:
    """Whether the text can stand in double quotes as it is."""
    return text.isprintable() and "\\" not in text and '"' not in text and "'" not in text


def block(tree: Tree, indent: str) -> list[str]:
    """The lines of a mapping or a list that is not empty."""
    if isinstance(tree, list):
        return [f"{indent}- {scalar(item, value=True)}" for item in tree if isinstance(item, str)]
    assert isinstance(tree, dict)
    return [line for key, value in tree.items() for line in entry(key, value, indent)]


def entry(key: str, value: Tree, indent: str) -> list[str]:
    """The lines of one key and its value."""
    head = f"{indent}{scalar(key)}:"
    if len(head) > _LONGEST_SIMPLE_KEY:
        return [f"{indent}? {scalar(key)}", *_behind_long_key(value, indent)]
    if isinstance(value, str):
        return [f"{head} {scalar(value, value=True)}"]
    if not value:
        return [f"{head} {empty(value)}"]
    # A list's dashes stand under its key.
    return [head, *block(value, indent if isinstance(value, list) else indent + INDENT)]


def _behind_long_key(value: Tree, indent: str) -> list[str]:
    if isinstance(value, str) or not value:
        return [f"{indent}: {scalar(value, value=True) if isinstance(value, str) else empty(value)}"]
    return [f"{indent}:", *block(value, indent + INDENT)]


def flow(tree: Tree) -> str:
    """The tree on one line."""
    if isinstance(tree, str):
        return scalar(tree, flow=True)
    if isinstance(tree, list):
        return "[" + ", ".join(map(flow, tree)) + "]"
    return "{" + ", ".join(flow_entry(key, value) for key, value in tree.items()) + "}"


def flow_entry(key: str, value: Tree) -> str:
    return f"{scalar(key, flow=True)}: {flow(value)}"


def empty(tree: Tree) -> str:
    return "[]" if isinstance(tree, list) else "{}"


def _escaped(character: str) -> str:
    if character in '\\"':
        return "\\" + character
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
