"""Trees → `Document`, for format 1 (docs/format.md, section 7). Any fault refuses the whole file.

An error names its place from where it is raised; each level above adds its own key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from pocket_protector.crypto.identity import WrappedIdentity
from pocket_protector.crypto.keys import KEY_BYTES, KEY_ID_BYTES, SIGNATURE_BYTES, parse_public_key, parse_verify_key
from pocket_protector.crypto.legacy import PasswordDerivedKey
from pocket_protector.crypto.sealing import MIN_SEALED_BYTES, SEALED_BOX_OVERHEAD
from pocket_protector.errors import FormatError, LocatedError, NameFormatError
from pocket_protector.format import scalars
from pocket_protector.format.trees import Tree
from pocket_protector.model import names
from pocket_protector.model.audit import LEGACY, AuditLog, parse_entry, parse_section
from pocket_protector.model.custodian import AnyCustodian, Custodian, LegacyCustodian
from pocket_protector.model.document import FILE_ID_BYTES, FORMAT, Document
from pocket_protector.model.domain import Domain, Grant, Secret
from pocket_protector.model.times import parse_time

SECRET_PREFIX = "secret-"  # noqa: S105 (a key of the file, not a password)
LEAST_SEALED = {scalars.LEGACY_VERSION: 1 + SEALED_BOX_OVERHEAD, scalars.VERSION: 1 + MIN_SEALED_BYTES}

T = TypeVar("T")


def read_document(root: dict[str, Tree]) -> Document:
    """FormatError or IntegrityError, with its keys, for the first fault."""
    return Document(
        format=FORMAT,
        file_id=read_child(root, names.FILE_META, _read_file_meta),
        domains={name: read_child(root, name, _read_domain, name) for name in _domain_names(root)},
        custodians=read_child(root, names.CUSTODIANS, _read_each, _read_custodian, "public-key", "pwdkm"),
        log=AuditLog(read_child(root, names.AUDIT_LOG, _read_each, _read_log)),
    )


def mapping_of(tree: Tree) -> dict[str, Tree]:
    if not isinstance(tree, dict):
        raise FormatError("a mapping belongs here")
    return tree


def text_of(tree: Tree) -> str:
    if not isinstance(tree, str):
        raise FormatError("a text belongs here")
    return tree


def texts_of(tree: Tree) -> tuple[str, ...]:
    if not isinstance(tree, list):
        raise FormatError("a list of texts belongs here")
    return tuple([text_of(item) for item in tree])


def child(parent: dict[str, Tree], key: str) -> Tree:
    found = parent.get(key)
    if found is None:
        raise FormatError(f"{key!r} is missing")
    return found


def refuse_unknown(mapping: dict[str, Tree], *known: str) -> None:
    """FormatError for a key that is neither known nor an extension."""
    for key in extension_free(mapping):
        if key not in known:
            raise unknown_key().under(key)


def unknown_key() -> FormatError:
    return FormatError(
        "this key is not known here",
        hint="if a newer pprotect wrote it, upgrade pprotect; keys that begin with 'x-' are free for your own use",
    )


def extension_free(mapping: dict[str, Tree]) -> Iterator[str]:
    return (key for key in mapping if not key.startswith(names.EXTENSION_PREFIX))


def read_secret_name(key: str, parse: Callable[[str], str]) -> str:
    """The name in a key such as `secret-db-password`."""
    if not key.startswith(SECRET_PREFIX):
        raise unknown_key()
    return read_name(key[len(SECRET_PREFIX) :], parse)


def read_name(text: str, parse: Callable[[str], str]) -> str:
    try:
        return parse(text)
    except NameFormatError as error:
        raise FormatError(error.message, hint=error.hint) from None


def read_child(parent: dict[str, Tree], key: str, read: Callable[..., T], *arguments: object) -> T:
    """`read(child, *arguments)`, with `key` before the place of an error in it."""
    tree = child(parent, key)
    try:
        return read(tree, *arguments)
    except LocatedError as error:
        raise error.under(key) from None


def read_scalar(parent: dict[str, Tree], key: str, parse: Callable[..., T], *arguments: object) -> T:
    """`parse(child text, *arguments)`, likewise."""
    text = child(parent, key)
    try:
        return parse(text if type(text) is str else text_of(text), *arguments)
    except LocatedError as error:
        raise error.under(key) from None


def _read_each(tree: Tree, read: Callable[[Tree, str], T], *marks: str) -> dict[str, T]:
    """Every entry but extensions. A key that begins with `x-` is none if its value is a mapping with one of `marks`:
    somebody's name may begin so."""
    each = {}
    for key, item in mapping_of(tree).items():
        extension = key.startswith(names.EXTENSION_PREFIX)
        if not extension or (isinstance(item, dict) and not item.keys().isdisjoint(marks)):
            try:
                each[key] = read(item, key)
            except LocatedError as error:
                raise error.under(key) from None
    return each


