"""Judge the values of a domain and the owners vouching for them (docs/format.md, section 12.4, step 10)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pocket_protector.crypto.keys import key_id
from pocket_protector.document.domain import Domain, Secret
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import command
from pocket_protector.trust.authority import EntryStatus
from pocket_protector.trust.findings import NEWEST, Finding, Severity
from pocket_protector.trust.judge.state import changed_names
from pocket_protector.trust.judge.step import Step
from pocket_protector.trust.memory_hashes import level_hash, secret_hash

_WHO = "see in git's history who did it"


def judge_entries(step: Step, name: str) -> Iterator[Finding]:
    """Yield the findings about a domain's values."""
    state, after = step.before, step.after
    new, old = after.document.domains[name], state.document.domains.get(name)
    now = after.authorities[name].entries
    before = state.authorities[name].entries if old else {}
    if old is not None and now is before:
        return
    # The domain's known keys by their ids, from the time before its first signature or from a branch.
    seen = {key_id(scalar[1:]): scalar[1:] for scalar in after.memory.keys.get(name, frozenset())}
    for key in changed_names(old.secrets if old else {}, new.secrets):
        if key not in new.secrets:
            yield Finding(Severity.INFO, "secret-removed", ("secret", name, key), "the secret was removed")
        else:
            status, secret = now[key], new.secrets[key]
            if status is EntryStatus.INVALID and secret.bound and secret.sealed_for != key_id(new.public_key):
                earlier = [seen[i] for i in seen if secret.sealed_for in (i, None) and seen[i] != new.public_key]
                if step.proofs.is_signed_for_any(new, key, earlier):
                    status = EntryStatus.STALE
            yield _Entry(step, old, new, key, secret, before.get(key), status).judged()


