"""Parse Ed25519 keys of SSH and convert them to X25519.

The formats are RFC 4253, section 6.6, and RFC 8709, section 4, for public keys, and OpenSSH's PROTOCOL.key for private
ones. An SSH `string` has the encoding of `lp`: u32 big-endian length, then the bytes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from pocket_protector.crypto.encoding import lp
from pocket_protector.crypto.kdf import encode_passphrase
from pocket_protector.crypto.key_conversion import x25519_of_seed, x25519_of_verify_key
from pocket_protector.crypto.keys import KEY_BYTES, PrivateKey, SigningKey
from pocket_protector.errors import AccessError, FormatError, StoreError

MAX_PUBLIC_KEY_CHARACTERS = 8192
MAX_PRIVATE_KEY_BYTES = 65536
MAX_ROUNDS = 1024
"""The largest number of bcrypt rounds. The default of ssh-keygen is 16 or 24."""

_KIND = "ssh-ed25519"
_TAKEN = "give an ssh-ed25519 or an age1 key"
_OTHER_KIND = re.compile(r"(sk-)?(ssh|ecdsa)-[a-z0-9-]{1,40}(@openssh\.com)?")
_BLOB_START = lp(_KIND.encode()) + KEY_BYTES.to_bytes(4, "big")

_BEGIN, _END = "-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----"
_MAGIC = b"openssh-key-v1\0"
_SALT_BYTES = 16
# Cipher → block size, and length of the tag after the ciphertext, in bytes.
_CIPHERS = {b"aes256-ctr": (16, 0), b"aes256-cbc": (16, 0), b"aes256-gcm@openssh.com": (16, 16)}
_NO_CIPHER = (8, 0)


@dataclass(frozen=True, slots=True)
class SshPublicKey:
    """A public key of SSH, converted: `public_key` is X25519 (32 bytes).

    `fingerprint` is the `SHA256:…` of the SSH key that `ssh-keygen -l` prints.
    """

    public_key: bytes
    fingerprint: str
    comment: str


def parse_ssh_public_key(text: str) -> SshPublicKey:
    """Parse a public key from a file `.pub`: `ssh-ed25519 BASE64[ COMMENT]`, with at most one line end (LF or CRLF).

    The base64 is canonical, of 51 bytes: string "ssh-ed25519", string of 32 bytes. Raises FormatError for anything
    else: another kind, a certificate, options before the key, a second line, a comment with characters that are not
    printable, a key that `parse_verify_key` refuses, and more than 8192 characters.
    """
    if len(text) > MAX_PUBLIC_KEY_CHARACTERS:
        raise FormatError(f"an SSH public key has at most {MAX_PUBLIC_KEY_CHARACTERS} characters", hint=_TAKEN)
    if text.startswith("-----BEGIN "):
        raise FormatError(
            "this is not a valid SSH public key", hint="give the file that ends in .pub, never the private key"
        )
    line = re.sub(r"\r?\n\Z", "", text)
    if "\n" in line or "\r" in line:
        raise FormatError("an SSH public key must be one line", hint="give one key only")
    kind, _, rest = line.partition(" ")
    if kind != _KIND:
        named = f"of kind {kind}" if _OTHER_KIND.fullmatch(kind) else f"that does not begin with {_KIND}"
        raise FormatError(f"pprotect cannot seal to an SSH key {named}", hint=_TAKEN)
    encoded, _, comment = rest.partition(" ")
    if not comment.isprintable():
        raise FormatError("the comment of the SSH key has characters that are not printable")
    blob = _decode_base64(encoded, "the SSH public key")
    return SshPublicKey(x25519_of_verify_key(_verify_key(blob)), _fingerprint(blob), comment)


def parse_ssh_private_key(raw: bytes, passphrase: Callable[[], str]) -> PrivateKey:
    """Parse an Ed25519 private key in OpenSSH's format, as ssh-keygen writes it, and return the X25519 private key.

    `passphrase` is called only if the key is encrypted. Raises FormatError for a damaged file, another format or kind,
    several keys, more than 65536 bytes, and more than 1024 rounds of bcrypt; AccessError if the passphrase is wrong;
    StoreError if the extra `ssh` is not installed.
    """
    envelope = _parse_envelope(_decode_armour(raw))
    try:
        from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_ssh_private_key

        if envelope.encrypted:
            import_module("bcrypt")  # cryptography reports its absence only after the passphrase is entered
    except ImportError:
        raise StoreError(
            "SSH private keys need an extra of pprotect that is not installed", hint="pip install 'pprotect[ssh]'"
        ) from None
    secret = encode_passphrase(passphrase()) if envelope.encrypted else None
    try:
        key = load_ssh_private_key(envelope.armoured, secret)
    except (ValueError, TypeError, InvalidTag, UnsupportedAlgorithm):
        key = None
    if key is None and envelope.encrypted:
        # Two of the three ciphers are not authenticated: a damaged file looks like a wrong passphrase.
        raise AccessError(
            "the SSH key does not open: the passphrase is wrong, or the file is damaged",
            hint="test the passphrase with: ssh-keygen -y -f FILE",
        )
    if not isinstance(key, Ed25519PrivateKey):
        raise _damaged()
    seed = key.private_bytes_raw()
    if SigningKey(seed).public != envelope.verify_key:
        raise _damaged()
    return x25519_of_seed(seed)


@dataclass(frozen=True, slots=True)
class _Envelope:
    """The parts of a private key's file that are not encrypted.

    `armoured` is the same file, encoded anew, so that the library opens exactly the bytes that we have checked.
    """

    armoured: bytes
    encrypted: bool
    verify_key: bytes


def _parse_envelope(blob: bytes) -> _Envelope:
    """Parse and check the parts of a private key's file that are not encrypted, above all the cost of its KDF."""
    if not blob.startswith(_MAGIC):
        raise _damaged()
    cipher, rest = _take(blob[len(_MAGIC) :])
    kdf, rest = _take(rest)
    options, rest = _take(rest)
    if rest[:4] != b"\0\0\0\1":
        raise FormatError("the file does not have exactly one SSH key")
    public, rest = _take(rest[4:])
    private, tag = _take(rest)
    if (cipher, kdf, options) == (b"none", b"none", b""):
        block_bytes, tag_bytes = _NO_CIPHER
    elif cipher in _CIPHERS and kdf == b"bcrypt":
        block_bytes, tag_bytes = _CIPHERS[cipher]
        _check_cost(options)
    else:
        raise FormatError(
            "the SSH key has an unsupported cipher or key derivation", hint="run: ssh-keygen -p -Z aes256-ctr -f FILE"
        )
    if not private or len(private) % block_bytes or len(tag) != tag_bytes:
        raise _damaged()
    armoured = f"{_BEGIN}\n{base64.b64encode(blob).decode()}\n{_END}\n".encode()
    return _Envelope(armoured, kdf != b"none", _verify_key(public))


