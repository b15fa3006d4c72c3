"""Pins on disk: where they are, and what happens to them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from samples import ALICE, refused

from pocket_protector import KeyFile, StoreError
from pocket_protector.files import state_folder
from pocket_protector.trust.judge.state import State
from pocket_protector.user.pins import MAX_PIN_BYTES, Pin


@pytest.fixture
def state(tmp_path: Path) -> str:
    return str(tmp_path / "state")


def made(path: Path) -> KeyFile:
    return KeyFile.create(path).add_raw_key_custodian(ALICE).add_domain("dev", ALICE.name, creds=ALICE).write()


def judged(file: KeyFile) -> State:
    return file.authorize(None)[1]


def kept(pin: Pin, file: KeyFile) -> None:
    pin.write(file.file_id, file.get_contents(), judged(file))


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"PPROTECT_STATE_DIR": "/a", "XDG_STATE_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"PPROTECT_STATE_DIR": "", "XDG_STATE_HOME": "/b", "HOME": "/c"}, "/b/pprotect"),
        ({"XDG_STATE_HOME": "", "HOME": "/c"}, "/c/.local/state/pprotect"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/c"}, "/c/.local/state/pprotect"),
        ({"HOME": "/c"}, "/c/.local/state/pprotect"),
    ],
)
def test_state_folder(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str) -> None:
    for name in ("PPROTECT_STATE_DIR", "XDG_STATE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert state_folder() == expected


def test_nothing_is_made_by_looking(tmp_path: Path, state: str) -> None:
    file = made(tmp_path / "protected.yaml")
    pin = Pin(file.path, state)
    assert pin.file_id() is None
    assert pin.read(file.file_id) is None
    assert not pin.is_current(file.file_id, file.get_contents())
    assert not os.path.exists(state)


def test_what_was_kept_is_there(tmp_path: Path, state: str) -> None:
    file = made(tmp_path / "protected.yaml")
    kept(Pin(file.path, state), file)
    pin = Pin(file.path, state)
    assert pin.file_id() == file.file_id
    assert pin.is_current(file.file_id, file.get_contents())
    assert not pin.is_current(file.file_id, file.get_contents() + "\n")
    assert pin.read(file.file_id) == judged(file)


def test_folders_are_private(tmp_path: Path, state: str) -> None:
    file = made(tmp_path / "protected.yaml")
    old = os.umask(0)
    try:
        kept(Pin(file.path, state), file)
    finally:
        os.umask(old)
    for folder in ("", "pins", "places"):
        assert os.stat(os.path.join(state, folder)).st_mode & 0o777 == 0o700


def test_names_in_the_state_folder_tell_nothing(tmp_path: Path, state: str) -> None:
    folder = tmp_path / "secret-project"
    folder.mkdir()
    file = made(folder / "protected.yaml")
    kept(Pin(file.path, state), file)
    names = [name for _, folders, found in os.walk(state) for name in (*folders, *found)]
    assert len(names) == 4
    assert not [name for name in names if "secret-project" in name]


def test_a_pin_that_another_process_moved_stays(tmp_path: Path, state: str) -> None:
    first = made(tmp_path / "protected.yaml")
    kept(Pin(first.path, state), first)
    mine, other = Pin(first.path, state), Pin(first.path, state)
    mine.read(first.file_id)
    other.read(first.file_id)
    second = first.add_secret("dev", "a", "1").write()
    kept(other, second)
    kept(mine, first)
    assert Pin(first.path, state).is_current(first.file_id, second.get_contents())


def test_a_damaged_pin_is_replaced_only_on_demand(tmp_path: Path, state: str) -> None:
    file = made(tmp_path / "protected.yaml")
    kept(Pin(file.path, state), file)
    path = Path(state, "pins", file.file_id.hex())
    path.write_bytes(path.read_bytes()[:-5])
    pin = Pin(file.path, state)
    with refused(StoreError) as caught:
        pin.read(file.file_id)
    assert "trust accept" in caught.value.hint
    assert str(path) in caught.value.message
    fresh = Pin(file.path, state)
    kept(fresh, file)
    with refused(StoreError):
        Pin(file.path, state).read(file.file_id)
    fresh.write(file.file_id, file.get_contents(), judged(file), over_damage=True)
    assert Pin(file.path, state).read(file.file_id) == judged(file)


def _other_text(raw: bytes) -> bytes:
    return raw.replace(b"key-custodians:", b"# a comment\\nkey-custodians:")


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: raw[:40],
        lambda raw: raw.partition(b"\n")[0],
        lambda raw: raw[:-2],
        lambda raw: raw.partition(b"\n")[2],
        lambda raw: raw.replace(b"pprotect-pin 2", b"pprotect-pin 1"),
        lambda raw: raw.replace(b"pprotect-pin 2", b"pprotect-pin 3"),
        lambda raw: b"\n" + raw,
        lambda raw: raw[:20] + bytes([raw[20] ^ 1]) + raw[21:],
        lambda raw: raw + raw,
        _other_text,
    ],
)
def test_damage(tmp_path: Path, state: str, damage: Callable[[bytes], bytes]) -> None:
    file = made(tmp_path / "protected.yaml")
    kept(Pin(file.path, state), file)
    path = Path(state, "pins", file.file_id.hex())
    raw = path.read_bytes()
    assert damage(raw) != raw
    path.write_bytes(damage(raw))
    with refused(StoreError) as caught:
        Pin(file.path, state).read(file.file_id)
    assert f"{path} is damaged" in caught.value.message
    assert "trust accept" in caught.value.hint


def test_a_huge_pin_is_not_read(tmp_path: Path, state: str) -> None:
    file = made(tmp_path / "protected.yaml")
    kept(Pin(file.path, state), file)
    path = Path(state, "pins", file.file_id.hex())
    with path.open("r+b") as pin:
        pin.truncate(MAX_PIN_BYTES + 1)
    with refused(StoreError) as caught:
        Pin(file.path, state).read(file.file_id)
    assert "has more than" in caught.value.message


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b""),
        b"zz\n",
        b"0",
        b"\xff",
        b"0" * 63 + b"\xe9",
    ],
)
def test_a_damaged_place(tmp_path: Path, state: str, raw: bytes) -> None:
    file = made(tmp_path / "protected.yaml")
    kept(Pin(file.path, state), file)
    (place,) = Path(state, "places").iterdir()
    place.write_bytes(raw)
    with refused(StoreError) as caught:
        Pin(file.path, state).file_id()
    assert "trust accept" in caught.value.hint


def test_a_huge_place_is_not_read(tmp_path: Path, state: str) -> None:
    file = made(tmp_path / "protected.yaml")
    kept(Pin(file.path, state), file)
    (place,) = Path(state, "places").iterdir()
    place.write_bytes(b"0" * 1_000_000)
    with refused(StoreError):
        Pin(file.path, state).file_id()


def test_another_path_is_another_place_and_the_same_pin(tmp_path: Path, state: str) -> None:
    file = made(tmp_path / "protected.yaml")
    kept(Pin(file.path, state), file)
    moved = tmp_path / "moved.yaml"
    os.rename(file.path, moved)
    pin = Pin(str(moved), state)
    assert pin.file_id() is None
    assert pin.is_current(file.file_id, file.get_contents())


def git(folder: Path, *words: str) -> None:
    who = {f"GIT_{role}_{what}": "x@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    variables = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", **who}
    subprocess.run(["git", *words], cwd=folder, env=variables, check=True, capture_output=True)


def test_two_work_trees_share_the_place(tmp_path: Path, state: str) -> None:
    main = tmp_path / "main"
    (main / "conf").mkdir(parents=True)
    git(main, "init", "-q")
    file = made(main / "conf" / "protected.yaml")
    git(main, "add", ".")
    git(main, "commit", "-qm", "base")
    git(main, "worktree", "add", "-q", str(tmp_path / "side"), "-b", "side")
    git(main, "clone", "-q", str(main), str(tmp_path / "clone"))
    kept(Pin(file.path, state), file)
    assert Pin(str(tmp_path / "side" / "conf" / "protected.yaml"), state).file_id() == file.file_id
    assert Pin(str(main / "protected.yaml"), state).file_id() is None
    assert Pin(str(tmp_path / "clone" / "conf" / "protected.yaml"), state).file_id() is None


def test_a_link_to_the_file_is_the_same_place(tmp_path: Path, state: str) -> None:
    file = made(tmp_path / "protected.yaml")
    kept(Pin(file.path, state), file)
    link = tmp_path / "link.yaml"
    link.symlink_to(file.path)
    assert Pin(str(link), state).file_id() == file.file_id


@pytest.mark.parametrize(
    "content",
    [
        b"gitdir: \0\n",
        b"",
        b"gitdir: /nowhere\n",
        b"\xff" * 10_000,
    ],
)
def test_a_git_file_that_leads_nowhere(tmp_path: Path, state: str, content: bytes) -> None:
    (tmp_path / ".git").write_bytes(content)
    file = made(tmp_path / "protected.yaml")
    kept(Pin(file.path, state), file)
    assert Pin(file.path, state).file_id() == file.file_id


@pytest.mark.parametrize("folder", ["/dev/null/x", "/proc/self/nothing"])
def test_a_state_folder_that_cannot_be_made(tmp_path: Path, folder: str) -> None:
    file = made(tmp_path / "protected.yaml")
    pin = Pin(file.path, folder)
    assert pin.file_id() is None
    with refused(StoreError) as caught:
        kept(pin, file)
    assert "cannot make" in caught.value.message


def test_what_could_not_be_read_again_is_not_written(
    tmp_path: Path, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = made(tmp_path / "protected.yaml")
    kept(Pin(file.path, state), file)
    more = file.add_secret("dev", "big", "x" * 100_000).write()
    pin = Pin(more.path, state)
    pin.read(more.file_id)
    monkeypatch.setattr("pocket_protector.user.pins.MAX_PIN_BYTES", 50_000)
    with refused(StoreError):
        kept(pin, more)
    assert Pin(file.path, state).is_current(file.file_id, file.get_contents())


def test_a_pin_of_version_1_is_read_and_moves_on(tmp_path: Path, state: str) -> None:
    """Its text does not count as recognised: it is judged once, and then written anew."""
    file = made(tmp_path / "protected.yaml")
    kept(Pin(file.path, state), file)
    path = Path(state, "pins", file.file_id.hex())
    first, _, rest = path.read_bytes().partition(b"\n")
    content = json.loads(rest)
    del content["owners"], content["seen"]
    content |= {"gone": [], "custodians": {}, "missed": [], "truncated": [], "elsewhere": {}}
    path.write_bytes(first.replace(b"pin 2", b"pin 1") + b"\n" + json.dumps(content).encode() + b"\n")
    pin = Pin(file.path, state)
    assert not pin.is_current(file.file_id, file.get_contents())
    assert pin.read(file.file_id) == judged(file)
    kept(pin, file)
    assert Pin(file.path, state).is_current(file.file_id, file.get_contents())


def test_pending_notices_of_earlier_versions_are_shown(tmp_path: Path, state: str) -> None:
    file = made(tmp_path / "protected.yaml")
    pin = Pin(file.path, state)
    pin.set_pending(file.file_id, ["note: one"])
    os.rename(os.path.join(state, "pending"), os.path.join(state, "untold"))
    assert pin.pending(file.file_id) == ["note: one"]
    pin.set_pending(file.file_id, [])
    assert pin.pending(file.file_id) == []
