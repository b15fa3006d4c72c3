"""Epochs: what their statement says, how one follows another, and what is kept of the earlier ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
from samples import ALICE, BOB, CAROL, Creds, KeyFile, make, parse, raw_key

from pocket_protector.crypto.encoding import lp
from pocket_protector.crypto.identity import Identity
from pocket_protector.crypto.keys import digest
from pocket_protector.document.domain import Domain
from pocket_protector.document.epoch import DomainKey, Epoch, make_epoch
from pocket_protector.document.policy import Policy
from pocket_protector.document.statements import EPOCH, Signer, encode_list, encode_number
from pocket_protector.trust.authority import GrantStatus, ancestors, owners_of

FILE = bytes(range(16))
TIME = "2026-11-22T10:00:00Z"
KEY = b"\7" * 32
MAKER, OTHER = Identity.from_seed("alice", bytes(32)), Identity.from_seed("alice", b"\1" * 32)
POLICY = Policy(max_age=9)
ONE, TWO = b"\1" * 32, b"\2" * 32


def an_epoch(follows: dict[bytes, int], policy: Policy = POLICY, by: Identity = MAKER) -> Epoch:
    return make_epoch(by, DomainKey(FILE, "dev", KEY), follows, policy, TIME)


# The statement


def test_the_fields_of_the_statement_in_their_order() -> None:
    epoch = an_epoch({TWO: 4, ONE: 2})
    assert MAKER.verify_key is not None
    said = lp(
        b"pocket-protector/1/epoch", FILE, b"dev", encode_number(5), KEY, encode_list([ONE, TWO]), POLICY.encode(),
        TIME.encode(), b"alice", MAKER.verify_key,
    )  # fmt: skip
    assert epoch.hash(FILE, "dev", KEY) == digest(said)
    assert epoch.matches(FILE, "dev", KEY)


@pytest.mark.parametrize(("follows", "number"), [({}, 1), ({ONE: 1}, 2), ({ONE: 7, TWO: 3}, 8), ({TWO: 0}, 1)])
def test_the_number_is_the_next_and_previous_are_sorted(follows: dict[bytes, int], number: int) -> None:
    epoch = an_epoch(follows)
    assert (epoch.number, epoch.previous) == (number, tuple(sorted(follows)))


@pytest.mark.parametrize(
    "changed",
    [
        lambda epoch: replace(epoch, number=epoch.number + 1),
        lambda epoch: replace(epoch, number=epoch.number - 1),
        lambda epoch: replace(epoch, previous=()),
        lambda epoch: replace(epoch, previous=(ONE,)),
        lambda epoch: replace(epoch, previous=(ONE, TWO, b"\3" * 32)),
        lambda epoch: replace(epoch, policy=Policy()),
        lambda epoch: replace(epoch, policy=Policy(max_age=10)),
        lambda epoch: replace(epoch, policy=Policy(max_age=9, require_signed=True)),
        lambda epoch: replace(epoch, made="2026-11-22T10:00:01Z"),
        lambda epoch: replace(epoch, signed=replace(epoch.signed, signature=bytes(64))),
        lambda epoch: replace(epoch, signed=replace(epoch.signed, by=Signer("bob", epoch.signed.by.verify_key))),
        lambda epoch: replace(epoch, signed=replace(epoch.signed, by=Signer("alice", OTHER.verify_key or b""))),
        lambda epoch: replace(epoch, signed=an_epoch({ONE: 1, TWO: 2}, by=OTHER).signed),
    ],
)
def test_every_field_counts(changed: Callable[[Epoch], Epoch]) -> None:
    epoch = an_epoch({ONE: 1, TWO: 1})
    other = changed(epoch)
    assert not other.matches(FILE, "dev", KEY)
    if other.signed.signature != bytes(64):
        assert other.hash(FILE, "dev", KEY) != epoch.hash(FILE, "dev", KEY)


@pytest.mark.parametrize("place", [(bytes(16), "dev", KEY), (FILE, "de", KEY), (FILE, "dev", ONE), (b"", "dev", KEY)])
def test_an_epoch_is_of_one_file_domain_and_key(place: tuple[bytes, str, bytes]) -> None:
    epoch = an_epoch({ONE: 1})
    assert not epoch.matches(*place)
    assert epoch.hash(*place) != epoch.hash(FILE, "dev", KEY)


def test_a_list_that_is_not_sorted_gives_the_same_statement_and_is_no_epoch_that_a_file_has() -> None:
    """The reader refuses it, so that each hash is of one text."""
    epoch = replace(an_epoch({ONE: 1, TWO: 1}), previous=(TWO, ONE))
    assert epoch.hash(FILE, "dev", KEY) == an_epoch({ONE: 1, TWO: 1}).hash(FILE, "dev", KEY)


def test_the_hash_is_of_the_statement_not_of_the_signature() -> None:
    epoch = an_epoch({})
    forged = replace(epoch, signed=replace(epoch.signed, signature=bytes(64)))
    assert forged.hash(FILE, "dev", KEY) == epoch.hash(FILE, "dev", KEY)
    assert digest(epoch.signed.statement(EPOCH, ())) != epoch.hash(FILE, "dev", KEY)


# What changes make of it


@cache
def signed() -> KeyFile:
    """Alice made dev a signed domain by a rotation, and Bob rotated it again."""
    return parse(make().rotate_domain_key("dev", BOB).get_contents())


def dev(file: KeyFile) -> Domain:
    return file.document.domains["dev"]


def epoch_of(file: KeyFile) -> Epoch:
    epoch = dev(file).epoch
    assert epoch is not None
    return epoch


def hash_of(file: KeyFile) -> bytes:
    return epoch_of(file).hash(file.file_id, "dev", dev(file).public_key)


def test_a_rotation_follows_the_epoch_before() -> None:
    file = signed()
    after = file.rotate_domain_key("dev", ALICE)
    assert epoch_of(after).previous == (hash_of(file),)
    assert epoch_of(after).number == epoch_of(file).number + 1 == 3
    assert epoch_of(after).matches(file.file_id, "dev", dev(after).public_key)
    kept = dev(after).past[hash_of(file)]
    assert (kept.public_key, kept.epoch) == (dev(file).public_key, dev(file).epoch)
    assert ALICE.name in kept.grants


def test_a_policy_follows_it_with_the_same_key() -> None:
    file = signed()
    after = file.set_policy("dev", Policy(min_owners=2), ALICE)
    assert dev(after).key == dev(file).key
    assert dev(after).retired == dev(file).retired
    assert dev(after).owners == dev(file).owners
    assert dev(after).secrets == dev(file).secrets
    assert epoch_of(after).previous == (hash_of(file),)
    assert sorted(owners_of(after.document, dev(after)).makers) == [ALICE.name, BOB.name]


def test_a_rotation_keeps_the_policy_and_the_times() -> None:
    file = signed().set_policy("dev", Policy(max_age=9), ALICE)
    after = file.rotate_domain_key("dev", BOB)
    assert after.get_policy("dev") == Policy(max_age=9)
    assert {name: grant.granted for name, grant in dev(after).owners.items()} == {
        name: grant.granted for name, grant in dev(file).owners.items()
    }


def test_a_rotation_without_history_keeps_the_epochs() -> None:
    file = signed()
    after = file.rotate_domain_key("dev", ALICE, history=False)
    assert not dev(after).retired
    assert dev(after).past.keys() == {*dev(file).past, hash_of(file)}


def test_a_rotation_signs_what_was_reviewed_and_nothing_else() -> None:
    file = signed().sign_secrets("dev", ["api-key"], BOB)
    after = file.rotate_domain_key("dev", ALICE)
    assert dev(after).secrets["db-password"].signed is None
    by = dev(after).secrets["api-key"].signed
    assert by is not None
    assert by.by.name == ALICE.name
    assert after.authority("dev").unreviewed == ["db-password"]


def test_a_rotation_signs_every_grant_anew_and_drops_who_does_not_count() -> None:
    file = signed()
    dropped = replace(dev(file), owners={**dev(file).owners, CAROL.name: replace(dev(file).owners[BOB.name])})
    with_carol = KeyFile(file.path, None, file.document.with_domain(dropped))
    assert owners_of(with_carol.document, dropped).status[CAROL.name] is GrantStatus.INVALID
    after = with_carol.rotate_domain_key("dev", ALICE)
    assert sorted(dev(after).owners) == [ALICE.name, BOB.name]
    assert {grant.signed.by.name for grant in dev(after).owners.values() if grant.signed} == {ALICE.name}


def test_the_grants_of_an_earlier_epoch_outlive_a_change_of_keys() -> None:
    file = signed()
    new = Creds(ALICE.name, raw_key(1))
    rekeyed = file.rekey_custodian(ALICE, new, raw_key=True)
    after = rekeyed.set_policy("dev", Policy(min_owners=1), new)
    kept = dev(after).past[hash_of(file)].grants[ALICE.name]
    assert len(kept.changes) == 1
    again = after.rekey_custodian(new, Creds(ALICE.name, raw_key(2)), raw_key=True)
    assert dev(again).past == dev(after).past
    assert kept.keys != again.document.custodians[ALICE.name].keys


def test_the_ancestors_are_what_is_kept_under_its_own_hash() -> None:
    file = signed().rotate_domain_key("dev", ALICE)
    domain, document = dev(file), file.document
    assert sorted(past.epoch.number for _, past in ancestors(document, domain)) == [1, 2]
    second = hash_of(signed())
    for broken in (
        {k: past for k, past in domain.past.items() if k != second},
        {**domain.past, second: replace(domain.past[second], public_key=KEY)},
        {**domain.past, second: next(past for past in domain.past.values() if past.epoch.number == 1)},
    ):
        assert list(ancestors(document, replace(domain, past=broken))) == []


def test_epochs_that_follow_each_other_in_a_circle_come_to_an_end() -> None:
    """Nobody can make such hashes; a reader that met them would still stop."""
    file = signed()
    domain = dev(file)
    identifier, past = next(iter(domain.past.items()))
    own = replace(past, epoch=replace(past.epoch, previous=(identifier,)))
    assert list(ancestors(file.document, replace(domain, past={identifier: own}))) == []


# Signed domains


def test_only_a_domain_with_an_epoch_is_a_signed_one() -> None:
    """It is the same object: documents are compared by identity too."""
    domain = signed().document.domain("dev")
    assert domain.as_signed() is domain
    assert replace(domain, epoch=None, past={}).as_signed() is None
