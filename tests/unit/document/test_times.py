"""Times are one form only, and sort as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from samples import refused

from pocket_protector import FormatError
from pocket_protector.document.times import format_time, parse_time

MOMENTS = st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))


@given(MOMENTS, MOMENTS)
def test_times_sort_as_text(one: datetime, other: datetime) -> None:
    texts = format_time(one), format_time(other)
    assert all(parse_time(text) == text for text in texts)
    assert (texts[0] <= texts[1]) == (one.replace(microsecond=0) <= other.replace(microsecond=0))


def test_another_zone_is_converted() -> None:
    moment = datetime(2026, 11, 22, 1, 0, 0, 999_999, timezone(timedelta(hours=2)))
    assert format_time(moment) == "2026-11-21T23:00:00Z"


@given(st.from_regex(r"[0-9TWZ:.+-]{20}", fullmatch=True))
def test_what_only_looks_like_a_time(text: str) -> None:
    try:
        parsed = parse_time(text)
    except FormatError:
        return
    assert datetime.strptime(parsed, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


@given(st.text(max_size=30).filter(lambda text: not text.endswith("Z")))
def test_any_text_is_no_time(text: str) -> None:
    with refused(FormatError):
        parse_time(text)
