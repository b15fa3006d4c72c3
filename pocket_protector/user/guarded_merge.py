"""The two sides of a git merge conflict, joined under this user's guards."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self

from pocket_protector import files
from pocket_protector.crypto.identity import Identity
from pocket_protector.format.loaded_file import MAX_FILE_BYTES
from pocket_protector.keyfile.key_file import KeyFile
from pocket_protector.repository.conflict import check_untouched, conflict_stages
from pocket_protector.trust.gates import check_change
from pocket_protector.user import notices
from pocket_protector.user.guarded_key_file import GuardedKeyFile, GuardOptions
from pocket_protector.user.guarded_write import write_joined
from pocket_protector.user.judged_file import judge_against_pin
from pocket_protector.user.notices import Tell


@dataclass(frozen=True, slots=True)
class GuardedMerge:
    """The base and both sides from git's index; `conflicted` is the content that git left in the file.

    The join keeps the comments and x- keys of `ours`. If only one side has new ones, that side is `ours`.
    """

    base: KeyFile
    ours: KeyFile
    theirs: KeyFile
    conflicted: bytes
    options: GuardOptions
    tell: Tell

    @classmethod
    def from_conflict(cls, path: str, options: GuardOptions | None = None, tell: Tell = notices.ignore) -> Self:
        """Read the sides of the file at `path`.

        Raises StoreError if git has no conflict there, or somebody edited the file since git stopped.
        """
        stages = conflict_stages(path, MAX_FILE_BYTES)
        conflicted = files.read(path, MAX_FILE_BYTES)
        check_untouched(conflicted, stages)
        base, ours, theirs = (KeyFile.from_bytes(raw, path) for raw in stages)
        if theirs.edited_by_hand(base):
            if ours.edited_by_hand(base):
                text = "comments and x- keys that only the other branch changed are not taken over: see git diff"
                tell(notices.note(text))
            else:
                ours, theirs = theirs, ours
        return cls(base, ours, theirs, conflicted, options or GuardOptions(), tell)

    def resolved(self) -> KeyFile:
        """Join the sides object by object, without credentials.

        Raises MergeConflictError, which names the objects that both sides changed.
        """
        return self.ours.joined(self.base, self.theirs, self.conflicted)

    def check_join(self) -> list[str]:
        """Return the domains whose key or policy both sides changed.

        Raises IntegrityError if a side changed one of these domains, or one of its owners, without authorization.
        """
        names = self.ours.joinable(self.base, self.theirs)
        sides = self.ours, self.theirs
        owned = {name: {owner for side in sides for owner in side.get_domain_owner_names(name)} for name in names}
        for side in sides:
            check_side(self.base, side, owned, behind=self.options.behind)
        return names

    def joined(self, identity: Identity) -> KeyFile:
        """Join the sides, and make a new key for each domain that `check_join` returns.

        `identity` is an owner on both sides. Gives notices about owners who are new to this user. Raises as
        `check_join`, and MergeConflictError, which names the other objects that both sides changed.
        """
        names = self.check_join()
        joined = self.ours.joined(self.base, self.theirs, self.conflicted, identity)
        guarded = GuardedKeyFile(self.ours, self.options, self.tell)
        for name in names:
            guarded.introduce(name, joined.get_domain_owner_names(name))
        return joined

    def write(self, joined: KeyFile) -> GuardedKeyFile:
        """Write the join in the place of the conflict, and pin it.

        Raises as `KeyFile.write`.
        """
        return write_joined(GuardedKeyFile(self.ours, self.options, self.tell), joined)


def check_side(base: KeyFile, side: KeyFile, owned: Mapping[str, Collection[str]], *, behind: bool) -> None:
    """Check one branch of a join.

    Raises IntegrityError if the branch changed one of these domains, or an owner of it on either branch, without
    authorization since the branches parted or since this user last used the file.
    """
    found, _ = side.authorize(base.authorize(None)[1], follows=True)
    # This user may know only one of two branches. The other one is then behind the pin, or does not know it.
    findings = judge_against_pin(side).findings
    pinned = [f for f in findings if not (f.kind.is_older or f.kind.is_parallel)]
    for name, owners in owned.items():
        apart = ("domain", name) if not base.is_signed(name) else ()
        concerned = [*found, *(finding for finding in pinned if finding.where != apart)]
        check_change(concerned, name, owners, behind=behind)
