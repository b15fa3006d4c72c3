"""Make the vectors of sealed packages: python tests/vectors/generate_packages.py

Nothing is random, and nothing of the package makes a byte of it: see packages_by_the_book.py. So every run gives the
same file, and a test runs it.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import by_the_book  # noqa: E402
import packages_by_the_book as book  # noqa: E402
from by_the_book import ALICE, BOB, FILE_ID, NONCE, PREFIX, SALT, Person, b64, blake2b, lp, pad, statement  # noqa: E402
from packages_by_the_book import CAROL, KG, PACKAGE_ID, Compartments, Entry, Header, R, T, encrypted  # noqa: E402

Vector = dict[str, Any]

NOW = "2026-11-22T12:00:00Z"
MALLORY = Person("mallory@example.com", bytes(range(0x66, 0x86)))
OTHER_ID = bytes(range(0x11, 0x21))
ORDER = 2**252 + 27742317777372353535851937790883648493
P = 2**255 - 19
LOW_ORDER = (
    0,
    1,
    P - 1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)
PUBLIC_KEYS_BAD = {
    **{f"of low order {n}": number.to_bytes(32, "little") for n, number in enumerate(LOW_ORDER)},
    "not canonical": (P + 9).to_bytes(32, "little"),
    "with its top bit set": (9 + 2**255).to_bytes(32, "little"),
    "short": BOB.public_key[:31],
    "with a version byte": b"\1" + BOB.public_key,
    "empty": b"",
}
VERIFY_KEYS_BAD = {
    "neutral": (1).to_bytes(32, "little"),
    "of order 2": (P - 1).to_bytes(32, "little"),
    "of order 4": bytes(32),
    "not canonical": (P + 3).to_bytes(32, "little"),
    "no point": (2).to_bytes(32, "little"),
    "short": ALICE.verify_key[:31],
    "with a version byte": b"\1" + ALICE.verify_key,
    "empty": b"",
}
NAMES_BAD = {
    "empty": b"",
    "with a hyphen before": b"-a",
    "with a space behind": b"a ",
    "with a control character": b"a\7",
    "with a character of no width": "a\u200bb".encode(),
    "not normalised": "e\u0301".encode(),
    "a merge key": b"<<",
    "of 257 characters": b"a" * 257,
    "not UTF-8": b"a\xff",
}
TIMES_BAD = {
    "empty": b"",
    "with a fraction": b"2026-11-22T10:00:00.0Z",
    "of another zone": b"2026-11-22T10:00:00+00:00",
    "of no zone": b"2026-11-22T10:00:00",
    "with a small z": b"2026-11-22T10:00:00z",
    "with a space": b"2026-11-22 10:00:00Z",
    "of no date": b"2026-11-31T10:00:00Z",
    "of hour 24": b"2026-11-22T24:00:00Z",
    "a number": (1795341600).to_bytes(8, "big"),
}

API = Entry("api-key", "swordfish")
DB = Entry("db-password", "hunter2", sensitivity="high")
KEY = Entry("signing-key", "tulip\n", sensitivity="inject-only")
URL = Entry("db-url", "azure-kv://my-keyvault/db-url", "reference", "low")
FAR = Entry("far", "vault://kv/far#pass", "reference", "high")
INSIDE = book.compartments_of([API, DB])
HEADER = book.header()
HEAD = lp(*HEADER.values())
HH = blake2b(HEAD)
PARTS = book.parts_of(HEADER, INSIDE)
BODY = lp(*PARTS)
WHOLE = book.package(HEADER, INSIDE)
SIGNATURE = WHOLE[-64:]
# Another one of the same sender, for the same recipient, with the same entries.
OTHER = {**HEADER, "package-id": OTHER_ID}
OTHERS = book.parts_of(OTHER, INSIDE)


def good(name: str, given: Any, result: Any) -> Vector:
    return {"id": name, "input": given, "result": result}


def bad(name: str, given: Any, error: str = "FormatError") -> Vector:
    return {"id": name, "input": given, "error": error, "path": ""}


def flipped(raw: bytes, at: int) -> bytes:
    at %= len(raw)
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


def fingerprint(fields: Header) -> str:
    """The sender's, as the header has them."""
    return blake2b(statement("custodian", fields["sender"], fields["public-key"], fields["verify-key"])).hex()


def given(package: bytes, to: Person = BOB, now: str = NOW, known: Header = HEADER, **more: Any) -> Vector:
    """Who opens what, when; and whom they know."""
    return {"package": b64(package), "seed": to.seed.hex(), "now": now, "sender": fingerprint(known), **more}


def all_bad(about: str, faults: Mapping[str, bytes], error: str = "IntegrityError", **more: Any) -> list[Vector]:
    """Packages with one fault each, for Bob, who knows Alice."""
    return [bad(f"{about} {fault}", given(package, **more), error) for fault, package in faults.items()]


def packages() -> list[Vector]:
    return [*whole(), *forms(), *headers(), *edited(), *signatures(), *checks(), *keys(), *contents(), *gates()]


# What is whole


def whole() -> list[Vector]:
    every = [API, DB, URL, KEY, FAR, Entry("API_KEY", ""), Entry("low", "sn\u00f6w \u2603\nman", sensitivity="low")]
    both = BOB.public_key, CAROL.public_key
    token, either = {"token": book.token()}, book.header(gate="token-or-human")
    names = book.header(sender=Person("Zo\u00eb M. (ops)", ALICE.seed), domain="d\u00e9v & test")
    many = book.header(recipients=[Person("", bytes([n]) * 32).public_key for n in range(64)])
    seconds = {
        "a second before it expires": "2026-11-23T09:59:59Z",
        "ten minutes before it was made": "2026-11-22T09:50:00Z",
    }
    return [
        opened("one recipient, with the token", HEADER, [API, DB], **token),
        opened("one recipient, without the token", HEADER, [API, DB]),
        opened("entries of every kind and sensitivity", HEADER, every, **token),
        opened("nothing", HEADER, [], **token),
        opened("nothing gated", HEADER, [API, URL], **token),
        opened("all gated", HEADER, [DB, FAR], **token),
        opened("the first of two recipients", book.header(recipients=both), [API, DB], **token),
        opened("the second of two recipients", book.header(recipients=both), [API, DB], CAROL, **token),
        opened("64 recipients", many, [API], Person("", bytes([63]) * 32)),
        opened("a person may do without the token", either, [API, DB], human=True),
        opened("a person may, and has it", either, [API, DB], **token),
        opened("a person may, the second recipient",
               book.header(recipients=both, gate="token-or-human"), [API, DB], CAROL, human=True),
        opened("names of other characters", names, [API]),
        opened("production is denied", book.header(domain="prod", production="false"), [API]),
        opened("a life of a second", book.header(expires="2026-11-22T10:00:01Z"), [API], now=book.CREATED),
        opened("a life of 30 days", book.header(expires="2026-12-22T10:00:00Z"), [API], now="2026-12-22T09:59:59Z"),
        *(opened(name, HEADER, [API], now=now) for name, now in seconds.items()),
    ]  # fmt: skip


