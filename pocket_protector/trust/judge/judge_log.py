"""Judge the audit log (docs/format.md, section 12.4, step 11)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pocket_protector.document.audit_log import FILE, AuditLog, truncated_by
from pocket_protector.trust.findings import Finding, Severity
from pocket_protector.trust.judge.state import changed_names


def judge_log(old: AuditLog, new: AuditLog) -> Iterator[Finding]:
    """Yield a finding if entries of the log are gone. Entries go by a truncation, and it notes their number."""
    gone = _gone(old, new)
    number = _number(gone)
    if not number:
        return
    if _is_noted(old, new, gone):
        yield Finding(Severity.INFO, "log-truncated", (FILE,), f"the audit log was truncated, by {number}")
        return
    places = ", ".join(sorted(gone)[:5]) + (" and others" if len(gone) > 5 else "")
    text = f"entries of the audit log are gone, and no truncation noted that: {number}, in {places}"
    hint = "another branch does not have them; if this is not one, git's history names the commit that removed them"
    yield Finding(Severity.ATTENTION, "log-entries-gone", (FILE,), text, hint)


_Entries = dict[str, Counter[str]]


def _gone(old: AuditLog, new: AuditLog) -> _Entries:
    """Return the missing entries, by list."""
    if old.lists is new.lists:
        return {}
    lists = {
        where: Counter(old.lists.get(where, ())) - Counter(new.lists.get(where, ()))
        for where in changed_names(old.lists, new.lists)
    }
    return {where: entries for where, entries in lists.items() if entries}


def _number(gone: _Entries) -> int:
    return sum(entries.total() for entries in gone.values())


def _is_noted(old: AuditLog, new: AuditLog, gone: _Entries) -> bool:
    notes = Counter(new.lists.get(FILE, ())) - Counter(old.lists.get(FILE, ()))
    return sum(truncated_by(entry) * times for entry, times in notes.items()) >= _number(gone)
