"""Files of every form that this project has written, frozen in tests/golden.

From now on every change must keep these loading, opening and verifying, to the byte and to the code of a finding. A
test here that fails is a file of somebody's that cannot be read any more: the change is wrong, not the test.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from samples import Creds, KeyFile, refused

from pocket_protector.document.custodian import Custodian, key_chain
from pocket_protector.errors import AccessError
from pocket_protector.format.loaded_file import dump, load
from pocket_protector.trust.authority import ancestors

GOLDEN = Path(__file__).parents[2] / "golden"
EXPECTED: dict[str, dict[str, Any]] = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))
FILES = sorted(EXPECTED)
DOMAINS = [(name, domain) for name in FILES for domain in EXPECTED[name]["values"]]


def load_golden(name: str) -> KeyFile:
    return KeyFile.from_file(GOLDEN / name)


def creds_of(name: str) -> Iterator[Creds]:
    return (Creds(user, passphrase) for user, passphrase in EXPECTED[name]["passphrases"].items())


def test_every_file_is_expected() -> None:
    assert sorted(path.name for path in GOLDEN.glob("*.yaml")) == FILES


@pytest.mark.parametrize(("name", "domain"), DOMAINS)
def test_it_opens_for_its_owners_and_for_nobody_else(name: str, domain: str) -> None:
    file, values = load_golden(name), EXPECTED[name]["values"][domain]
    for creds in creds_of(name):
        if creds.name in values["opened-by"]:
            assert dict(file.decrypt_domain(domain, creds, resolve=False)) == values["content"]
        elif creds.name not in file.get_domain_owner_names(domain):
            with refused(AccessError):
                file.decrypt_domain(domain, creds)


@pytest.mark.parametrize(("name", "domain"), DOMAINS)
def test_its_statements_say_what_they_said(name: str, domain: str) -> None:
    file, expected = load_golden(name), EXPECTED[name]["standing"][domain]
    standing = file.authority(domain)
    assert file.is_signed(domain) == expected["signed"]
    assert {owner: status.name for owner, status in standing.owners.status.items()} == expected["owners"]
    assert {secret: status.name for secret, status in standing.entries.items()} == expected["entries"]


@pytest.mark.parametrize(("name", "domain"), DOMAINS)
def test_its_entries_are_what_they_were(name: str, domain: str) -> None:
    """Those of a file of before are values, of medium sensitivity."""
    for file in (load_golden(name), load_golden(name).add_secret(domain, "zz-new", "another")):
        secrets = EXPECTED[name]["values"][domain]["content"]
        levels = EXPECTED[name].get("sensitivities", {}).get(domain, dict.fromkeys(secrets, "medium"))
        assert {secret: file.get_secret_sensitivity(domain, secret).word for secret in secrets} == levels
        assert sorted(file.get_references(domain)) == EXPECTED[name].get("references", {}).get(domain, [])


@pytest.mark.parametrize("name", FILES)
def test_a_first_look_says_what_it_said(name: str) -> None:
    found, _ = load_golden(name).authorize(None)
    assert (
        sorted([finding.severity.label, finding.code, "/".join(finding.where)] for finding in found)
        == EXPECTED[name]["findings"]
    )


@pytest.mark.parametrize(("name", "domain"), DOMAINS)
def test_its_epochs_are_signed_and_filed_as_they_were(name: str, domain: str) -> None:
    document = load_golden(name).document
    found = document.domains[domain]
    if found.epoch is None:
        assert not found.past
        return
    assert found.epoch.matches(document.file_id, domain, found.public_key)
    reached = dict(ancestors(document, found))
    assert reached == found.past
    assert all(past.epoch.matches(document.file_id, domain, past.public_key) for past in reached.values())


@pytest.mark.parametrize("name", FILES)
def test_the_changes_of_keys_prove_what_they_proved(name: str) -> None:
    document = load_golden(name).document
    for custodian in document.custodians.values():
        assert isinstance(custodian, Custodian)
        assert len(key_chain(custodian, document.file_id)) == 1 + len(custodian.changes)


@pytest.mark.parametrize(("name", "domain"), DOMAINS)
def test_it_leads_back_to_who_was_trusted(name: str, domain: str) -> None:
    trust = EXPECTED[name].get("trust")
    if trust and domain == "dev":
        load_golden(name).check_use(domain, trust=trust)


@pytest.mark.parametrize("name", FILES)
def test_writing_no_change_leaves_every_byte(name: str, tmp_path: Path) -> None:
    raw = (GOLDEN / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(raw)
    file = KeyFile.from_file(path)
    assert file.get_contents().encode() == raw
    file.write()
    assert path.read_bytes() == raw
    assert load(raw).with_document(load(raw).document).text.encode() == raw


@pytest.mark.parametrize("name", FILES)
def test_it_is_written_anew_as_the_same(name: str) -> None:
    """All but comments and extensions: no line of an object differs."""
    text = (GOLDEN / name).read_text(encoding="utf-8")
    anew = dump(load_golden(name).document)
    assert anew.document == load_golden(name).document
    missing = [line for line in text.splitlines() if line not in anew.text.splitlines()]
    assert all("#" in line or line.lstrip().startswith("x-") for line in missing)


@pytest.mark.parametrize(("name", "domain"), DOMAINS)
def test_it_can_still_be_changed(name: str, domain: str) -> None:
    """A new value touches its own lines only, and a rotation leaves every value as it was."""
    file, values = load_golden(name), EXPECTED[name]["values"][domain]
    owner = next(creds for creds in creds_of(name) if creds.name in values["opened-by"])
    changed = file.add_secret(domain, "zz-new", "another", creds=owner)
    lines = iter(changed.get_contents().splitlines())
    assert all(line in lines for line in file.get_contents().splitlines())
    rotated = changed.rotate_domain_key(domain, owner)
    assert rotated.get_references(domain) == file.get_references(domain)
    assert dict(rotated.decrypt_domain(domain, owner, resolve=False)) == {**values["content"], "zz-new": "another"}