def _check_cost(options: bytes) -> None:
    """Check the options of bcrypt: a string with 16 bytes of salt, then the rounds as u32."""
    salt, rounds = _take(options)
    if len(salt) != _SALT_BYTES or len(rounds) != 4:
        raise _damaged()
    if not 1 <= int.from_bytes(rounds, "big") <= MAX_ROUNDS:
        raise FormatError(
            f"the SSH key does not have 1 to {MAX_ROUNDS} rounds of bcrypt",
            hint="run: ssh-keygen -p -a 24 -f FILE",
        )


def _decode_armour(raw: bytes) -> bytes:
    if len(raw) > MAX_PRIVATE_KEY_BYTES:
        raise FormatError(f"an SSH private key has at most {MAX_PRIVATE_KEY_BYTES} bytes")
    first, *lines = raw.decode("ascii", errors="replace").rstrip("\r\n").replace("\r\n", "\n").split("\n")
    if first != _BEGIN:
        raise FormatError(
            "this is not a valid private key in OpenSSH's own format",
            hint="give a file that ssh-keygen -t ed25519 wrote",
        )
    if not lines or lines.pop() != _END:
        raise _damaged()
    return _decode_base64("".join(lines), "the SSH private key")


def _verify_key(blob: bytes) -> bytes:
    """Return the Ed25519 public key (32 bytes) from the 51 bytes of an SSH public key."""
    if not blob.startswith(lp(_KIND.encode())):
        raise FormatError("the SSH key is not of kind ssh-ed25519", hint=_TAKEN)
    if not blob.startswith(_BLOB_START) or len(blob) != len(_BLOB_START) + KEY_BYTES:
        raise FormatError(f"the SSH key does not have exactly {KEY_BYTES} bytes of Ed25519 public key")
    return blob[len(_BLOB_START) :]


def _fingerprint(blob: bytes) -> str:
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _take(data: bytes) -> tuple[bytes, bytes]:
    """Return the first SSH string, and the bytes after it."""
    end = 4 + int.from_bytes(data[:4], "big")
    if len(data) < end:
        raise _damaged()
    return data[4:end], data[end:]


def _decode_base64(encoded: str, subject: str) -> bytes:
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except ValueError:
        decoded = b""
    # b64decode accepts stray bits after the last byte.
    if not decoded or base64.b64encode(decoded).decode() != encoded:
        raise FormatError(f"{subject} is not canonical base64", hint="copy the complete key again")
    return decoded


def _damaged() -> FormatError:
    return FormatError("the SSH private key is damaged")
