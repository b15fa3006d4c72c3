"""`GuardedKeyFile`: a protected file that a user with a memory opens.

The checks run in this order, for commands and programs alike:

1. Judge the file against this user's pin (`judged_file`), once.
2. Before anything is sealed, refuse violations that concern the domain. Before a key is wrapped, also refuse
   violations that concern the custodians, and findings that wait for a decision (`trust.gates.check_change`).
3. If the user names trusted custodians, refuse a domain that does not lead back to one of them.
4. Give the notices.
5. Write the file, and pin the result.

Reading is in `domain_access`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from pocket_protector.errors import IntegrityError
from pocket_protector.keyfile.key_file import KeyFile
from pocket_protector.user import notices
from pocket_protector.user.judged_file import (
    MOST_NOTICES,
    JudgedFile,
    judge_against_pin,
    judge_as_new,
    notices_of,
    warning_of,
)
from pocket_protector.user.notices import Notice, Tell

if TYPE_CHECKING:  # imported late: the use of an unchanged file does not need it
    from pocket_protector.crypto.identity import Identity
    from pocket_protector.document.decrypted import DecryptedDomain
    from pocket_protector.keyfile.credentials import Creds
    from pocket_protector.references.resolve import Progress, Resolved
    from pocket_protector.repository.verification import Report
    from pocket_protector.trust.findings import Finding
    from pocket_protector.user.domain_access import DomainAccess, Use
    from pocket_protector.user.guarded_write import CheckedWrite


@dataclass(frozen=True, slots=True)
class GuardOptions:
    """The user's decisions in advance.

    `trust` maps custodians' names to their fingerprints. Where a domain must be known, it takes the place of the pin.
    `behind` accepts a file older than one that this user has seen. `attended` means: a person reads the notices.
    """

    trust: Mapping[str, str] | None = None
    behind: bool = False
    attended: bool = False


class GuardedKeyFile:
    """A protected file whose uses and writes are checked against this user's memory and decisions.

    `KeyFile` alone checks only that a file is consistent in itself. This class also refuses to seal to a domain key, or
    to wrap a key for a custodian, if somebody replaced that key since this user last used the file (IntegrityError). It
    refuses to print or resolve a value that an edited file makes less sensitive (PolicyError, IntegrityError), and a
    domain that does not lead back to a custodian the user trusts (PolicyError). It keeps its memory in the user's own
    folder (PPROTECT_STATE_DIR).

    Args:
        key_file: the file as it was read.
        options: the user's decisions; see `GuardOptions`.
        tell: takes each `Notice` when it arises.
    """

    __slots__ = ("_checked_owners", "_given", "_judged", "is_new", "key_file", "options", "tell")

    def __init__(self, key_file: KeyFile, options: GuardOptions | None = None, tell: Tell = notices.ignore) -> None:
        self.key_file = key_file
        self.options = options or GuardOptions()
        self.tell = tell
        self._judged: JudgedFile | None = None
        self._given: set[Notice] = set()
        self.is_new = False
        self._checked_owners: set[str] = set()

    @classmethod
    def from_file(
        cls, path: str | os.PathLike[str], options: GuardOptions | None = None, tell: Tell = notices.ignore
    ) -> Self:
        """Read the file at `path`, and judge it only when something uses it. Raises as `KeyFile.from_file`."""
        return cls(KeyFile.from_file(path), options, tell)

    @classmethod
    def create(
        cls, path: str | os.PathLike[str], options: GuardOptions | None = None, tell: Tell = notices.ignore
    ) -> Self:
        """Make a new file at `path`, as `KeyFile.create` does. The first write pins the file, and records that this
        user made it."""
        file = cls(KeyFile.create(path), options, tell)
        file.is_new = True
        file._judged = judge_as_new(file.key_file)
        return file

    @property
    def judged(self) -> JudgedFile:
        """Return the file beside this user's pin of it. Raises StoreError if the pin is damaged."""
        if self._judged is None:
            self._judged = judge_against_pin(self.key_file)
        return self._judged

    # Writing

    def check_changeable(self) -> None:
        """Check that the file can be changed. Raises StoreError if the file is a legacy file or its pin is damaged."""
        self.key_file.check_changeable()
        assert self.judged

    def check_sealing(self, domain_name: str) -> None:
        """Check that the user may seal something to the domain's key, or sign something in the domain.

        Gives the notices about the domain. Raises IntegrityError for a violation that concerns the domain, and
        PolicyError if the domain does not lead back to a trusted custodian.
        """
        owners = self.key_file.get_domain_owner_names(domain_name)
        self._check_change(domain_name, owners, wraps=False)
        self.give_notices([domain_name])

    def check_wrapping(self, domain_name: str, *custodian_names: str, removing: str | None = None) -> None:
        """Check that the domain's key, or its next key, may be wrapped for its owners and these custodians.

        `removing` names an owner whom the user removes: a finding about them goes with them. Gives notices about the
        domain, and about owners who are new to this user. Raises as `check_sealing`. Also raises IntegrityError for a
        violation that concerns one of the custodians, for a finding that waits for a decision, and for older
        references, because a rotation would sign them anew.
        """
        owners = self.key_file.get_domain_owner_names(domain_name)
        self._check_change(domain_name, {*owners, *custodian_names}, removing=removing)
        self.give_notices([domain_name])
        older = [] if self.options.behind else self.judged.withheld(domain_name)
        if older:
            raise IntegrityError(
                f"nothing was written: in {domain_name!r} older references are back, and a rotation would sign them"
                f" anew: {', '.join(older)}",
                hint="set them again, or if somebody meant it: pprotect trust accept",
            )
        self.introduce(domain_name, [owner for owner in owners if owner != removing])

    def check_new_owner(self, custodian_name: str, fingerprint: str | None = None) -> None:
        """Check the fingerprint of a custodian before they get access.

        `fingerprint` is 64 hexadecimal digits or eight words. With it, raises IntegrityError if the custodian has
        another fingerprint, and StoreError if the text is not a fingerprint. Without it, gives a notice with the
        fingerprint of a custodian who is new to this user. In a signed file the notice also covers a custodian without
        access, because a mere entry in the file proves nothing.
        """
        from pocket_protector.trust.fingerprints import is_fingerprint, to_words

        actual = self.key_file.get_fingerprint(custodian_name)
        if fingerprint is not None:
            if not is_fingerprint(fingerprint, actual):
                raise IntegrityError(
                    f"the fingerprint of {custodian_name!r} is another: {to_words(actual)}",
                    hint="ask them by another way; somebody may have put other keys in the place of theirs",
                )
            self._checked_owners.add(custodian_name)
        if custodian_name in self._checked_owners:
            return
        self._checked_owners.add(custodian_name)
        state = self.judged.trusted()
        known = state is not None and custodian_name in state.document.custodians
        if state is None or not known or (self.judged.is_signed() and not state.document.owned_by(custodian_name)):
            was = "had no access" if known else "was not seen"
            text = f"{custodian_name} {was} before; ask them by another way whether this is their fingerprint:"
            self.tell(notices.note(text, to_words(actual)))

    def check_write(self, changed: KeyFile, *, removing: str | None = None) -> CheckedWrite:
        """Check everything that `changed` seals, signs or wraps beyond this file, and which owners it removes.

        `changed` is made from `key_file`. `removing` names the owner whom the user removes: where they go, a finding
        about them goes with them. Returns the checked change, to write after a question, say. Raises as
        `check_sealing`, `check_wrapping` and `check_new_owner`; AccessError for an owner of a signed domain who would
        leave without a rotation; StoreError for a file that was not made from this one.
        """
        from pocket_protector.user.guarded_write import check_write

        return check_write(self, changed, removing=removing)

    def write(self, changed: KeyFile, *, removing: str | None = None) -> GuardedKeyFile:
        """Write `changed`, which was made from this file, and pin the result. `removing` is as in `check_write`.
        Returns the file now on disk. Raises as `check_write` and `KeyFile.write`, and then writes nothing."""
        return self.check_write(changed, removing=removing).write()

    def check_new_domain(self, domain_name: str, custodian_names: Collection[str]) -> None:
        """Check that the key of a new domain may be wrapped for these custodians. Raises as `check_wrapping`."""
        self._check_change(domain_name, custodian_names)

    # Reading

    def access(self, domain_name: str, use: Use | None = None, names: Collection[str] | None = None) -> DomainAccess:
        """Return access to all values of the domain, or to those with these `names`, if this `use` is permitted.

        The access opens the values with credentials. Raises PPKeyError for an unknown name, and PolicyError for a value
        too sensitive for the use.
        """
        from pocket_protector.user.domain_access import grant_access

        return grant_access(self, domain_name, use, names)

    def decrypt_domain(
        self, domain_name: str, creds: Creds | Identity, *, require_signed: bool = False, resolve: bool = True
    ) -> DecryptedDomain:
        """Return all values of a domain by name, for this program's own use.

        The arguments are as in `KeyFile.decrypt_domain`. Raises as that method; also PolicyError if the user's memory
        or trust refuses the domain, and IntegrityError for a reference that somebody changed without authorization.
        """
        from pocket_protector.user.domain_access import Use

        use = Use(require_signed=require_signed, resolve=resolve)
        return self.access(domain_name, use).open(creds).texts()

    def check_use(self, domain_name: str, *, require_signed: bool = False) -> None:
        """Check that the domain may be used.

        A domain whose policy demanded signed values when this user saw it must still have signed values. Raises
        PolicyError if the domain's policy, the user's trust or `require_signed` refuses the use.
        """
        judged, trust = self.judged, self.options.trust
        # A replaced domain brings its own policy.
        required = require_signed or judged.demanded_signed(domain_name)
        strict = required or trust is not None
        if not strict and not self.key_file.has_demands(domain_name):
            return
        pinned = strict or self.key_file.get_policy(domain_name).require_signed
        trusted = judged.trusted() if trust is None and pinned else trust
        # An older branch is refused only if signed values are required.
        behind = self.options.behind or not strict
        self.key_file.check_use(domain_name, require_signed=required, trust=trusted, behind=behind)

    def resolve(
        self, places: Iterable[tuple[str, str]], progress: Progress | None = None, *, partly: bool = False
    ) -> Resolved:
        """Fetch the values of references, given by their domains and names.

        `partly` permits a result without the references that cannot be resolved. Raises ProviderError for a reference
        that cannot be resolved, unless `partly` is set; IntegrityError for a reference that somebody changed without
        authorization since this user last used the file; and PolicyError if a domain does not lead back to a trusted
        custodian, or a reference needs a review first.
        """
        wanted = list(places)
        for domain in sorted({domain for domain, _ in wanted}):
            self._check_anchored(domain)
        findings, behind = self.judged.findings, self.options.behind
        resolved = self.key_file.resolve(wanted, progress, partly=partly, findings=findings, behind=behind)
        if not resolved.recorded:
            text = "your log of accesses cannot be written: nothing there tells that references were resolved"
            self.tell(notices.note(text))
        if not partly:
            resolved.require_all()
        return resolved

    # Memory

    def verify(self) -> Report:
        """Judge the present file against the pin, and return the report. `pocket_protector.verify_history` judges the
        history in git. Raises StoreError for a legacy file."""
        from pocket_protector.repository.verification import WORK_TREE, ReportStep, report_of

        self.key_file.check_changeable()
        judged = self.judged.judged()
        subject = "the file as it is, against what was seen of it"
        if judged.before is None:
            subject = "the file as it is; nothing was seen of it before"
        step = ReportStep(WORK_TREE, "", "", "", tuple(judged.findings))
        return report_of(self.key_file.path, subject, [step], judged.after, trust=self.options.trust)

    def accept(self) -> None:
        """Trust the present file, whatever the findings are, and even if the pin is damaged. Call this after the user
        has compared the fingerprints with the custodians. Raises StoreError for a legacy file, and if the pin cannot
        be written."""
        self.key_file.check_changeable()
        self.judged.judged().accept()

    def forget_damaged_pin(self) -> None:
        """Judge the file as at a first contact, because its pin cannot be read."""
        self._judged = judge_as_new(self.key_file)

    def pin_as_used(self) -> None:
        """Pin the file after a use that raised no error or only refused values. A value that is refused now stays
        refused."""
        if self.options.attended:
            self.judged.pin_as_read(self.tell)
        else:
            self.judged.pin_as_unread(self.tell)

    def give_notices(self, domain_names: Collection[str], *, first_contact: bool = True) -> None:
        """Give warnings of violations that concern these domains, and notes about all other notable findings."""
        judged = self.judged
        if not judged.findings:
            self.give_pending()
            return
        from pocket_protector.trust.gates import about

        names = set(domain_names) & set(self.key_file.get_domain_names())
        owners = {owner for name in names for owner in self.key_file.get_domain_owner_names(name)}
        concerned = {id(f): f for name in sorted(names) for f in about(judged.findings, name, owners)}
        for finding in [*concerned.values()][:MOST_NOTICES]:
            self._give(warning_of(finding))
        shown = [*concerned.values()][:MOST_NOTICES]
        self._give_summary([finding for finding in judged.violations if finding not in shown])
        self.give_pending()
        if first_contact and judged.before is None and judged.is_signed() and not judged.violations:
            text = "first contact with this file: compare its custodians' fingerprints (pprotect trust)"
            self._give(notices.note(text))

    def give_pending(self) -> None:
        """Give notes about all notable findings; a person also gets the notices that perhaps nobody has read."""
        pending = self.judged.pending() if self.options.attended else notices_of(self.judged)
        for notice in pending[:MOST_NOTICES]:
            self._give(notice)
        if len(pending) > MOST_NOTICES:
            self._give(notices.note(f"and {len(pending) - MOST_NOTICES} more (pprotect trust)"))

    def introduce(self, domain: str, owners: Iterable[str]) -> None:
        """Show the fingerprints of the owners who did not own the domain when this user last used the file."""
        from pocket_protector.trust.fingerprints import to_words

        state = self.judged.trusted()
        pinned = state.document.domains.get(domain) if state else None
        for owner in owners:
            if (pinned is None or owner not in pinned.owners) and owner in self.key_file.document.custodians:
                words = to_words(self.key_file.get_fingerprint(owner))
                text = f"{owner} was not seen as an owner of {domain} before; their fingerprint: {words}"
                self._give(notices.note(text))

    # Inside

    def _give_summary(self, others: list[Finding]) -> None:
        """Say how many other violations the file has, and accuse nobody because of an older branch."""
        unauthorized = [finding for finding in others if not (finding.kind.is_older or finding.kind.is_parallel)]
        if unauthorized:
            number = len(unauthorized)
            changes = "unauthorized change" if number == 1 else f"{number} unauthorized changes"
            self._give(notices.warning(f"{changes} elsewhere in the file; run: pprotect trust"))
        elif others:
            self._give(notices.note("other parts of the file are older than what you saw; run: pprotect trust"))

    def _check_change(
        self, domain: str, custodians: Collection[str], *, wraps: bool = True, removing: str | None = None
    ) -> None:
        if self.judged.findings:
            from pocket_protector.trust.gates import check_change

            behind = self.options.behind
            check_change(self.judged.findings, domain, custodians, wraps=wraps, behind=behind, removing=removing)
        self._check_anchored(domain)

    def _check_anchored(self, domain: str) -> None:
        if self.options.trust is not None and domain in self.key_file.document.domains:
            self.key_file.check_anchored(domain, self.options.trust)

    def _give(self, notice: Notice) -> None:
        if notice not in self._given:
            self._given.add(notice)
            self.tell(notice)
