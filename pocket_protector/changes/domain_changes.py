"""Changes of domains, their owners and their keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from pocket_protector.changes.secret_changes import rename_hint
from pocket_protector.changes.signing import check_authority, require_signing, sign_contents, sign_domain, sign_grant
from pocket_protector.crypto.identity import Identity, SigningIdentity
from pocket_protector.document import domain as domains
from pocket_protector.document.audit_log import section
from pocket_protector.document.document import Document, without
from pocket_protector.document.names import parse_domain_name, parse_secret_name
from pocket_protector.document.policy import Policy
from pocket_protector.document.times import format_time, later_time
from pocket_protector.errors import AccessError, NameFormatError, PolicyError, PPKeyError, StoreError, command
from pocket_protector.trust.authority import owners_of, reviewed_names


def add_domain(
    document: Document,
    name: str,
    owner: str,
    now: datetime,
    identity: Identity | None = None,
    policy: Policy | None = None,
) -> Document:
    """Add a new, empty domain, signed if `identity` is given and can sign.

    `identity` is the owner's. Raises StoreError if the domain exists, PPKeyError if the custodian does not, and
    AccessError for a policy that nobody can sign.
    """
    custodian = document.changeable().custodian(owner)
    if name in document.domains:
        raise StoreError(f"key domain {name!r} already exists")
    domain = domains.create(parse_domain_name(name), owner, custodian.public_key, format_time(now))
    if policy is not None and identity is None:
        raise AccessError(f"a policy of {name!r} takes the credentials of {owner!r}: it is signed")
    if policy is not None and identity is not None:
        require_signing(identity)
    if isinstance(identity, SigningIdentity):
        domain = sign_domain(document, domain, policy or Policy(), identity, format_time(now))
        domain = sign_contents(document, domain, (), identity)
    changed = document.with_domain(domain)
    return changed.log_entry(section("domain", name), now, f"created domain {name} with owner {owner}")


def rm_domain(document: Document, name: str, now: datetime) -> Document:
    """Remove a domain with its secrets; raises PPKeyError if it does not exist."""
    document.changeable().domain(name)
    changed = replace(document, domains=without(document.domains, name))
    return changed.log_entry(section("domain", name), now, f"deleted domain {name}")


def add_owner(document: Document, name: str, owner: str, identity: Identity, now: datetime) -> Document:
    """Wrap the domain's key for one more custodian, or again for one who has it.

    `identity` is an owner's. Raises AccessError if the domain is signed and that owner does not count.
    """
    domain = document.changeable().domain(name)
    custodian = document.custodian(owner)
    private = domains.open_key(domain, identity)
    standing = owners_of(document, domain)
    check_authority(domain, standing, identity)
    where = section("owner", name, owner)
    # A grant that is given again after its removal must be a new statement, so its time is later than all earlier ones.
    before = domain.owners[owner].granted if owner in domain.owners else ""
    granted = later_time(format_time(now), max(before, document.log.last_time(where)))
    grant = domains.wrap_for(name, domain.key, private, owner, custodian.public_key, granted)
    grant = sign_grant(document, domain, owner, grant, identity)
    changed = document.with_domain(replace(domain, owners={**domain.owners, owner: grant}))
    lost = {*standing.counting, owner} - set(owners_of(changed, changed.domain(name)).counting)
    if domain.epoch is not None and lost:
        raise StoreError(
            f"{identity.name!r} cannot give {owner!r} access again: {', '.join(sorted(lost))} would no longer count as"
            " owners, because nobody but them would vouch for them",
            hint=f"another owner gives it; or new keys for all: {command('rotate-domain-keys', name)}",
        )
    text = f"{granted} -- {identity.name} added owner {owner} to {name}"
    return replace(changed, log=changed.log.append(where, text))


def migrate_owner(
    document: Document, owner: str, identity: Identity, names: Iterable[str] | None, now: datetime
) -> Document:
    """Add `owner` to the named domains, or to all that `identity` owns. Raises StoreError if it owns none."""
    chosen = sorted(document.owned_by(identity.name) if names is None else names)
    if not chosen and names is None:
        raise StoreError(f"{identity.name!r} does not own any domains")
    for name in chosen:
        document = add_owner(document, name, owner, identity, now)
    return document


def rm_owner(document: Document, name: str, owner: str, now: datetime) -> Document:
    """Remove the grant, and leave the key as it is: the former owner still knows it.

    Raises StoreError for the last owner, and AccessError for an owner who counts in a signed domain, because only a
    rotation ends an owner's access there (docs/format.md, section 12.4, step 12).
    """
    domain = check_removable(document, name, owner)
    if leaves_by_rotation(document, domain, owner):
        raise AccessError(
            f"{name!r} is signed, and {owner!r} leaves it only by a rotation of its key, which takes an owner's"
            " credentials",
            hint=f"another owner runs: {command('rm-owner', name, owner)}",
        )
    changed = document.with_domain(replace(domain, owners=without(domain.owners, owner)))
    return changed.log_entry(section("owner", name, owner), now, f"removed owner {owner} from {name}")


def leaves_by_rotation(document: Document, domain: domains.Domain, owner: str) -> bool:
    """Return whether the owner counts in a signed domain, and so cannot be removed under the present key."""
    return domain.epoch is not None and owners_of(document, domain).counts(owner)


def rm_owner_and_rotate(document: Document, name: str, owner: str, identity: Identity, now: datetime) -> Document:
    """Remove an owner as `rm_owner` does, and make a new key for the remaining owners.

    `identity` belongs to a remaining owner. Raises StoreError otherwise, because the maker of the new key knows it.
    """
    if identity.name == owner:
        raise StoreError(
            f"{owner!r} cannot rotate the key of {name!r} and leave: whoever makes a key knows it",
            hint=f"another owner runs: {command('rm-owner', name, owner)}",
        )
    staying = without(check_removable(document, name, owner).owners, owner)
    changed = rotate_for(document, name, identity, staying, True, now)
    return changed.log_entry(section("owner", name, owner), now, f"removed owner {owner} from {name}")


def check_removable(document: Document, name: str, owner: str) -> domains.Domain:
    """Return the domain if the owner can be removed from it.

    Raises PPKeyError if the custodian is not its owner, StoreError for its last owner, and PolicyError if fewer owners
    would remain than its policy demands.
    """
    domain = document.changeable().domain(name)
    if owner not in domain.owners:
        raise PPKeyError(f"owner of {name!r}", owner, domain.owners)
    counting = owners_of(document, domain).counting
    staying = [other for other in counting if other != owner]
    if len(domain.owners) == 1 or (counting and not staying):
        raise last_owner_error(owner, [name])
    least = domain.policy.min_owners
    if least is not None and owner in counting and len(staying) < least:
        raise PolicyError(
            f"the policy of {name!r} demands {least} owners, and it has {len(counting)}",
            hint=f"add another owner first: {command('add-owner', name)} NAME",
        )
    return domain


def last_owner_error(owner: str, names: list[str]) -> StoreError:
    """Return the error for the removal of the last owner of these domains."""
    return StoreError(
        f"{owner!r} is the last owner of {', '.join(names)}: the secrets there would be lost",
        hint=f"add another owner first ({command('add-owner', names[0])} NAME),"
        f" or remove the domain ({command('rm-domain', names[0])})",
    )


def rotate(document: Document, name: str, identity: Identity, history: bool, now: datetime) -> Document:
    """Give the domain a new key for its present owners, and re-seal every value. `identity` is an owner's."""
    return rotate_for(document, name, identity, document.domain(name).owners, history, now)


