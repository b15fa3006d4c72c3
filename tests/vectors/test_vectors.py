"""Every vector of this folder: the result, or the class and place of the error."""

from __future__ import annotations

import base64
import hashlib
import json
import runpy
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from samples import assert_shows_no_secret

from pocket_protector import AccessError, Creds, IntegrityError, KeyFile, PassphraseError, PPError
from pocket_protector.crypto.encoding import lp, pad, unpad
from pocket_protector.crypto.identity import Identity
from pocket_protector.crypto.key_slots import WrappedSeed
from pocket_protector.crypto.keys import (
    PrivateKey,
    digest,
    is_signed,
    key_id,
    parse_public_key,
    parse_verify_key,
    statement,
)
from pocket_protector.crypto.legacy_keys import PasswordDerivedKey
from pocket_protector.document import names
from pocket_protector.document.audit_log import parse_entry, parse_section
from pocket_protector.document.custodian import own_statement
from pocket_protector.document.decrypted import decrypt
from pocket_protector.document.domain import Domain, Grant, Secret, open_key
from pocket_protector.document.epoch import Epoch
from pocket_protector.document.exported import ExportedEntry
from pocket_protector.document.policy import Policy
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.document.statements import (
    CHANGE,
    ENTRY,
    GRANT,
    Keys,
    change_fields,
    entry_fields,
    grant_fields,
)
from pocket_protector.document.times import parse_time
from pocket_protector.format import scalars
from pocket_protector.format.loaded_file import dump
from pocket_protector.format.read_signed import read_changes, read_epoch, read_signature
from pocket_protector.format.read_v1 import LEAST_SEALED
from pocket_protector.format.read_v1 import _parse_sensitivity as parse_sensitivity
from pocket_protector.packages.armour import to_binary
from pocket_protector.packages.header import Header
from pocket_protector.packages.keys.private_key import parse_identity
from pocket_protector.packages.keys.public_key import PublicKey
from pocket_protector.packages.package_opening import SealedPackage
from pocket_protector.packages.token import Token
from pocket_protector.trust.fingerprints import fingerprint, is_fingerprint, to_words

HERE = Path(__file__).parent
TIME = "2026-11-22T09:59:00Z"
h = bytes.fromhex


def vectors() -> Iterator[Any]:
    for file in sorted(HERE.glob("*.json")):
        for kind, cases in json.loads(file.read_text(encoding="utf-8")).items():
            for case in cases:
                yield pytest.param(kind, case, id=f"{kind}: {case['id']}"[:80].encode("ascii", "replace").decode())


def unpad_or_refuse(given: str) -> str:
    payload = unpad(h(given))
    if payload is None:
        raise ValueError("refused")
    return payload.hex()


def verify(given: dict[str, Any]) -> None:
    message = statement(given["kind"].encode(), *map(h, given["fields"]))
    if not is_signed(h(given["verify-key"]), h(given["signature"]), message):
        raise IntegrityError("the signature does not match")


def open_secret(given: dict[str, Any]) -> str:
    retired = {h(identifier): scalars.decode(sealed) for identifier, sealed in given["retired"].items()}
    secret = Secret(scalars.decode(given["value"]), TIME)
    try:
        domain = Domain(given["domain"], scalars.decode(given["key"]), {}, {given["name"]: secret}, retired)
    except PPError as error:
        raise error.under(given["domain"]) from None
    return decrypt(domain, PrivateKey(h(given["private-key"])))[given["name"]]


def open_grant(given: dict[str, Any]) -> str:
    grant = Grant(scalars.decode(given["wrapped-key"]), TIME)
    domain = Domain(given["domain"], scalars.decode(given["key"]), {given["owner"]: grant})
    return open_key(domain, Identity.from_seed(given["owner"], h(given["seed"]))).raw.hex()


def open_identity(given: dict[str, Any]) -> str:
    raw = scalars.decode(given["wrapped"])
    if raw[0] != scalars.VERSION:
        raise scalars.unknown_version(raw[0])
    wrapped = WrappedSeed.parse(raw[1:])
    return wrapped.unwrap(given["name"], h(given["public-key"]), h(given["verify-key"]), given["passphrase"]).seed.hex()


def open_derived(given: dict[str, Any]) -> str:
    derived = PasswordDerivedKey.parse(scalars.decode(given["pwdkm"]))
    assert scalars.encode(derived.encode()) == given["pwdkm"]
    return derived.unlock(given["name"], given["passphrase"]).public_key.hex()


