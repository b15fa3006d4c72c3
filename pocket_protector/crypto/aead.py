"""Symmetric encryption of what only one key opens, in one place (docs/format.md, section 13.4)."""

from __future__ import annotations

import hashlib
import os

from nacl import bindings, exceptions

from pocket_protector.crypto.keys import KEY_BYTES
from pocket_protector.errors import IntegrityError

NONCE_BYTES = bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
AEAD_OVERHEAD = NONCE_BYTES + bindings.crypto_aead_xchacha20poly1305_ietf_ABYTES
"""Random nonce (24 bytes) and Poly1305 tag (16 bytes)."""


def derive_key(key: bytes, message: bytes) -> bytes:
    """BLAKE2b-256 of the message, keyed with 32 bytes: a key for one purpose, which the message names."""
    return hashlib.blake2b(message, digest_size=KEY_BYTES, key=key).digest()


def encrypt(key: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """XChaCha20-Poly1305 under 32 bytes of key: a random nonce (24 bytes), then the ciphertext with its tag."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, aad, nonce, key)


def decrypt(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """What `encrypt` took; IntegrityError for another key, other associated data, or a bit that differs."""
    nonce, ciphertext = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, aad, nonce, key)
    except (exceptions.CryptoError, TypeError, ValueError):
        raise IntegrityError("it does not open: it was damaged, or belongs to another place or key") from None
