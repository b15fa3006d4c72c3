"""Key slots: what opens a wrapped seed, and what does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings
from samples import assert_shows_no_secret, raw_key, refused

from pocket_protector import AccessError, FormatError, PassphraseError, StoreError
from pocket_protector.crypto import key_slots
from pocket_protector.crypto.identity import Identity
from pocket_protector.crypto.kdf import Argon2Cost, KeyedHash
from pocket_protector.crypto.key_slots import KeySlot, PassphraseSlot, RawKeySlot, WrappedSeed

CHEAP = Argon2Cost(time=1, memory_kib=8, lanes=1)
ANN = Identity.from_seed("ann", bytes(range(32)))
SLOTS: dict[str, tuple[KeySlot, str]] = {
    "passphrase": (PassphraseSlot("tulip", CHEAP), "tulip"),
    "raw key": (RawKeySlot(b"\xa1" * 32), raw_key(0xA1)),
}
BOTH = pytest.mark.parametrize(("slot", "secret"), SLOTS.values(), ids=SLOTS)


@BOTH
@pytest.mark.parametrize("other", ["Tulip", "", raw_key(0xA2), raw_key(0xA1).upper(), "tulip\udcff"])
def test_only_the_secret_of_the_slot_opens_it(slot: KeySlot, secret: str, other: str) -> None:
    wrapped = slot.wrap(ANN)
    assert wrapped.unwrap("ann", ANN.public_key, ANN.verify_key, secret).seed == ANN.seed
    with refused(PassphraseError):
        wrapped.unwrap("ann", ANN.public_key, ANN.verify_key, other)


def test_the_kind_is_authenticated() -> None:
    """What a raw key wrapped is not opened as if a passphrase had, or at another cost."""
    by_key, by_passphrase = (
        slot.wrap(ANN) for slot in (RawKeySlot(b"\xa1" * 32), PassphraseSlot(raw_key(0xA1), CHEAP))
    )
    for wrapped in (
        replace(by_key, derivation=CHEAP),
        replace(by_passphrase, derivation=KeyedHash()),
        replace(by_passphrase, derivation=replace(CHEAP, time=2)),
    ):
        with refused(PassphraseError):
            wrapped.unwrap("ann", ANN.public_key, ANN.verify_key, raw_key(0xA1))


def test_a_slot_that_nothing_would_open_is_not_made() -> None:
    with refused(StoreError):
        PassphraseSlot("", CHEAP)
    for text in ("", "tulip", raw_key(0xA1)[:-1], raw_key(0xA1) + "\n"):
        with refused(PassphraseError):
            RawKeySlot.parse(text)
    assert RawKeySlot.parse(raw_key(0xA1)).text == raw_key(0xA1)
    assert RawKeySlot.generate() != RawKeySlot.generate()


@BOTH
def test_no_repr_of_a_slot_shows_its_secret(slot: KeySlot, secret: str) -> None:
    for thing in (slot, [slot], {"slot": slot}, slot.wrap(ANN)):
        assert_shows_no_secret(thing)
        assert secret not in f"{thing!r}"
        assert ANN.seed.hex() not in f"{thing!r}"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_wrapped_seed_or_refused(raw: bytes) -> None:
    try:
        assert WrappedSeed.parse(raw).encode() == raw
    except FormatError as error:
        assert_shows_no_secret(error)


def test_each_wrapping_has_its_own_salt_and_nonce() -> None:
    one, other = (RawKeySlot(bytes(32)).wrap(ANN) for _ in range(2))
    assert one.salt != other.salt
    assert one.nonce != other.nonce
    assert one.ciphertext != other.ciphertext


def test_a_wrapped_seed_of_other_keys_is_refused() -> None:
    """Right passphrase, right associated data, but the seed is not that of the public keys beside it."""
    stated, inside = Identity.from_seed("ann", bytes(32)), Identity.from_seed("ann", b"\1" * 32)
    salt, nonce = bytes(16), bytes(24)
    aad = key_slots._associated_data("ann", stated.public_key, stated.verify_key, KeyedHash(), salt)
    kek = KeyedHash().derive_kek(raw_key(1), salt)
    ciphertext = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(inside.seed, aad, nonce, kek)
    wrapped = WrappedSeed(KeyedHash(), salt, nonce, ciphertext)
    with refused(AccessError) as caught:
        wrapped.unwrap("ann", stated.public_key, stated.verify_key, raw_key(1))
    assert "does not belong to the public keys" in str(caught.value)
