"""A custodian's private half: the key pairs that one seed gives (docs/format.md, section 5)."""

from __future__ import annotations

import hashlib
import os

from pocket_protector.crypto.keys import KEY_BYTES, PrivateKey, SigningKey


class Identity:
    """The private half of a custodian's keys, from `KeyFile.unlock`: pass it wherever credentials are asked for.

    `name` is the custodian's, `public_key` has 32 bytes of X25519. `verify_key` has 32 bytes of Ed25519, or is None
    for a custodian whose keys Pocket Protector made: those cannot sign. No private key shows in a repr.
    """

    __slots__ = ("exchange", "name")

    def __init__(self, name: str, exchange: PrivateKey) -> None:
        self.name = name
        self.exchange = exchange

    @staticmethod
    def from_seed(name: str, seed: bytes) -> SigningIdentity:
        """Derive both key pairs from a seed of 32 bytes: keyed BLAKE2b-256 of nothing, one personalisation each."""
        exchange = PrivateKey(_derive(seed, b"pprotect-x25519"))
        return SigningIdentity(name, exchange, SigningKey(_derive(seed, b"pprotect-ed25519")), seed)

    @staticmethod
    def generate(name: str) -> SigningIdentity:
        """Make an identity from a random seed."""
        return Identity.from_seed(name, os.urandom(KEY_BYTES))

    @property
    def public_key(self) -> bytes:
        """The X25519 public key (32 bytes)."""
        return self.exchange.public

    @property
    def verify_key(self) -> bytes | None:
        """The Ed25519 public key (32 bytes); None for an identity that cannot sign."""
        return None

    def __repr__(self) -> str:
        return f"<Identity of {self.name!r}>"


class SigningIdentity(Identity):
    """An identity that can sign: every one that did not come from Pocket Protector. `seed` has 32 bytes."""

    __slots__ = ("seed", "signing")

    def __init__(self, name: str, exchange: PrivateKey, signing: SigningKey, seed: bytes) -> None:
        super().__init__(name, exchange)
        self.signing = signing
        self.seed = seed

    @property
    def verify_key(self) -> bytes:
        """The Ed25519 public key (32 bytes)."""
        return self.signing.public


def _derive(seed: bytes, person: bytes) -> bytes:
    return hashlib.blake2b(b"", digest_size=KEY_BYTES, key=seed, person=person).digest()
