"""What is built and installed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import pocket_protector

CHECKOUT = Path(__file__).parents[2]

# Read here: later, tests see no variables of ours.
_REQUIRED = os.environ.get("PPROTECT_TEST_REQUIRE_ALL") == "1"


def build(target: str, tmp_path: Path) -> Path:
    """Build the wheel or the sdist of the checkout; no network is used."""
    if not importlib.util.find_spec("hatchling"):
        missing = "no hatchling to build with"
        pytest.fail(missing) if _REQUIRED else pytest.skip(missing)
    source, built = tmp_path / "source", tmp_path / "built"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "build", "dist")
    shutil.copytree(CHECKOUT, source, ignore=ignored)
    shutil.copy(CHECKOUT / ".gitignore", source)
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", target, "-d", built], cwd=source, check=True)
    (made,) = built.iterdir()
    return made


def test_the_wheel_holds_the_package_and_nothing_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(build("wheel", tmp_path)) as wheel:
        names = set(wheel.namelist())
        metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
        assert "Name: pprotect\n" in wheel.read(metadata).decode()
    assert {name.partition("/")[0] for name in names} == {"pocket_protector", metadata.partition("/")[0]}
    sources = {str(path.relative_to(CHECKOUT)) for path in (CHECKOUT / "pocket_protector").rglob("*.py")}
    assert sources | {"pocket_protector/py.typed"} == {name for name in names if name.startswith("pocket_protector/")}


def test_the_sdist_holds_what_builds_and_tests_it(tmp_path: Path) -> None:
    with tarfile.open(build("sdist", tmp_path)) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "PKG-INFO", "pocket_protector/py.typed"} <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith(".tox")]


@pytest.mark.skipif(not _REQUIRED, reason="while developing, the package may be the checkout's")
def test_the_tests_run_on_the_installed_package() -> None:
    assert CHECKOUT / "pocket_protector" not in Path(pocket_protector.__file__).parents
    version = importlib.metadata.version("pprotect")
    assert version == pocket_protector.__version__
