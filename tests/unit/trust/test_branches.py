"""Somebody who goes from branch to branch: what one does not have was not taken out on it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from samples import ALICE, DAVE, VECTORS, KeyFile, parse
from trust.attacks import DEV, ERIN, MALLORY, OPEN, E, M, blind_grant, load, saved, seized, violations, world

from pocket_protector.document.policy import Policy
from pocket_protector.trust.judge.authorize import authorize


def without_dev(file: KeyFile) -> KeyFile:
    """As a branch has it that does not know of the domain."""
    return load(replace(file.document, domains={k: d for k, d in file.document.domains.items() if k != DEV}))


def test_a_domain_of_another_branch_may_be_there_again_and_go_on() -> None:
    state = world().after(without_dev(world().file)).state
    assert not violations(world().file.authorize(state)[0])
    newer = saved(world().file.set_policy(DEV, Policy(), ALICE))
    found, _ = newer.authorize(state)
    assert not violations(found)
    assert "policy-weakened" in {finding.code for finding in found}


def test_a_domain_that_was_removed_after_all_may_not_return() -> None:
    """Once on another branch, there again, and then removed for good."""
    state = world().after(without_dev(world().file), world().file, saved(world().file.rm_domain(DEV))).state
    assert ("domain-behind", ("domain", DEV)) in violations(world().file.authorize(state)[0])


def test_an_owner_who_did_something_else_on_the_other_branch() -> None:
    topic = saved(world().file.add_owner(DEV, E, ALICE))
    main = saved(world().file.set_key_custodian_passphrase(ERIN, "P" + "77" * 32 + "P", raw_key=True))
    state = world().after(topic, main).state
    assert not violations(topic.authorize(state)[0])


def test_what_a_truncation_took_out_is_nothing_new() -> None:
    """On the older branch the log still tells of an earlier removal."""
    older = saved(world().file.set_policy(DEV, Policy(), ALICE).add_owner(DEV, E, ALICE))
    older = saved(older.rm_owner(DEV, E))
    topic = saved(saved(older.add_owner(DEV, E, ALICE)).truncate_audit_log(0))
    state = world().after(older, topic, older).state
    assert not violations(topic.authorize(state)[0])


def test_values_of_another_branch_are_no_older_ones() -> None:
    topic = saved(world().file.update_secret(DEV, "db", "newer"))
    found, _ = topic.authorize(world().after(topic, world().file).state)
    assert "secret-rolled-back" not in {finding.code for finding in found}
    back, _ = world().file.authorize(world().after(topic).state)
    assert "secret-rolled-back" in {finding.code for finding in back}


def test_of_pocket_protectors_files_everything_that_goes_is_taken_out() -> None:
    """Their log is one list of texts, which tells nothing of objects."""
    old = parse((VECTORS / "upstream" / "v1-v2-mixed.yaml").read_text(encoding="utf-8")).document
    name, domain = next((name, domain) for name, domain in old.domains.items() if len(domain.secrets) > 1)
    (key, was), (_, other) = list(domain.secrets.items())[:2]
    new = old.with_domain(replace(domain, secrets={**domain.secrets, key: replace(was, value=other.value)}))
    _, state = authorize(authorize(None, old)[1], new)
    assert ("secret-rolled-back", ("secret", name, key)) in {(f.code, f.where) for f in authorize(state, old)[0]}


def test_what_a_domain_of_another_branch_was_is_what_it_is_compared_with() -> None:
    """Without a word in the log it goes and returns, and with it what was signed and who was listed."""
    dev, state = world().dev, world().after(without_dev(world().file)).state
    secrets = {**dev.secrets, "api": replace(dev.secrets["api"], signed=None)}
    stripped = load(world().document.with_domain(replace(dev, secrets=secrets)))
    assert ("signature-stripped", ("secret", DEV, "api")) in violations(stripped.authorize(state)[0])
    unsigned = world().document.domains[OPEN]
    without_open = {name: domain for name, domain in world().document.domains.items() if name != OPEN}
    out = load(replace(world().document, domains=without_open))
    mallory = blind_grant(unsigned, world().who(MALLORY))
    listed = load(world().document.with_domain(replace(unsigned, owners={**unsigned.owners, M: mallory})))
    found, _ = listed.authorize(world().after(out).state)
    assert ("unsigned-owner-added", ("owner", OPEN, M)) in {(f.code, f.where) for f in found}
    seized_open = seized(out.document, world().who(MALLORY), follows={}, past={}, name=OPEN)
    found, _ = seized_open.authorize(world().after(out).state)
    assert ("first-epoch-forged", ("domain", OPEN)) in violations(found)


def test_an_unsigned_owner_of_another_branch_is_no_new_one() -> None:
    topic = saved(world().file.add_owner(OPEN, E, ALICE))
    seen = world().after(topic, world().file)
    found, _ = topic.authorize(seen.state)
    assert "unsigned-owner-added" not in {finding.code for finding in found}


@pytest.mark.parametrize("planted", ["9999-12-31T23:59:59Z", "2020-01-01T00:00:00Z"])
def test_a_truncation_that_nobody_made_hides_no_removal(planted: str) -> None:
    """Anybody may write into the log."""
    document = saved(world().file.set_policy(DEV, Policy(), ALICE).add_owner(DEV, E, ALICE)).document
    there = load(replace(document, log=document.log.append("file", f"{planted} -- truncated 1 audit log entries")))
    left = saved(there.rm_owner(DEV, E))
    grant = there.document.domains[DEV].owners[E]
    dev = left.document.domains[DEV]
    back = load(left.document.with_domain(replace(dev, owners={**dev.owners, E: grant})))
    state = world().after(there, left).state
    assert ("owner-returned", ("owner", DEV, E)) in violations(back.authorize(state)[0])


def test_a_third_branch_is_behind_too() -> None:
    """The removal was seen on main, then a branch from before the grant, then one from before the removal."""
    old = saved(world().file.set_policy(DEV, Policy(), ALICE))
    given = saved(old.add_owner(DEV, E, ALICE))
    topic = saved(given.add_secret(DEV, "topic", "value"))
    state = world().after(given, saved(given.rm_owner(DEV, E)), old).state
    assert violations(topic.authorize(state)[0]) == {("owner-behind", ("owner", DEV, E))}


def test_accepting_forgets_no_domain_of_another_branch() -> None:
    state = world().after(without_dev(world().file)).state.accepted()
    assert not violations(world().file.authorize(state)[0])


def test_accepting_ends_being_behind() -> None:
    """What is missing was given up: from now on a removal that is undone is called that."""
    given = saved(world().file.set_policy(DEV, Policy(), ALICE).add_owner(DEV, E, ALICE))
    topic = saved(given.add_secret(DEV, "topic", "value"))
    left = saved(given.rm_owner(DEV, E))
    grant = given.document.domains[DEV].owners[E]
    dev = left.document.domains[DEV]
    back = load(left.document.with_domain(replace(dev, owners={**dev.owners, E: grant})))
    state = world().after(given, topic, left).state
    assert ("owner-behind", ("owner", DEV, E)) in violations(back.authorize(state)[0])
    assert ("owner-returned", ("owner", DEV, E)) in violations(back.authorize(state.accepted())[0])


def given_and_taken() -> tuple[KeyFile, KeyFile, KeyFile]:
    """Erin with access, without, and with the grant of before put back."""
    given = saved(world().file.set_policy(DEV, Policy(), ALICE).add_owner(DEV, E, ALICE))
    left = saved(given.rm_owner(DEV, E))
    dev = left.document.domains[DEV]
    owners = {**dev.owners, E: given.document.domains[DEV].owners[E]}
    return given, left, load(left.document.with_domain(replace(dev, owners=owners)))


def test_a_removal_whose_entry_was_seen_before_it_is_one() -> None:
    """Somebody put the entry there first; or the user came from there, and went to an older branch in between."""
    given, left, back = given_and_taken()
    planted = load(replace(given.document, log=left.document.log))
    for seen in ((given, planted, left), (left, given, left)):
        state = world().state
        for file in seen:
            _, state = file.authorize(state)
        assert ("owner-returned", ("owner", DEV, E)) in violations(back.authorize(state)[0])


@pytest.mark.parametrize("signed", [False, True])
def test_an_owner_of_an_unsigned_domain_who_was_removed_after_all_is_a_new_one(signed: bool) -> None:
    topic = saved(world().file.add_owner(OPEN, E, ALICE))
    domain = topic.document.domains[OPEN]
    grant = domain.owners[E] if signed else replace(domain.owners[E], signed=None)
    topic = load(topic.document.with_domain(replace(domain, owners={**domain.owners, E: grant})))
    removed = saved(topic.rm_owner(OPEN, E))
    left = removed.document.domains[OPEN]
    again = load(removed.document.with_domain(replace(left, owners={**left.owners, E: grant})))
    found, _ = again.authorize(world().after(topic, world().file, topic, removed).state)
    assert ("unsigned-owner-added", ("owner", OPEN, E)) in {(f.code, f.where) for f in found if f.waits}


def test_two_branches_that_gave_the_same_owner_access() -> None:
    base = saved(world().file.set_policy(DEV, Policy(), ALICE))
    one, other = saved(base.add_owner(DEV, E, ALICE)), saved(base.add_owner(DEV, E, DAVE))
    state = world().after(base, one, other).state
    assert not violations(one.authorize(state)[0])


def test_what_was_accepted_is_not_said_to_have_returned() -> None:
    given, left, back = given_and_taken()
    _, state = back.authorize(world().after(given, left).state)
    _, state = world().file.authorize(state.accepted())
    assert ("owner-returned", ("owner", DEV, E)) not in violations(back.authorize(state)[0])


def test_a_domain_that_was_elsewhere_is_known_to_a_strict_reader() -> None:
    state = world().after(without_dev(world().file)).state
    world().file.check_use(DEV, require_signed=True, trust=state)


def test_a_domain_that_was_swapped_through_a_removal_waits() -> None:
    removed = saved(world().file.rm_domain(OPEN))
    swapped = saved(removed.add_domain(OPEN, M))
    found, _ = swapped.authorize(world().after(removed).state)
    assert ("domain-returned", ("domain", OPEN)) in {(f.code, f.where) for f in found if f.waits}
