"""Sealing, wrapping and derivation, beyond what the vectors show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings
from samples import raw_key, refused

from pocket_protector import FormatError, IntegrityError, PassphraseError, StoreError
from pocket_protector.crypto import kdf, key_slots
from pocket_protector.crypto.encoding import lp, pad, unpad
from pocket_protector.crypto.identity import Identity
from pocket_protector.crypto.keys import PrivateKey, key_id, parse_public_key
from pocket_protector.crypto.sealing import DOMAIN_KEY, RETIRED_KEY, SECRET, open_sealed, open_unbound, seal

KEY = PrivateKey(bytes(range(32)))
KEYS = {key_id(KEY.public): KEY}
PARTS = st.lists(st.binary(max_size=20), max_size=4)


@given(PARTS, PARTS)
def test_no_two_lists_have_one_encoding(one: list[bytes], other: list[bytes]) -> None:
    assert (lp(*one) == lp(*other)) == (one == other)


@given(st.binary(max_size=200))
def test_padding_comes_off(payload: bytes) -> None:
    padded = pad(payload)
    assert len(padded) % 32 == 0
    assert len(payload) + 4 <= len(padded) < len(payload) + 4 + 32
    assert unpad(padded) == payload


@given(st.binary(max_size=200))
def test_only_what_pad_makes_is_unpadded(padded: bytes) -> None:
    payload = unpad(padded)
    assert payload is None or pad(payload) == padded


@given(st.sampled_from([SECRET, DOMAIN_KEY, RETIRED_KEY]), PARTS, st.binary(max_size=100))
def test_what_is_sealed_opens_in_its_place(label: bytes, context: list[bytes], payload: bytes) -> None:
    sealed = seal(KEY.public, label, tuple(context), payload)
    assert open_sealed(sealed, KEYS, label, tuple(context)) == payload


@given(PARTS, PARTS)
def test_what_is_sealed_opens_nowhere_else(one: list[bytes], other: list[bytes]) -> None:
    sealed = seal(KEY.public, SECRET, tuple(one), b"tulip")
    if one != other:
        with refused(IntegrityError):
            open_sealed(sealed, KEYS, SECRET, tuple(other))
    with refused(IntegrityError):
        open_sealed(sealed, KEYS, DOMAIN_KEY, tuple(one))


@given(st.binary(max_size=150))
def test_any_bytes_are_not_sealed_ones(raw: bytes) -> None:
    for sealed in (raw, key_id(KEY.public) + raw):
        with refused(IntegrityError):
            open_sealed(sealed, KEYS, SECRET, ())
    with refused(IntegrityError):
        open_unbound(raw, KEY)


def test_only_the_named_key_is_tried() -> None:
    """A value under an unknown id is refused although a key at hand would open it."""
    sealed = seal(KEY.public, SECRET, (), b"tulip")
    with refused(IntegrityError) as caught:
        open_sealed(b"12345678" + sealed[8:], KEYS, SECRET, ())
    assert "not at hand" in str(caught.value)


def test_the_labels_are_distinct() -> None:
    labels = [SECRET, DOMAIN_KEY, RETIRED_KEY, key_slots._LABEL, kdf._RAW_LABEL]
    assert len(set(labels)) == len(labels)
    assert all(label.startswith(b"pocket-protector/1/") for label in labels)


@given(st.binary(min_size=32, max_size=32))
def test_a_public_key_is_refused_or_takes_part_in_an_exchange(raw: bytes) -> None:
    try:
        parse_public_key(raw)
    except FormatError:
        return
    bindings.crypto_scalarmult(KEY.raw, raw)  # raises for a key of low order


@given(st.binary(max_size=40).filter(lambda raw: len(raw) != 32))
def test_a_key_of_another_length_is_refused(raw: bytes) -> None:
    with refused(FormatError):
        parse_public_key(raw)


@pytest.mark.parametrize(
    ("opslimit", "memlimit"),
    [(0, None), (17, None), (None, 0), (None, 8191), (None, 2**30 + 1024), (5, 2**30), (-1, -1)],
)
def test_limits_out_of_bounds(opslimit: int | None, memlimit: int | None) -> None:
    with refused(StoreError) as caught:
        kdf.cost_from_limits(opslimit, memlimit)
    assert "no variable lifts them" in caught.value.hint


def test_other_limits_are_argon2id_with_one_lane() -> None:
    assert kdf.cost_from_limits(3, 65536) == kdf.Argon2Cost(time=3, memory_kib=64, lanes=1)
    assert kdf.cost_from_limits(1, None).memory_kib == kdf.KDF_SENSITIVE[1] // 1024
    assert kdf.cost_from_limits(None, 8192).time == kdf.KDF_SENSITIVE[0]


@given(st.text(max_size=80))
def test_only_raw_keys_are_raw_keys(text: str) -> None:
    assert not kdf.is_raw_key(text)
    with refused(PassphraseError):
        kdf.parse_raw_key(text)


def test_a_raw_key_is_its_bytes() -> None:
    assert kdf.is_raw_key(raw_key(0xA1))
    assert kdf.parse_raw_key(raw_key(0xA1)) == b"\xa1" * 32


def test_the_two_keys_of_an_identity_are_not_related_by_a_shared_seed() -> None:
    identity = Identity.from_seed("ann", bytes(32))
    assert identity.exchange.raw != identity.seed
    assert PrivateKey(identity.seed).public != identity.public_key
    for thing in (identity, identity.exchange, identity.signing):
        assert identity.seed.hex() not in f"{thing!r}{thing!s}"
