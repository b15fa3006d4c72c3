"""Ed25519 keys as X25519 keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings
from samples import refused

from pocket_protector import FormatError
from pocket_protector.crypto.key_conversion import x25519_of_seed, x25519_of_verify_key
from pocket_protector.crypto.keys import PrivateKey, SigningKey, key_id, parse_public_key
from pocket_protector.crypto.sealing import SECRET, open_sealed, seal

PRIME = 2**255 - 19
SEEDS = st.binary(min_size=32, max_size=32)

# The seed of libsodium's own test of its conversion, and the two keys that it expects.
SEED = bytes.fromhex("421151a459faeade3d247115f94aedae42318124095afabe4d1451a559faedee")
PRIVATE = "8052030376d47112be7f73ed7a019293dd12ad910b654455798b4667d73de166"
PUBLIC = "f1814f0e8ff1043d8a44d25babff3cedcae6c22c3edaa48f857ae70de2baae50"

# A point of order 8 (y as little-endian bytes).
TORSION = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
SMALL_ORDER = {
    "neutral": (1).to_bytes(32, "little"),
    "order 2": (PRIME - 1).to_bytes(32, "little"),
    "order 4": bytes(32),
    "order 4, the other sign": (1 << 255).to_bytes(32, "little"),
    "order 8": TORSION,
    "order 8, the other sign": TORSION[:31] + bytes([TORSION[31] | 0x80]),
}


def mixed(order: int) -> bytes:
    """A point of the main subgroup, and one of small order on top."""
    torsion = TORSION
    for _ in range({8: 0, 4: 1, 2: 2}[order]):
        torsion = bindings.crypto_core_ed25519_add(torsion, torsion)
    return bindings.crypto_core_ed25519_add(SigningKey(SEED).public, torsion)


MALFORMED = SMALL_ORDER | {
    "x is zero, and negative": (1 | 1 << 255).to_bytes(32, "little"),
    "y is the prime": PRIME.to_bytes(32, "little"),
    "y is the prime and one": (PRIME + 1).to_bytes(32, "little"),
    "y has all bits": b"\xff" * 32,
    "not on the curve": (2).to_bytes(32, "little"),
    "of order 2 and more": mixed(2),
    "of order 4 and more": mixed(4),
    "of order 8 and more": mixed(8),
}


def test_a_known_pair() -> None:
    assert x25519_of_seed(SEED).raw.hex() == PRIVATE
    assert x25519_of_seed(SEED).public.hex() == PUBLIC
    assert x25519_of_verify_key(SigningKey(SEED).public).hex() == PUBLIC


@given(SEEDS)
def test_the_map_is_that_of_rfc_7748(seed: bytes) -> None:
    verify_key = SigningKey(seed).public
    y = int.from_bytes(verify_key, "little") % 2**255
    u = (1 + y) * pow(1 - y, -1, PRIME) % PRIME
    assert x25519_of_verify_key(verify_key) == u.to_bytes(32, "little") == x25519_of_seed(seed).public


@given(SEEDS, SEEDS)
def test_what_is_sealed_to_one_opens_with_the_other(seed: bytes, other: bytes) -> None:
    recipient = x25519_of_verify_key(SigningKey(seed).public)
    sealed = seal(recipient, SECRET, (b"dev",), b"tulip")
    key = x25519_of_seed(seed)
    assert open_sealed(sealed, {key_id(key.public): key}, SECRET, (b"dev",)) == b"tulip"
    assert (x25519_of_seed(other).public == recipient) == (seed == other)


def test_the_seed_itself_is_not_the_private_key() -> None:
    assert PrivateKey(SEED).public != x25519_of_seed(SEED).public


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED)
def test_a_point_that_is_no_verify_key_is_refused(raw: bytes) -> None:
    with refused(FormatError) as caught:
        x25519_of_verify_key(raw)
    assert "not a canonical point" in str(caught.value)


@given(st.binary(max_size=80).filter(lambda raw: len(raw) != 32))
def test_a_key_of_another_length_is_refused(raw: bytes) -> None:
    with refused(FormatError) as caught:
        x25519_of_verify_key(raw)
    assert f"not {len(raw)}" in str(caught.value)


@given(st.binary(max_size=80).filter(lambda raw: len(raw) != 32))
def test_a_seed_of_another_length_is_refused(raw: bytes) -> None:
    with refused(FormatError) as caught:
        x25519_of_seed(raw)
    assert f"not {len(raw)}" in str(caught.value)


@given(SEEDS)
def test_any_32_bytes_are_a_key_or_refused(raw: bytes) -> None:
    try:
        public_key = x25519_of_verify_key(raw)
    except FormatError:
        return
    assert parse_public_key(public_key) == public_key
