"""Make signed.yaml, and the vectors of statements and signed files: python tests/vectors/generate_signed.py

Nothing is random, and nothing of the package makes a byte of it: see by_the_book.py. So every run gives the same files,
and a test runs it.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "unit")]

import by_the_book as book  # noqa: E402
import samples  # noqa: E402
from by_the_book import ALICE, BOB, FILE_ID, NEW_ALICE, b64, lp, statement, u64, v1  # noqa: E402

Vector = dict[str, Any]
TIME = book.MADE
LATER = "2026-11-22T10:00:01Z"
OTHER_ID = bytes(range(1, 17))
SMALL_ORDER = v1((1).to_bytes(32, "little"))


def good(name: str, given: Any, result: Any, **more: Any) -> Vector:
    return {"id": name, "input": given, "result": result, **more}


def bad(name: str, given: Any, error: str = "FormatError", path: str = "", line: int = 0) -> Vector:
    return {"id": name, "input": given, "error": error, "path": path, **({"line": line} if line else {})}


def flipped(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


# Statements: what the fields give, and one fault each


def statements() -> dict[str, list[Vector]]:
    return {"epoch": epochs(), "grant": grants(), "entry": entries(), "change": changes()}


def one_fault_each(name: str, given: Vector, said: bytes, faults: dict[str, Vector]) -> list[Vector]:
    """A statement that is signed, and what the same signature does not fit."""
    whole = good(name, given, book.blake2b(said).hex(), statement=said.hex())
    return [
        whole,
        *(bad(f"{name}: {fault}", {**given, **change}, "IntegrityError") for fault, change in faults.items()),
    ]


def signer_faults(field: str, given: Vector) -> dict[str, Vector]:
    key, _, name = given[field].partition(" ")
    signature = book.base64.b64decode(given["signature"])
    return {
        "by another name": {field: f"{key} {name[1:]}"},
        "by another key": {field: f"{v1(BOB.verify_key if name == ALICE.name else ALICE.verify_key)} {name}"},
        "signature damaged": {"signature": b64(flipped(signature, 9))},
        "signature's second half damaged": {"signature": b64(flipped(signature, 40))},
        "signature all zero": {"signature": v1(bytes(64))},
    }


def signed_anew(by: book.Person, *fields: bytes, kind: str) -> Vector:
    """A signature of other bytes than the fields give."""
    return {"signature": v1(by.sign(statement(kind, *fields, *by.by)))}


def epochs() -> list[Vector]:
    vectors = []
    for epoch in (book.EPOCH_1, book.EPOCH_2, book.EPOCH_3):
        written = epoch.fields()
        given = {
            "file-id": FILE_ID.hex(),
            "domain": "dev",
            "public-key": epoch.public_key.hex(),
            **written,
            "number": epoch.number,
            "previous": [identifier.hex() for identifier in epoch.previous],
        }
        policy = {**epoch.policy, "min-owners": "3"}
        lists = book.listed(epoch.previous), book.policy_field(epoch.policy)
        plain = FILE_ID, b"dev", u64(epoch.number), epoch.public_key, *lists, epoch.made.encode()
        faults = {
            "another file": {"file-id": OTHER_ID.hex()},
            "no file": {"file-id": ""},
            "another domain": {"domain": "de"},
            "number one more": {"number": epoch.number + 1},
            "number one less": {"number": epoch.number - 1},
            "another public key": {"public-key": ALICE.public_key.hex()},
            "a previous epoch more": {"previous": sorted([bytes(32).hex(), *given["previous"]])},
            "another previous epoch": {"previous": [book.EPOCH_3.hash.hex()]},
            "another policy": {"policy": policy},
            "made later": {"made": "2026-11-22T10:09:00Z"},
            **signer_faults("made-by", given),
            "signed without its maker": {"signature": v1(epoch.by.sign(statement("epoch", *plain)))},
            "signed as a grant": signed_anew(epoch.by, *plain, kind="grant"),
            "signed with a number of 4 bytes": signed_anew(
                epoch.by, *plain[:2], epoch.number.to_bytes(4, "big"), *plain[3:], kind="epoch"
            ),
            "signed with the key's version byte": signed_anew(
                epoch.by, *plain[:3], b"\1" + plain[3], *plain[4:], kind="epoch"
            ),
        }
        if epoch.previous:
            faults["no previous epoch"] = {"previous": []}
            faults["signed with the policy before the list"] = signed_anew(
                epoch.by, *plain[:4], *lists[::-1], plain[6], kind="epoch"
            )
            faults["signed with a list of no count"] = signed_anew(
                epoch.by, *plain[:4], lp(*epoch.previous), *plain[5:], kind="epoch"
            )
        if epoch.policy:
            faults["no policy"] = {"policy": {}}
            faults["a demand less"] = {"policy": {k: text for k, text in epoch.policy.items() if k != "min-owners"}}
            backwards = [lp(k.encode(), text.encode()) for k, text in sorted(epoch.policy.items(), reverse=True)]
            faults["signed with the policy not sorted"] = signed_anew(
                epoch.by, *plain[:5], u64(len(backwards)) + lp(*backwards), plain[6], kind="epoch"
            )
        vectors += one_fault_each(f"epoch {epoch.number}", given, epoch.said, faults)
    two = sorted([book.EPOCH_2.hash, book.EPOCH_3.hash])
    joined = book.Epoch("dev", 4, book.FIRST, tuple(two), {}, LATER, BOB)
    given = {
        "file-id": FILE_ID.hex(),
        "domain": "dev",
        "public-key": joined.public_key.hex(),
        **joined.fields(),
        "number": 4,
        "previous": [identifier.hex() for identifier in two],
    }
    plain = FILE_ID, b"dev", u64(4), joined.public_key, u64(2) + lp(*two[::-1]), u64(0), LATER.encode()
    faults = {
        "one previous epoch less": {"previous": [two[0].hex()]},
        "the other one less": {"previous": [two[1].hex()]},
        "signed with them not sorted": signed_anew(BOB, *plain, kind="epoch"),
        "signed with them as one": signed_anew(
            BOB, *plain[:4], u64(1) + lp(two[0] + two[1]), u64(0), LATER.encode(), kind="epoch"
        ),
    }
    return vectors + one_fault_each("two previous epochs", given, joined.said, faults)


def grants() -> list[Vector]:
    said = book.GRANT_SAID
    given = {
        "file-id": FILE_ID.hex(),
        "domain": "dev",
        "public-key": book.FIRST.hex(),
        "custodian": BOB.name,
        "keys": [key.hex() for key in BOB.keys],
        "granted": book.GIVEN,
        **book.signed("granted-by", ALICE, said),
    }
    plain = FILE_ID, b"dev", book.FIRST, BOB.name.encode(), *BOB.keys, book.GIVEN.encode()
    faults = {
        "another file": {"file-id": OTHER_ID.hex()},
        "another domain": {"domain": "prod"},
        "another key of the domain": {"public-key": book.SECOND.hex()},
        "another custodian": {"custodian": ALICE.name},
        "another public key of theirs": {"keys": [ALICE.public_key.hex(), BOB.verify_key.hex()]},
        "another verify key of theirs": {"keys": [BOB.public_key.hex(), ALICE.verify_key.hex()]},
        "their keys swapped": {"keys": [BOB.verify_key.hex(), BOB.public_key.hex()]},
        "no verify key": {"keys": [BOB.public_key.hex(), ""]},
        "granted later": {"granted": "2026-11-22T10:01:01Z"},
        **signer_faults("granted-by", given),
        "by the owner": {"granted-by": BOB.signer},
        "signed without its giver": {"signature": v1(ALICE.sign(statement("grant", *plain)))},
        "signed as an entry": signed_anew(ALICE, *plain, kind="entry"),
        "signed with domain and key swapped": signed_anew(ALICE, FILE_ID, book.FIRST, b"dev", *plain[3:], kind="grant"),
        "signed with the version byte of the key": signed_anew(
            ALICE, FILE_ID, b"dev", b"\1" + book.FIRST, *plain[3:], kind="grant"
        ),
    }
    legacy = {**given, "keys": [BOB.public_key.hex(), ""]}
    old = statement("grant", *plain[:4], BOB.public_key, b"", plain[6], *ALICE.by)
    legacy |= book.signed("granted-by", ALICE, old)
    later = {"keys": given["keys"]}
    return [
        *one_fault_each("a grant", given, said, faults),
        *one_fault_each(
            "to keys of Pocket Protector's",
            legacy,
            old,
            {
                "with a verify key": later,
                "of zeros": {"keys": [BOB.public_key.hex(), bytes(32).hex()]},
                "another": {"keys": [ALICE.public_key.hex(), ""]},
            },
        ),
    ]


def entries() -> list[Vector]:
    said = book.ENTRY_SAID
    value = book.sealed_secret(book.DOMAIN_KEYS[0], "dev", "db-password", "hunter2")
    other = book.sealed_secret(book.DOMAIN_KEYS[0], "dev", "db-password", "hunter3")
    given = {
        "file-id": FILE_ID.hex(),
        "domain": "dev",
        "public-key": book.FIRST.hex(),
        "name": "db-password",
        "value": b64(value),
        "updated": TIME,
        **book.signed("signed-by", ALICE, said),
    }
    head = FILE_ID, b"dev", book.FIRST, b"db-password"
    digest, end = book.blake2b(value), (b"", TIME.encode())
    faults = {
        "another file": {"file-id": OTHER_ID.hex()},
        "another domain": {"domain": "prod"},
        "another key of the domain": {"public-key": book.SECOND.hex()},
        "another name": {"name": "db-passwort"},
        "domain and name cut elsewhere": {"domain": "devd", "name": "b-password"},
        "another value": {"value": b64(other)},
        "value damaged": {"value": b64(flipped(value, 100))},
        "value of another version": {"value": b64(b"\0" + value[1:])},
        "value longer by a byte": {"value": b64(value + b"\0")},
        "updated later": {"updated": LATER},
        **signer_faults("signed-by", given),
        "signed with the value's text": signed_anew(ALICE, *head, b"value", b"hunter2", *end, kind="entry"),
        "signed without the value's version byte": signed_anew(
            ALICE, *head, b"value", book.blake2b(value[1:]), *end, kind="entry"
        ),
        "signed as a reference": signed_anew(ALICE, *head, b"reference", digest, *end, kind="entry"),
        "signed with a sensitivity": signed_anew(ALICE, *head, b"value", digest, b"high", end[1], kind="entry"),
        "signed with no place for the sensitivity": signed_anew(ALICE, *head, b"value", digest, end[1], kind="entry"),
        "signed without its signer": {"signature": v1(ALICE.sign(statement("entry", *head, b"value", digest, *end)))},
        "signed as an epoch": signed_anew(ALICE, *head, b"value", digest, *end, kind="epoch"),
    }
    return [*one_fault_each("a value", given, said, faults), *_sensitive_entries(given), *_pointing_entries(given)]


def _sensitive_entries(given: Vector) -> list[Vector]:
    """The same value with each sensitivity that is written."""
    vectors = []
    value = book.base64.b64decode(given["value"])
    head = FILE_ID, b"dev", book.FIRST, b"db-password", b"value", book.blake2b(value)
    for sensitivity, other in {"low": "high", "high": "inject-only", "inject-only": "low"}.items():
        said = book.entry_said("dev", book.FIRST, "db-password", value, TIME, ALICE, sensitivity)
        whole = {**given, "sensitivity": sensitivity, **book.signed("signed-by", ALICE, said)}
        faults = {
            "of none": {"sensitivity": "medium"},
            "of another": {"sensitivity": other},
            "signed with none": {"signature": given["signature"]},
            "signed with the word in capitals": signed_anew(
                ALICE, *head, sensitivity.upper().encode(), TIME.encode(), kind="entry"
            ),
            "signed with the word behind the time": signed_anew(
                ALICE, *head, TIME.encode(), sensitivity.encode(), kind="entry"
            ),
        }
        vectors += one_fault_each(f"of {sensitivity} sensitivity", whole, said, faults)
    return vectors


def _pointing_entries(given: Vector) -> list[Vector]:
    said, uri = book.REFERENCE_SAID, book.REFERENCE
    place = {key: given[key] for key in ("file-id", "domain", "public-key", "updated")}
    whole = {
        **place,
        "name": "db-url",
        "sensitivity": "high",
        "reference": uri,
        **book.signed("signed-by", ALICE, said),
    }
    head, raw = (FILE_ID, b"dev", book.FIRST, b"db-url"), uri.encode()
    end = b"high", TIME.encode()
    faults = {
        "another file": {"file-id": OTHER_ID.hex()},
        "another domain": {"domain": "prod"},
        "another key of the domain": {"public-key": book.SECOND.hex()},
        "another name": {"name": "db-uri"},
        "to another place": {"reference": "azure-kv://other-keyvault/db-url"},
        "with a fragment": {"reference": f"{uri}#url"},
        "with a slash behind": {"reference": f"{uri}/"},
        "written in another way": {"reference": uri.replace("db", "%64b")},
        "of another scheme": {"reference": uri.replace("azure-kv", "vault")},
        "of no sensitivity": {"sensitivity": "medium"},
        "of a higher one": {"sensitivity": "inject-only"},
        "updated later": {"updated": LATER},
        **signer_faults("signed-by", whole),
        "signed as a value": signed_anew(ALICE, *head, b"value", raw, *end, kind="entry"),
        "signed as the hash of a value": signed_anew(ALICE, *head, b"value", book.blake2b(raw), *end, kind="entry"),
        "signed by its hash": signed_anew(ALICE, *head, b"reference", book.blake2b(raw), *end, kind="entry"),
        "signed decoded": signed_anew(ALICE, *head, b"reference", raw.split(b"://")[1], *end, kind="entry"),
        "signed without a kind": signed_anew(ALICE, *head, raw, *end, kind="entry"),
        "signed with sensitivity and reference swapped": signed_anew(
            ALICE, *head, b"reference", end[0], raw, end[1], kind="entry"
        ),
        "signed without its signer": {"signature": v1(ALICE.sign(statement("entry", *head, b"reference", raw, *end)))},
    }
    plain = {key: text for key, text in whole.items() if key != "sensitivity"}
    bare = book.entry_said("dev", book.FIRST, "db-url", uri, TIME, ALICE)
    plain |= book.signed("signed-by", ALICE, bare)
    encoded = "aws-sm://eu-west-1/prod%2Fdb?version-stage=A%26B#db.pass%2Eword"
    written = book.entry_said("dev", book.FIRST, "db-url", encoded, TIME, ALICE)
    decoded = {"reference": "aws-sm://eu-west-1/prod/db?version-stage=A%26B#db.pass%2Eword"}
    return [
        *one_fault_each("a reference", whole, said, faults),
        *one_fault_each(
            "a plain reference",
            plain,
            bare,
            {
                "of high sensitivity": {"sensitivity": "high"},
                "with the signature of the other": {"signature": whole["signature"]},
                "signed without a place for the sensitivity": signed_anew(
                    ALICE, *head, b"reference", raw, end[1], kind="entry"
                ),
            },
        ),
        *one_fault_each(
            "an encoded reference",
            {**plain, "reference": encoded, **book.signed("signed-by", ALICE, written)},
            written,
            {
                "a slash decoded": decoded,
                "a dot decoded": {"reference": encoded.replace("%2E", ".")},
                "encoded in small letters": {"reference": encoded.replace("%2E", "%2e")},
            },
        ),
    ]


def changes() -> list[Vector]:
    said, raw = book.CHANGE_SAID, book.CHANGE

    def given(scalar: bytes, **more: Any) -> Vector:
        base = {"file-id": FILE_ID.hex(), "name": ALICE.name, "keys": [key.hex() for key in NEW_ALICE.keys]}
        return {**base, "change": v1(scalar), **more}

    old, by_old, by_new = raw[:84], raw[84:148], raw[148:]
    other = statement("change", OTHER_ID, ALICE.name.encode(), *ALICE.keys, *NEW_ALICE.keys, book.REKEYED.encode())
    # Otherwise well-formed: the faults of form are in signed.json.
    faults = {
        "another file": given(raw, **{"file-id": OTHER_ID.hex()}),
        "another name": given(raw, name=BOB.name),
        "to another public key": given(raw, keys=[BOB.public_key.hex(), NEW_ALICE.verify_key.hex()]),
        "to another verify key": given(raw, keys=[NEW_ALICE.public_key.hex(), BOB.verify_key.hex()]),
        "to the old keys": given(raw, keys=[key.hex() for key in ALICE.keys]),
        "from another public key": given(BOB.public_key + raw[32:]),
        "from another verify key": given(raw[:32] + BOB.verify_key + raw[64:]),
        "from the new keys": given(b"".join(NEW_ALICE.keys) + raw[64:]),
        "another time": given(raw[:64] + LATER.encode() + raw[84:]),
        "signatures swapped": given(old + by_new + by_old),
        "signed by the old key only": given(old + by_old + by_old),
        "signed by the new key only": given(old + by_new + by_new),
        "signed by the old key and by another": given(old + by_old + BOB.sign(said)),
        "signed by another and by the new key": given(old + BOB.sign(said) + by_new),
        "old key's signature damaged": given(flipped(raw, 100)),
        "new key's signature damaged": given(flipped(raw, 180)),
        "signed for another file": given(old + ALICE.sign(other) + NEW_ALICE.sign(other)),
    }
    return [
        good("a change", given(raw), book.blake2b(said).hex(), statement=said.hex()),
        *(bad(name, changed, "IntegrityError") for name, changed in faults.items()),
    ]


def fingerprints() -> dict[str, list[Vector]]:
    def given(text: str, name: str = ALICE.name, keys: Iterable[bytes] = ALICE.keys) -> Vector:
        return {"name": name, "keys": [key.hex() for key in keys], "text": text}

    raw = book.fingerprint(ALICE)
    spelt, written = raw.hex(), book.words(raw)
    result = [spelt, written]
    in_eights = " ".join(spelt[at : at + 8] for at in range(0, 64, 8))
    shuffled = "-".join([*written.split("-")[1:], written.split("-")[0]])
    old = book.blake2b(statement("custodian", ALICE.name.encode(), ALICE.public_key, b""))
    return {
        "fingerprint": [
            good("as digits", given(spelt), result),
            good("as words", given(written), result),
            good("in capitals and groups", given(f" {in_eights.upper()}\n"), result),
            good("words with spaces", given(written.replace("-", " ")), result),
            good("of another", given(book.words(book.fingerprint(BOB)), BOB.name, BOB.keys),
                 [book.fingerprint(BOB).hex(), book.words(book.fingerprint(BOB))]),
            good("of keys of Pocket Protector's", given(old.hex(), keys=(ALICE.public_key, b"")),
                 [old.hex(), book.words(old)]),
            bad("of another", given(book.fingerprint(BOB).hex()), "refused"),
            bad("words of another", given(book.words(book.fingerprint(BOB))), "refused"),
            bad("another name", given(spelt, BOB.name), "refused"),
            bad("another name, in words", given(written, ALICE.name + " "), "refused"),
            bad("another public key", given(spelt, keys=(BOB.public_key, ALICE.verify_key)), "refused"),
            bad("another verify key", given(spelt, keys=(ALICE.public_key, BOB.verify_key)), "refused"),
            bad("no verify key", given(spelt, keys=(ALICE.public_key, b"")), "refused"),
            bad("keys swapped", given(spelt, keys=ALICE.keys[::-1]), "refused"),
            bad("first digit", given(("0" if spelt[0] != "0" else "1") + spelt[1:]), "refused"),
            bad("last digit", given(spelt[:-1] + ("0" if spelt[-1] != "0" else "1")), "refused"),
            bad("words in another order", given(shuffled), "refused"),
            bad("a word said twice", given("-".join([written[:5], *written.split("-")[:7]])), "refused"),
            bad("the public key itself", given(ALICE.public_key.hex()), "refused"),
            bad("a digit less", given(spelt[:-1]), "StoreError"),
            bad("a digit more", given(spelt + "0"), "StoreError"),
            bad("half", given(spelt[:32]), "StoreError"),
            bad("seven words", given(written[:-6]), "StoreError"),
            bad("nine words", given(written + "-babab"), "StoreError"),
            bad("a letter that is none of a word's", given(written[:-1] + "c"), "StoreError"),
            bad("a vowel for a consonant", given("a" + written[1:]), "StoreError"),
            bad("words in one", given(written.replace("-", "")), "StoreError"),
            bad("nothing", given(""), "StoreError"),
        ]
    }  # fmt: skip


# References and sensitivities


def references() -> dict[str, list[Vector]]:
    good_ones: dict[str, list[Any]] = {
        "azure-kv://my-keyvault/db-url": ["azure-kv", ["my-keyvault", "db-url"], {}, None],
        "aws-sm://eu-west-1/prod%2Fdb?version-stage=A%26B&x=#db.pass%2Eword": [
            "aws-sm",
            ["eu-west-1", "prod/db"],
            {"version-stage": "A&B", "x": ""},
            "db.pass%2Eword",
        ],
        "env://NAME": ["env", ["NAME"], {}, None],
        "file:///a//b/": ["file", ["", "a", "", "b", ""], {}, None],
        "a://b?c=d?e=/f=g#h?i=/j": ["a", ["b"], {"c": "d?e=/f=g"}, "h?i=/j"],
        "a1+.-://!$&'()*+,;=:@~_-.": ["a1+.-", ["!$&'()*+,;=:@~_-."], {}, None],
        "a://%C3%BC%20%25": ["a", ["\u00fc %"], {}, None],
        f"{'a' * 32}://{'b' * 2013}": ["a" * 32, ["b" * 2013], {}, None],
    }
    bad_ones = [
        "", "a", "a:b", "a:/b", "a://", "://b", "//b", "A://b", "1a://b", "a_b://c", f"{'a' * 33}://b", "\u00e4://b",
        "a://b?", "a://b#", "a://b?#c", "a://?a=b", "a://#b", "a://b#c#d",
        " a://b", "a://b ", "a://b c", "a://b\n", "a://b\0", "a://\u00fc", 'a://"b"', "a://<b>", "a://b\\c", "a://[::1]",
        "a://{b}", "a://b|c", "a://b^c", "a://`b`",
        "a://%", "a://%2", "a://%zz", "a://b?c=%", "a://b#%1",
        "a://%FF", "a://%C3", "a://%C3/%BC", "a://%C0%AF", "a://%ED%A0%80", "a://%F5%80%80%80",
        "a://%00", "a://%0A", "a://%7F", "a://%C2%85", "a://%C2%A0", "a://%E2%80%A8", "a://%E2%80%AE", "a://b?c=%09",
        "a://b?%1B=c", "a://b#%0D",
        "a://b?c", "a://b?c&d=e", "a://b?=c", "a://b?c=d&", "a://b?&c=d", "a://b?c=d&c=e", "a://b?c=d&%63=e",
        f"a://{'b' * 2045}",
    ]  # fmt: skip
    words = ["", "medium", "Low", "HIGH", "inject_only", "injectonly", "inject-only ", "none", "0", "2", "secret"]
    return {
        "reference": [good(text[:60], text, result) for text, result in good_ones.items()]
        + [bad(ascii(text)[:60], text) for text in bad_ones],
        "sensitivity": [good(word, word, word.encode().hex()) for word in ("low", "high", "inject-only")]
        + [bad(ascii(word), word) for word in words],
    }


# The fields of signed objects


def fields() -> dict[str, list[Vector]]:
    one, two, three = sorted(epoch.hash for epoch in (book.EPOCH_1, book.EPOCH_2, book.EPOCH_3))
    numbers_bad = ["0", "00", "01", "-1", "+1", "1.0", "1e3", "0x1", " 1", "1 ", "1_0", "one", "", "1" * 19, "\u0661"]
    signers_bad = {
        "no name": v1(ALICE.verify_key),
        "no name behind the space": v1(ALICE.verify_key) + " ",
        "no key": ALICE.name,
        "no key before the space": " " + ALICE.name,
        "two spaces": f"{v1(ALICE.verify_key)}  {ALICE.name}",
        "a tab": f"{v1(ALICE.verify_key)}\t{ALICE.name}",
        "a space behind": f"{ALICE.signer} ",
        "name first": f"{ALICE.name} {v1(ALICE.verify_key)}",
        "name not normalised": f"{v1(ALICE.verify_key)} e\u0301",
        "name with a control character": f"{v1(ALICE.verify_key)} a\x07",
        "name with a hyphen before": f"{v1(ALICE.verify_key)} -a",
        "name of 257": f"{v1(ALICE.verify_key)} {'a' * 257}",
        "key of version 0": f"{b64(bytes(1) + ALICE.verify_key)} {ALICE.name}",
        "key without a version": f"{b64(ALICE.verify_key)} {ALICE.name}",
        "key short": f"{v1(ALICE.verify_key[:-1])} {ALICE.name}",
        "key of small order": f"{SMALL_ORDER} {ALICE.name}",
        "key in hex": f"{ALICE.verify_key.hex()} {ALICE.name}",
    }
    previous_bad: dict[str, Any] = {
        "not sorted": [v1(two), v1(one)],
        "the same twice": [v1(one), v1(one)],
        "version 0": [b64(bytes(1) + one)],
        "short": [v1(one[:-1])],
        "long": [v1(one + b"\0")],
        "a key id": [v1(one[:8])],
        "one of them short": [v1(one), v1(two[:-1]), v1(three)],
        "not base64": ["first"],
        "65 of them": [v1(bytes([at]) * 32) for at in range(65)],
        "a text": v1(one),
        "a mapping": {v1(one): ""},
        "a list in it": [[v1(one)]],
    }
    policies_bad: dict[str, tuple[Any, str]] = {
        "unknown": ({"max-secrets": "9"}, "policy.max-secrets"),
        "unknown beside a known one": ({"require-signed": "true", "Max-Age": "9d"}, "policy.Max-Age"),
        "an extension": ({"x-note": "9"}, "policy.x-note"),
        "a list": (["require-signed"], "policy"),
        "a text": ("require-signed", "policy"),
        "a list in it": ({"max-age": ["90d"]}, "policy"),
        **{
            f"{key} {text!a}": ({key: text}, f"policy.{key}")
            for key, texts in {
                "require-signed": ("false", "True", "yes", "1", ""),
                "max-age": ("0d", "90", "090d", "90D", "90 d", "-1d", "1.5d", "100000d", "d", "", "\u0661d"),
                "production": ("True", "False", "yes", "no", "1", ""),
                "min-owners": ("0", "-1", "02", "1.0", "10000", "two", "", "\u0662"),
            }.items()
            for text in texts
        },
    }
    policies = [{}, {"require-signed": "true"}, {"max-age": "1d", "min-owners": "9999"}, book.POLICY]
    policies += [{"production": "true"}, {"production": "false", "require-signed": "true"}]
    raw = book.CHANGE
    changes_bad: dict[str, Any] = {
        "none": [],
        "a text": v1(raw),
        "short": [v1(raw[:-1])],
        "long": [v1(raw + b"\0")],
        "version 0": [b64(bytes(1) + raw)],
        "version 2": [b64(b"\2" + raw)],
        "public key of low order": [v1(bytes(32) + raw[32:])],
        "public key not canonical": [v1(b"\xff" * 32 + raw[32:])],
        "verify key of small order": [v1(raw[:32] + (1).to_bytes(32, "little") + raw[64:])],
        "time that does not exist": [v1(raw[:64] + b"2026-02-30T10:00:00Z" + raw[84:])],
        "time with a space": [v1(raw[:64] + b"2026-11-22 10:00:00Z" + raw[84:])],
        "time in no UTF-8": [v1(raw[:64] + b"\xff" * 20 + raw[84:])],
        "second one short": [v1(raw), v1(raw[:-1])],
    }
    read = [[part.hex() for part in (raw[:32], raw[32:64], raw[64:84], raw[84:148], raw[148:])]]
    return {
        "number": [good(text, text, int(text)) for text in ("1", "2", "10", "9" * 18)]
        + [bad(ascii(text)[:40], text, path="number") for text in numbers_bad],
        "signer": [
            good("Alice", ALICE.signer, [ALICE.verify_key.hex(), ALICE.name]),
            good("a name with spaces", f"{v1(BOB.verify_key)} é ☃ b", [BOB.verify_key.hex(), "é ☃ b"]),
            *(bad(name, text, path="made-by") for name, text in signers_bad.items()),
        ],
        "previous": [
            good("none", [], []),
            good("one", [v1(one)], [one.hex()]),
            good("three", [v1(one), v1(two), v1(three)], [one.hex(), two.hex(), three.hex()]),
            good("64", [v1(bytes([at]) * 32) for at in range(64)], [(bytes([at]) * 32).hex() for at in range(64)]),
            *(bad(name, given, path="previous") for name, given in previous_bad.items()),
        ],
        "policy": [good(", ".join(given) or "none", given, book.policy_field(given).hex()) for given in policies]
        + [bad(name, given, path=path) for name, (given, path) in policies_bad.items()],
        "changes": [good("one", [v1(raw)], read), good("two", [v1(raw), v1(raw)], read * 2)]
        + [bad(name, given) for name, given in changes_bad.items()],
    }


# Whole files: signed.yaml with single lines changed


class Edited:
    """Vectors of a file, each of which says which of its lines are others."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.vectors: list[Vector] = []

    def _given(self, text: str, **more: Any) -> Vector:
        lines, changed = self.text.splitlines(), text.splitlines()
        matched = difflib.SequenceMatcher(None, lines, changed, autojunk=False).get_opcodes()
        edits = [[a + 1, b + 1, changed[c:d]] for tag, a, b, c, d in matched if tag != "equal"]
        creds = {"user": ALICE.name, "passphrase": book.PASSPHRASE, "domain": "dev"}
        return {"file": "signed.yaml", "edits": edits, **creds, **more}

    def good(self, name: str, text: str | None = None, held: Vector | None = None, **more: Any) -> None:
        """`held` is what the domain holds besides the values."""
        given = self._given(self.text if text is None else text, **more)
        self.vectors.append(good(name, given, {**book.VALUES, **(held or {})}))

    def refused(self, name: str, text: str, *keys: str, error: str = "FormatError") -> None:
        """Refused when it is loaded, at these keys, and at the line of the last of them that is there."""
        assert text != self.text, name
        self.vectors.append(bad(name, self._given(text), error, ".".join(keys), samples.line_of(text, *keys)))

    def distrusted(self, name: str, text: str | None = None, **more: Any) -> None:
        """Loaded, and not used."""
        changed = self.text if text is None else text
        assert more or changed != self.text, name
        self.vectors.append(bad(name, self._given(changed, **more), "PolicyError"))


