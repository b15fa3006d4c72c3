"""Public key lines, and the recipients of packages (docs/format.md, section 13.7)."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Self

from pocket_protector.crypto.identity import SigningIdentity
from pocket_protector.crypto.keys import (
    KEY_BYTES,
    SIGNATURE_BYTES,
    is_signed,
    parse_public_key,
    parse_verify_key,
)
from pocket_protector.document.custodian import CUSTODIAN, own_statement
from pocket_protector.document.names import parse_custodian_name
from pocket_protector.document.statements import Keys
from pocket_protector.errors import FormatError, IntegrityError
from pocket_protector.packages.keys.age_key import parse_age_recipient
from pocket_protector.packages.keys.ssh_key import parse_ssh_public_key
from pocket_protector.trust.fingerprints import fingerprint, to_words

MAX_KEY_FILE_BYTES = 16 * 1024
_WORD = "pprotect-key"
_VERSION = b"\1"
_BYTES = 2 * KEY_BYTES + SIGNATURE_BYTES
_KINDS = "give a line of pprotect pubkey, an ssh-ed25519 public key, or a recipient of age (age1…)"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A person's name and both public keys, self-signed like the entry of a custodian.

    Raises IntegrityError if the signature (64 bytes) does not match.
    """

    name: str
    keys: Keys
    signature: bytes

    def __post_init__(self) -> None:
        if not is_signed(self.keys.verify_key, self.signature, own_statement(self.name, self.keys)):
            raise IntegrityError("the public key's own signature does not match")

    @classmethod
    def from_identity(cls, identity: SigningIdentity) -> Self:
        """Return the public half of the identity, signed by itself."""
        keys = Keys(identity.public_key, identity.verify_key)
        fields = identity.name.encode(), keys.public_key, keys.verify_key
        return cls(identity.name, keys, identity.signing.sign(CUSTODIAN, *fields))

    @property
    def text(self) -> str:
        """The line `pprotect-key BASE64 NAME`: version 1 ‖ X25519 key (32 bytes) ‖ Ed25519 (32) ‖ signature (64)."""
        return to_line(_WORD, self.keys.public_key + self.keys.verify_key + self.signature, self.name)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse exactly one public key line. Raises FormatError, or IntegrityError if the signature does not match."""
        raw, name = parse_line(text, _WORD)
        if len(raw) != _BYTES:
            raise FormatError(f"a public key line must have {_BYTES} bytes, not {len(raw)}")
        public, verify, signature = raw[:KEY_BYTES], raw[KEY_BYTES : 2 * KEY_BYTES], raw[2 * KEY_BYTES :]
        return cls(name, Keys(parse_public_key(public), parse_verify_key(verify)), signature)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A recipient of a package: a name, the X25519 public key (32 bytes), and the key's fingerprint for people."""

    name: str
    public_key: bytes
    fingerprint: str


def recipient_of(name: str, keys: Keys) -> Recipient:
    """Return the recipient for a custodian. Raises FormatError if the public key is not valid."""
    return Recipient(name, parse_public_key(keys.public_key), to_words(fingerprint(name, keys)))


def parse_recipient(text: str) -> Recipient:
    """Parse the text of a file with one public key: our line, an ssh-ed25519 key, or a recipient of age.

    Raises FormatError for other keys and for anything besides the key, and IntegrityError if the signature of our
    line does not match.
    """
    if text.startswith(_WORD):
        key = PublicKey.parse(text)
        return recipient_of(key.name, key.keys)
    if text.startswith("ssh-"):
        ssh = parse_ssh_public_key(text)
        return Recipient(ssh.comment or ssh.fingerprint, ssh.public_key, ssh.fingerprint)
    if text.lower().startswith("age1"):
        public_key, plain = parse_age_recipient(text), text.strip()
        return Recipient(plain, public_key, plain)
    raise FormatError("this is not a valid public key for a package", hint=_KINDS)


def parse_line(text: str, word: str) -> tuple[bytes, str]:
    """Parse a line `WORD BASE64 NAME`, and return the bytes after version byte 1, and the name. Raises FormatError."""
    first, _, rest = re.sub(r"\r?\n\Z", "", text).partition(" ")
    encoded, _, name = rest.partition(" ")
    try:
        raw = base64.b64decode(encoded, validate=True)
        parse_custodian_name(name)
    except ValueError:
        raw = b""
    # b64decode accepts stray bits after the last byte, so that two texts would be the same key.
    if first != word or raw[:1] != _VERSION or base64.b64encode(raw).decode() != encoded:
        raise FormatError(f"this is not a valid line of the form: {word} BASE64 NAME")
    return raw[1:], name


def to_line(word: str, raw: bytes, name: str) -> str:
    """Return the line `WORD BASE64 NAME` for the bytes and the name, with version byte 1 in front of the bytes."""
    return f"{word} {base64.b64encode(_VERSION + raw).decode()} {name}\n"
