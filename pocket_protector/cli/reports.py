"""What a judgement of a file's history says, as text, JSON or Markdown.

Names, authors and subjects are whatever somebody committed: none of them may pass for a part of the report.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pocket_protector.cli.output import SCHEMA, printable
from pocket_protector.document.audit_log import section
from pocket_protector.trust.findings import Finding, Severity

MOST_MARKDOWN = 60_000
"""Characters; GitHub takes 65,536 in a comment, and whoever posts the report may want to add some."""

_MARKS = {Severity.VIOLATION: "❌", Severity.ATTENTION: "⚠️", Severity.INFO: "💬"}


@dataclass(frozen=True, slots=True)
class ReportStep:
    """One version of the file. `name` is an abbreviated commit id, or says what else it is, such as the work tree."""

    name: str
    time: str
    author: str
    subject: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class DomainCounts:
    """Where a domain stands now: how many owners it has, and how many of its values somebody has reviewed."""

    signed: bool
    owners: int
    reviewed: int
    unreviewed: int
    policy: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Report:
    """A judged file: `subject` says what of it was judged; `steps` are all its versions, oldest first; `standing` is
    what is now not as a policy demands, with no step to blame."""

    path: str
    subject: str
    steps: tuple[ReportStep, ...]
    standing: tuple[Finding, ...]
    domains: Mapping[str, DomainCounts]

    def findings(self) -> list[tuple[ReportStep, Finding]]:
        """All of them, in order; an empty step is that of what stands."""
        standing = ReportStep("", "", "", "", self.standing)
        return [(step, finding) for step in (*self.steps, standing) for finding in step.findings]

    def count(self, severity: Severity) -> int:
        return sum(finding.severity == severity for _, finding in self.findings())


def verdict(report: Report) -> str:
    violations, attention = report.count(Severity.VIOLATION), report.count(Severity.ATTENTION)
    found = _number(violations, "violation") if violations else "no violation"
    if attention:
        found += f", {attention} for attention"
    clean = "" if violations or attention else "clean: "
    return f"{clean}{found} in {_number(len(report.steps), 'step')}"


def one_line(text: str, most: int = 0) -> str:
    """`text` so that it stays on its line and a terminal acts on nothing in it; cut, if `most` is not 0."""
    # Azure Pipelines and GitHub's runner obey ##vso[...] and ##[...] wherever in a line of a job's output they stand.
    text = printable(text).replace("\n", "\ufffd").replace("##", "#\ufffd")
    return text if not most or len(text) <= most else text[: most - 1] + "…"


def as_text(report: Report, verbose: bool = False) -> str:
    """The last line is the verdict. If `verbose`, also what is only information, and steps with nothing to report."""
    least = Severity.INFO if verbose else Severity.ATTENTION
    shown = [(step, [f for f in step.findings if f.severity >= least]) for step in report.steps]
    steps = [line for step, found in shown if found or verbose for line in (_step(step), *_findings(found))]
    quiet = 0 if verbose else sum(not found for _, found in shown)
    standing = _findings([f for f in report.standing if f.severity >= least])
    blocks = [
        [f"file: {one_line(report.path)}", f"judged: {one_line(report.subject)}"],
        [*steps, *([f"{_number(quiet, 'step')} with nothing to report"] if quiet else [])],
        ["as it stands:", *standing] if standing else [],
        [_domain(name, counts) for name, counts in sorted(report.domains.items())],
        [verdict(report)],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _step(step: ReportStep) -> str:
    # Long texts are cut: one that a terminal wraps can imitate a line.
    return f"{step.name:<12}  {step.time:<20}  {one_line(step.author, 40)}  {one_line(step.subject, 72)}".rstrip()


def _findings(findings: list[Finding]) -> list[str]:
    lines = []
    for finding in findings:
        where = one_line(section(*finding.where))
        lines.append(f"    {finding.severity.label}  {where}: {one_line(finding.text)} [{finding.code}]")
        if finding.hint:
            lines.append(f"        hint: {one_line(finding.hint)}")
    return lines


def _domain(name: str, counts: DomainCounts) -> str:
    policy = ", ".join(f"{key}={value}" for key, value in sorted(counts.policy.items()))
    return one_line(
        f"domain {name!r}: {'signed' if counts.signed else 'not signed'}, {_number(counts.owners, 'owner')},"
        f" {counts.reviewed} reviewed, {counts.unreviewed} unreviewed, {f'policy: {policy}' if policy else 'no policy'}"
    )


def _number(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def as_json(report: Report) -> str:
    """One object with a `schema` number; texts are whole, as they are."""
    steps = [
        {"commit": step.name, "time": step.time, "author": step.author, "subject": step.subject}
        | {"findings": [_object(finding) for finding in step.findings]}
        for step in report.steps
    ]
    domains = {
        name: {"signed": counts.signed, "owners": counts.owners}
        | {"reviewed": counts.reviewed, "unreviewed": counts.unreviewed, "policy": dict(sorted(counts.policy.items()))}
        for name, counts in sorted(report.domains.items())
    }
    content = {"schema": SCHEMA, "file": report.path, "judged": report.subject}
    content |= {"violations": report.count(Severity.VIOLATION)}
    content |= {"attention": report.count(Severity.ATTENTION), "info": report.count(Severity.INFO)}
    standing = [_object(finding) for finding in report.standing]
    return dumped(content | {"steps": steps, "standing": standing, "domains": domains})


def _object(finding: Finding) -> dict[str, str]:
    where = section(*finding.where)
    texts = {"code": finding.code, "object": where, "text": finding.text, "hint": finding.hint}
    return {"severity": finding.severity.label, **texts}


def dumped(content: object) -> str:
    """JSON in ASCII that every parser takes (bytes that git could not decode are half characters, which some refuse),
    and in which no CI system finds a command (see `one_line`)."""
    whole = re.sub("[\ud800-\udfff]", "\ufffd", json.dumps(content, ensure_ascii=False))
    return json.dumps(json.loads(whole), indent=2).replace("##", r"#\u0023") + "\n"


def as_markdown(report: Report) -> str:
    """A comment for a pull request. If it would be too long, the least severe is left out first, then the oldest."""
    entries = [(int(finding.severity), *_row_and_detail(step, finding)) for step, finding in report.findings()]
    entries += [(0, "", f"- {code(_domain(name, counts))}\n") for name, counts in sorted(report.domains.items())]
    worst = max((finding.severity for _, finding in report.findings()), default=Severity.INFO)
    mark = _MARKS[worst] if worst > Severity.INFO else "✅"
    head = f"## {mark} {verdict(report)}\n\n{code(report.path)}: {code(report.subject)}\n"
    room, kept = MOST_MARKDOWN - len(head) - 500, set()
    for at in sorted(range(len(entries)), key=lambda at: (entries[at][0], at), reverse=True):
        room -= len(entries[at][1]) + len(entries[at][2])
        if room < 0:
            break
        kept.add(at)
    left_out = len(entries) - len(kept)
    cut = f"\n**Too long for a comment: {_number(left_out, 'line')} left out, the least severe.**\n" if left_out else ""
    rows = "".join(entries[at][1] for at in sorted(kept))
    details = "".join(entries[at][2] for at in sorted(kept))
    table = f"\n| | commit | author | what |\n| --- | --- | --- | --- |\n{rows}" if rows else ""
    folded = f"\n<details><summary>Details</summary>\n\n{details}\n</details>\n" if details else ""
    return head + cut + table + folded


def _row_and_detail(step: ReportStep, finding: Finding) -> tuple[str, str]:
    """What stands in the table, and what below it: there it is hints and what is only information."""
    # GitHub makes a link of a bare commit id.
    commit = step.name if re.fullmatch("[0-9a-f]{7,40}", step.name) else code(step.name) or "as it stands"
    mark = f"{_MARKS[finding.severity]} {finding.severity.label} {code(finding.code)}"
    where = code(section(*finding.where))
    title = f"{commit} {code(step.subject)}".rstrip()
    row = f"| {mark} | {title} | {code(step.author)} | {where}: {code(finding.text)} |\n"
    if finding.severity == Severity.INFO:
        return "", f"- {mark}: {commit} {where}: {code(finding.text)}\n"
    return row, f"- {mark}: {commit} {where}: hint: {code(finding.hint)}\n" if finding.hint else ""


def code(text: str) -> str:
    """`text` as a code span, in which GitHub makes nothing of anything: no link, mention, reference, image or HTML."""
    # Nothing escapes a backtick in a code span, nor a pipe in every parser of tables: look-alikes stand for them.
    text = one_line(text, 300).translate({ord("`"): "\u02cb", ord("|"): "\u00a6"})
    return f"`{text}`" if text else ""


REPORTS: Mapping[str, Callable[[Report], str]] = {"text": as_text, "json": as_json, "markdown": as_markdown}
"""By the name of the format; the one that needs more than the report is `sarif.as_sarif`."""