META = ("dev", "meta")
PAST = (*META, "retired", v1(book.EPOCH_1.hash))
PAST_2 = (*META, "retired", v1(book.EPOCH_2.hash))
OWNER = (*META, "owners", BOB.name)
SECRET = ("dev", "secret-api-key")
PERSON = ("key-custodians", ALICE.name)


def files(text: str) -> dict[str, list[Vector]]:
    table = Edited(text)
    table.good("as it is")
    table.good("for Bob", user=BOB.name)
    trusted = {"Alice": ALICE, "Alice's new keys": NEW_ALICE, "Bob": BOB}
    for name, person in trusted.items():
        table.good(f"trusting {name}", trust={person.name: book.fingerprint(person).hex()})
    _refuse_epochs(table)
    _refuse_earlier(table)
    _refuse_signatures(table)
    _distrust_contents(table)
    _distrust_lines(table)
    _refuse_references(table)
    _distrust_references(table)
    _distrust_production(table)
    return {"signed-file": table.vectors}


def _refuse_epochs(table: Edited) -> None:
    text, put = table.text, samples.put
    for key in ("number", "previous", "policy", "made", "made-by", "signature"):
        table.refused(f"no {key}", samples.cut(text, *META, key), *META)
    for number in ("0", "03", "9" * 19):
        table.refused(f"number {number[:3]}", put(text, number, *META, "number"), *META, "number")
    hashes = sorted([book.EPOCH_1.hash, book.EPOCH_2.hash])
    line = f"    - {v1(book.EPOCH_2.hash)}\n"
    for name, items in {"not sorted": hashes[::-1], "twice": [hashes[0]] * 2}.items():
        changed = text.replace(line, "".join(f"    - {v1(item)}\n" for item in items), 1)
        table.refused(f"previous {name}", changed, *META, "previous")
    table.refused("previous a text", text.replace(f"\n{line}", f" {v1(book.EPOCH_2.hash)}\n", 1), *META, "previous")
    table.refused("policy unknown", samples.rename(text, "max-owners", *META, "policy", "min-owners"),
                  *META, "policy", "max-owners")  # fmt: skip
    for key, value in {"require-signed": "false", "max-age": "090d", "min-owners": "0"}.items():
        table.refused(f"{key} {value}", put(text, value, *META, "policy", key), *META, "policy", key)
    table.refused("made in no time", put(text, "2026-11-22", *META, "made"), *META, "made")
    table.refused("made by a key", put(text, v1(ALICE.verify_key), *META, "made-by"), *META, "made-by")
    table.refused("made by a name", put(text, ALICE.name, *META, "made-by"), *META, "made-by")
    table.refused("short signature", put(text, v1(bytes(63)), *META, "signature"), *META, "signature")
    table.refused("a key of version 0", put(text, b64(b"\0" + book.SECOND), *META, "public-key"), *META, "public-key")
    table.refused("granted-by of a domain", samples.rename(text, "granted-by", *META, "made-by"), *META, "granted-by")


