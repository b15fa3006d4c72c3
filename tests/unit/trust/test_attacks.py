"""Every attack, seen by whoever writes, by whoever looks at the history, and by a reader; and what is like it, but
honest."""

from __future__ import annotations

import pytest
from samples import ALICE, BOB, DAVE, refused
from trust import (
    attacks_on_custodians,
    attacks_on_domains,
    attacks_on_owners,
    attacks_on_policies,
    attacks_on_references,
    attacks_on_values,
)
from trust.attacks import ALICE2, MALLORY, Attack, cases, fold, saved, trial, violations, world

from pocket_protector.document.domain import open_key
from pocket_protector.errors import IntegrityError, PocketProtectorError, PolicyError
from pocket_protector.trust.gates import check_change

ATTACKS = [
    *attacks_on_domains.ATTACKS,
    *attacks_on_policies.ATTACKS,
    *attacks_on_owners.ATTACKS,
    *attacks_on_custodians.ATTACKS,
    *attacks_on_values.ATTACKS,
    *attacks_on_references.ATTACKS,
]
CONTROLS = {attack.control.__name__: attack.control for attack in ATTACKS}


def domain_of(attack: Attack) -> str:
    """The domain at stake."""
    return attack.where[1] if attack.where[0] in ("domain", "owner", "secret") else "dev"


@pytest.mark.parametrize("attack", cases(ATTACKS))
def test_the_history_has_a_violation(attack: Attack) -> None:
    tried = trial(attack)
    *before, last = fold([*tried.world.versions, tried.hostile])
    assert not any(map(violations, before))
    found = violations(last)
    assert attack.where in {where for _, where in found}, found
    assert attack.code is None or (attack.code, attack.where) in found, found


@pytest.mark.parametrize("attack", cases([attack for attack in ATTACKS if attack.pinned]))
def test_writing_is_refused(attack: Attack) -> None:
    tried = trial(attack)
    found, _ = tried.hostile.authorize(tried.world.state)
    name = domain_of(attack)
    domain = tried.hostile.document.domains[name]
    with refused(IntegrityError):
        check_change(found, name, {*domain.owners, *attack.custodians})


@pytest.mark.parametrize("attack", cases([attack for attack in ATTACKS if attack.used and attack.pinned]))
def test_a_reader_with_a_state_is_refused(attack: Attack) -> None:
    tried = trial(attack)
    with refused(PolicyError):
        tried.hostile.decrypt_domain(domain_of(attack), ALICE, require_signed=True, trust=tried.world.state)


@pytest.mark.parametrize("attack", cases([attack for attack in ATTACKS if not attack.pinned]))
def test_what_only_a_history_tells_follows_from_a_removal_without_a_rotation(attack: Attack) -> None:
    """Or is the older grant of somebody who has a newer one."""
    tried = trial(attack)
    found, _ = tried.hostile.authorize(tried.world.state)
    assert not violations(found)
    *_, there, gone = [file.document.domains["dev"] for file in tried.world.versions if "dev" in file.document.domains]
    left = there.owners.keys() - gone.owners.keys()
    assert (there.key == gone.key and left) or attack.name.startswith(("older_grant_put_back", "grant_put_back_under"))


@pytest.mark.parametrize("attack", cases([attack for attack in ATTACKS if attack.used and attack.anchored]))
def test_a_reader_who_knows_the_maker_is_refused(attack: Attack) -> None:
    tried = trial(attack)
    with refused(PolicyError):
        tried.hostile.decrypt_domain(domain_of(attack), ALICE, require_signed=True, trust=world().anchor)


@pytest.mark.parametrize("attack", cases([attack for attack in ATTACKS if not attack.anchored]))
def test_only_a_state_can_tell(attack: Attack) -> None:
    trial(attack).hostile.check_use(domain_of(attack), require_signed=True, trust=world().anchor)


@pytest.mark.parametrize("attack", cases([attack for attack in ATTACKS if attack.guarded]))
def test_even_a_rotation_wraps_for_no_attacker(attack: Attack) -> None:
    """By each owner who gets that far in the hostile file, although whoever looks is told not to."""
    tried = trial(attack)
    name = domain_of(attack)
    for creds in (ALICE, ALICE2, DAVE):
        try:
            rotated = saved(tried.hostile.rotate_domain_key(name, creds))
        except PocketProtectorError:
            continue
        domain = rotated.document.domains[name]
        for attacker in (world().who(MALLORY), world().who(BOB)):
            with pytest.raises(PocketProtectorError):
                open_key(domain, attacker)
            for owner in domain.owners:
                assert rotated.document.custodians[owner].public_key != attacker.public_key


@pytest.mark.parametrize("control", CONTROLS)
def test_the_same_done_honestly_is_quiet(control: str) -> None:
    honest = saved(CONTROLS[control](world()))
    found, state = honest.authorize(world().state)
    assert found
    assert not violations(found)
    domain = honest.document.domains["dev"]
    check_change(found, "dev", {*domain.owners, *honest.document.custodians})
    assert not any(map(violations, fold([*world().versions, honest])))
    for trust in (world().state, state, world().anchor):
        honest.check_use("dev", require_signed=True, trust=trust)
