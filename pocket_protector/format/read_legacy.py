"""Read trees as a `Document`, for files of Pocket Protector 20.0.1 to 26.4.3 (docs/format.md, section 9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pocket_protector.document import names
from pocket_protector.document.audit_log import LEGACY, AuditLog
from pocket_protector.document.custodian import LegacyCustodian
from pocket_protector.document.document import LEGACY_FORMAT, Document
from pocket_protector.document.domain import Domain, Grant, Secret
from pocket_protector.errors import FormatError
from pocket_protector.format import scalars
from pocket_protector.format.fields import (
    mapping_of,
    read_child,
    read_name,
    read_scalar,
    read_secret_name,
    text_of,
    texts_of,
)
from pocket_protector.format.read_v1 import LEAST_SEALED, read_derived_key, read_domain_key
from pocket_protector.format.trees import Tree

_LEAST = {scalars.LEGACY_VERSION: LEAST_SEALED[scalars.LEGACY_VERSION]}

T = TypeVar("T")


def read_legacy_document(root: dict[str, Tree]) -> Document:
    """Return the document of a legacy file. Its times are empty, since the format has none.

    Raises FormatError, with its keys, for the first fault (docs/format.md, section 9).
    """
    custodians = read_child(root, names.CUSTODIANS, _read_each, _read_custodian)
    entries = read_child(root, names.AUDIT_LOG, texts_of)
    return Document(
        format=LEGACY_FORMAT,
        file_id=b"",
        domains={
            name: read_child(root, name, _read_domain, name)
            for name in root
            if name not in (names.CUSTODIANS, names.AUDIT_LOG)
        },
        custodians=custodians,
        log=AuditLog({LEGACY: entries} if entries else {}),
    )


def _read_each(tree: Tree, read: Callable[[Tree, str], T]) -> dict[str, T]:
    mapping = mapping_of(tree)
    return {key: read_child(mapping, key, read, key) for key in mapping}


def _read_custodian(tree: Tree, name: str) -> LegacyCustodian:
    read_name(name, names.parse_legacy_name)
    block = mapping_of(tree)
    _refuse_others(block, "pwdkm")
    return LegacyCustodian(name, read_scalar(block, "pwdkm", read_derived_key))


def _read_domain(tree: Tree, name: str) -> Domain:
    if names.is_reserved(name):
        raise FormatError("a key that begins with 'meta' is not a valid name of a key domain")
    read_name(name, names.parse_legacy_name)
    block = mapping_of(tree)
    key, owners = read_child(block, "meta", _read_meta)
    secrets = {}
    for entry in block:
        if entry != "meta":
            secret_name, secret = read_child(block, entry, _read_secret, entry)
            secrets[secret_name] = secret
    return Domain(name, key, owners, secrets)


def _read_meta(tree: Tree) -> tuple[bytes, dict[str, Grant]]:
    meta = mapping_of(tree)
    _refuse_others(meta, "public-key", "owners")
    key = read_scalar(meta, "public-key", read_domain_key)
    if key[0] != scalars.LEGACY_VERSION:
        raise scalars.unknown_version(key[0]).under("public-key")
    return key, read_child(meta, "owners", _read_each, _read_grant)


def _read_grant(tree: Tree, name: str) -> Grant:
    read_name(name, names.parse_legacy_name)
    return Grant(scalars.decode_sealed(text_of(tree), _LEAST), "")


def _read_secret(tree: Tree, key: str) -> tuple[str, Secret]:
    name = read_secret_name(key, names.parse_legacy_secret_name)
    return name, Secret(scalars.decode_sealed(text_of(tree), _LEAST), "")


def _refuse_others(mapping: dict[str, Tree], *known: str) -> None:
    for key in mapping:
        if key not in known:
            raise FormatError("this key is not known here").under(key)
