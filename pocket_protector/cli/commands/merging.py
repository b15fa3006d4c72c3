"""Commands that resolve a conflict which git could not."""

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
from pocket_protector.trust.gates import BEHIND, check_change


def resolve(ctx: typer.Context) -> None:
    """Resolve a conflict of a merge, rebase or cherry-pick, object by object.

    Needs no credentials. If both sides changed the same object, its name is printed and nothing is written.
    Afterwards, run git add.
    """
    _join(session_of(ctx), with_credentials=False)


def join(ctx: typer.Context) -> None:
    """Resolve a conflict where both sides rotated a key domain's key or changed its policy.

    The domain gets a new key that follows both, wrapped for the owners that neither side removed. You must be an
    owner on both sides. Afterwards, run git add.
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
    """Check that one branch made no unauthorized change to the domains to join, or to their owners on either branch.

    `base` is the version where the branches parted, `owned` maps each domain to its owners. The user's pin counts too.
    Raises IntegrityError.
    """
    found, _ = side.authorize(base.authorize(None)[1], follows=True)
    # The user may have used one of the two branches: then the other is behind it, or unknown to it.
    seen = [finding for finding in look(side).findings if finding.code not in {*BEHIND, "domain-forked"}]
    for name, owners in owned.items():
        apart = ("domain", name) if not base.is_signed(name) else ()
        told = [*found, *(finding for finding in seen if finding.where != apart)]
        check_change(told, name, owners, behind=behind)
