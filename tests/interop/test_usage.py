"""One script of Pocket Protector's Python interface does the same with theirs and with ours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from upstream import Upstream

SCRIPT = Path(__file__).parent / "scripts" / "usage.py"


def test_the_same_script_does_the_same(new: Upstream, tmp_path: Path) -> None:
    theirs = new.run([new.python, str(SCRIPT), str(tmp_path / "theirs.yaml")], "")
    assert theirs.returncode == 0, theirs.stderr
    ours = subprocess.run(
        [sys.executable, SCRIPT, tmp_path / "ours.yaml"],
        cwd=tmp_path,
        encoding="utf-8",
        capture_output=True,
        check=False,
    )
    assert ours.returncode == 0, ours.stderr
    seen, expected = json.loads(ours.stdout), json.loads(theirs.stdout)
    # A PPError as well, and it names the owners.
    assert (seen.pop("no such owner"), expected.pop("no such owner")) == ("PPKeyError", "PPError")
    assert seen == expected
