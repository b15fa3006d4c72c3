"""`Document` → trees, in the order that format 1 prescribes (docs/format.md, section 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pocket_protector.format import scalars
from pocket_protector.format.reading import SECRET_PREFIX
from pocket_protector.format.trees import Tree
from pocket_protector.model import names
from pocket_protector.model.audit import LEGACY
from pocket_protector.model.custodian import AnyCustodian, LegacyCustodian
from pocket_protector.model.document import Document
from pocket_protector.model.domain import Domain, Grant, Secret

Patch = tuple[tuple[str, ...], Tree | None]
"""Where (keys from the top), and what shall stand there; None takes it out."""

T = TypeVar("T")

_SECTIONS = {names.FILE_META: 0, names.CUSTODIANS: 2, names.AUDIT_LOG: 3}
# The order of fields inside an object; what rotation never changes stands last.
_FIELDS = """
    format file-id public-key retired verify-key encrypted-private-key signature pwdkm value private-key wrapped-key
    updated granted owners
""".split()


def order(path: tuple[str, ...], key: str) -> tuple[int, str]:
    """Where a key belongs among the children of the mapping at `path`: sections and fields as format 1 has them,
    what people name by name."""
    match path:
        case ():
            return _SECTIONS.get(key, 1), key
        case (names.AUDIT_LOG,):
            return int(key != LEGACY), key
        case (names.CUSTODIANS,) | (_, "meta", "owners") | (_, "meta", "retired"):
            return 0, key
        case (domain,) if domain not in _SECTIONS:
            return int(key != "meta"), key
    return _FIELDS.index(key) if key in _FIELDS else len(_FIELDS), key


def changes(old: Document | None, new: Document) -> list[Patch]:
    """What to write so that a file which holds `old` (None: nothing) holds `new`; sorted by place."""
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
    if old.retired != new.retired:
        patches.append(((*meta, "retired"), _retired(new)))
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
        "retired": _retired(domain),
        "owners": {name: _grant(grant) for name, grant in sorted(domain.owners.items())},
    }
    secrets = {SECRET_PREFIX + name: _secret(secret) for name, secret in sorted(domain.secrets.items())}
    return {"meta": meta, **secrets}


def _retired(domain: Domain) -> Tree:
    sealed = {scalars.encode_version(identifier): key for identifier, key in domain.retired.items()}
    return {identifier: {"private-key": scalars.encode(key)} for identifier, key in sorted(sealed.items())}


def _grant(grant: Grant) -> Tree:
    return {"wrapped-key": scalars.encode(grant.wrapped_key), "granted": grant.granted}


def _secret(secret: Secret) -> Tree:
    return {"value": scalars.encode(secret.value), "updated": secret.updated}


def _custodian(custodian: AnyCustodian) -> Tree:
    if isinstance(custodian, LegacyCustodian):
        return {"pwdkm": scalars.encode(custodian.derived.encode())}
    return {
        "public-key": scalars.encode_version(custodian.public_key),
        "verify-key": scalars.encode_version(custodian.verify_key),
        "encrypted-private-key": scalars.encode_version(custodian.wrapped.encode()),
        "signature": scalars.encode_version(custodian.signature),
    }


def _log(document: Document) -> Tree:
    return {
        where: list(entries)
        for where, entries in sorted(document.log.lists.items(), key=lambda item: order((names.AUDIT_LOG,), item[0]))
    }
