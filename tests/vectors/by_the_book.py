"""Format 1 as docs/format.md has it, without a line of the package: what its examples and the vectors of signed files
are made with. Nothing is random here: every box has the same ephemeral key, every identity the same salt and nonce.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from nacl import bindings

FILE_ID = bytes(range(16))
EPHEMERAL = bytes(range(0x80, 0xA0))
SALT = bytes(range(0xA0, 0xB0))
NONCE = bytes(range(0xB0, 0xC8))
RAW_KEY = bytes(range(0xE0, 0x100))
PASSPHRASE = f"P{RAW_KEY.hex()}P"
DOMAIN_KEYS = bytes(range(0x40, 0x60)), bytes(range(0x60, 0x80))

PREFIX = b"pocket-protector/1/"


# Sections 2 and 3


def lp(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def pad(payload: bytes) -> bytes:
    raw = len(payload).to_bytes(4, "big") + payload
    return raw + bytes(-len(raw) % 32)


def u64(number: int) -> bytes:
    return number.to_bytes(8, "big")


def listed(items: Iterable[bytes]) -> bytes:
    ordered = sorted(items)
    return u64(len(ordered)) + lp(*ordered)


def policy_field(policy: Mapping[str, str]) -> bytes:
    return listed(lp(key.encode(), text.encode()) for key, text in policy.items())


def blake2b(data: bytes, size: int = 32, **parameters: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=size, **parameters).digest()


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def v1(raw: bytes) -> str:
    return b64(b"\1" + raw)


def statement(kind: str, *fields: bytes) -> bytes:
    return lp(PREFIX + kind.encode(), *fields)


@dataclass(frozen=True)
class Person:
    """A custodian's name and seed, and the keys that come of it (section 5.1)."""

    name: str
    seed: bytes

    @property
    def private_key(self) -> bytes:
        return blake2b(b"", key=self.seed, person=b"pprotect-x25519")

    @property
    def public_key(self) -> bytes:
        return bindings.crypto_scalarmult_base(self.private_key)

    @property
    def _signing(self) -> tuple[bytes, bytes]:
        return bindings.crypto_sign_seed_keypair(blake2b(b"", key=self.seed, person=b"pprotect-ed25519"))

    @property
    def verify_key(self) -> bytes:
        return self._signing[0]

    @property
    def keys(self) -> tuple[bytes, bytes]:
        return self.public_key, self.verify_key

    @property
    def by(self) -> tuple[bytes, bytes]:
        """The last two fields of a statement."""
        return self.name.encode(), self.verify_key

    @property
    def signer(self) -> str:
        """As it stands in the file."""
        return f"{v1(self.verify_key)} {self.name}"

    def sign(self, message: bytes) -> bytes:
        return bindings.crypto_sign(message, self._signing[1])[:64]

    @property
    def own(self) -> bytes:
        return statement("custodian", self.name.encode(), *self.keys)

    def wrapped(self) -> str:
        """The scalar of section 5.3, of kind 2."""
        key = blake2b(lp(PREFIX + b"raw-key", SALT), key=RAW_KEY)
        aad = lp(PREFIX + b"identity", self.name.encode(), *self.keys, b"\2", b"", SALT)
        return v1(
            b"\2" + SALT + NONCE + bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(self.seed, aad, NONCE, key)
        )


ALICE = Person("alice@example.com", bytes(range(0x20, 0x40)))
BOB = Person("bob@example.com", bytes(range(0xC0, 0xE0)))
NEW_ALICE = Person(ALICE.name, bytes(range(0xDF, 0xBF, -1)))


def key_id(public_key: bytes) -> bytes:
    return blake2b(public_key, 8)


def change(old: Person, new: Person, time: str) -> tuple[bytes, bytes]:
    """The statement, and the scalar without its version byte (section 3.8)."""
    said = statement("change", FILE_ID, old.name.encode(), *old.keys, *new.keys, time.encode())
    return said, b"".join((*old.keys, time.encode(), old.sign(said), new.sign(said)))


def fingerprint(person: Person) -> bytes:
    return blake2b(person.own)


def words(raw: bytes) -> str:
    """Section 3.9."""
    consonants, vowels = "bdfghjklmnprstvz", "aiou"
    bits = "".join(f"{byte:08b}" for byte in raw[:16])
    spelt = []
    for at in range(0, 128, 16):
        ends = (at, at + 4, at + 6, at + 10, at + 12, at + 16)
        numbers = [int(bits[start:end], 2) for start, end in pairwise(ends)]
        spelt.append("".join((vowels if odd % 2 else consonants)[number] for odd, number in enumerate(numbers)))
    return "-".join(spelt)


# Section 4


def public(private: bytes) -> bytes:
    return bindings.crypto_scalarmult_base(private)


