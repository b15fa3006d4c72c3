"""Read trees as a `Document`, for format 1 (docs/format.md, section 7). Any fault refuses the whole file.

Each level adds its own key to an error from below, so that the error names its full place.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pocket_protector.crypto.key_slots import WrappedSeed
from pocket_protector.crypto.keys import DIGEST_BYTES, KEY_ID_BYTES, SIGNATURE_BYTES, parse_public_key
from pocket_protector.crypto.legacy_keys import PasswordDerivedKey
from pocket_protector.crypto.sealing import MIN_SEALED_BYTES, SEALED_BOX_OVERHEAD
from pocket_protector.document import names
from pocket_protector.document.audit_log import LEGACY, AuditLog, parse_entry, parse_section
from pocket_protector.document.custodian import AnyCustodian, Custodian, LegacyCustodian
from pocket_protector.document.document import FILE_ID_BYTES, FORMAT, Document
from pocket_protector.document.domain import Domain, Grant, Secret
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.document.times import parse_time
from pocket_protector.errors import FormatError, LocatedError
from pocket_protector.format import scalars
from pocket_protector.format.fields import (
    EPOCH_KEYS,
    SECRET_PREFIX,
    Memo,
    extension_free,
    mapping_of,
    read_child,
    read_each,
    read_name,
    read_scalar,
    read_secret_name,
    refuse_unknown,
    texts_of,
)
from pocket_protector.format.trees import Tree

if TYPE_CHECKING:
    from pocket_protector.document.epoch import PastEpoch
    from pocket_protector.document.statements import Signed

LEAST_SEALED = {scalars.LEGACY_VERSION: 1 + SEALED_BOX_OVERHEAD, scalars.VERSION: 1 + MIN_SEALED_BYTES}


def read_document(root: dict[str, Tree], memo: Memo | None = None) -> Document:
    """Return the document of a file of format 1.

    Raises FormatError or IntegrityError, with its keys, for the first fault. `memo` holds the results of reading
    another version of the file.
    """
    return Document(
        format=FORMAT,
        file_id=read_child(root, names.FILE_META, _read_file_meta),
        domains={name: read_child(root, name, _read_domain, name, memo) for name in _domain_names(root)},
        custodians=read_child(root, names.CUSTODIANS, _read_custodians, memo),
        log=AuditLog(read_child(root, names.AUDIT_LOG, _read_lists, memo)),
    )


def _read_file_meta(tree: Tree) -> bytes:
    meta = mapping_of(tree)
    if read_scalar(meta, "format", str) != str(FORMAT):
        error = FormatError(
            "only format 1 is known", hint="upgrade pprotect: a newer version may have written the file"
        )
        raise error.under("format")
    refuse_unknown(meta, "format", "file-id")
    return read_scalar(meta, "file-id", scalars.decode_fixed, FILE_ID_BYTES)


def _domain_names(root: dict[str, Tree]) -> Iterator[str]:
    for key in extension_free(root):
        if key not in (names.FILE_META, names.CUSTODIANS, names.AUDIT_LOG):
            if names.is_reserved(key):
                raise FormatError("a key that begins with 'meta' is not a valid name of a key domain").under(key)
            yield key


def _read_domain(tree: Tree, name: str, memo: Memo | None) -> Domain:
    block = dict(mapping_of(tree))
    meta = read_child(block, "meta", _read_domain_meta)
    read_name(name, names.parse_domain_name if meta["key"][0] else names.parse_legacy_name)
    del block["meta"]
    secrets = read_each(block, _read_secret, memo=memo, place=name)
    return Domain(name=name, secrets={key[len(SECRET_PREFIX) :]: secret for key, secret in secrets.items()}, **meta)


def _read_domain_meta(tree: Tree) -> dict[str, Any]:
    """Return the fields of a `Domain` from its `meta`."""
    meta = mapping_of(tree)
    signed = not meta.keys().isdisjoint(EPOCH_KEYS)
    refuse_unknown(meta, "public-key", *(EPOCH_KEYS if signed else ()), "retired", "owners")
    key = read_scalar(meta, "public-key", read_domain_key)
    owners = read_child(meta, "owners", read_each, _read_grant, "wrapped-key")
    if not owners:
        raise FormatError("a domain has at least one owner").under("owners")
    if signed and key[0] != scalars.VERSION:
        raise FormatError("a signed domain must not have a key of version 0").under("public-key")
    retired, past = read_child(meta, "retired", _read_retired) if "retired" in meta else ({}, {})
    if past and not signed:
        raise FormatError("an unsigned domain must not have earlier epochs").under("retired")
    epoch = _statement_reader().read_epoch(meta) if signed else None
    return {"key": key, "owners": owners, "retired": retired, "epoch": epoch, "past": past}


def read_domain_key(text: str) -> bytes:
    """Return a domain's public key with its version byte (33 bytes). Raises FormatError."""
    raw = scalars.decode(text)
    if raw[0] not in (scalars.LEGACY_VERSION, scalars.VERSION):
        raise scalars.unknown_version(raw[0])
    parse_public_key(raw[1:])
    return raw


def _read_grant(tree: Tree, name: str) -> Grant:
    read_name(name, names.parse_legacy_name)
    block = mapping_of(tree)
    refuse_unknown(block, "granted-by", "signature", "wrapped-key", "granted")
    return Grant(
        read_scalar(block, "wrapped-key", scalars.decode_sealed, LEAST_SEALED),
        read_scalar(block, "granted", parse_time),
        _read_signature(block, "granted-by"),
    )


