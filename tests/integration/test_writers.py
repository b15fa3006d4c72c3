"""Several processes at one file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from shell import BIN, Shell, make_shell

from pocket_protector import Creds, KeyFile, MergeConflictError, StoreError

OWNER = Creds("ci", "P" + "8c" * 32 + "P")
WRITERS = 20


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A work tree with a file of one domain and two secrets."""
    shell = make_shell(tmp_path)
    file = KeyFile.create(shell.file).add_raw_key_custodian(OWNER).add_domain("dev", OWNER.name)
    file.add_secret("dev", "a", "value a").add_secret("dev", "b", "value b").write()
    return shell


def values(shell: Shell) -> dict[str, str]:
    return KeyFile.from_file(shell.file).decrypt_domain("dev", OWNER)


def start(shell: Shell, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [BIN / "pprotect", *words],
        cwd=shell.folder,
        env=shell.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def nothing_stray(shell: Shell) -> bool:
    return set(os.listdir(shell.folder)) == {".git", "protected.yaml"}


def test_processes_that_add_different_secrets_at_once(shell: Shell) -> None:
    writers = [start(shell, "add-secret", "dev", f"from-{number}", "--generate") for number in range(WRITERS)]
    for writer in writers:
        _, err = writer.communicate(timeout=60)
        assert writer.returncode == 0, err
    assert set(values(shell)) == {"a", "b", *(f"from-{number}" for number in range(WRITERS))}
    log = KeyFile.from_file(shell.file).get_audit_log()
    assert sum("added secret from-" in entry for entry in log) == WRITERS
    assert nothing_stray(shell)


def waiting_to_write(shell: Shell, secret: str, value: str) -> subprocess.Popen[str]:
    """A process that has read the file, showed the diff, and waits for a yes."""
    path = shell.home / "value"
    path.write_text(value, encoding="utf-8")
    process = start(shell, "update-secret", "dev", secret, "--from-file", str(path), "--confirm")
    assert process.stderr is not None
    for line in process.stderr:
        if f"updated secret {secret}" in line:
            return process
    pytest.fail("it showed no diff")


def test_two_processes_that_change_the_same_secret(shell: Shell) -> None:
    process = waiting_to_write(shell, "a", "too late")
    shell.done("update-secret", "dev", "a", stdin="first\n")
    before = shell.file.read_bytes()
    _, err = process.communicate("y\n", timeout=60)
    assert process.returncode == 6
    assert "error: " in err
    assert "secret/dev/a" in err
    assert "hint: " in err
    assert shell.file.read_bytes() == before
    assert values(shell) == {"a": "first", "b": "value b"}
    assert nothing_stray(shell)


def test_two_processes_that_change_different_secrets(shell: Shell) -> None:
    process = waiting_to_write(shell, "a", "second")
    shell.done("update-secret", "dev", "b", stdin="first\n")
    _, err = process.communicate("y\n", timeout=60)
    assert process.returncode == 0, err
    assert values(shell) == {"a": "second", "b": "first"}
    assert nothing_stray(shell)


def test_two_objects_that_change_the_same_secret(shell: Shell) -> None:
    one, other = KeyFile.from_file(shell.file), KeyFile.from_file(shell.file)
    one.update_secret("dev", "a", "first").write()
    before = shell.file.read_bytes()
    with pytest.raises(MergeConflictError) as conflict:
        other.update_secret("dev", "a", "too late").update_secret("dev", "b", "too").write()
    assert conflict.value.objects == ("secret/dev/a",)
    assert shell.file.read_bytes() == before


_READS = """
import os, sys
from pocket_protector import Creds, KeyFile
path, stop, name, key = sys.argv[1:]
count = 0
print("reading", flush=True)
while not os.path.exists(stop):
    values = KeyFile.from_file(path).decrypt_domain("dev", Creds(name, key))
    assert set(values["a"]) <= {"x"} and values["b"] == str(len(values["a"])), "a mixture"
    count += 1
print(count)
"""


def test_readers_see_whole_files_only(shell: Shell) -> None:
    """Each version has a value of another length, and its length beside it."""
    stop = shell.home / "stop"
    file = KeyFile.from_file(shell.file).set_secret("dev", "a", "").set_secret("dev", "b", "0").write()
    reader = subprocess.Popen(
        [sys.executable, "-c", _READS, shell.file, stop, OWNER.name, OWNER.passphrase],
        cwd=shell.folder,
        env=shell.environment(),
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "reading\n"
    end = time.monotonic() + 3
    written = 0
    while time.monotonic() < end or written < 50:
        written += 1
        length = written * 997 % 60_000
        file = file.set_secret("dev", "a", "x" * length).set_secret("dev", "b", str(length)).write()
    stop.touch()
    count, _ = reader.communicate(timeout=60)
    assert reader.returncode == 0
    assert int(count) > 10
    assert nothing_stray(shell)


_HOLDS = """
import sys
from pocket_protector import files
with files.replacing(sys.argv[1]):
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.mark.slow
def test_a_stopped_writer_holds_others_up_for_a_while_only(shell: Shell) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDS, shell.file],
        env=shell.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"
    holder.send_signal(signal.SIGSTOP)
    before = shell.file.read_bytes()
    started = time.monotonic()
    result = shell("set-secret", "dev", "a", stdin="new\n")
    waited = time.monotonic() - started
    result.failed(6, "another process", "end that process")
    assert 25 < waited < 50
    assert shell.file.read_bytes() == before
    assert "value a" in shell.done(
        "get", "dev", "a", env={"PPROTECT_USER": "ci", "PPROTECT_PASSPHRASE": OWNER.passphrase}
    )
    holder.kill()
    holder.communicate()
    shell.done("set-secret", "dev", "a", stdin="new\n")
    assert values(shell)["a"] == "new"
    assert nothing_stray(shell)


def test_a_writer_waits_for_another(shell: Shell) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDS, shell.file],
        env=shell.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"
    writer = start(shell, "add-secret", "dev", "c", "--generate")
    with pytest.raises(subprocess.TimeoutExpired):
        writer.wait(1)
    holder.communicate("")
    _, err = writer.communicate(timeout=60)
    assert writer.returncode == 0, err
    assert set(values(shell)) == {"a", "b", "c"}
    assert nothing_stray(shell)


def test_a_created_file_takes_no_other_ones_place(tmp_path: Path) -> None:
    path = tmp_path / "protected.yaml"
    one, other = (KeyFile.create(path).add_raw_key_custodian(Creds(name, OWNER.passphrase)) for name in ("a", "b"))
    one.write()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="exists already"):
        other.write()
    assert path.read_bytes() == before
