"""What a judgement of a file says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How much a finding matters: a violation was not authorised, and blocks writing; to one that needs attention
    somebody should look; the rest is information."""

    INFO = 1
    ATTENTION = 2
    VIOLATION = 3

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a judgement says.

    `code` names the kind, such as `domain-replaced`. `where` is the object: its kind, then its names, such as
    `("secret", "dev", "db-password")`; kinds and names are those of the audit log's sections. `text` says what
    changed, who signed it, and why that is or is not allowed; `hint` what to do.
    """

    severity: Severity
    code: str
    where: tuple[str, ...]
    text: str
    hint: str = ""

    @property
    def is_violation(self) -> bool:
        return self.severity is Severity.VIOLATION

    @property
    def needs_attention(self) -> bool:
        return self.severity is Severity.ATTENTION

    @property
    def waits(self) -> bool:
        """Whether it is told until the user accepts it."""
        return self.needs_attention and self.code in _UNTIL_ACCEPTED


NEWEST = "fetch the newest version; if this is it, see who put back what was there before (git log -p)"
"""What to do where something is older than it was."""

_UNTIL_ACCEPTED = frozenset({"custodian-upgraded", "domain-returned", "unsigned-key-replaced", "unsigned-owner-added"})
"""What nobody can prove."""


DESCRIPTIONS = {
    "custodian-added": "A new key custodian",
    "custodian-behind": "A key custodian's keys are older than those that were seen",
    "custodian-rekeyed": "A key custodian changed their keys, and signed that with the old ones",
    "custodian-removed": "A key custodian was removed",
    "custodian-replaced": "A key custodian's keys were replaced without a signature by the old ones",
    "custodian-upgraded": "Keys of Pocket Protector's gave way to others, which they cannot sign",
    "domain-added": "A new key domain",
    "domain-behind": "A key domain's key and policy are older than what was seen",
    "domain-forged": "A new key domain whose statements do not hold",
    "domain-forked": "Two rotations of a key domain do not know of each other",
    "domain-removed": "A key domain was removed",
    "domain-replaced": "A key domain's key or policy was replaced by somebody without the right to it",
    "domain-returned": "A key domain that was removed is there again",
    "domain-rotated": "An owner rotated a key domain's key",
    "domain-unsigned": "A signed key domain lost its statements",
    "file-broken": "A version of the file that does not load",
    "file-replaced": "Another file stands in the place of this one",
    "file-upgraded": "The file was upgraded from Pocket Protector's format",
    "first-contact": "Nothing was known of the file before",
    "first-epoch": "A listed owner made the first statement about a key domain",
    "first-epoch-forged": "Somebody who was not listed as an owner made the first statement about a key domain",
    "grant-of-former-owner": "An owner was given access by somebody who is no longer an owner",
    "grant-stale": "An owner was given access to an earlier key of the domain",
    "grant-unusable": "An owner's grant is for earlier keys of theirs",
    "grant-without-custodian": "An owner is no key custodian",
    "log-entries-gone": "Entries of the audit log are gone without a note",
    "log-truncated": "The audit log was truncated",
    "file-removed": "The file was removed",
    "merge-conflict": "What a merge would make of two histories cannot be told",
    "owner-added": "A new owner of a key domain",
    "owner-behind": "An owner whose removal or newer grant was seen already",
    "owner-injected": "An owner whom nobody with the right to it gave access",
    "owner-removed": "An owner of a key domain was removed",
    "owner-returned": "The removal of an owner was undone",
    "owner-stripped": "The signature of an owner's grant is gone",
    "policy-changed": "An owner changed a key domain's policy",
    "policy-max-age": "Values are older than the policy allows",
    "policy-min-owners": "A key domain has fewer owners than its policy demands",
    "policy-production": "References that no owner vouches for, in a production domain",
    "policy-require-signed": "Values that no owner vouches for, where the policy demands that one does",
    "policy-weakened": "An owner weakened a key domain's policy",
    "secret-behind": "A value as it was before an owner signed it, which was seen already",
    "secret-changed": "A value was added or changed",
    "secret-removed": "A secret was removed",
    "secret-retimed": "The time beside a value was changed, and the value is as it was",
    "secret-reviewed": "A value as it was, signed or no longer signed",
    "secret-rolled-back": "An older value is back",
    "secret-unreviewed": "A value that no owner vouches for, where the policy demands that one does",
    "sensitivity-lowered": "A value is to be handled less carefully, and no owner vouches for that",
    "sensitivity-rolled-back": "An older entry is back, which is to be handled less carefully",
    "signature-invalid": "A signature that is not one of the value beside it",
    "signature-of-former-owner": "In the place of an owner's signature stands that of a former one",
    "signature-stripped": "The signature of a value that an owner had signed is gone",
    "unsigned-key-replaced": "The key of a domain that nobody has signed was replaced",
    "unsigned-owner-added": "An owner was added to a domain that nobody has signed, without a signature",
    "untrusted": "A key domain does not lead back to anybody who is trusted",
}
"""What each code of a finding means."""
