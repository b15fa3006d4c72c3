"""Print the rooms of the package, from the top layer down, and every arrow between them, drawn from the real imports.

A room is a folder or a module at the top of `pocket_protector`. The exit
status is 1 if an arrow leads up or a room is not listed.

    python tools/layers.py
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "pocket_protector"

LAYERS = (
    ("__main__",),
    ("cli",),
    ("file_keys",),
    ("",),
    ("user",),
    ("keyfile",),
    ("references", "repository"),
    ("packages",),
    ("exports",),
    ("plugins",),
    ("changes",),
    ("trust",),
    ("format",),
    ("document",),
    ("crypto", "files"),
    ("errors",),
)
"""The rooms, the top layer first; "" is the package's own `__init__`. A room imports from the layers below its own."""


def imported(path: Path) -> set[str]:
    """The absolute names of all that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative imports hide the layer"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room_of_path(path: Path) -> str:
    """The room that a module of the package stands in."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py").replace("__init__", "")


def rooms() -> set[str]:
    """The rooms there are."""
    return {room_of_path(path) for path in PACKAGE.rglob("*.py")}


def arrows() -> dict[tuple[str, str], set[str]]:
    """(importing room, imported room) → the modules that import."""
    known = rooms()
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for path in sorted(PACKAGE.rglob("*.py")):
        mine = room_of_path(path)
        for name in imported(path):
            top, _, rest = name.partition(".")
            if top != "pocket_protector":
                continue
            theirs = rest.split(".")[0]
            theirs = theirs if theirs in known else ""
            if theirs != mine:
                found[mine, theirs].add(str(path.relative_to(PACKAGE)))
    return found


def heights() -> dict[str, int]:
    """Room → how many layers stand below its own."""
    return {room: height for height, layer in enumerate(reversed(LAYERS)) for room in layer}


def upward() -> list[str]:
    """The arrows that do not lead down."""
    height = heights()
    return [
        f"{one or 'package'} -> {other or 'package'} ({', '.join(sorted(modules))})"
        for (one, other), modules in sorted(arrows().items())
        if height.get(one, -1) <= height.get(other, 99)
    ]


def main() -> int:
    """Print rooms and arrows; the exit status."""
    found = arrows()
    lines: dict[str, int] = defaultdict(int)
    for path in PACKAGE.rglob("*.py"):
        lines[room_of_path(path)] += len(path.read_text(encoding="utf-8").splitlines())
    for layer in LAYERS:
        for room in layer:
            below = sorted(other or "package" for one, other in found if one == room)
            print(f"{room or 'package':12} {lines[room]:6} lines  -> {', '.join(below) or '-'}")
    unlisted = rooms() - heights().keys()
    wrong = upward()
    print(f"{len(rooms())} rooms, {len(found)} arrows, {len(wrong)} upward")
    for text in [*wrong, *(f"not in LAYERS: {room}" for room in sorted(unlisted))]:
        print(f"  {text}")
    return 1 if wrong or unlisted else 0


if __name__ == "__main__":
    sys.exit(main())
