"""The public names of the package: imported when they are used, typed, and described in docs/library.md."""

from __future__ import annotations

import ast
import pickle
import re
import subprocess
import sys
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest

import pocket_protector

ROOT = Path(__file__).parents[2]
SOURCE = ast.parse((ROOT / "pocket_protector" / "__init__.py").read_text(encoding="utf-8"))
NAMES = [name for name in pocket_protector.__all__ if name != "__version__"]
TABLE = dict(
    re.findall(
        r"^\| `(\w+)` \| (.+) \|$",
        (ROOT / "docs" / "library.md").read_text(encoding="utf-8").partition("## All public names")[2],
        re.M,
    )
)


def python(code: str) -> str:
    """What a new process prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def homes() -> dict[str, str]:
    """Name → module, as type checkers see it."""
    [block] = [node for node in SOURCE.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    found = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        found |= {alias.name: str(node.module) for alias in node.names}
    return found


def test_type_checkers_see_what_is_there() -> None:
    assert homes() == {name: f"pocket_protector.{module}" for name, module in pocket_protector._HOMES.items()}
    assert sorted(homes()) == sorted(NAMES)
    assert len({*pocket_protector.__all__}) == len(pocket_protector.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_that_of_its_module(name: str) -> None:
    found = getattr(pocket_protector, name)
    assert found is getattr(import_module(homes()[name]), name)
    assert getattr(found, "__module__", homes()[name]) == homes()[name]


@pytest.mark.parametrize("name", ["nothing", "_HOME", "keyfile_", "Json", "__wrapped__"])
def test_another_name_is_not_there(name: str) -> None:
    with pytest.raises(AttributeError, match=f"module 'pocket_protector' has no attribute '{name}'"):
        getattr(pocket_protector, name)


def test_dir_has_all_of_them_before_they_are_used() -> None:
    code = "import pocket_protector as p; assert 'KeyFile' not in vars(p); print({*p.__all__} - {*dir(p)})"
    assert python(code) == "set()"


def test_all_of_them_can_be_imported_at_once() -> None:
    assert python("from pocket_protector import *; print(KeyFile.__name__, verify_history.__name__)") == (
        "KeyFile verify_history"
    )


def test_importing_the_package_imports_nothing_else_of_it() -> None:
    code = (
        "import sys, pocket_protector; print([m for m in sys.modules if m.startswith(('pocket_protector.', 'nacl'))])"
    )
    assert python(code) == "[]"


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("PPError", "crypto"),
        ("KeyFile", "repository"),
        ("KeyFile", "packages"),
        ("KeyFile", "plugins"),
        ("KeyFile", "user"),
        ("KeyFile", "trust"),
        ("export_as", "keyfile"),
        ("seal_package", "repository"),
    ],
)
def test_a_name_imports_what_it_needs_alone(name: str, module: str) -> None:
    code = f"import sys; from pocket_protector import {name}; print('pocket_protector.{module}' in sys.modules)"
    assert python(code) == "False"


def test_an_error_that_was_pickled_elsewhere_is_the_same_class_here() -> None:
    made = "p.PPKeyError('secret', 'a', ['b'], hint='hint')"
    code = f"import pickle, pocket_protector as p; print(pickle.dumps({made}).hex())"
    error = pickle.loads(bytes.fromhex(python(code)))
    assert type(error) is pocket_protector.PPKeyError
    assert (error.message, error.hint) == ("no secret named 'a' (known: b)", "hint")
    assert python("import pickle, pocket_protector as p; print(pickle.loads(pickle.dumps(p.KeyFile)).__name__)") == (
        "KeyFile"
    )


def test_the_document_lists_them_all() -> None:
    assert sorted(TABLE) == sorted(pocket_protector.__all__)
    assert len({*TABLE.values()}) == len(TABLE)


@pytest.mark.parametrize("name", NAMES)
def test_each_has_a_docstring(name: str) -> None:
    found = getattr(pocket_protector, name)
    if isinstance(found, type) or callable(found):
        text = vars(found)["__doc__"] if isinstance(found, type) else found.__doc__
        # A dataclass without a docstring gets its signature.
        assert text
        assert not text.startswith(f"{name}(")
    else:
        assert name in documented_constants(homes()[name])


def documented_constants(module: str) -> set[str]:
    """The names that a module gives a value, with a docstring behind it."""
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return {
        ast.unparse(node.targets[0])
        for node, after in pairwise(body)
        if isinstance(node, ast.Assign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
    }


def test_the_check_for_docstrings_can_fail() -> None:
    assert "PACKAGE" in documented_constants("pocket_protector.plugins.registry")
    assert "_made" not in documented_constants("pocket_protector.plugins.registry")