def _refuse_earlier(table: Edited) -> None:
    text, put = table.text, samples.put
    unsigned = text
    for key in ("number", "previous", "policy", "made", "made-by", "signature"):
        unsigned = samples.cut(unsigned, *META, key)
    table.refused("earlier epochs of no epoch", unsigned, *META, "retired")
    for key in ("public-key", "number", "previous", "policy", "made", "made-by", "signature", "grants"):
        table.refused(f"an earlier epoch's {key} missing", samples.cut(text, *PAST, key), *PAST)
    for name, identifier in {
        "short": v1(book.EPOCH_1.hash[:-1]),
        "of version 0": b64(b"\0" + book.EPOCH_1.hash),
        "no base64": "first",
    }.items():
        table.refused(f"hash {name}", samples.rename(text, identifier, *PAST), *PAST[:-1], identifier)
    table.refused("key of low order", put(text, v1(bytes(32)), *PAST, "public-key"), *PAST, "public-key")
    table.refused("number of an earlier one", put(text, "0", *PAST, "number"), *PAST, "number")
    table.refused("key id with an epoch's fields", samples.rename(text, v1(book.EPOCH_1.hash[:8]), *PAST),
                  *PAST[:-1], v1(book.EPOCH_1.hash[:8]), "public-key")  # fmt: skip
    at = samples.find(text, *PAST, "grants")
    table.refused("private key of an earlier epoch", samples.insert(text, at, "        private-key: AQ=="),
                  *PAST, "private-key")  # fmt: skip
    grant = (*PAST, "grants", BOB.name)
    for key in ("public-key", "verify-key", "granted-by", "signature", "granted"):
        table.refused(f"an earlier grant's {key} missing", samples.cut(text, *grant, key), *grant)
    table.refused("wrapped key of an earlier grant", samples.rename(text, "wrapped-key", *grant, "granted"),
                  *grant, "wrapped-key")  # fmt: skip
    table.refused("verify key of small order", put(text, SMALL_ORDER, *grant, "verify-key"), *grant, "verify-key")
    at = samples.find(text, *grant, "granted-by")
    table.refused("no change in the list", samples.insert(text, at, "            changes: []"), *grant, "changes")


