"""Commands for conflicts that git could not resolve."""

from __future__ import annotations

import shlex

import typer

from pocket_protector.cli import output
from pocket_protector.cli.session import session_of
from pocket_protector.user.guarded_merge import GuardedMerge


def resolve(ctx: typer.Context) -> None:
    """Resolve a conflict of a merge, rebase or cherry-pick, object by object.

    Needs no credentials. If both sides changed the same object, its name is printed and nothing is written.
    Afterwards, run git add.
    """
    session = session_of(ctx)
    merge = GuardedMerge.from_conflict(session.path(), session.guard_options(), output.notice)
    session.write_joined(merge, merge.resolved(), _done(session.path()))


def join(ctx: typer.Context) -> None:
    """Resolve a conflict where both sides rotated a key domain's key or changed its policy.

    The domain gets a new key that follows both, wrapped for the owners that neither side removed. You must be an
    owner on both sides. Afterwards, run git add.
    """
    session = session_of(ctx)
    merge = GuardedMerge.from_conflict(session.path(), session.guard_options(), output.notice)
    names = merge.check_join()
    joined = merge.joined(session.identity(merge.ours))
    for name in names:
        output.note(f"wrapping the new key of {name} for: {', '.join(joined.get_domain_owner_names(name))}")
    session.write_joined(merge, joined, _done(session.path()))


def _done(path: str) -> str:
    return f"joined both sides; next: {shlex.join(['git', 'add', path])}"