def rotate_for(
    document: Document, name: str, identity: Identity, owners: Iterable[str], history: bool, now: datetime
) -> Document:
    """Rotate as `rotate` does, for the remaining ones of the present owners; in a signed domain, for those who count.

    An identity that can sign makes an epoch, and signs the grants, and the values with an earlier signature by an owner
    who counts.
    """
    domain = document.changeable().domain(name)
    _check_names(domain)
    private = domains.open_key(domain, identity)
    standing = owners_of(document, domain)
    check_authority(domain, standing, identity)
    staying = [owner for owner in owners if domain.epoch is None or standing.counts(owner)]
    owner_keys = {owner: _owner_key(document, name, owner) for owner in staying}
    rotated = domains.rotate(domain, private, owner_keys, history)
    if isinstance(identity, SigningIdentity):
        rotated = sign_domain(document, rotated, domain.policy, identity, format_time(now), [domain])
        rotated = sign_contents(document, rotated, reviewed_names(document, domain, standing), identity)
    changed = document.with_domain(rotated)
    return changed.log_entry(section("domain", name), now, f"{identity.name} rotated the key of domain {name}")


def set_policy(document: Document, name: str, policy: Policy, identity: Identity, now: datetime) -> Document:
    """Make an epoch with the same key and this policy; an unsigned domain becomes a signed one.

    Raises StoreError if the policy is the present one, or demands more owners than there are, and AccessError if the
    identity does not count as an owner.
    """
    domain = document.changeable().domain(name)
    domain.check_owner(identity.name)
    if not domain.bound:
        raise StoreError(
            f"{name!r} has a key that Pocket Protector made, which no statement can be about",
            hint=command("rotate-domain-keys", name),
        )
    if policy == domain.policy:
        raise StoreError(f"this is the policy of {name!r} already")
    standing = owners_of(document, domain)
    signer = require_signing(identity)
    check_authority(domain, standing, identity)
    if policy.min_owners is not None and len(standing.counting) < policy.min_owners:
        raise StoreError(
            f"{name!r} has {len(standing.counting)} owners who count, and the policy would demand {policy.min_owners}",
            hint=f"add owners first: {command('add-owner', name)} NAME",
        )
    signed = sign_domain(document, domain, policy, signer, format_time(now), [domain])
    if domain.epoch is None:
        signed = _first_signed(document, signed, reviewed_names(document, domain, standing), signer)
    changed = document.with_domain(signed)
    demands = ", ".join(f"{key} {text}" for key, text in policy.items().items()) or "nothing"
    text = f"{identity.name} set the policy of domain {name}: {demands}"
    return changed.log_entry(section("domain", name), now, text)


