"""What the user has seen of a file: when the pin moves, and when it stays."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from samples import ALICE, BOB, Creds, KeyFile, raw_key, refused

from pocket_protector.cli.watching import MOST_LINES, look, look_anew, notes
from pocket_protector.document.document import Document
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import StoreError
from pocket_protector.format.loaded_file import dump

MALLORY = Creds(BOB.name, raw_key(0x66))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyFile:
    monkeypatch.setenv("PPROTECT_STATE_DIR", str(tmp_path / "state"))
    made = KeyFile.create(tmp_path / "protected.yaml").add_raw_key_custodian(ALICE).add_raw_key_custodian(BOB)
    return made.add_domain("dev", ALICE.name, creds=ALICE).add_secret("dev", "api", "first").write()


@pytest.fixture
def pinned(file: KeyFile) -> KeyFile:
    look(file).seen()
    return file


def put(file: KeyFile, document: Document) -> KeyFile:
    """The file as somebody else made it."""
    Path(file.path).write_text(dump(document).text, encoding="utf-8")
    return KeyFile.from_file(file.path)


def attacked(file: KeyFile) -> KeyFile:
    """Bob's keys are Mallory's."""
    other = KeyFile.create("x").add_raw_key_custodian(MALLORY).document.custodians[BOB.name]
    return put(file, file.document.with_custodian(other))


def codes(file: KeyFile) -> set[str]:
    return {finding.code for finding in look(file).findings}


def test_the_first_time(file: KeyFile) -> None:
    watch = look(file)
    assert watch.before is None
    assert watch.after is not None
    assert "first-contact" in codes(file)
    watch.seen()
    assert look(file).findings == ()
    assert look(file).after is None


def test_a_file_as_it_was_is_not_judged_until_asked(pinned: KeyFile) -> None:
    watch = look(pinned)
    assert (watch.before, watch.after) == (None, None)
    assert watch.judged().findings == ()
    trusted = watch.trusted()
    assert trusted is not None
    assert trusted.document == pinned.document


def test_a_change_is_seen_once(pinned: KeyFile) -> None:
    changed = pinned.add_secret("dev", "db", "second").write()
    assert codes(changed) == {"secret-changed"}
    look(changed).looked_at()
    assert codes(changed) == set()


@pytest.mark.parametrize("move", ["seen", "looked_at", "wrote"])
def test_a_violation_moves_no_pin(pinned: KeyFile, move: str) -> None:
    hostile = attacked(pinned)
    watch = look(hostile)
    getattr(watch, move)(*([hostile] if move == "wrote" else []))
    assert "custodian-replaced" in codes(hostile)


def test_accepting_moves_it(pinned: KeyFile) -> None:
    hostile = attacked(pinned)
    look(hostile).accept()
    assert codes(hostile) == set()


def test_what_nobody_may_have_read_is_told_again(pinned: KeyFile) -> None:
    cut = put(pinned, replace(pinned.document, log=replace(pinned.document.log, lists={})))
    look(cut).looked_at()
    assert codes(cut) == set()
    for _ in range(2):
        look(cut).looked_at()
        (text,) = look(cut).to_tell()
        assert "log" in text
    look(cut).seen()
    assert look(cut).to_tell() == []


def test_and_keeps_nothing_else_from_being_seen(pinned: KeyFile) -> None:
    """Or whoever cuts a line out of the log could put back what is seen from then on."""
    cut = put(pinned, replace(pinned.document, log=replace(pinned.document.log, lists={})))
    look(cut).looked_at()
    raised = cut.set_sensitivity("dev", "api", Sensitivity.INJECT_ONLY).write()
    look(raised).looked_at()
    assert look(put(raised, cut.document)).kept("dev") == {"api": Sensitivity.INJECT_ONLY}


def test_more_than_is_told_at_once_is_told_the_next_time(pinned: KeyFile) -> None:
    more = pinned
    for number in range(MOST_LINES + 3):
        more = more.add_secret("dev", f"s{number}", "1")
    look(more.write()).seen()
    dev = more.document.domains["dev"]
    times = {name: replace(secret, updated="2020-01-01T00:00:00Z") for name, secret in dev.secrets.items()}
    retimed = put(more, more.document.with_domain(replace(dev, secrets=times)))
    number = len(look(retimed).to_tell())
    assert number > MOST_LINES
    look(retimed).seen()
    assert len(look(retimed).to_tell()) == number - MOST_LINES
    look(retimed).seen()
    assert look(retimed).to_tell() == []


@pytest.mark.parametrize("texts", [["\U0001f511" * 100_000], ['"' * 100_000] * 40, ["n" * 70_000, "m"]])
def test_however_much_there_is_to_tell_it_is_kept(pinned: KeyFile, texts: list[str]) -> None:
    pin = look(pinned).pin
    assert pin is not None
    pin.set_pending(pinned.file_id, texts)
    told = look(pinned).to_tell()
    assert told[0] == texts[0][:500]
    assert (told[-1] == "note: and 10 more") is (len(texts) > 30)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[1]", b"\xff", b"[" * 60_000, b"[" * 70_000])
def test_a_damaged_list_of_what_is_to_be_told(pinned: KeyFile, raw: bytes) -> None:
    pin = look(pinned).pin
    assert pin is not None
    pin.set_pending(pinned.file_id, ["note: something"])
    (path,) = Path(os.environ["PPROTECT_STATE_DIR"]).rglob("pending/*")
    path.write_bytes(raw)
    assert "is damaged" in look(pinned).to_tell()[0]
    look(pinned).seen()
    assert look(pinned).to_tell() == []


def test_older_values_are_one_note(pinned: KeyFile) -> None:
    start = pinned
    for number in range(20):
        start = start.set_secret("dev", f"s{number}", "1")
    start = start.write()
    look(start).seen()
    later = start
    for number in range(20):
        later = later.set_secret("dev", f"s{number}", "2")
    look(later.write()).seen()
    told = notes(look(put(start, start.document)))
    assert [lines[0].partition(", ")[0] for lines in told if "older values" in lines[0]] == [
        "note: domain/dev: older values are back: s0"
    ]


def test_one_s_own_write_is_pinned(pinned: KeyFile) -> None:
    watch = look(pinned)
    written = pinned.rotate_domain_key("dev", ALICE).write()
    watch.wrote(written)
    assert look(written).findings == ()


def test_a_file_of_another_kind_in_its_place(pinned: KeyFile) -> None:
    legacy = Path(__file__).parents[2] / "vectors" / "upstream" / "v1-v2-mixed.yaml"
    Path(pinned.path).write_bytes(legacy.read_bytes())
    watch = look(KeyFile.from_file(pinned.path))
    assert [finding.code for finding in watch.violations] == ["file-replaced"]
    assert watch.before is not None
    watch.seen()
    watch.wrote(watch.store)
    assert look(watch.store).violations


def test_a_legacy_file_where_none_was_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PPROTECT_STATE_DIR", str(tmp_path / "state"))
    legacy = Path(__file__).parents[2] / "vectors" / "upstream" / "v1-v2-mixed.yaml"
    watch = look(KeyFile.from_contents_and_path(legacy.read_text(encoding="utf-8"), tmp_path / "protected.yaml"))
    assert (watch.findings, watch.after, watch.judged()) == ((), None, watch)
    watch.seen()
    assert not (tmp_path / "state").exists()


def test_a_damaged_pin(pinned: KeyFile, tmp_path: Path) -> None:
    (pin,) = (tmp_path / "state" / "pins").iterdir()
    pin.write_bytes(pin.read_bytes()[:-9])
    with refused(StoreError):
        look(pinned).judged()
    look_anew(pinned).accept()
    assert look(pinned).judged().findings == ()
