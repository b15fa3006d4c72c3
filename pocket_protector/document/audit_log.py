"""The audit log: one append-only list per object, so that branches rarely meet (docs/format.md, section 8)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pocket_protector.document.times import TIME_LENGTH, parse_time
from pocket_protector.errors import FormatError, StoreError

LEGACY = "legacy"
FILE = "file"

_PART = r"/(?:[^%/\x00-\x1f\x7f-\x9f]|%25|%2F)+"
_SECTION = re.compile(rf"{LEGACY}|{FILE}|(?:custodian|domain|(?:owner|secret){_PART}){_PART}")
_ENTRY_TEXT = re.compile(r" -- [^\x00-\x1f\x7f-\x9f]+")

_TRUNCATED = re.compile(r" -- truncated ([0-9]{1,9}) audit log entries")


def section(kind: str, *names: str) -> str:
    """Return the name of an object's list, such as `secret/dev/db-password`; `%` and `/` in names are escaped."""
    return "/".join([kind, *(name.replace("%", "%25").replace("/", "%2F") for name in names)])


def parse_section(text: str) -> str:
    """Check that `text` is the name of a list, in its one canonical spelling; else FormatError."""
    if not _SECTION.fullmatch(text):
        raise FormatError("unknown section of the audit log")
    return text


def parse_entry(text: str) -> str:
    """Check that `text` is `<time> -- <what happened>`; else FormatError."""
    parse_time(text[:TIME_LENGTH])
    if not _ENTRY_TEXT.fullmatch(text, TIME_LENGTH):
        raise FormatError("an entry of the audit log is a time, ' -- ' and a text")
    return text


@dataclass(frozen=True, slots=True)
class AuditLog:
    """Lists of entries by section. `legacy` holds the strings of an upgraded file's old log as they were."""

    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def add(self, where: str, now: str, text: str) -> AuditLog:
        """Append `<now> -- <text>` to a section."""
        return self.append(where, f"{now} -- {text}")

    def append(self, where: str, entry: str) -> AuditLog:
        """Append a whole entry to a section."""
        return AuditLog({**self.lists, where: (*self.lists.get(where, ()), entry)})

    def last_time(self, where: str) -> str:
        """Return the latest time of a section's entries; "" if it has none."""
        return max((entry[:TIME_LENGTH] for entry in self.lists.get(where, ())), default="")

    def ordered(self) -> list[tuple[str, int]]:
        """Return every entry as (section, position): the legacy ones, then by time, section and position."""
        legacy = [(LEGACY, at) for at in range(len(self.lists.get(LEGACY, ())))]
        timed = [
            (entry[:TIME_LENGTH], where, at)
            for where, entries in self.lists.items()
            if where != LEGACY
            for at, entry in enumerate(entries)
        ]
        return legacy + [(where, at) for _, where, at in sorted(timed)]

    def entries(self) -> list[str]:
        """Return every entry, in the order of `ordered`."""
        return [self.lists[where][at] for where, at in self.ordered()]

    def truncate(self, keep: int, now: str) -> AuditLog:
        """Keep the newest `keep` entries, and note in `file` how many were removed; return this log if none were."""
        if keep < 0:
            raise StoreError("the number of audit log entries to keep cannot be negative")
        everything = self.ordered()
        dropped = set(everything[: max(len(everything) - keep, 0)])
        if not dropped:
            return self
        kept = {
            where: tuple(entry for at, entry in enumerate(entries) if (where, at) not in dropped)
            for where, entries in self.lists.items()
        }
        remaining = AuditLog({where: entries for where, entries in kept.items() if entries})
        return remaining.add(FILE, now, f"truncated {len(dropped)} audit log entries")


def truncated_by(entry: str) -> int:
    """Return how many entries this note of `truncate` counts; 0 for any other entry."""
    found = _TRUNCATED.fullmatch(entry, TIME_LENGTH)
    return int(found[1]) if found else 0