def _read_file_meta(tree: Tree) -> bytes:
    meta = mapping_of(tree)
    if read_scalar(meta, "format", str) != str(FORMAT):
        error = FormatError("only format 1 is known", hint="a newer pprotect may have written it: upgrade pprotect")
        raise error.under("format")
    refuse_unknown(meta, "format", "file-id")
    return read_scalar(meta, "file-id", scalars.decode_fixed, FILE_ID_BYTES)


def _domain_names(root: dict[str, Tree]) -> Iterator[str]:
    for key in extension_free(root):
        if key not in (names.FILE_META, names.CUSTODIANS, names.AUDIT_LOG):
            if names.is_reserved(key):
                raise FormatError("a key that begins with 'meta' is no key domain").under(key)
            yield key


def _read_domain(tree: Tree, name: str) -> Domain:
    block = mapping_of(tree)
    public_key, owners, retired = read_child(block, "meta", _read_domain_meta)
    read_name(name, names.parse_domain_name if public_key[0] else names.parse_legacy_name)
    secrets = {}
    for key in extension_free(block):
        if key != "meta":
            try:
                secret_name, secret = _read_secret(key, block[key])
            except LocatedError as error:
                raise error.under(key) from None
            secrets[secret_name] = secret
    return Domain(name, public_key, owners, secrets, retired)


def _read_domain_meta(tree: Tree) -> tuple[bytes, dict[str, Grant], dict[bytes, bytes]]:
    meta = mapping_of(tree)
    refuse_unknown(meta, "public-key", "retired", "owners")
    key = read_scalar(meta, "public-key", read_domain_key)
    owners = read_child(meta, "owners", _read_each, _read_grant, "wrapped-key")
    if not owners:
        raise FormatError("a domain has at least one owner").under("owners")
    retired = read_child(meta, "retired", _read_each, _read_retired) if "retired" in meta else {}
    return key, owners, {scalars.decode(identifier)[1:]: sealed for identifier, sealed in retired.items()}


def read_domain_key(text: str) -> bytes:
    """A domain's public key with its version byte (33 bytes)."""
    raw = scalars.decode(text)
    if raw[0] not in (scalars.LEGACY_VERSION, scalars.VERSION):
        raise scalars.unknown_version(raw[0])
    parse_public_key(raw[1:])
    return raw


def _read_grant(tree: Tree, name: str) -> Grant:
    read_name(name, names.parse_legacy_name)
    block = mapping_of(tree)
    refuse_unknown(block, "wrapped-key", "granted")
    return Grant(
        read_scalar(block, "wrapped-key", scalars.decode_sealed, LEAST_SEALED),
        read_scalar(block, "granted", parse_time),
    )


def _read_retired(tree: Tree, identifier: str) -> bytes:
    scalars.decode_fixed(identifier, KEY_ID_BYTES)
    block = mapping_of(tree)
    refuse_unknown(block, "private-key")
    return read_scalar(block, "private-key", scalars.decode_sealed, {scalars.VERSION: LEAST_SEALED[scalars.VERSION]})


def _read_secret(key: str, tree: Tree) -> tuple[str, Secret]:
    block = mapping_of(tree)
    value = read_scalar(block, "value", scalars.decode_sealed, LEAST_SEALED)
    name = read_secret_name(key, names.parse_secret_name if value[0] else names.parse_legacy_secret_name)
    updated = read_scalar(block, "updated", parse_time)
    if len(block) != 2:
        refuse_unknown(block, "value", "updated")
    return name, Secret(value, updated)


def _read_custodian(tree: Tree, name: str) -> AnyCustodian:
    block = mapping_of(tree)
    if "pwdkm" in block:
        refuse_unknown(block, "pwdkm")
        read_name(name, names.parse_legacy_name)
        return LegacyCustodian(name, read_scalar(block, "pwdkm", read_derived_key))
    refuse_unknown(block, "public-key", "verify-key", "encrypted-private-key", "signature")
    read_name(name, names.parse_custodian_name)
    public_key = read_scalar(block, "public-key", lambda text: parse_public_key(scalars.decode_fixed(text, KEY_BYTES)))
    verify_key = read_scalar(block, "verify-key", lambda text: parse_verify_key(scalars.decode_fixed(text, KEY_BYTES)))
    wrapped = read_scalar(block, "encrypted-private-key", _read_wrapped_identity)
    signature = read_scalar(block, "signature", scalars.decode_fixed, SIGNATURE_BYTES)
    try:
        return Custodian(name, public_key, verify_key, wrapped, signature)
    except LocatedError as error:
        raise error.under("signature") from None


def read_derived_key(text: str) -> PasswordDerivedKey:
    return PasswordDerivedKey.parse(scalars.decode(text))


def _read_wrapped_identity(text: str) -> WrappedIdentity:
    raw = scalars.decode(text)
    if raw[0] != scalars.VERSION:
        raise scalars.unknown_version(raw[0])
    return WrappedIdentity.parse(raw[1:])


def _read_log(tree: Tree, where: str) -> tuple[str, ...]:
    parse_section(where)
    entries = texts_of(tree)
    if not entries:
        raise FormatError("a list of the audit log has at least one entry")
    if where != LEGACY:
        for entry in entries:
            parse_entry(entry)
    return entries
