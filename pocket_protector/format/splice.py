"""Change a protected file's text only where its content changes (docs/format.md, section 7).

Only the spans of changed nodes are replaced, by the offsets of the parser's events. So comments, order, quotes, line
ends and a missing final newline stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

from pocket_protector.document.names import EXTENSION_PREFIX
from pocket_protector.format import emit
from pocket_protector.format.nodes import Mapping, Node, Scalar, Sequence
from pocket_protector.format.patches import Patch, order
from pocket_protector.format.text_edits import Edits, end_of, start_of
from pocket_protector.format.trees import Tree

_Changes = dict[str, "_Changes | _Wanted"]


class _Wanted:
    """The new tree of a key; None removes the key."""

    __slots__ = ("tree",)

    def __init__(self, tree: Tree | None) -> None:
        self.tree = tree


def splice(text: str, root: Mapping, patches: list[Patch]) -> str:
    """Return `text` with `patches` applied.

    `root` is its root node. The keys of a patch, except the last, must lead through existing mappings. Raises
    StoreError if the layout cannot be edited in place.
    """
    nested: _Changes = {}
    for keys, tree in patches:
        level = nested
        for key in keys[:-1]:
            deeper = level.setdefault(key, {})
            assert isinstance(deeper, dict)
            level = deeper
        level[keys[-1]] = _Wanted(tree)
    edits = Edits(text)
    _change_mapping(edits, root, None, nested, in_flow=False)
    return edits.result()


def _change_mapping(edits: Edits, mapping: Mapping, key: Scalar | None, changes: _Changes, in_flow: bool) -> None:
    """Apply `changes` to the children of a mapping; `key` is the mapping's own key, None at the top."""
    gone: set[str] = set()
    new: dict[str, Tree] = {}
    for name, change in sorted(changes.items(), key=lambda item: order(mapping.path, item[0])):
        key_node, value = mapping.items.get(name, (None, None))
        if isinstance(change, dict):
            assert isinstance(value, Mapping)
            _change_mapping(edits, value, key_node, change, mapping.flow)
        elif change.tree is None:
            gone.add(name)
        elif key_node is None or value is None:
            new[name] = change.tree
        else:
            _change_value(edits, key_node, value, change.tree, mapping.flow)
    if not gone and not new:
        return
    if not mapping.flow:
        _change_block_children(edits, mapping, key, gone, new)
    elif mapping.items or in_flow or key is None:
        _change_flow_children(edits, mapping, gone, new)
    else:
        _replace_value(edits, key, mapping, new, in_flow)


def _change_value(edits: Edits, key: Scalar, value: Node, tree: Tree, in_flow: bool) -> None:
    """Change an existing value to `tree`; equal parts of it stay untouched."""
    if isinstance(value, Scalar) and isinstance(tree, str):
        if value.value != tree:
            _replace_scalar(edits, value, tree, in_flow)
    elif isinstance(value, Mapping) and isinstance(tree, dict):
        changes: _Changes = {name: _Wanted(subtree) for name, subtree in tree.items()}
        for name in value.items:
            if name not in tree and not name.startswith(EXTENSION_PREFIX):
                changes[name] = _Wanted(None)
        _change_mapping(edits, value, key, changes, in_flow)
    elif isinstance(value, Sequence) and isinstance(tree, list) and value.items and tree:
        _change_sequence(edits, value, tree)
    else:
        _replace_value(edits, key, value, tree, in_flow)


def _replace_scalar(edits: Edits, node: Scalar, text: str, in_flow: bool) -> None:
    """Replace a scalar by `text`, and keep its quotes if they can hold the text unescaped."""
    start, end = start_of(node), end_of(node)
    if node.style == "'" or (node.style == '"' and emit.is_simple(text)):
        new = node.style + text.replace("'", "''") + node.style
    else:
        new = emit.scalar(text, flow=in_flow, value=True)
    if edits.line_end(end) == end:
        # A block scalar includes its line end, and its indicator may have a comment.
        _, mark, comment = edits.text[start : edits.line_end(start)].rstrip().partition(" #")
        new += mark + comment + edits.newline
    edits.replace(start, end, new)


def _replace_value(edits: Edits, key: Scalar, value: Node, tree: Tree, in_flow: bool) -> None:
    """Replace a value by a tree of another kind; a comment between key and value stays."""
    start, end = edits.after_colon(key), end_of(value)
    between = edits.text[start : start_of(value)]
    comment = between.rstrip() if "#" in between else ""
    if in_flow:
        new = " " + emit.flow(tree)
    elif isinstance(tree, str) or not tree:
        new = " " + (emit.scalar(tree, value=True) if isinstance(tree, str) else emit.empty(tree))
    else:
        deeper = "" if isinstance(tree, list) else emit.INDENT
        new = "".join(edits.newline + line for line in emit.block(tree, " " * key.start_mark.column + deeper))
    if edits.line_end(end) == end:
        new += edits.newline
    edits.replace(start, end, comment + new)


