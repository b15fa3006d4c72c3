"""Private keys that open packages: ours, as `pprotect keygen` makes them, ssh's and age's (docs/format.md, section
13.7)."""

from __future__ import annotations

from collections.abc import Callable

from pocket_protector.crypto.identity import Identity, WrappedIdentity
from pocket_protector.crypto.kdf import Argon2Cost
from pocket_protector.crypto.keys import KEY_BYTES, PrivateKey
from pocket_protector.errors import AccessError, FormatError
from pocket_protector.packages.keys.age_key import parse_age_identity
from pocket_protector.packages.keys.public_key import parse_line, to_line
from pocket_protector.packages.keys.ssh_key import parse_ssh_private_key

MAX_IDENTITY_BYTES = 64 * 1024

_WORD = "pprotect-identity"
_BARE = b"\0"
_SSH = b"-----BEGIN OPENSSH PRIVATE KEY-----"

Ask = Callable[[], str]
"""Asks for a passphrase."""


def identity_line(identity: Identity, passphrase: str | None, cost: Argon2Cost | None) -> str:
    """`pprotect-identity BASE64 NAME`, one line: version 1 ‖ X25519 key (32 bytes) ‖ Ed25519 key (32), then byte 0 and
    the seed (32), or the seed wrapped under the passphrase."""
    assert identity.verify_key is not None
    wrapped = _BARE + identity.seed
    if passphrase is not None:
        wrapped = WrappedIdentity.wrap(identity, passphrase, cost).encode()
    return to_line(_WORD, identity.public_key + identity.verify_key + wrapped, identity.name)


def parse_identity(raw: bytes, passphrase: Ask) -> PrivateKey:
    """The X25519 key of an identity file. `passphrase` is asked if the file has one. FormatError for other files,
    AccessError for a wrong passphrase."""
    if raw.strip().startswith(_SSH):
        return parse_ssh_private_key(raw, passphrase)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = ""
    if text.startswith(_WORD):
        return parse_own_identity(text, passphrase).exchange
    if "AGE-" in text:
        return parse_age_identity(text)
    raise FormatError(
        "this is no identity that opens packages",
        hint="give a file of pprotect keygen or age-keygen, or an OpenSSH private key of the kind ed25519",
    )


def parse_own_identity(text: str, passphrase: Ask) -> Identity:
    """The inverse of `identity_line`; errors as `parse_identity`."""
    raw, name = parse_line(text, _WORD)
    public, verify, rest = raw[:KEY_BYTES], raw[KEY_BYTES : 2 * KEY_BYTES], raw[2 * KEY_BYTES :]
    if not rest.startswith(_BARE):
        return WrappedIdentity.parse(rest).unwrap(name, public, verify, passphrase())
    if len(rest) != 1 + KEY_BYTES:
        raise FormatError(f"an identity without a passphrase has {KEY_BYTES} bytes of seed")
    identity = Identity.from_seed(name, rest[1:])
    if (identity.public_key, identity.verify_key) != (public, verify):
        raise AccessError(f"the private key of {name!r} does not belong to the public keys beside it")
    return identity