def sealed(recipient: bytes, label: str, context: Iterable[bytes], payload: bytes) -> bytes:
    """The scalar with its version byte."""
    ephemeral = public(EPHEMERAL)
    nonce = blake2b(ephemeral + recipient, 24)
    box = bindings.crypto_box(lp(PREFIX + label.encode(), *context) + pad(payload), nonce, recipient, EPHEMERAL)
    return b"\1" + key_id(recipient) + ephemeral + box


def sealed_secret(key: bytes, domain: str, name: str, value: str) -> bytes:
    return sealed(public(key), "sealed-secret", (domain.encode(), name.encode()), value.encode())


def wrapped_key(key: bytes, domain: str, owner: Person) -> bytes:
    context = domain.encode(), owner.name.encode(), b"\1" + public(key)
    return sealed(owner.public_key, "wrapped-domain-key", context, key)


def retired_key(key: bytes, domain: str, earlier: bytes) -> bytes:
    return sealed(public(key), "retired-domain-key", (domain.encode(), key_id(public(earlier))), earlier)


@dataclass(frozen=True)
class Epoch:
    """Section 4.6."""

    domain: str
    number: int
    public_key: bytes
    previous: tuple[bytes, ...]
    policy: Mapping[str, str]
    made: str
    by: Person

    @property
    def said(self) -> bytes:
        fields = FILE_ID, self.domain.encode(), u64(self.number), self.public_key, listed(self.previous)
        return statement("epoch", *fields, policy_field(self.policy), self.made.encode(), *self.by.by)

    @property
    def hash(self) -> bytes:
        return blake2b(self.said)

    def fields(self) -> dict[str, Any]:
        """As they stand in the file, behind `public-key`."""
        return {
            "number": str(self.number),
            "previous": [v1(identifier) for identifier in sorted(self.previous)],
            "policy": dict(sorted(self.policy.items())),
            "made": self.made,
            "made-by": self.by.signer,
            "signature": v1(self.by.sign(self.said)),
        }


def grant_said(domain: str, public_key: bytes, owner: Person, granted: str, by: Person) -> bytes:
    """Section 4.7; the keys are those that the owner had when it was given."""
    fields = FILE_ID, domain.encode(), public_key, owner.name.encode(), *owner.keys, granted.encode()
    return statement("grant", *fields, *by.by)


def entry_said(
    domain: str, public_key: bytes, name: str, held: bytes | str, updated: str, by: Person, sensitivity: str = ""
) -> bytes:
    """Section 4.8; what is held is a value's scalar with its version byte, or a reference."""
    what = (b"reference", held.encode()) if isinstance(held, str) else (b"value", blake2b(held))
    fields = FILE_ID, domain.encode(), public_key, name.encode(), *what, sensitivity.encode(), updated.encode()
    return statement("entry", *fields, *by.by)


def signed(field: str, by: Person, said: bytes) -> dict[str, Any]:
    return {field: by.signer, "signature": v1(by.sign(said))}


# Section 7


def custodian(person: Person, *changes: bytes) -> dict[str, Any]:
    return {
        "public-key": v1(person.public_key),
        "verify-key": v1(person.verify_key),
        "encrypted-private-key": person.wrapped(),
        **({"changes": [v1(change) for change in changes]} if changes else {}),
        "signature": v1(person.sign(person.own)),
    }


def dumped(tree: Mapping[str, Any], indent: str = "") -> str:
    """A file's text; nothing in the examples but a colon asks for quotes."""
    text = ""
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            text += f"{indent}{key}:\n" + dumped(value, indent + "  ")
        elif isinstance(value, list) and value:
            text += f"{indent}{key}:\n" + "".join(
                f"{indent}- '{item}'\n" if ": " in item else f"{indent}- {item}\n" for item in value
            )
        else:
            text += f"{indent}{key}: {value or type(value)()}\n"
    return text


# The signed file of section 7.3

MADE, GIVEN, ROTATED, REKEYED, POLICED = (f"2026-11-22T10:0{minute}:00Z" for minute in range(5))
FIRST, SECOND = map(public, DOMAIN_KEYS)
POLICY = {"max-age": "99999d", "min-owners": "2", "require-signed": "true"}

CHANGE_SAID, CHANGE = change(ALICE, NEW_ALICE, REKEYED)
EPOCH_1 = Epoch("dev", 1, FIRST, (), {}, MADE, ALICE)
EPOCH_2 = Epoch("dev", 2, SECOND, (EPOCH_1.hash,), {}, ROTATED, BOB)
EPOCH_3 = Epoch("dev", 3, SECOND, (EPOCH_2.hash,), POLICY, POLICED, NEW_ALICE)
GRANT_SAID = grant_said("dev", FIRST, BOB, GIVEN, ALICE)
VALUES = {"api-key": "swordfish", "db-password": "hunter2"}
ENTRY_SAID = entry_said(
    "dev", FIRST, "db-password", sealed_secret(DOMAIN_KEYS[0], "dev", "db-password", "hunter2"), MADE, ALICE
)

