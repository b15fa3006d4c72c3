"""Times as the file writes them: `2026-11-22T09:59:00Z`, UTC, whole seconds (RFC 3339)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from pocket_protector.errors import FormatError

TIME_LENGTH = len("2026-11-22T09:59:00Z")

_TIME = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\dZ", re.ASCII)

_LAST = "9999-12-31T23:59:59Z"


def parse_time(text: str) -> str:
    """Check that `text` is a time in the file's canonical form; FormatError if not."""
    if _TIME.fullmatch(text):
        try:
            datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            return text
    raise FormatError("not a time such as 2026-11-22T09:59:00Z")


def later_time(now: str, before: str) -> str:
    """Return `now`, or a second after `before` if `now` is not later.

    So each change of a value has a time of its own, and a merge can distinguish an update from a rotation.
    """
    if now > before or before == _LAST:
        return now
    return format_time(datetime.fromisoformat(before) + timedelta(seconds=1))


def format_time(moment: datetime) -> str:
    """Format a moment, which has a time zone, as the file does: in UTC, cut to whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
