"""Read trees as signatures, epochs and key changes (docs/format.md, sections 3.5 and 4.6 to 4.9)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from pocket_protector.crypto.keys import (
    DIGEST_BYTES,
    KEY_BYTES,
    SIGNATURE_BYTES,
    parse_public_key,
    parse_verify_key,
)
from pocket_protector.document import names
from pocket_protector.document.custodian import MAX_CHANGES, KeyChange
from pocket_protector.document.epoch import MAX_PAST_EPOCHS, Epoch, PastEpoch, PastGrant
from pocket_protector.document.policy import Policy
from pocket_protector.document.statements import Keys, Signed, Signer
from pocket_protector.document.times import TIME_LENGTH, parse_time
from pocket_protector.errors import FormatError
from pocket_protector.format import scalars
from pocket_protector.format.fields import (
    EPOCH_KEYS,
    mapping_of,
    read_child,
    read_each,
    read_name,
    read_scalar,
    refuse_unknown,
    text_of,
    texts_of,
)
from pocket_protector.format.trees import Tree

CHANGE_BYTES = 2 * KEY_BYTES + TIME_LENGTH + 2 * SIGNATURE_BYTES

_MOST_PREVIOUS = 64
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


def read_epoch(block: dict[str, Tree]) -> Epoch:
    """Return the epoch in the `meta` of a signed domain. Raises FormatError."""
    return Epoch(
        read_scalar(block, "number", _parse_number),
        read_child(block, "previous", _read_previous),
        read_child(block, "policy", _read_policy),
        read_scalar(block, "made", parse_time),
        read_signature(block, "made-by"),
    )


def read_past_epoch(tree: Tree) -> PastEpoch:
    """Return an earlier epoch from an entry of `retired`. Raises FormatError."""
    block = mapping_of(tree)
    refuse_unknown(block, "public-key", *EPOCH_KEYS, "grants")
    public_key = read_scalar(block, "public-key", scalars.decode_public_key)
    return PastEpoch(
        public_key, read_epoch(block), read_child(block, "grants", read_each, _read_past_grant, "granted-by")
    )


def check_count(past: Mapping[bytes, PastEpoch]) -> None:
    """Check that a domain has at most `MAX_PAST_EPOCHS` earlier epochs. Raises FormatError."""
    if len(past) > MAX_PAST_EPOCHS:
        raise FormatError(f"a domain has at most {MAX_PAST_EPOCHS} earlier epochs")


def read_changes(tree: Tree) -> tuple[KeyChange, ...]:
    """Return the key changes of a custodian, at least one and at most `MAX_CHANGES`. Raises FormatError."""
    texts = texts_of(tree)
    if not texts:
        raise FormatError("a list of key changes must not be empty")
    if len(texts) > MAX_CHANGES:
        raise FormatError(f"a key custodian has at most {MAX_CHANGES} key changes")
    return tuple([_parse_change(text) for text in texts])


def read_signature(block: dict[str, Tree], signer_key: str) -> Signed:
    """Return the signer at `signer_key` together with `signature` (64 bytes). Raises FormatError."""
    signer = read_scalar(block, signer_key, _parse_signer)
    return Signed(signer, read_scalar(block, "signature", scalars.decode_fixed, SIGNATURE_BYTES))


def _read_past_grant(tree: Tree, name: str) -> PastGrant:
    read_name(name, names.parse_legacy_name)
    block = mapping_of(tree)
    refuse_unknown(block, "public-key", "verify-key", "changes", "granted-by", "signature", "granted")
    return PastGrant(
        Keys(
            read_scalar(block, "public-key", scalars.decode_public_key),
            read_scalar(block, "verify-key", scalars.decode_verify_key),
        ),
        read_child(block, "changes", read_changes) if "changes" in block else (),
        read_scalar(block, "granted", parse_time),
        read_signature(block, "granted-by"),
    )


def _read_previous(tree: Tree) -> tuple[bytes, ...]:
    hashes = tuple([scalars.decode_fixed(text, DIGEST_BYTES) for text in texts_of(tree)])
    if list(hashes) != sorted(set(hashes)) or len(hashes) > _MOST_PREVIOUS:
        raise FormatError(f"this must be at most {_MOST_PREVIOUS} different hashes, sorted by their bytes")
    return hashes


def _read_policy(tree: Tree) -> Policy:
    return Policy.parse({key: text_of(text) for key, text in mapping_of(tree).items()})


@lru_cache(maxsize=1024)
def _parse_signer(text: str) -> Signer:
    key, space, name = text.partition(" ")
    if not space:
        raise FormatError("this must be a verify key, a space and a name")
    return Signer(read_name(name, names.parse_custodian_name), scalars.decode_verify_key(key))


def _parse_number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise FormatError("this must be a number, 1 or greater")
    return int(text)


def _parse_change(text: str) -> KeyChange:
    raw = scalars.decode_fixed(text, CHANGE_BYTES)
    time_end = 2 * KEY_BYTES + TIME_LENGTH
    try:
        time = parse_time(raw[2 * KEY_BYTES : time_end].decode())
    except UnicodeDecodeError:
        raise FormatError("not a time such as 2026-11-22T09:59:00Z") from None
    return KeyChange(
        Keys(parse_public_key(raw[:KEY_BYTES]), parse_verify_key(raw[KEY_BYTES : 2 * KEY_BYTES])),
        time,
        raw[time_end : time_end + SIGNATURE_BYTES],
        raw[time_end + SIGNATURE_BYTES :],
    )
