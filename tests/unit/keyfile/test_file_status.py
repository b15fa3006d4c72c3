"""`status_of`: a file in numbers and names."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from samples import ALICE, BOB, CAROL, PROD, get, make, parse, put

from pocket_protector import KeyFile, Reference
from pocket_protector.document.policy import Policy
from pocket_protector.keyfile.file_status import DomainStatus, status_of


def signed() -> KeyFile:
    file = KeyFile.create("protected.yaml").add_raw_key_custodian(ALICE).add_raw_key_custodian(BOB)
    file = file.add_domain("prod", ALICE.name, creds=ALICE, policy=Policy(min_owners=2))
    file = file.add_owner("prod", BOB.name, ALICE).add_secret("prod", "signed", "tulip", creds=ALICE)
    return file.add_secret("prod", "new", "tulip").add_secret("prod", "far", Reference("env://FAR"))


def test_a_signed_domain() -> None:
    found = status_of(signed(), BOB.name)
    both = (ALICE.name, BOB.name)
    assert (found.path, found.user, found.custodians) == ("protected.yaml", BOB.name, both)
    assert found.domains == {
        "prod": DomainStatus(ALICE.name, both, both, 1, ("far", "new"), ("far",), Policy(min_owners=2))
    }
    assert found.is_owned("prod")


@pytest.mark.parametrize("user", [None, CAROL.name, "nobody@example.com", ""])
def test_whoever_is_not_an_owner_owns_nothing(user: str | None) -> None:
    found = status_of(make(), user)
    assert not any(found.is_owned(name) for name in found.domains)


def test_an_unknown_domain_is_not_owned_by_anybody() -> None:
    with pytest.raises(KeyError):
        status_of(signed(), ALICE.name).is_owned("dev")


def test_an_unsigned_domain_has_no_signer_and_nothing_reviewed() -> None:
    found = status_of(make(), BOB.name)
    assert list(found.domains) == ["dev", "prod"]
    assert found.domains["prod"] == DomainStatus(None, (BOB.name,), (BOB.name,), 0, tuple(PROD), (), Policy())
    assert found.is_owned("prod")


def test_an_owner_with_a_signature_that_does_not_match_is_listed_and_does_not_count() -> None:
    text = signed().get_contents()
    others = get(text, "prod", "meta", "owners", ALICE.name, "signature")
    found = status_of(parse(put(text, others, "prod", "meta", "owners", BOB.name, "signature")), BOB.name)
    assert found.domains["prod"].owners == (ALICE.name, BOB.name)
    assert found.domains["prod"].owners_who_count == (ALICE.name,)
    assert not found.is_owned("prod")


def test_an_empty_file() -> None:
    found = status_of(KeyFile.create("empty.yaml"))
    assert (found.user, found.custodians, found.domains) == (None, (), {})


def test_it_is_frozen() -> None:
    found = status_of(signed())
    with pytest.raises(FrozenInstanceError):
        found.user = ALICE.name  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        found.domains["prod"].signed_by = None  # type: ignore[misc]
