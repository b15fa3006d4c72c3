"""A report of `verify` as SARIF 2.1.0, with the fields for GitHub's code scanning."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from urllib.parse import quote

from pocket_protector.cli.reports import dumped, one_line
from pocket_protector.document.audit_log import section
from pocket_protector.repository.verification import Report
from pocket_protector.trust.findings import Finding, Severity

MOST_RESULTS = 5_000
"""GitHub shows this many, and refuses a file with 25,000."""

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.VIOLATION: "error", Severity.ATTENTION: "warning", Severity.INFO: "note"}


def as_sarif(
    report: Report,
    version: str,
    line_of: Callable[[tuple[str, ...]], int],
    descriptions: Mapping[str, str],
) -> str:
    """Render as SARIF.

    `version` is this program's. `line_of` maps an object (`Finding.where`) to its line in the file as it is now,
    counted from 1, or to 1 if the object is gone. `descriptions` maps each finding code to its meaning.
    """
    found, seen = _worst(report), Counter[str]()
    codes = sorted({finding.code for _, finding in found})
    results: list[dict[str, object]] = []
    for commit, finding in found:
        where = section(*finding.where)
        identity = hashlib.sha256("\n".join((finding.code, where, commit)).encode(errors="replace")).hexdigest()[:16]
        seen[identity] += 1
        place = {
            "artifactLocation": {"uri": quote(report.path, errors="surrogateescape")},
            "region": {"startLine": line_of(finding.where)},
        }
        results.append(
            {
                "ruleId": finding.code,
                "ruleIndex": codes.index(finding.code),
                "level": _LEVELS[finding.severity],
                "message": {"text": _message(finding)},
                "locations": [{"physicalLocation": place}],
                # GitHub reads this fingerprint alone. Its default, made from the line, would merge all findings about
                # one object into one alert.
                "partialFingerprints": {"primaryLocationLineHash": f"{identity}:{seen[identity]}"},
                "properties": {"commit": commit},
            }
        )
    driver = {
        "name": "pprotect",
        "semanticVersion": version,
        "rules": [_rule(code, descriptions.get(code, code)) for code in codes],
    }
    run = {"tool": {"driver": driver}, "results": results}
    return dumped({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _worst(report: Report) -> list[tuple[str, Finding]]:
    """Return the findings in order, each with its commit; if there are too many, the least severe are
    left out, and of these the oldest."""
    found = [(step.name, finding) for step, finding in report.findings()]
    order = sorted(range(len(found)), key=lambda at: (found[at][1].severity, at), reverse=True)
    return [found[at] for at in sorted(order[:MOST_RESULTS])]


def _rule(code: str, description: str) -> dict[str, object]:
    # GitHub requires all three.
    text = {"text": description}
    return {"id": code, "shortDescription": text, "fullDescription": text, "help": text}


def _message(finding: Finding) -> str:
    text = f"{one_line(section(*finding.where))}: {one_line(finding.text)}"
    if finding.hint:
        text += f"\nhint: {one_line(finding.hint)}"
    # SARIF renders [text](target) in a message as a link, and {0} as an argument.
    return text.replace("](", "] (").replace("{", "{{").replace("}", "}}")
