"""Disks that are full, and folders and files that may not be written: a clear error, and nothing has changed."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from shell import BIN, Shell, assert_harmless, make_shell

from pocket_protector import Creds, KeyFile

OWNER = Creds("ci", "P" + "8c" * 32 + "P")

_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    shell = make_shell(tmp_path)
    fill(shell)
    return shell


def fill(shell: Shell) -> None:
    """A file of 100 secrets, some 40 kB."""
    file = KeyFile.create(shell.file).add_raw_key_custodian(OWNER).add_domain("dev", OWNER.name)
    for number in range(100):
        file = file.add_secret("dev", f"s{number}", "value")
    file.write()


def fails(shell: Shell, reason: str, prepare: Callable[[], None] | None = None) -> None:
    """`set-secret` ends with status 6 and the reason; the folder is as it was."""
    before = {name: (shell.folder / name).read_bytes() for name in os.listdir(shell.folder) if name != ".git"}
    done = subprocess.run(
        [BIN / "pprotect", "set-secret", "dev", "new"],
        input="tulip\n",
        cwd=shell.folder,
        env=shell.environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
        preexec_fn=prepare,
    )
    assert_harmless(done.stderr)
    assert done.returncode == 6, done.stderr
    assert done.stdout == ""
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert reason in errors[0]
    assert "protected.yaml" in errors[0]
    after = {name: (shell.folder / name).read_bytes() for name in os.listdir(shell.folder) if name != ".git"}
    assert after == before


def as_ordinary_user() -> None:
    """Take from root, in a child, what lets it read and write where modes forbid."""
    if os.geteuid() == 0:
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            assert ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0


def test_a_limit_on_the_size_of_files(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    # Measuring coverage would meet the limit too.
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    fails(shell, "too large", lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)))
    shell.done("set-secret", "dev", "new", stdin="tulip\n")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    mounted = tmp_path / "disk"
    mounted.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", mounted]
    if not mount or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small file system")
    yield mounted
    subprocess.run(["umount", mounted], check=True)


def test_a_full_disk(small_disk: Path) -> None:
    shell = make_shell(small_disk)
    shell.home = small_disk.parent
    fill(shell)
    fails(shell, "no space left on device")
    KeyFile.from_file(shell.file).decrypt_domain("dev", OWNER)


def test_a_read_only_disk(small_disk: Path) -> None:
    shell = make_shell(small_disk)
    shell.home = small_disk.parent
    KeyFile.create(shell.file).add_raw_key_custodian(OWNER).add_domain("dev", OWNER.name).write()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    fails(shell, "read-only file system")


@pytest.mark.skipif(sys.platform != "linux" and os.geteuid() == 0, reason="root cannot be made an ordinary user here")
def test_a_folder_that_may_not_be_written(shell: Shell) -> None:
    shell.folder.chmod(0o555)
    try:
        fails(shell, "permission denied", as_ordinary_user)
    finally:
        shell.folder.chmod(0o755)


@pytest.mark.skipif(sys.platform != "linux" and os.geteuid() == 0, reason="root cannot be made an ordinary user here")
def test_a_file_that_may_not_be_written(shell: Shell) -> None:
    """Though the folder may be, so that the file could be replaced."""
    shell.file.chmod(0o444)
    fails(shell, "permission denied", as_ordinary_user)


@pytest.mark.skipif(sys.platform != "linux" and os.geteuid() == 0, reason="root cannot be made an ordinary user here")
def test_a_file_that_may_not_be_read(shell: Shell) -> None:
    shell.file.chmod(0)
    done = subprocess.run(
        [BIN / "pprotect", "list-domains"],
        cwd=shell.folder,
        env=shell.environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
        preexec_fn=as_ordinary_user,
    )
    assert done.returncode == 6
    assert done.stdout == ""
    assert "permission denied" in done.stderr
