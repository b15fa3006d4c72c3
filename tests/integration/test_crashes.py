"""Killed writers: the file is the old one or the new one, always, and the next write clears up."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from shell import BIN

from pocket_protector import Creds, KeyFile

KILLS = 200
OWNER = Creds("ci", "P" + "8c" * 32 + "P")
FILE = "protected.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with nothing but a file of 300 secrets."""
    path = tmp_path / "work"
    path.mkdir()
    file = KeyFile.create(path / FILE).add_raw_key_custodian(OWNER).add_domain("dev", OWNER.name)
    for number in range(300):
        file = file.add_secret("dev", f"s{number}", "a value" * 10)
    file.write()
    return path


def set_secret(folder: Path, value: str) -> subprocess.Popen[bytes]:
    # Without coverage: a killed process leaves broken data of it.
    variables = {name: text for name, text in os.environ.items() if not name.startswith("COVERAGE_")}
    process = subprocess.Popen(
        [BIN / "pprotect", "set-secret", "dev", "s150"],
        cwd=folder,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(value.encode() + b"\n")
    process.stdin.close()
    return process


def finish(process: subprocess.Popen[bytes]) -> int:
    assert process.stderr is not None
    with process.stderr:
        err = process.stderr.read()
    status = process.wait()
    assert b"Traceback" not in err, err.decode()
    return status


def lasts(folder: Path) -> float:
    """How long the command takes, unharmed."""
    start = time.monotonic()
    assert finish(set_secret(folder, "first")) == 0
    return time.monotonic() - start


@pytest.mark.long
def test_kills_at_random_moments(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half of them at any moment of the process; the others once the temporary file is there, which is the write."""
    chance = random.Random(9)
    path = folder / FILE
    duration = max(lasts(folder) for _ in range(3))
    outcomes = {"old": 0, "new": 0, "stray": 0}
    for number in range(KILLS):
        old = path.read_bytes()
        process = set_secret(folder, f"value {number}")
        if number % 2:
            time.sleep(chance.uniform(0, 1.2 * duration))
        else:
            while len(os.listdir(folder)) == 1 and process.poll() is None:
                pass
            time.sleep(chance.choice((0, chance.uniform(0, 0.05))))
        process.send_signal(signal.SIGKILL)
        finish(process)
        if path.read_bytes() == old:
            outcomes["old"] += 1
        else:
            outcomes["new"] += 1
            values = KeyFile.from_file(path).decrypt_domain("dev", OWNER)
            assert values["s150"] == f"value {number}"
            assert len(values) == 300
        stray = set(os.listdir(folder)) - {FILE}
        assert len(stray) <= 1
        if stray:
            outcomes["stray"] += 1
            KeyFile.from_file(path).set_secret("dev", "s151", f"after {number}").write()
            assert os.listdir(folder) == [FILE]
            assert KeyFile.from_file(path).decrypt_domain("dev", OWNER)["s151"] == f"after {number}"
    assert finish(set_secret(folder, "last")) == 0
    assert os.listdir(folder) == [FILE]
    assert KeyFile.from_file(path).decrypt_domain("dev", OWNER)["s150"] == "last"
    with capsys.disabled():
        print(
            f"\n{KILLS} kills: {outcomes['old']} left the old file, {outcomes['new']} the new one,"
            f" {outcomes['stray']} a temporary file, which the next write took over"
        )
    assert min(outcomes.values()) > 0, "no kill hit the write: the test shows nothing"


def test_a_write_over_what_a_killed_one_left(folder: Path) -> None:
    """Whatever stands in the temporary file, longer than the new content or not a word of it."""
    path = folder / FILE
    left = folder / f".{FILE}.pprotect-new"
    for content in (b"", b"half a fi", path.read_bytes() * 3):
        left.write_bytes(content)
        KeyFile.from_file(path).set_secret("dev", "s1", "new").write()
        assert os.listdir(folder) == [FILE]
        assert len(KeyFile.from_file(path).decrypt_domain("dev", OWNER)) == 300
