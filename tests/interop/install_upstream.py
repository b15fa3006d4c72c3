"""Install Pocket Protector from the package index, each version in an environment of its own.

    python tests/interop/install_upstream.py FOLDER

makes FOLDER/VERSION for each of VERSIONS, where that has not been done. Only the set-up of the tests runs this.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

VERSIONS = ("20.0.1", "26.4.3")

_DONE = "installed"


def install(folder: Path, version: str) -> None:
    environment = folder / version
    if (environment / _DONE).exists():
        return
    venv.create(environment, clear=True, with_pip=True)
    python = environment / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"pocket_protector=={version}"],
        check=True,
    )
    (environment / _DONE).touch()


def main() -> None:
    for version in VERSIONS:
        install(Path(sys.argv[1]), version)


if __name__ == "__main__":
    main()
