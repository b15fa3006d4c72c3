"""Authenticated symmetric encryption, bound to a place (docs/format.md, section 13.4)."""

from __future__ import annotations

import hashlib
import os

from nacl import bindings, exceptions

from pocket_protector.crypto.keys import KEY_BYTES
from pocket_protector.errors import IntegrityError

NONCE_BYTES = bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
AEAD_OVERHEAD = NONCE_BYTES + bindings.crypto_aead_xchacha20poly1305_ietf_ABYTES
"""The random nonce (24 bytes) and the Poly1305 tag (16 bytes)."""


def derive_key(key: bytes, message: bytes) -> bytes:
    """Derive a key (32 bytes) for one purpose, which the message names: BLAKE2b-256, keyed with 32 bytes."""
    return hashlib.blake2b(message, digest_size=KEY_BYTES, key=key).digest()


def encrypt(key: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """Encrypt with XChaCha20-Poly1305 under a key of 32 bytes.

    Returns a random nonce (24 bytes), then the ciphertext with its tag (16 bytes).
    """
    nonce = os.urandom(NONCE_BYTES)
    return nonce + bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, aad, nonce, key)


def decrypt(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """Return the plaintext of `encrypt`; IntegrityError for another key, other associated data, or damaged bytes."""
    nonce, ciphertext = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, aad, nonce, key)
    except (exceptions.CryptoError, TypeError, ValueError):
        raise IntegrityError("it does not open: it was damaged, or belongs to another place or key") from None