def open_file(given: dict[str, Any]) -> dict[str, str]:
    creds = Creds(given["user"], given["passphrase"])
    return dict(KeyFile.from_contents_and_path(given["text"], "x").decrypt_domain(given["domain"], creds))


def hash_of(matches: bool, said: bytes) -> str:
    if not matches:
        raise IntegrityError("the signature does not match")
    return digest(said).hex()


def epoch_hash(given: dict[str, Any]) -> str:
    signed = read_signature(given, "made-by")
    assert signed is not None
    previous = tuple(map(h, given["previous"]))
    epoch = Epoch(given["number"], previous, Policy.parse(given["policy"]), given["made"], signed)
    place = h(given["file-id"]), given["domain"], h(given["public-key"])
    if not epoch.matches(*place):
        raise IntegrityError("the signature does not match")
    return epoch.hash(*place).hex()


def grant_statement(given: dict[str, Any]) -> str:
    signed, keys = read_signature(given, "granted-by"), Keys(*map(h, given["keys"]))
    assert signed is not None
    place = h(given["file-id"]), given["domain"], h(given["public-key"])
    fields = grant_fields(*place, given["custodian"], keys, given["granted"])
    return hash_of(signed.matches(GRANT, fields), signed.statement(GRANT, fields))


def entry_statement(given: dict[str, Any]) -> str:
    signed = read_signature(given, "signed-by")
    assert signed is not None
    place = h(given["file-id"]), given["domain"], h(given["public-key"])
    value = Reference(given["reference"]) if "reference" in given else scalars.decode(given["value"])
    secret = Secret(value, given["updated"], sensitivity=Sensitivity.parse(given.get("sensitivity", "medium")))
    fields = entry_fields(*place, given["name"], secret.said())
    return hash_of(signed.matches(ENTRY, fields), signed.statement(ENTRY, fields))


def change_statement(given: dict[str, Any]) -> str:
    change, new = read_changes([given["change"]])[0], Keys(*map(h, given["keys"]))
    place = h(given["file-id"]), given["name"]
    said = statement(CHANGE, *change_fields(*place, change.old, new, change.time))
    return hash_of(change.matches(*place, new), said)


def compare_fingerprint(given: dict[str, Any]) -> list[str]:
    keys = Keys(*map(h, given["keys"]))
    raw = fingerprint(given["name"], keys)
    assert raw == digest(own_statement(given["name"], keys))
    if not is_fingerprint(given["text"], raw):
        raise ValueError("refused")
    return [raw.hex(), to_words(raw)]


def epoch_with(**field: Any) -> Epoch:
    """An epoch as a file has it, with another field."""
    fields: dict[str, Any] = {
        "number": "1",
        "previous": [],
        "policy": {},
        "made": TIME,
        "made-by": "AZsIqNrvplaRNtZ/8aNFsgNpfHFz+BWtqaPtmwKMDOm+ alice@example.com",
        "signature": scalars.encode_version(bytes(64)),
    }
    return read_epoch({**fields, **field})


def read_signer(given: str) -> list[str]:
    by = epoch_with(**{"made-by": given}).signed.by
    return [by.verify_key.hex(), by.name]


def read_all_changes(given: Any) -> list[list[str]]:
    return [
        [change.old.public_key.hex(), change.old.verify_key.hex(), change.time.encode().hex(), change.by_old.hex(),
         change.by_new.hex()]
        for change in read_changes(given)
    ]  # fmt: skip


def open_signed_file(given: dict[str, Any]) -> dict[str, str]:
    lines = (HERE / given["file"]).read_text(encoding="utf-8").splitlines()
    for start, end, new in reversed(given["edits"]):
        lines[start - 1 : end - 1] = new
    file = KeyFile.from_contents_and_path("\n".join(lines) + "\n", "x")
    creds = Creds(given["user"], given["passphrase"])
    resolve = given.get("resolve", False)
    return dict(file.decrypt_domain(given["domain"], creds, trust=given.get("trust"), resolve=resolve))


def identity_keys(given: str) -> list[str]:
    identity = Identity.from_seed("any", h(given))
    assert identity.verify_key is not None
    return [identity.public_key.hex(), identity.verify_key.hex()]


def read_reference(given: str) -> list[Any]:
    reference = Reference(given)
    return [reference.scheme, [*reference.segments], reference.query, reference.fragment]


