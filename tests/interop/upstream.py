"""Pocket Protector itself, as the tests use it: in environments that `install_upstream.py` made."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from install_upstream import VERSIONS

OLD, NEW = VERSIONS

STEPS = Path(__file__).parent / "scripts" / "steps.py"

# Read here: later, tests see no variables of ours.
_FOLDER = os.environ.get("PPROTECT_TEST_UPSTREAM", "")
_REQUIRED = os.environ.get("PPROTECT_TEST_REQUIRE_ALL") == "1"


@dataclass(frozen=True)
class Upstream:
    """One version of Pocket Protector."""

    version: str
    environment: Path

    @property
    def python(self) -> str:
        return str(self.environment / "bin" / "python")

    def steps(self, path: Path, *steps: list[Any]) -> list[Any]:
        """Call methods of a `KeyFile` on the file at `path`, made if need be, and write it; what they returned."""
        done = self.run([self.python, str(STEPS), str(path)], json.dumps(steps))
        assert done.returncode == 0, done.stderr
        returned: list[Any] = json.loads(done.stdout)
        return returned

    def command(self, folder: Path, *words: str, answers: str = "", **variables: str) -> subprocess.CompletedProcess:
        """The command line, its questions answered on stdin."""
        return self.run([str(self.environment / "bin" / "pprotect"), *words], answers, folder, **variables)

    def run(
        self, command: list[str], stdin: str, folder: Path | None = None, **variables: str
    ) -> subprocess.CompletedProcess:
        base = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONUTF8": "1"}
        return subprocess.run(
            command,
            input=stdin,
            cwd=folder,
            env=base | variables,
            encoding="utf-8",
            capture_output=True,
            check=False,
            timeout=120,
            # Without a terminal, it reads passphrases from stdin too.
            start_new_session=True,
        )


def installed(version: str) -> Upstream:
    """That version; the test is skipped where there is none, unless all tests have to run."""
    environment = Path(_FOLDER) / version
    if not _FOLDER or not environment.exists():
        missing = (
            f"no Pocket Protector {version}: run install_upstream.py, and set PPROTECT_TEST_UPSTREAM to its folder"
        )
        pytest.fail(missing) if _REQUIRED else pytest.skip(missing)
    return Upstream(version, environment)


def creds(name: str, passphrase: str) -> dict[str, str]:
    """Credentials as a step takes them."""
    return {"name": name, "passphrase": passphrase}
