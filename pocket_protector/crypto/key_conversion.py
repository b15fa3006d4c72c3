"""Ed25519 keys that others made, as the X25519 keys that belong to them: the birational map of RFC 7748, section 4.1,
and for the private half the first step of RFC 8032, section 5.1.5."""

from __future__ import annotations

from nacl import bindings

from pocket_protector.crypto.keys import KEY_BYTES, PrivateKey, SigningKey, parse_public_key, parse_verify_key
from pocket_protector.errors import FormatError


def x25519_of_verify_key(raw: bytes) -> bytes:
    """The X25519 public key (32 bytes) of an Ed25519 public key (32 bytes).

    Raises FormatError for what `parse_verify_key` or `parse_public_key` refuses. Both signs of a point give one key.
    """
    return parse_public_key(bindings.crypto_sign_ed25519_pk_to_curve25519(parse_verify_key(raw)))


def x25519_of_seed(seed: bytes) -> PrivateKey:
    """The X25519 private key that belongs to `x25519_of_verify_key` of the seed's public key.

    `seed` is an Ed25519 private key as RFC 8032 has it (32 bytes); FormatError for another length.
    """
    if len(seed) != KEY_BYTES:
        raise FormatError(f"a seed has {KEY_BYTES} bytes, not {len(seed)}")
    expanded = seed + SigningKey(seed).public  # libsodium's form of the private key, 64 bytes
    return PrivateKey(bindings.crypto_sign_ed25519_sk_to_curve25519(expanded))