def opened(name: str, fields: Header, entries: Iterable[Entry], to: Person = BOB, **more: Any) -> Vector:
    ordered = sorted(entries, key=lambda entry: entry.name)
    gated = [entry for entry in ordered if entry.sensitivity in book.GATED]
    result: Vector = {
        "header": {
            **{field: fields[field].hex() for field in ("package-id", "file-id", "public-key", "verify-key")},
            **{
                field: fields[field].decode()
                for field in ("sender", "domain", "production", "created", "expires", "gate")
            },
            "recipients": [key.hex() for key in book.recipients_of(fields)],
            "hash": blake2b(lp(*fields.values())).hex(),
        },
        "open": [[e.name, e.kind, e.sensitivity, e.content] for e in ordered if e not in gated],
        "gated": [[e.name, e.kind, e.sensitivity] for e in gated],
    }
    if {"token", "human"} & more.keys():
        result["opened"] = [[e.name, e.kind, e.sensitivity, e.content] for e in gated]
    package = book.package(fields, book.compartments_of(ordered))
    return good(name, given(package, to, known=fields, **more), result)


# Its form


def forms() -> list[Vector]:
    def counted(length: int) -> bytes:
        return WHOLE[:16] + book.u32(length) + WHOLE[20:]

    either = book.header(gate="token-or-human")
    human = book.parts_of(either, INSIDE)
    both = book.header(recipients=(BOB.public_key, CAROL.public_key))
    two = book.parts_of(both, INSIDE)
    faults = {
        "nothing": b"",
        "magic alone": WHOLE[:16],
        "magic in capitals": WHOLE[:16].upper() + WHOLE[16:],
        "another magic": b"pprotect-packaga" + WHOLE[16:],
        "white space before": b"\n" + WHOLE,
        "header's length one less": counted(len(HEAD) - 1),
        "header's length one more": counted(len(HEAD) + 1),
        "header's length little-endian": WHOLE[:16] + len(HEAD).to_bytes(4, "little") + WHOLE[20:],
        "header beyond the end": counted(2**32 - 1),
        "header up to the signature's middle": counted(len(WHOLE) - 20 - 32),
        "cut in the header": WHOLE[:100],
        "cut behind the header": WHOLE[: 20 + len(HEAD)],
        "cut in the body": WHOLE[: len(HEAD) + 200],
        "cut by the signature": WHOLE[:-64],
        "cut by a byte": WHOLE[:-1],
        "longer by a byte": WHOLE + b"\0",
        "longer by a line end": WHOLE + b"\n",
        "with another one behind it": WHOLE * 2,
        "a part's length one less": book.signed(HEAD, book.u32(len(PARTS[0]) - 1) + BODY[4:]),
        "last part's length one more": book.signed(HEAD, lp(*PARTS[:-1]) + book.u32(len(PARTS[-1]) + 1) + PARTS[-1]),
        "no part": book.signed(HEAD, b""),
        "a byte behind the parts": book.signed(HEAD, BODY + b"\0"),
        "an empty part behind": book.signed(HEAD, lp(*PARTS, b"")),
        "an empty part before": book.signed(HEAD, lp(b"", *PARTS)),
        "no part for the recipient": book.signed(HEAD, lp(*PARTS[1:])),
        "no part for the second recipient": book.signed(lp(*both.values()), lp(two[0], *two[2:])),
        "no gated compartment": book.signed(HEAD, lp(*PARTS[:2], PARTS[3])),
        "no part for the token": book.signed(HEAD, lp(*PARTS[:3])),
        "a person's part where the gate is the token": book.signed(
            HEAD, lp(*PARTS, book.sealed_key(BOB.public_key, "package-human", HH, 0, KG))
        ),
        "no person's part where the gate is either": book.signed(lp(*either.values()), lp(*human[:-1])),
        "parts in a list": book.signed(HEAD, lp(BODY)),
    }
    return all_bad("form:", faults, "FormatError")


