"""Finding, reading and replacing files."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from samples import refused

from pocket_protector import StoreError, files

NEW = ".protected.yaml.pprotect-new"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "protected.yaml"
    path.write_bytes(b"old")
    return path


def replace(path: Path | str, raw: bytes) -> None:
    with files.replacing(str(path)) as target:
        target.replace(raw)


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A script in a process of its own."""
    code = "import sys\nfrom pocket_protector import StoreError, files\n" + textwrap.dedent(script)
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


# Finding


def test_the_nearest_file_above_up_to_the_root_of_the_work_tree(tmp_path: Path) -> None:
    inner = tmp_path / "tree" / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "tree" / ".git").mkdir()
    (tmp_path / "protected.yaml").touch()
    assert files.discover(str(inner)) == str(inner / "protected.yaml")
    (tmp_path / "tree" / "protected.yaml").touch()
    assert files.discover(str(inner)) == str(tmp_path / "tree" / "protected.yaml")
    (tmp_path / "tree" / "a" / "protected.yaml").touch()
    assert files.discover(str(inner)) == str(tmp_path / "tree" / "a" / "protected.yaml")


def test_outside_git_only_here(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "protected.yaml").touch()
    assert files.discover(str(tmp_path / "a")) == str(tmp_path / "a" / "protected.yaml")


def test_a_linked_work_tree_has_a_file_named_git(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / ".git").write_text("gitdir: elsewhere")
    (tmp_path / "protected.yaml").touch()
    assert files.discover(str(tmp_path / "a")) == str(tmp_path / "protected.yaml")


# Reading


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda p: p.unlink(), "no such file"),
        (lambda p: (p.unlink(), p.mkdir()), "is a directory"),
        (lambda p: (p.unlink(), p.symlink_to(p)), "symbolic links"),
    ],
    ids=["absent", "directory", "symlink to itself"],
)
def test_what_cannot_be_read(path: Path, make, reason: str) -> None:
    make(path)
    with refused(StoreError) as caught:
        files.read(str(path), 10, hint="do this")
    assert str(caught.value).startswith(f"cannot read {path}: ")
    assert reason in str(caught.value)
    assert caught.value.hint == "do this"


def test_a_path_with_nul_cannot_be_read_or_written() -> None:
    with refused(StoreError):
        files.read("a\0b", 10)
    with refused(StoreError):
        replace("a\0b", b"x")


def test_a_file_over_the_cap_is_refused(path: Path) -> None:
    assert files.read(str(path), 3) == b"old"
    with refused(StoreError) as caught:
        files.read(str(path), 2)
    assert "more than 2 bytes" in str(caught.value)


# Replacing


def test_replacing_leaves_one_file_with_the_new_bytes(path: Path) -> None:
    replace(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(path.parent) == ["protected.yaml"]


def test_a_file_that_is_not_there_is_made(path: Path) -> None:
    path.unlink()
    with files.replacing(str(path)) as target:
        assert target.read(10) is None
        target.replace(b"new")
    assert path.read_bytes() == b"new"


def test_nothing_to_replace_leaves_nothing_behind(path: Path) -> None:
    with files.replacing(str(path)) as target:
        assert target.read(10) == b"old"
    assert os.listdir(path.parent) == ["protected.yaml"]
    assert path.read_bytes() == b"old"


def test_an_error_in_between_leaves_the_old_file(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), files.replacing(str(path)):
        raise ZeroDivisionError
    assert os.listdir(path.parent) == ["protected.yaml"]
    assert path.read_bytes() == b"old"


def test_what_a_killed_writer_left_is_taken_over(path: Path) -> None:
    (path.parent / NEW).write_bytes(b"half of something much longer")
    replace(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(path.parent) == ["protected.yaml"]


def test_what_a_killed_writer_left_goes_even_if_nothing_is_written(path: Path) -> None:
    (path.parent / NEW).write_bytes(b"half")
    with files.replacing(str(path)):
        pass
    assert os.listdir(path.parent) == ["protected.yaml"]


def test_a_temporary_file_that_is_a_symlink_is_not_followed(path: Path) -> None:
    victim = path.parent / "victim"
    victim.write_bytes(b"precious")
    (path.parent / NEW).symlink_to(victim)
    with refused(StoreError):
        replace(path, b"new")
    assert victim.read_bytes() == b"precious"
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_the_mode_is_kept(path: Path, mode: int) -> None:
    path.chmod(mode)
    replace(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can make a file another's")
def test_the_owner_is_kept(path: Path) -> None:
    os.chown(path, 1234, 2345)
    replace(path, b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)


@pytest.mark.parametrize("there", [True, False], ids=["", "dangling"])
def test_a_symlink_is_followed_and_stays(tmp_path: Path, there: bool) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "secrets.yaml", tmp_path / "protected.yaml"
    if there:
        target.write_bytes(b"old")
    link.symlink_to("real/secrets.yaml")
    replace(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert os.listdir(target.parent) == ["secrets.yaml"]


@pytest.mark.parametrize("kind", ["directory", "fifo", "no folder"])
def test_what_cannot_be_replaced(path: Path, kind: str) -> None:
    path.unlink()
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    target = path if kind != "no folder" else path.parent / "none" / "protected.yaml"
    with refused(StoreError):
        replace(target, b"new")
    assert NEW not in os.listdir(path.parent)


def test_writers_wait_for_each_other(path: Path) -> None:
    order = []

    def second() -> None:
        with files.replacing(str(path)) as target:
            order.append(target.read(10))
            target.replace(b"second")

    with files.replacing(str(path)) as target:
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.1)
        assert order == []
        target.replace(b"first")
    thread.join()
    assert order == [b"first"]
    assert path.read_bytes() == b"second"
    assert os.listdir(path.parent) == ["protected.yaml"]


def test_many_writers_at_once_lose_nothing(path: Path) -> None:
    path.write_bytes(b"")
    script = """
        for number in range(10):
            with files.replacing(sys.argv[1]) as target:
                target.replace(target.read(10000) + sys.argv[2].encode())
    """
    code = "import sys\nfrom pocket_protector import files\n" + textwrap.dedent(script)
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), letter]) for letter in "abcdef"]
    assert [writer.wait() for writer in writers] == [0] * 6
    assert sorted(path.read_text()) == sorted("abcdef" * 10)
    assert os.listdir(path.parent) == ["protected.yaml"]


