"""What the user has seen of a file: when the pin moves, and when it stays."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from samples import ALICE, BOB, Creds, KeyFile, raw_key, refused

from pocket_protector.document.document import Document
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import StoreError
from pocket_protector.format.loaded_file import dump
from pocket_protector.user.judged_file import MOST_NOTICES, judge_against_pin, judge_as_new, notices_of
from pocket_protector.user.notices import ignore

MALLORY = Creds(BOB.name, raw_key(0x66))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyFile:
    monkeypatch.setenv("PPROTECT_STATE_DIR", str(tmp_path / "state"))
    made = KeyFile.create(tmp_path / "protected.yaml").add_raw_key_custodian(ALICE).add_raw_key_custodian(BOB)
    return made.add_domain("dev", ALICE.name, creds=ALICE).add_secret("dev", "api", "first").write()


@pytest.fixture
def pinned(file: KeyFile) -> KeyFile:
    judge_against_pin(file).pin_as_read(ignore)
    return file


def put(file: KeyFile, document: Document) -> KeyFile:
    """The file as somebody else made it."""
    Path(file.path).write_text(dump(document).text, encoding="utf-8")
    return KeyFile.from_file(file.path)


def attacked(file: KeyFile) -> KeyFile:
    """Bob's keys are Mallory's."""
    other = KeyFile.create("x").add_raw_key_custodian(MALLORY).document.custodians[BOB.name]
    return put(file, file.document.with_custodian(other))


def pending(file: KeyFile) -> list[str]:
    return list(map(str, judge_against_pin(file).pending()))


def codes(file: KeyFile) -> set[str]:
    return {finding.code for finding in judge_against_pin(file).findings}


def test_the_first_time(file: KeyFile) -> None:
    watch = judge_against_pin(file)
    assert watch.before is None
    assert watch.after is not None
    assert "first-contact" in codes(file)
    watch.pin_as_read(ignore)
    assert judge_against_pin(file).findings == ()
    assert judge_against_pin(file).after is None


def test_a_file_as_it_was_is_not_judged_until_asked(pinned: KeyFile) -> None:
    watch = judge_against_pin(pinned)
    assert (watch.before, watch.after) == (None, None)
    assert watch.judged().findings == ()
    trusted = watch.trusted()
    assert trusted is not None
    assert trusted.document == pinned.document


def test_a_change_is_seen_once(pinned: KeyFile) -> None:
    changed = pinned.add_secret("dev", "db", "second").write()
    assert codes(changed) == {"secret-changed"}
    judge_against_pin(changed).pin_as_unread(ignore)
    assert codes(changed) == set()


@pytest.mark.parametrize("move", ["pin_as_read", "pin_as_unread", "pin_written"])
def test_a_violation_moves_no_pin(pinned: KeyFile, move: str) -> None:
    hostile = attacked(pinned)
    watch = judge_against_pin(hostile)
    getattr(watch, move)(*([hostile] if move == "pin_written" else []), ignore)
    assert "custodian-replaced" in codes(hostile)


def test_accepting_moves_it(pinned: KeyFile) -> None:
    hostile = attacked(pinned)
    judge_against_pin(hostile).accept()
    assert codes(hostile) == set()


def test_what_nobody_may_have_read_is_told_again(pinned: KeyFile) -> None:
    cut = put(pinned, replace(pinned.document, log=replace(pinned.document.log, lists={})))
    judge_against_pin(cut).pin_as_unread(ignore)
    assert codes(cut) == set()
    for _ in range(2):
        judge_against_pin(cut).pin_as_unread(ignore)
        (text,) = pending(cut)
        assert "log" in text
    judge_against_pin(cut).pin_as_read(ignore)
    assert pending(cut) == []


def test_and_keeps_nothing_else_from_being_seen(pinned: KeyFile) -> None:
    """Or whoever cuts a line out of the log could put back what is seen from then on."""
    cut = put(pinned, replace(pinned.document, log=replace(pinned.document.log, lists={})))
    judge_against_pin(cut).pin_as_unread(ignore)
    raised = cut.set_sensitivity("dev", "api", Sensitivity.INJECT_ONLY).write()
    judge_against_pin(raised).pin_as_unread(ignore)
    assert judge_against_pin(put(raised, cut.document)).sensitivity_floors("dev") == {"api": Sensitivity.INJECT_ONLY}


def test_more_than_is_told_at_once_is_told_the_next_time(pinned: KeyFile) -> None:
    more = pinned
    for number in range(MOST_NOTICES + 3):
        more = more.add_secret("dev", f"s{number}", "1")
    judge_against_pin(more.write()).pin_as_read(ignore)
    dev = more.document.domains["dev"]
    times = {name: replace(secret, updated="2020-01-01T00:00:00Z") for name, secret in dev.secrets.items()}
    retimed = put(more, more.document.with_domain(replace(dev, secrets=times)))
    number = len(pending(retimed))
    assert number > MOST_NOTICES
    judge_against_pin(retimed).pin_as_read(ignore)
    assert len(pending(retimed)) == number - MOST_NOTICES
    judge_against_pin(retimed).pin_as_read(ignore)
    assert pending(retimed) == []


@pytest.mark.parametrize("texts", [["\U0001f511" * 100_000], ['"' * 100_000] * 40, ["n" * 70_000, "m"]])
def test_however_much_there_is_to_tell_it_is_kept(pinned: KeyFile, texts: list[str]) -> None:
    pin = judge_against_pin(pinned).pin
    assert pin is not None
    pin.set_pending(pinned.file_id, texts)
    told = pending(pinned)
    assert told[0] == f"note: {texts[0][:500]}"
    assert (told[-1] == "note: and 10 more") is (len(texts) > 30)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[1]", b"\xff", b"[" * 60_000, b"[" * 70_000])
def test_a_damaged_list_of_what_is_to_be_told(pinned: KeyFile, raw: bytes) -> None:
    pin = judge_against_pin(pinned).pin
    assert pin is not None
    pin.set_pending(pinned.file_id, ["note: something"])
    (path,) = Path(os.environ["PPROTECT_STATE_DIR"]).rglob("pending/*")
    path.write_bytes(raw)
    assert "is damaged" in pending(pinned)[0]
    judge_against_pin(pinned).pin_as_read(ignore)
    assert pending(pinned) == []


def test_older_values_are_one_note(pinned: KeyFile) -> None:
    start = pinned
    for number in range(20):
        start = start.set_secret("dev", f"s{number}", "1")
    start = start.write()
    judge_against_pin(start).pin_as_read(ignore)
    later = start
    for number in range(20):
        later = later.set_secret("dev", f"s{number}", "2")
    judge_against_pin(later.write()).pin_as_read(ignore)
    told = map(str, notices_of(judge_against_pin(put(start, start.document))))
    assert [text.partition(", ")[0] for text in told if "older values" in text] == [
        "note: domain/dev: older values are back: s0"
    ]


def test_one_s_own_write_is_pinned(pinned: KeyFile) -> None:
    watch = judge_against_pin(pinned)
    written = pinned.rotate_domain_key("dev", ALICE).write()
    watch.pin_written(written, ignore)
    assert judge_against_pin(written).findings == ()


def test_a_file_of_another_kind_in_its_place(pinned: KeyFile) -> None:
    legacy = Path(__file__).parents[2] / "vectors" / "upstream" / "v1-v2-mixed.yaml"
    Path(pinned.path).write_bytes(legacy.read_bytes())
    watch = judge_against_pin(KeyFile.from_file(pinned.path))
    assert [finding.code for finding in watch.violations] == ["file-replaced"]
    assert watch.before is not None
    watch.pin_as_read(ignore)
    watch.pin_written(watch.key_file, ignore)
    assert judge_against_pin(watch.key_file).violations


def test_a_legacy_file_where_none_was_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PPROTECT_STATE_DIR", str(tmp_path / "state"))
    legacy = Path(__file__).parents[2] / "vectors" / "upstream" / "v1-v2-mixed.yaml"
    watch = judge_against_pin(
        KeyFile.from_contents_and_path(legacy.read_text(encoding="utf-8"), tmp_path / "protected.yaml")
    )
    assert (watch.findings, watch.after, watch.judged()) == ((), None, watch)
    watch.pin_as_read(ignore)
    assert not (tmp_path / "state").exists()


def test_a_damaged_pin(pinned: KeyFile, tmp_path: Path) -> None:
    (pin,) = (tmp_path / "state" / "pins").iterdir()
    pin.write_bytes(pin.read_bytes()[:-9])
    with refused(StoreError):
        judge_against_pin(pinned).judged()
    judge_as_new(pinned).accept()
    assert judge_against_pin(pinned).judged().findings == ()