def _read_retired(tree: Tree) -> tuple[dict[bytes, bytes], dict[bytes, PastEpoch]]:
    """Return key id → sealed private key, and hash → earlier epoch."""
    read = read_each(tree, _read_retired_entry, "private-key")
    keys: dict[bytes, bytes] = {}
    past: dict[bytes, PastEpoch] = {}
    for identifier, entry in read.items():
        if isinstance(entry, bytes):
            keys[scalars.decode(identifier)[1:]] = entry
        else:
            past[scalars.decode(identifier)[1:]] = entry
    if past:
        _statement_reader().check_count(past)
    return keys, past


def _read_retired_entry(tree: Tree, identifier: str) -> bytes | PastEpoch:
    if len(scalars.decode(identifier)) == 1 + DIGEST_BYTES:
        scalars.decode_fixed(identifier, DIGEST_BYTES)
        past: PastEpoch = _statement_reader().read_past_epoch(tree)
        return past
    scalars.decode_fixed(identifier, KEY_ID_BYTES)
    block = mapping_of(tree)
    refuse_unknown(block, "private-key")
    return read_scalar(block, "private-key", scalars.decode_sealed, {scalars.VERSION: LEAST_SEALED[scalars.VERSION]})


def _read_signature(block: dict[str, Tree], signer_key: str) -> Signed | None:
    """Return the signer at `signer_key` with the signature, or None if the block has neither."""
    return (
        _statement_reader().read_signature(block, signer_key) if signer_key in block or "signature" in block else None
    )


def _statement_reader() -> ModuleType:
    """Return the module that reads statements. A file without any never imports it."""
    from pocket_protector.format import read_signed

    return read_signed


def _read_secret(tree: Tree, key: str) -> Secret:
    block = mapping_of(tree)
    value: bytes | Reference
    if "reference" in block:
        if "value" in block:
            raise FormatError("an entry must have a value or a reference, not both").under("reference")
        value = read_scalar(block, "reference", Reference)
        read_secret_name(key, names.parse_secret_name)
    else:
        value = read_scalar(block, "value", scalars.decode_sealed, LEAST_SEALED)
        read_secret_name(key, names.parse_secret_name if value[0] else names.parse_legacy_secret_name)
    updated = read_scalar(block, "updated", parse_time)
    if len(block) == 2:
        return Secret(value, updated)
    refuse_unknown(block, "sensitivity", "signed-by", "signature", "value", "reference", "updated")
    sensitivity = (
        read_scalar(block, "sensitivity", _parse_sensitivity) if "sensitivity" in block else Sensitivity.MEDIUM
    )
    return Secret(value, updated, _read_signature(block, "signed-by"), sensitivity)


def _parse_sensitivity(text: str) -> Sensitivity:
    sensitivity = Sensitivity.parse(text)
    if sensitivity is Sensitivity.MEDIUM:
        raise FormatError("a sensitivity of medium is not written: it is the default", hint="remove the line")
    return sensitivity


def _read_custodians(tree: Tree, memo: Memo | None) -> dict[str, AnyCustodian]:
    return read_each(tree, _read_custodian, "public-key", "pwdkm", memo=memo, place=names.CUSTODIANS)


def _read_lists(tree: Tree, memo: Memo | None) -> dict[str, tuple[str, ...]]:
    return read_each(tree, _read_log, memo=memo, place=names.AUDIT_LOG)


def _read_custodian(tree: Tree, name: str) -> AnyCustodian:
    block = mapping_of(tree)
    if "pwdkm" in block:
        refuse_unknown(block, "pwdkm")
        read_name(name, names.parse_legacy_name)
        return LegacyCustodian(name, read_scalar(block, "pwdkm", read_derived_key))
    refuse_unknown(block, "public-key", "verify-key", "encrypted-private-key", "changes", "signature")
    read_name(name, names.parse_custodian_name)
    public_key = read_scalar(block, "public-key", scalars.decode_public_key)
    verify_key = read_scalar(block, "verify-key", scalars.decode_verify_key)
    wrapped = read_scalar(block, "encrypted-private-key", _read_wrapped_seed)
    signature = read_scalar(block, "signature", scalars.decode_fixed, SIGNATURE_BYTES)
    changes = read_child(block, "changes", _statement_reader().read_changes) if "changes" in block else ()
    try:
        return Custodian(name, public_key, verify_key, wrapped, signature, changes)
    except LocatedError as error:
        raise error.under("signature") from None


def read_derived_key(text: str) -> PasswordDerivedKey:
    """Return the key that a legacy custodian derives from a passphrase (`pwdkm`). Raises FormatError."""
    return PasswordDerivedKey.parse(scalars.decode(text))


def _read_wrapped_seed(text: str) -> WrappedSeed:
    raw = scalars.decode(text)
    if raw[0] != scalars.VERSION:
        raise scalars.unknown_version(raw[0])
    return WrappedSeed.parse(raw[1:])


def _read_log(tree: Tree, where: str) -> tuple[str, ...]:
    parse_section(where)
    entries = texts_of(tree)
    if not entries:
        raise FormatError("a list of the audit log must not be empty")
    if where != LEGACY:
        for entry in entries:
            parse_entry(entry)
    return entries
