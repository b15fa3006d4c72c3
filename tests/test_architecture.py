"""The layers hold: who imports whom, and what is done in one place only (docs/architecture.md, tools/layers.py)."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import layers
import pytest

MODULES = sorted(layers.PACKAGE.rglob("*.py"))

# What else has one home: a room, or a file or folder in one.
HOMES = {
    "nacl": ("crypto",),
    "argon2": ("crypto",),
    "ruamel": ("format",),
    "_ruamel_yaml": ("format",),
    "typer": ("cli",),
    "rich": ("cli",),
    "fcntl": ("files/atomic_write.py",),
    "subprocess": ("repository/git.py", "references/providers/one_password.py", "cli/programs.py"),
    "cryptography": ("packages/keys/ssh_key.py",),
    "boto3": ("references/providers/aws/aws_sm.py",),
    "botocore": ("references/providers/aws",),
    "azure": ("references/providers/azure",),
    "requests": ("references/providers/azure", "references/providers/gcp_sm.py"),
    "google": ("references/providers/gcp_sm.py",),
    "grpc": ("references/providers/gcp_sm.py",),
    "keyring": ("references/providers/system_keyring.py",),
    "urllib3": ("references/providers/vault",),
}
PURE = ("document", "changes", "trust", "format", "packages", "crypto")
"""The rooms that open nothing, ask nobody and read no clock."""
NOT_IMPORTED_BY_PURE = {"time", "pathlib", "io", "subprocess", "socket", "shutil", "tempfile"}
NOT_CALLED_BY_PURE = {"open", "input", "print", "datetime.now", "datetime.utcnow", "os.getenv", "os.open", "time.time"}
OPENERS = ("files", "cli/prompts.py", "cli/output.py", "references/providers/local.py")
"""Where `open` is called; all else goes through `files`."""


def place(module: Path) -> str:
    return module.relative_to(layers.PACKAGE).as_posix()


@pytest.mark.parametrize("module", MODULES, ids=place)
def test_module(module: Path) -> None:
    tree, mine = ast.parse(module.read_text(encoding="utf-8")), place(module)
    names = layers.imported(module)
    for name in names:
        homes = HOMES.get(name.partition(".")[0])
        assert homes is None or mine.startswith(homes), f"{name} is for {homes} only"
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    if layers.room_of_path(module) in PURE:
        assert not {name.partition(".")[0] for name in names} & NOT_IMPORTED_BY_PURE
        assert not called & NOT_CALLED_BY_PURE
        assert "environ" not in {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    if not mine.startswith(OPENERS):
        assert not called & {"open", "os.open"}
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 400
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < 60, node.name


def test_every_arrow_leads_down() -> None:
    assert layers.rooms() == layers.heights().keys()
    assert layers.upward() == []
    assert len(layers.rooms()) <= 20


def test_no_file_name_stands_twice() -> None:
    assert [name for name, times in Counter(m.name for m in MODULES).items() if times > 1] == ["__init__.py"]


def test_no_class_name_stands_twice() -> None:
    classes = Counter(
        node.name
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, times in classes.items() if times > 1] == []