REFERENCE = "azure-kv://my-keyvault/db-url"
REFERENCE_SAID = entry_said("dev", FIRST, "db-url", REFERENCE, MADE, ALICE, "high")


def owner(person: Person, named: Person, granted: str) -> dict[str, Any]:
    """An owner's block: the grant, by Bob, names the keys of its day, and the key is wrapped for the present ones."""
    said = grant_said("dev", SECOND, named, granted, BOB)
    scalar = b64(wrapped_key(DOMAIN_KEYS[1], "dev", person))
    return {**signed("granted-by", BOB, said), "wrapped-key": scalar, "granted": granted}


def secret(name: str, updated: str, by: Person, held: str | None = None, sensitivity: str = "") -> dict[str, Any]:
    """A value as the file has it, or a reference in its place."""
    content = sealed_secret(DOMAIN_KEYS[1], "dev", name, VALUES[name]) if held is None else held
    said = entry_said("dev", SECOND, name, content, updated, by, sensitivity)
    level = {"sensitivity": sensitivity} if sensitivity else {}
    field = {"value": b64(content)} if isinstance(content, bytes) else {"reference": content}
    return {**level, **signed("signed-by", by, said), **field, "updated": updated}


def earlier_grant(person: Person, granted: str, by: Person, said: bytes, *changes: bytes) -> dict[str, Any]:
    """A grant as an earlier epoch keeps it (section 4.9)."""
    return {
        "public-key": v1(person.public_key),
        "verify-key": v1(person.verify_key),
        **({"changes": [v1(change) for change in changes]} if changes else {}),
        **signed("granted-by", by, said),
        "granted": granted,
    }


def retired() -> dict[str, Any]:
    """Bob followed the first epoch with a rotation, and Alice, with her new keys, the second with a policy."""
    first = {
        ALICE.name: earlier_grant(ALICE, MADE, ALICE, grant_said("dev", FIRST, ALICE, MADE, ALICE)),
        BOB.name: earlier_grant(BOB, GIVEN, ALICE, grant_said("dev", FIRST, BOB, GIVEN, ALICE)),
    }
    second = {
        ALICE.name: earlier_grant(NEW_ALICE, MADE, BOB, grant_said("dev", SECOND, ALICE, MADE, BOB), CHANGE),
        BOB.name: earlier_grant(BOB, GIVEN, BOB, grant_said("dev", SECOND, BOB, GIVEN, BOB)),
    }
    entries = {
        v1(key_id(FIRST)): {"private-key": b64(retired_key(DOMAIN_KEYS[1], "dev", DOMAIN_KEYS[0]))},
        v1(EPOCH_1.hash): {"public-key": v1(FIRST), **EPOCH_1.fields(), "grants": first},
        v1(EPOCH_2.hash): {"public-key": v1(SECOND), **EPOCH_2.fields(), "grants": second},
    }
    return dict(sorted(entries.items()))


def signed_file(policy: Mapping[str, str] = POLICY) -> dict[str, Any]:
    """Alice made dev, and gave it to Bob, who rotated its key. Then Alice changed her keys, demanded something of dev,
    and set a secret."""
    meta = {
        "public-key": v1(SECOND),
        **replace(EPOCH_3, policy=policy).fields(),
        "retired": retired(),
        "owners": {ALICE.name: owner(NEW_ALICE, ALICE, MADE), BOB.name: owner(BOB, BOB, GIVEN)},
    }
    demanded = ", ".join(f"{key} {text}" for key, text in POLICY.items())
    log = {
        f"custodian/{ALICE.name}": [
            f"{MADE} -- created raw-key custodian {ALICE.name}",
            f"{REKEYED} -- rekeyed custodian {ALICE.name} (updated domains -> dev)",
        ],
        f"custodian/{BOB.name}": [f"{MADE} -- created raw-key custodian {BOB.name}"],
        "domain/dev": [
            f"{MADE} -- created domain dev with owner {ALICE.name}",
            f"{ROTATED} -- {BOB.name} rotated the key of domain dev",
            f"{POLICED} -- {ALICE.name} set the policy of domain dev: {demanded}",
        ],
        "file": [f"{MADE} -- created"],
        f"owner/dev/{BOB.name}": [f"{GIVEN} -- {ALICE.name} added owner {BOB.name} to dev"],
        "secret/dev/api-key": [f"{POLICED} -- added secret api-key in dev"],
        "secret/dev/db-password": [f"{MADE} -- added secret db-password in dev"],
    }
    return {
        "meta": {"format": "1", "file-id": v1(FILE_ID)},
        "dev": {
            "meta": meta,
            "secret-api-key": secret("api-key", POLICED, NEW_ALICE),
            "secret-db-password": secret("db-password", MADE, BOB),
        },
        "key-custodians": {ALICE.name: custodian(NEW_ALICE, CHANGE), BOB.name: custodian(BOB)},
        "audit-log": log,
    }