def _refuse_signatures(table: Edited) -> None:
    text, put = table.text, samples.put
    for block, by in ((OWNER, "granted-by"), (SECRET, "signed-by")):
        table.refused(f"{by} without a signature", samples.cut(text, *block, "signature"), *block)
        table.refused(f"signature without {by}", samples.cut(text, *block, by), *block)
        table.refused(f"{by} a key", put(text, v1(ALICE.verify_key), *block, by), *block, by)
        table.refused(f"{by} a bad name", put(text, f"{v1(ALICE.verify_key)} <<", *block, by), *block, by)
        table.refused(f"signature beside {by} long", put(text, v1(bytes(65)), *block, "signature"),
                      *block, "signature")  # fmt: skip
    table.refused("signed-by of a grant", samples.rename(text, "signed-by", *OWNER, "granted-by"), *OWNER, "signed-by")
    for key in ("kind", "expires"):
        table.refused(key, samples.insert(text, samples.find(text, *SECRET, "value"), f"    {key}: x"), *SECRET, key)
    line = f"    - {v1(book.CHANGE)}\n"
    short = text.replace(f"    - {v1(book.CHANGE)}\n    signature", f"    - {v1(book.CHANGE[:-1])}\n    signature")
    table.refused("change short", short, *PERSON, "changes")
    emptied = text.replace(f"changes:\n{line}    signature", "changes: []\n    signature")
    table.refused("no change", emptied, *PERSON, "changes")
    signature = samples.get(text, "key-custodians", BOB.name, "signature")
    table.refused("signature of another custodian", put(text, signature, *PERSON, "signature"),
                  *PERSON, "signature", error="IntegrityError")  # fmt: skip
    for key in ("public-key", "verify-key"):
        scalar = samples.get(text, "key-custodians", BOB.name, key)
        table.refused(f"{key} of another custodian", put(text, scalar, *PERSON, key),
                      *PERSON, "signature", error="IntegrityError")  # fmt: skip


