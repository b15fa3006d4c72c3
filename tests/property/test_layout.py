"""A write changes only the lines of what it changed, whatever the layout (P3).

Files in random layouts are edited at random; ruamel's own composer then says which lines belong to what differs,
and all other lines must be the same.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from difflib import SequenceMatcher, unified_diff
from typing import Any

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from samples import ALICE, BOB, GOOD, parse, raw_key

from pocket_protector import Creds, KeyFile
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity

SEEDS = 150
EDITS = 8

Path_ = tuple[Any, ...]


# What stands where, as ruamel's composer sees it


def compose(text: str) -> MappingNode:
    return YAML(typ="safe", pure=True).compose(text)


def plain(node: Any) -> Any:
    """Nodes as dicts, lists and texts."""
    if isinstance(node, MappingNode):
        return {key.value: plain(value) for key, value in node.value}
    return [plain(item) for item in node.value] if isinstance(node, SequenceNode) else node.value


def last_line(key: Any, node: Any) -> int:
    """The line of the last character of a node; marks of blocks lie behind the comments that follow them."""
    if isinstance(node, ScalarNode) and not node.value and not node.style:
        return key.end_mark.line
    if isinstance(node, ScalarNode) or node.flow_style or not node.value:
        behind = node.end_mark.column == 0 and node.end_mark.line > key.start_mark.line
        return node.end_mark.line - behind
    child = node.value[-1]
    return max(last_line(*child), child[0].end_mark.line) if isinstance(child, tuple) else last_line(child, child)


def spans(node: Any, path: Path_ = (), flow: range | None = None) -> Iterator[tuple[Path_, range]]:
    """Each key's or item's path, and its lines; what stands in a flow has all lines of the flow."""
    children = node.value if isinstance(node, MappingNode) else [(item, item) for item in node.value]
    for at, (key, value) in enumerate(children):
        here = (*path, key.value if isinstance(node, MappingNode) else at)
        lines = flow or range(key.start_mark.line, last_line(key, value) + 1)
        yield here, lines
        if not isinstance(value, ScalarNode):
            inside = lines if value.flow_style else None
            yield from spans(value, here, flow or inside)


def differing(old: Any, new: Any, path: Path_ = ()) -> tuple[set[Path_], set[Path_]]:
    """The paths that differ, in the old and in the new tree; what came or went is named by its top."""
    gone: set[Path_] = set()
    come: set[Path_] = set()
    if isinstance(old, dict) and isinstance(new, dict):
        gone |= {(*path, key) for key in old.keys() - new.keys()}
        come |= {(*path, key) for key in new.keys() - old.keys()}
        for key in old.keys() & new.keys():
            inner_gone, inner_come = differing(old[key], new[key], (*path, key))
            gone, come = gone | inner_gone, come | inner_come
        if bool(old) != bool(new):  # `{}` gives way to children, or they to it
            gone, come = gone | ({path} if not old else set()), come | ({path} if not new else set())
    elif isinstance(old, list) and isinstance(new, list):
        for kind, start, end, new_start, new_end in SequenceMatcher(
            None, [*map(str, old)], [*map(str, new)], autojunk=False
        ).get_opcodes():
            if kind != "equal":
                gone |= {(*path, at) for at in range(start, end)}
                come |= {(*path, at) for at in range(new_start, new_end)}
        if bool(old) != bool(new):
            gone, come = gone | ({path} if not old else set()), come | ({path} if not new else set())
    elif old != new:
        gone, come = {path}, {path}
    return gone, come


def untouched(
    text: str, root: MappingNode, changed: set[Path_], elsewhere: set[Path_], emptied: set[Path_]
) -> list[str]:
    """The lines that belong to nothing that changed here, nor to a flow in whose midst something came or went."""
    found = dict(spans(root))
    taken: set[int] = set()
    for path in changed & found.keys():
        taken |= set(found[path])
    for path in changed | elsewhere:
        for end in range(1, len(path) + 1):
            if path[:end] in found and is_flow(root, path[:end]):
                taken |= set(found[path[:end]])
    for path in emptied:
        taken |= set(range(found[path].start, key_end(text, root, path) + 1))
    kept = "\n".join(line for at, line in enumerate(text.splitlines()) if at not in taken)
    return kept.rstrip("\n").split("\n")


def descend(root: Any, path: Path_) -> tuple[Any, Any]:
    key, node = None, root
    for part in path:
        if isinstance(node, MappingNode):
            key, node = next(pair for pair in node.value if pair[0].value == part)
        else:
            key = node = node.value[part]
    return key, node


def is_flow(root: Any, path: Path_) -> bool:
    node = descend(root, path)[1]
    return not isinstance(node, ScalarNode) and bool(node.flow_style)


def key_end(text: str, root: Any, path: Path_) -> int:
    """The line of the colon behind a key, which may have a line of its own."""
    return text.count("\n", 0, text.index(":", descend(root, path)[0].end_mark.index))


def check_edit(old: str, new: str) -> None:
    """Only lines of what differs may differ; comments and extensions are all there, but in what was removed."""
    old_root, new_root = compose(old), compose(new)
    old_tree, new_tree = plain(old_root), plain(new_root)
    gone, come = differing(old_tree, new_tree)
    both = {path for path, _ in spans(old_root)} & {path for path, _ in spans(new_root)}
    # A block whose children all went is written `{}` or `[]` (and back): then its key's line is its own.
    emptied = {p for p in gone | come if p in both and not isinstance(descend(old_root, p)[1], ScalarNode)}
    before, after = untouched(old, old_root, gone, come, emptied), untouched(new, new_root, come, gone, emptied)
    assert not list(unified_diff(before, after, n=0))
    removed = [set(lines) for path, lines in spans(old_root) if path in gone - both]
    for at, line in enumerate(old.splitlines()):
        if not any(at in lines for lines in removed):
            for mark in re.findall(r"#c\d+;|x-\d+:", line):
                assert mark in new, mark
    if not any(len(old.splitlines()) - 1 in lines for lines in removed):
        assert old.endswith("\n") == new.endswith("\n")
    if "\r\n" in old:
        assert new.count("\n") == new.count("\r\n")
    else:
        assert "\r" not in new


# Random layouts


class Layout:
    """Writes a tree in a random style; every comment and extension has a number of its own."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.chance = {style: rng.choice([0, 0, 0.1, 0.4]) for style in ("comment", "x", "flow", "odd", "blank", "?")}
        self.numbers = iter(range(10000))

    def happens(self, what: str) -> bool:
        return self.rng.random() < self.chance[what]

    def text(self, tree: dict[str, Any]) -> str:
        lines = self.mapping(tree, 0, top=True)
        if self.happens("comment"):
            lines.append(f"#c{next(self.numbers)}; the end")
        end = self.rng.choice(["\n", "\n", "\r\n"])
        return end.join(lines) + (end if self.rng.random() < 0.7 else "")

    def mapping(self, tree: dict[str, Any], indent: int, *, top: bool = False) -> list[str]:
        lines = []
        for key, value in tree.items():
            lines += self.between(indent)
            lines += self.entry(key, value, indent, flow=not top and self.happens("flow"))
        lines += self.extension(indent)
        return lines

    def between(self, indent: int) -> list[str]:
        lines = [""] if self.happens("blank") else []
        if self.happens("comment"):
            column = self.rng.choice([indent, indent, 0])
            lines.append(" " * column + f"#c{next(self.numbers)}; a: 'note")
        return lines + self.extension(indent)

    def extension(self, indent: int) -> list[str]:
        if not self.happens("x"):
            return []
        number = next(self.numbers)
        value = self.rng.choice([" 2026", " [1, {a: b}]", "\n" + " " * (indent + 1) + "deep: yes", " 'a: #b'", ""])
        return f"{' ' * indent}x-{number}:{value}".split("\n")

    def entry(self, key: str, value: Any, indent: int, *, flow: bool) -> list[str]:
        name = self.key(key)
        head = " " * indent + name + ":"
        tail = f"  #c{next(self.numbers)}; why" if self.happens("comment") else ""
        if flow or value in ({}, []):
            return [f"{head} {self.flow(value)}{tail}"]
        if self.happens("?"):
            head = " " * indent + "? " + name + "\n" + " " * indent + ":"
        if isinstance(value, str):
            return self.scalar(head, value, indent, tail)
        if isinstance(value, list):
            dash = " " * (indent + self.rng.choice([0, 2])) + "-" + " " * self.rng.choice([1, 3])
            items = [line for item in value for line in (*self.comment(indent), dash + self.inline(item))]
            return f"{head}{tail}".split("\n") + items
        return f"{head}{tail}".split("\n") + self.mapping(value, indent + self.rng.choice([1, 2, 2, 4]))

    def comment(self, indent: int) -> list[str]:
        return [" " * indent + f"#c{next(self.numbers)}; item"] if self.happens("comment") else []

    def key(self, key: str) -> str:
        return self.inline(key) if self.happens("odd") else key

    def inline(self, text: str) -> str:
        if not self.happens("odd"):
            return text
        return self.rng.choice([f"'{text}'", f'"{text}"'])

    def flow(self, value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"'{key}': {self.flow(inner)}" for key, inner in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(self.flow, value)) + "]"
        return self.rng.choice([f"'{value}'", f'"{value}"'])

    def scalar(self, head: str, text: str, indent: int, tail: str) -> list[str]:
        deeper = " " * (indent + self.rng.choice([1, 2, 3]))
        if not self.happens("odd"):
            return f"{head} {text}{tail}".split("\n")
        styles = [
            f"{head} '{text}'{tail}",
            f'{head}   "{text}"{tail}',
            f"{head}{tail}\n{deeper}{text}",
            f"{head} \n{deeper}{text}{tail}",
            f"{head} >-{tail}\n{deeper}{text}",
            f"{head} |-\n{deeper}{text}",
            f'{head} "{text[:7]}\\\n{deeper}{text[7:]}"{tail}',
        ]
        return self.rng.choice(styles).split("\n")