def open_package(given: dict[str, Any]) -> dict[str, Any]:
    """With a token, or as a person without one, or what is open without either."""

    def known(header: Header) -> None:
        if fingerprint(header.sender, header.keys).hex() != given["sender"]:
            raise ValueError("refused")

    package = SealedPackage.parse(base64.b64decode(given["package"]))
    private = Identity.from_seed("any", h(given["seed"])).exchange
    found = package.check(known, datetime.fromisoformat(given["now"])).open(private)
    header, result = package.header, {"open": [*map(listed_entry, found.entries)]}
    result["gated"] = [[told.name, kind_of(told.is_reference), told.sensitivity.word] for told in found.gated]
    if "token" in given:
        result["opened"] = [*map(listed_entry, found.opened_with(Token.parse(given["token"])))]
    if "human" in given:
        result["opened"] = [*map(listed_entry, found.opened_by_human())]
    said = {
        "package-id": header.package_id.hex(),
        "file-id": header.file_id.hex(),
        "public-key": header.keys.public_key.hex(),
        "verify-key": header.keys.verify_key.hex(),
        "sender": header.sender,
        "domain": header.domain,
        "production": {None: "", False: "false", True: "true"}[header.production],
        "created": header.created,
        "expires": header.expires,
        "gate": header.gate.value,
        "recipients": [key.hex() for key in header.recipients],
        "hash": header.hash().hex(),
    }
    return {"header": said, **result}


def read_package_text(given: str) -> str:
    SealedPackage.parse(given.encode())
    return digest(to_binary(given.encode())).hex()


def kind_of(is_reference: bool) -> str:
    return "reference" if is_reference else "value"


def listed_entry(entry: ExportedEntry) -> list[str]:
    pointer = isinstance(entry.content, Reference)
    content = entry.content.text if isinstance(entry.content, Reference) else entry.content.decode()
    return [entry.name, kind_of(pointer), entry.sensitivity.word, content]


def read_token(given: str) -> list[str]:
    token = Token.parse(given)
    return [token.secret.hex(), token.package_id.hex(), token.text]


def read_public_key(given: str) -> list[str]:
    key = PublicKey.parse(given)
    return [key.name, key.keys.public_key.hex(), key.keys.verify_key.hex()]


def open_identity_line(given: dict[str, str]) -> str:
    return parse_identity(given["line"].encode(), lambda: given["passphrase"]).raw.hex()


RUN: dict[str, Callable[[Any], Any]] = {
    "package": open_package,
    "package-text": read_package_text,
    "token": read_token,
    "public-key-line": read_public_key,
    "identity-line": open_identity_line,
    "lp": lambda given: lp(*map(h, given)).hex(),
    "pad": lambda given: pad(h(given)).hex(),
    "unpad": unpad_or_refuse,
    "identity-keys": identity_keys,
    "key-id": lambda given: key_id(h(given)).hex(),
    "public-key": lambda given: parse_public_key(h(given)).hex(),
    "verify-key": lambda given: parse_verify_key(h(given)).hex(),
    "statement": verify,
    "sealed-secret": open_secret,
    "wrapped-domain-key": open_grant,
    "wrapped-identity": open_identity,
    "base64": lambda given: scalars.decode(given).hex(),
    "fixed": lambda given: scalars.decode_fixed(*given).hex(),
    "sealed": lambda given: scalars.decode_sealed(given, LEAST_SEALED).hex(),
    "secret-name": names.parse_secret_name,
    "custodian-name": names.parse_custodian_name,
    "domain-name": names.parse_domain_name,
    "legacy-name": names.parse_legacy_name,
    "legacy-secret-name": names.parse_legacy_secret_name,
    "time": parse_time,
    "audit-section": parse_section,
    "audit-entry": parse_entry,
    "pwdkm": open_derived,
    "file": open_file,
    "epoch": epoch_hash,
    "grant": grant_statement,
    "entry": entry_statement,
    "change": change_statement,
    "fingerprint": compare_fingerprint,
    "number": lambda given: epoch_with(number=given).number,
    "signer": read_signer,
    "previous": lambda given: [identifier.hex() for identifier in epoch_with(previous=given).previous],
    "policy": lambda given: epoch_with(policy=given).policy.encode().hex(),
    "changes": read_all_changes,
    "signed-file": open_signed_file,
    "reference": read_reference,
    "sensitivity": lambda given: parse_sensitivity(given).encode().hex(),
}