def _distrust_contents(table: Edited) -> None:
    """The policy demands two owners, and that one vouches for each value."""
    text, put = table.text, samples.put
    other = ("dev", "secret-db-password")
    table.distrusted(
        "nobody signed a value", samples.cut(samples.cut(text, *SECRET, "signed-by"), *SECRET, "signature")
    )
    table.distrusted(
        "signature of another value", put(text, samples.get(text, *other, "signature"), *SECRET, "signature")
    )
    table.distrusted("another value", put(text, b64(book.sealed_secret(book.DOMAIN_KEYS[1], "dev", "api-key", "evil")),
                                          *SECRET, "value"))  # fmt: skip
    table.distrusted("another time", put(text, LATER, *SECRET, "updated"))
    table.distrusted("signed as another", put(text, BOB.signer, *SECRET, "signed-by"))
    mallory = book.Person("mallory@example.com", bytes(range(1, 33)))
    value = book.base64.b64decode(samples.get(text, *SECRET, "value"))
    for name, by in {"a stranger": mallory, "a stranger as Bob": book.Person(BOB.name, mallory.seed)}.items():
        said = book.entry_said("dev", book.SECOND, "api-key", value, book.POLICED, by)
        changed = put(put(text, by.signer, *SECRET, "signed-by"), v1(by.sign(said)), *SECRET, "signature")
        table.distrusted(f"signed by {name}", changed)
    said = book.entry_said("dev", book.SECOND, "api-key", value, book.POLICED, ALICE)
    changed = put(put(text, ALICE.signer, *SECRET, "signed-by"), v1(ALICE.sign(said)), *SECRET, "signature")
    table.good("signed by keys that were given up", changed)
    table.distrusted("nobody signed a grant", samples.cut(samples.cut(text, *OWNER, "granted-by"), *OWNER, "signature"))
    table.distrusted("granted later", put(text, LATER, *OWNER, "granted"))

    def granted(public_key: bytes, owner: book.Person, time: str, by: book.Person) -> str:
        block = (*META, "owners", owner.name)
        signature = v1(by.sign(book.grant_said("dev", public_key, owner, time, by)))
        return put(put(text, by.signer, *block, "granted-by"), signature, *block, "signature")

    table.good("granted by the maker of a policy", granted(book.SECOND, NEW_ALICE, book.MADE, NEW_ALICE))
    table.distrusted("granted by a stranger", granted(book.SECOND, NEW_ALICE, book.MADE, mallory))
    table.distrusted("granted for the key before", granted(book.FIRST, BOB, book.GIVEN, BOB))
    table.distrusted("changes of keys gone", samples.cut(text, *PERSON, "changes"))
    swapped = book.CHANGE[:84] + book.CHANGE[148:] + book.CHANGE[84:148]
    line = f"- {v1(book.CHANGE)}\n    signature"
    table.distrusted("change not signed by the old key", text.replace(line, f"- {v1(swapped)}\n    signature"))
    table.distrusted("another file", put(text, v1(OTHER_ID), "meta", "file-id"))


