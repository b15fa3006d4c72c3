"""Values that nobody vouches for, and older ones: what the rules refuse only where somebody demands more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from samples import ALICE, DAVE, refused
from trust import attacks_on_references, attacks_on_values
from trust.attacks import DEV, A, Attack, cases, fold, load, saved, trial, violations, world

from pocket_protector import StoreError
from pocket_protector.document.policy import Policy
from pocket_protector.errors import PolicyError
from pocket_protector.trust.findings import Severity

STRICT = Policy(require_signed=True)
UNREVIEWED = [*attacks_on_values.UNREVIEWED, *attacks_on_references.UNREVIEWED]
ROLLBACKS = [*attacks_on_values.ROLLBACKS, *attacks_on_references.ROLLBACKS]


@pytest.mark.parametrize("attack", cases(UNREVIEWED))
def test_without_a_policy_it_is_told_and_no_more(attack: Attack) -> None:
    found = fold([*world().versions, trial(attack).hostile])[-1]
    assert not violations(found)
    assert attack.where in {finding.where for finding in found}


@pytest.mark.parametrize("attack", cases(UNREVIEWED))
def test_the_policy_makes_it_a_violation(attack: Attack) -> None:
    strict = saved(world().file.set_policy(DEV, STRICT, ALICE))
    *before, last = fold([*world().versions, strict, _put_into(strict, attack)])
    assert not any(map(violations, before))
    assert (attack.code, attack.where) in violations(last)


@pytest.mark.parametrize("attack", cases(UNREVIEWED))
def test_the_policy_refuses_its_use(attack: Attack) -> None:
    hostile = _put_into(saved(world().file.set_policy(DEV, STRICT, ALICE)), attack)
    with refused(PolicyError):
        hostile.decrypt_domain(DEV, DAVE)


@pytest.mark.parametrize("attack", cases(UNREVIEWED))
@pytest.mark.parametrize("anchored", [False, True])
def test_a_strict_reader_refuses_its_use(attack: Attack, anchored: bool) -> None:
    hostile = trial(attack).hostile
    hostile.check_use(DEV, trust=world().state)
    with refused(PolicyError):
        hostile.decrypt_domain(
            DEV, DAVE, require_signed=True, trust=world().anchor if anchored else trial(attack).world.state
        )


@pytest.mark.parametrize("attack", cases(UNREVIEWED))
def test_a_rotation_vouches_for_none_of_it(attack: Attack) -> None:
    rotated = saved(trial(attack).hostile.rotate_domain_key(DEV, ALICE))
    assert attack.where[2] in rotated.authority(DEV).unreviewed


@pytest.mark.parametrize("attack", cases(ROLLBACKS))
def test_an_older_version_needs_attention(attack: Attack) -> None:
    tried = trial(attack)
    found = fold([*tried.world.versions, tried.hostile])[-1]
    told = {(finding.code, finding.where): finding.severity for finding in found}
    assert told.get((attack.code, attack.where)) == Severity.ATTENTION, found
    assert not violations(found)


def test_the_same_strictly_and_honestly() -> None:
    strict = saved(world().file.set_policy(DEV, STRICT, ALICE))
    steps = [strict, saved(strict.update_secret(DEV, "api", "newer", creds=DAVE)), saved(strict.rm_secret(DEV, "db"))]
    assert not any(map(violations, fold([*world().versions, *steps])))
    assert steps[1].decrypt_domain(DEV, DAVE, require_signed=True, trust=world().state)["api"] == "newer"


def test_an_owner_does_not_make_a_key_and_leave() -> None:
    """Whoever makes a key knows it; and what they signed with it would be worth nothing after."""
    with refused(StoreError):
        world().file.set_policy(DEV, Policy(), ALICE).rm_owner(DEV, A, ALICE)


def _put_into(strict, attack: Attack):
    """The attack's value in a file with a stricter policy and the same key."""
    document, hostile = strict.document, trial(attack).hostile.document.domains[DEV]
    return load(document.with_domain(replace(document.domains[DEV], secrets=hostile.secrets)))
