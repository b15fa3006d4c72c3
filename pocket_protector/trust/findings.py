"""Describe the findings of a judgement."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """Rank a finding by how much it matters.

    A violation was not authorised, and blocks writing. A finding that needs attention asks somebody to look. The rest
    is information.
    """

    INFO = 1
    ATTENTION = 2
    VIOLATION = 3

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class FindingKind:
    """Describe the common properties of all findings with one code.

    Other modules decide by these fields, never by the code itself.

    `is_older`: the file is older than an earlier judged version, or looks so. `is_parallel`: two branches changed the
    same thing, and neither follows the other. `waits`: a finding that needs attention holds until the user accepts it.
    `restores`: an older entry stands there again. `lowers`: the entry's sensitivity is lower than before.
    `allows_update`: the user may still set another value. `is_first_contact`: the user does not have a pin of the file.
    """

    description: str
    is_older: bool = False
    is_parallel: bool = False
    waits: bool = False
    restores: bool = False
    lowers: bool = False
    allows_update: bool = False
    is_first_contact: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """State one result of a judgement.

    `code` names the kind, such as `domain-replaced`. `where` is the object: its kind, then its names, such as
    `("secret", "dev", "db-password")`. The kinds and names are those of the audit log's sections. `text` gives the
    change, its signer, and the reason for or against it. `hint` gives the remedy.
    """

    severity: Severity
    code: str
    where: tuple[str, ...]
    text: str
    hint: str = ""

    @property
    def kind(self) -> FindingKind:
        return KINDS[self.code]

    @property
    def is_violation(self) -> bool:
        return self.severity is Severity.VIOLATION

    @property
    def needs_attention(self) -> bool:
        return self.severity is Severity.ATTENTION

    @property
    def waits(self) -> bool:
        """Return whether the finding holds until the user accepts it, since nobody can prove it right."""
        return self.needs_attention and self.kind.waits


NEWEST = (
    "fetch the newest version; if that is this one, see who put the old state back (git log -p); if you threw the newer"
    " one away yourself: pprotect trust accept"
)
"""The hint for an object older than it was."""

KINDS = {
    "custodian-added": FindingKind("A new key custodian"),
    "custodian-behind": FindingKind("A key custodian's keys are older than those that were seen", is_older=True),
    "custodian-rekeyed": FindingKind("A key custodian changed their keys, and signed that with the old ones"),
    "custodian-removed": FindingKind("A key custodian was removed"),
    "custodian-replaced": FindingKind("A key custodian's keys were replaced without a signature by the old ones"),
    "custodian-upgraded": FindingKind(
        "Keys of Pocket Protector's gave way to others, which they cannot sign", waits=True
    ),
    "domain-added": FindingKind("A new key domain"),
    "domain-behind": FindingKind("A key domain's key and policy are older than the newest known ones", is_older=True),
    "domain-forged": FindingKind("The statements of a new key domain do not hold"),
    "domain-forked": FindingKind("Two rotations of a key domain do not know of each other", is_parallel=True),
    "domain-removed": FindingKind("A key domain was removed"),
    "domain-replaced": FindingKind("A key domain's key or policy was replaced by somebody without the right to it"),
    "domain-returned": FindingKind("A key domain that was removed is there again", waits=True),
    "domain-rotated": FindingKind("An owner rotated a key domain's key"),
    "domain-unsigned": FindingKind("A signed key domain lost its statements"),
    "file-broken": FindingKind("A version of the file that does not load"),
    "file-replaced": FindingKind("Another file stands in the place of this one"),
    "file-upgraded": FindingKind("The file was upgraded from Pocket Protector's format"),
    "first-contact": FindingKind("Nothing was known of the file before", is_first_contact=True),
    "first-epoch": FindingKind("A listed owner made the first statement about a key domain"),
    "first-epoch-forged": FindingKind("The first statement about a key domain does not come from a listed owner"),
    "grant-of-former-owner": FindingKind("A former owner gave an owner access"),
    "grant-stale": FindingKind("An owner was given access to an earlier key of the domain"),
    "grant-unusable": FindingKind("An owner's grant is for earlier keys of theirs"),
    "grant-without-custodian": FindingKind("An owner is no key custodian"),
    "log-entries-gone": FindingKind("Entries of the audit log are gone without a note"),
    "log-truncated": FindingKind("The audit log was truncated"),
    "file-removed": FindingKind("The file was removed"),
    "merge-conflict": FindingKind("The result of merging two histories cannot be determined"),
    "owner-added": FindingKind("A new owner of a key domain"),
    "owner-behind": FindingKind("The removal of an owner, or a newer grant, is known already", is_older=True),
    "owner-injected": FindingKind("An owner was added without authorization"),
    "owner-removed": FindingKind("An owner of a key domain was removed"),
    "owner-returned": FindingKind("The removal of an owner was undone"),
    "owner-stripped": FindingKind("The signature of an owner's grant is gone"),
    "policy-changed": FindingKind("An owner changed a key domain's policy"),
    "policy-max-age": FindingKind("Values are older than the policy allows"),
    "policy-min-owners": FindingKind("A key domain has fewer owners than its policy demands"),
    "policy-production": FindingKind("References that no owner vouches for, in a production domain"),
    "policy-require-signed": FindingKind("Values that no owner vouches for, where the policy demands that one does"),
    "policy-weakened": FindingKind("An owner weakened a key domain's policy"),
    "secret-behind": FindingKind("A value as it was before an owner signed it, which was seen already", is_older=True),
    "secret-changed": FindingKind("A value was added or changed"),
    "secret-removed": FindingKind("A secret was removed"),
    "secret-retimed": FindingKind("The time beside a value was changed, and the value is as it was"),
    "secret-reviewed": FindingKind("A value as it was, signed or no longer signed"),
    "secret-rolled-back": FindingKind("An older value is back", restores=True),
    "secret-unreviewed": FindingKind(
        "A value that no owner vouches for, where the policy demands that one does", allows_update=True
    ),
    "sensitivity-lowered": FindingKind(
        "A value is to be handled less carefully, and no owner vouches for that", lowers=True
    ),
    "sensitivity-rolled-back": FindingKind(
        "An older entry is back, which is to be handled less carefully", restores=True, lowers=True
    ),
    "signature-invalid": FindingKind("A signature that is not one of the value beside it"),
    "signature-of-former-owner": FindingKind("In the place of an owner's signature stands that of a former one"),
    "signature-stripped": FindingKind("The signature of a value that an owner had signed is gone"),
    "unsigned-key-replaced": FindingKind("The key of a domain that nobody has signed was replaced", waits=True),
    "unsigned-owner-added": FindingKind(
        "An owner was added to a domain that nobody has signed, without a signature", waits=True
    ),
    "untrusted": FindingKind("A key domain does not lead back to a trusted custodian"),
}
"""Every code of a finding, with its kind."""
