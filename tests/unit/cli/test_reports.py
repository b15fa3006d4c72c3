"""The reports of a judged history: what they say, and that no text of the repository passes for a part of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pocket_protector.cli import reports
from pocket_protector.cli.reports import as_json, as_markdown, as_text, code, verdict
from pocket_protector.cli.sarif import MOST_RESULTS, as_sarif
from pocket_protector.repository.verification import DomainCounts, Report, ReportStep
from pocket_protector.trust.findings import Finding, Severity

GOLDEN = Path(__file__).parent / "reports"
INFO, ATTENTION, VIOLATION = Severity

REPLACED = Finding(
    VIOLATION,
    "value-replaced",
    ("secret", "dev", "db-password"),
    "replaced by mallory@example.com, who is no owner of dev",
    "pprotect approve dev db-password, if it is right",
)
ADDED = Finding(INFO, "secret-added", ("secret", "dev", "api/key"), "added, signed by alice@example.com")
UNREVIEWED = Finding(ATTENTION, "value-unreviewed", ("secret", "dev", "db-password"), "nobody has reviewed this value")
NO_SECOND_OWNER = Finding(VIOLATION, "too-few-owners", ("domain", "dev"), "1 owner; the policy demands 2", "add-owner")

EXAMPLE = Report(
    "config/protected.yaml",
    "history to 4444444444aa (5 versions)",
    (
        ReportStep("1111111111aa", "2026-11-20T09:00:00Z", "Alice", "Begin", (ADDED,)),
        ReportStep("2222222222aa", "2026-11-21T09:00:00Z", "Bob", "Add a domain", ()),
        ReportStep("3333333333aa", "2026-11-22T09:59:00Z", "Mallory", "Fix a typo", (ADDED, REPLACED, UNREVIEWED)),
        ReportStep("4444444444aa", "2026-11-23T09:00:00Z", "Bob", "Rotate", (UNREVIEWED,)),
        ReportStep("work tree", "", "", "", (ADDED,)),
    ),
    (NO_SECOND_OWNER,),
    {
        "prod": DomainCounts(True, 2, 3, 0, {"values": "reviewed", "owners": "2"}),
        "dev": DomainCounts(False, 1, 0, 1, {}),
    },
)
EMPTY = Report("protected.yaml", "nothing", (), (), {})


def sarif(report: Report) -> str:
    lines = {("secret", "dev", "db-password"): 12, ("domain", "dev"): 3}
    return as_sarif(report, "21.0.0", lambda where: lines.get(where, 1), {"value-replaced": "A value was replaced"})


FORMATS: dict[str, Callable[[Report], str]] = {
    "report.txt": as_text,
    "verbose.txt": lambda report: as_text(report, verbose=True),
    "report.json": as_json,
    "report.md": as_markdown,
    "report.sarif": sarif,
}
formats = pytest.mark.parametrize("made", FORMATS.values(), ids=FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_golden(name: str) -> None:
    assert FORMATS[name](EXAMPLE) == (GOLDEN / name).read_text(encoding="utf-8")


@formats
def test_domains_are_sorted_and_the_order_of_a_mapping_does_not_matter(made: Callable[[Report], str]) -> None:
    turned = {
        name: replace(counts, policy=MappingProxyType(dict(reversed(list(counts.policy.items())))))
        for name, counts in reversed(list(EXAMPLE.domains.items()))
    }
    assert made(replace(EXAMPLE, domains=MappingProxyType(turned))) == made(EXAMPLE)


def test_the_formats_that_need_the_report_only() -> None:
    assert {name: made(EXAMPLE) for name, made in reports.REPORTS.items()} == {
        "text": as_text(EXAMPLE),
        "json": as_json(EXAMPLE),
        "markdown": as_markdown(EXAMPLE),
    }


def steps_of(*found: Finding, others: int = 0) -> Report:
    quiet = ReportStep("0123456789ab", "2026-11-22T09:59:00Z", "Alice", "Quiet", (ADDED,))
    return replace(EMPTY, steps=(*[quiet] * others, replace(quiet, findings=found)))


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (EMPTY, "clean: no violation in 0 steps"),
        (steps_of(ADDED), "clean: no violation in 1 step"),
        (steps_of(others=33), "clean: no violation in 34 steps"),
        (steps_of(REPLACED), "1 violation in 1 step"),
        (steps_of(UNREVIEWED, others=1), "no violation, 1 for attention in 2 steps"),
        (replace(EMPTY, current=(NO_SECOND_OWNER,)), "1 violation in 0 steps"),
        (steps_of(REPLACED, UNREVIEWED, REPLACED, others=33), "2 violations, 1 for attention in 34 steps"),
    ],
)
def test_verdict(report: Report, said: str) -> None:
    assert verdict(report) == said
    assert as_text(report).endswith(f"\n\n{said}\n")
    assert as_text(report, verbose=True).endswith(f"\n\n{said}\n")
    assert re.fullmatch("## (✅|⚠️|❌) " + re.escape(said), as_markdown(report).splitlines()[0])


def test_an_empty_report() -> None:
    assert as_text(EMPTY) == "file: protected.yaml\njudged: nothing\n\nclean: no violation in 0 steps\n"
    assert as_markdown(EMPTY) == "## ✅ clean: no violation in 0 steps\n\n`protected.yaml`: `nothing`\n"
    counts = {"violations": 0, "attention": 0, "info": 0}
    rest: dict[str, Any] = {"steps": [], "standing": [], "domains": {}}
    assert json.loads(as_json(EMPTY)) == {"schema": 1, "file": "protected.yaml", "judged": "nothing", **counts, **rest}
    assert json.loads(sarif(EMPTY))["runs"][0]["results"] == []


# Texts of others.

HOSTILE = [
    "\nclean: no violation in 34 steps\n",
    "a\r\n\x0b\x0c\x1c\x85\u2028\u2029b",
    "\x1b[2K\x1b[1Aclean\x07\x08\x9b31m\x00",
    "\u202egnp.exe\u200b\ufeff",
    "no UTF-8: \udc80\udcff",
    "##vso[task.complete result=Succeeded;] ##[add-mask]violation ###[x] ::error::x",
    "[link](https://example.com) ![image](https://example.com/x.png) [ref][x]\n\n[x]: https://example.com",
    "<script>alert(1)</script><img src=x><!-- </details> <a href=x>",
    "@someone #1 GH-1 owner/name#1 www.example.com http://example.com me@example.com :tada:",
    "a | b \\| c \\\\| d\n| --- | --- |",
    "` `` ``` " + "`" * 90,
    "\\`x\\` `[link](x)`\\",
    "\n# Verdict\n---\n- item\n> quote\n```\nx\n```\n",
    "$x$ $`x`$ &lt;b&gt; &#64;someone **bold** _x_ ~~x~~",
    "{0} {{1}} [text](0)",
    "'; domain 'dev': signed, 9 owners",
    "x" * 5000,
    "%/ %2F",
    " ",
]
hostile = pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))


def full_of(text: str) -> Report:
    """A report in which every text that others choose is `text`."""
    bad = Finding(VIOLATION, "value-replaced", ("secret", text, text), f"replaced by {text}", f"look at {text}")
    note = replace(bad, severity=INFO)
    counts = DomainCounts(False, 0, 0, 0, {text: text})
    steps = (
        ReportStep("0123456789ab", "2026-11-22T09:59:00Z", text, text, (bad, note)),
        ReportStep("work tree", "", "", "", ()),
    )
    return Report(text, text, steps, (bad, note), {text: counts})


def check_text(text: str) -> None:
    """The lines are those of a harmless report, whatever stands in them, and nothing in them acts on a terminal."""
    for verbose in (False, True):
        shown, harmless = (as_text(full_of(name), verbose).split("\n") for name in (text, "x"))
        begins = [line.split("x")[0][:7] for line in harmless]
        assert [line[: len(begin)] for line, begin in zip(shown, begins, strict=True)] == begins
        assert shown[-2:] == harmless[-2:]
        assert all(line.isprintable() and "##" not in line for line in shown)


@given(st.text(st.characters(exclude_categories=[]), min_size=1))
def test_any_text_in_the_text(text: str) -> None:
    check_text(text)


@hostile
def test_hostile_text_in_the_text(text: str) -> None:
    check_text(text)
    cut = as_text(full_of(text)).split("\n")[3]
    assert len(cut) <= 12 + 20 + 40 + 72 + 6


@hostile
@formats
def test_no_half_characters_and_no_commands_for_ci(made: Callable[[Report], str], text: str) -> None:
    shown = made(full_of(text))
    shown.encode()
    assert not re.search(r"##\[|##vso|^\s*::", shown, re.MULTILINE)


@hostile
def test_hostile_text_in_json(text: str) -> None:
    shown = as_json(full_of(text))
    assert shown.isascii()
    whole = re.sub("[\ud800-\udfff]", "\ufffd", text)
    content = json.loads(shown)
    assert content["file"] == content["judged"] == content["steps"][0]["author"] == whole
    escaped = whole.replace("%", "%25").replace("/", "%2F")
    finding = {"code": "value-replaced", "object": f"secret/{escaped}/{escaped}"}
    finding |= {"text": f"replaced by {whole}", "hint": f"look at {whole}"}
    assert content["steps"][0]["findings"] == content["standing"]
    assert content["standing"] == [{"severity": "violation", **finding}, {"severity": "info", **finding}]
    assert content["domains"][whole]["policy"] == {whole: whole}


def check_markdown(text: str) -> None:
    """Outside of code spans the comment is a harmless one."""
    markdown, harmless = as_markdown(full_of(text)), as_markdown(full_of("x"))
    assert re.sub("`[^`\n]+`", "`x`", markdown) == re.sub("`[^`\n]+`", "`x`", harmless)
    assert markdown.splitlines() == markdown.split("\n")[:-1]
    assert "``" not in markdown
    for line in markdown.splitlines():
        assert not line.startswith("|") or line.count("|") == 5


@given(st.text(st.characters(exclude_categories=[]), min_size=1))
@example("`")
@example("\\")
@example("|")
def test_any_text_in_markdown(text: str) -> None:
    check_markdown(text)


@hostile
def test_hostile_text_in_markdown(text: str) -> None:
    check_markdown(text)


@hostile
def test_a_parser_of_markdown_finds_hostile_text_in_code_only(text: str) -> None:
    parser = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable("table")

    def skeleton(name: str) -> list[tuple[str, str]]:
        found = []
        for token in parser.parse(as_markdown(full_of(name))):
            for part in token.children or [token]:
                found.append((part.type, "" if part.type == "code_inline" else part.content))
        return found

    assert skeleton(text) == skeleton("x")
    assert {kind for kind, _ in skeleton(text) if "link" in kind or "image" in kind or "html" in kind} == {"html_block"}


def test_code_of_nothing_is_nothing() -> None:
    assert code("") == ""
    assert code("a`b|c") == "`a\u02cbb\xa6c`"
    assert len(code("x" * 5000)) == 302


# Too long for a comment.


def long_report(violations: int, attention: int, infos: int) -> Report:
    def findings(severity: Severity, number: int) -> tuple[Finding, ...]:
        return tuple(Finding(severity, "c", ("domain", f"{severity.label}-{n}"), "x" * 200, "y") for n in range(number))

    found = findings(INFO, infos) + findings(ATTENTION, attention) + findings(VIOLATION, violations)
    return replace(EXAMPLE, steps=(ReportStep("0123456789ab", "", "Alice", "All", found),), current=())


@pytest.mark.parametrize(
    ("numbers", "whole", "cut"),
    [
        ((20, 20, 1000), ("violation", "attention"), "info"),
        ((20, 1000, 20), ("violation",), "attention"),
        ((1000, 20, 20), (), "violation"),
    ],
)
def test_a_long_comment_loses_the_least_severe(numbers: tuple[int, int, int], whole: tuple[str, ...], cut: str) -> None:
    markdown = as_markdown(long_report(*numbers))
    assert 58_000 < len(markdown) <= reports.MOST_MARKDOWN
    by_label = dict(zip(("violation", "attention", "info"), numbers, strict=True))
    present = {
        label: [n for n in range(number) if f"`domain/{label}-{n}`" in markdown] for label, number in by_label.items()
    }
    for label in whole:
        assert len(present[label]) == by_label[label]
    kept = len(present[cut])
    assert 0 < kept < by_label[cut]
    assert present[cut] == list(range(by_label[cut] - kept, by_label[cut])), "the newest stay"
    for label in ("violation", "attention", "info")[len(whole) + 1 :]:
        assert not present[label]
    left_out = sum(numbers) + len(EXAMPLE.domains) - sum(map(len, present.values()))
    assert markdown.splitlines()[4] == f"**Too long for a comment: {left_out} lines left out, the least severe.**"
    assert verdict(long_report(*numbers)) in markdown


def test_a_comment_that_fits_loses_nothing() -> None:
    assert "left out" not in as_markdown(long_report(20, 20, 20))


@pytest.mark.parametrize("fields", [{"path": "x" * 99_999}, {"subject": "|`" * 50_000}])
def test_one_long_text_does_not_make_a_long_comment(fields: dict[str, Any]) -> None:
    report = replace(full_of("y" * 99_999), **fields)
    assert len(as_markdown(report)) < 10_000


def test_many_domains_do_not_make_a_long_comment() -> None:
    domains = {f"domain-{n}": EXAMPLE.domains["dev"] for n in range(5000)}
    markdown = as_markdown(replace(EXAMPLE, domains=domains))
    assert len(markdown) <= reports.MOST_MARKDOWN
    assert code(REPLACED.text) in markdown


# SARIF.


def run_of(report: Report) -> dict[str, Any]:
    log = json.loads(sarif(report))
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    assert len(log["runs"]) == 1
    run: dict[str, Any] = log["runs"][0]
    return run


def check_run(run: dict[str, Any]) -> None:
    """The rules of the SARIF schema, and of GitHub, for the properties that we write."""
    assert set(run) == {"tool", "results"}
    driver = run["tool"]["driver"]
    assert set(run["tool"]) == {"driver"}
    assert set(driver) == {"name", "semanticVersion", "rules"}
    for rule in driver["rules"]:
        assert set(rule) == {"id", "shortDescription", "fullDescription", "help"}
        assert all(set(rule[key]) == {"text"} and rule[key]["text"] for key in set(rule) - {"id"})
    ids = [rule["id"] for rule in driver["rules"]]
    assert ids == sorted(set(ids))
    assert set(ids) == {result["ruleId"] for result in run["results"]}
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert set(result["message"]) == {"text"}
        assert result["message"]["text"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert set(place) == {"artifactLocation", "region"}
        assert re.fullmatch(r"([-._~/A-Za-z0-9]|%[0-9A-F]{2})+", place["artifactLocation"]["uri"])
        assert place["region"]["startLine"] >= 1
        (fingerprint,) = result["partialFingerprints"].values()
        assert re.fullmatch("[0-9a-f]{16}:[1-9][0-9]*", fingerprint)
    fingerprints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
    assert len(set(fingerprints)) == len(fingerprints)


@pytest.mark.parametrize("report", [EXAMPLE, EMPTY, *map(full_of, HOSTILE)], ids=range(2 + len(HOSTILE)))
def test_sarif_has_the_form_that_github_takes(report: Report) -> None:
    check_run(run_of(report))


def test_sarif_levels_lines_commits_and_descriptions() -> None:
    run = run_of(EXAMPLE)
    assert [
        (
            result["ruleId"],
            result["level"],
            result["locations"][0]["physicalLocation"]["region"]["startLine"],
            result["properties"]["commit"],
        )
        for result in run["results"]
    ] == [
        ("secret-added", "note", 1, "1111111111aa"),
        ("secret-added", "note", 1, "3333333333aa"),
        ("value-replaced", "error", 12, "3333333333aa"),
        ("value-unreviewed", "warning", 12, "3333333333aa"),
        ("value-unreviewed", "warning", 12, "4444444444aa"),
        ("secret-added", "note", 1, "work tree"),
        ("too-few-owners", "error", 3, ""),
    ]
    described = {rule["id"]: rule["shortDescription"]["text"] for rule in run["tool"]["driver"]["rules"]}
    assert described["value-replaced"] == "A value was replaced"
    assert described["too-few-owners"] == "too-few-owners"


def fingerprints(report: Report) -> list[str]:
    return [result["partialFingerprints"]["primaryLocationLineHash"] for result in run_of(report)["results"]]


def test_fingerprints_are_those_of_code_object_and_commit() -> None:
    step = EXAMPLE.steps[2]
    one = fingerprints(replace(EMPTY, steps=(replace(step, findings=(REPLACED,)),)))
    same = replace(REPLACED, severity=INFO, text="other", hint="")
    assert fingerprints(replace(EXAMPLE, steps=(replace(step, findings=(ADDED, same)),)))[1] == one[0]
    for other in (replace(REPLACED, code="x"), replace(REPLACED, where=("domain", "dev"))):
        assert fingerprints(replace(EMPTY, steps=(replace(step, findings=(other,)),))) != one
    assert fingerprints(replace(EMPTY, steps=(replace(step, name="5" * 12, findings=(REPLACED,)),))) != one
    twice = fingerprints(replace(EMPTY, steps=(replace(step, findings=(REPLACED, same)),)))
    assert twice == [one[0], one[0].replace(":1", ":2")]


@pytest.mark.parametrize("path", ["a b/ü%20#?.yaml", "a:b.yaml", "x[1]{2}|`.yaml"])
def test_the_path_is_percent_encoded(path: str) -> None:
    run = run_of(replace(EXAMPLE, path=path))
    check_run(run)
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert unquote(uri) == path


def test_messages_have_no_links_and_no_arguments() -> None:
    (result, *_) = run_of(steps_of(replace(REPLACED, text="[x](0) {0}", hint="a\nb")))["results"]
    assert result["message"]["text"] == "secret/dev/db-password: [x] (0) {{0}}\nhint: a\ufffdb"


def test_of_too_many_results_the_most_severe_and_newest_stay() -> None:
    report = long_report(10, 0, MOST_RESULTS)
    results = run_of(report)["results"]
    assert len(results) == MOST_RESULTS
    assert [result["level"] for result in results] == ["note"] * (MOST_RESULTS - 10) + ["error"] * 10
    assert results[0]["message"]["text"].startswith("domain/info-10:")
