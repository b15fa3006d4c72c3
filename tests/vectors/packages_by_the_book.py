"""Sealed packages as docs/format.md, section 13, has them, without a line of the package: how they, their tokens, their
text and the keys that people hand around are made. Nothing is random here: see also by_the_book.py.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from by_the_book import ALICE, BOB, FILE_ID, NONCE, PREFIX, Person, b64, blake2b, lp, pad, sealed, statement, v1
from nacl import bindings

PACKAGE_ID = bytes(range(0x10, 0x20))
T = bytes(range(0x70, 0x80))
R = bytes(range(0x20, 0x40))
KG = bytes(range(0x60, 0x80))
CREATED, EXPIRES = "2026-11-22T10:00:00Z", "2026-11-23T10:00:00Z"

CAROL = Person("carol@example.com", bytes(range(1, 33)))
GATED = "high", "inject-only"

Header = dict[str, bytes]


def u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


# Section 13.2


def header(
    *,
    sender: Person = ALICE,
    recipients: Iterable[bytes] = (BOB.public_key,),
    domain: str = "dev",
    production: str = "",
    created: str = CREATED,
    expires: str = EXPIRES,
    gate: str = "token",
) -> Header:
    return {
        "label": PREFIX + b"package-header",
        "version": b"\1",
        "package-id": PACKAGE_ID,
        "file-id": FILE_ID,
        "sender": sender.name.encode(),
        "public-key": sender.public_key,
        "verify-key": sender.verify_key,
        "domain": domain.encode(),
        "production": production.encode(),
        "created": created.encode(),
        "expires": expires.encode(),
        "gate": gate.encode(),
        "recipients": b"".join(recipients),
    }


def recipients_of(fields: Header) -> list[bytes]:
    keys = fields["recipients"]
    return [keys[at : at + 32] for at in range(0, len(keys), 32)]


# Section 13.3


@dataclass(frozen=True)
class Entry:
    name: str
    content: str
    kind: str = "value"
    sensitivity: str = "medium"

    @property
    def heading(self) -> bytes:
        return lp(*(text.encode() for text in (self.name, self.kind, self.sensitivity)))

    @property
    def said(self) -> bytes:
        return self.heading + lp(self.content.encode())


Compartments = tuple[bytes, bytes]


def compartments(
    entries: Iterable[bytes] = (), headings: Iterable[bytes] = (), gated: Iterable[bytes] = ()
) -> Compartments:
    """The plaintext of the open one and of the gated one."""
    return pad(lp(lp(*entries), lp(*headings))), pad(lp(*gated))


def compartments_of(entries: Iterable[Entry]) -> Compartments:
    ordered = sorted(entries, key=lambda entry: entry.name)
    gated = [entry for entry in ordered if entry.sensitivity in GATED]
    ordinary = [entry.said for entry in ordered if entry not in gated]
    return compartments(ordinary, [entry.heading for entry in gated], [entry.said for entry in gated])


# Section 13.4


def derived(label: str, *parts: bytes, key: bytes = R) -> bytes:
    """K(LP(label, …))."""
    return blake2b(lp(PREFIX + label.encode(), *parts), key=key)


def encrypted(key: bytes, payload: bytes, label: str, *parts: bytes) -> bytes:
    """enc, with LP(label, …) as the associated data."""
    associated = lp(PREFIX + label.encode(), *parts)
    return NONCE + bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(payload, associated, NONCE, key)


def sealed_key(to: bytes, label: str, hh: bytes, number: int, key: bytes) -> bytes:
    """The scalar of section 4.1 without its version byte."""
    return sealed(to, label, (hh, u32(number)), key)[1:]


def parts(
    hh: bytes, inside: Compartments, to: Iterable[bytes], human: Iterable[bytes] = (), key: bytes = R
) -> list[bytes]:
    """`key` is R."""
    opened, gated = inside
    return [
        *(sealed_key(recipient, "package-recipient", hh, i, key) for i, recipient in enumerate(to)),
        encrypted(derived("package-open", hh, key=key), opened, "package-open", hh),
        encrypted(KG, gated, "package-gated", hh),
        encrypted(derived("package-token", T, hh, key=key), KG, "package-token", hh),
        *(sealed_key(recipient, "package-human", hh, i, KG) for i, recipient in enumerate(human)),
    ]


def parts_of(fields: Header, inside: Compartments) -> list[bytes]:
    to = recipients_of(fields)
    human = to if fields["gate"] == b"token-or-human" else ()
    return parts(blake2b(lp(*fields.values())), inside, to, human)


def assembled(head: bytes, body: bytes, signature: bytes) -> bytes:
    """Section 13.1."""
    return b"pprotect-package" + u32(len(head)) + head + body + signature


def signed(head: bytes, body: bytes, by: Person = ALICE) -> bytes:
    return assembled(head, body, by.sign(statement("package", blake2b(head), blake2b(body))))


def package(fields: Header, inside: Compartments, by: Person = ALICE) -> bytes:
    return signed(lp(*fields.values()), lp(*parts_of(fields, inside)), by)


# Sections 13.5 to 13.7


def token_text(raw: bytes) -> str:
    text = base64.b32encode(raw).decode()
    return "-".join(["PPT1", *(text[at : at + 7] for at in range(0, len(text), 7))])


def token(secret: bytes = T, package_id: bytes = PACKAGE_ID) -> str:
    known = secret + package_id
    return token_text(known + blake2b(lp(PREFIX + b"package-token-checksum", known))[:3])


def armoured(encoded: str, columns: int = 64) -> str:
    lines = [encoded[at : at + columns] for at in range(0, len(encoded), columns)]
    return "\n".join(["-----BEGIN PPROTECT PACKAGE-----", *lines, "-----END PPROTECT PACKAGE-----", ""])


def package_text(raw: bytes) -> str:
    return armoured(b64(raw))


def line(word: str, raw: bytes, name: str) -> str:
    return f"{word} {v1(raw)} {name}\n"


def public_line(person: Person) -> str:
    return line("pprotect-key", b"".join(person.keys) + person.sign(person.own), person.name)


def identity_line(person: Person, private: bytes = b"") -> str:
    """Bare, or with a wrapped identity: the scalar of section 5.3 without its version byte."""
    return line("pprotect-identity", b"".join(person.keys) + (private or b"\0" + person.seed), person.name)


def wrapped(person: Person) -> bytes:
    return base64.b64decode(person.wrapped())[1:]