def _distrust_lines(table: Edited) -> None:
    """Alice, who made the first epoch, is trusted: the line to the present one must be whole."""
    text, put = table.text, samples.put
    trust = {ALICE.name: book.fingerprint(ALICE).hex()}
    table.distrusted("trusting another", trust={BOB.name: book.fingerprint(ALICE).hex()})
    table.distrusted("trusting others' keys", trust={ALICE.name: book.fingerprint(BOB).hex()})
    table.distrusted("trusting nobody who is there", trust={"carol@example.com": book.fingerprint(ALICE).hex()})
    for where, keys in {"the epoch": META, "an earlier epoch": PAST_2, "the first epoch": PAST}.items():
        number = int(samples.get(text, *keys, "number"))
        table.distrusted(f"number of {where}", put(text, str(number + 1), *keys, "number"), trust=trust)
        table.distrusted(f"time of {where}", put(text, LATER, *keys, "made"), trust=trust)
        table.distrusted(f"maker of {where}", put(text, f"{v1(BOB.verify_key)} {ALICE.name}", *keys, "made-by"),
                         trust=trust)  # fmt: skip
        signature = put(text, v1(ALICE.sign(b"")), *keys, "signature")
        table.distrusted(f"signature of {where}", signature, trust=trust)
    table.distrusted("policy weakened", put(text, "1", *META, "policy", "min-owners"), trust=trust)
    for name, keys in {"the first": PAST, "the second": PAST_2}.items():
        table.distrusted(f"{name} epoch is gone", samples.cut(text, *keys), trust=trust)
        table.distrusted(f"{name} epoch's grants are gone", _without_grants(text, *keys), trust=trust)
        table.distrusted(f"{name} epoch under another hash", samples.rename(text, v1(bytes(32)), *keys), trust=trust)
        who = BOB.name if keys is PAST else ALICE.name
        table.distrusted(
            f"{name} epoch's grant changed", put(text, LATER, *keys, "grants", who, "granted"), trust=trust
        )
    cut = samples.cut(text, *PAST_2, "grants", ALICE.name, "changes")
    table.distrusted("changes of an earlier grant are gone", cut, trust=trust)
    unsigned = text
    for key in ("number", "previous", "policy", "made", "made-by", "signature"):
        unsigned = samples.cut(unsigned, *META, key)
    for keys in (PAST, PAST_2):
        unsigned = samples.cut(unsigned, *keys)
    table.distrusted("no epoch at all", unsigned, trust=trust)


