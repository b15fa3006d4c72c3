"""Signing a domain's objects, as a part of the changes that make them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pocket_protector.crypto.identity import Identity
from pocket_protector.errors import AccessError, command
from pocket_protector.model.custodian import Change, Custodian, key_chain
from pocket_protector.model.document import Document
from pocket_protector.model.domain import Domain, Grant, Secret
from pocket_protector.model.epoch import PastEpoch, PastGrant, make_epoch
from pocket_protector.model.policy import Policy
from pocket_protector.model.standing import Owners, ancestors, named_keys, owners_of
from pocket_protector.model.statements import ENTRY, GRANT, Keys, entry_fields, grant_fields, sign


def sign_secret(document: Document, domain: Domain, name: str, secret: Secret, identity: Identity) -> Secret:
    """The secret with the identity's signature of exactly it; without one, for an identity that cannot sign."""
    if identity.signing is None:
        return replace(secret, signed=None)
    fields = entry_fields(document.file_id, domain.name, domain.public_key, name, secret.value, secret.updated)
    return replace(secret, signed=sign(identity, ENTRY, fields))


def sign_grant(document: Document, domain: Domain, owner: str, grant: Grant, identity: Identity) -> Grant:
    """The owner's grant with the identity's signature; without one, for an identity that cannot sign."""
    if identity.signing is None:
        return replace(grant, signed=None)
    keys = document.custodian(owner).keys
    fields = grant_fields(document.file_id, domain.name, domain.public_key, owner, keys, grant.granted)
    return replace(grant, signed=sign(identity, GRANT, fields))


def sign_domain(
    document: Document, domain: Domain, policy: Policy, identity: Identity, now: str, follows: Iterable[Domain] = ()
) -> Domain:
    """The domain with an epoch of the identity's making for its key and `policy`, which follows the epochs of
    `follows`. The grants are not looked at."""
    assert identity.signing is not None
    past: dict[bytes, PastEpoch] = {}
    numbers: dict[bytes, int] = {}
    for before in follows:
        for identifier, kept in ancestors(document, before):
            known = past.get(identifier)
            past[identifier] = replace(kept, grants={**known.grants, **kept.grants}) if known else kept
        if before.epoch is not None:
            identifier = before.epoch.hash(document.file_id, before.name, before.public_key)
            past[identifier] = PastEpoch(before.public_key, before.epoch, vouching(document, before, identity.name))
            numbers[identifier] = before.epoch.number
    epoch = make_epoch(identity, document.file_id, domain.name, domain.public_key, numbers, policy, now)
    return replace(domain, epoch=epoch, past=past)


def sign_contents(document: Document, domain: Domain, reviewed: Iterable[str], identity: Identity) -> Domain:
    """The domain with every grant signed by the identity, and those values whose names are in `reviewed`."""
    chosen = set(reviewed)
    owners = {name: sign_grant(document, domain, name, grant, identity) for name, grant in domain.owners.items()}
    secrets = {
        name: sign_secret(document, domain, name, secret, identity) if name in chosen else secret
        for name, secret in domain.secrets.items()
    }
    return replace(domain, owners=owners, secrets=secrets)


def vouching(document: Document, domain: Domain, owner: str) -> Mapping[str, PastGrant]:
    """The grants that lead from the owner back to a maker of the domain's present key."""
    standing = owners_of(document, domain)
    grants: dict[str, PastGrant] = {}
    name: str | None = owner
    while name is not None and name not in grants and standing.counts(name):
        grant = domain.owners[name]
        assert grant.signed is not None
        grants[name] = _past_grant(document, domain, name, grant)
        made = grant.signed.by.verify_key in standing.makers.get(grant.signed.by.name, frozenset())
        name = None if made else grant.signed.by.name
    return grants


def check_authority(domain: Domain, owners: Owners, identity: Identity) -> None:
    """AccessError for one whose signature would be worth nothing in a domain that has an epoch."""
    if domain.epoch is None:
        return
    if identity.signing is None:
        raise AccessError(
            f"{domain.name!r} is signed, and the keys of {identity.name!r}, which Pocket Protector made, cannot sign",
            hint=command("rekey-custodian", identity.name),
        )
    if not owners.counts(identity.name) or identity.verify_key not in owners.keys[identity.name]:
        others = ", ".join(owners.counting) or "nobody"
        why = owners.status[identity.name].value if identity.name in owners.status else "there is no grant"
        raise AccessError(
            f"{identity.name!r} does not count as an owner of {domain.name!r}: {why} (owners who count: {others})",
            hint=f"one of them runs: {command('add-owner', domain.name, identity.name)}",
        )


def _past_grant(document: Document, domain: Domain, name: str, grant: Grant) -> PastGrant:
    custodian = document.custodian(name)
    assert grant.signed is not None
    named = named_keys(document, domain, name, grant, domain.public_key, key_chain(custodian, document.file_id))
    changes = custodian.changes if isinstance(custodian, Custodian) else ()
    return PastGrant(custodian.keys, _changes_since(changes, named), grant.granted, grant.signed)


def _changes_since(changes: tuple[Change, ...], named: Keys | None) -> tuple[Change, ...]:
    for at, change in enumerate(changes):
        if change.old == named:
            return changes[at:]
    return ()
