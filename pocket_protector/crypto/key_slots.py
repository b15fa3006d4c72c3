"""Key slots: the ways in to an identity (docs/format.md, section 5).

A slot wraps the identity's seed under a key-encryption key of its own. `KeySlot` is a slot that is to be made, with
the secret that will open it. `WrappedSeed` is what the file then stores, without the secret.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import ClassVar, Self

from nacl import bindings, exceptions

from pocket_protector.crypto.encoding import LABEL_PREFIX, lp
from pocket_protector.crypto.identity import Identity, SigningIdentity
from pocket_protector.crypto.kdf import DERIVATIONS, SALT_BYTES, Argon2Cost, Derivation, KeyedHash, parse_raw_key
from pocket_protector.crypto.keys import KEY_BYTES
from pocket_protector.errors import AccessError, FormatError, PassphraseError, StoreError

_LABEL = LABEL_PREFIX + b"identity"
_NONCE_BYTES = bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
_CIPHERTEXT_BYTES = KEY_BYTES + bindings.crypto_aead_xchacha20poly1305_ietf_ABYTES


@dataclass(frozen=True, slots=True, repr=False)
class PassphraseSlot:
    """A new slot that a passphrase opens, stretched with Argon2id at `cost`. StoreError for an empty passphrase."""

    passphrase: str
    cost: Argon2Cost

    KIND_NAME: ClassVar[str] = "key"

    def __post_init__(self) -> None:
        if not self.passphrase:
            raise StoreError("the new passphrase is empty", hint="give one, or use --key-type raw for a generated key")

    def wrap(self, identity: SigningIdentity) -> WrappedSeed:
        """Wrap the identity's seed. Raises AccessError as `Argon2Cost.derive_kek`."""
        return WrappedSeed.wrap(identity, self.passphrase, self.cost)

    def __repr__(self) -> str:
        return f"<PassphraseSlot at {self.cost}>"


@dataclass(frozen=True, slots=True, repr=False)
class RawKeySlot:
    """A new slot that a raw key opens: 32 random bytes, written as `P<64 hex>P`."""

    key: bytes

    KIND_NAME: ClassVar[str] = "raw-key"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `P<64 lower-case hex digits>P`; PassphraseError for text of another form."""
        return cls(parse_raw_key(text))

    @classmethod
    def generate(cls) -> Self:
        """Make a slot with a new random key."""
        return cls(os.urandom(KEY_BYTES))

    @property
    def text(self) -> str:
        """The key as a person or a program gives it: `P<64 lower-case hex digits>P`."""
        return f"P{self.key.hex()}P"

    def wrap(self, identity: SigningIdentity) -> WrappedSeed:
        """Wrap the identity's seed."""
        return WrappedSeed.wrap(identity, self.text, KeyedHash())

    def __repr__(self) -> str:
        return "<RawKeySlot>"


KeySlot = PassphraseSlot | RawKeySlot
"""A slot that is to be made. `KIND_NAME` names its kind in the audit log; `wrap` makes the stored form."""


@dataclass(frozen=True, slots=True)
class WrappedSeed:
    """A seed under a key that a passphrase or a raw key gives, as the file stores it.

    kind (1 byte) ‖ the derivation's parameters (Argon2id: 12 bytes; raw key: none) ‖ salt (16) ‖ nonce (24) ‖
    XChaCha20-Poly1305 ciphertext of the seed with its tag (48).
    """

    derivation: Derivation
    salt: bytes
    nonce: bytes
    ciphertext: bytes

    @classmethod
    def wrap(cls, identity: SigningIdentity, passphrase: str, derivation: Derivation) -> Self:
        """Wrap the identity's seed under what `derivation` makes of `passphrase`, with a new salt and nonce."""
        salt, nonce = os.urandom(SALT_BYTES), os.urandom(_NONCE_BYTES)
        kek = derivation.derive_kek(passphrase, salt)
        aad = _associated_data(identity.name, identity.public_key, identity.verify_key, derivation, salt)
        ciphertext = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(identity.seed, aad, nonce, kek)
        return cls(derivation, salt, nonce, ciphertext)

    def unwrap(self, name: str, public_key: bytes, verify_key: bytes, passphrase: str) -> SigningIdentity:
        """Return the identity of the named custodian, whose public keys (32 bytes each) are given.

        Raises PassphraseError for a wrong passphrase, or if the slot was damaged or belongs to another custodian;
        AccessError if the seed belongs to other keys.
        """
        kek = self.derivation.derive_kek(passphrase, self.salt)
        aad = _associated_data(name, public_key, verify_key, self.derivation, self.salt)
        try:
            seed = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(self.ciphertext, aad, self.nonce, kek)
        except exceptions.CryptoError:
            raise PassphraseError(f"wrong passphrase for {name!r}") from None
        return identity_of_keys(name, seed, public_key, verify_key)

    def encode(self) -> bytes:
        """Return the stored bytes; see the class."""
        head = bytes([self.derivation.KIND]) + self.derivation.encode()
        return head + self.salt + self.nonce + self.ciphertext

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Parse the inverse of `encode`; FormatError for anything else."""
        kind = raw[0] if raw else 0
        derivation = DERIVATIONS.get(kind)
        if derivation is None:
            raise FormatError(f"unknown kind of private key wrapping: {kind}")
        parameters_end = 1 + derivation.ENCODED_BYTES
        salt_end = parameters_end + SALT_BYTES
        nonce_end = salt_end + _NONCE_BYTES
        if len(raw) != nonce_end + _CIPHERTEXT_BYTES:
            raise FormatError(f"a wrapped private key has {nonce_end + _CIPHERTEXT_BYTES} bytes, not {len(raw)}")
        return cls(
            derivation.parse(raw[1:parameters_end]),
            raw[parameters_end:salt_end],
            raw[salt_end:nonce_end],
            raw[nonce_end:],
        )


def identity_of_keys(name: str, seed: bytes, public_key: bytes, verify_key: bytes) -> SigningIdentity:
    """Return the identity of a seed (32 bytes); AccessError unless these public keys (32 bytes each) are its own."""
    identity = Identity.from_seed(name, seed)
    if (identity.public_key, identity.verify_key) != (public_key, verify_key):
        raise AccessError(f"the private key of {name!r} does not belong to the public keys beside it")
    return identity


def _associated_data(name: str, public_key: bytes, verify_key: bytes, derivation: Derivation, salt: bytes) -> bytes:
    return lp(_LABEL, name.encode(), public_key, verify_key, bytes([derivation.KIND]), derivation.encode(), salt)
