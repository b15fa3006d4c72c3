"""Which file a command works on."""

from __future__ import annotations

import subprocess

import pytest
from shell import ALICE, Shell


def test_the_nearest_file_up_to_the_root_of_the_work_tree(team: Shell) -> None:
    deep = team.folder / "a" / "b"
    deep.mkdir(parents=True)
    result = team("list-domains", folder=deep)
    assert result.out == "dev\nprod\n"
    (team.folder / "a" / "protected.yaml").write_text("")
    team("list-domains", folder=deep).failed(3, "empty")


def test_not_beyond_the_root_of_the_work_tree(team: Shell) -> None:
    inner = team.folder / "vendored"
    (inner / ".git").mkdir(parents=True)
    team("list-domains", folder=inner).failed(6, f"cannot read {inner}/protected.yaml", "pprotect init")


def test_a_worktree_and_a_submodule_have_a_git_file(team: Shell) -> None:
    inner = team.folder / "linked" / "deep"
    inner.mkdir(parents=True)
    (inner.parent / ".git").write_text("gitdir: elsewhere\n")
    team("list-domains", folder=inner).failed(6, f"cannot read {inner}/protected.yaml")


def test_outside_git_only_here(team: Shell) -> None:
    (team.folder / ".git").rmdir()
    deep = team.folder / "deep"
    deep.mkdir()
    assert team.done("list-domains") == "dev\nprod\n"
    team("list-domains", folder=deep).failed(6, f"cannot read {deep}/protected.yaml", "PPROTECT_FILE")


def test_in_a_real_repository(team: Shell) -> None:
    (team.folder / ".git").rmdir()
    subprocess.run(["git", "init", "-q", str(team.folder)], check=True)
    deep = team.folder / "deep"
    deep.mkdir()
    assert team("list-domains", folder=deep).out == "dev\nprod\n"


def test_an_option_wins_over_the_variable_and_that_over_looking(team: Shell) -> None:
    moved = team.home / "moved.yaml"
    team.file.rename(moved)
    team.file.write_text("")
    assert team.done("list-domains", env={"PPROTECT_FILE": str(moved)}) == "dev\nprod\n"
    assert team.done("list-domains", "-f", str(moved), env={"PPROTECT_FILE": "nowhere"}) == "dev\nprod\n"
    team("list-domains", env={"PPROTECT_FILE": "nowhere"}).failed(6, "cannot read nowhere", "pprotect init")


def test_an_empty_variable_is_none_and_an_empty_option_is_wrong(team: Shell) -> None:
    assert team.done("list-domains", env={"PPROTECT_FILE": ""}) == "dev\nprod\n"
    team("list-domains", "-f", "").failed(6, "cannot read")


def test_a_pipe_can_be_read(team: Shell) -> None:
    assert team.sh("pprotect -f <(cat protected.yaml) list-domains").out == "dev\nprod\n"
    assert team.sh("cat protected.yaml | pprotect -f /dev/stdin list-domains").out == "dev\nprod\n"


@pytest.mark.parametrize("name", ["a folder", "missing/x.yaml"])
def test_what_cannot_be_read(team: Shell, name: str) -> None:
    (team.folder / "a folder").mkdir()
    team("list-domains", "-f", name).failed(6, f"cannot read {name}: ")


def test_a_folder_that_is_gone(team: Shell) -> None:
    result = team.sh('mkdir gone && cd gone && rmdir "$PWD" && pprotect list-domains')
    result.failed(6, "the current folder is gone", "PPROTECT_FILE")


def test_init_writes_here_even_below_another_file(team: Shell) -> None:
    deep = team.folder / "deep"
    deep.mkdir()
    result = team("init", "--key-type", "raw", *team.as_(ALICE), folder=deep)
    assert result.code == 0
    assert str(deep / "protected.yaml") in result.err
    assert team("list-domains", folder=deep).out == ""


def test_init_takes_the_option_and_the_variable(empty: Shell) -> None:
    for name, words, env in (("a.yaml", ("-f", "a.yaml"), {}), ("b.yaml", (), {"PPROTECT_FILE": "b.yaml"})):
        empty.done("init", "--key-type", "raw", *empty.as_(ALICE), *words, env=env)
        assert (empty.folder / name).read_text().startswith("meta:")
    assert not empty.file.exists()


@pytest.mark.parametrize("content", [b"x: 1\n", b"\n"])
def test_init_overwrites_nothing(empty: Shell, content: bytes) -> None:
    empty.file.write_bytes(content)
    empty("init", "--key-type", "raw", *empty.as_(ALICE)).failed(6, "exists already", "-f FILE")
    assert empty.file.read_bytes() == content


def test_init_fills_an_empty_file(empty: Shell) -> None:
    empty.file.touch()
    empty.done("init", "--key-type", "raw", *empty.as_(ALICE))
    assert empty.store().get_key_custodian_names() == [ALICE]
