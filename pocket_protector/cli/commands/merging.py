"""Commands about versions that git could not merge."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping

import typer

from pocket_protector import files
from pocket_protector.cli import output
from pocket_protector.cli.session import Session, session_of
from pocket_protector.cli.warning import show_new_owners
from pocket_protector.cli.watching import look
from pocket_protector.format.loaded_file import MAX_FILE_BYTES
from pocket_protector.keyfile.key_file import KeyFile
from pocket_protector.repository.conflict import check_untouched, conflict_stages
from pocket_protector.trust.gates import check_change


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
    if not with_credentials:
        session.write(ours, ours.joined(base, theirs, conflicted), done, merges=True)
        return
    names = ours.joinable(base, theirs)
    owned = {name: {*ours.get_domain_owner_names(name), *theirs.get_domain_owner_names(name)} for name in names}
    for side in (ours, theirs):
        check_side(base, side, owned, behind=session.options.behind)
    joined = ours.joined(base, theirs, conflicted, session.identity(ours))
    for name in names:
        owners = joined.get_domain_owner_names(name)
        output.note(f"wrapping the new key of {name} for: {', '.join(owners)}")
        show_new_owners(look(ours), name, owners)
    session.write(ours, joined, done, merges=True)


def check_side(base: KeyFile, side: KeyFile, owned: Mapping[str, Collection[str]], *, behind: bool) -> None:
    """IntegrityError if what one branch did to a domain that is to be joined, or to one of its owners on either branch,
    was not authorised, as seen from where the branches parted, and from what this user has seen."""
    found, _ = side.authorize(base.authorize(None)[1], follows=True)
    # Of two branches that this user may have seen one of, the other is behind, or does not know of it.
    findings = look(side).findings
    seen = [finding for finding in findings if not (finding.kind.is_older or finding.kind.is_parallel)]
    for name, owners in owned.items():
        apart = ("domain", name) if not base.is_signed(name) else ()
        told = [*found, *(finding for finding in seen if finding.where != apart)]
        check_change(told, name, owners, behind=behind)
