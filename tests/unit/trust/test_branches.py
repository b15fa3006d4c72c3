"""Somebody who goes from branch to branch: a pin knows what it saw, and not what follows what."""

from __future__ import annotations

from dataclasses import replace

import pytest
from samples import ALICE, DAVE, VECTORS, KeyFile, parse
from trust.attacks import (
    DAVE2,
    DEV,
    ERIN,
    MALLORY,
    OPEN,
    PROD,
    D,
    E,
    M,
    blind_grant,
    fold,
    load,
    saved,
    see,
    seized,
    taken_out,
    violations,
    world,
)

from pocket_protector.document.document import without
from pocket_protector.document.policy import Policy
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.trust.findings import Finding, Severity
from pocket_protector.trust.judge.authorize import authorize


def without_domain(file: KeyFile, name: str = DEV) -> KeyFile:
    """As a branch has it that does not know of the domain."""
    return load(replace(file.document, domains=without(file.document.domains, name)))


def told(findings: list[Finding]) -> set[tuple[str, tuple[str, ...]]]:
    return {(finding.code, finding.where) for finding in findings if finding.severity > Severity.INFO}


CHANGES = {
    "rotated": lambda file: file.rotate_domain_key(DEV, DAVE),
    "policy": lambda file: file.set_policy(DEV, Policy(), ALICE),
    "removed": lambda file: saved(file.set_policy(DEV, Policy(), ALICE)).rm_owner(DEV, D, ALICE),
    "added": lambda file: file.add_owner(DEV, E, ALICE),
    "given again": lambda file: file.add_owner(DEV, D, ALICE),
    "rekeyed": lambda file: file.rekey_custodian(DAVE, DAVE2, raw_key=True),
    "signed": lambda file: file.update_secret(DEV, "api", "newer", creds=DAVE),
    "value": lambda file: file.update_secret(OPEN, "api", "newer"),
    "removed value": lambda file: file.rm_secret(DEV, "db"),
    "raised": lambda file: file.set_sensitivity(DEV, "api", Sensitivity.HIGH, creds=DAVE),
    "domain": lambda file: file.add_domain("new", D, creds=DAVE),
    "removed domain": lambda file: file.rm_domain(PROD),
    "custodian": lambda file: file.rm_key_custodian(E),
    "truncated": lambda file: file.truncate_audit_log(0),
}
OLDER = {
    "rotated": ("domain-behind", ("domain", DEV)),
    "policy": ("domain-behind", ("domain", DEV)),
    "removed": ("domain-behind", ("domain", DEV)),
    "rekeyed": ("custodian-behind", ("custodian", D)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_to_an_older_branch_and_back(change: str) -> None:
    """At most it is older, which is said of one object and of no other; and the newer branch is as it was."""
    newer = saved(CHANGES[change](world().file))
    state = world().after(newer).state
    for _ in range(3):
        found, older = world().file.authorize(state)
        assert violations(found) == ({OLDER[change]} if change in OLDER else set())
        assert all(finding.kind.is_older for finding in found if finding.is_violation)
        # A pin moves unless there is a violation, or something waits.
        state = state if any(f.is_violation or f.waits or f.kind.lowers for f in found) else older
        found, state = newer.authorize(state)
        assert told(found) <= {("log-entries-gone", ("file",)), ("log-truncated", ("file",))}


def test_a_state_that_was_given_up_can_be_accepted() -> None:
    """Somebody rotated, and threw that away: the file as it is counts from then on, and goes on."""
    for change in ("rotated", "rekeyed"):
        state = world().after(saved(CHANGES[change](world().file))).state
        found, older = world().file.authorize(state)
        assert violations(found)
        state = older.accepting_document()
        assert not violations(world().file.authorize(state)[0])
        again = saved(CHANGES[change](world().file))
        assert not violations(again.authorize(state)[0])
        hostile = seized(world().document, world().who(MALLORY))
        assert violations(hostile.authorize(state)[0])


def test_two_branches_that_rotated_are_a_fork_until_one_is_accepted() -> None:
    one, other = (saved(world().file.rotate_domain_key(DEV, creds)) for creds in (ALICE, DAVE))
    found, after = other.authorize(world().after(one).state)
    assert violations(found) == {("domain-forked", ("domain", DEV))}
    state = after.accepting_document()
    assert not violations(other.authorize(state)[0])
    assert violations(one.authorize(state)[0]) == {("domain-forked", ("domain", DEV))}


def test_a_domain_of_another_branch_may_be_there_again_and_go_on() -> None:
    state = world().after(without_domain(world().file)).state
    assert not violations(world().file.authorize(state)[0])
    newer = saved(world().file.set_policy(DEV, Policy(), ALICE).rotate_domain_key(DEV, DAVE))
    found, state = newer.authorize(state)
    assert not violations(found)
    assert violations(world().file.authorize(state)[0]) == {("domain-behind", ("domain", DEV))}


def test_what_was_newer_is_remembered_while_the_domain_is_on_another_branch() -> None:
    newer = saved(world().file.rotate_domain_key(DEV, DAVE))
    state = world().after(newer, without_domain(newer)).state
    assert violations(world().file.authorize(state)[0]) == {("domain-behind", ("domain", DEV))}


def test_only_a_history_knows_that_a_domain_was_removed_for_good() -> None:
    """It is there again as it was; with other statements a pin refuses it too."""
    gone = saved(world().file.rm_domain(DEV))
    assert not violations(world().file.authorize(world().after(gone).state)[0])
    assert ("domain-returned", ("domain", DEV)) in violations(fold([*world().versions, gone, world().file])[-1])
    other = saved(gone.add_domain(DEV, D, creds=DAVE))
    assert ("domain-returned", ("domain", DEV)) in violations(other.authorize(world().after(gone).state)[0])


def test_an_owner_who_did_something_else_on_the_other_branch() -> None:
    topic = saved(world().file.add_owner(DEV, E, ALICE))
    main = saved(world().file.set_key_custodian_passphrase(ERIN, "P" + "77" * 32 + "P", raw_key=True))
    state = world().after(topic, main).state
    assert not violations(topic.authorize(state)[0])


def test_values_of_another_branch_are_no_older_ones() -> None:
    topic = saved(world().file.update_secret(DEV, "db", "newer"))
    found, _ = topic.authorize(world().after(topic, world().file).state)
    assert "secret-rolled-back" not in {finding.code for finding in found}
    back, _ = world().file.authorize(world().after(topic).state)
    assert "secret-rolled-back" in {finding.code for finding in back}


@pytest.mark.parametrize("in_between", [False, True])
def test_an_older_value_is_known_whatever_stands_beside_it(in_between: bool) -> None:
    """The time can be changed by anybody, and the entry be out for a while."""
    old = world().document.domains[OPEN].secrets["api"]
    newer = saved(world().file.update_secret(OPEN, "api", "newer"))
    state = world().after(newer, *([saved(newer.rm_secret(OPEN, "api"))] if in_between else [])).state
    domain = newer.document.domains[OPEN]
    entry = replace(old, updated="2030-01-01T00:00:00Z")
    back = load(newer.document.with_domain(replace(domain, secrets={**domain.secrets, "api": entry})))
    assert ("secret-rolled-back", ("secret", OPEN, "api")) in told(back.authorize(state)[0])


def test_an_owner_lowers_a_sensitivity_on_a_branch_and_goes_back_and_forth() -> None:
    high = saved(world().file.set_sensitivity(DEV, "api", Sensitivity.HIGH, creds=ALICE))
    low = saved(high.set_sensitivity(DEV, "api", Sensitivity.LOW, creds=ALICE))
    found, _ = low.authorize(world().after(high, low, high).state)
    assert not told(found)
    # The entry of before it was raised is an older one.
    found, _ = world().file.authorize(world().after(high, low, high).state)
    assert ("sensitivity-rolled-back", ("secret", DEV, "api")) in told(found)


def test_a_value_that_was_removed_on_a_branch_keeps_the_sensitivity_that_was_seen() -> None:
    base = saved(world().file.add_secret(DEV, "loose", "value", sensitivity=Sensitivity.INJECT_ONLY))
    gone = saved(base.rm_secret(DEV, "loose"))
    dev, was = gone.document.domains[DEV], base.document.domains[DEV].secrets["loose"]
    lower = replace(dev, secrets={**dev.secrets, "loose": replace(was, sensitivity=Sensitivity.LOW)})
    found, _ = load(gone.document.with_domain(lower)).authorize(world().after(base, gone).state)
    assert ("sensitivity-lowered", ("secret", DEV, "loose")) in told(found)


def test_of_pocket_protectors_files_a_value_that_gave_way_is_older() -> None:
    old = parse((VECTORS / "upstream" / "v1-v2-mixed.yaml").read_text(encoding="utf-8")).document
    name, domain = next((name, domain) for name, domain in old.domains.items() if len(domain.secrets) > 1)
    (key, was), (_, other) = list(domain.secrets.items())[:2]
    new = old.with_domain(replace(domain, secrets={**domain.secrets, key: replace(was, value=other.value)}))
    _, state = authorize(authorize(None, old)[1], new)
    assert ("secret-rolled-back", ("secret", name, key)) in {(f.code, f.where) for f in authorize(state, old)[0]}


# Domains that nobody has signed


def test_an_unsigned_domain_of_another_branch_is_compared_with_what_was_seen() -> None:
    """Without a word in the log it goes and returns, with another key, another owner, or a first statement."""
    unsigned, state = world().document.domains[OPEN], world().after(without_domain(world().file, OPEN)).state
    assert not told(world().file.authorize(state)[0]) - {("log-entries-gone", ("file",))}
    mallory = blind_grant(unsigned, world().who(MALLORY))
    listed = load(world().document.with_domain(replace(unsigned, owners={**unsigned.owners, M: mallory})))
    assert ("unsigned-owner-added", ("owner", OPEN, M)) in told(listed.authorize(state)[0])
    made = seized(without_domain(world().file, OPEN).document, world().who(MALLORY), follows={}, past={}, name=OPEN)
    assert ("first-epoch-forged", ("domain", OPEN)) in violations(made.authorize(state)[0])
    honest = saved(world().file.set_policy(OPEN, Policy(max_age=9), ALICE))
    assert told(honest.authorize(state)[0]) == {("first-epoch", ("domain", OPEN))}
    rotated = load(world().document.with_domain(replace(unsigned, key=world().dev.key)))
    assert ("domain-returned", ("domain", OPEN)) in told(rotated.authorize(state)[0])


def test_a_key_that_gave_way_does_not_return_through_a_removal() -> None:
    """A former owner knows it."""
    rotated = saved(world().file.rotate_domain_key(OPEN, ALICE))
    domain = rotated.document.domains[OPEN]
    rotated = load(rotated.document.with_domain(replace(domain, epoch=None, past={})))
    state = world().after(rotated, without_domain(rotated, OPEN)).state
    found, _ = world().file.authorize(state)
    assert ("domain-returned", ("domain", OPEN)) in {(f.code, f.where) for f in found if f.waits}


def test_an_unsigned_owner_of_another_branch_is_no_new_one() -> None:
    topic = saved(world().file.add_owner(OPEN, E, ALICE))
    seen = world().after(topic, world().file)
    found, _ = topic.authorize(seen.state)
    assert "unsigned-owner-added" not in {finding.code for finding in found}


@pytest.mark.parametrize("signed", [False, True])
def test_only_a_history_knows_that_an_unsigned_owner_was_removed(signed: bool) -> None:
    """Without a rotation they know the key anyway; under a new key they are a new owner to a pin too."""
    topic = saved(world().file.add_owner(OPEN, E, ALICE))
    domain = topic.document.domains[OPEN]
    grant = domain.owners[E] if signed else replace(domain.owners[E], signed=None)
    topic = load(topic.document.with_domain(replace(domain, owners={**domain.owners, E: grant})))
    removed = saved(topic.rm_owner(OPEN, E))

    def again(file: KeyFile) -> KeyFile:
        left = file.document.domains[OPEN]
        return load(file.document.with_domain(replace(left, owners={**left.owners, E: grant})))

    where = ("unsigned-owner-added", ("owner", OPEN, E))
    assert where not in told(again(removed).authorize(world().after(topic, removed).state)[0])
    state = see(world().state, topic, removed, follows=True)
    assert where in told(again(removed).authorize(state, follows=True)[0])
    key = world().document.domains[PROD].key
    rotated = load(removed.document.with_domain(replace(removed.document.domains[OPEN], key=key, secrets={})))
    assert where in told(again(rotated).authorize(world().after(topic, rotated).state)[0])


def test_a_domain_that_was_swapped_through_a_removal_waits() -> None:
    removed = saved(world().file.rm_domain(OPEN))
    swapped = saved(removed.add_domain(OPEN, M))
    found, _ = swapped.authorize(world().after(removed).state)
    assert ("domain-returned", ("domain", OPEN)) in {(f.code, f.where) for f in found if f.waits}


# Owners


def test_two_branches_that_gave_the_same_owner_access() -> None:
    base = saved(world().file.set_policy(DEV, Policy(), ALICE))
    one, other = saved(base.add_owner(DEV, E, ALICE)), saved(base.add_owner(DEV, E, DAVE))
    state = world().after(base, one, other).state
    assert not violations(one.authorize(state)[0])


@pytest.mark.parametrize("planted", ["9999-12-31T23:59:59Z", "2020-01-01T00:00:00Z"])
def test_whatever_the_log_says_a_history_knows_a_removal_that_is_undone(planted: str) -> None:
    """Anybody may write into the log. Earlier versions removed owners without a rotation."""
    document = saved(world().file.set_policy(DEV, Policy(), ALICE).add_owner(DEV, E, ALICE)).document
    there = load(replace(document, log=document.log.append("file", f"{planted} -- truncated 1 audit log entries")))
    left = taken_out(there, E)
    grant = there.document.domains[DEV].owners[E]
    dev = left.document.domains[DEV]
    back = load(left.document.with_domain(replace(dev, owners={**dev.owners, E: grant})))
    state = see(world().state, there, left, follows=True)
    assert ("owner-returned", ("owner", DEV, E)) in violations(back.authorize(state, follows=True)[0])


def test_a_domain_that_was_elsewhere_is_known_to_a_strict_reader() -> None:
    state = world().after(without_domain(world().file)).state
    world().file.check_use(DEV, require_signed=True, trust=state)


def test_a_fork_from_an_epoch_that_was_never_seen_is_a_fork() -> None:
    """The pin began after the rotation of its own side; who counted before it does not know."""
    one = saved(world().file.rotate_domain_key(DEV, ALICE))
    other = saved(world().file.rotate_domain_key(DEV, DAVE))
    assert violations(other.authorize(see(None, one))[0]) == {("domain-forked", ("domain", DEV))}
    hostile = seized(world().document, world().who(MALLORY))
    assert violations(hostile.authorize(see(None, one))[0]) >= {("domain-replaced", ("domain", DEV))}


def test_an_entry_from_before_it_was_raised_is_known_though_it_was_out() -> None:
    """With the genuine signature of then."""
    raised = saved(world().file.set_sensitivity(DEV, "api", Sensitivity.INJECT_ONLY, creds=DAVE))
    out = saved(raised.rm_secret(DEV, "api"))
    dev = out.document.domains[DEV]
    entry = world().dev.secrets["api"]
    back = load(out.document.with_domain(replace(dev, secrets={**dev.secrets, "api": entry})))
    found, _ = back.authorize(world().after(raised, out).state)
    assert ("sensitivity-rolled-back", ("secret", DEV, "api")) in told(found)
