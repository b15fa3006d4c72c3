"""What stands beside the package, and variables that it does not obey."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from shell import SECONDS, Result, Shell, assert_harmless
from upstream import NEW, installed

import pocket_protector


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed packages that has a copy of this one."""
    source = Path(pocket_protector.__file__).parent
    shutil.copytree(source, tmp_path / "site" / "pocket_protector", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "site"


def run(shell: Shell, site: Path, *words: str) -> Result:
    done = subprocess.run(
        [sys.executable, "-m", "pocket_protector", *words],
        cwd=shell.folder,
        env=shell.environment({"PYTHONPATH": str(site)}),
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=SECONDS,
    )
    err = done.stderr.decode()
    assert_harmless(err)
    return Result(done.returncode, done.stdout, err)


@pytest.mark.parametrize("name", ["pprotect-26.11.0.dist-info", "pocket_protector_other-1.dist-info", "x"])
def test_alone(team: Shell, site: Path, name: str) -> None:
    (site / name).mkdir()
    assert run(team, site, "list-domains").out == "dev\nprod\n"


@pytest.mark.parametrize(
    "name",
    [
        "pocket_protector-26.4.3.dist-info",
        "pocket_protector-20.0.1.dist-info",
        "pocket_protector-20.0.1-py3.11.egg-info",
    ],
)
@pytest.mark.parametrize("words", [("list-domains",), ("--version",), ("-h",)])
def test_beside_the_older_one(team: Shell, site: Path, name: str, words: tuple[str, ...]) -> None:
    (site / name).mkdir()
    run(team, site, *words).failed(2, "both installed", "pip uninstall -y pocket_protector && pip install")


@pytest.mark.parametrize("last", ["older", "ours"])
def test_the_older_one_itself(team: Shell, tmp_path: Path, last: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever was installed last: its files are in the place of the other's."""
    # Coverage would count the older one's files as ours.
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    upstream = installed(NEW)
    (theirs,) = upstream.environment.glob("lib/python*/site-packages")
    folders = {"older": theirs, "ours": Path(pocket_protector.__file__).parents[1]}
    site = tmp_path / "site"
    for name in sorted(folders, key=lambda name: name == last):
        for path in folders[name].glob("pocket_protector*"):
            shutil.copytree(path, site / path.name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    script = "from pocket_protector.__main__ import main; main()"
    python = {"older": upstream.python, "ours": sys.executable}[last]  # which has what that one depends on
    result = team._result([python, "-c", script], None, {"PYTHONPATH": str(site)}, None)
    result.failed(2, "both installed", "pip uninstall -y pocket_protector && pip install --force-reinstall")


@pytest.mark.parametrize("value", ["1", "true", "YES", " yes "])
def test_the_variable_that_lifts_caps_is_refused(team: Shell, value: str) -> None:
    result = team("list-domains", env={"PPROTECT_TRUST_KDF_PARAMS": value})
    result.failed(2, "the variable PPROTECT_TRUST_KDF_PARAMS is not obeyed", "unset PPROTECT_TRUST_KDF_PARAMS")


@pytest.mark.parametrize("value", ["", "0", "no"])
def test_and_ignored_where_it_asks_for_nothing(team: Shell, value: str) -> None:
    assert team.done("list-domains", env={"PPROTECT_TRUST_KDF_PARAMS": value}) == "dev\nprod\n"


def test_as_a_module(team: Shell) -> None:
    result = team._result([sys.executable, "-m", "pocket_protector", "list-domains"], None, None, None)
    assert result.out == "dev\nprod\n"


def test_from_an_archive(team: Shell, site: Path) -> None:
    archive = Path(shutil.make_archive(str(site), "zip", site))
    assert run(team, archive, "list-domains").out == "dev\nprod\n"
