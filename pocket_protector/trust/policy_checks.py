"""Check the demands of a domain's policy against the domain as it is now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from pocket_protector.document.domain import Domain
from pocket_protector.document.policy import MAX_AGE, MIN_OWNERS, PRODUCTION, REQUIRE_SIGNED
from pocket_protector.document.times import format_time
from pocket_protector.errors import command
from pocket_protector.trust.findings import Finding, Severity
from pocket_protector.trust.judge.state import DomainAuthority

_MOST_NAMES = 10
_CLOCKS_DIFFER = timedelta(days=1)


def judge_policy(
    domain: Domain, standing: DomainAuthority, now: datetime, *, require_signed: bool = False
) -> list[Finding]:
    """Return a violation for each unmet demand of the domain's policy at `now`.

    `require_signed` adds this demand to those of the policy.
    """
    found, policy, where = [], domain.policy, ("domain", domain.name)
    if (policy.require_signed or require_signed) and standing.unreviewed:
        text = f"values that no owner vouches for: {listed(standing.unreviewed)}"
        hint = f"an owner runs: {command('review', domain.name)}"
        found.append(Finding(Severity.VIOLATION, f"policy-{REQUIRE_SIGNED}", where, text, hint))
    if policy.max_age is not None:
        # The file does not give the age of the value behind a reference.
        values = [(name, secret.updated) for name, secret in domain.secrets.items() if isinstance(secret.value, bytes)]
        oldest, latest = format_time(now - timedelta(days=policy.max_age)), format_time(now + _CLOCKS_DIFFER)
        early = sorted(name for name, updated in values if updated > latest)
        if early:
            text = f"values whose time is yet to come, so that they would never be too old: {listed(early)}"
            hint = f"set each again: {command('update-secret', domain.name, early[0])}"
            found.append(Finding(Severity.VIOLATION, f"policy-{MAX_AGE}", where, text, hint))
        aged = sorted(name for name, updated in values if updated < oldest)
        if aged:
            text = f"values that are older than {policy.max_age} days: {listed(aged)}"
            hint = f"give each a new one: {command('update-secret', domain.name, aged[0])}"
            found.append(Finding(Severity.VIOLATION, f"policy-{MAX_AGE}", where, text, hint))
    owners = len(standing.owners.counting)
    if policy.min_owners is not None and owners < policy.min_owners:
        text = f"the policy demands {policy.min_owners} owners, and so many count: {owners}"
        hint = f"add an owner: {command('add-owner', domain.name)} NAME"
        found.append(Finding(Severity.VIOLATION, f"policy-{MIN_OWNERS}", where, text, hint))
    return found


def judge_production(domain: Domain, standing: DomainAuthority) -> list[Finding]:
    """Return a violation if no owner vouches for some references of a production domain: nobody resolves those."""
    if not domain.policy.production:
        return []
    unreviewed = unreviewed_references(domain, standing, domain.references())
    if not unreviewed:
        return []
    text = f"production resolves no reference that no owner vouches for: {listed(unreviewed)}"
    hint = f"an owner runs: {command('review', domain.name)}"
    return [Finding(Severity.VIOLATION, f"policy-{PRODUCTION}", ("domain", domain.name), text, hint)]


def unreviewed_references(domain: Domain, standing: DomainAuthority, names: Iterable[str]) -> list[str]:
    """Return the names of the references the domain's policy does not allow anybody to resolve, out of `names`."""
    demanded = domain.policy.production or domain.policy.require_signed
    return sorted(set(standing.unreviewed) & set(names)) if demanded else []


def listed(names: Iterable[str]) -> str:
    """Join a few of the names, and add the number of the others."""
    everything = list(names)
    more = len(everything) - _MOST_NAMES
    return ", ".join(everything[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
