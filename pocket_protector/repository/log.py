"""Read the history of one file: the commits that changed it, and its content in each.

Git's configuration, replace refs and grafts have no effect here. Git lists all commits, and this module chooses among
them. It does not follow renames.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, islice
from operator import itemgetter
from shlex import quote
from typing import IO

from pocket_protector.errors import StoreError
from pocket_protector.repository.git import finished, output, reason, running

# `--full-history --sparse` lists every commit: git's own pruning drops a merge in a range if its other side is outside.
_LOG = (
    "log --full-history --sparse --topo-order --reverse -z --raw --no-abbrev --root --diff-merges=separate"
    " --no-renames --no-follow --no-relative --no-ext-diff --no-textconv --no-color --no-show-signature --no-notes"
    " --no-mailmap -O/dev/null --encoding=UTF-8 --format=%H%x00%P%x00%ct%x00%an%x20<%ae>%x00%s"
).split()
_FIELDS = 5
_CHUNK = 1 << 20

_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

_OUTSIDE = "outside"
"""Stands for each parent that a negative revision excludes."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that changed the file, or merged two that did.

    `parents` are the listed commits that the files of its parents came from, each once. `time` is the committer's, in
    UTC. `blob` is the object id of the file, or None if the path has no regular file. `outside` is True if a negative
    revision excludes the commit that a parent's file came from; otherwise a commit without parents made the file.
    """

    id: str
    parents: tuple[str, ...]
    time: str
    author: str
    subject: str
    blob: str | None
    outside: bool = False


def commits(path: str, revisions: Sequence[str]) -> list[Commit]:
    """Return the history of the file at `path`, parents before children.

    `revisions` are commit ids, as `parse_revision` returns them; `^` before an id excludes that commit and its
    ancestors. For a single id, the last commit in the list is the one that its file came from.
    """
    folder, name = _place(path)
    # Where the file of each commit came from: a listed commit, `_OUTSIDE`, or None if it never had one.
    origins: dict[str, str | None] = {}
    listed: dict[str, Commit] = {}
    arguments = (*_LOG, "--end-of-options", *revisions, "--", f":(top,literal){name}")
    with running(folder, *arguments) as log:
        assert log.stdout
        for fields, records in groupby(_records(log.stdout, os.fsencode(name)), key=itemgetter(0)):
            commit, all_parents, time, author, subject = fields
            changes = [blob for _, blobs in records for blob in blobs]
            known = dict.fromkeys(origins.get(parent, _OUTSIDE) for parent in all_parents.split())
            parents = tuple(origin for origin in known if origin in listed)
            outside = _OUTSIDE in known
            before = listed[parents[0]].blob if parents else None
            # A file that the commit did not change is the same in all parents.
            blob = changes[0] if changes else before
            if len(parents) + outside > 1 or (changes and (outside or blob != before)):
                listed[commit] = Commit(commit, parents, _utc(time), author, subject, blob, outside)
                origins[commit] = commit
            else:
                origins[commit] = parents[0] if parents else _OUTSIDE if outside else None
    return list(listed.values())


def blobs(path: str, ids: Sequence[str], most: int) -> Iterator[tuple[str, bytes]]:
    """Yield each blob's id and content once, in the order given. A content is cut to `most` + 1 bytes, so that the
    caller can refuse it. `path` only chooses the repository. Raise StoreError if a blob is missing.
    """
    folder = _folder(path)
    with running(folder, "cat-file", "--batch", talks=True) as git:
        assert git.stdin
        assert git.stdout
        for blob in dict.fromkeys(ids):
            # Ask for one blob at a time: then neither side waits for room in a pipe that the other does not empty.
            with suppress(BrokenPipeError):
                os.write(git.stdin.fileno(), blob.encode() + b"\n")
            header = git.stdout.readline().split()
            if header[:2] != [blob.encode(), b"blob"]:
                raise StoreError(f"git cannot read the object {blob}", hint="git fsck names the fault")
            size = int(header[2])
            raw = git.stdout.read(min(size, most + 1))
            left = size - len(raw) + 1
            while left and (chunk := git.stdout.read(min(left, _CHUNK))):
                left -= len(chunk)
            if left:
                raise StoreError(f"git cannot read the object {blob}", hint="git fsck names the fault")
            yield blob, raw


def parse_revision(path: str, text: str) -> str:
    """Return the id of the commit that a user's `text` names (gitrevisions(7)); a tag stands for its commit. Raise
    StoreError if the text names no commit, or more than one."""
    hint = "git log --oneline lists commits, git branch --all and git tag their names"
    if text.startswith("-") or "\0" in text:
        raise StoreError(f"not a commit: {text!r}", hint=hint)
    arguments = ("-c", "core.warnAmbiguousRefs=true", "rev-parse", "--verify", "--end-of-options", f"{text}^{{commit}}")
    done = finished(_folder(path), *arguments)
    commit = done.stdout.decode(errors="replace").strip()
    if b"is ambiguous" in done.stderr:
        raise StoreError(f"more than one commit may be meant by {text!r}", hint="name it by its whole id: git show-ref")
    if done.returncode or not _ID.fullmatch(commit):
        raise StoreError(f"not a commit: {text!r}", hint=hint)
    return commit


def merge_base(path: str, one: str, other: str) -> str | None:
    """Return the id of the commit where two histories parted; None if they have none in common."""
    done = finished(_folder(path), "merge-base", one, other)
    return done.stdout.decode().split()[0] if done.returncode == 0 and done.stdout.strip() else None


def check_complete(path: str) -> None:
    """Check that the file is in a work tree whose repository has a commit, and the whole history. Raise StoreError if
    not."""
    folder, _ = _place(path)
    if output(folder, "rev-parse", "--is-shallow-repository").strip() != b"false":
        raise StoreError(
            "this clone does not have the whole history",
            hint="git fetch --unshallow brings it; in CI, ask for it where the repository is checked out"
            " (fetch-depth: 0)",
        )
    if finished(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").returncode:
        raise StoreError("the git repository has no commit yet", hint=f"git add {quote(path)}, then git commit")


def _records(stream: IO[bytes], name: bytes) -> Iterator[tuple[list[str], list[str | None]]]:
    """Yield each commit's fields and the file's new blobs; a merge comes once for each parent that it differs from."""
    tokens = _tokens(stream)
    token = next(tokens, None)
    while token is not None:
        fields = [field.decode(errors="replace") for field in (token, *islice(tokens, _FIELDS - 1))]
        if len(fields) < _FIELDS:
            return  # git has failed, and `running` says so
        changes = []
        # A field that looks like a change cannot stand here. An empty line comes before the first change.
        while (token := next(tokens, None)) is not None and (change := token.removeprefix(b"\n")).startswith(b":"):
            old_mode, mode, old, new, _ = change[1:].split()
            before, after = _blob(old_mode, old), _blob(mode, new)
            if next(tokens, None) == name and before != after:
                changes.append(after)
        yield fields, changes


def _blob(mode: bytes, blob: bytes) -> str | None:
    """Return the blob of a regular file; None for a link, a submodule, and a missing file (mode 000000)."""
    return blob.decode() if mode.startswith(b"100") else None


def _tokens(stream: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while chunk := stream.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole


def _utc(seconds: str) -> str:
    try:
        moment = datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        moment = datetime.fromtimestamp(0, UTC)  # as git shows an invalid time
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _folder(path: str) -> str:
    """Return the folder to run git in for the file."""
    if "GIT_DIR" in os.environ:
        # Git sets GIT_DIR for hooks. It may be relative to the current folder.
        return os.getcwd()
    folder = os.path.dirname(os.path.abspath(path))
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder


def _place(path: str) -> tuple[str, str]:
    """Return the folder to run git in, and the file's path from the top of the work tree.

    Links inside the work tree are not followed: somebody who replaces the file or its folder by a link must not give it
    another history.
    """
    folder = _folder(path)
    done = finished(folder, "rev-parse", "--show-toplevel")
    if done.returncode:
        raise StoreError(
            f"{path} is not in a git work tree: {reason(done.stderr)}", hint="only git knows the history of a file"
        )
    top = os.fsdecode(done.stdout.removesuffix(b"\n"))
    typed = os.path.abspath(path)
    # Links that lead into the work tree from outside are followed.
    resolved = os.path.join(os.path.realpath(os.path.dirname(typed)), os.path.basename(typed))
    for absolute in (typed, resolved):
        names = absolute.split(os.sep)
        for depth in range(1, len(names)):
            above = os.sep.join(names[:depth]) or os.sep
            if os.path.isdir(above) and os.path.samefile(above, top):
                return folder, "/".join(names[depth:])
    raise StoreError(f"{path} is not in the git work tree {top}")