URI = "azure-kv://my-keyvault/api-key#json.key"


def with_entry(entry: Vector | None, policy: dict[str, str] = book.POLICY) -> str:
    """The file with another entry as api-key, and another policy that Alice signed."""
    tree = book.signed_file(policy)
    if entry is not None:
        tree["dev"][SECRET[1]] = entry
    return book.dumped(tree)


def entry(held: str | None = URI, sensitivity: str = "", by: book.Person = NEW_ALICE) -> Vector:
    """A reference as api-key, or the value, signed by Alice."""
    return book.secret("api-key", book.POLICED, by, held, sensitivity)


def unsigned(entry: Vector) -> Vector:
    return {key: text for key, text in entry.items() if key not in ("signed-by", "signature")}


def _refuse_references(table: Edited) -> None:
    text, put, insert = table.text, samples.put, samples.insert
    pointing = with_entry(entry(sensitivity="high"))
    place, level = (*SECRET, "reference"), (*SECRET, "sensitivity")
    words = {"medium": "medium", "another": "secret", "in capitals": "High", "empty": "''", "a list": "[high]"}
    for name, word in words.items():
        table.refused(f"sensitivity {name}", put(pointing, word, *level), *level)
        table.refused(f"sensitivity of a value {name}", put(with_entry(entry(None, "low")), word, *level), *level)
    uris = {
        "empty": "''",
        "a value's scalar": samples.get(text, *SECRET, "value"),
        "without a scheme": "my-keyvault/api-key",
        "of a scheme in capitals": URI.replace("azure", "Azure"),
        "to nowhere": "'azure-kv://'",
        "with a space": f"'{URI} b'",
        "with a line end": f'"{URI}\\n"',
        "with another character than a URI's": f"{URI}\u00fc",
        "with an empty fragment": "'azure-kv://my-keyvault/api-key#'",
        "with an empty query": "'azure-kv://my-keyvault/api-key?#json.key'",
        "with half a query": "azure-kv://my-keyvault/api-key?version",
        "with a key twice": "azure-kv://my-keyvault/api-key?a=b&a=c",
        "with half an escape": f"{URI}%2",
        "with an escaped line end": f"{URI}%0A",
        "with escapes that are no text": f"{URI}%FF",
        "too long": f"{URI}{'k' * 2048}",
        "a mapping": f"{{uri: '{URI}'}}",
        "a list": f"['{URI}']",
    }
    for name, uri in uris.items():
        table.refused(f"reference {name}", put(pointing, uri, *place), *place)
    at = samples.find(pointing, *place)
    value = samples.copy_block(text, *SECRET, "value")
    table.refused("value and reference", insert(pointing, at, *value), *place)
    table.refused("neither value nor reference", samples.cut(pointing, *place), *SECRET)
    table.refused("reference without a time", samples.cut(pointing, *SECRET, "updated"), *SECRET)
    table.refused("reference signed by nobody named", samples.cut(pointing, *SECRET, "signed-by"), *SECRET)
    old = ("dev", "secret-api^key")
    table.refused("reference under a name of Pocket Protector's", samples.rename(pointing, old[1], *SECRET), *old)
    for name, block in {"a grant": OWNER, "a domain": META, "a custodian": PERSON}.items():
        at = samples.find(text, *block) + 1
        for key, content in {"sensitivity": "high", "reference": URI}.items():
            line = f"{'  ' * len(block)}{key}: {content}"
            table.refused(f"{key} of {name}", insert(text, at, line), *block, key)