def test_a_full_disk_leaves_the_old_file(path: Path) -> None:
    done = run(
        """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            with files.replacing(sys.argv[1]) as target:
                target.replace(b"x" * 2000)
        except StoreError as error:
            print(error)
        """,
        str(path),
    )
    assert done.stdout.startswith(f"cannot write {path}: file too large"), done.stderr
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == ["protected.yaml"]


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_read_only_place_is_refused(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    path = folder / "protected.yaml"
    path.write_bytes(b"old")
    if what == "folder":
        path.chmod(0o666)
        folder.chmod(0o555)
    else:
        path.chmod(0o444)
        folder.chmod(0o777)
    for parent in tmp_path.parents[:3]:
        if parent.owner() in ("root", Path.home().owner()) and "pytest" in str(parent):
            parent.chmod(0o755)
    tmp_path.chmod(0o755)
    done = run(
        """
        import fcntl, os
        folder = os.open(os.path.dirname(sys.argv[1]), os.O_RDONLY)
        os.fchdir(folder)
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        try:
            with files.replacing("protected.yaml") as target:
                target.replace(b"new")
        except StoreError as error:
            print(error)
        """,
        str(path),
    )
    folder.chmod(0o755)
    assert done.stdout == "cannot write protected.yaml: permission denied\n", done.stderr
    assert path.read_bytes() == b"old"
    assert os.listdir(folder) == ["protected.yaml"]


# What others planted


def test_a_link_at_the_temporary_name_is_not_written_through(path: Path) -> None:
    victim = path.with_name("victim")
    victim.write_bytes(b"precious")
    os.link(victim, path.with_name(NEW))
    with refused(StoreError):
        replace(path, b"new")
    assert (victim.read_bytes(), path.read_bytes()) == (b"precious", b"old")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's file")
def test_another_users_file_at_the_temporary_name_is_not_taken_over(path: Path) -> None:
    planted = path.with_name(NEW)
    planted.touch()
    os.chown(planted, 65534, 65534)
    with refused(StoreError):
        replace(path, b"new")
    assert path.read_bytes() == b"old"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's folder")
def test_another_users_work_tree_is_not_searched(tmp_path: Path) -> None:
    inner = tmp_path / "tree" / "a"
    inner.mkdir(parents=True)
    (tmp_path / "tree" / ".git").mkdir()
    (tmp_path / "tree" / "protected.yaml").touch()
    assert files.discover(str(inner)) == str(tmp_path / "tree" / "protected.yaml")
    os.chown(tmp_path / "tree" / ".git", 65534, 65534)
    # The test's own process is root, so that only a plain user's .git is foreign to it.
    assert files.discover(str(inner)) == str(inner / "protected.yaml")
