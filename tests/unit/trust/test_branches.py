"""Somebody who goes from branch to branch: what one does not have was not taken out on it."""

from __future__ import annotations

from dataclasses import replace

from samples import ALICE, VECTORS, KeyFile, parse
from trust.attacks import DEV, ERIN, E, load, saved, violations, world

from pocket_protector.model.policy import Policy
from pocket_protector.trust.authorize import authorize


def without_dev(file: KeyFile) -> KeyFile:
    """As a branch has it that does not know of the domain."""
    return load(replace(file._document, domains={k: d for k, d in file._document.domains.items() if k != DEV}))


def test_a_domain_of_another_branch_may_be_there_again_and_go_on() -> None:
    state = world().after(without_dev(world().file)).state
    assert not violations(world().file.authorize(state)[0])
    newer = saved(world().file.set_policy(DEV, Policy(), ALICE))
    found, _ = newer.authorize(state)
    assert not violations(found)
    (told,) = [f for f in found if f.code == "domain-returned"]
    assert "it demands nothing" in told.text


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
    old = parse((VECTORS / "upstream" / "v1-v2-mixed.yaml").read_text(encoding="utf-8"))._document
    name, domain = next((name, domain) for name, domain in old.domains.items() if len(domain.secrets) > 1)
    (key, was), (_, other) = list(domain.secrets.items())[:2]
    new = old.with_domain(replace(domain, secrets={**domain.secrets, key: replace(was, value=other.value)}))
    _, state = authorize(authorize(None, old)[1], new)
    assert ("secret-rolled-back", ("secret", name, key)) in {(f.code, f.where) for f in authorize(state, old)[0]}
