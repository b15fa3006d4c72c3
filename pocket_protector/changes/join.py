"""Join two branches that each rotated a domain's key, or changed its policy (docs/format.md, section 10).

This takes an owner's identity, because every value is sealed to a new key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from pocket_protector.changes.merge import merge
from pocket_protector.changes.signing import check_authority, require_signing, sign_contents, sign_domain
from pocket_protector.crypto.identity import Identity, SigningIdentity
from pocket_protector.crypto.keys import PrivateKey
from pocket_protector.document.audit_log import section
from pocket_protector.document.document import Document, without
from pocket_protector.document.domain import Domain, Secret, open_contents, open_key, open_retired, under_new_key
from pocket_protector.document.policy import Policy
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.document.times import format_time
from pocket_protector.errors import MergeConflictError, StoreError
from pocket_protector.trust.authority import Owners, owners_of, reviewed_names


@dataclass(frozen=True)
class _Side:
    """The domain as one branch has it, opened."""

    domain: Domain
    private: PrivateKey
    owners: Owners
    reviewed: frozenset[str]

    @classmethod
    def open(cls, document: Document, name: str, identity: Identity) -> _Side:
        domain = document.domain(name)
        private = open_key(domain, identity)
        owners = owners_of(document, domain)
        check_authority(domain, owners, identity)
        return cls(domain, private, owners, frozenset(reviewed_names(document, domain, owners)))

    def counts(self, owner: str) -> bool:
        return owner in self.domain.owners and (self.domain.epoch is None or self.owners.counts(owner))


def joinable(base: Document, ours: Document, theirs: Document) -> list[str]:
    """Return the domains whose key or policy both sides changed in different ways."""
    return [
        name
        for name, domain in sorted(base.domains.items())
        if name in ours.domains
        and name in theirs.domains
        and len({_head(side.domains[name]) for side in (ours, theirs)} | {_head(domain)}) == 3
    ]


def join(base: Document, ours: Document, theirs: Document, identity: Identity, now: datetime) -> Document:
    """Merge as `merge` does, and join each domain with a rotation on both sides.

    Such a domain gets a new key, an epoch after both, the owners that neither side removed, and the values of both
    sides. Raises AccessError if the identity cannot sign or does not count as an owner on both sides,
    MergeConflictError if both sides changed the same objects besides, and StoreError if there is no such domain.
    """
    names = joinable(base, ours.changeable(), theirs)
    if not names:
        raise StoreError("no key domain was rotated on both sides", hint="pprotect resolve")
    rest = merge(*(_less(side, names) for side in (base, ours, theirs)))
    for name in names:
        signer = require_signing(identity)
        one, other = _Side.open(ours, name, signer), _Side.open(theirs, name, signer)
        rest = rest.with_domain(_join_domain(base.domain(name), one, other, rest, signer, now))
        text = f"{identity.name} joined two rotations of domain {name}"
        rest = rest.log_entry(section("domain", name), now, text)
    return rest


def _join_domain(
    base: Domain, one: _Side, other: _Side, rest: Document, identity: SigningIdentity, now: datetime
) -> Domain:
    contents, reviewed = _contents(base, one, other)
    owners = {
        owner: (rest.custodians[owner].public_key, _granted(owner, one, other))
        for owner in _owners(base, one, other)
        if owner in rest.custodians
    }
    earlier = {key.public: key for side in (one, other) for key in _keys(side)}
    joined = under_new_key(base.name, contents, owners, earlier.values())
    policy = _policy(base.policy, one.domain.policy, other.domain.policy)
    signed = sign_domain(rest, joined, policy, identity, format_time(now), [one.domain, other.domain])
    return sign_contents(rest, signed, reviewed, identity)


_Contents = dict[str, tuple[bytes | Reference, Secret]]


def _contents(base: Domain, one: _Side, other: _Side) -> tuple[_Contents, set[str]]:
    """Return each entry, opened, from the side that changed it; and the names of the entries that an owner had
    reviewed.
    """
    opened = {id(side): open_contents(side.domain, side.private) for side in (one, other)}
    contents, reviewed, conflicts = {}, set(), []
    for name in sorted(one.domain.secrets.keys() | other.domain.secrets.keys()):
        side = one
        if not _changed(base, one.domain, name):
            side = other
        elif _changed(base, other.domain, name) and _held(opened[id(one)], name) != _held(opened[id(other)], name):
            conflicts.append(section("secret", base.name, name))
        if name in side.domain.secrets:
            contents[name] = opened[id(side)][name]
            reviewed |= {name} & side.reviewed
    if conflicts:
        raise MergeConflictError(conflicts)
    return contents, reviewed


def _held(contents: _Contents, name: str) -> tuple[bytes | Reference, Sensitivity] | None:
    """Return the entry's value or reference with its sensitivity; None if there is no such entry."""
    if name not in contents:
        return None
    held, secret = contents[name]
    return held, secret.sensitivity


def _changed(base: Domain, side: Domain, name: str) -> bool:
    """Return whether the side changed the entry, and did not only seal it to a new key."""
    before, now = base.secrets.get(name), side.secrets.get(name)
    return _content(before, base) != _content(now, side) and (
        before is None
        or now is None
        or (before.updated, before.sensitivity) != (now.updated, now.sensitivity)
        or base.key == side.key
    )


def _content(secret: Secret | None, domain: Domain) -> tuple[bytes, Sensitivity, bytes] | None:
    return None if secret is None else (secret.version, secret.sensitivity, domain.key)


def _owners(base: Domain, one: _Side, other: _Side) -> list[str]:
    """Return the owners that neither side removed, and the owners added on one side."""
    everybody = one.domain.owners.keys() | other.domain.owners.keys()
    return sorted(
        owner
        for owner in everybody
        if (one.counts(owner) or other.counts(owner))
        and (owner not in base.owners or (owner in one.domain.owners and owner in other.domain.owners))
    )


def _granted(owner: str, *sides: _Side) -> str:
    return max(side.domain.owners[owner].granted for side in sides if owner in side.domain.owners)


def _keys(side: _Side) -> Iterable[PrivateKey]:
    return [*open_retired(side.domain, side.private).values(), side.private]


def _policy(base: Policy, ours: Policy, theirs: Policy) -> Policy:
    if ours == base:
        return theirs
    return ours if theirs == base else ours.stricter(theirs)


def _head(domain: Domain) -> tuple[object, ...]:
    return domain.key, domain.epoch


def _less(document: Document, names: Iterable[str]) -> Document:
    for name in names:
        document = replace(document, domains=without(document.domains, name))
    return document
