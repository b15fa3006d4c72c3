"""Changes of domains, of who owns them, and of their keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from pocket_protector.crypto.identity import Identity
from pocket_protector.errors import NameFormatError, PPKeyError, StoreError, command
from pocket_protector.model import domain as domains
from pocket_protector.model.audit import section
from pocket_protector.model.document import Document, without
from pocket_protector.model.names import parse_domain_name, parse_secret_name
from pocket_protector.model.secret_changes import rename_hint
from pocket_protector.model.times import format_time


def add_domain(document: Document, name: str, owner: str, now: datetime) -> Document:
    """A new, empty domain. StoreError if it exists, PPKeyError if the custodian does not."""
    custodian = document.changeable().custodian(owner)
    if name in document.domains:
        raise StoreError(f"key domain {name!r} already exists")
    domain = domains.create(parse_domain_name(name), owner, custodian.public_key, format_time(now))
    changed = document.with_domain(domain)
    return changed.log_entry(section("domain", name), now, f"created domain {name} with owner {owner}")


def rm_domain(document: Document, name: str, now: datetime) -> Document:
    document.changeable().domain(name)
    changed = replace(document, domains=without(document.domains, name))
    return changed.log_entry(section("domain", name), now, f"deleted domain {name}")


def add_owner(document: Document, name: str, owner: str, identity: Identity, now: datetime) -> Document:
    """Wrap the domain's key for one more custodian, or again for one who has it. `identity` is an owner's."""
    domain = document.changeable().domain(name)
    custodian = document.custodian(owner)
    private = domains.open_key(domain, identity)
    grant = domains.wrap_for(name, domain.key, private, owner, custodian.public_key, format_time(now))
    changed = document.with_domain(replace(domain, owners={**domain.owners, owner: grant}))
    return changed.log_entry(section("owner", name, owner), now, f"{identity.name} added owner {owner} to {name}")


def migrate_owner(
    document: Document, owner: str, identity: Identity, names: Iterable[str] | None, now: datetime
) -> Document:
    """Add `owner` to the named domains, or to all that `identity` owns. StoreError if it owns none."""
    chosen = sorted(document.owned_by(identity.name) if names is None else names)
    if not chosen and names is None:
        raise StoreError(f"{identity.name!r} does not own any domains")
    for name in chosen:
        document = add_owner(document, name, owner, identity, now)
    return document


def rm_owner(document: Document, name: str, owner: str, now: datetime) -> Document:
    """Take the grant out. The former owner still knows the key: only rotation ends their access."""
    domain = document.changeable().domain(name)
    if owner not in domain.owners:
        raise PPKeyError(f"owner of {name!r}", owner, domain.owners)
    if len(domain.owners) == 1:
        raise last_owner_error(owner, [name])
    changed = document.with_domain(replace(domain, owners=without(domain.owners, owner)))
    return changed.log_entry(section("owner", name, owner), now, f"removed owner {owner} from {name}")


def rm_owner_and_rotate(document: Document, name: str, owner: str, identity: Identity, now: datetime) -> Document:
    """As `rm_owner`, and a new key for those who stay. `identity` is an owner's, the leaving one's included."""
    staying = rm_owner(document, name, owner, now).domain(name).owners
    changed = rotate_for(document, name, identity, staying, True, now)
    return changed.log_entry(section("owner", name, owner), now, f"removed owner {owner} from {name}")


def last_owner_error(owner: str, names: list[str]) -> StoreError:
    return StoreError(
        f"{owner!r} is the last owner of {', '.join(names)}: the secrets there would be lost",
        hint=f"add another owner first ({command('add-owner', names[0])} NAME),"
        f" or remove the domain ({command('rm-domain', names[0])})",
    )


def rotate(document: Document, name: str, identity: Identity, history: bool, now: datetime) -> Document:
    """A new domain key for the present owners, and every value re-sealed to it. `identity` is an owner's."""
    return rotate_for(document, name, identity, document.domain(name).owners, history, now)


def rotate_for(
    document: Document, name: str, identity: Identity, owners: Iterable[str], history: bool, now: datetime
) -> Document:
    """As `rotate`, for those of the present owners who stay."""
    domain = document.changeable().domain(name)
    _check_names(domain)
    private = domains.open_key(domain, identity)
    owner_keys = {owner: _owner_key(document, name, owner) for owner in owners}
    changed = document.with_domain(domains.rotate(domain, private, owner_keys, history))
    return changed.log_entry(section("domain", name), now, f"{identity.name} rotated the key of domain {name}")


def _owner_key(document: Document, domain: str, owner: str) -> bytes:
    custodian = document.custodians.get(owner)
    if custodian is None:
        raise StoreError(
            f"{owner!r} is listed as an owner of {domain!r}, but is no key custodian",
            hint=command("rm-owner", domain, owner, "--no-rotate"),
        )
    return custodian.public_key


def _check_names(domain: domains.Domain) -> None:
    """Rotation makes a domain format 1's, whose names are narrower than Pocket Protector's were."""
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
