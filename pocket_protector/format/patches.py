"""Turn changes of a `Document` into patches of trees, in the order of format 1 (docs/format.md, section 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pocket_protector.document import names
from pocket_protector.document.audit_log import LEGACY
from pocket_protector.document.custodian import AnyCustodian, KeyChange, LegacyCustodian
from pocket_protector.document.document import Document
from pocket_protector.document.domain import Domain, Grant, Secret
from pocket_protector.document.epoch import Epoch, PastGrant
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.document.statements import Signed
from pocket_protector.format import scalars
from pocket_protector.format.fields import EPOCH_KEYS, SECRET_PREFIX
from pocket_protector.format.trees import Tree

Patch = tuple[tuple[str, ...], Tree | None]
"""The keys of a place, from the top down, and its new tree; None removes the place."""

T = TypeVar("T")

_SECTIONS = {names.FILE_META: 0, names.CUSTODIANS: 2, names.AUDIT_LOG: 3}
# The order of fields inside an object. Fields that a rotation never changes come last.
_FIELDS = """
    format file-id public-key number previous policy made made-by verify-key encrypted-private-key changes sensitivity
    signed-by granted-by signature grants retired pwdkm value reference private-key wrapped-key updated granted owners
""".split()


def order(path: tuple[str, ...], key: str) -> tuple[int, str]:
    """Return the sort key of `key` among the children of the mapping at `path`.

    Sections and fields have the order of format 1, and names the order of their characters.
    """
    match path:
        case ():
            return _SECTIONS.get(key, 1), key
        case (names.AUDIT_LOG,):
            return int(key != LEGACY), key
        case (names.CUSTODIANS,) | (_, "meta", "owners" | "retired" | "policy") | (_, "meta", "retired", _, "grants"):
            return 0, key
        case (domain,) if domain not in _SECTIONS:
            return int(key != "meta"), key
    return _FIELDS.index(key) if key in _FIELDS else len(_FIELDS), key


def keys_of(where: tuple[str, ...]) -> tuple[str, ...]:
    """Return the keys of an object in the file, from the top down.

    `where` is its kind and names, as in a section of the audit log: `("secret", "dev", "db-password")`.
    """
    match where:
        case ("domain", domain):
            return (domain,)
        case ("owner", domain, owner):
            return domain, "meta", "owners", owner
        case ("secret", domain, name):
            return domain, SECRET_PREFIX + name
        case ("custodian", name):
            return names.CUSTODIANS, name
    return (names.FILE_META,)


def changes(old: Document | None, new: Document) -> list[Patch]:
    """Return the patches that turn a file of `old` (None: an empty file) into one of `new`, sorted by place."""
    patches: list[Patch] = []
    if old is None or (old.format, old.file_id) != (new.format, new.file_id):
        meta: Tree = {"format": str(new.format), "file-id": scalars.encode_version(new.file_id)}
        patches.append(((names.FILE_META,), meta))
    restructured = old is None or old.format != new.format
    if restructured:
        for name, domain in sorted(new.domains.items()):
            patches.append(((name,), _domain(domain)))
        patches.append(((names.CUSTODIANS,), {name: _custodian(c) for name, c in sorted(new.custodians.items())}))
        patches.append(((names.AUDIT_LOG,), _log(new)))
        return patches
    assert old is not None
    for name, before, after in _differing(old.domains, new.domains):
        if before is None or after is None:
            patches.append(((name,), _domain(after) if after else None))
        else:
            patches.extend(_domain_changes(before, after))
    for name, _, custodian in _differing(old.custodians, new.custodians):
        patches.append(((names.CUSTODIANS, name), _custodian(custodian) if custodian else None))
    for where, _, entries in _differing(old.log.lists, new.log.lists):
        patches.append(((names.AUDIT_LOG, where), list(entries) if entries else None))
    return patches


def _domain_changes(old: Domain, new: Domain) -> list[Patch]:
    patches: list[Patch] = []
    meta = (new.name, "meta")
    if old.key != new.key:
        patches.append(((*meta, "public-key"), scalars.encode(new.key)))
    fields, before = _epoch(new.epoch), _epoch(old.epoch)
    for key in EPOCH_KEYS:
        if fields.get(key) != before.get(key):
            patches.append(((*meta, key), fields.get(key)))
    earlier, retired = _retired(old), _retired(new)
    for identifier in sorted(earlier.keys() | retired.keys()):
        if earlier.get(identifier) != retired.get(identifier):
            patches.append(((*meta, "retired", identifier), retired.get(identifier)))
    for name, _, grant in _differing(old.owners, new.owners):
        patches.append(((*meta, "owners", name), _grant(grant) if grant else None))
    for name, _, secret in _differing(old.secrets, new.secrets):
        patches.append(((new.name, SECRET_PREFIX + name), _secret(secret) if secret else None))
    return patches


def _differing(old: Mapping[str, T], new: Mapping[str, T]) -> list[tuple[str, T | None, T | None]]:
    return [
        (name, old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) is not new.get(name) and old.get(name) != new.get(name)
    ]


def _domain(domain: Domain) -> Tree:
    meta: Tree = {
        "public-key": scalars.encode(domain.key),
        **_epoch(domain.epoch),
        "retired": {**_retired(domain)},
        "owners": {name: _grant(grant) for name, grant in sorted(domain.owners.items())},
    }
    secrets = {SECRET_PREFIX + name: _secret(secret) for name, secret in sorted(domain.secrets.items())}
    return {"meta": meta, **secrets}


def _epoch(epoch: Epoch | None) -> dict[str, Tree]:
    if epoch is None:
        return {}
    return {
        "number": str(epoch.number),
        "previous": [scalars.encode_version(identifier) for identifier in epoch.previous],
        "policy": {**epoch.policy.items()},
        "made": epoch.made,
        **_signed("made-by", epoch.signed),
    }


def _signed(key: str, signed: Signed | None) -> dict[str, Tree]:
    if signed is None:
        return {}
    signer = f"{scalars.encode_version(signed.by.verify_key)} {signed.by.name}"
    return {key: signer, "signature": scalars.encode_version(signed.signature)}


def _retired(domain: Domain) -> dict[str, Tree]:
    """Return the entries of `retired`: sealed private keys by key id, and earlier epochs by hash."""
    entries: dict[str, Tree] = {}
    for identifier, sealed in domain.retired.items():
        entries[scalars.encode_version(identifier)] = {"private-key": scalars.encode(sealed)}
    for identifier, past in domain.past.items():
        entries[scalars.encode_version(identifier)] = {
            "public-key": scalars.encode_version(past.public_key),
            **_epoch(past.epoch),
            "grants": {name: _past_grant(grant) for name, grant in sorted(past.grants.items())},
        }
    return dict(sorted(entries.items()))


def _past_grant(grant: PastGrant) -> Tree:
    keys: dict[str, Tree] = {
        "public-key": scalars.encode_version(grant.keys.public_key),
        "verify-key": scalars.encode_version(grant.keys.verify_key),
    }
    return {**keys, **_changes(grant.changes), **_signed("granted-by", grant.signed), "granted": grant.granted}


def _grant(grant: Grant) -> Tree:
    wrapped: dict[str, Tree] = {"wrapped-key": scalars.encode(grant.wrapped_key), "granted": grant.granted}
    return {**_signed("granted-by", grant.signed), **wrapped}


def _secret(secret: Secret) -> Tree:
    content: dict[str, Tree] = {"value": scalars.encode(secret.value)} if isinstance(secret.value, bytes) else {}
    if isinstance(secret.value, Reference):
        content = {"reference": secret.value.text}
    level: dict[str, Tree] = {"sensitivity": secret.sensitivity.word}
    if secret.sensitivity is Sensitivity.MEDIUM:
        level = {}
    return {**level, **_signed("signed-by", secret.signed), **content, "updated": secret.updated}


def _changes(changes: tuple[KeyChange, ...]) -> dict[str, Tree]:
    if not changes:
        return {}
    return {"changes": [scalars.encode_version(_encode_change(change)) for change in changes]}


def _encode_change(change: KeyChange) -> bytes:
    return change.old.public_key + change.old.verify_key + change.time.encode() + change.by_old + change.by_new


def _custodian(custodian: AnyCustodian) -> Tree:
    if isinstance(custodian, LegacyCustodian):
        return {"pwdkm": scalars.encode(custodian.derived.encode())}
    return {
        "public-key": scalars.encode_version(custodian.public_key),
        "verify-key": scalars.encode_version(custodian.verify_key),
        "encrypted-private-key": scalars.encode_version(custodian.wrapped.encode()),
        **_changes(custodian.changes),
        "signature": scalars.encode_version(custodian.signature),
    }


def _log(document: Document) -> Tree:
    return {
        where: list(entries)
        for where, entries in sorted(document.log.lists.items(), key=lambda item: order((names.AUDIT_LOG,), item[0]))
    }
