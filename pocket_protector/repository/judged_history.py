"""Judge every version of a file that git has, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pocket_protector import files
from pocket_protector.changes.merge import merge
from pocket_protector.document.document import Document
from pocket_protector.errors import MergeConflictError, PocketProtectorError
from pocket_protector.format.fields import Memo
from pocket_protector.format.loaded_file import MAX_FILE_BYTES, LoadedFile, load
from pocket_protector.repository.log import Commit, blobs, check_complete, commits, merge_base, parse_revision
from pocket_protector.trust.findings import Finding, Severity
from pocket_protector.trust.history_fold import Fold
from pocket_protector.trust.judge.authorize import authorize
from pocket_protector.trust.judge.state import State

_WORK_TREE = ""
RANGE = ".."
_SHORT_ID = 12


@dataclass(frozen=True, slots=True)
class JudgedVersion:
    """A version of the file, with the findings about the step that led to it. `commit` is None for the file in the work
    tree and for the result of a merge, which git does not have."""

    commit: Commit | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class JudgedHistory:
    """The chosen versions, oldest first, and the state after the last; None if the file was never there."""

    versions: tuple[JudgedVersion, ...]
    state: State | None


def judge_history(path: str, revisions: str | None, progress: Callable[[int, int], None]) -> JudgedHistory:
    """Judge the history of the file at `path`; `verification.verify_history` explains `revisions`.

    Each version is judged, and the result has those that `revisions` chooses. `progress` is called with the number of
    versions judged and their total. Raise StoreError for an unknown revision, and where git lacks part of the history.
    """
    check_complete(path)
    since, dots, until = (revisions or "").partition(RANGE)
    last = parse_revision(path, (until if dots else since) or "HEAD")
    listed = commits(path, [last])
    told = {commit.id for commit in listed}
    first = ""
    if dots:
        first = parse_revision(path, since)
        told = {commit.id for commit in commits(path, [last, f"^{first}"])}
    elif since:
        told = set()
    tip = listed[-1:]
    order = [(commit.id, commit.parents) for commit in listed]
    fold = Fold([*order, (_WORK_TREE, tuple(commit.id for commit in tip))])
    versions = [
        version
        for version in _judged(path, listed, fold, progress)
        if version.commit is not None and version.commit.id in told
    ]
    if first:
        versions += _merged(path, first, last, fold.state)
    if not dots:
        document = load(files.read(path, MAX_FILE_BYTES)).document
        found = fold.step(_WORK_TREE, [commit.id for commit in tip], document)
        if found or since:
            versions.append(JudgedVersion(None, tuple(found)))
    return JudgedHistory(tuple(versions), fold.state)


def _merged(path: str, first: str, last: str, state: State | None) -> list[JudgedVersion]:
    """Judge the result of a merge of `last` into `first`, from both sides: this finds a history that replaced another.
    Return nothing if `last` contains `first`, since then every step was judged."""
    base = merge_base(path, first, last)
    if base == first:
        return []
    listed = commits(path, [first])
    fold = Fold([(commit.id, commit.parents) for commit in listed])
    for _ in _judged(path, listed, fold, lambda *_: None):
        pass
    if fold.is_parted:
        text = f"the merge cannot be judged: {first[:_SHORT_ID]} has no file that loads"
        return [_unmergeable(text, "fix the file in that commit first")]
    if fold.state is None or state is None:
        return []
    ours, theirs = fold.state.document, state.document
    result = theirs
    parted = _at(path, base) if base is not None and base != last else None
    if parted is not None:
        try:
            result = merge(parted, ours, theirs)
        except MergeConflictError as error:
            text = f"the merge cannot be judged: {error.message}"
            return [_unmergeable(text, "merge or rebase, then verify again")]
    found, _ = authorize(fold.state, result, follows=True)
    if result is not theirs:
        found += [finding for finding in authorize(state, result, follows=True)[0] if finding not in found]
    return [JudgedVersion(None, tuple(found))]


def _unmergeable(text: str, hint: str) -> JudgedVersion:
    return JudgedVersion(None, (Finding(Severity.VIOLATION, "merge-conflict", ("file",), text, hint),))


def _at(path: str, commit: str) -> Document | None:
    """Return the file as of a commit; None if it was not there, or does not load."""
    blob = next((commit.blob for commit in reversed(commits(path, [commit]))), None)
    version = load_version(next(blobs(path, [blob], MAX_FILE_BYTES))[1], {}) if blob else None
    return version.document if isinstance(version, LoadedFile) else None


def _judged(
    path: str, listed: list[Commit], fold: Fold, progress: Callable[[int, int], None]
) -> Iterator[JudgedVersion]:
    contents = blobs(path, [commit.blob for commit in listed if commit.blob], MAX_FILE_BYTES)
    memo: Memo = {}
    loaded: dict[str, LoadedFile | PocketProtectorError] = {}
    last_uses = {commit.blob: at for at, commit in enumerate(listed)}
    for at, commit in enumerate(listed):
        progress(at, len(listed))
        if commit.blob is not None and commit.blob not in loaded:
            loaded[commit.blob] = load_version(next(contents)[1], memo)
        version = loaded[commit.blob] if commit.blob else None
        if isinstance(version, PocketProtectorError):
            found = [_broken(version, last=at == len(listed) - 1)]
            fold.skip(commit.id, commit.parents)
        else:
            found = fold.step(commit.id, commit.parents, version.document if version else None)
            if version is None and at == len(listed) - 1:
                found = [_removed()]
        if commit.blob and last_uses[commit.blob] == at:
            del loaded[commit.blob]
        yield JudgedVersion(commit, tuple(found))
    progress(len(listed), len(listed))


def load_version(raw: bytes, memo: Memo) -> LoadedFile | PocketProtectorError:
    """Load one version; return the error of one that does not load."""
    try:
        return load(raw, memo)
    except PocketProtectorError as error:
        return error


def _broken(error: PocketProtectorError, *, last: bool) -> Finding:
    severity = Severity.VIOLATION if last else Severity.ATTENTION
    hint = "this version cannot be judged: look at the one before and the one after"
    return Finding(severity, "file-broken", ("file",), f"this version does not load: {error}", hint)


def _removed() -> Finding:
    text = "the path has no regular file any more: it was removed or moved, or is a link now"
    return Finding(Severity.VIOLATION, "file-removed", ("file",), text, "if it moved, verify its new path: -f PATH")
