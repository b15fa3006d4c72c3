"""Three-way merge of documents, object by object (docs/format.md, section 10). This needs no key.

The objects are the file itself, each custodian, each domain's key, each grant, each secret, and each list of the audit
log. A change on one side only is taken. The same change on both sides makes no conflict.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

from pocket_protector.crypto.keys import key_id
from pocket_protector.document.audit_log import LEGACY, AuditLog, section
from pocket_protector.document.document import Document
from pocket_protector.document.domain import Domain, Grant, Secret
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.document.times import TIME_LENGTH
from pocket_protector.errors import MergeConflictError

T = TypeVar("T")


@dataclass(frozen=True)
class _Sides:
    """The three documents, and the conflicts found so far."""

    base: Document
    ours: Document
    theirs: Document
    conflicts: list[str] = field(default_factory=list)

    def pick(self, where: str, base: T, ours: T, theirs: T) -> T:
        if theirs in (ours, base):
            return ours
        if ours != base:
            self.conflicts.append(where)
        return theirs


def merge(base: Document, ours: Document, theirs: Document) -> Document:
    """Return `theirs` with the changes from `base` to `ours`.

    Raises MergeConflictError, which names the objects that both changed.
    """
    if ours in (theirs, base):
        return theirs
    if (ours.format, ours.file_id) != (theirs.format, theirs.file_id) and theirs != base:
        # One side was upgraded, and the entries of the other have no times; or the two are different files.
        raise MergeConflictError(["file"])
    sides = _Sides(base, ours, theirs)
    head = sides.pick("file", *((side.format, side.file_id) for side in (base, ours, theirs)))
    custodians = {}
    for name in _names(side.custodians for side in (base, ours, theirs)):
        picked = sides.pick(section("custodian", name), *(side.custodians.get(name) for side in (base, ours, theirs)))
        if picked is not None:
            custodians[name] = picked
    merged = Document(*head, custodians=custodians, log=_join_logs(base.log, ours.log, theirs.log))
    for name in _names(side.domains for side in (base, ours, theirs)):
        domain = _merge_domain(sides, merged, name)
        if domain is not None:
            merged = merged.with_domain(domain)
    if sides.conflicts:
        raise MergeConflictError(sorted(set(sides.conflicts)))
    return merged


def _merge_domain(sides: _Sides, merged: Document, name: str) -> Domain | None:
    base, ours, theirs = (side.domains.get(name) for side in (sides.base, sides.ours, sides.theirs))
    where = section("domain", name)
    if ours is None or theirs is None or base is None:
        # One side made or removed the domain, so the other may not have changed anything inside it.
        domain = sides.pick(where, base, ours, theirs)
        if domain is not None:
            _check_fit(sides, merged, name, _Parts(domain.key, domain.owners, domain.secrets, domain.retired))
        return domain
    key, retired, epoch, past = sides.pick(where, *((d.key, d.retired, d.epoch, d.past) for d in (base, ours, theirs)))
    owners = _merge_owners(sides, base, ours, theirs)
    secrets = _merge_secrets(sides, base, ours, theirs)
    if not owners:
        # Each side removed an owner, and none is left.
        sides.conflicts.append(where)
    _check_fit(sides, merged, name, _Parts(key, owners, secrets, retired))
    return None if sides.conflicts else Domain(name, key, owners, secrets, retired, epoch, past)


class _Parts(NamedTuple):
    """The parts of a merged domain that have to fit each other."""

    key: bytes
    owners: Mapping[str, Grant]
    secrets: Mapping[str, Secret]
    retired: Mapping[bytes, bytes]


def _check_fit(sides: _Sides, merged: Document, name: str, parts: _Parts) -> None:
    """Note a conflict for each part that only one side changed and the other side's change makes useless."""
    if section("domain", name) in sides.conflicts:
        return
    for owner, grant in parts.owners.items():
        settled = section("custodian", owner) not in sides.conflicts
        if settled and not _grant_fits(sides, merged, parts.key, name, owner, grant):
            sides.conflicts.append(section("owner", name, owner))
    base = sides.base.domains.get(name)
    if base is None or (base.key, base.retired) != (parts.key, parts.retired):
        for entry, secret in parts.secrets.items():
            if not _opens(secret, parts.key, parts.retired):
                sides.conflicts.append(section("secret", name, entry))


