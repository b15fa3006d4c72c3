"""Commands about versions that git could not merge."""

from __future__ import annotations

import shlex

import typer

from pocket_protector import files
from pocket_protector.cli import output
from pocket_protector.cli.session import Session, session_of
from pocket_protector.format.file import MAX_FILE_BYTES
from pocket_protector.git.stages import check_untouched, conflict_stages
from pocket_protector.keyfile import KeyFile


def resolve(ctx: typer.Context) -> None:
    """Join the two sides of a merge, rebase or cherry-pick that git stopped at, object by object.

    Needs no credentials. What both sides changed is named, and nothing is written. Afterwards: git add.
    """
    _join(session_of(ctx), with_credentials=False)


def join(ctx: typer.Context) -> None:
    """As resolve, where both sides rotated a key domain's key or changed its policy: the domain gets a new key, which
    follows both, for the owners whom neither side dropped.

    You must be an owner on both sides. Afterwards: git add.
    """
    _join(session_of(ctx), with_credentials=True)


def _join(session: Session, *, with_credentials: bool) -> None:
    path = session.path()
    stages = conflict_stages(path, MAX_FILE_BYTES)
    conflicted = files.read(path, MAX_FILE_BYTES)
    check_untouched(conflicted, stages)
    base, ours, theirs = (KeyFile.from_bytes(raw, path) for raw in stages)
    if theirs.edited_by_hand(base):
        if ours.edited_by_hand(base):
            output.note(
                "note: comments and x- keys that only the other branch changed are not taken over: see git diff"
            )
        else:
            ours, theirs = theirs, ours
    done = f"joined both sides; next: {shlex.join(['git', 'add', path])}"
    identity = session.identity(ours) if with_credentials else None
    session.write(ours, ours.joined(base, theirs, conflicted, identity), done)
