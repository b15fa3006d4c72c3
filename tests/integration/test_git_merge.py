"""Branches of real git repositories, merged by plain `git merge`: how often they conflict, and what comes out."""

from __future__ import annotations

import os
import random
import string
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pocket_protector import Creds, DecryptedDomain, FormatError, KeyFile

PAIRS = 200
SECRETS = 20
OWNER = Creds("ci", "P" + "9d" * 32 + "P")

Change = Callable[[KeyFile, random.Random], tuple[KeyFile, dict[str, str]]]
"""A change of one branch, and the values that it set."""


class Repository:
    """A work tree with a protected file, in a git without anybody's settings."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.file = folder / "protected.yaml"
        self._variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_{what}": "x@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        self.git("init", "--quiet")

    def git(self, *words: str) -> int:
        done = subprocess.run(
            ["git", *words], cwd=self._folder, env=self._variables, capture_output=True, check=False, encoding="utf-8"
        )
        assert done.returncode in (0, 1), done.stderr
        return done.returncode

    def commit(self, branch: str) -> None:
        assert self.git("checkout", "--quiet", "-B", branch) == 0
        assert self.git("add", self.file.name) == 0
        assert self.git("commit", "--quiet", "-m", branch) == 0

    def branch(self, name: str, change: Change, chance: random.Random) -> dict[str, str]:
        """A branch off `base`, on which `change` is made and committed."""
        assert self.git("checkout", "--quiet", "base") == 0
        changed, values = change(KeyFile.from_file(self.file), chance)
        changed.write()
        self.commit(name)
        return values

    def merges(self, branch: str) -> bool:
        """Whether git merges the branch into this one without a conflict."""
        clean = self.git("merge", "--quiet", "-m", "merge", branch) == 0
        if not clean:
            with pytest.raises(FormatError) as refused:
                KeyFile.from_file(self.file)
            assert "conflict markers" in refused.value.message
            assert refused.value.hint
            assert refused.value.line > 1
            assert self.git("merge", "--abort") == 0
        return clean


def new_name(file: KeyFile, chance: random.Random) -> str:
    while True:
        name = "".join(chance.choices(string.ascii_lowercase, k=8))
        if name not in file.get_domain_secret_names("dev"):
            return name


def base_file(path: Path, chance: random.Random, *, signed: bool = False) -> tuple[KeyFile, dict[str, str]]:
    """A file of 20 secrets; `signed` signs the domain and every value."""
    creds = OWNER if signed else None
    file = KeyFile.create(path).add_raw_key_custodian(OWNER).add_domain("dev", OWNER.name, creds=creds)
    values = {}
    for _ in range(SECRETS):
        name = new_name(file, chance)
        values[name] = f"value of {name}"
        file = file.add_secret("dev", name, values[name], creds=creds)
    return file, values


def adding(file: KeyFile, chance: random.Random) -> tuple[KeyFile, dict[str, str]]:
    name = new_name(file, chance)
    return file.add_secret("dev", name, f"added {name}"), {name: f"added {name}"}


def updating(parity: int) -> Change:
    """Update one of every second secret, so that two branches update different ones, next to each other or not."""

    def change(file: KeyFile, chance: random.Random) -> tuple[KeyFile, dict[str, str]]:
        name = chance.choice(file.get_domain_secret_names("dev")[parity::2])
        return file.update_secret("dev", name, f"updated {name}"), {name: f"updated {name}"}

    return change


def rotating(file: KeyFile, chance: random.Random) -> tuple[KeyFile, dict[str, str]]:
    return file.rotate_domain_key("dev", OWNER), {}


def retired(merged: DecryptedDomain, changes: dict[str, str]) -> bool:
    """After a merge with a rotation: what the other branch added is under the retired key, and only that."""
    return set(merged.under_retired_key) == set(changes)


def current(merged: DecryptedDomain, changes: dict[str, str]) -> bool:
    return not merged.under_retired_key


@pytest.mark.long
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize(
    ("ours", "theirs", "keys", "most_percent"),
    [
        pytest.param(adding, adding, current, 16, id="both-add"),
        pytest.param(updating(0), updating(1), current, 0, id="both-update"),
        pytest.param(rotating, adding, retired, 10, id="one-rotates-one-adds"),
        pytest.param(adding, rotating, retired, 10, id="one-adds-one-rotates"),
    ],
)
def test_branches_merge(
    tmp_path: Path,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
    ours: Change,
    theirs: Change,
    keys: Callable[[DecryptedDomain, dict[str, str]], bool],
    most_percent: int,
    signed: bool,
) -> None:
    chance = random.Random(20261122)
    repository = Repository(tmp_path)
    conflicts = 0
    for _ in range(PAIRS):
        file, values = base_file(repository.file, chance, signed=signed)
        repository.file.unlink(missing_ok=True)
        file.write()
        repository.commit("base")
        changes = repository.branch("theirs", theirs, chance)
        changes |= repository.branch("ours", ours, chance)
        if not repository.merges("theirs"):
            conflicts += 1
            continue
        merged = KeyFile.from_file(repository.file).decrypt_domain("dev", OWNER)
        assert merged == values | changes
        assert keys(merged, changes)
    percent = 100 * conflicts / PAIRS
    with capsys.disabled():
        print(f"\n{request.node.callspec.id}: {percent:.1f} % of {PAIRS} merges conflict (at most {most_percent} %)")
    assert percent <= most_percent


def test_the_next_rotation_seals_what_came_under_a_retired_key(tmp_path: Path) -> None:
    chance = random.Random(1)
    repository = Repository(tmp_path)
    merged = None
    while merged is None:
        file, values = base_file(repository.file, chance)
        repository.file.unlink(missing_ok=True)
        file.write()
        repository.commit("base")
        added = repository.branch("theirs", adding, chance)
        repository.branch("ours", rotating, chance)
        merged = KeyFile.from_file(repository.file) if repository.merges("theirs") else None
    rotated = merged.rotate_domain_key("dev", OWNER).write().decrypt_domain("dev", OWNER)
    assert rotated == values | added
    assert not rotated.under_retired_key
