"""The command for judging a file's history."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Annotated

import typer

from pocket_protector.cli import output
from pocket_protector.cli.reports import REPORTS, as_text
from pocket_protector.cli.session import session_of
from pocket_protector.cli.usage import UsageError
from pocket_protector.keyfile.key_file import KeyFile
from pocket_protector.repository.verification import Report, is_revisions, verify_history
from pocket_protector.trust.findings import KINDS, Severity

_FOUND = 1
_FORMATS = (*REPORTS, "sarif")
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
    verbose: Annotated[bool, typer.Option("--verbose", help="Report information and clean steps too.")] = False,
) -> None:
    """Judge who changed what: whether each change of keys, owners, policies and signed values was one that its signer
    had the right to. Exits with 1 if one was not.

    Without arguments: the file as it is now, against what you have seen of it. With REV: against the history up to
    that commit. With REV..REV, or REV.. up to HEAD: each commit of the range, such as those of a pull request.
    """
    if output_format not in (None, *_FORMATS):
        raise UsageError(f"{output_format!r} is not a report format", hint=f"--output-format {'|'.join(_FORMATS)}")
    if revisions is not None and history:
        raise UsageError("--history takes every commit: give it or a revision")
    if revisions is not None and not is_revisions(revisions):
        raise UsageError(f"{revisions!r} is not a range: give a commit, then two dots", hint="pprotect verify REV..")
    session = session_of(ctx)
    path = session.path()
    if revisions is not None or history:
        report = verify_history(path, revisions, trust=session.anchors(), progress=_show_progress)
    else:
        report = session.open().verify()
    report = replace(report, path=os.path.relpath(path))
    output.data(_rendered(report, output_format or "text", path, verbose=verbose))
    if report.count(Severity.VIOLATION):
        raise typer.Exit(_FOUND)


def _show_progress(done: int, total: int) -> None:
    if total > _PROGRESS_STEP and (done % _PROGRESS_STEP == 0 or done == total):
        output.progress(f"judged {done} of {total} versions", last=done == total)


def _rendered(report: Report, form: str, path: str, *, verbose: bool) -> str:
    if form == "text":
        return as_text(report, verbose=verbose)
    if form != "sarif":
        return REPORTS[form](report)
    from pocket_protector import __version__
    from pocket_protector.cli.sarif import as_sarif

    descriptions = {code: kind.description for code, kind in KINDS.items()}
    return as_sarif(report, __version__, KeyFile.from_file(path).line_of, descriptions)
