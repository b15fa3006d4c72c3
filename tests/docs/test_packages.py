"""docs/packages.md, played by two people at two terminals, each with a clone and a home of their own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from people import Person, founder, saved
from shell import ALICE, BOB

from pocket_protector import Creds, KeyFile, Reference, Sensitivity
from pocket_protector.crypto.kdf import KDF_INTERACTIVE

TEXT = (Path(__file__).parents[2] / "docs" / "packages.md").read_text(encoding="utf-8")
TRANSCRIPT = "".join(re.findall(r"<!-- transcript -->\n```console\n(.*?)```\n", TEXT, re.DOTALL))
PASSPHRASES = {"alice": "harbour tulip one", "bob": "harbour tulip two"}
ANYTHING = "…"


@dataclass
class Scene:
    """One command, who types it, and what their screen shows then."""

    who: str
    command: str
    shown: list[str]


def scenes() -> Iterator[Scene]:
    scene: Scene | None = None
    for line in TRANSCRIPT.splitlines():
        if match := re.fullmatch(r"(alice|bob)\$ (.*)", line):
            if scene:
                yield scene
            scene = Scene(match[1], match[2], [])
        else:
            assert scene, line
            scene.shown.append(line)
    assert scene
    yield scene


def test_there_is_something_to_play() -> None:
    assert len(list(scenes())) >= 8


@pytest.mark.slow
def test_the_exchange(tmp_path: Path) -> None:
    owner = Creds(ALICE, PASSPHRASES["alice"])
    file = KeyFile.create("protected.yaml").add_key_custodian(owner, *KDF_INTERACTIVE)
    file = file.add_domain("dev", ALICE, creds=owner)
    for name, value, level in (
        ("api-key", "tulip-api", Sensitivity.MEDIUM),
        ("db-password", "tulip-db", Sensitivity.HIGH),
        ("db-url", Reference("azure-kv://my-keyvault/db-url"), Sensitivity.MEDIUM),
        ("signing-key", "tulip-key", Sensitivity.INJECT_ONLY),
    ):
        file = file.add_secret("dev", name, value, creds=owner, sensitivity=level)
    alice = founder(tmp_path, saved(file))
    alice.variables = {}
    alice.done("trust", "accept", "--yes")
    # Bob has a repository of his own, in which there is no file yet.
    bob = Person(tmp_path / "bob", tmp_path / "bob-home", name=BOB)
    bob.folder.mkdir()
    bob.variables = {}
    bob.git("init", "-q")
    people = {"alice": alice, "bob": bob}
    for scene in scenes():
        play(people[scene.who], scene)
        # What they send each other.
        for name in ("bob.pub", "dev.ppkg", "dev.token"):
            for giver, taker in ((bob, alice), (alice, bob)):
                if (giver.folder / name).exists() and not (taker.folder / name).exists():
                    shutil.copy(giver.folder / name, taker.folder / name)
    found = bob.store().decrypt_domain("local", Creds(BOB, PASSPHRASES["bob"]), resolve=False)
    assert found == {
        "api-key": "tulip-api",
        "db-password": "tulip-db",
        "db-url": "azure-kv://my-keyvault/db-url",
        "signing-key": "tulip-key",
    }
    assert all((person.folder / "dev.token").stat().st_mode & 0o077 == 0 for person in people.values())


def play(person: Person, scene: Scene) -> None:
    """Type the command, answer what it asks, and compare the screen with the text."""
    terminal = person.terminal(script=scene.command)
    for line in scene.shown:
        if match := re.fullmatch(r"(.*(?:passphrase|Passphrase)): ", line):
            terminal.answer(match[0], PASSPHRASES[scene.who])
        elif match := re.fullmatch(r"(User email: |.*\[y/N\]: )(.+)", line):
            terminal.answer(match[1], match[2])
    terminal.end()
    screen = [line.rstrip() for line in terminal.shown.replace("\r", "").split("\n")]
    wanted = [line.rstrip() for line in scene.shown]
    assert matches([line for line in screen if line], wanted), (scene.command, screen)


def matches(lines: list[str], wanted: list[str]) -> bool:
    return len(lines) == len(wanted) and all(
        re.fullmatch(".+".join(map(re.escape, text.split(ANYTHING))), line)
        for line, text in zip(lines, wanted, strict=True)
    )


def test_another_screen_is_noticed() -> None:
    assert matches(["until 2026", "a  b"], ["until …", "a  b"])
    assert not matches(["until "], ["until …"])
    assert not matches(["a", "b"], ["a"])
    assert not matches(["a"], ["b"])
