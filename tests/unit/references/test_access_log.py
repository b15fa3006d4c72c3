"""The user's own log of what references led to."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pocket_protector import Reference
from pocket_protector.references import access_log

NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
PLACE = ("dev", "a")
REFERENCES = {
    PLACE: Reference("aws-sm://eu-west-1/tulip?version-id=" + "1" * 32 + "#tulip"),
    ("dev", "b"): Reference("b://x"),
}

# A process that records many accesses, as fast as it can.
RECORDING = """
import sys
import time
from pocket_protector import files
for number in range(200):
    files.append_private(sys.argv[1], f"{sys.argv[2]} {number} {'x' * 100}\\n".encode(), int(sys.argv[3]))
"""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "above" / "state"
    monkeypatch.setenv("PPROTECT_STATE_DIR", str(folder))
    return folder


def record(references: dict[tuple[str, str], Reference] = REFERENCES) -> bool:
    log = access_log.AccessLog("protected.yaml", lambda: NOW)
    log.note(references)
    return log.complete


def test_a_line_for_each(state: Path) -> None:
    assert record()
    text = (state / "access.log").read_text()
    common = {"time": "2026-11-22T10:00:00Z", "file": os.path.abspath("protected.yaml"), "domain": "dev"}
    assert [json.loads(line) for line in text.splitlines()] == [
        {**common, "secret": "a", "scheme": "aws-sm"},
        {**common, "secret": "b", "scheme": "b"},
    ]
    assert "tulip" not in text


def test_half_a_line_of_before_spoils_no_other(state: Path) -> None:
    state.mkdir(parents=True)
    (state / "access.log").write_text('{"time": "20')
    assert record()
    assert [json.loads(line)["secret"] for line in (state / "access.log").read_text().splitlines()[1:]] == ["a", "b"]


def test_very_many_of_one_uri_do_not_fill_it(state: Path) -> None:
    assert record({("dev", f"s{number}"): Reference(f"b://x#{number}") for number in range(5000)})
    lines = [json.loads(line) for line in (state / "access.log").read_text().splitlines()]
    assert (len(lines), lines[-1]["more"]) == (100, "4900")


def test_somebody_who_holds_the_log_up(state: Path) -> None:
    state.mkdir(parents=True)
    with (state / "access.log").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        begun = time.monotonic()
        assert not record()
    assert time.monotonic() - begun < 3


def test_a_folder_that_is_gone(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert not record()


def test_a_name_cannot_make_a_line(state: Path) -> None:
    assert record({('dev\n{"time": 1}', "a\u2028"): Reference("b://x")})
    (line,) = (state / "access.log").read_text().splitlines()
    assert json.loads(line)["domain"] == 'dev\n{"time": 1}'


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_it_is_this_users_alone(state: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        assert record()
    finally:
        os.umask(before)
    assert (state / "access.log").stat().st_mode & 0o777 == 0o600
    assert [folder.stat().st_mode & 0o777 for folder in (state, state.parent)] == [0o700, 0o700]


def test_it_grows_and_is_put_aside(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = state / "access.log"
    assert record()
    size = path.stat().st_size
    assert record()
    assert path.stat().st_size == 2 * size
    path.write_bytes(b"\n" * (access_log.MOST_BYTES - size))
    assert record()
    assert path.stat().st_size == access_log.MOST_BYTES
    assert not (state / "access.log.1").exists()
    assert record()
    assert (path.stat().st_size, (state / "access.log.1").stat().st_size) == (size, access_log.MOST_BYTES)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_at_the_name_for_the_full_one_is_replaced(state: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("as it was")
    assert record()
    os.truncate(state / "access.log", access_log.MOST_BYTES)
    (state / "access.log.1").symlink_to(victim)
    assert record()
    assert victim.read_text() == "as it was"
    assert not (state / "access.log.1").is_symlink()


@pytest.mark.parametrize("planted", ["symlink", "dangling symlink", "hard link", "folder", "fifo"])
def test_what_is_planted_at_its_name_is_not_written(state: Path, tmp_path: Path, planted: str) -> None:
    victim, path = tmp_path / "victim", state / "access.log"
    state.mkdir(parents=True)
    if planted != "dangling symlink":
        victim.write_text("as it was")
    if planted in ("symlink", "dangling symlink"):
        path.symlink_to(victim)
    elif planted == "hard link":
        path.hardlink_to(victim)
    elif planted == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    assert not record()
    assert not victim.exists() if planted == "dangling symlink" else victim.read_text() == "as it was"


@pytest.mark.parametrize("kind", ["file", "file above", "dangling link", "too long"])
def test_a_folder_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere" / "deep")
    names = {"file": "file", "file above": "file/state", "dangling link": "link", "too long": "x" * 300}
    monkeypatch.setenv("PPROTECT_STATE_DIR", str(tmp_path / names[kind]))
    assert not record()


LIMITED = """
import resource, sys
from datetime import UTC, datetime
from pocket_protector import Reference
from pocket_protector.references import access_log
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
log = access_log.AccessLog("a", lambda: datetime.now(UTC))
log.note({("dev", "a"): Reference("b://x")})
print(log.complete)
"""


def test_a_full_disk_is_no_obstacle(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # it has no room either
    done = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("False\n", "")


@pytest.mark.parametrize("most", [10_000_000, 20_000])
def test_several_processes_lose_no_line_and_cut_none(tmp_path: Path, most: int) -> None:
    path = tmp_path / "log"
    processes = [
        subprocess.Popen([sys.executable, "-c", RECORDING, str(path), str(number), str(most)]) for number in range(3)
    ]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    lines = path.read_text().splitlines()
    assert {len(line.split()) for line in lines} == {3}
    if most > 100_000:
        assert len(set(lines)) == 600
    else:
        assert path.stat().st_size <= most
        assert {len(line.split()) for line in (tmp_path / "log.1").read_text().splitlines()} == {3}
