"""The audit log's part of a judgement (docs/format.md, section 12, rule 14), and what it tells of branches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pocket_protector.model.audit import FILE, AuditLog, truncated_by
from pocket_protector.model.times import TIME_LENGTH
from pocket_protector.trust.findings import Finding, Severity
from pocket_protector.trust.state import differing


def judge_log(old: AuditLog, new: AuditLog) -> Iterator[Finding]:
    """Entries of the log go by a truncation, which notes how many."""
    gone = _gone(old, new)
    if not gone:
        return
    if _is_noted(old, new, gone):
        yield Finding(Severity.INFO, "log-truncated", (FILE,), f"the audit log was truncated, by {gone.total()}")
        return
    places = ", ".join(sorted(gone)[:5]) + (" and others" if len(gone) > 5 else "")
    text = f"entries of the audit log are gone, and no truncation noted that: {gone.total()}, in {places}"
    hint = "another branch does not have them; if this is none, see in git's history who took them out"
    yield Finding(Severity.ATTENTION, "log-entries-gone", (FILE,), text, hint)


def is_behind(old: AuditLog, new: AuditLog) -> bool:
    """Whether entries are gone, and no truncation noted that: `new` is older than `old`, or of another branch."""
    return not _is_noted(old, new, _gone(old, new))


def grown(old: AuditLog, new: AuditLog) -> frozenset[str]:
    """The lists that have entries which they had not; such as a truncation took out say nothing new."""
    truncated = max((entry[:TIME_LENGTH] for entry in old.lists.get(FILE, ()) if truncated_by(entry)), default="")
    return frozenset(where for where in _gone(new, old) if new.last_time(where) > truncated)


def _gone(old: AuditLog, new: AuditLog) -> Counter[str]:
    """How many entries are gone, by list."""
    gone: Counter[str] = Counter()
    if old.lists is not new.lists:
        for where in differing(old.lists, new.lists):
            missing = (Counter(old.lists.get(where, ())) - Counter(new.lists.get(where, ()))).total()
            if missing:
                gone[where] = missing
    return gone


def _is_noted(old: AuditLog, new: AuditLog, gone: Counter[str]) -> bool:
    notes = Counter(new.lists.get(FILE, ())) - Counter(old.lists.get(FILE, ()))
    return sum(truncated_by(entry) * times for entry, times in notes.items()) >= gone.total()