# Random edits


def edit(file: KeyFile, rng: random.Random) -> KeyFile:  # noqa: C901, PLR0911, PLR0912 (one case after the other)
    number = rng.randrange(1000)
    domain = rng.choice(file.get_domain_names())
    names = file.get_domain_secret_names(domain)
    owner = next(creds for creds in (BOB, ALICE) if creds.name in file.get_domain_owner_names(domain))
    kind = rng.choice(
        "add add add update update refer refer level rm rm_all rotate rotate forget domain rm_domain owner rm_owner "
        "custodian rm_custodian passphrase rekey truncate many".split(" ")
    )
    if kind in ("update", "rm", "rm_all") and names:
        name = rng.choice(names)
        if kind == "update":
            return file.update_secret(domain, name, "new")
        for gone in names if kind == "rm_all" else [name]:
            file = file.rm_secret(domain, gone)
        return file
    if kind == "refer":
        name = rng.choice([*names, f"{rng.choice('akz')}{number}"])
        signer, level = rng.choice([None, owner]), rng.choice([None, Sensitivity.INJECT_ONLY])
        reference = Reference(f"aws-sm://name/{number}{rng.choice(['', '#a.b'])}")
        return file.set_secret(domain, name, reference, creds=signer, sensitivity=level)
    if kind == "level" and names:
        name, level = rng.choice(names), rng.choice([*Sensitivity])
        if file.get_secret_sensitivity(domain, name) is not level:
            return file.set_sensitivity(domain, name, level, creds=owner)
    if kind in ("rotate", "forget"):
        return file.rotate_domain_key(domain, owner, history=kind == "rotate")
    if kind == "domain" and f"d{number}" not in file.get_domain_names():
        return file.add_domain(f"d{number}", owner.name).add_secret(f"d{number}", "a", "1")
    if kind == "rm_domain" and len(file.get_domain_names()) > 1:
        return file.rm_domain(domain)
    if kind == "owner":
        return file.add_owner(domain, rng.choice(file.get_key_custodian_names()), owner)
    if kind == "rm_owner" and len(file.get_domain_owner_names(domain)) > 1:
        leaving = next(o for o in file.get_domain_owner_names(domain) if o != owner.name)
        return file.rm_owner(domain, leaving, owner if file.is_signed(domain) else None)
    if kind == "custodian" and f"new{number}" not in file.get_key_custodian_names():
        return file.add_raw_key_custodian(Creds(f"new{number}", raw_key(5)))
    if kind == "rm_custodian" and (
        others := [n for n in file.get_key_custodian_names() if n.startswith(("new", "car"))]
    ):
        name = rng.choice(others)
        owned = file.get_custodian_domains(name)
        if all(len(file.get_domain_owner_names(d)) > 1 and not file.is_signed(d) for d in owned):
            return file.rm_key_custodian(name)
    if kind == "passphrase":
        return file.set_key_custodian_passphrase(BOB, BOB.passphrase, raw_key=True)
    if kind == "rekey":
        return file.rekey_custodian(BOB, BOB, raw_key=True)
    if kind == "truncate":
        return file.truncate_audit_log(rng.randrange(12))
    for extra in range(3 if kind == "many" else 1):
        file = file.set_secret(domain, f"{rng.choice('akz')}{number}-{extra}", f"value {number}")
    return file


@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_edits_change_only_their_own_lines(seed: int) -> None:
    rng = random.Random(seed)
    text = Layout(rng).text(plain(compose(GOOD)))
    file = parse(text)
    assert file == parse(GOOD)
    for _ in range(EDITS):
        edited = edit(file, rng)
        new = edited.get_contents()
        again = parse(new)
        assert again == edited
        check_edit(text, new)
        text, file = new, again
    assert SEEDS * EDITS >= 1000
