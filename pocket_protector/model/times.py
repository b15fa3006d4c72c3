"""Times as the file writes them: `2026-11-22T09:59:00Z`, UTC, whole seconds (RFC 3339)."""

from __future__ import annotations

from datetime import UTC, datetime

from pocket_protector.errors import FormatError

TIME_LENGTH = len("2026-11-22T09:59:00Z")


def parse_time(text: str) -> str:
    """Check that `text` is such a time; FormatError otherwise. The text is its own canonical form."""
    if len(text) == TIME_LENGTH and text.isascii() and text[10] == "T" and text[19] == "Z":
        try:
            datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            return text
    raise FormatError("not a time such as 2026-11-22T09:59:00Z")


def format_time(moment: datetime) -> str:
    """`moment` (aware) as the file writes it, cut to whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
