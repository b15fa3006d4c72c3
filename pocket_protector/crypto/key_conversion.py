"""Convert Ed25519 keys to X25519: the birational map of RFC 7748, section 4.1, and for private keys the first step of
RFC 8032, section 5.1.5."""

from __future__ import annotations

from nacl import bindings

from pocket_protector.crypto.keys import KEY_BYTES, PrivateKey, SigningKey, parse_public_key, parse_verify_key
from pocket_protector.errors import FormatError


def x25519_of_verify_key(raw: bytes) -> bytes:
    """Convert an Ed25519 public key (32 bytes) to the X25519 public key (32 bytes).

    Raises FormatError if `parse_verify_key` refuses the one or `parse_public_key` the other. Both signs of a point give
    the same key.
    """
    return parse_public_key(bindings.crypto_sign_ed25519_pk_to_curve25519(parse_verify_key(raw)))


def x25519_of_seed(seed: bytes) -> PrivateKey:
    """Convert an Ed25519 private key, in the form of RFC 8032 (32 bytes), to the X25519 private key.

    Its public key is that of `x25519_of_verify_key`. Raises FormatError for another length.
    """
    if len(seed) != KEY_BYTES:
        raise FormatError(f"a seed has {KEY_BYTES} bytes, not {len(seed)}")
    expanded = seed + SigningKey(seed).public  # libsodium's form of the private key, 64 bytes
    return PrivateKey(bindings.crypto_sign_ed25519_sk_to_curve25519(expanded))
