"""Private keys that open packages: ours, as `pprotect keygen` makes them, ssh's and age's (docs/format.md, section
13.7)."""

from __future__ import annotations

from collections.abc import Callable

from pocket_protector.crypto.identity import SigningIdentity
from pocket_protector.crypto.key_slots import KeySlot, WrappedSeed, identity_of_keys
from pocket_protector.crypto.keys import KEY_BYTES, PrivateKey
from pocket_protector.errors import FormatError
from pocket_protector.packages.keys.age_key import parse_age_identity
from pocket_protector.packages.keys.public_key import parse_line, to_line
from pocket_protector.packages.keys.ssh_key import parse_ssh_private_key

MAX_IDENTITY_BYTES = 64 * 1024

_WORD = "pprotect-identity"
_BARE = b"\0"
_SSH = b"-----BEGIN OPENSSH PRIVATE KEY-----"

Ask = Callable[[], str]
"""Asks for a passphrase."""


def identity_line(identity: SigningIdentity, slot: KeySlot | None) -> str:
    """Return the line `pprotect-identity BASE64 NAME`, which holds the private key; without a slot, in the clear.

    The bytes: version 1 ‖ X25519 key (32 bytes) ‖ Ed25519 key (32), then byte 0 and the seed (32), or the seed as
    `slot` wraps it.
    """
    wrapped = _BARE + identity.seed if slot is None else slot.wrap(identity).encode()
    return to_line(_WORD, identity.public_key + identity.verify_key + wrapped, identity.name)


def parse_identity(raw: bytes, passphrase: Ask) -> PrivateKey:
    """Return the X25519 key of an identity file. `passphrase` is called if one protects the file.

    Raises FormatError for other files, and PassphraseError for a wrong passphrase.
    """
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


def parse_own_identity(text: str, passphrase: Ask) -> SigningIdentity:
    """Parse the inverse of `identity_line`; raises as `parse_identity`."""
    raw, name = parse_line(text, _WORD)
    public, verify, rest = raw[:KEY_BYTES], raw[KEY_BYTES : 2 * KEY_BYTES], raw[2 * KEY_BYTES :]
    if not rest.startswith(_BARE):
        return WrappedSeed.parse(rest).unwrap(name, public, verify, passphrase())
    if len(rest) != 1 + KEY_BYTES:
        raise FormatError(f"an identity without a passphrase has {KEY_BYTES} bytes of seed")
    return identity_of_keys(name, rest[1:], public, verify)
