"""The audit log's lists, their order, and truncation (P7)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import refused

from pocket_protector import FormatError, StoreError
from pocket_protector.document.audit_log import AuditLog, parse_entry, parse_section, section

TIMES = st.integers(0, 5).map(lambda second: f"2026-11-22T10:00:0{second}Z")
ENTRIES = st.lists(st.tuples(TIMES, st.sampled_from("abc")).map(lambda e: f"{e[0]} -- {e[1]}"), min_size=1, max_size=4)
LOGS = st.dictionaries(
    st.sampled_from(["legacy", "file", "domain/d", "secret/d/n"]), ENTRIES.map(tuple), max_size=4
).map(AuditLog)
NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=10)
NOW = "2026-11-22T11:00:00Z"


@given(NAMES, NAMES)
def test_any_names_make_a_section_of_their_own(one: str, other: str) -> None:
    made = section("secret", one, other)
    assert parse_section(made) == made
    assert made.count("/") == 2
    assert (section("owner", one, other) == section("owner", other, one)) == (one == other)


def test_the_order_is_legacy_first_then_time_section_and_position() -> None:
    log = AuditLog(
        {
            "secret/d/n": ("2026-11-22T10:00:01Z -- s1", "2026-11-22T10:00:01Z -- s2", "2026-11-22T10:00:09Z -- s3"),
            "file": ("2026-11-22T10:00:01Z -- f", "2026-11-22T10:00:03Z -- g"),
            "legacy": ("truncated 5 audit log entries", "2027-01-01T00:00:00Z -- old"),
            "domain/d": ("2026-11-22T10:00:00Z -- d",),
        }
    )
    assert [entry[-2:].strip() for entry in log.entries()] == ["es", "ld", "d", "f", "s1", "s2", "g", "s3"]


@given(LOGS, st.integers(0, 20))
def test_truncation_keeps_the_newest(log: AuditLog, keep: int) -> None:
    before, truncated = log.entries(), log.truncate(keep, NOW)
    if keep >= len(before):
        assert truncated is log
        return
    note = f"{NOW} -- truncated {len(before) - keep} audit log entries"
    after = truncated.entries()
    assert truncated.lists["file"][-1] == note
    after.remove(note)
    assert after == before[len(before) - keep :]
    assert all(truncated.lists.values())


@given(LOGS, st.integers(max_value=-1))
def test_a_negative_number_is_refused(log: AuditLog, keep: int) -> None:
    with refused(StoreError):
        log.truncate(keep, NOW)


@given(LOGS)
def test_an_addition_leaves_the_rest(log: AuditLog) -> None:
    more = log.add("file", NOW, "x")
    assert more.lists["file"] == (*log.lists.get("file", ()), f"{NOW} -- x")
    assert {k: v for k, v in more.lists.items() if k != "file"} == {k: v for k, v in log.lists.items() if k != "file"}


@given(st.text(max_size=40))
def test_any_text_is_no_entry_and_no_section(text: str) -> None:
    with refused(FormatError):
        parse_entry(text)
    if text not in ("file", "legacy"):
        with refused(FormatError):
            parse_section("/" + text)


@pytest.mark.parametrize(
    ("names", "made"), [(("a/b", "c"), "owner/a%2Fb/c"), (("%2F", "/"), "owner/%252F/%2F"), (("a", "b"), "owner/a/b")]
)
def test_escapes(names: tuple[str, str], made: str) -> None:
    assert section("owner", *names) == made
