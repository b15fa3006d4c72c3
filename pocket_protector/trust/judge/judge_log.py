"""The audit log's part of a judgement (docs/format.md, section 12, rule 14), and what it tells of branches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pocket_protector.document.audit_log import FILE, AuditLog, truncated_by
from pocket_protector.trust.findings import Finding, Severity
from pocket_protector.trust.judge.state import Memory, differing
from pocket_protector.trust.memory_hashes import entry_hash


@dataclass(frozen=True, slots=True)
class LogStep:
    """What the log says of a step to a document that may be another branch's. `told` are the lists that tell of what
    was done: those with an entry that was never seen before, and of owners, custodians and values those that have all
    entries which they had. `missed` are the hashes (32 bytes) of entries that were seen, and are not there without a
    truncation; `truncated` of those that a truncation took out."""

    told: frozenset[str]
    missed: frozenset[bytes]
    truncated: frozenset[bytes]

    @classmethod
    def of(cls, memory: Memory, old: AuditLog, new: AuditLog) -> LogStep:
        added, gone = _gone(new, old), _gone(old, new)
        known = memory.missed | memory.truncated
        grown = {where for where, entries in added.items() if any(entry_hash(where, e) not in known for e in entries)}
        kept = {where for where in old.lists if where not in gone and not where.startswith("domain/")}
        back = _hashes(added) if known else frozenset()
        noted = _is_noted(old, new, gone)
        missed = memory.missed - back | (frozenset() if noted else _hashes(gone))
        truncated = memory.truncated - back | (_hashes(gone) if noted else frozenset())
        return cls(frozenset(grown | kept), missed, truncated)


def judge_log(old: AuditLog, new: AuditLog) -> Iterator[Finding]:
    """Entries of the log go by a truncation, which notes how many."""
    gone = _gone(old, new)
    number = _number(gone)
    if not number:
        return
    if _is_noted(old, new, gone):
        yield Finding(Severity.INFO, "log-truncated", (FILE,), f"the audit log was truncated, by {number}")
        return
    places = ", ".join(sorted(gone)[:5]) + (" and others" if len(gone) > 5 else "")
    text = f"entries of the audit log are gone, and no truncation noted that: {number}, in {places}"
    hint = "another branch does not have them; if this is none, see in git's history who took them out"
    yield Finding(Severity.ATTENTION, "log-entries-gone", (FILE,), text, hint)


_Entries = dict[str, Counter[str]]


def _gone(old: AuditLog, new: AuditLog) -> _Entries:
    """The entries that are gone, by list."""
    if old.lists is new.lists:
        return {}
    lists = {
        where: Counter(old.lists.get(where, ())) - Counter(new.lists.get(where, ()))
        for where in differing(old.lists, new.lists)
    }
    return {where: entries for where, entries in lists.items() if entries}


def _number(gone: _Entries) -> int:
    return sum(entries.total() for entries in gone.values())


def _hashes(entries: _Entries) -> frozenset[bytes]:
    return frozenset(entry_hash(where, entry) for where, found in entries.items() for entry in found)


def _is_noted(old: AuditLog, new: AuditLog, gone: _Entries) -> bool:
    notes = Counter(new.lists.get(FILE, ())) - Counter(old.lists.get(FILE, ()))
    return sum(truncated_by(entry) * times for entry, times in notes.items()) >= _number(gone)
