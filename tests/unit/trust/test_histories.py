"""Histories with merges and missing files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from samples import ALICE, DAVE, KeyFile
from trust.attacks import (
    ALICE2,
    DEV,
    MALLORY,
    OPEN,
    PROD,
    WHERE,
    A,
    D,
    E,
    M,
    blind_grant,
    fold,
    load,
    saved,
    seized,
    taken_out,
    violations,
    world,
)

from pocket_protector.changes.merge import merge
from pocket_protector.document.custodian import Custodian
from pocket_protector.document.policy import Policy
from pocket_protector.trust.findings import Finding
from pocket_protector.trust.history_fold import Fold


def joined_by(
    left: KeyFile, right: KeyFile, merged: KeyFile, then: Sequence[KeyFile | None] = ()
) -> list[list[Finding]]:
    """The findings of: the honest history, two branches of one step each, their merge, and more steps."""
    base = world().versions
    steps: list[tuple[str, list[str], KeyFile | None]] = [
        (f"base{at}", [f"base{at - 1}"] if at else [], file) for at, file in enumerate(base)
    ]
    top = steps[-1][0]
    steps += [("left", [top], left), ("right", [top], right), ("merge", ["left", "right"], merged)]
    steps += [(f"then{at}", [f"then{at - 1}" if at else "merge"], file) for at, file in enumerate(then)]
    folding = Fold([(name, parents) for name, parents, _ in steps])
    return [folding.step(name, parents, file and file.document) for name, parents, file in steps]


def merged_honestly(left: KeyFile, right: KeyFile) -> KeyFile:
    return load(merge(world().document, left.document, right.document))


def _branches(kind: str) -> tuple[KeyFile, KeyFile]:
    file = world().file
    right = saved(file.update_secret(OPEN, "api", "2").add_secret(DEV, "more", "1", creds=ALICE))
    relaxed = saved(file.set_policy(DEV, Policy(), ALICE))
    left = {
        "rotated": lambda: file.rotate_domain_key(DEV, DAVE),
        "policy": lambda: relaxed,
        "removed": lambda: taken_out(relaxed, D),
        "removed and rotated": lambda: relaxed.rm_owner(DEV, D, ALICE),
        "rekeyed": lambda: file.rekey_custodian(ALICE, ALICE2, raw_key=True),
        "signed": lambda: file.update_secret(DEV, "api", "4", creds=DAVE),
    }[kind]
    return saved(left()), right


KINDS = ["rotated", "policy", "removed", "removed and rotated", "rekeyed", "signed"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("swapped", [False, True])
def test_an_honest_merge_is_clean(kind: str, swapped: bool) -> None:
    left, right = _branches(kind)
    merged = merged_honestly(left, right)
    assert not any(map(violations, joined_by(*((right, left) if swapped else (left, right)), merged)))


EVIL = {
    "rotated": ("domain-behind", WHERE),
    "policy": ("domain-behind", WHERE),
    "removed and rotated": ("domain-behind", WHERE),
    "rekeyed": ("custodian-behind", ("custodian", A)),
}


@pytest.mark.parametrize("kind", EVIL)
@pytest.mark.parametrize("swapped", [False, True])
def test_a_merge_that_takes_the_older_side(kind: str, swapped: bool) -> None:
    """It is clean from the parent that it takes everything of."""
    left, right = _branches(kind)
    found = joined_by(*((right, left) if swapped else (left, right)), right)
    assert not any(map(violations, found[:-1]))
    assert EVIL[kind] in violations(found[-1])


def _evil(merged: KeyFile, what: str) -> tuple[KeyFile, tuple[str, tuple[str, ...]]]:
    dev, mallory = merged.document.domains[DEV], world().who(MALLORY)
    if what == "strips a signature":
        secrets = {**dev.secrets, "db": replace(dev.secrets["db"], signed=None)}
        return load(merged.document.with_domain(replace(dev, secrets=secrets))), (
            "signature-stripped",
            ("secret", DEV, "db"),
        )
    if what == "adds an owner":
        owners = {**dev.owners, M: blind_grant(dev, mallory)}
        return load(merged.document.with_domain(replace(dev, owners=owners))), ("owner-injected", ("owner", DEV, M))
    if what == "replaces keys":
        document = replace(merged.document, custodians=_replaced(merged))
        return load(document), ("custodian-replaced", ("custodian", E))
    return seized(merged.document, mallory), ("domain-replaced", WHERE)


def _replaced(file: KeyFile) -> dict[str, object]:
    other = KeyFile.create("x").add_raw_key_custodian(replace(MALLORY, name=E)).document.custodians[E]
    return {**file.document.custodians, E: other}


@pytest.mark.parametrize("what", ["strips a signature", "adds an owner", "replaces keys", "seizes the domain"])
@pytest.mark.parametrize("kind", ["signed", "policy", "rekeyed"])
def test_a_merge_that_does_what_neither_parent_did(kind: str, what: str) -> None:
    left, right = _branches(kind)
    hostile, expected = _evil(merged_honestly(left, right), what)
    found = joined_by(left, right, hostile)
    assert not any(map(violations, found[:-1]))
    assert expected in violations(found[-1])


@pytest.mark.parametrize("swapped", [False, True])
def test_a_merge_that_brings_back_a_removed_owner(swapped: bool) -> None:
    relaxed = saved(world().file.set_policy(DEV, Policy(), ALICE))
    removed = taken_out(relaxed, D)
    other = saved(relaxed.add_secret(OPEN, "more", "1"))
    dev = removed.document.domains[DEV]
    hostile = load(
        removed.document.with_domain(replace(dev, owners=relaxed.document.domains[DEV].owners)),
    )
    steps = [("relaxed", [], relaxed), ("left", ["relaxed"], removed), ("right", ["relaxed"], other)]
    parents = ["right", "left"] if swapped else ["left", "right"]
    folding = Fold([*((name, parents) for name, parents, _ in steps), ("merge", parents)])
    for name, before, file in steps:
        assert not violations(folding.step(name, before, file.document))
    assert ("owner-returned", ("owner", DEV, D)) in violations(folding.step("merge", parents, hostile.document))


def test_what_went_in_a_merge_does_not_come_back_after_it() -> None:
    left, right = _branches("removed")
    merged = merged_honestly(left, right)
    dev = merged.document.domains[DEV]
    back = load(merged.document.with_domain(replace(dev, owners=world().dev.owners)))
    assert ("owner-returned", ("owner", DEV, D)) in violations(joined_by(left, right, merged, [back])[-1])


def test_two_rotations_are_a_fork() -> None:
    left, right = saved(world().file.rotate_domain_key(DEV, ALICE)), saved(world().file.rotate_domain_key(DEV, DAVE))
    for taken in (left, right):
        assert ("domain-forked", WHERE) in violations(joined_by(left, right, taken)[-1])


def test_a_file_that_was_away_is_judged_as_if_it_had_stayed() -> None:
    hostile = seized(world().document, world().who(MALLORY))
    base, left = world().file, saved(world().file.add_secret(OPEN, "more", "1"))
    found = joined_by(left, base, left, [None, None, hostile])
    assert ("domain-replaced", WHERE) in violations(found[-1])


@pytest.mark.parametrize("swapped", [False, True])
def test_keys_that_one_branch_gave_up_before_the_name_went_on_both(swapped: bool) -> None:
    """The name comes back with the first keys, which only the other branch saw last."""
    file = taken_out(saved(world().file.set_policy(DEV, Policy(), ALICE)), D, PROD)
    file = taken_out(file, D)
    gone = saved(file.rm_key_custodian(D))
    rekeyed = saved(file.rekey_custodian(DAVE, replace(DAVE, passphrase=ALICE2.passphrase), raw_key=True))
    rekeyed_and_gone = saved(rekeyed.rm_key_custodian(D))
    merged = load(replace(gone.document, log=rekeyed_and_gone.document.log))
    back = load(merged.document.with_custodian(file.document.custodians[D]))
    parents = ["gone", "rekeyed and gone"][:: -1 if swapped else 1]
    steps = [
        ("file", [], file),
        ("gone", ["file"], gone),
        ("rekeyed", ["file"], rekeyed),
        ("rekeyed and gone", ["rekeyed"], rekeyed_and_gone),
        ("merge", parents, merged),
        ("back", ["merge"], back),
    ]
    folding = Fold([(name, before) for name, before, _ in steps])
    *found, last = [folding.step(name, before, file.document) for name, before, file in steps]
    assert not any(map(violations, found))
    assert violations(last)


def test_a_history_in_one_line_has_no_violation() -> None:
    assert not any(map(violations, fold(world().versions)))
    assert all(isinstance(custodian, Custodian) for custodian in world().document.custodians.values())


@pytest.mark.parametrize("broken", [False, True])
def test_a_merge_without_the_file_forgets_no_branch(broken: bool) -> None:
    """Dave's branch from before his removal is its first parent; then that version stands there again."""
    relaxed = saved(world().file.set_policy(DEV, Policy(), ALICE))
    main = saved(relaxed.rm_owner(DEV, D, ALICE))
    steps = [("old", ()), ("main", ("old",)), ("merge", ("old", "main")), ("back", ("merge",))]
    folding = Fold(steps)
    folding.step("old", (), relaxed.document)
    folding.step("main", ("old",), main.document)
    folding.step("merge", ("old", "main"), None, broken=broken)
    assert ("domain-behind", WHERE) in violations(folding.step("back", ("merge",), relaxed.document))


def test_a_domain_that_goes_without_a_word_returns_to_no_history() -> None:
    """Git knows what follows what: nothing is on another branch there."""
    gone = load(replace(world().document, domains={k: d for k, d in world().document.domains.items() if k != DEV}))
    folding = Fold([("base", ()), ("gone", ("base",)), ("back", ("gone",))])
    folding.step("base", (), world().document)
    assert not violations(folding.step("gone", ("base",), gone.document))
    assert ("domain-returned", WHERE) in violations(folding.step("back", ("gone",), world().document))
