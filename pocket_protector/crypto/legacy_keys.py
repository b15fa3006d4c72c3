"""Keys that Pocket Protector derived from passphrases, for reading only (docs/format.md, section 9)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Self

from pocket_protector.crypto import kdf
from pocket_protector.crypto.identity import Identity
from pocket_protector.crypto.keys import KEY_BYTES, PrivateKey, parse_public_key
from pocket_protector.errors import AccessError, FormatError, PassphraseError

_SALT_BYTES = 8
_LIMITS_BYTES = 8


@dataclass(frozen=True, slots=True)
class PasswordDerivedKey:
    """A `pwdkm` scalar: version (1 byte) ‖ for version 1, operations and bytes as u32 little-endian ‖ salt (8) ‖
    X25519 public key (32).

    Version 0 stretches with Argon2id at `KDF_SENSITIVE`, version 1 at the stored limits. Version 2 holds a raw key and
    does not stretch.
    """

    version: int
    limits: tuple[int, int]
    salt: bytes
    public_key: bytes

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Parse the whole scalar with its version byte; FormatError for anything that upstream did not write."""
        version = raw[0] if raw else -1
        if version not in (0, 1, 2):
            raise FormatError(f"unknown pwdkm version: {version}")
        salt_at = 1 + (_LIMITS_BYTES if version == 1 else 0)
        key_at = salt_at + _SALT_BYTES
        if len(raw) != key_at + KEY_BYTES:
            raise FormatError(f"a pwdkm of version {version} has {key_at + KEY_BYTES} bytes, not {len(raw)}")
        limits = kdf.KDF_SENSITIVE
        if version == 1:
            limits = (int.from_bytes(raw[1:5], "little"), int.from_bytes(raw[5:9], "little"))
            kdf.Argon2Cost(time=limits[0], memory_kib=limits[1] // 1024, lanes=1)
        return cls(version, limits, raw[salt_at:key_at], parse_public_key(raw[key_at:]))

    def encode(self) -> bytes:
        """Return the inverse of `parse`."""
        limits = b"".join(n.to_bytes(4, "little") for n in self.limits) if self.version == 1 else b""
        return bytes([self.version]) + limits + self.salt + self.public_key

    def unlock(self, name: str, passphrase: str) -> Identity:
        """Derive the private key of the named custodian.

        Raises PassphraseError unless it belongs to the stored public key, AccessError if there is not enough memory.
        """
        secret, identifier = kdf.encode_passphrase(passphrase), name.encode()
        stretched = hashlib.sha512(secret + self.salt + identifier).digest()
        if self.version == 2:
            raw = stretched[:KEY_BYTES]
        else:
            raw = _argon2id(stretched, hashlib.sha512(self.salt + identifier).digest()[:16], self.limits)
        private = PrivateKey(raw)
        if private.public != self.public_key:
            raise PassphraseError(f"wrong passphrase for {name!r}")
        return Identity(name, private)


def _argon2id(password: bytes, salt: bytes, limits: tuple[int, int]) -> bytes:
    # One lane: libsodium's own implementation is about twice as fast at that as argon2-cffi's.
    from nacl import exceptions, pwhash

    try:
        return pwhash.argon2id.kdf(KEY_BYTES, password, salt, opslimit=limits[0], memlimit=limits[1])
    except (exceptions.CryptoError, MemoryError):
        raise AccessError(f"the key derivation failed: it needs {limits[1] // 1024} KiB of memory") from None