def _distrust_references(table: Edited) -> None:
    text, put = table.text, samples.put
    pointing, held = with_entry(entry(sensitivity="high")), {"api-key": URI}
    table.good("a reference", with_entry(entry()), held)
    table.good("a reference of high sensitivity", pointing, held)
    table.good("a reference of high sensitivity, quoted", put(pointing, f'"{URI}"', *SECRET, "reference"), held)
    for word in ("low", "high", "inject-only"):
        table.good(f"a value of {word} sensitivity", with_entry(entry(None, word)))
        at = samples.find(text, *SECRET) + 1
        table.distrusted(f"sensitivity {word} that nobody signed", samples.insert(text, at, f"    sensitivity: {word}"))
    places = {
        "another place": URI.replace("my-", "other-"),
        "another fragment": URI.replace("key#json.key", "key#json.admin"),
        "no fragment": URI.partition("#")[0],
        "the same place in another spelling": URI.replace("my-", "%6Dy-"),
        "another scheme": URI.replace("azure-kv", "vault"),
    }
    for name, uri in places.items():
        table.distrusted(f"a reference to {name}", put(pointing, uri, *SECRET, "reference"))
    table.distrusted("a reference of another time", put(pointing, LATER, *SECRET, "updated"))
    table.distrusted("a reference of another sensitivity", put(pointing, "inject-only", *SECRET, "sensitivity"))
    table.distrusted("a reference's sensitivity taken out", samples.cut(pointing, *SECRET, "sensitivity"))
    table.distrusted("a reference that nobody signed", with_entry(unsigned(entry())))
    table.distrusted("a reference in a value's place", with_entry({**unsigned(entry()), **_signature(table.text)}))
    table.distrusted("a value in a reference's place", with_entry({**unsigned(entry(None)), **_signature(pointing)}))
    mallory = book.Person("mallory@example.com", bytes(range(1, 33)))
    for name, by in {"a stranger": mallory, "a stranger as Bob": book.Person(BOB.name, mallory.seed)}.items():
        table.distrusted(f"a reference signed by {name}", with_entry(entry(by=by)))
    table.distrusted("a reference signed for the key before", with_entry(for_first_key()))


def for_first_key() -> Vector:
    said = book.entry_said("dev", book.FIRST, "api-key", URI, book.POLICED, BOB)
    return {**book.signed("signed-by", BOB, said), "reference": URI, "updated": book.POLICED}


def _signature(text: str) -> Vector:
    return {key: samples.get(text, *SECRET, key) for key in ("signed-by", "signature")}


def _distrust_production(table: Edited) -> None:
    """A policy of production alone: a reference is resolved only if an owner vouches for it, a value is used."""
    production, held = {"production": "true"}, {"api-key": URI}
    trust = {ALICE.name: book.fingerprint(ALICE).hex()}
    table.good("production", with_entry(entry(sensitivity="high"), production), held, trust=trust)
    table.good("production with a value that nobody signed", with_entry(unsigned(entry(None)), production))
    table.good("production with a reference that is looked at", with_entry(unsigned(entry()), production), held)
    table.good("no production", with_entry(unsigned(entry()), {"production": "false"}), held, trust=trust)
    stranger = entry(by=book.Person("mallory@example.com", bytes(range(1, 33))))
    unreviewed = {
        "that nobody signed": unsigned(entry()),
        "that a stranger signed": stranger,
        "signed for the key before": for_first_key(),
        "with a signature of a value": {**unsigned(entry()), **_signature(table.text)},
    }
    for name, block in unreviewed.items():
        table.distrusted(f"production, a reference {name}", with_entry(block, production), resolve=True)
    policed = with_entry(None, {**book.POLICY, **production})
    place = (*META, "policy", "production")
    for word in ("True", "yes", "''"):
        table.refused(f"production {word}", samples.put(policed, word, *place), *place)
    table.distrusted("production denied", samples.put(policed, "false", *place), trust=trust)
    table.distrusted("production taken out", samples.cut(policed, *place), trust=trust)
    line = samples.insert(table.text, samples.find(table.text, *META, "made"), "      production: true")
    table.distrusted("production written into a policy", line, trust=trust)


def _without_grants(text: str, *keys: str) -> str:
    at = samples.find(text, *keys, "grants")
    return samples.insert(samples.cut(text, *keys, "grants"), at, "        grants: {}")


def made() -> dict[str, str]:
    """Every file that this makes: name → text."""
    text = book.dumped(book.signed_file())
    sections = {
        "statements": statements(),
        "fingerprints": fingerprints(),
        "references": references(),
        "signed": {**fields(), **files(text)},
    }
    return {
        "signed.yaml": text,
        **{f"{name}.json": json.dumps(kinds, indent=1, ensure_ascii=True) + "\n" for name, kinds in sections.items()},
    }


if __name__ == "__main__":
    for name, content in made().items():
        (HERE / name).write_text(content, encoding="utf-8")
