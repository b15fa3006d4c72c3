"""Packages as this project has made them, frozen in tests/golden/packages: every later version opens them.

A test here that fails is a package of somebody's that cannot be opened any more: the change is wrong, not the test.
"""

from __future__ import annotations

import json
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from test_ssh import missing

from pocket_protector import AccessError, PolicyError, Reference
from pocket_protector.crypto.identity import Identity
from pocket_protector.crypto.keys import PrivateKey
from pocket_protector.document.exported import ExportedEntry
from pocket_protector.packages.armour import to_binary, to_text
from pocket_protector.packages.contents import is_gated, outline
from pocket_protector.packages.header import Header
from pocket_protector.packages.keys.private_key import parse_identity
from pocket_protector.packages.keys.public_key import PublicKey, parse_recipient
from pocket_protector.packages.package_opening import OpenedPackage, SealedPackage
from pocket_protector.packages.token import Token
from pocket_protector.trust.fingerprints import fingerprint, to_hex

GOLDEN = Path(__file__).parents[2] / "golden" / "packages"
EXPECTED: dict[str, Any] = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))
NAMES, READERS = sorted(EXPECTED["packages"]), sorted(EXPECTED["readers"])


def key_of(reader: str) -> PrivateKey:
    given = EXPECTED["readers"][reader]
    absent = [name for name in ("cryptography", "bcrypt") if not find_spec(name)]
    if reader.startswith("ssh") and absent:
        missing(f"no {' and no '.join(absent)}: they are of the extra ssh")
    return parse_identity(given["identity"].encode(), lambda: given["passphrase"])


def from_alice(header: Header) -> None:
    key = PublicKey.parse(EXPECTED["sender"]["line"])
    assert (header.sender, header.keys) == (key.name, key.keys)
    assert to_hex(fingerprint(header.sender, header.keys)) == EXPECTED["sender"]["fingerprint"]


def opened_with(name: str, key: PrivateKey, when: str = "now") -> OpenedPackage:
    package = SealedPackage.parse((GOLDEN / name).read_bytes())
    return package.check(from_alice, datetime.fromisoformat(EXPECTED[when])).open(key)


def opened(name: str, reader: str, when: str = "now") -> OpenedPackage:
    return opened_with(name, key_of(reader), when)


def shown(entry: ExportedEntry) -> dict[str, str]:
    content = entry.content
    held = {"reference": content.text} if isinstance(content, Reference) else {"value": content.decode()}
    return {"name": entry.name, "sensitivity": entry.sensitivity.word, **held}


def test_every_package_is_expected() -> None:
    assert sorted(path.name for path in GOLDEN.glob("*.ppkg")) == NAMES


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reader", READERS)
def test_it_opens_for_each_of_its_recipients(name: str, reader: str) -> None:
    expected = EXPECTED["packages"][name]
    found = opened(name, reader)
    assert (found.package.header.domain, found.package.header.gate.value) == (expected["domain"], expected["gate"])
    gated = found.opened_with(Token.parse(expected["token"]))
    assert sorted(map(shown, (*found.entries, *gated)), key=lambda entry: entry["name"]) == EXPECTED["entries"]
    assert not any(map(is_gated, found.entries))
    assert found.gated == tuple(map(outline, gated))
    if expected["gate"] == "token-or-human":
        assert found.opened_by_human() == gated
    else:
        with pytest.raises(PolicyError, match="wants the token"):
            found.opened_by_human()
    assert parse_recipient(EXPECTED["readers"][reader]["public"]).public_key in found.package.header.recipients


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reader", READERS)
def test_not_after_its_end(name: str, reader: str) -> None:
    with pytest.raises(PolicyError, match="expired"):
        opened(name, reader, "after")


@pytest.mark.parametrize("name", NAMES)
def test_not_with_anothers_token_and_not_for_others(name: str) -> None:
    for other in NAMES:
        if other != name:
            with pytest.raises(AccessError, match="of another package"):
                opened(name, "age").opened_with(Token.parse(EXPECTED["packages"][other]["token"]))
    with pytest.raises(AccessError, match="not for this key"):
        opened_with(name, Identity.generate("mallory@example.com").exchange)


def test_the_text_is_written_as_it_was() -> None:
    raw = (GOLDEN / "token.ppkg").read_bytes()
    assert to_text(to_binary(raw)).encode() == raw
    binary = (GOLDEN / "human.ppkg").read_bytes()
    assert to_binary(binary) == binary
