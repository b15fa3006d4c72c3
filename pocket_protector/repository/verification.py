"""The judgement of a file's history, as a report for people and programs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pocket_protector.errors import StoreError
from pocket_protector.repository.judged_history import RANGE, JudgedVersion, judge_history
from pocket_protector.trust.findings import Finding, Severity
from pocket_protector.trust.judge.state import State
from pocket_protector.trust.verdict import current_findings

WORK_TREE = "work tree"
_MERGED = "merge result"
_SHORT_ID = 12
_EVERY_VERSION = "every version"


@dataclass(frozen=True, slots=True)
class ReportStep:
    """One version of the file, and the findings about the step that led to it.

    `name` is an abbreviated commit id (12 digits), `work tree` or `merge result`. `time` is the committer's, in UTC as
    `2026-11-22T09:59:00Z`; `author` and `subject` are the commit's own words. All three are empty without a commit.
    """

    name: str
    time: str
    author: str
    subject: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class DomainCounts:
    """A domain as it is now: whether it is signed, how many owners count, how many values an owner has reviewed, and
    its policy in the words of the file."""

    signed: bool
    owners: int
    reviewed: int
    unreviewed: int
    policy: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Report:
    """A judged file.

    `subject` says which versions were judged. `steps` are these versions, oldest first. `current` are findings about
    the newest state that no single step caused, such as a policy that the file does not meet. `domains` has the counts
    by domain name.
    """

    path: str
    subject: str
    steps: tuple[ReportStep, ...]
    current: tuple[Finding, ...]
    domains: Mapping[str, DomainCounts]

    def findings(self) -> list[tuple[ReportStep, Finding]]:
        """Return all findings in order, each with its step; current findings come last, with an empty step."""
        current = ReportStep("", "", "", "", self.current)
        return [(step, finding) for step in (*self.steps, current) for finding in step.findings]

    def count(self, severity: Severity) -> int:
        """Return how many findings have this severity."""
        return sum(finding.severity == severity for _, finding in self.findings())


def verify_history(
    path: str | os.PathLike[str],
    revisions: str | None = None,
    *,
    trust: Mapping[str, str] | None = None,
    now: datetime | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Judge each version of the file at `path` that git has: whether each change of keys, owners, policies and signed
    values was authorized.

    `revisions` are in git's words. None: every version, and the work tree. `A..B`: the commits after A up to B, and
    what a merge of B into A would make (`A..` is up to HEAD). `A`: the work tree against the history up to A. The whole
    history is always judged; `revisions` chooses what the report shows.

    `trust` maps custodian names to fingerprints; each domain must lead back to one of them. `now` is for policies
    about age (the clock, if None). `progress` is called with the number of versions judged and their total.

    Raise StoreError if `revisions` is malformed or unknown, the file is missing, or git lacks part of its history;
    FormatError or IntegrityError if the work tree's file does not load. An earlier version that does not load is a
    finding, and so is a violation: see `Report.count`. See docs/format.md, section 12.
    """
    if revisions is not None and not is_revisions(revisions):
        raise StoreError(f"{revisions!r} is not a commit or a range of commits", hint="REV, REV.. or REV..REV")
    judged = judge_history(os.fspath(path), revisions, progress or _ignore_progress)
    uncommitted = _MERGED if RANGE in (revisions or "") else WORK_TREE
    steps = [_step(version, uncommitted) for version in judged.versions]
    return report_of(os.fspath(path), revisions or _EVERY_VERSION, steps, judged.state, trust=trust, now=now)


def is_revisions(text: str) -> bool:
    """Return whether the text has the form `REV`, `REV..` or `REV..REV`."""
    # A shell variable that is not set leaves "", "..", "..HEAD" or "...HEAD". These must fail: a check of no commit
    # finds nothing.
    return text != "" and not text.startswith(RANGE) and "..." not in text


def report_of(
    path: str,
    subject: str,
    steps: Iterable[ReportStep],
    state: State | None,
    *,
    trust: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> Report:
    """Return the report of steps that were judged already; `state` is the one after the last step, if there is one."""
    current: list[Finding] = []
    counts: dict[str, DomainCounts] = {}
    if state is not None:
        current = current_findings(state, trust, now or datetime.now(UTC))
        for name, domain in sorted(state.document.domains.items()):
            found = state.authorities[name]
            owners = len(found.owners.counting)
            policy = domain.policy.items()
            counts[name] = DomainCounts(domain.epoch is not None, owners, found.reviewed, len(found.unreviewed), policy)
    return Report(path, subject, tuple(steps), tuple(current), counts)


def _step(version: JudgedVersion, uncommitted: str) -> ReportStep:
    commit = version.commit
    if commit is None:
        return ReportStep(uncommitted, "", "", "", version.findings)
    return ReportStep(commit.id[:_SHORT_ID], commit.time, commit.author, commit.subject, version.findings)


def _ignore_progress(_done: int, _total: int) -> None:
    pass