@pytest.mark.parametrize(("kind", "case"), [*vectors()])
def test_vector(kind: str, case: dict[str, Any]) -> None:
    if "error" not in case:
        assert RUN[kind](case["input"]) == case["result"]
        assert "statement" not in case or digest(h(case["statement"])).hex() == case["result"]
        return
    with pytest.raises((PPError, ValueError)) as caught:
        RUN[kind](case["input"])
    error = caught.value
    if case["error"] == "refused":
        assert str(error) == "refused"
        return
    # The vectors are for every implementation: they name the classes that have an exit code.
    kind_of_error = AccessError if type(error) is PassphraseError else type(error)
    assert kind_of_error.__name__ == case["error"]
    assert getattr(error, "path", "") == case["path"]
    assert "line" not in case or getattr(error, "line", 0) == case["line"]
    if kind != "custodian-name":
        assert_shows_no_secret(error)


def test_three_in_four_are_negative_and_every_kind_has_both() -> None:
    good: dict[str, int] = {}
    bad: dict[str, int] = {}
    for param in vectors():
        kind, case = param.values
        counts = bad if "error" in case else good
        counts[kind] = counts.get(kind, 0) + 1
    assert sum(bad.values()) >= 3 * sum(good.values())
    assert good.keys() == RUN.keys()
    assert RUN.keys() - bad.keys() == {"lp", "pad", "identity-keys", "key-id"}  # these take any bytes


@pytest.mark.parametrize(
    ("generator", "made"), [("generate_signed.py", "made"), ("generate_packages.py", "made_files")]
)
def test_the_vectors_are_those_that_their_generator_makes(generator: str, made: str) -> None:
    for name, content in runpy.run_path(str(HERE / generator))[made]().items():
        assert (HERE / name).read_text(encoding="utf-8") == content


def test_the_signed_file_is_written_as_the_package_writes_one() -> None:
    """It was made without the package."""
    text = (HERE / "signed.yaml").read_text(encoding="utf-8")
    assert dump(KeyFile.from_contents_and_path(text, "x").document).text == text


def test_the_worked_bytes_of_the_format_are_these() -> None:
    """What docs/format.md says of signed objects, in hex and base64, as it is made here from its own text."""
    made = runpy.run_path(str(HERE / "generate_signed.py"))
    book, text = made["book"], made["made"]()["signed.yaml"].encode()
    written = "".join((HERE.parents[1] / "docs" / "format.md").read_text(encoding="utf-8").split())
    alice, bob = book.ALICE, book.BOB
    said = [alice.own, book.CHANGE_SAID, book.EPOCH_1.said, book.EPOCH_2.said, book.GRANT_SAID, book.ENTRY_SAID]
    said.append(book.REFERENCE_SAID)
    signed = [b"\1" + (bob if message == book.EPOCH_2.said else alice).sign(message) for message in said]
    shown = [*said, *(one for one in signed if one != b"\1" + alice.sign(book.CHANGE_SAID)), b"\1" + book.CHANGE]
    shown += [*bob.keys, *book.NEW_ALICE.keys, book.fingerprint(alice), book.EPOCH_1.hash, book.EPOCH_2.hash]
    shown += [book.policy_field(book.POLICY), hashlib.sha256(text).digest()]
    packages = runpy.run_path(str(HERE / "generate_packages.py"))["book"]
    head = packages.lp(*packages.header().values())
    shown += [head, book.blake2b(head)]
    assert not [raw.hex() for raw in shown if raw.hex() not in written]
    texts = [packages.token(), packages.public_line(packages.ALICE).strip()]
    assert not [shown for shown in texts if shown.replace(" ", "") not in written]
    texts = [book.words(book.fingerprint(alice)), alice.signer, book.v1(book.EPOCH_1.hash), f"{len(text):,}bytes"]
    assert not [shown for shown in texts if shown.replace(" ", "") not in written]


def test_each_good_statement_has_three_bad_ones() -> None:
    cases = json.loads((HERE / "statements.json").read_text(encoding="utf-8"))
    for kind, vectors in cases.items():
        whole = [case["id"] for case in vectors if "result" in case]
        for name in whole:
            bad = [case for case in vectors if "error" in case and (len(whole) == 1 or case["id"].startswith(name))]
            assert len(bad) >= 3, (kind, name)