def _first_signed(
    document: Document, domain: domains.Domain, reviewed: Iterable[str], identity: Identity
) -> domains.Domain:
    """Wrap every grant anew and sign it, because nobody should sign a grant that may not open."""
    private = domains.open_key(domain, identity)
    owners = {
        owner: domains.wrap_for(
            domain.name, domain.key, private, owner, _owner_key(document, domain.name, owner), grant.granted
        )
        for owner, grant in domain.owners.items()
    }
    return sign_contents(document, replace(domain, owners=owners), reviewed, identity)


def _owner_key(document: Document, domain: str, owner: str) -> bytes:
    custodian = document.custodians.get(owner)
    if custodian is None:
        raise StoreError(
            f"{owner!r} is listed as an owner of {domain!r}, but is not a key custodian",
            hint=command("rm-owner", domain, owner, "--no-rotate"),
        )
    return custodian.public_key


def _check_names(domain: domains.Domain) -> None:
    """Check the names, because a rotated domain has format 1, which allows fewer names than Pocket Protector did."""
    try:
        parse_domain_name(domain.name)
    except NameFormatError as error:
        error.hint = "make a domain with another name (pprotect add-domain), and set its secrets there"
        raise
    for name in domain.secrets:
        try:
            parse_secret_name(name)
        except NameFormatError as error:
            error.hint = rename_hint(domain.name, name)
            raise
