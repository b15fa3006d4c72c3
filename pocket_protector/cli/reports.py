"""A report of `verify` as text, JSON or Markdown.

Anybody with commits in the history chooses names, authors and subjects, so none of these may look like another part of
the report.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from pocket_protector.cli.output import SCHEMA, printable
from pocket_protector.document.audit_log import section
from pocket_protector.repository.verification import DomainCounts, Report, ReportStep
from pocket_protector.trust.findings import Finding, Severity

MOST_MARKDOWN = 60_000
"""In characters. GitHub takes 65,536 in a comment; the rest is room for additions by the poster."""

_MARKS = {Severity.VIOLATION: "❌", Severity.ATTENTION: "⚠️", Severity.INFO: "💬"}


def verdict(report: Report) -> str:
    """Return the report's summary: how many violations, in how many steps."""
    violations, attention = report.count(Severity.VIOLATION), report.count(Severity.ATTENTION)
    found = _number(violations, "violation") if violations else "no violation"
    if attention:
        found += f", {attention} for attention"
    clean = "" if violations or attention else "clean: "
    return f"{clean}{found} in {_number(len(report.steps), 'step')}"


def one_line(text: str, most: int = 0) -> str:
    """Return `text` on one line, without control characters; cut to `most` characters, unless that is 0."""
    # Azure Pipelines and GitHub's runner obey ##vso[...] and ##[...] anywhere in a line of a job's output.
    text = printable(text).replace("\n", "\ufffd").replace("##", "#\ufffd")
    return text if not most or len(text) <= most else text[: most - 1] + "…"


def as_text(report: Report, verbose: bool = False) -> str:
    """Render for a terminal; the last line is the verdict. `verbose` adds information and steps without findings."""
    least = Severity.INFO if verbose else Severity.ATTENTION
    shown = [(step, [f for f in step.findings if f.severity >= least]) for step in report.steps]
    steps = [line for step, found in shown if found or verbose for line in (_step(step), *_findings(found))]
    quiet = 0 if verbose else sum(not found for _, found in shown)
    current = _findings([f for f in report.current if f.severity >= least])
    blocks = [
        [f"file: {one_line(report.path)}", f"judged: {one_line(report.subject)}"],
        [*steps, *([f"{_number(quiet, 'step')} with nothing to report"] if quiet else [])],
        ["as it stands:", *current] if current else [],
        [_domain(name, counts) for name, counts in sorted(report.domains.items())],
        [verdict(report)],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _step(step: ReportStep) -> str:
    # Cut long texts: a text wrapped by the terminal can imitate a line of the report.
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
    """Render as one JSON object with a `schema` number; no text is cut."""
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
    current = [_object(finding) for finding in report.current]
    return dumped(content | {"steps": steps, "standing": current, "domains": domains})


def _object(finding: Finding) -> dict[str, str]:
    where = section(*finding.where)
    texts = {"code": finding.code, "object": where, "text": finding.text, "hint": finding.hint}
    return {"severity": finding.severity.label, **texts}


def dumped(content: object) -> str:
    """Encode as ASCII JSON, readable for every parser and without a command for any CI system (see `one_line`)."""
    # Bytes that git could not decode are lone surrogates, and some parsers refuse these.
    whole = re.sub("[\ud800-\udfff]", "\ufffd", json.dumps(content, ensure_ascii=False))
    return json.dumps(json.loads(whole), indent=2).replace("##", r"#\u0023") + "\n"


def as_markdown(report: Report) -> str:
    """Render as a comment for a pull request.

    A comment that is too long loses the least severe findings first, and of these the oldest.
    """
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
    """Return the finding's row in the table, and its line in the details: hints and information stand there."""
    # GitHub turns a bare commit id into a link.
    commit = step.name if re.fullmatch("[0-9a-f]{7,40}", step.name) else code(step.name) or "as it stands"
    mark = f"{_MARKS[finding.severity]} {finding.severity.label} {code(finding.code)}"
    where = code(section(*finding.where))
    title = f"{commit} {code(step.subject)}".rstrip()
    row = f"| {mark} | {title} | {code(step.author)} | {where}: {code(finding.text)} |\n"
    if finding.severity == Severity.INFO:
        return "", f"- {mark}: {commit} {where}: {code(finding.text)}\n"
    return row, f"- {mark}: {commit} {where}: hint: {code(finding.hint)}\n" if finding.hint else ""


def code(text: str) -> str:
    """Return `text` as a code span, where GitHub renders no link, mention, reference, image or HTML."""
    # A code span cannot escape a backtick, and not every table parser lets one escape a pipe: use look-alikes.
    text = one_line(text, 300).translate({ord("`"): "\u02cb", ord("|"): "\u00a6"})
    return f"`{text}`" if text else ""


REPORTS: Mapping[str, Callable[[Report], str]] = {"text": as_text, "json": as_json, "markdown": as_markdown}
"""Format name → renderer. `sarif.as_sarif` is not here, since it needs more than the report."""
