"""Decide whether a reader may use a domain's values, and whether a writer may seal or wrap something for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from pocket_protector.document.document import Document
from pocket_protector.document.domain import Domain
from pocket_protector.errors import IntegrityError, PolicyError, command
from pocket_protector.trust.anchors import is_anchored
from pocket_protector.trust.findings import Finding, Severity
from pocket_protector.trust.judge.authorize import authorize
from pocket_protector.trust.judge.state import State, authority_of
from pocket_protector.trust.policy_checks import judge_policy, listed, unreviewed_references

Trust = Mapping[str, str] | State
"""The trust of a reader: custodians' names with their fingerprints, or a state from an earlier judgement."""

_NO_ANCHOR = "give --trust NAME=FINGERPRINT, or set PPROTECT_TRUST; or compare fingerprints and: pprotect trust accept"


def check_use(
    document: Document, name: str, now: datetime, *, require_signed: bool, trust: Trust | None, behind: bool = False
) -> None:
    """Raise PolicyError if the domain's policy, `require_signed` or `trust` refuses the use of its values.

    `require_signed` needs something to trust. The domain must lead back to `trust`. If `trust` is a state, the domain
    must not be older than the versions in its memory, unless `behind` is set.
    """
    domain = document.domain(name)
    if require_signed and trust is None:
        raise PolicyError(f"signed values of {name!r} are required, and nobody is trusted yet", hint=_NO_ANCHOR)
    if require_signed and domain.epoch is None:
        raise PolicyError(
            f"signed values of {name!r} are required, and nobody has signed its key",
            hint=f"an owner runs: {command('set-policy', name, '--require-signed')}",
        )
    found = [] if trust is None else _distrust(document, name, trust)
    found = [finding for finding in found if not (behind and finding.kind.is_older)]
    found += judge_policy(domain, authority_of(document, name), now, require_signed=require_signed)
    if found:
        raise PolicyError(f"{name!r} may not be used: {found[0].text}", hint=found[0].hint)


def check_anchored(document: Document, name: str, anchors: Mapping[str, str]) -> None:
    """Raise PolicyError unless the domain leads back to one of the anchors."""
    if not is_anchored(document, document.domain(name), anchors):
        raise PolicyError(
            f"{name!r} does not lead back to {' or '.join(sorted(anchors))}",
            hint="pprotect trust names who signed it last; after a rekey the fingerprint of before is the right one",
        )


def check_resolvable(
    document: Document,
    alone: Iterable[Finding],
    step: Iterable[Finding],
    name: str,
    names: Collection[str],
    behind: bool,
) -> None:
    """Refuse to resolve these references of the domain if an authorisation is missing.

    A fetch acts under the user's own name, so it takes more than reading. Raise PolicyError if the domain's policy
    demands an owner's vouching for a reference, and no owner vouches for it. Raise IntegrityError if somebody without
    the right changed one of the references or the domain, according to the findings of a `step` or of the file `alone`.
    Raise it for findings about an older version too, unless `behind` is set: an earlier policy demands less.
    """
    domain = document.domain(name)
    unreviewed = unreviewed_references(domain, authority_of(document, name), names)
    if unreviewed:
        raise PolicyError(
            f"the policy of {name!r} resolves no reference that no owner vouches for: {listed(unreviewed)}",
            hint=f"an owner runs: {command('review', name)}",
        )
    # The file alone shows whether a domain's statements hold, but not their maker.
    places = {("domain", name), *(("secret", name, secret) for secret in names)}
    wrong = [finding for finding in alone if finding.is_violation and finding.where in places]
    for finding in [*about(step, name, domain.owners), *wrong, *_rolled_back(domain, step)]:
        another = finding.where[0] == "secret" and finding.where not in places
        # An honest branch can show these too: a rotation of its own, and pointers replaced since.
        older = finding.kind.is_older or finding.kind.is_parallel or finding.kind.restores
        if another or (older and behind):
            continue
        hint = f"{finding.hint}; or --behind, if this branch is meant to be older" if older else finding.hint
        where = "/".join(finding.where)
        raise IntegrityError(f"no reference in {name!r} is resolved: {where}: {finding.text}", hint=hint)


def _rolled_back(domain: Domain, findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings about restored entries of a production domain, even if an owner vouched for them once."""
    return [f for f in findings if f.kind.restores and f.where[1] == domain.name and domain.policy.production]


def about(findings: Iterable[Finding], name: str, custodians: Collection[str]) -> list[Finding]:
    """Return the violations about the file, the domain and these custodians."""
    return [
        finding
        for finding in findings
        if finding.is_violation
        and (
            finding.where[0] == "file"
            or (finding.where[0] == "custodian" and finding.where[1] in custodians)
            or (finding.where[0] != "custodian" and finding.where[1] == name)
        )
    ]


def check_change(
    findings: Iterable[Finding],
    name: str,
    custodians: Collection[str],
    *,
    wraps: bool = True,
    behind: bool = False,
    removing: str | None = None,
) -> None:
    """Raise IntegrityError if a violation concerns the domain to change or one of the custodians.

    Also raise it if a finding waits for the user's decision, and concerns the domain's key, or a person the change
    `wraps` the key for. `behind` allows findings about an older version of the file. Findings about the owner in
    `removing` do not matter, since they go with the owner.
    """
    told = [*findings]
    for finding in [*about(told, name, custodians), *_waiting(told, name, custodians if wraps else None)]:
        # A value without a review does not keep anybody from sealing another.
        if finding.kind.allows_update or (behind and finding.kind.is_older):
            continue
        if removing is not None and finding.where in (("owner", name, removing), ("custodian", removing)):
            continue
        hint = finding.hint
        if finding.kind.is_older:
            hint = f"{finding.hint}; or --behind, if this branch is meant to be older"
        raise IntegrityError(f"nothing was written: {'/'.join(finding.where)}: {finding.text}", hint=hint)


def _waiting(findings: Iterable[Finding], name: str, custodians: Collection[str] | None) -> list[Finding]:
    """Return the waiting findings about the domain's key; with `custodians`, also those about them and the owners."""
    places = {("domain", name), *(("custodian", custodian) for custodian in custodians or ())}
    return [
        finding
        for finding in findings
        if finding.waits
        and (finding.where in places or (custodians is not None and finding.where[:2] == ("owner", name)))
    ]


def _distrust(document: Document, name: str, trust: Trust) -> list[Finding]:
    domain = document.domain(name)
    if isinstance(trust, State):
        found, _ = authorize(trust, document)
        known = trust.knows_domain(name)
    else:
        found, _ = authorize(None, document)
        known = is_anchored(document, domain, trust)
    if not known:
        text = "its key and owners do not lead back to a trusted custodian"
        found.insert(0, Finding(Severity.VIOLATION, "untrusted", ("domain", name), text, _NO_ANCHOR))
    return about(found, name, domain.owners)