def headers() -> list[Vector]:
    fields = [*HEADER.values()]
    turned = [*fields[:2], fields[3], fields[2], *fields[4:7], fields[8], fields[7], *fields[9:]]
    lengths = {
        **{f"without {name}": lp(*fields[:at], *fields[at + 1 :]) for at, name in enumerate(HEADER)},
        "no field": b"",
        "a field more": lp(*fields, b""),
        "fields in another order": lp(*turned),
        "a field's length one more": HEAD[:3] + bytes([HEAD[3] + 1]) + HEAD[4:],
        "a byte behind the fields": HEAD + b"\0",
    }
    faults = {
        "label": {
            "of a package": PREFIX + b"package",
            "without its prefix": b"package-header",
            "of a later format": b"pocket-protector/2/package-header",
        },
        "version": {"0": b"\0", "2": b"\2", "as text": b"1", "of two bytes": b"\0\1", "empty": b""},
        "package-id": lengths_bad(PACKAGE_ID),
        "file-id": lengths_bad(FILE_ID),
        "sender": NAMES_BAD,
        "public-key": PUBLIC_KEYS_BAD,
        "verify-key": VERIFY_KEYS_BAD,
        "domain": {**NAMES_BAD, "meta": b"meta", "of the file's own": b"key-custodians", "an extension": b"x-dev"},
        "production": {"yes": b"yes", "in capitals": b"True", "a number": b"1", "unknown": b"none"},
        "created": TIMES_BAD,
        "expires": TIMES_BAD,
        "gate": {"empty": b"", "a person": b"human", "in capitals": b"TOKEN", "of another order": b"human-or-token"},
    }
    lives = {"no time": book.CREATED, "less": "2026-11-22T09:59:59Z", "30 days and a second": "2026-12-22T10:00:01Z"}
    bob = BOB.public_key
    lists = {
        "none": b"",
        "twice the same": bob * 2,
        "65 of them": bob + b"".join(Person("", bytes([n]) * 32).public_key for n in range(64)),
        "a byte more": bob + b"\0",
        **{f"the second {name}": bob + raw for name, raw in PUBLIC_KEYS_BAD.items() if raw},
    }
    return [
        *all_bad("header:", {name: made(head) for name, head in lengths.items()}, "FormatError"),
        *(
            bad(f"{field} {name}", with_field(field, raw), "FormatError")
            for field, raws in faults.items()
            for name, raw in raws.items()
        ),
        *(
            bad(f"a life of {name}", with_field("expires", text.encode(), now="2026-11-22T09:55:00Z"), "FormatError")
            for name, text in lives.items()
        ),
        *(
            bad(f"recipients: {name}", with_field("recipients", raw, number=len(raw) // 32), "FormatError")
            for name, raw in lists.items()
        ),
    ]


def lengths_bad(raw: bytes) -> dict[str, bytes]:
    return {"short": raw[:-1], "long": raw + b"\0", "with a version byte": b"\1" + raw, "empty": b""}


def with_field(name: str, field: bytes, now: str = NOW, number: int = 1) -> Vector:
    """A header with another field. The sender is known by what it says."""
    fields = {**HEADER, name: field}
    return given(made(lp(*fields.values()), number), now=now, known=fields)


def made(head: bytes, number: int = 1) -> bytes:
    """All else is as that header asks for, and signed. Every recipient's part is sealed to Bob, since nothing can be
    sealed to some of the keys."""
    return book.signed(head, lp(*book.parts(blake2b(head), INSIDE, [BOB.public_key] * number)))


# Who signed it


def edited() -> list[Vector]:
    """By somebody who cannot sign: the header is another one, all else is as it was."""
    changes = {
        "package-id": OTHER_ID,
        "file-id": PACKAGE_ID,
        "sender": BOB.name.encode(),
        "public-key": BOB.public_key,
        "verify-key": BOB.verify_key,
        "domain": b"test",
        "production": b"false",
        "created": b"2026-11-22T11:00:00Z",
        "expires": b"2026-11-30T10:00:00Z",
        "recipients": CAROL.public_key,
    }
    vectors = []
    for name, field in changes.items():
        fields = {**HEADER, name: field}
        package = book.assembled(lp(*fields.values()), BODY, SIGNATURE)
        vectors.append(bad(f"edited: {name}", given(package, known=fields), "IntegrityError"))
    either, both = book.header(gate="token-or-human"), book.header(recipients=(BOB.public_key, CAROL.public_key))
    two = book.parts_of(both, INSIDE)
    bound = blake2b(lp(*both.values()))
    turned = {**both, "recipients": CAROL.public_key + BOB.public_key}
    signature = book.package(both, INSIDE)[-64:]
    human = [*PARTS, book.sealed_key(BOB.public_key, "package-human", HH, 0, KG)]
    return vectors + all_bad("edited:", {
        "gate": book.assembled(lp(*either.values()), lp(*human), SIGNATURE),
        "recipients in another order": book.assembled(lp(*turned.values()), lp(*two), signature),
        "a recipient's part for another": book.assembled(
            lp(*both.values()),
            lp(two[0], book.sealed_key(MALLORY.public_key, "package-recipient", bound, 1, R), *two[2:]),
            signature),
        "two parts swapped": book.assembled(lp(*both.values()), lp(two[1], two[0], *two[2:]), signature),
        **{f"part {at} damaged": book.assembled(HEAD, lp(*PARTS[:at], flipped(part, -1), *PARTS[at + 1 :]), SIGNATURE)
           for at, part in enumerate(PARTS)},
        **{f"part {at} of another package": book.assembled(HEAD, lp(*PARTS[:at], OTHERS[at], *PARTS[at + 1 :]),
                                                           SIGNATURE) for at in range(len(PARTS))},
        "body of another package": book.assembled(HEAD, lp(*OTHERS), book.package(OTHER, INSIDE)[-64:]),
    })  # fmt: skip


def signatures() -> list[Vector]:
    body_hash, half = blake2b(BODY), int.from_bytes(SIGNATURE[32:], "little")
    messages = {
        "the header's hash alone": statement("package", HH),
        "the body's hash alone": statement("package", body_hash),
        "both hashes in another order": statement("package", body_hash, HH),
        "header and body themselves": statement("package", HEAD, BODY),
        "the hash of the parts without their lengths": statement("package", HH, blake2b(b"".join(PARTS))),
        "both hashes as one field": statement("package", HH + body_hash),
        "another label": statement("package-header", HH, body_hash),
        "a label without its prefix": lp(b"package", HH, body_hash),
        "the hash of the statement": blake2b(statement("package", HH, body_hash)),
        "another package's header": statement("package", blake2b(lp(*OTHER.values())), body_hash),
        "nothing": b"",
    }
    raw = {
        "is another's": book.signed(HEAD, BODY, MALLORY)[-64:],
        "is the recipient's": book.signed(HEAD, BODY, BOB)[-64:],
        "is all zero": bytes(64),
        "is damaged": flipped(SIGNATURE, 1),
        "is damaged in its second half": flipped(SIGNATURE, 40),
        "is not canonical": SIGNATURE[:32] + (half + ORDER).to_bytes(32, "little"),
        "is of the same header, and other entries": book.package(HEADER, book.compartments_of([API]))[-64:],
    }
    return [
        *all_bad("the signature", {name: book.assembled(HEAD, BODY, signature) for name, signature in raw.items()}),
        *all_bad("signed:", {name: book.assembled(HEAD, BODY, ALICE.sign(said)) for name, said in messages.items()}),
    ]


# What is checked before it is opened


def checks() -> list[Vector]:
    late = {"at its end": book.EXPIRES, "a second late": "2026-11-23T10:00:01Z", "years late": "2036-11-22T12:00:00Z"}
    early = {"ten minutes and a second": "2026-11-22T09:49:59Z", "a day": "2026-11-21T10:00:00Z"}
    production = {
        "said": book.header(production="true"),
        "said, and named so": book.header(domain="prod", production="true"),
    }
    for name in ("prod", "PROD", "Production", "prd", "live", "eu-prod-1", "shop.live", "My Prod"):
        production[f"named {name}"] = book.header(domain=name)
    alias, forged = Person("alicia@example.com", ALICE.seed), Person(ALICE.name, MALLORY.seed)
    mixed = {**HEADER, "public-key": BOB.public_key}
    strangers = {
        "somebody else is known": given(WHOLE, known=book.header(sender=BOB)),
        "their keys are known under another name": given(book.package(book.header(sender=alias), INSIDE, alias)),
        "their name is known with other keys": given(book.package(book.header(sender=forged), INSIDE, forged)),
        "their verify key is known with another public key": given(book.package(mixed, INSIDE)),
    }
    return [
        *(bad(f"expired: {name}", given(WHOLE, now=now), "PolicyError") for name, now in late.items()),
        *(bad(f"made in the future: {name}", given(WHOLE, now=now), "PolicyError") for name, now in early.items()),
        *(bad(f"production: {name}", given(book.package(fields, INSIDE)), "PolicyError")
          for name, fields in production.items()),
        *(bad(f"the sender: {name}", vector, "refused") for name, vector in strangers.items()),
    ]  # fmt: skip


# Who opens it: all of these are signed


def keys() -> list[Vector]:
    token = {"token": book.token()}
    public = BOB.public_key
    recipient = "package-recipient"
    box = by_the_book.sealed(public, recipient, (HH, book.u32(0)), R)
    contexts = {"no context": (), "no number": (HH,), "a number of 8 bytes": (HH, bytes(8)),
                "a number before the hash": (bytes(4), HH), "one context of both": (HH + bytes(4),),
                "the number 1": (HH, book.u32(1)), "the body's hash": (blake2b(BODY), book.u32(0)),
                "another package's hash": (blake2b(lp(*OTHER.values())), book.u32(0))}  # fmt: skip
    boxes = {
        "a version byte": box,
        "no key id": box[9:],
        "another's key id": by_the_book.key_id(CAROL.public_key) + box[9:],
        "nothing": b"",
        "its last byte missing": box[1:-1],
        "another label": book.sealed_key(public, "package-human", HH, 0, R),
        **{name: by_the_book.sealed(public, recipient, context, R)[1:] for name, context in contexts.items()},
        "no key": book.sealed_key(public, recipient, HH, 0, b""),
        "another's box": book.sealed_key(CAROL.public_key, recipient, HH, 0, R),
        "the box of another package": OTHERS[0],
        "other keys than the compartments have": book.sealed_key(public, recipient, HH, 0, KG),
    }
    # The compartments have these keys, too.
    lengths = {"31 bytes": R[:31], "33 bytes": R + b"\0", "64 bytes": R + R}
    own = book.derived("package-open", HH)
    opens = {
        "under R itself": encrypted(R, INSIDE[0], "package-open", HH),
        "under a key of no hash": encrypted(book.derived("package-open"), INSIDE[0], "package-open", HH),
        "under a key of another label": encrypted(book.derived("package-gated", HH), INSIDE[0], "package-open", HH),
        "under a key of both as one": encrypted(blake2b(PREFIX + b"package-open" + HH, key=R), INSIDE[0],
                                                "package-open", HH),
        "with another label": encrypted(own, INSIDE[0], "package-gated", HH),
        "with no hash": encrypted(own, INSIDE[0], "package-open"),
        "without its nonce": PARTS[1][24:],
        "without its tag": PARTS[1][:-16],
        "empty": b"",
        "with another nonce": bytes(24) + PARTS[1][24:],
        "damaged": flipped(PARTS[1], 30),
        "of another package": OTHERS[1],
    }  # fmt: skip
    gateds = {
        "under R itself": encrypted(R, INSIDE[1], "package-gated", HH),
        "under a key of R": encrypted(book.derived("package-gated", HH), INSIDE[1], "package-gated", HH),
        "with another label": encrypted(KG, INSIDE[1], "package-open", HH),
        "with no hash": encrypted(KG, INSIDE[1], "package-gated"),
        "empty": b"",
        "damaged": flipped(PARTS[2], 30),
        "of another package": OTHERS[2],
    }
    named = book.derived("package-token", T, HH)
    tokens = {
        "under a key of no hash": encrypted(book.derived("package-token", T), KG, "package-token", HH),
        "under a key of the token alone": encrypted(blake2b(lp(PREFIX + b"package-token", T, HH)), KG,
                                                    "package-token", HH),
        "under a key of another order": encrypted(book.derived("package-token", HH, T), KG, "package-token", HH),
        "under a key of no token": encrypted(book.derived("package-token", HH), KG, "package-token", HH),
        "with the token in the associated data": encrypted(named, KG, "package-token", T, HH),
        "with another label": encrypted(named, KG, "package-gated", HH),
        "empty": b"",
        "damaged": flipped(PARTS[3], 30),
        "of another package": OTHERS[3],
    }  # fmt: skip
    gate_keys = {"another key": R, "a key of 31 bytes": KG[:31], "the key padded": pad(KG), "no key": b""}
    either = book.header(gate="token-or-human")
    bound = blake2b(lp(*either.values()))
    people = {
        "the recipient's label": book.sealed_key(public, "package-recipient", bound, 0, KG),
        "the number 1": book.sealed_key(public, "package-human", bound, 1, KG),
        "another package's hash": book.sealed_key(public, "package-human", HH, 0, KG),
        "another's box": book.sealed_key(CAROL.public_key, "package-human", bound, 0, KG),
        "R": book.sealed_key(public, "package-human", bound, 0, R),
        "a key of 31 bytes": book.sealed_key(public, "package-human", bound, 0, KG[:31]),
    }
    both = book.header(recipients=(public, CAROL.public_key))
    two = book.parts_of(both, INSIDE)
    swapped = book.signed(lp(*both.values()), lp(two[1], two[0], *two[2:]))
    strangers = {"of a stranger": MALLORY, "of the sender": ALICE}
    return [
        *all_bad("a recipient's part:", {name: with_part(0, part) for name, part in boxes.items()}, **token),
        *all_bad("R of", {name: book.signed(HEAD, lp(*book.parts(HH, INSIDE, [public], key=key)))
                          for name, key in lengths.items()}, **token),
        *all_bad("open compartment", {name: with_part(1, part) for name, part in opens.items()}, **token),
        *all_bad("gated compartment", {name: with_part(2, part) for name, part in gateds.items()}, **token),
        *all_bad("the token's part", {name: with_part(3, part) for name, part in tokens.items()}, "AccessError",
                 **token),
        *all_bad("the token's part holds", {name: with_part(3, encrypted(named, key, "package-token", HH))
                                            for name, key in gate_keys.items()}, **token),
        *all_bad("a person's part:", {name: book.signed(
            lp(*either.values()), lp(*book.parts_of(either, INSIDE)[:4], part)) for name, part in people.items()},
            known=either, human=True),
        bad("recipients' parts swapped", given(swapped), "IntegrityError"),
        bad("open and gated compartment swapped", given(with_parts(0, 2, 1, 3), **token), "IntegrityError"),
        bad("gated compartment and the token's part swapped", given(with_parts(0, 1, 3, 2), **token), "AccessError"),
        bad("the token's part first", given(with_parts(3, 0, 1, 2), **token), "IntegrityError"),
        *(bad(f"private key {name}", given(WHOLE, person), "AccessError") for name, person in strangers.items()),
    ]  # fmt: skip


def with_part(at: int, part: bytes) -> bytes:
    return book.signed(HEAD, lp(*PARTS[:at], part, *PARTS[at + 1 :]))


def with_parts(*order: int) -> bytes:
    return book.signed(HEAD, lp(*(PARTS[at] for at in order)))


# What is in it: all of these are signed, and sealed as they should be


def contents() -> list[Vector]:
    named = {
        **{name: raw for name, raw in NAMES_BAD.items() if name != "not normalised"},
        "with a path": b"../api-key",
        "with a space": b"api key",
        "with a line end": b"api-key\n",
        "with a digit before": b"1api",
        "of Pocket Protector's": b"api^key",
        "of another alphabet": "\u00e4pi".encode(),
    }
    kinds = {"empty": b"", "in capitals": b"Value", "unknown": b"file"}
    levels = {"empty": b"", "in capitals": b"High", "unknown": b"secret", "with an underscore": b"inject_only"}
    texts = {"not UTF-8": b"hunter2\xff", "a half of a character": b"\xc3", "a surrogate": b"\xed\xa0\x80"}
    uris = {
        "that is none": b"hunter2",
        "empty": b"",
        "to nowhere": b"vault://",
        "not UTF-8": b"vault://kv/\xff",
        "with a space": b"vault://kv/a b",
        "too long": b"vault://" + b"k" * 2041,
        "with a key twice": b"vault://kv?a=b&a=c",
    }
    high, medium, value, reference = b"high", b"medium", b"value", b"reference"
    db = b"db-password"
    faults: dict[str, Compartments] = {
        "an entry of high sensitivity is open": open_only(DB.said),
        "an entry of inject-only sensitivity is open": open_only(KEY.said),
        "a reference of high sensitivity is open": open_only(FAR.said),
        "an entry of medium sensitivity is gated": gated_only(API.said),
        "an entry of low sensitivity is gated": gated_only(lp(b"a", value, b"low", b"b")),
        "a reference of low sensitivity is gated": gated_only(URL.said),
        "a heading is missing": book.compartments([API.said], [], [DB.said]),
        "one of two headings is missing": book.compartments([API.said], [KEY.heading], [DB.said, KEY.said]),
        "a heading too many": book.compartments([API.said], [DB.heading, KEY.heading], [DB.said]),
        "a heading without an entry": book.compartments([API.said], [DB.heading], []),
        "a heading of another name": book.compartments([API.said], [lp(b"db-passwort", value, high)], [DB.said]),
        "a heading of another kind": book.compartments([API.said], [lp(db, reference, high)], [DB.said]),
        "a heading of a higher sensitivity": book.compartments([API.said], [lp(db, value, b"inject-only")], [DB.said]),
        "a heading of a lower sensitivity": book.compartments(
            [API.said], [lp(b"signing-key", value, high)], [KEY.said]),
        "a heading with the content": book.compartments([API.said], [DB.said], [DB.said]),
        "a heading without a sensitivity": book.compartments([API.said], [lp(db, value)], [DB.said]),
        "open entries not in order": open_only(DB_PLAIN.said, API.said),
        "open entries in an order without case": open_only(API.said, lp(b"DB", value, medium, b"x")),
        "headings and gated entries not in order": gated_only(KEY.said, DB.said),
        "gated entries in another order than their headings": book.compartments(
            [], [DB.heading, KEY.heading], [KEY.said, DB.said]),
        "headings in another order than their entries": book.compartments(
            [], [KEY.heading, DB.heading], [DB.said, KEY.said]),
        "an open entry twice": open_only(API.said, API.said),
        "an open entry twice, with other content": open_only(API.said, lp(b"api-key", value, medium, b"x")),
        "a gated entry twice": gated_only(DB.said, DB.said),
        "a name in both compartments": book.compartments([DB_PLAIN.said], [DB.heading], [DB.said]),
        **{f"an open entry's name {name}": open_only(lp(raw, value, medium, b"x")) for name, raw in named.items()},
        **{f"a gated entry's name {name}": gated_only(lp(raw, value, high, b"x")) for name, raw in named.items()},
        **{f"an open entry's kind {name}": open_only(lp(b"a", raw, medium, b"x")) for name, raw in kinds.items()},
        **{f"a gated entry's kind {name}": gated_only(lp(b"a", raw, high, b"x")) for name, raw in kinds.items()},
        **{f"an open entry's sensitivity {name}": open_only(lp(b"a", value, raw, b"x"))
           for name, raw in levels.items()},
        **{f"a gated entry's sensitivity {name}": gated_only(lp(b"a", value, raw, b"x"))
           for name, raw in levels.items()},
        **{f"an open value {name}": open_only(lp(b"a", value, medium, raw)) for name, raw in texts.items()},
        **{f"a gated value {name}": gated_only(lp(b"a", value, high, raw)) for name, raw in texts.items()},
        **{f"an open reference {name}": open_only(lp(b"a", reference, medium, raw)) for name, raw in uris.items()},
        **{f"a gated reference {name}": gated_only(lp(b"a", reference, high, raw)) for name, raw in uris.items()},
        "an entry without content": open_only(lp(b"a", value, medium)),
        "an entry with a field more": open_only(lp(b"a", value, medium, b"x", b"")),
        "a gated entry with a field more": gated_only(lp(db, value, high, b"x", b"")),
        "an entry's fields in another order": open_only(lp(b"a", medium, value, b"x")),
        "an empty entry": open_only(b""),
        "open compartment of one list": (pad(lp(lp(API.said))), INSIDE[1]),
        "open compartment of three lists": (pad(lp(lp(API.said), lp(DB.heading), b"")), INSIDE[1]),
        "open compartment of its lists swapped": (pad(lp(lp(DB.heading), lp(API.said))), INSIDE[1]),
        "gated compartment as a list of a list": (INSIDE[0], pad(lp(lp(DB.said)))),
        "gated compartment with a length too large": (INSIDE[0], pad(book.u32(1000) + DB.said)),
        **{f"open compartment {name}": (raw, INSIDE[1])
           for name, raw in padded_wrong(lp(lp(API.said), lp(DB.heading)))},
        **{f"gated compartment {name}": (INSIDE[0], raw) for name, raw in padded_wrong(lp(DB.said))},
    }  # fmt: skip
    return all_bad("inside:", {name: book.package(HEADER, inside) for name, inside in faults.items()},
                   token=book.token())  # fmt: skip


DB_PLAIN = Entry("db-password", "hunter2")


def open_only(*entries: bytes) -> Compartments:
    return book.compartments(entries)


def gated_only(*entries: bytes) -> Compartments:
    """With headings that say the same."""
    return book.compartments((), [heading_of(entry) for entry in entries], entries)


def heading_of(entry: bytes) -> bytes:
    """Its first three fields."""
    at = 0
    for _ in range(3):
        at += 4 + int.from_bytes(entry[at : at + 4], "big")
    return entry[:at]


def padded_wrong(payload: bytes) -> Iterable[tuple[str, bytes]]:
    right = pad(payload)
    assert right.endswith(b"\0")
    yield "without its padding", payload
    yield "with a block too many", right + bytes(32)
    yield "with a byte too many", right + b"\0"
    yield "with a byte too few", right[:-1]
    yield "with padding that is not zero", right[:-1] + b"\1"
    yield "with a length beyond its end", book.u32(len(right)) + right[4:]
    yield "empty", b""


# What opens the gate


def gates() -> list[Vector]:
    either = book.package(book.header(gate="token-or-human"), INSIDE)
    tokens = {
        "of another package": book.token(package_id=OTHER_ID),
        "of another secret": book.token(bytes(16)),
        "with its halves swapped": book.token(PACKAGE_ID, T),
    }
    return [
        *(bad(f"a token {name}", given(WHOLE, token=text), "AccessError") for name, text in tokens.items()),
        *(bad(f"a person may do without it: a token {name}", given(either, token=text), "AccessError")
          for name, text in tokens.items()),
        bad("a person where the gate is the token", given(WHOLE, human=True), "PolicyError"),
    ]  # fmt: skip


# Text


def with_stray_bits(encoded: str) -> str:
    """Other base64 of the same bytes: its last digit is the next one."""
    digits = encoded.rstrip("=")
    other = digits[:-1] + chr(ord(digits[-1]) + 1) + encoded[len(digits) :]
    assert base64.b64decode(other) == base64.b64decode(encoded)
    return other


def texts() -> list[Vector]:
    # Of a length that leaves bits over at the end of its base64.
    sizes = (book.package(book.header(domain="d" * size), book.compartments_of([API])) for size in (1, 2, 3))
    raw = next(package for package in sizes if len(package) % 3 == 1)
    encoded, text = b64(raw), book.package_text(raw)
    result = blake2b(raw).hex()
    begin, end = "-----BEGIN PPROTECT PACKAGE-----", "-----END PPROTECT PACKAGE-----"
    safe = encoded.replace("+", "-").replace("/", "_")
    assert safe != encoded
    faults = {
        "nothing": "",
        "no first line": text.removeprefix(begin + "\n"),
        "no last line": text.removesuffix(end + "\n"),
        "the lines alone": f"{begin}\n{end}\n",
        "no content": f"{begin}\n\n{end}\n",
        "all in one line": text.replace("\n", ""),
        "the first line in small letters": text.replace(begin, begin.lower()),
        "of another program": text.replace("PPROTECT PACKAGE", "PGP MESSAGE"),
        "with four hyphens": text.replace("-----", "----"),
        "words before it": f"Here it is:\n{text}",
        "words behind it": f"{text}Regards\n",
        "quoted": "".join(f"> {line}\n" for line in text.splitlines()),
        "a header as of PGP": text.replace("-----\n", "-----\nVersion: 1\n\n", 1),
        "a checksum as of PGP": text.replace(f"\n{end}", f"\n=abcd\n{end}"),
        "a byte order mark before it": "\ufeff" + text,
        "twice": text * 2,
        "a line is missing": "".join(line for at, line in enumerate(text.splitlines(keepends=True)) if at != 3),
        "a character is missing": book.armoured(encoded[:40] + encoded[41:]),
        "cut": book.armoured(encoded[:-8]),
        "a space in a line": book.armoured(encoded[:40] + " " + encoded[40:]),
        "a null byte in a line": book.armoured(encoded[:40] + "\0" + encoded[40:]),
        "another character": book.armoured("*" + encoded[1:]),
        "a character of full width": book.armoured("\uff21" + encoded[1:]),
        "padding in the middle": book.armoured(encoded[:40] + "==" + encoded[40:]),
        "without its padding": book.armoured(encoded.rstrip("=")),
        "with too much padding": book.armoured(encoded + "="),
        "with stray bits": book.armoured(with_stray_bits(encoded)),
        "in the other alphabet": book.armoured(safe),
        "in hex": book.armoured(raw.hex()),
        "in base64 twice": book.armoured(b64(encoded.encode())),
        "of what is no package": book.package_text(b"hunter2"),
        "of a package and a byte": book.package_text(raw + b"\0"),
        "of a text of a package": book.package_text(text.encode()),
    }
    return [
        good("as it is written", text, result),
        good("with other line ends", text.replace("\n", "\r\n"), result),
        good("with line ends of old", text.replace("\n", "\r"), result),
        good("without the last line end", text.removesuffix("\n"), result),
        good("with white space around it", f"\n \t{text}\n\n", result),
        good("with white space around its lines", "".join(f"  {line} \t\n" for line in text.splitlines()), result),
        good("in lines of 76", book.armoured(encoded, 76), result),
        good("in one line", book.armoured(encoded, len(encoded)), result),
        *(bad(name, fault) for name, fault in faults.items()),
    ]


def tokens() -> list[Vector]:
    text = book.token()
    result = [T.hex(), PACKAGE_ID.hex(), text]
    plain = text.replace("-", "")
    known = T + PACKAGE_ID
    label = PREFIX + b"package-token-checksum"
    raw = known + blake2b(lp(label, known))[:3]
    checksums = {
        "without the length of the label": blake2b(label + known)[:3],
        "of two fields": blake2b(lp(label, T, PACKAGE_ID))[:3],
        "of another order": blake2b(lp(label, PACKAGE_ID + T))[:3],
        "of no label": blake2b(known)[:3],
        "of a label without its prefix": blake2b(lp(b"package-token-checksum", known))[:3],
        "of the last bytes": blake2b(lp(label, known))[-3:],
        "of a short hash": blake2b(lp(label, known), 3),
        "of zeros": bytes(3),
    }
    groups = text.split("-")
    faults = {
        **{f"checksum {name}": book.token_text(known + checksum) for name, checksum in checksums.items()},
        **{f"bit {at * 8} flipped": book.token_text(flipped(raw, at)) for at in (0, 15, 16, 31, 32, 34)},
        "two characters swapped": text[:6] + text[7] + text[6] + text[8:],
        "two groups swapped": "-".join([groups[0], groups[2], groups[1], *groups[3:]]),
        "a group missing": "-".join(groups[:-1]),
        "a group more": f"{text}-AAAAAAA",
        "a character missing": text[:-1],
        "a character more": f"{text}A",
        "padding behind": f"{text}======",
        "nothing": "",
        "its beginning alone": "PPT1",
        "of a later version": text.replace("PPT1", "PPT2"),
        "its beginning twice": f"PPT1-{text}",
        "its beginning at the end": "-".join([*groups[1:], "PPT1"]),
        "a digit of no base32": text[:5] + "1" + text[6:],
        "a digit for a letter": text[:5] + "0" + text[6:],
        "joined by underscores": text.replace("-", "_"),
        "joined by dashes": text.replace("-", "\u2013"),
        "quoted": f'"{text}"',
        "twice": f"{text}\n{text}",
        "words before it": f"token: {text}",
        "in hex": f"PPT1-{raw.hex()}",
        "in base64": f"PPT1-{b64(raw)}",
        "secret and id alone": book.token_text(known),
    }
    return [
        good("as it is written", text, result),
        good("in small letters", text.lower(), result),
        good("in both", text[:20].lower() + text[20:], result),
        good("without hyphens", plain, result),
        good("with spaces and a line end", f" {text.replace('-', ' ')}\r\n", result),
        good("in two lines", f"{text[:30]}\n{text[30:]}", result),
        good("in other groups", "-".join(plain[at : at + 5] for at in range(0, len(plain), 5)), result),
        good("of others", book.token(bytes(16), OTHER_ID), [bytes(16).hex(), OTHER_ID.hex(),
                                                            book.token(bytes(16), OTHER_ID)]),
        *(bad(name, fault) for name, fault in faults.items()),
    ]  # fmt: skip


# Keys that people hand around


def form_faults(word: str, raw: Callable[[str], bytes], name: str) -> dict[str, str]:
    """One fault each of a line's form; `raw` gives what is behind the version byte for a name."""
    text, whole = book.line(word, raw(name), name), raw(name)
    encoded = text.split(" ")[1]
    names = {
        "with a hyphen before": f"-{name}",
        "with a space behind": f"{name} ",
        "with a space before": f" {name}",
        "with a tab": f"{name}\tb",
        "with a line end": f"{name}\nb",
        "not normalised": "e\u0301",
        "a merge key": "<<",
        "empty": "",
        "of 257 characters": "a" * 257,
    }
    return {
        **{f"name {fault}": book.line(word, raw(other), other) for fault, other in names.items()},
        "nothing": "",
        "another word": text.replace(word, f"{word}s"),
        "word in capitals": text.replace(word, word.upper()),
        "no word": text.removeprefix(f"{word} "),
        "no name": f"{word} {encoded}\n",
        "name first": f"{word} {name} {encoded}\n",
        "two spaces before the base64": text.replace(f"{word} ", f"{word}  "),
        "a tab": text.replace(f"{word} ", f"{word}\t"),
        "a space before it": f" {text}",
        "a line before it": f"\n{text}",
        "a line behind it": f"{text}\n",
        "twice": text * 2,
        "version 0": f"{word} {b64(bytes([0]) + whole)} {name}\n",
        "version 2": f"{word} {b64(bytes([2]) + whole)} {name}\n",
        "no version": f"{word} {b64(whole)} {name}\n",
        "no bytes": f"{word}  {name}\n",
        "version alone": book.line(word, b"", name),
        "a byte short": book.line(word, whole[:-1], name),
        "a byte long": book.line(word, whole + b"\0", name),
        "public key alone": book.line(word, whole[:32], name),
        "padding too much": f"{word} {encoded}==== {name}\n",
        "in hex": f"{word} {whole.hex()} {name}\n",
    }


def public_key_lines() -> list[Vector]:
    def with_keys(public: bytes, verify: bytes) -> str:
        said = statement("custodian", ALICE.name.encode(), public, verify)
        return book.line("pprotect-key", public + verify + ALICE.sign(said), ALICE.name)

    def own_of(name: str) -> bytes:
        return b"".join(ALICE.keys) + ALICE.sign(Person(name, ALICE.seed).own)

    def with_signature(signature: bytes, name: str = ALICE.name) -> str:
        return book.line("pprotect-key", b"".join(ALICE.keys) + signature, name)

    def result(person: Person) -> list[str]:
        return [person.name, *(key.hex() for key in person.keys)]

    text, own = book.public_line(ALICE), ALICE.sign(ALICE.own)
    zoe = Person("Zo\u00eb M. (ops)", CAROL.seed)
    encoded = text.split(" ")[1]
    half = int.from_bytes(own[32:], "little")
    forms = {
        **form_faults("pprotect-key", own_of, ALICE.name),
        "of an identity": text.replace("pprotect-key", "pprotect-identity"),
        "in the other alphabet": text.replace(encoded, encoded.replace("+", "-").replace("/", "_")),
        "signature missing": book.line("pprotect-key", b"".join(ALICE.keys), ALICE.name),
        **{f"public key {name}": with_keys(key, ALICE.verify_key) for name, key in PUBLIC_KEYS_BAD.items()},
        **{f"verify key {name}": with_keys(ALICE.public_key, key) for name, key in VERIFY_KEYS_BAD.items()},
    }
    fields = ALICE.name.encode(), *ALICE.keys
    signed = {
        "signature of another": with_signature(BOB.sign(ALICE.own)),
        "signature all zero": with_signature(bytes(64)),
        "signature damaged": with_signature(flipped(own, 3)),
        "signature's second half damaged": with_signature(flipped(own, 40)),
        "signature not canonical": with_signature(own[:32] + (half + ORDER).to_bytes(32, "little")),
        "signature of no name": with_signature(ALICE.sign(statement("custodian", *fields[1:]))),
        "signature of keys in another order": with_signature(ALICE.sign(statement("custodian", fields[0],
                                                                                  *fields[:0:-1]))),
        "signature of keys with version bytes": with_signature(
            ALICE.sign(statement("custodian", fields[0], *(b"\1" + key for key in ALICE.keys)))),
        "signature of another kind": with_signature(ALICE.sign(statement("change", *fields))),
        "another name": with_signature(own, BOB.name),
        "a word behind the name": with_signature(own, f"{ALICE.name} (home)"),
        "another public key": book.line("pprotect-key", BOB.public_key + ALICE.verify_key + own, ALICE.name),
        "another verify key": book.line("pprotect-key", ALICE.public_key + BOB.verify_key + own, ALICE.name),
    }  # fmt: skip
    return [
        *(good(f"of {person.name}", book.public_line(person), result(person)) for person in (ALICE, BOB, zoe)),
        good("with another line end", text.replace("\n", "\r\n"), result(ALICE)),
        good("without a line end", text.removesuffix("\n"), result(ALICE)),
        *(bad(name, fault) for name, fault in forms.items()),
        *(bad(name, fault, "IntegrityError") for name, fault in signed.items()),
    ]


def identity_lines() -> list[Vector]:
    word, passphrase = "pprotect-identity", by_the_book.PASSPHRASE

    def bare(line: str) -> Vector:
        return {"line": line}

    def locked(line: str, passphrase: str = passphrase) -> Vector:
        return {"line": line, "passphrase": passphrase}

    def of(private: bytes, keys: Iterable[bytes] = BOB.keys, name: str = BOB.name) -> str:
        return book.line(word, b"".join(keys) + private, name)

    seed, box = b"\0" + BOB.seed, book.wrapped(BOB)
    plain, closed = of(seed), of(box)
    zoe = Person("Zo\u00eb M. (ops)", CAROL.seed)

    def stray(text: str) -> str:
        encoded = text.split(" ")[1]
        return text.replace(encoded, with_stray_bits(encoded))

    forms = {
        **form_faults(word, lambda _: b"".join(BOB.keys) + seed, BOB.name),
        "of a public key": plain.replace(word, "pprotect-key"),
        "with stray bits": stray(plain),
        "without its padding": plain.replace("=", ""),
        "kind 3": of(b"\3" + BOB.seed),
        "no kind": of(BOB.seed),
        "no seed": of(b"\0"),
        "seed twice": of(seed + BOB.seed),
    }
    wrapped_forms = {
        "with stray bits": stray(closed),
        "without its padding": closed.replace("=", ""),
        "with its version byte": of(b"\1" + box),
        "of kind 3": of(b"\3" + box[1:]),
        "of kind 1": of(b"\1" + box[1:]),
        "of kind 0": of(b"\0" + box[1:]),
        "of kind 1, and a cost over the caps": of(b"\1" + book.u32(17) + book.u32(8) + book.u32(1) + box[1:]),
        "a byte short": of(box[:-1]),
        "a byte long": of(box + b"\0"),
        "and the seed too": of(box + seed),
    }
    key = blake2b(lp(PREFIX + b"raw-key", SALT), key=by_the_book.RAW_KEY)

    def anew(*fields: bytes, payload: bytes = BOB.seed) -> str:
        sealed = by_the_book.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(payload, lp(*fields), NONCE, key)
        return of(b"\2" + SALT + NONCE + sealed)

    associated = PREFIX + b"identity", BOB.name.encode(), *BOB.keys, b"\2", b"", SALT
    assert anew(*associated) == closed
    unlike = {
        "seed of another": of(b"\0" + CAROL.seed),
        "seed damaged": of(flipped(seed, 9)),
        "another public key": of(seed, (CAROL.public_key, BOB.verify_key)),
        "another verify key": of(seed, (BOB.public_key, CAROL.verify_key)),
        "keys swapped": of(seed, BOB.keys[::-1]),
        "public key of low order": of(seed, (bytes(32), BOB.verify_key)),
        "private key for the seed": of(b"\0" + BOB.private_key),
    }
    wrapped_unlike = {
        "another name": of(box, name=CAROL.name),
        "another public key": of(box, (CAROL.public_key, BOB.verify_key)),
        "another verify key": of(box, (BOB.public_key, CAROL.verify_key)),
        "of another": of(book.wrapped(CAROL)),
        "ciphertext damaged": of(flipped(box, -20)),
        "tag damaged": of(flipped(box, -1)),
        "salt damaged": of(flipped(box, 3)),
        "nonce damaged": of(flipped(box, 20)),
        "with no label": anew(*associated[1:]),
        "with no name": anew(associated[0], *associated[2:]),
        "with a version byte beside the kind": anew(*associated[:4], b"\1\2", *associated[5:]),
        "seed of another, sealed with these keys": anew(*associated, payload=CAROL.seed),
    }
    wrong = {
        "another": f"P{'00' * 32}P",
        "none": "",
        "in capitals": passphrase[:1] + passphrase[1:-1].upper() + passphrase[-1:],
        "words": "correct horse battery staple",
        "with a line end": f"{passphrase}\n",
    }
    return [
        good("bare", bare(plain), BOB.private_key.hex()),
        good("bare, and a passphrase is at hand", locked(plain), BOB.private_key.hex()),
        good("bare, of another name", bare(book.identity_line(zoe)), zoe.private_key.hex()),
        good("bare, with another line end", bare(plain.replace("\n", "\r\n")), BOB.private_key.hex()),
        good("bare, without a line end", bare(plain.removesuffix("\n")), BOB.private_key.hex()),
        good("wrapped", locked(closed), BOB.private_key.hex()),
        good("wrapped, of another name", locked(book.identity_line(zoe, book.wrapped(zoe))), zoe.private_key.hex()),
        *(bad(f"bare: {name}", bare(line)) for name, line in forms.items()),
        *(bad(f"wrapped: {name}", locked(line)) for name, line in wrapped_forms.items()),
        *(bad(f"bare: {name}", bare(line), "AccessError") for name, line in unlike.items()),
        *(bad(f"wrapped: {name}", locked(line), "AccessError") for name, line in wrapped_unlike.items()),
        *(bad(f"wrapped, with a passphrase: {name}", locked(closed, text), "AccessError")
          for name, text in wrong.items()),
    ]  # fmt: skip


def made_files() -> dict[str, str]:
    """Every file that this makes: name → text."""
    kinds = {
        "package": packages(),
        "package-text": texts(),
        "token": tokens(),
        "public-key-line": public_key_lines(),
        "identity-line": identity_lines(),
    }
    return {"packages.json": json.dumps(kinds, indent=1, ensure_ascii=True) + "\n"}


if __name__ == "__main__":
    for name, content in made_files().items():
        (HERE / name).write_text(content, encoding="utf-8")
