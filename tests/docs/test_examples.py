"""The examples in README.md and docs/ run.

A comment that begins with `<!-- run` directly before a block marks it. It runs in a copy of examples/ that is a git
work tree, with the credentials of its custodian `ci`. Blocks may be `sh` (any failing command fails it), `console`
(each `$ command` prints exactly the lines that follow it) and `python`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from shell import Shell, make_shell

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"(?P<mark><!-- run\b[^\n]*-->\n)?^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.M | re.S)


class Example(NamedTuple):
    """A code block of a document."""

    place: str
    language: str
    code: str
    runs: bool


def blocks(path: Path) -> list[Example]:
    text = path.read_text(encoding="utf-8")
    return [
        Example(
            f"{path.name}:{text.count(chr(10), 0, match.start('code'))}",
            match["language"],
            match["code"],
            match["mark"] is not None,
        )
        for match in FENCE.finditer(text)
    ]


DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUNNABLE = [block for path in DOCUMENTS for block in blocks(path) if block.runs]


def published_key() -> str:
    """The raw key of `ci`, as examples/README.md publishes it."""
    match = re.search("P[0-9a-f]{64}P", (ROOT / "examples" / "README.md").read_text(encoding="utf-8"))
    assert match is not None
    return match[0]


@pytest.fixture
def examples(tmp_path: Path) -> Shell:
    """A copy of examples/ in git, and the credentials of `ci`."""
    shell = make_shell(tmp_path)
    shutil.rmtree(shell.folder)
    shutil.copytree(ROOT / "examples", shell.folder)
    subprocess.run(["git", "init", "-q"], cwd=shell.folder, env=shell.environment(), check=True)
    shell.variables |= {"PPROTECT_USER": "ci", "PPROTECT_PASSPHRASE": published_key()}
    return shell


@pytest.mark.parametrize("example", RUNNABLE, ids=lambda example: example.place)
def test_example(examples: Shell, example: Example) -> None:
    if example.language == "python":
        (examples.home / "example.py").write_text(example.code)
        assert examples.sh(f"{sys.executable} {examples.home}/example.py").code == 0
    elif example.language == "console":
        for command, expected in commands(example.code):
            result = examples.sh(command)
            assert (result.code, result.out) == (0, expected), result.err
    else:
        assert example.language == "sh"
        result = examples.sh(f"set -euo pipefail\n{example.code}")
        assert result.code == 0, result.err


def commands(code: str) -> list[tuple[str, str]]:
    """Each command of a console block, with the lines that it prints."""
    parts = re.split(r"^\$ ", code, flags=re.M)
    assert parts[0] == ""
    return [tuple(part.split("\n", 1)) for part in parts[1:]]  # type: ignore[misc]


def test_there_are_examples_to_run() -> None:
    assert len([block for block in RUNNABLE if block.place.startswith("cli.md")]) >= 9
    assert {block.language for block in RUNNABLE} == {"sh", "console", "python"}


def test_every_mark_stands_before_a_block() -> None:
    marks = sum(path.read_text(encoding="utf-8").count("\n<!-- run") for path in DOCUMENTS)
    assert marks == len(RUNNABLE)


def test_every_command_in_a_document_exists() -> None:
    """Also in the blocks that are not run."""
    from cli_reference import commands as known

    for path in DOCUMENTS:
        for block in (block for block in blocks(path) if block.language != "python"):
            for name in re.findall(r"(?:^|[ /$])(?:pprotect|pocket_protector) ([a-z][a-z-]+)\b", block.code, re.M):
                assert name in known(), f"{block.place}: {name}"


# The two commands for a fresh machine make an environment of their own, and need a package registry.


def fresh_machine() -> list[str]:
    return [block.code for block in blocks(ROOT / "README.md") if block.code.startswith("python3 -m venv")]


def test_the_readme_begins_with_two_commands_for_a_fresh_machine() -> None:
    first, second = fresh_machine()
    assert len(first.splitlines()) == len(second.splitlines()) == 1
    assert README.index(second) < README.index("\n## ")


def test_the_first_runs_the_app_on_the_example_file(examples: Shell) -> None:
    first = fresh_machine()[0].partition(" && ")[2].partition(" && ")[2]
    command = first.replace(".venv/bin/pprotect", "pprotect").replace("python3 ", f"{sys.executable} ")
    (examples.folder / "examples").symlink_to(".")
    result = examples.sh(command)
    assert result.code == 0
    assert re.search("^DATABASE_URL=.*://", result.out, re.M)
    assert "(not set)" not in result.out


@pytest.mark.skipif(not (ROOT / ".ci" / "run").exists(), reason="a source distribution has no .ci")
def test_the_second_is_what_ci_runs() -> None:
    assert fresh_machine()[1].strip() in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_examples_of_the_library(examples: Shell) -> None:
    result = examples.sh(f"{sys.executable} library.py")
    assert result.code == 0
    assert "secrets: API_KEY, " in result.out
    result = examples.sh(f"{sys.executable} library.py", env={"PPROTECT_USER": "nobody"})
    assert result.code == 1
    assert result.err.startswith("error: ")


def test_the_published_passphrases_open_what_is_said(examples: Shell) -> None:
    table = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\S+) \| `([^`]+)` \| ([\w, ]+) \|$", table, re.M)
    assert len(rows) == 3
    for name, passphrase, owned in rows:
        env = {"PPROTECT_USER": name, "PPROTECT_PASSPHRASE": passphrase}
        listed = examples.done("list-user-secrets", env=env)
        assert [line.split(":")[0] for line in listed.splitlines()] == owned.split(", ")
