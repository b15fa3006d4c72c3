"""An owner leaves a signed domain only by a rotation; and what becomes of those who were taken out without one."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from samples import ALICE, DAVE, Creds, KeyFile, raw_key, refused
from trust.attacks import (
    DEV,
    LATER,
    MALLORY,
    OPEN,
    PROD,
    A,
    D,
    E,
    M,
    blind_grant,
    custodian_taken_out,
    fold,
    load,
    saved,
    see,
    taken_out,
    violations,
    world,
)

from pocket_protector.changes import signing
from pocket_protector.changes.merge import merge
from pocket_protector.crypto.identity import Identity
from pocket_protector.document.custodian import Custodian
from pocket_protector.document.domain import open_key, wrap_for
from pocket_protector.document.policy import Policy
from pocket_protector.errors import AccessError, MergeConflictError, StoreError
from pocket_protector.trust.findings import Finding, Severity

EVE, ZED = Creds("eve@example.com", raw_key(0xE7)), Creds("zed@example.com", raw_key(0x2E))


@cache
def relaxed() -> KeyFile:
    """Without a policy that demands two owners."""
    return saved(world().file.set_policy(DEV, Policy(), ALICE))


# What the library refuses


@pytest.mark.parametrize("owner", [A, D])
def test_an_owner_of_a_signed_domain_leaves_only_by_a_rotation(owner: str) -> None:
    with refused(AccessError) as caught:
        relaxed().rm_owner(DEV, owner)
    assert caught.value.hint == f"another owner runs: pprotect rm-owner dev {owner}"


def test_with_credentials_the_key_is_another() -> None:
    file = relaxed()
    after = saved(file.rm_owner(DEV, D, ALICE))
    assert after.document.domains[DEV].key != file.document.domains[DEV].key
    assert after.get_domain_owner_names(DEV) == [A]
    assert not any(map(violations, fold([*world().versions, file, after])))


def test_a_custodian_who_owns_signed_domains_stays() -> None:
    file = saved(relaxed().add_owner(OPEN, D, ALICE))
    with refused(StoreError) as caught:
        file.rm_key_custodian(D)
    assert "dev, prod" in caught.value.message
    assert "open" not in caught.value.message
    assert caught.value.hint == f"another owner runs first: pprotect rm-owner dev {D}; pprotect rm-owner prod {D}"
    left = saved(file.rm_owner(DEV, D, ALICE).rm_owner(PROD, D, ALICE).rm_key_custodian(D))
    assert D not in left.get_key_custodian_names()
    assert left.get_domain_owner_names(OPEN) == [A]


def test_unsigned_domains_keep_pocket_protectors_way() -> None:
    file = saved(world().file.add_owner(OPEN, D, ALICE))
    assert file.rm_owner(OPEN, D).document.domains[OPEN].key == file.document.domains[OPEN].key


def test_an_owner_who_does_not_count_can_be_taken_out_by_anybody() -> None:
    listed = world().with_owner(M, blind_grant(world().dev, world().who(MALLORY)))
    assert saved(listed.rm_owner(DEV, M)).document.domains == world().document.domains
    assert M not in listed.rm_key_custodian(M).get_domain_owner_names(DEV)


@pytest.mark.parametrize("swapped", [False, True])
def test_no_merge_takes_an_owner_out_under_a_key_that_stays(swapped: bool) -> None:
    """One branch takes the owner out of a domain that nobody has signed, the other signs it."""
    base = saved(world().file.add_owner(OPEN, D, ALICE))
    sides = [saved(base.rm_owner(OPEN, D)), saved(base.set_policy(OPEN, Policy(max_age=9), ALICE))]
    with refused(MergeConflictError):
        merge(base.document, *(side.document for side in (sides[::-1] if swapped else sides)))


# What a judge says of a removal without a rotation


def removal(found: list[Finding]) -> Severity:
    return next(f.severity for f in found if (f.code, f.where) == ("owner-removed", ("owner", DEV, D)))


def test_a_history_with_one_needs_attention_and_is_no_violation() -> None:
    """Versions before the rule made such, and a history is not to turn red for it."""
    found = fold([*world().versions, relaxed(), taken_out(relaxed(), D)])
    assert not any(map(violations, found))
    assert removal(found[-1]) is Severity.ATTENTION
    assert removal(fold([*world().versions, relaxed(), saved(relaxed().rm_owner(DEV, D, ALICE))])[-1]) is Severity.INFO


def test_for_a_pin_it_is_as_on_a_branch_from_before_the_grant() -> None:
    given = saved(world().file.add_owner(DEV, E, ALICE))
    found, _ = world().file.authorize(world().after(given).state)
    assert [(f.code, f.severity) for f in found if f.where == ("owner", DEV, E)] == [("owner-removed", Severity.INFO)]


# Whoever was taken out without a rotation made epochs before, or knows one who did


def with_eve() -> tuple[list[KeyFile], Identity]:
    """Eve set the policy, so that she is a maker of the present key; an older version took her out. And her keys."""
    file = saved(relaxed().add_raw_key_custodian(EVE).add_owner(DEV, EVE.name, ALICE))
    made = saved(file.set_policy(DEV, Policy(max_age=90), EVE))
    return [file, made, custodian_taken_out(made, EVE.name)], made.unlock(EVE)


def puppets(file: KeyFile, eve: Identity, eves_block: Custodian | None = None) -> list[KeyFile]:
    """Eve lists herself and Zed, to whom she gives access; then Zed becomes a custodian, and rotates."""
    zed = saved(file.add_raw_key_custodian(ZED)).document.custodians[ZED.name]
    document, dev = file.document, file.document.domains[DEV]
    known = open_key(dev, file.unlock(ALICE))
    grant = wrap_for(DEV, dev.key, known, ZED.name, zed.public_key, LATER)
    grant = signing.sign_grant(document.with_custodian(zed), dev, ZED.name, grant, eve)
    owners = {**dev.owners, ZED.name: grant, EVE.name: replace(dev.owners[A], signed=None)}
    one = load(document.with_domain(replace(dev, owners=owners)))
    two = load((one.document.with_custodian(eves_block) if eves_block else one.document).with_custodian(zed))
    return [one, two]


@pytest.mark.parametrize("by", [ALICE, DAVE])
def test_a_former_owner_does_not_come_back_through_another_name(by: Creds) -> None:
    """In commits each of which looks harmless."""
    before, eve = with_eve()
    *_, hostile = puppets(before[-1], eve)
    assert saved(hostile.rotate_domain_key(DEV, by)).get_domain_owner_names(DEV) == [A, D]
    with refused(AccessError):
        hostile.rotate_domain_key(DEV, ZED)


def zed_rotates(file: KeyFile) -> KeyFile:
    """As a client does that does not ask whether Zed counts."""
    document, zed = file.document, file.unlock(ZED)
    made = signing.sign_domain(document, document.domains[DEV], Policy(), zed, LATER, [document.domains[DEV]])
    return load(document.with_domain(made))


@pytest.mark.parametrize("with_block", [False, True])
def test_what_another_name_does_then_is_a_violation(with_block: bool) -> None:
    before, eve = with_eve()
    block = before[1].document.custodians[EVE.name]
    assert isinstance(block, Custodian)
    steps = puppets(before[-1], eve, block if with_block else None)
    steps.append(zed_rotates(steps[-1]))
    found = fold([*world().versions, relaxed(), *before, *steps])
    assert not any(map(violations, found[: -len(steps)]))
    assert violations(found[-1]) | violations(found[-2])
    # A pin that was made after the removal, and one that saw everything.
    for state in (see(None, before[-1]), see(world().state, relaxed(), *before)):
        seen, told = state, set[tuple[str, tuple[str, ...]]]()
        for file in steps:
            findings, after = file.authorize(seen)
            told |= violations(findings)
            seen = seen if violations(findings) else after
        assert told


def test_whoever_counts_only_now_was_given_access_by_one_who_counted_before() -> None:
    """A transition to an owner who counts is judged as a new grant is: here a custodian's block returns."""
    blockless = load(
        replace(world().document, custodians={k: c for k, c in world().document.custodians.items() if k != D})
    )
    found = fold([*world().versions, blockless, world().file])
    assert not any(map(violations, found))