@dataclass(frozen=True)
class _Entry:
    """Judge a changed value. `before` and `now` state whether an owner vouched for it, and whether one does now."""

    step: Step
    old: Domain | None
    new: Domain
    key: str
    secret: Secret
    before: EntryStatus | None
    now: EntryStatus

    @property
    def earlier(self) -> Secret | None:
        return self.old.secrets.get(self.key) if self.old else None

    @property
    def same(self) -> bool:
        """Return whether the sealed bytes are the same as before."""
        return self.earlier is not None and self.earlier.version == self.secret.version

    @property
    def lowered(self) -> bool:
        return self.earlier is not None and self.secret.sensitivity < self.earlier.sensitivity

    @property
    def of_former_owner(self) -> bool:
        """Return whether a former owner under the present key signed it: they were still an owner on another branch."""
        signed, memory = self.secret.signed, self.step.after.memory
        return bool(signed and self.by and memory.was_owner(self.new.name, self.new.public_key, signed.by))

    @property
    def of_earlier_key(self) -> bool:
        """Return whether an owner signed it for the key of another branch, and it is not an older value."""
        vouched = self.step.after.authorities[self.new.name].owners.vouched(self.secret.signed)
        return self.now is EntryStatus.STALE and vouched and not self._is_older()

    @property
    def by(self) -> str:
        """Return the signer in parentheses if the signature was verified, else an empty text."""
        checked = self.now in (EntryStatus.REVIEWED, EntryStatus.UNVOUCHED)
        return f" (signed by {self.secret.signed.by.name})" if self.secret.signed and checked else ""

    def judged(self) -> Finding:
        if self.now is EntryStatus.INVALID:
            text = "the signature beside the value is not one of it: one of them was put there by hand"
            return self._finding(Severity.VIOLATION, "signature-invalid", text, _WHO)
        refused = None if self.now is EntryStatus.REVIEWED else self._judge_unreviewed()
        if refused is not None:
            return refused
        if self._is_older():
            return self._judge_older()
        if self.lowered:
            text = f"{self._levels()}, and an owner vouches for it{self.by}"
            return self._finding(Severity.INFO, "secret-changed", text)
        return self._judge_same() if self.same else self._judge_changed()

    def _judge_older(self) -> Finding:
        if self.lowered or self._is_back_lower():
            text = f"an entry of before is back{self.by}; {self._levels()}"
            hint = f"{_WHO}; if it was honest: pprotect trust accept"
            return self._finding(Severity.ATTENTION, "sensitivity-rolled-back", text, hint)
        hint = f"if nobody meant it: {_WHO}; if somebody did: pprotect trust accept"
        return self._finding(Severity.ATTENTION, "secret-rolled-back", f"an older value is back{self.by}", hint)

    def _judge_unreviewed(self) -> Finding | None:
        """Return the violation or call for attention due for an entry no owner vouches for, or None."""
        # A rotation does not change a reference, and drops a signature that no longer counts.
        rotated = isinstance(self.secret.value, Reference) and self.old is not None and self.old.key != self.new.key
        kept = self.same and not rotated
        if kept and self.before is EntryStatus.REVIEWED:
            return self._judge_stripped()
        elsewhere = self.of_former_owner or self.of_earlier_key
        back = self._is_back_lower() and self._is_older()
        if ((self.lowered and kept) or back) and self.new.epoch and not elsewhere:
            return self._judge_lowered(Severity.VIOLATION)
        if self.new.policy.require_signed:
            return self._judge_refused()
        # An owner may have lowered it before somebody else set another value.
        return self._judge_lowered(Severity.ATTENTION) if self.lowered or self._is_back_lower() else None

    def _judge_stripped(self) -> Finding:
        if self.of_former_owner:
            text = f"an owner had signed exactly this value; now somebody has who is no longer an owner{self.by}"
            hint = f"an owner runs: {command('review', self.new.name)}"
            return self._finding(Severity.ATTENTION, "signature-of-former-owner", text, hint)
        if not self.step.follows:
            text = "older than what you saw: an owner has signed exactly this value, and here it stands without"
            return self._finding(Severity.VIOLATION, "secret-behind", text, NEWEST)
        text = "an owner had signed exactly this value, and the signature is gone"
        return self._finding(Severity.VIOLATION, "signature-stripped", text, _WHO)

    def _judge_lowered(self, severity: Severity) -> Finding:
        if not self.step.follows and severity is Severity.VIOLATION:
            was = self.earlier.sensitivity.word if self.earlier is not None and self.lowered else "higher"
            text = f"older than what you saw: its sensitivity is {self.secret.sensitivity.word} here, and was {was}"
            return self._finding(severity, "secret-behind", text, NEWEST)
        text = f"{self._levels()}, and no owner vouches for that: {self.now.value}{self.by}"
        hint = f"if that is right, an owner runs: {command('review', self.new.name)}"
        if severity is Severity.VIOLATION:
            hint = f"{_WHO}; if it was honest: pprotect trust accept"
        return self._finding(severity, "sensitivity-lowered", text, hint)

    def _judge_refused(self) -> Finding:
        text = (
            f"{self._what()}, and no owner vouches for it: {self.now.value}{self.by}; the policy demands that one does"
        )
        # Nobody uses it until an owner reviews it.
        severity = Severity.ATTENTION if self.of_earlier_key else Severity.VIOLATION
        return self._finding(severity, "secret-unreviewed", text, f"an owner runs: {command('review', self.new.name)}")

    def _judge_same(self) -> Finding:
        # A file in Pocket Protector's format does not have times.
        if self.earlier is not None and self.earlier.updated not in ("", self.secret.updated):
            text = f"the value is as it was, and the time beside it was changed by hand{self.by}"
            return self._finding(Severity.ATTENTION, "secret-retimed", text, _WHO)
        signed = "signed" if self.secret.signed else "no longer signed"
        if self.earlier is not None and self.earlier.sensitivity is not self.secret.sensitivity:
            text = f"the value is as it was, and its sensitivity is now {self.secret.sensitivity.word}{self.by}"
            return self._finding(Severity.INFO, "secret-changed", text)
        text = f"the value is as it was, and is now {signed}{self.by}"
        return self._finding(Severity.INFO, "secret-reviewed", text)

    def _judge_changed(self) -> Finding:
        vouched = f"no owner vouches for it: {self.now.value}"
        if self.now is EntryStatus.REVIEWED:
            vouched = "an owner vouches for it"
        return self._finding(Severity.INFO, "secret-changed", f"{self._what()}, and {vouched}{self.by}")

    def _is_older(self) -> bool:
        memory = self.step.before.memory
        was_raised = level_hash(self.new.name, self.key, self.secret) in memory.gone
        if self.same:
            return self.lowered and was_raised
        version = secret_hash(self.new.name, self.key, self.secret)
        # The pin saw exactly this entry, then the same with a higher sensitivity. Then the entry was out of the file.
        is_back = version in memory.seen and was_raised
        return version in memory.gone or is_back or self._was_signed_before()

    def _was_signed_before(self) -> bool:
        """Return whether owners signed both values, and this one earlier: a value new to the memory may be old too."""
        both = self.before is EntryStatus.REVIEWED and self.now is EntryStatus.REVIEWED
        return both and self.earlier is not None and self.secret.updated < self.earlier.updated

    def _is_back_lower(self) -> bool:
        """Return whether an earlier value is back with a lower sensitivity than at its removal."""
        higher = [level for level in Sensitivity if level > max(self.secret.sensitivity, Sensitivity.MEDIUM)]
        were = (level_hash(self.new.name, self.key, replace(self.secret, sensitivity=level)) for level in higher)
        memory = self.step.before.memory
        return not self.same and any(hash_ in memory.gone or hash_ in memory.seen for hash_ in were)

    def _levels(self) -> str:
        now = self.secret.sensitivity.word
        if self.earlier is None or not self.lowered:
            return f"a value of before is back, and its sensitivity is {now} now, lower than it was"
        return f"its sensitivity is lowered from {self.earlier.sensitivity.word} to {now}"

    def _what(self) -> str:
        if self._is_older():
            return "an older value is back"
        pointer = self.secret.value if isinstance(self.secret.value, Reference) else None
        if self.earlier is None or self.old is None:
            return f"a new reference to {pointer}" if pointer else "a new value"
        if pointer:
            return f"now a reference to {pointer}"
        resealed = self.old.key != self.new.key and self.earlier.updated == self.secret.updated
        return "re-sealed" if resealed else "a value changed"

    def _finding(self, severity: Severity, code: str, text: str, hint: str = "") -> Finding:
        return Finding(severity, code, ("secret", self.new.name, self.key), text, hint)