def _change_block_children(
    edits: Edits, mapping: Mapping, key: Scalar | None, gone: set[str], new: dict[str, Tree]
) -> None:
    children = list(mapping.items.values())
    kept = [pair for name, pair in mapping.items.items() if name not in gone]
    for at, (key_node, value) in enumerate(children):
        if key_node.value in gone:
            start = start_of(key_node)
            if _begins_line(edits, key_node):
                edits.cut_lines(start, end_of(value))
            elif at + 1 < len(children):
                edits.replace(start, start_of(children[at + 1][0]), "")
            else:
                edits.replace(start, end_of(value), "{}")
    if not kept and not new:
        assert key is not None
        edits.replace(edits.after_colon(key), edits.after_colon(key), " {}")
    for name, tree in new.items():
        lines = emit.entry(name, tree, " " * mapping.column)
        edits.insert_lines(_place_in_block(edits, mapping, kept, name), lines)


def _place_in_block(edits: Edits, mapping: Mapping, kept: list[tuple[Scalar, Node]], name: str) -> int:
    """Return the offset for the lines of a new child: after the sibling that precedes it in order."""
    before = [pair for pair in kept if order(mapping.path, pair[0].value) < order(mapping.path, name)]
    if before:
        return edits.line_end(end_of(max(before, key=lambda pair: order(mapping.path, pair[0].value))[1]))
    first, value = next(iter(mapping.items.values()))
    if not _begins_line(edits, first):
        return edits.line_end(end_of(value))
    at = edits.line_start(start_of(first))
    while mapping.column and at:
        # Insert above the comments of the first sibling and below the line of the parent's key.
        above = edits.line_start(at - 1)
        if edits.text[above:at].strip() and not edits.text[above:at].lstrip().startswith("#"):
            break
        at = above
    return at


def _begins_line(edits: Edits, node: Scalar) -> bool:
    start = start_of(node)
    return not edits.text[edits.line_start(start) : start].strip(" ?")


def _change_flow_children(edits: Edits, mapping: Mapping, gone: set[str], new: dict[str, Tree]) -> None:
    kept = [pair for name, pair in mapping.items.items() if name not in gone]
    entries = {name: emit.flow_entry(name, tree) for name, tree in new.items()}
    if not kept:
        edits.replace(mapping.start + 1, mapping.end - 1, ", ".join(entries.values()))
        return
    for start, end in _flow_cuts(list(mapping.items.values()), gone):
        edits.replace(start, end, "")
    for name, text in entries.items():
        before = [pair for pair in kept if order(mapping.path, pair[0].value) < order(mapping.path, name)]
        if before:
            at = end_of(max(before, key=lambda pair: order(mapping.path, pair[0].value))[1])
            edits.replace(at, at, ", " + text)
        else:
            at = start_of(kept[0][0])
            edits.replace(at, at, text + ", ")


def _flow_cuts(children: list[tuple[Scalar, Node]], gone: set[str]) -> Iterator[tuple[int, int]]:
    """Yield one span for each run of removed neighbours, with the comma before it, or after it if it comes first."""
    behind: int | None = None
    run: list[tuple[Scalar, Node]] = []
    for key, value in children:
        if key.value in gone:
            run.append((key, value))
            continue
        if run:
            yield (start_of(run[0][0]), start_of(key)) if behind is None else (behind, end_of(run[-1][1]))
        behind, run = end_of(value), []
    if run and behind is not None:
        yield behind, end_of(run[-1][1])


def _change_sequence(edits: Edits, sequence: Sequence, trees: list[Tree]) -> None:
    """Change a list of texts, which must not be empty, to `trees`."""
    items = sequence.items
    old = [item.value for item in items if isinstance(item, Scalar)]
    appended = trees[len(old) :] if old == trees[: len(old)] else None
    if appended is not None:
        _append(edits, sequence, appended)
    elif sequence.flow:
        edits.replace(sequence.start + 1, sequence.end - 1, ", ".join(map(emit.flow, trees)))
    else:
        _change_block_items(edits, sequence, old, trees)


def _append(edits: Edits, sequence: Sequence, trees: list[Tree]) -> None:
    end = end_of(sequence.items[-1])
    if sequence.flow:
        edits.replace(end, end, "".join(", " + emit.flow(tree) for tree in trees))
    else:
        edits.insert_lines(edits.line_end(end), emit.block(trees, " " * sequence.column))


def _change_block_items(edits: Edits, sequence: Sequence, old: list[str], trees: list[Tree]) -> None:
    from difflib import SequenceMatcher

    items, texts = sequence.items, [str(tree) for tree in trees]
    for kind, start, end, new_start, new_end in SequenceMatcher(None, old, texts, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        for item in items[start:end]:
            edits.cut_lines(start_of(item), end_of(item))
        at = edits.line_end(end_of(items[start - 1])) if start else edits.line_start(start_of(items[0]))
        edits.insert_lines(at, emit.block(trees[new_start:new_end], " " * sequence.column))