def _merge_owners(sides: _Sides, base: Domain, ours: Domain, theirs: Domain) -> dict[str, Grant]:
    owners: dict[str, Grant] = {}
    for name in _names((base.owners, ours.owners, theirs.owners)):
        where = section("owner", base.name, name)
        grant = sides.pick(where, *(d.owners.get(name) for d in (base, ours, theirs)))
        if grant is not None:
            owners[name] = grant
    return owners


def _merge_secrets(sides: _Sides, base: Domain, ours: Domain, theirs: Domain) -> dict[str, Secret]:
    rotated = (ours.key != base.key, theirs.key != base.key)
    secrets: dict[str, Secret] = {}
    for name in _names((base.secrets, ours.secrets, theirs.secrets)):
        where = section("secret", base.name, name)
        secret = _pick_secret(sides, where, rotated, *(d.secrets.get(name) for d in (base, ours, theirs)))
        if secret is not None:
            secrets[name] = secret
    return secrets


def _pick_secret(
    sides: _Sides,
    where: str,
    rotated: tuple[bool, bool],
    base: Secret | None,
    ours: Secret | None,
    theirs: Secret | None,
) -> Secret | None:
    """Pick a secret as `pick` does, with two exceptions.

    A review changes only the signature, and yields to any other change of the value. A rotation re-seals the value and
    leaves its time, and yields to an update. A raised sensitivity survives in both cases.
    """
    if base is not None and ours is not None and theirs is not None and base not in (ours, theirs):
        unchanged = base.version, base.updated
        if (ours.version, ours.updated) == unchanged != (theirs.version, theirs.updated):
            return _raised(sides, where, theirs, ours.sensitivity)
        if (theirs.version, theirs.updated) == unchanged != (ours.version, ours.updated):
            return _raised(sides, where, ours, theirs.sensitivity)
        if rotated[0] and ours.updated == base.updated != theirs.updated:
            return _raised(sides, where, theirs, ours.sensitivity)
        if rotated[1] and theirs.updated == base.updated != ours.updated:
            return _raised(sides, where, ours, theirs.sensitivity)
    return sides.pick(where, base, ours, theirs)


def _raised(sides: _Sides, where: str, secret: Secret, sensitivity: Sensitivity) -> Secret:
    """Return the entry with this sensitivity if it is higher; note a conflict if the entry is signed with its own."""
    if sensitivity <= secret.sensitivity:
        return secret
    if secret.signed is not None:
        sides.conflicts.append(where)
    return replace(secret, sensitivity=sensitivity)


def _grant_fits(sides: _Sides, merged: Document, key: bytes, domain: str, owner: str, grant: Grant) -> bool:
    """Return whether a side with this grant made it for the keys of the merged document."""
    custodian = merged.custodians.get(owner)
    for side in (sides.ours, sides.theirs):
        side_domain, side_custodian = side.domains.get(domain), side.custodians.get(owner)
        if side_domain is not None and side_domain.owners.get(owner) == grant and side_domain.key == key:
            if custodian is None or side_custodian is None:
                if custodian is side_custodian:
                    return True
            elif custodian.public_key == side_custodian.public_key:
                return True
    return False


def _opens(secret: Secret, key: bytes, retired: Mapping[bytes, bytes]) -> bool:
    """Return whether the value is sealed to the merged domain's key or a retired one; True for a reference."""
    if not secret.bound:
        return not key[0]
    return secret.sealed_for in (None, key_id(key[1:])) or secret.sealed_for in retired


def _join_logs(base: AuditLog, ours: AuditLog, theirs: AuditLog) -> AuditLog:
    joined = {}
    for where in _names((base.lists, ours.lists, theirs.lists)):
        entries = _join_entries(where, *(log.lists.get(where, ()) for log in (base, ours, theirs)))
        if entries:
            joined[where] = entries
    return AuditLog(joined)


def _join_entries(where: str, base: tuple[str, ...], ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    """Return the entries of `theirs` without the ones that `ours` truncated, and with the ones that `ours` added, by
    time.

    An addition on both sides counts once.
    """
    truncated = Counter(base) - Counter(ours)
    added = Counter(ours) - Counter(base) - (Counter(theirs) - Counter(base))
    kept = []
    for entry in theirs:
        if truncated[entry] > 0:
            truncated[entry] -= 1
        else:
            kept.append(entry)
    new = [entry for entry in ours if added[entry] > 0 and not added.subtract([entry])]
    if where == LEGACY:
        return (*kept, *new)
    return tuple(heapq.merge(kept, new, key=lambda entry: entry[:TIME_LENGTH]))


def _names(mappings: Iterable[Mapping[str, object]]) -> list[str]:
    return sorted({name for mapping in mappings for name in mapping})
