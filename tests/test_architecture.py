"""The layers hold: who imports whom, and what is done in one place only (docs/architecture.md)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "pocket_protector"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Who may import each part of the package, beside the part itself.
IMPORTERS = {
    "errors": {
        *("crypto", "model", "format", "trust", "files", "git", "environment", "credentials", "view", "keyfile", "cli"),
        *("pins", "history", "stored", "plugins", "packages", "known", "resolving", "access_log", ""),
    },
    "crypto": {
        *("model", "format", "trust", "packages", "pins", "known", "view", "stored", "keyfile", "credentials"),
        *("cli", ""),
    },
    "model": {
        *("format", "trust", "plugins", "packages", "pins", "lineage", "history", "view", "stored", "keyfile"),
        *("credentials", "resolving", "access_log", "cli", ""),
    },
    "packages": {"known", "cli"},
    "known": {"cli"},
    "plugins": {"resolving", "keyfile", "cli"},
    "resolving": {"access_log", "view", "keyfile", "cli"},
    "access_log": {"view"},
    "format": {"trust", "pins", "history", "view", "stored", "cli"},
    "trust": {"view", "pins", "history", "packages", "cli"},
    "pins": {"cli"},
    "history": {"cli"},
    "lineage": {"stored"},
    "view": {"stored", "keyfile", "cli"},
    "stored": {"keyfile"},
    "files": {"known", "pins", "history", "stored", "access_log", "cli"},
    "git": {"history", "cli"},
    "environment": {"plugins", "cli"},
    "credentials": {"view", "stored", "keyfile", "cli", ""},
    "keyfile": {"cli", ""},
    "cli": {"__main__"},
    "": {"cli", "file_keys"},
}
# What else has one home.
HOMES = {
    "nacl": "crypto",
    "argon2": "crypto",
    "ruamel": "format",
    "_ruamel_yaml": "format",
    "typer": "cli",
    "rich": "cli",
    "fcntl": "files",
    **dict.fromkeys(("azure", "boto3", "botocore", "google", "grpc", "keyring", "requests", "urllib3"), "plugins"),
    "cryptography": "packages",
}
NOT_IMPORTED_BY_MODEL = {"time", "pathlib", "io", "subprocess", "socket", "shutil", "tempfile"}
NOT_CALLED_BY_MODEL = {"open", "input", "print", "datetime.now", "datetime.utcnow", "os.getenv", "os.open", "time.time"}


def part(module: Path) -> str:
    """`model` of model/names.py, `files` of files.py, nothing for the package itself."""
    relative = module.relative_to(PACKAGE)
    return relative.parts[0].removesuffix(".py").replace("__init__", "")


def imports(tree: ast.Module) -> set[str]:
    """The absolute names of all that a module imports, wherever in it."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports hide the layer"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(PACKAGE)))
def test_module(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    mine = part(module)
    for name in imports(tree):
        top, _, rest = name.partition(".")
        if top == "pocket_protector" and rest:
            imported = rest.split(".")[0]
            if not any(part(other) == imported for other in MODULES):
                imported = ""
            assert imported == mine or mine in IMPORTERS[imported], f"{mine or 'package'} imports {name}"
        assert HOMES.get(top, mine) == mine, f"{top} is for {HOMES.get(top)} only"
    if mine in ("model", "trust"):
        assert not {name.partition(".")[0] for name in imports(tree)} & NOT_IMPORTED_BY_MODEL
        assert not {ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)} & NOT_CALLED_BY_MODEL
        assert "environ" not in {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    if mine == "crypto":
        assert {n.split(".")[1] for n in imports(tree) if n.startswith("pocket_protector.")} <= {"crypto", "errors"}
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 400
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < 60, node.name


def test_every_module_is_looked_at() -> None:
    assert {part(module) for module in MODULES} >= {"crypto", "model", "format", "files", "keyfile", "credentials"}
