"""The command that judges a file's history."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from pocket_protector.cli import output
from pocket_protector.cli.reports import REPORTS, DomainCounts, Report, ReportStep, as_text
from pocket_protector.cli.session import Session, session_of
from pocket_protector.cli.usage import UsageError
from pocket_protector.keyfile.key_file import KeyFile
from pocket_protector.keyfile.reading import now
from pocket_protector.repository.judged_history import judge_history
from pocket_protector.trust.findings import KINDS, Finding, Severity
from pocket_protector.trust.judge.state import State
from pocket_protector.trust.verdict import current_findings

_FOUND = 1
_FORMATS = (*REPORTS, "sarif")
_WORK_TREE = "work tree"
_MERGED = "merge result"
_SHORT_ID = 12
_PROGRESS_STEP = 50


def verify(
    ctx: typer.Context,
    revisions: Annotated[
        str | None,
        typer.Argument(metavar="[REV|REV..REV]", help="From which commit on, or which commits; git's own names."),
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Every version that git has, from the first one on.")
    ] = False,
    output_format: Annotated[
        str | None,
        typer.Option("--output-format", metavar="|".join(_FORMATS), help="How to report; text if not given."),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Report what is in order too.")] = False,
) -> None:
    """Judge who changed what: whether each change of keys, owners, policies and signed values was one that its signer
    had the right to. Exits with 1 if one was not.

    Without arguments: the file as it is now, against what you have seen of it. With REV: against the history up to
    that commit. With REV..REV, or REV.. up to HEAD: each commit of the range, such as those of a pull request.
    """
    if output_format not in (None, *_FORMATS):
        raise UsageError(f"{output_format!r} is no report", hint=f"--output-format {'|'.join(_FORMATS)}")
    if revisions is not None and history:
        raise UsageError("--history takes every commit: give it or a revision")
    if revisions is not None and (not revisions or revisions.startswith("..") or "..." in revisions):
        # A variable that is not set must not make a check that finds nothing.
        raise UsageError(f"{revisions!r} is no range: two dots, and a commit before them", hint="pprotect verify REV..")
    session = session_of(ctx)
    path = session.path()
    judged = _of_history(path, revisions) if revisions is not None or history else _against_pin(session)
    report = _report(session, path, *judged)
    output.data(_rendered(report, output_format or "text", path, verbose=verbose))
    if report.count(Severity.VIOLATION):
        raise typer.Exit(_FOUND)


def _against_pin(session: Session) -> tuple[str, list[ReportStep], State | None]:
    store = session.read()
    store.check_changeable()
    watch = session.watch(store).judged()
    subject = "the file as it is, against what was seen of it"
    if watch.before is None:
        subject = "the file as it is; nothing was seen of it before"
    return subject, [ReportStep(_WORK_TREE, "", "", "", tuple(watch.findings))], watch.after


def _of_history(path: str, revisions: str | None) -> tuple[str, list[ReportStep], State | None]:
    judged = judge_history(path, revisions, _progress)
    steps = [
        ReportStep(commit.id[:_SHORT_ID], commit.time, commit.author, commit.subject, version.findings)
        if (commit := version.commit)
        else ReportStep(_MERGED if ".." in (revisions or "") else _WORK_TREE, "", "", "", version.findings)
        for version in judged.versions
    ]
    return revisions or "every version", steps, judged.state


def _progress(done: int, of: int) -> None:
    if of > _PROGRESS_STEP and (done % _PROGRESS_STEP == 0 or done == of):
        output.progress(f"judged {done} of {of} versions", last=done == of)


def _report(session: Session, path: str, subject: str, steps: list[ReportStep], state: State | None) -> Report:
    standing: list[Finding] = []
    counts: dict[str, DomainCounts] = {}
    if state is not None:
        standing = current_findings(state, session.anchors(), now())
        for name, domain in sorted(state.document.domains.items()):
            found = state.authorities[name]
            owners = len(found.owners.counting)
            policy = domain.policy.items()
            counts[name] = DomainCounts(domain.epoch is not None, owners, found.reviewed, len(found.unreviewed), policy)
    return Report(os.path.relpath(path), subject, tuple(steps), tuple(standing), counts)


def _rendered(report: Report, form: str, path: str, *, verbose: bool) -> str:
    if form == "text":
        return as_text(report, verbose=verbose)
    if form != "sarif":
        return REPORTS[form](report)
    from pocket_protector import __version__
    from pocket_protector.cli.sarif import as_sarif

    descriptions = {code: kind.description for code, kind in KINDS.items()}
    return as_sarif(report, __version__, KeyFile.from_file(path).line_of, descriptions)
