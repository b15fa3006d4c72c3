"""Sign the objects of a domain, as part of the changes that make them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pocket_protector.crypto.identity import Identity, SigningIdentity
from pocket_protector.document.custodian import Custodian, key_chain
from pocket_protector.document.document import Document
from pocket_protector.document.domain import Domain, Grant, Secret, SignedDomain, epoch_hash
from pocket_protector.document.epoch import MAX_PAST_EPOCHS, DomainKey, PastEpoch, PastGrant, make_epoch
from pocket_protector.document.policy import Policy
from pocket_protector.document.statements import ENTRY, GRANT, entry_fields, grant_fields, sign
from pocket_protector.errors import AccessError, StoreError, command
from pocket_protector.trust.authority import Owners, ancestors, makers_of_key, owners_of
from pocket_protector.trust.key_history import named_keys


def sign_secret(document: Document, domain: Domain, name: str, secret: Secret, identity: Identity) -> Secret:
    """Return the secret, signed by the identity, or without a signature if the identity cannot sign."""
    if not isinstance(identity, SigningIdentity):
        return replace(secret, signed=None)
    fields = entry_fields(document.file_id, domain.name, domain.public_key, name, secret.said())
    return replace(secret, signed=sign(identity, ENTRY, fields))


def sign_grant(document: Document, domain: Domain, owner: str, grant: Grant, identity: Identity) -> Grant:
    """Return the owner's grant, signed by the identity, or without a signature if the identity cannot sign."""
    if not isinstance(identity, SigningIdentity):
        return replace(grant, signed=None)
    keys = document.custodian(owner).keys
    fields = grant_fields(document.file_id, domain.name, domain.public_key, owner, keys, grant.granted)
    return replace(grant, signed=sign(identity, GRANT, fields))


def sign_domain(
    document: Document,
    domain: Domain,
    policy: Policy,
    identity: SigningIdentity,
    now: str,
    follows: Iterable[Domain] = (),
) -> Domain:
    """Return the domain with a new epoch, signed by the identity, for its key and `policy`.

    The epoch follows those of the domains in `follows`. The grants stay as they are. Raises StoreError if the domain
    would keep more earlier epochs than a file may.
    """
    past: dict[bytes, PastEpoch] = {}
    numbers: dict[bytes, int] = {}
    for before in follows:
        for identifier, kept in ancestors(document, before):
            known = past.get(identifier)
            past[identifier] = replace(kept, grants={**known.grants, **kept.grants}) if known else kept
        signed = before.as_signed()
        if signed is not None:
            identifier = epoch_hash(signed, document.file_id)
            past[identifier] = PastEpoch(signed.public_key, signed.epoch, vouching(document, signed, identity.name))
            numbers[identifier] = signed.epoch.number
    if len(past) > MAX_PAST_EPOCHS:
        raise StoreError(
            f"{domain.name!r} keeps {MAX_PAST_EPOCHS} earlier epochs, and no file keeps more",
            hint="make a domain with another name (pprotect add-domain), and set its secrets there",
        )
    epoch = make_epoch(identity, DomainKey(document.file_id, domain.name, domain.public_key), numbers, policy, now)
    return replace(domain, epoch=epoch, past=past)


def sign_contents(document: Document, domain: Domain, reviewed: Iterable[str], identity: Identity) -> Domain:
    """Return the domain with every grant, and the values named in `reviewed`, signed by the identity."""
    chosen = set(reviewed)
    owners = {name: sign_grant(document, domain, name, grant, identity) for name, grant in domain.owners.items()}
    secrets = {
        name: sign_secret(document, domain, name, secret, identity) if name in chosen else secret
        for name, secret in domain.secrets.items()
    }
    return replace(domain, owners=owners, secrets=secrets)


def vouching(document: Document, domain: SignedDomain, owner: str) -> Mapping[str, PastGrant]:
    """Return the grants in the chain from the owner to a maker of the domain's present key, including the maker's."""
    standing = owners_of(document, domain)
    grants: dict[str, PastGrant] = {}
    name = owner
    while name not in grants and standing.counts(name):
        grants[name] = past = _past_grant(document, domain, name)
        name = past.signed.by.name
    return grants


def require_signing(identity: Identity) -> SigningIdentity:
    """Return the identity as a signing identity; raises AccessError if Pocket Protector made its keys."""
    if not isinstance(identity, SigningIdentity):
        raise AccessError(
            f"the keys of {identity.name!r}, which Pocket Protector made, cannot sign",
            hint=command("rekey-custodian", identity.name),
        )
    return identity


def check_authority(domain: Domain, owners: Owners, identity: Identity) -> None:
    """Check that the identity's signature counts in the domain, if the domain has an epoch.

    Raises AccessError if it does not count.
    """
    if domain.epoch is None:
        return
    if not isinstance(identity, SigningIdentity):
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


def _past_grant(document: Document, domain: SignedDomain, name: str) -> PastGrant:
    """Return the owner's grant with the changes of keys since then, or since the owner made an epoch of this key."""
    grant, custodian = domain.owners[name], document.custodian(name)
    assert grant.signed is not None  # an owner counts in a signed domain by a signed grant only
    chain = key_chain(custodian, document.file_id)
    named = named_keys(document, domain, name, grant, domain.public_key, chain)
    makers = makers_of_key(dict(ancestors(document, domain)), domain.public_key, domain.epoch)
    of_maker = [maker.verify_key for maker in makers if maker.name == name]
    first = next(at for at, keys in enumerate(chain) if keys == named or keys.verify_key in of_maker)
    # One change leads from each pair of the chain to the next.
    later = len(chain) - 1 - first
    changes = custodian.changes[-later:] if isinstance(custodian, Custodian) and later else ()
    return PastGrant(custodian.keys, changes, grant.granted, grant.signed)
