"""Every vector of this folder: the result, or the class and place of the error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from samples import assert_shows_no_secret

from pocket_protector import Creds, IntegrityError, KeyFile, PPError
from pocket_protector.crypto.encoding import lp, pad, unpad
from pocket_protector.crypto.identity import Identity, WrappedIdentity
from pocket_protector.crypto.keys import PrivateKey, is_signed, key_id, parse_public_key, parse_verify_key, statement
from pocket_protector.crypto.legacy import PasswordDerivedKey
from pocket_protector.format import scalars
from pocket_protector.format.reading import LEAST_SEALED
from pocket_protector.model import names
from pocket_protector.model.audit import parse_entry, parse_section
from pocket_protector.model.decrypted import decrypt
from pocket_protector.model.domain import Domain, Grant, Secret, open_key
from pocket_protector.model.times import parse_time

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
    wrapped = WrappedIdentity.parse(raw[1:])
    return wrapped.unwrap(given["name"], h(given["public-key"]), h(given["verify-key"]), given["passphrase"]).seed.hex()


def open_derived(given: dict[str, Any]) -> str:
    derived = PasswordDerivedKey.parse(scalars.decode(given["pwdkm"]))
    assert scalars.encode(derived.encode()) == given["pwdkm"]
    return derived.unlock(given["name"], given["passphrase"]).public_key.hex()


def open_file(given: dict[str, Any]) -> dict[str, str]:
    creds = Creds(given["user"], given["passphrase"])
    return dict(KeyFile.from_contents_and_path(given["text"], "x").decrypt_domain(given["domain"], creds))


def identity_keys(given: str) -> list[str]:
    identity = Identity.from_seed("any", h(given))
    assert identity.verify_key is not None
    return [identity.public_key.hex(), identity.verify_key.hex()]


RUN: dict[str, Callable[[Any], Any]] = {
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
}


@pytest.mark.parametrize(("kind", "case"), [*vectors()])
def test_vector(kind: str, case: dict[str, Any]) -> None:
    if "error" not in case:
        assert RUN[kind](case["input"]) == case["result"]
        return
    with pytest.raises((PPError, ValueError)) as caught:
        RUN[kind](case["input"])
    error = caught.value
    if case["error"] == "refused":
        assert str(error) == "refused"
        return
    assert type(error).__name__ == case["error"]
    assert getattr(error, "path", "") == case["path"]
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
