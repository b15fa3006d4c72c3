"""A custodian's private half, and how it is wrapped by a passphrase (docs/format.md, section 5)."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import Self

from nacl import bindings, exceptions

from pocket_protector.crypto import kdf
from pocket_protector.crypto.encoding import LABEL_PREFIX, lp
from pocket_protector.crypto.keys import KEY_BYTES, PrivateKey, SigningKey
from pocket_protector.errors import AccessError, FormatError

KIND_ARGON2ID = 1
KIND_RAW = 2

_LABEL = LABEL_PREFIX + b"identity"
_NONCE_BYTES = bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
_CIPHERTEXT_BYTES = KEY_BYTES + bindings.crypto_aead_xchacha20poly1305_ietf_ABYTES
_COST_BYTES = 12


class Identity:
    """The private half of a custodian's keys, from `KeyFile.unlock`: give it wherever credentials are asked for.

    `name` is the custodian's, `public_key` 32 bytes of X25519, `verify_key` 32 bytes of Ed25519 or None for a
    custodian whose keys Pocket Protector made. Nothing of the private half shows in a repr.
    """

    __slots__ = ("exchange", "name", "seed", "signing")

    def __init__(self, name: str, exchange: PrivateKey, signing: SigningKey | None, seed: bytes) -> None:
        self.name = name
        self.exchange = exchange
        self.signing = signing
        self.seed = seed

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> Self:
        """Both key pairs from 32 bytes: keyed BLAKE2b-256 of nothing, one personalisation each."""
        return cls(
            name, PrivateKey(_derive(seed, b"pprotect-x25519")), SigningKey(_derive(seed, b"pprotect-ed25519")), seed
        )

    @classmethod
    def generate(cls, name: str) -> Self:
        return cls.from_seed(name, os.urandom(KEY_BYTES))

    @property
    def public_key(self) -> bytes:
        return self.exchange.public

    @property
    def verify_key(self) -> bytes | None:
        return None if self.signing is None else self.signing.public

    def __repr__(self) -> str:
        return f"<Identity of {self.name!r}>"


@dataclass(frozen=True, slots=True)
class WrappedIdentity:
    """An identity's seed under a passphrase.

    kind (1 byte) ‖ cost (12 bytes: passes, KiB, lanes as u32 big-endian; absent for a raw key) ‖ salt (16) ‖
    nonce (24) ‖ XChaCha20-Poly1305 ciphertext of the seed with its tag (48).
    """

    cost: kdf.Argon2Cost | None
    salt: bytes
    nonce: bytes
    ciphertext: bytes

    @classmethod
    def wrap(cls, identity: Identity, passphrase: str, cost: kdf.Argon2Cost | None) -> Self:
        """Wrap under `passphrase`; `cost` None means that it is a raw key."""
        salt, nonce = os.urandom(kdf.SALT_BYTES), os.urandom(_NONCE_BYTES)
        kek = kdf.stretch_raw(passphrase, salt) if cost is None else kdf.stretch(passphrase, salt, cost)
        aad = _associated_data(identity.name, identity.public_key, identity.verify_key or b"", cost, salt)
        ciphertext = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(identity.seed, aad, nonce, kek)
        return cls(cost, salt, nonce, ciphertext)

    def unwrap(self, name: str, public_key: bytes, verify_key: bytes, passphrase: str) -> Identity:
        """The identity of the named custodian; AccessError for a wrong passphrase or any other keys."""
        kek = (
            kdf.stretch_raw(passphrase, self.salt)
            if self.cost is None
            else kdf.stretch(passphrase, self.salt, self.cost)
        )
        aad = _associated_data(name, public_key, verify_key, self.cost, self.salt)
        try:
            seed = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(self.ciphertext, aad, self.nonce, kek)
        except exceptions.CryptoError:
            raise AccessError(f"wrong passphrase for {name!r}") from None
        identity = Identity.from_seed(name, seed)
        if (identity.public_key, identity.verify_key) != (public_key, verify_key):
            raise AccessError(f"the private key of {name!r} does not belong to the public keys beside it")
        return identity

    def encode(self) -> bytes:
        return _kind_and_cost(self.cost) + self.salt + self.nonce + self.ciphertext

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """The inverse of `encode`; FormatError for anything else."""
        kind = raw[0] if raw else 0
        if kind not in (KIND_ARGON2ID, KIND_RAW):
            raise FormatError(f"unknown kind of private key wrapping: {kind}")
        cost_end = 1 + (_COST_BYTES if kind == KIND_ARGON2ID else 0)
        salt_end = cost_end + kdf.SALT_BYTES
        nonce_end = salt_end + _NONCE_BYTES
        if len(raw) != nonce_end + _CIPHERTEXT_BYTES:
            raise FormatError(f"a wrapped private key has {nonce_end + _CIPHERTEXT_BYTES} bytes, not {len(raw)}")
        cost = None
        if kind == KIND_ARGON2ID:
            cost = kdf.Argon2Cost(*(int.from_bytes(raw[at : at + 4], "big") for at in (1, 5, 9)))
        return cls(cost, raw[cost_end:salt_end], raw[salt_end:nonce_end], raw[nonce_end:])


def _derive(seed: bytes, person: bytes) -> bytes:
    return hashlib.blake2b(b"", digest_size=KEY_BYTES, key=seed, person=person).digest()


def _kind_and_cost(cost: kdf.Argon2Cost | None) -> bytes:
    if cost is None:
        return bytes([KIND_RAW])
    return bytes([KIND_ARGON2ID]) + b"".join(n.to_bytes(4, "big") for n in (cost.time, cost.memory_kib, cost.lanes))


def _associated_data(
    name: str, public_key: bytes, verify_key: bytes, cost: kdf.Argon2Cost | None, salt: bytes
) -> bytes:
    encoded = _kind_and_cost(cost)
    return lp(_LABEL, name.encode(), public_key, verify_key, encoded[:1], encoded[1:], salt)
