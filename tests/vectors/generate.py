"""Make good.yaml and the JSON vectors anew: python tests/vectors/generate.py

Sealing is randomised, so each run gives other bytes; what is checked in was made once. Signing keys, seeds and
passphrases are fixed and published here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from nacl import bindings

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "unit"))

import samples  # noqa: E402
from samples import ALICE, BOB, CAROL  # noqa: E402

from pocket_protector.crypto.encoding import LABEL_PREFIX, lp, pad  # noqa: E402
from pocket_protector.crypto.identity import Identity  # noqa: E402
from pocket_protector.crypto.kdf import Argon2Cost, KeyedHash  # noqa: E402
from pocket_protector.crypto.key_slots import WrappedSeed  # noqa: E402
from pocket_protector.crypto.keys import PrivateKey, SigningKey, key_id  # noqa: E402
from pocket_protector.crypto.sealing import DOMAIN_KEY, RETIRED_KEY, SECRET, seal  # noqa: E402

P = 2**255 - 19
LOW_ORDER = (
    0,
    1,
    P - 1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)
ORDER = 2**252 + 27742317777372353535851937790883648493

Vector = dict[str, Any]


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def v1(raw: bytes) -> str:
    return b64(b"\1" + raw)


def good(name: str, given: Any, result: Any) -> Vector:
    return {"id": name, "input": given, "result": result}


def bad(name: str, given: Any, error: str = "FormatError", path: str = "") -> Vector:
    return {"id": name, "input": given, "error": error, "path": path}


def flipped(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :] if at >= 0 else flipped(raw, len(raw) + at)


def little(number: int) -> bytes:
    return number.to_bytes(32, "little")


def encoding() -> dict[str, list[Vector]]:
    parts = [[], [b""], [b"a"], [b"a", b"bc"], [b"ab", b"c"], ["é☃".encode(), bytes(3)]]
    payloads = [b"", b"a", b"a" * 27, b"a" * 28, b"a" * 29, b"a" * 60]
    ok = pad(b"abc")
    faults = {
        "empty": b"",
        "three bytes": bytes(3),
        "no padding": b"\0\0\0\3abc",
        "one byte short": ok[:-1],
        "one byte long": ok + b"\0",
        "one block long": ok + bytes(32),
        "length too small": b"\0\0\0\2" + ok[4:],
        "length over the end": b"\0\0\0\x1d" + ok[4:],
        "length huge": b"\xff\xff\xff\xff" + ok[4:],
        "padding not zero": ok[:-1] + b"\1",
        "padding not zero at its start": flipped(ok, 7),
    }
    return {
        "lp": [good(f"{p!r}", [x.hex() for x in p], lp(*p).hex()) for p in parts],
        "pad": [good(f"{len(p)} bytes", p.hex(), pad(p).hex()) for p in payloads],
        "unpad": [good("3 bytes", ok.hex(), b"abc".hex()), good("0 bytes", pad(b"").hex(), "")]
        + [bad(name, raw.hex(), "refused") for name, raw in faults.items()],
    }


def keys() -> dict[str, list[Vector]]:
    seeds = [bytes(32), bytes(range(32)), b"\xff" * 32]
    derived = [Identity.from_seed("x", seed) for seed in seeds]
    public = derived[1].public_key
    verify = derived[1].verify_key or b""
    signing = SigningKey(seeds[1])
    fields = (b"alice@example.com", public, signing.public)
    signature = signing.sign(b"custodian", *fields)
    given = {
        "verify-key": signing.public.hex(),
        "signature": signature.hex(),
        "kind": "custodian",
        "fields": [field.hex() for field in fields],
    }
    high = int.from_bytes(signature[32:], "little") + ORDER
    signed: dict[str, dict[str, Any]] = {
        "another name": {"fields": [b"alice@example.co".hex(), *given["fields"][1:]]},
        "name and key cut elsewhere": {"fields": [(fields[0] + public[:1]).hex(), public[1:].hex(), fields[2].hex()]},
        "another public key": {"fields": [given["fields"][0], derived[0].public_key.hex(), given["fields"][2]]},
        "another verify key in the statement": {"fields": [*given["fields"][:2], verify.hex()]},
        "a field more": {"fields": [*given["fields"], ""]},
        "a field less": {"fields": given["fields"][:2]},
        "fields in another order": {"fields": given["fields"][::-1]},
        "another kind": {"kind": "custodian2"},
        "another signer": {"verify-key": verify.hex()},
        "first half damaged": {"signature": flipped(signature, 5).hex()},
        "second half damaged": {"signature": flipped(signature, 40).hex()},
        "second half not reduced": {"signature": (signature[:32] + little(high)).hex()},
        "all zero": {"signature": bytes(64).hex()},
        "short": {"signature": signature[:-1].hex()},
        "verify key of small order": {"verify-key": little(1).hex(), "signature": (little(1) + bytes(32)).hex()},
    }
    return {
        "identity-keys": [
            good(seed[:2].hex(), seed.hex(), [i.public_key.hex(), (i.verify_key or b"").hex()])
            for seed, i in zip(seeds, derived, strict=True)
        ],
        "key-id": [good(i.public_key[:2].hex(), i.public_key.hex(), key_id(i.public_key).hex()) for i in derived],
        "public-key": [good("a key", public.hex(), public.hex()), good("nine", little(9).hex(), little(9).hex())]
        + [bad(f"low order {at}", little(number).hex()) for at, number in enumerate(LOW_ORDER)]
        + [bad(f"low order {at}, not canonical", little(P + number).hex()) for at, number in enumerate(LOW_ORDER[:2])]
        + [
            bad("p + 9", little(P + 9).hex()),
            bad("high bit", (public[:-1] + bytes([public[-1] | 128])).hex()),
            bad("all ones", "ff" * 32),
            bad("31 bytes", public[:-1].hex()),
            bad("33 bytes", (public + b"\0").hex()),
            bad("no bytes", ""),
        ],
        "verify-key": [
            good("a key", verify.hex(), verify.hex()),
            bad("identity", little(1).hex()),
            bad("order 2", little(P - 1).hex()),
            bad("order 4", little(0).hex()),
            bad("order 4, other sign", (bytes(31) + b"\x80").hex()),
            bad("order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
            bad("not on the curve", little(2).hex()),
            bad("not canonical", little(P + 1).hex()),
            bad("31 bytes", verify[:-1].hex()),
            bad("33 bytes", (verify + b"\0").hex()),
        ],
        "statement": [good("custodian", given, None)]
        + [bad(name, {**given, **change}, "IntegrityError") for name, change in signed.items()],
    }


def sealing() -> dict[str, list[Vector]]:
    key, other = PrivateKey(bytes(range(1, 33))), PrivateKey(bytes(range(2, 34)))
    owner = Identity.from_seed("alice@example.com", bytes(range(32)))
    stranger = Identity.from_seed("bob@example.com", bytes(range(1, 33)))
    at = "dev.secret-db-password"

    def secret(value: str, **changes: Any) -> dict[str, Any]:
        given = {"private-key": key.raw.hex(), "key": v1(key.public), "retired": {}, "domain": "dev", "value": value}
        return {**given, "name": "db-password", **changes}

    def box(plain: bytes, identifier: bytes = b"") -> str:
        return v1((identifier or key_id(key.public)) + bindings.crypto_box_seal(plain, key.public))

    place = (b"dev", b"db-password")
    head = lp(SECRET, *place)
    sealed = b"\1" + seal(key.public, SECRET, place, "hunter2 ☃".encode())
    legacy = b"\0" + bindings.crypto_box_seal(b"hunter2", key.public)
    old = {key_id(other.public).hex(): v1(seal(key.public, RETIRED_KEY, (b"dev", key_id(other.public)), other.raw))}
    under_old = v1(seal(other.public, SECRET, place, b"late"))
    faults = {
        "key id damaged": b64(flipped(sealed, 3)),
        "key id of another key": v1(key_id(other.public) + sealed[9:]),
        "ephemeral key damaged": b64(flipped(sealed, 12)),
        "tag damaged": b64(flipped(sealed, 45)),
        "box damaged": b64(flipped(sealed, 80)),
        "end damaged": b64(flipped(sealed, -1)),
        "truncated by a byte": b64(sealed[:-1]),
        "truncated by a block": b64(sealed[:-32]),
        "longer by a byte": b64(sealed + b"\0"),
        "sealed to another key": v1(seal(other.public, SECRET, place, b"x")),
        "sealed to another key under this id": v1(key_id(key.public) + seal(other.public, SECRET, place, b"x")[8:]),
        "another name": v1(seal(key.public, SECRET, (b"dev", b"db-passwore"), b"x")),
        "another domain": v1(seal(key.public, SECRET, (b"prod", b"db-password"), b"x")),
        "domain and name joined": v1(seal(key.public, SECRET, (b"devdb-password",), b"x")),
        "context longer": v1(seal(key.public, SECRET, (*place, b""), b"x")),
        "context shorter": v1(seal(key.public, SECRET, (b"dev",), b"x")),
        "label of a grant": v1(seal(key.public, DOMAIN_KEY, place, b"x")),
        "label of a retired key": v1(seal(key.public, RETIRED_KEY, place, b"x")),
        "label of format 2": v1(seal(key.public, SECRET.replace(b"/1/", b"/2/"), place, b"x")),
        "no context": box(pad(b"x")),
        "no padded block": box(head),
        "padding missing": box(head + b"\0\0\0\1x"),
        "padding too long": box(head + pad(b"x") + bytes(32)),
        "padding not zero": box(head + pad(b"x")[:-1] + b"\1"),
        "length over the end": box(head + b"\0\0\0\xff" + bytes(28)),
        "length under the value": box(head + b"\0\0\0\0x" + bytes(27)),
        "not UTF-8": box(head + pad(b"\xff")),
        "half a surrogate pair": box(head + pad(b"\xed\xa0\x80")),
        "version 0": b64(legacy),
    }
    secrets = [
        good("a value", secret(b64(sealed)), "hunter2 ☃"),
        good("an empty value", secret(v1(seal(key.public, SECRET, place, b""))), ""),
        good("28 bytes", secret(v1(seal(key.public, SECRET, place, b"a" * 28))), "a" * 28),
        good("under a retired key", secret(under_old, retired=old), "late"),
        good("version 0 under a key of version 0", secret(b64(legacy), key=b64(b"\0" + key.public)), "hunter2"),
        *(bad(name, secret(value), "IntegrityError", at) for name, value in faults.items()),
        bad("moved to another name", secret(b64(sealed), name="api-key"), "IntegrityError", "dev.secret-api-key"),
        bad("moved to another domain", secret(b64(sealed), domain="prod"), "IntegrityError", "prod.secret-db-password"),
        bad("no such retired key", secret(under_old), "IntegrityError", at),
        bad(
            "retired key of another domain",
            secret(under_old, retired=old, domain="prod"),
            "IntegrityError",
            "prod.meta.retired",
        ),
        bad(
            "retired key under another id",
            secret(under_old, retired={key_id(other.public).hex(): v1(retired_as(key, other, b"dev", b"12345678"))}),
            "IntegrityError",
            "dev.meta.retired",
        ),
        bad(
            "retired key that is another",
            secret(
                under_old, retired={key_id(other.public).hex(): v1(retired_as(key, key, b"dev", key_id(other.public)))}
            ),
            "IntegrityError",
            "dev.meta.retired",
        ),
        bad(
            "retired key sealed to itself",
            secret(
                under_old,
                retired={key_id(other.public).hex(): v1(retired_as(other, other, b"dev", key_id(other.public)))},
            ),
            "IntegrityError",
            "dev.meta.retired",
        ),
        bad("version 0, damaged", secret(b64(flipped(legacy, 40)), key=b64(b"\0" + key.public)), "IntegrityError", at),
        bad(
            "version 0 under a retired key",
            secret(b64(b"\0" + bindings.crypto_box_seal(b"x", other.public)), key=b64(b"\0" + key.public), retired=old),
            "IntegrityError",
            at,
        ),
    ]

    def grant(wrapped: str, **changes: Any) -> dict[str, Any]:
        given = {"seed": bytes(range(32)).hex(), "owner": owner.name, "domain": "dev", "key": v1(key.public)}
        return {**given, "wrapped-key": wrapped, **changes}

    scalar = b"\1" + key.public
    context = (b"dev", owner.name.encode(), scalar)
    wrapped = b"\1" + seal(owner.public_key, DOMAIN_KEY, context, key.raw)
    unbound = b"\0" + bindings.crypto_box_seal(key.raw, owner.public_key)
    to_owner = lambda label, context, raw=key.raw: v1(seal(owner.public_key, label, context, raw))  # noqa: E731
    grants = {
        "damaged": b64(flipped(wrapped, 90)),
        "key id damaged": b64(flipped(wrapped, 2)),
        "truncated": b64(wrapped[:-1]),
        "wrapped for another": v1(seal(stranger.public_key, DOMAIN_KEY, context, key.raw)),
        "another owner's context": to_owner(DOMAIN_KEY, (b"dev", b"bob@example.com", scalar)),
        "another domain": to_owner(DOMAIN_KEY, (b"prod", owner.name.encode(), scalar)),
        "another public key": to_owner(DOMAIN_KEY, (b"dev", owner.name.encode(), b"\1" + other.public)),
        "public key of version 0": to_owner(DOMAIN_KEY, (b"dev", owner.name.encode(), b"\0" + key.public)),
        "public key without its version": to_owner(DOMAIN_KEY, (b"dev", owner.name.encode(), key.public)),
        "label of a secret": to_owner(SECRET, context),
        "another private key": to_owner(DOMAIN_KEY, context, other.raw),
        "private key of 31 bytes": to_owner(DOMAIN_KEY, context, key.raw[:-1]),
        "private key of 33 bytes": to_owner(DOMAIN_KEY, context, key.raw + b"\0"),
        "no private key": to_owner(DOMAIN_KEY, context, b""),
    }
    where = f"dev.meta.owners.{owner.name}"
    domain_keys = [
        good("wrapped", grant(b64(wrapped)), key.raw.hex()),
        good("version 0", grant(b64(unbound), key=b64(b"\0" + key.public)), key.raw.hex()),
        *(bad(name, grant(text), "IntegrityError", where) for name, text in grants.items()),
        bad("version 0 under a bound key", grant(b64(unbound)), "IntegrityError", f"meta.owners.{owner.name}"),
        bad("bound under a relabelled key", grant(b64(wrapped), key=b64(b"\0" + key.public)), "IntegrityError", where),
        bad(
            "version 0, damaged", grant(b64(flipped(unbound, 50)), key=b64(b"\0" + key.public)), "IntegrityError", where
        ),
        bad("version 0 of another key", grant(b64(unbound), key=b64(b"\0" + other.public)), "IntegrityError", where),
        bad("in another domain", grant(b64(wrapped), domain="prod"), "IntegrityError", where.replace("dev", "prod")),
        bad("for another owner", grant(b64(wrapped), owner="eve"), "IntegrityError", "dev.meta.owners.eve"),
    ]
    return {"sealed-secret": secrets, "wrapped-domain-key": domain_keys}


def retired_as(to: PrivateKey, key: PrivateKey, domain: bytes, identifier: bytes) -> bytes:
    return seal(to.public, RETIRED_KEY, (domain, identifier), key.raw)


def identities() -> dict[str, list[Vector]]:
    vectors = []
    for cost, passphrase, kind in ((None, ALICE.passphrase, "raw"), (Argon2Cost(1, 8, 1), "pä$$ tulip", "argon2id")):
        identity = Identity.from_seed("alice@example.com", bytes(range(32)))
        raw = b"\1" + WrappedSeed.wrap(identity, passphrase, cost or KeyedHash()).encode()
        keys = {"public-key": identity.public_key.hex(), "verify-key": (identity.verify_key or b"").hex()}
        given = {"name": identity.name, **keys, "wrapped": b64(raw), "passphrase": passphrase}
        other = Identity.from_seed("x", bytes(32))
        salt_at = 2 + (12 if cost else 0)
        vectors += [
            good(kind, given, bytes(range(32)).hex()),
            bad(f"{kind}: wrong passphrase", {**given, "passphrase": samples.raw_key(1)}, "AccessError"),
            bad(f"{kind}: another name", {**given, "name": "bob@example.com"}, "AccessError"),
            bad(f"{kind}: another public key", {**given, "public-key": other.public_key.hex()}, "AccessError"),
            bad(f"{kind}: another verify key", {**given, "verify-key": (other.verify_key or b"").hex()}, "AccessError"),
            bad(f"{kind}: salt damaged", {**given, "wrapped": b64(flipped(raw, salt_at))}, "AccessError"),
            bad(f"{kind}: nonce damaged", {**given, "wrapped": b64(flipped(raw, salt_at + 20))}, "AccessError"),
            bad(f"{kind}: seed damaged", {**given, "wrapped": b64(flipped(raw, salt_at + 45))}, "AccessError"),
            bad(f"{kind}: tag damaged", {**given, "wrapped": b64(flipped(raw, -1))}, "AccessError"),
            bad(f"{kind}: short", {**given, "wrapped": b64(raw[:-1])}),
            bad(f"{kind}: long", {**given, "wrapped": b64(raw + b"\0")}),
            bad(f"{kind}: version 0", {**given, "wrapped": b64(b"\0" + raw[1:])}),
            bad(f"{kind}: version 2", {**given, "wrapped": b64(b"\2" + raw[1:])}),
            bad(f"{kind}: kind 0", {**given, "wrapped": b64(raw[:1] + b"\0" + raw[2:])}),
            bad(f"{kind}: kind 3", {**given, "wrapped": b64(raw[:1] + b"\3" + raw[2:])}),
            bad(f"{kind}: nothing behind the version", {**given, "wrapped": "AQ=="}),
        ]
        if cost is None:
            vectors += [
                bad("raw: no raw key", {**given, "passphrase": "tulip"}, "AccessError"),
                bad("raw: in capitals", {**given, "passphrase": passphrase.upper()}, "AccessError"),
                bad("raw: relabelled as argon2id", {**given, "wrapped": b64(raw[:1] + b"\1" + raw[2:])}),
            ]
            continue
        vectors += [
            good("argon2id: passphrase in NFD", {**given, "passphrase": "pa\u0308$$ tulip"}, bytes(range(32)).hex()),
            bad("argon2id: a space more", {**given, "passphrase": passphrase + " "}, "AccessError"),
            bad("argon2id: without the dots", {**given, "passphrase": "pa$$ tulip"}, "AccessError"),
        ]
        for name, costs, error in (
            ("more passes", (2, 8, 1), "AccessError"),
            ("more memory", (1, 9, 1), "AccessError"),
            ("more lanes", (1, 16, 2), "AccessError"),
            ("no pass", (0, 8, 1), "FormatError"),
            ("17 passes", (17, 8, 1), "FormatError"),
            ("no memory", (1, 0, 1), "FormatError"),
            ("memory under 8 KiB a lane", (1, 15, 2), "FormatError"),
            ("over 1 GiB", (1, 2**20 + 1, 1), "FormatError"),
            ("over 4 GiB in all", (5, 2**20, 1), "FormatError"),
            ("no lane", (1, 8, 0), "FormatError"),
            ("17 lanes", (1, 1024, 17), "FormatError"),
            ("the most of all", (2**32 - 1, 2**32 - 1, 2**32 - 1), "FormatError"),
        ):
            changed = raw[:2] + b"".join(n.to_bytes(4, "big") for n in costs) + raw[14:]
            vectors.append(bad(f"argon2id: {name}", {**given, "wrapped": b64(changed)}, error))
    return {"wrapped-identity": vectors}


def scalars() -> dict[str, list[Vector]]:
    texts = [
        "AQ", "AQ=", "AQ===", "=AQ=", "A", "", "AR==", "AQB=", "AQ==\n", " AQ==", "AQ ==", "A-_=", "AQ==AQ==",
        "AQ\u00e9=", "\uff21Q==", "AQIDBA=", "AQIDB===", "AQ==\0", "AQ==A", "====",
    ]  # fmt: skip
    fixed = {
        "version 0": b"\0abc",
        "version 2": b"\2abc",
        "version 255": b"\xffabc",
        "short": b"\1ab",
        "long": b"\1abcd",
    }
    return {
        "base64": [good(b64(raw), b64(raw), raw.hex()) for raw in (b"\0", b"\1", b"\1\2", b"\1\2\3", b"\xff" * 7)]
        + [bad(ascii(text), text) for text in texts],
        "fixed": [good("three bytes", [v1(b"abc"), 3], b"abc".hex())]
        + [bad(name, [b64(raw), 3]) for name, raw in fixed.items()],
        "sealed": [
            good("version 1", v1(bytes(88)), (b"\1" + bytes(88)).hex()),
            good("version 0", b64(bytes(49)), bytes(49).hex()),
            bad("version 1, short", v1(bytes(87))),
            bad("version 0, short", b64(bytes(48))),
            bad("version 2", b64(b"\2" + bytes(100))),
            bad("version 1, nothing", "AQ=="),
            bad("not base64", "AQ"),
        ],
    }


def names() -> dict[str, list[Vector]]:
    error = "NameFormatError"
    secret_bad = [
        "",
        "1a",
        "-a",
        "_a",
        "a b",
        "a.b",
        "a/b",
        "é",
        "a\n",
        "a" * 257,
        "\uff41",
        "a\u0301",
        "[a",
        "a^",
        "A\0",
    ]
    person_bad = ["", " a", "a ", "a\nb", "a\0", "\x7f", "a\x85", "e\u0301", "a\u200b", "a\u202eb", "a\u2028b",
                  "a\u00a0b", "<<", "a" * 257, "\ufeffa", "\ue000", "\tb", "\u212b"]  # fmt: skip
    domain_bad = [*person_bad, "meta", "meta-data", "metal", "key-custodians", "audit-log", "x-", "x-a"]
    legacy_bad = ["", "a\n", "a\0", "\x1f", "a\x7f", "a\x80b", "\x9f"]
    legacy_secret_bad = ["", "1", "-a", "a b", "a.b", "é", "a\n"]
    return {
        "secret-name": [good(ascii(n), n, n) for n in ("a", "db-password", "A_9-", "Z" * 256)]
        + [bad(ascii(n), n, error) for n in secret_bad],
        "custodian-name": [good(ascii(n), n, n) for n in ("a", "alice@example.com", "é ☃", "meta", "<< a", "x-a")]
        + [bad(ascii(n), n, error) for n in person_bad],
        "domain-name": [good(ascii(n), n, n) for n in ("dev", "a b: c #d", "Meta", "audit-logs")]
        + [bad(ascii(n), n, error) for n in domain_bad],
        "legacy-name": [good(ascii(n), n, n) for n in (" a ", "e\u0301", "a" * 257)]
        + [bad(ascii(n), n, error) for n in legacy_bad],
        "legacy-secret-name": [good(ascii(n), n, n) for n in ("a^b", "[_", "`")]
        + [bad(ascii(n), n, error) for n in legacy_secret_bad],
    }


def log() -> dict[str, list[Vector]]:
    times_bad = [
        "", "2026-11-22", "2026-11-22T09:59:00", "2026-11-22t09:59:00Z", "2026-11-22T09:59:00z", "2026-11-22 09:59:00Z",
        "2026-11-22T09:59:00+00:00", "2026-11-22T09:59:00.0Z", "2026-11-22T095900.0Z", "2026-W47-7T09:59:00Z",
        "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T09:60:00Z",
        "2026-11-22T09:59:60Z", "0000-01-01T00:00:00Z", "12026-11-22T09:59:0Z", "2026-11-22T09:59:00Z ",
        "\u0662026-11-22T09:59:00Z", "2026-1-22T09:59:000Z",
    ]  # fmt: skip
    sections_bad = [
        "", "/", "files", "File", "custodian", "custodian/", "custodian/a/b", "domain/a/b", "owner/a", "owner/a/b/c",
        "owner//b", "secret/a", "secret/a/", "/secret/a/b", "custodian/a%2f", "custodian/%41", "custodian/%", "file/",
        "custodian/a\nb", "custodian/a\x85", "legacy/x", "policy/a",
    ]  # fmt: skip
    time = "2026-11-22T09:59:00Z"
    entries_bad = [
        "", time, f"{time} -- ", f"{time} - a", f"{time}-- a", f"{time} -- a\nb", f"{time} -- a\0", f"{time} -- \x85",
        f" {time} -- a", "2026-11-22T09:59Z -- a", "a -- b",
    ]  # fmt: skip
    sections = ("legacy", "file", "custodian/a@b", "domain/a%2Fb", "owner/d/%25", "secret/d/n", "domain/é ☃")
    times = (time, "2024-02-29T23:59:59Z", "9999-12-31T00:00:00Z", "0001-01-01T00:00:00Z")
    return {
        "time": [good(text, text, text) for text in times] + [bad(ascii(text), text) for text in times_bad],
        "audit-section": [good(ascii(s), s, s) for s in sections] + [bad(ascii(s), s) for s in sections_bad],
        "audit-entry": [good(e[24:], e, e) for e in (f"{time} -- a", f"{time} --  -- ", f"{time} -- é ☃")]
        + [bad(ascii(e), e) for e in entries_bad],
    }


def legacy() -> dict[str, list[Vector]]:
    salt, name, passphrase = b"saltsalt", "ci", samples.raw_key(0x11)
    private = hashlib.sha512(passphrase.encode() + salt + name.encode()).digest()[:32]
    key = bindings.crypto_scalarmult_base(private)
    raw = b"\2" + salt + key
    limits = b"\1\0\0\0" + (8192).to_bytes(4, "little")
    stretched = hashlib.sha512(b"t\xc3\xafulip" + salt + b"ann").digest()
    from nacl import pwhash

    slow = pwhash.argon2id.kdf(32, stretched, hashlib.sha512(salt + b"ann").digest()[:16], opslimit=1, memlimit=8192)
    slow_raw = b"\1" + limits + salt + bindings.crypto_scalarmult_base(slow)
    given = {"name": name, "passphrase": passphrase, "pwdkm": b64(raw)}
    slow_given = {"name": "ann", "passphrase": "tïulip", "pwdkm": b64(slow_raw)}

    def costs(passes: int, memory: int) -> str:
        return b64(b"\1" + passes.to_bytes(4, "little") + memory.to_bytes(4, "little") + slow_raw[9:])

    return {
        "pwdkm": [
            good("version 2", given, key.hex()),
            good("version 1", slow_given, slow_raw[17:].hex()),
            bad("version 2: wrong passphrase", {**given, "passphrase": passphrase[:-1]}, "AccessError"),
            bad("version 2: another name", {**given, "name": "cj"}, "AccessError"),
            bad("version 2: salt damaged", {**given, "pwdkm": b64(flipped(raw, 4))}, "AccessError"),
            bad("version 2: key damaged", {**given, "pwdkm": b64(flipped(raw, 20))}, "AccessError"),
            bad("version 1: not normalised", {**slow_given, "passphrase": "ti\u0308ulip"}, "AccessError"),
            bad("version 1: another name", {**slow_given, "name": "Ann"}, "AccessError"),
            bad("version 1: other passes", {**slow_given, "pwdkm": costs(2, 8192)}, "AccessError"),
            bad("version 1: no passes", {**slow_given, "pwdkm": costs(0, 8192)}),
            bad("version 1: 17 passes", {**slow_given, "pwdkm": costs(17, 8192)}),
            bad("version 1: no memory", {**slow_given, "pwdkm": costs(1, 0)}),
            bad("version 1: under 8 KiB", {**slow_given, "pwdkm": costs(1, 8191)}),
            bad("version 1: over 1 GiB", {**slow_given, "pwdkm": costs(1, 2**30 + 1024)}),
            bad("version 1: over 4 GiB in all", {**slow_given, "pwdkm": costs(5, 2**30)}),
            bad("version 2: short", {**given, "pwdkm": b64(raw[:-1])}),
            bad("version 2: long", {**given, "pwdkm": b64(raw + b"\0")}),
            bad("version 1: as long as 2", {**given, "pwdkm": b64(b"\1" + raw[1:])}),
            bad("version 2: as long as 1", {**slow_given, "pwdkm": b64(b"\2" + slow_raw[1:])}),
            bad("version 3", {**given, "pwdkm": b64(b"\3" + raw[1:])}),
            bad("key zero", {**given, "pwdkm": b64(raw[:9] + bytes(32))}),
            bad("key not canonical", {**given, "pwdkm": b64(raw[:9] + b"\xff" * 32)}),
            bad("nothing", {**given, "pwdkm": "Ag=="}),
        ]
    }


def files(text: str) -> dict[str, list[Vector]]:
    """Whole files: who asks for which domain, and what it holds or where the fault is."""

    def given(changed: str, user: str = ALICE.name, domain: str = "dev") -> dict[str, str]:
        assert changed != text or domain == "dev"
        passphrase = {creds.name: creds.passphrase for creds in (ALICE, BOB, CAROL)}[user]
        return {"text": changed, "user": user, "passphrase": passphrase, "domain": domain}

    a, b = ("dev", "secret-api-key", "value"), ("dev", "secret-db-password", "value")
    one, two = samples.get(text, *a), samples.get(text, *b)
    swapped = samples.put(samples.put(text, two, *a), one, *b)
    prod = samples.get(text, "prod", "secret-api-key", "value")
    grant = ("dev", "meta", "owners", BOB.name, "wrapped-key")
    prod_grant = samples.get(text, "prod", "meta", "owners", BOB.name, "wrapped-key")
    no_owner = text.replace(f"  {CAROL.name}:\n    public", "  mallory:\n    public", 1)
    cr = text.replace("\n", "\r\n")
    at = "dev.meta.public-key"
    zero = b64(b"\1" + bytes(32))
    return {
        "file": [
            good("as it is", given(text), samples.DEV),
            good("with CRLF", given(cr, BOB.name, "prod"), samples.PROD),
            good("without a final line end", given(text.rstrip("\n"), BOB.name), samples.DEV),
            bad("values swapped", given(swapped), "IntegrityError", "dev.secret-api-key"),
            bad("value of another domain", given(samples.put(text, prod, *a)), "IntegrityError", "dev.secret-api-key"),
            bad(
                "grant of another domain",
                given(samples.put(text, prod_grant, *grant), BOB.name),
                "IntegrityError",
                f"dev.meta.owners.{BOB.name}",
            ),
            bad("custodian renamed", given(no_owner), "IntegrityError", "key-custodians.mallory.signature"),
            bad("not an owner", given(text, CAROL.name), "AccessError"),
            bad("public key zero", given(samples.put(text, zero, "dev", "meta", "public-key")), "FormatError", at),
            bad("empty", given(""), "FormatError"),
            bad("byte order mark", given("\ufeff" + text), "FormatError"),
            bad("format 2", given(text.replace("format: 1", "format: 2")), "FormatError", "meta.format"),
            bad("second document", given(text + "---\n{}\n"), "FormatError"),
            bad("key twice", given(text.replace("\nprod:", "\ndev:")), "FormatError", "dev"),
            bad("alias", given(samples.put(text, "*a", *a)), "FormatError"),
            bad("conflict markers", given("<<<<<<< HEAD\n" + text), "FormatError"),
            bad("unknown key", given(text.replace("\nprod:", "\n  note: x\nprod:")), "FormatError", "dev.note"),
        ]
    }


def main() -> None:
    text = samples.make().get_contents()
    (HERE / "good.yaml").write_text(text, encoding="utf-8")
    sections = {
        "encoding": encoding(),
        "keys": keys(),
        "sealing": sealing(),
        "identities": identities(),
        "scalars": scalars(),
        "names": names(),
        "audit-log": log(),
        "legacy": legacy(),
        "files": files(text),
    }
    assert LABEL_PREFIX == b"pocket-protector/1/"
    for name, kinds in sections.items():
        (HERE / f"{name}.json").write_text(json.dumps(kinds, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
