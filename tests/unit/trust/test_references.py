"""References and sensitivities where nobody meant harm, or where somebody should look: on other branches, in unsigned
domains, in production."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from samples import ALICE, BOB, DAVE, KeyFile, refused
from trust.attacks import DAVE2, DEV, LATER, OPEN, B, fold, load, saved, see, taken_out, violations, world
from trust.attacks_on_references import EVIL, OPEN_ENTRY, REF, REFERENCE, pointing

from pocket_protector.changes import signing
from pocket_protector.changes.merge import merge
from pocket_protector.document.domain import Secret
from pocket_protector.document.policy import Policy
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.document.statements import Signed
from pocket_protector.errors import PolicyError
from pocket_protector.trust.authority import EntryStatus
from pocket_protector.trust.findings import Finding, Severity
from pocket_protector.trust.policy_checks import judge_policy
from pocket_protector.trust.verdict import current_findings

Found = dict[tuple[str, tuple[str, ...]], Severity]


def told(findings: list[Finding]) -> Found:
    return {(finding.code, finding.where): finding.severity for finding in findings}


def merged(base: KeyFile, ours: KeyFile, theirs: KeyFile) -> KeyFile:
    return load(merge(base.document, ours.document, theirs.document))


def step(*files: KeyFile) -> Found:
    """What the step to the last file says to somebody who saw the honest history and then the others."""
    *seen, last = files
    return told(last.authorize(see(world().state, *seen, follows=True), follows=True)[0])


# Signed for an earlier key, on a branch that does not know of a rotation


def stale() -> tuple[KeyFile, KeyFile]:
    """Alice rotated, while Dave set the reference anew; and both."""
    base = pointing(world())
    rotated = saved(base.rotate_domain_key(DEV, ALICE))
    pointed = saved(base.update_secret(DEV, "ref", EVIL, creds=DAVE))
    return rotated, merged(base, rotated, pointed)


def test_a_reference_signed_for_an_earlier_key_is_stale_and_no_violation() -> None:
    rotated, both = stale()
    assert both.get_references(DEV) == {"ref": EVIL}
    assert both.authority(DEV).entries["ref"] is EntryStatus.STALE
    assert step(rotated, both)["secret-changed", REF] is Severity.INFO
    assert not violations(both.authorize(None)[0])


def test_a_rotation_keeps_a_reviewed_reference_reviewed_and_a_stale_one_not() -> None:
    base = pointing(world())
    again = saved(base.rotate_domain_key(DEV, ALICE))
    assert again.authority(DEV).entries["ref"] is EntryStatus.REVIEWED
    after = saved(stale()[1].rotate_domain_key(DEV, ALICE))
    assert after.get_references(DEV) == {"ref": EVIL}
    assert after.authority(DEV).entries["ref"] is EntryStatus.UNSIGNED


def test_where_signatures_are_demanded_it_needs_attention_until_one_reviews_it() -> None:
    base = saved(pointing(world()).sign_secrets(DEV, ["loose"], ALICE))
    base = saved(base.set_policy(DEV, Policy(require_signed=True), ALICE))
    rotated = saved(base.rotate_domain_key(DEV, ALICE))
    both = merged(base, rotated, saved(base.update_secret(DEV, "ref", EVIL, creds=DAVE)))
    assert step(rotated, both)["secret-unreviewed", REF] is Severity.ATTENTION
    with refused(PolicyError):
        both.decrypt_domain(DEV, DAVE, resolve=False)
    reviewed = saved(both.sign_secrets(DEV, ["ref"], ALICE))
    assert reviewed.decrypt_domain(DEV, DAVE, resolve=False)["ref"] == EVIL.text


def test_a_made_up_signature_for_an_earlier_key_is_a_violation() -> None:
    rotated, both = stale()
    dev = both.document.domains[DEV]
    secret = dev.secrets["ref"]
    assert secret.signed is not None
    forged = replace(secret, signed=Signed(secret.signed.by, bytes(63) + b"\1"))
    hostile = load(both.document.with_domain(replace(dev, secrets={**dev.secrets, "ref": forged})))
    assert step(rotated, hostile)["signature-invalid", REF] is Severity.VIOLATION


def test_many_references_that_were_signed_for_no_key_are_judged_fast() -> None:
    """Each would have to be compared with each key that the domain was seen to have."""
    mallory, files = world().who(BOB), [world().file]
    for _ in range(12):
        files.append(saved(files[-1].rotate_domain_key(DEV, ALICE)))
    state = see(world().state, *files)
    document = files[-1].document
    dev = document.domains[DEV]
    signed = signing.sign_secret(document, dev, "x", Secret(EVIL, LATER), mallory).signed
    secrets = {f"r{number}": Secret(EVIL, LATER, signed) for number in range(12_000)}
    hostile = load(document.with_domain(replace(dev, secrets=secrets)))
    start = time.process_time()
    found, _ = hostile.authorize(state)
    assert violations(found)
    assert time.process_time() - start < 8


# Sensitivities


def test_to_raise_one_needs_nobody_and_is_told() -> None:
    base = pointing(world())
    raised = saved(base.set_sensitivity(DEV, "loose", Sensitivity.INJECT_ONLY))
    assert step(base, raised) == {("secret-changed", OPEN_ENTRY): Severity.INFO}


@pytest.mark.parametrize("meanwhile", ["removed", "another value"])
@pytest.mark.parametrize("level", [Sensitivity.LOW, Sensitivity.MEDIUM, Sensitivity.HIGH])
def test_a_value_that_is_back_is_as_sensitive_as_it_was(meanwhile: str, level: Sensitivity) -> None:
    base = saved(world().file.add_secret(DEV, "loose", "value", sensitivity=Sensitivity.INJECT_ONLY))
    gone = saved(base.rm_secret(DEV, "loose") if meanwhile == "removed" else base.update_secret(DEV, "loose", "other"))
    was, dev = base.document.domains[DEV].secrets["loose"], gone.document.domains[DEV]

    def back(level: Sensitivity) -> KeyFile:
        entry = replace(was, sensitivity=level)
        return load(gone.document.with_domain(replace(dev, secrets={**dev.secrets, "loose": entry})))

    assert step(base, gone, back(level)) == {("sensitivity-lowered", OPEN_ENTRY): Severity.VIOLATION}
    assert step(base, gone, back(was.sensitivity)) == {("secret-rolled-back", OPEN_ENTRY): Severity.ATTENTION}


def test_an_owner_may_lower_one() -> None:
    base = pointing(world())
    lower = saved(base.set_sensitivity(DEV, "loose", Sensitivity.LOW, creds=DAVE))
    assert step(base, lower) == {("secret-changed", OPEN_ENTRY): Severity.INFO}
    assert lower.authority(DEV).entries["loose"] is EntryStatus.REVIEWED
    value = saved(base.update_secret(DEV, "loose", "newer", creds=ALICE, sensitivity=Sensitivity.LOW))
    assert step(base, value) == {("secret-changed", OPEN_ENTRY): Severity.INFO}


@pytest.mark.parametrize("behind", [False, True])
def test_in_an_unsigned_domain_it_needs_attention_wherever_one_comes_from(behind: bool) -> None:
    base = saved(world().file.add_secret(OPEN, "loose", "value", sensitivity=Sensitivity.HIGH))
    dev = base.document.domains[OPEN]
    lower = replace(dev.secrets["loose"], sensitivity=Sensitivity.LOW)
    hostile = load(base.document.with_domain(replace(dev, secrets={**dev.secrets, "loose": lower})))
    seen = [base, saved(base.add_secret(OPEN, "newer", "value"))] if behind else [base]
    found = told(hostile.authorize(world().after(*seen).state)[0])
    assert found["sensitivity-lowered", ("secret", OPEN, "loose")] is Severity.ATTENTION


def test_an_older_branch_where_it_is_not_raised_yet_is_behind() -> None:
    base = pointing(world())
    raised = saved(base.set_sensitivity(DEV, "loose", Sensitivity.INJECT_ONLY))
    found, _ = base.authorize(world().after(base, raised).state)
    assert violations(found) == {("secret-behind", OPEN_ENTRY)}


def test_lowered_by_an_owner_whom_another_branch_removed() -> None:
    base = saved(pointing(world()).set_policy(DEV, Policy(), ALICE).add_owner(DEV, B, ALICE))
    removed = taken_out(base, B)
    both = merged(base, removed, saved(base.set_sensitivity(DEV, "loose", Sensitivity.LOW, creds=BOB)))
    assert step(base, removed, both)["sensitivity-lowered", OPEN_ENTRY] is Severity.ATTENTION
    # Who never saw that he was an owner cannot know it.
    assert step(removed, both)["sensitivity-lowered", OPEN_ENTRY] is Severity.VIOLATION


def test_a_reference_lowered_by_an_owner_for_the_key_that_another_branch_rotated() -> None:
    base = saved(pointing(world()).update_secret(DEV, "loose", REFERENCE))
    rotated = saved(base.rotate_domain_key(DEV, ALICE))
    both = merged(base, rotated, saved(base.set_sensitivity(DEV, "loose", Sensitivity.LOW, creds=DAVE)))
    assert both.authority(DEV).entries["loose"] is EntryStatus.STALE
    assert step(rotated, both)["sensitivity-lowered", OPEN_ENTRY] is Severity.ATTENTION


def test_lowered_by_a_former_owner_where_signatures_are_demanded_is_refused() -> None:
    base = saved(pointing(world()).set_policy(DEV, Policy(), ALICE).add_owner(DEV, B, ALICE))
    base = saved(base.sign_secrets(DEV, ["loose"], ALICE).set_policy(DEV, Policy(require_signed=True), ALICE))
    removed = taken_out(base, B)
    theirs = base.update_secret(DEV, "loose", "newer", creds=BOB, sensitivity=Sensitivity.LOW)
    both = merged(base, removed, saved(theirs))
    assert step(base, removed, both)["secret-unreviewed", OPEN_ENTRY] is Severity.VIOLATION


# Production


def production(file: KeyFile) -> KeyFile:
    return saved(file.set_policy(DEV, Policy(production=True), ALICE))


def now_told(file: KeyFile) -> Found:
    return told(current_findings(see(None, *world().versions, file), None, datetime.now(UTC)))


def test_production_resolves_no_reference_that_no_owner_vouches_for() -> None:
    file = production(pointing(world()).add_secret(DEV, "new", EVIL))
    where = ("policy-production", ("domain", DEV))
    assert now_told(file) == {where: Severity.VIOLATION}
    assert file.get_withheld_references(DEV) == ["new"]
    with refused(PolicyError) as caught:
        file.resolve([(DEV, "new")])
    assert "no reference that no owner vouches for: new" in str(caught.value)
    with refused(PolicyError):
        file.decrypt_domain(DEV, ALICE)
    # Nothing is fetched for what is only looked at.
    assert file.decrypt_domain(DEV, ALICE, resolve=False)["new"] == EVIL.text
    reviewed = saved(file.sign_secrets(DEV, ["new"], DAVE))
    assert now_told(reviewed) == {}
    assert reviewed.get_withheld_references(DEV) == []


@pytest.mark.parametrize("policy", [Policy(), Policy(production=False)])
def test_other_domains_do(policy: Policy) -> None:
    file = saved(pointing(world()).add_secret(DEV, "new", EVIL).set_policy(DEV, policy, ALICE))
    assert now_told(file) == {}
    assert file.get_withheld_references(DEV) == []


def test_what_was_signed_for_an_earlier_key_or_by_who_left_is_withheld_too() -> None:
    base = production(pointing(world()).add_owner(DEV, B, ALICE).update_secret(DEV, "ref", EVIL, creds=BOB))
    assert base.get_withheld_references(DEV) == []
    assert taken_out(base, B).get_withheld_references(DEV) == ["ref"]
    file = production(pointing(world()))
    both = merged(
        file, saved(file.rotate_domain_key(DEV, ALICE)), saved(file.update_secret(DEV, "ref", EVIL, creds=DAVE))
    )
    assert both.get_withheld_references(DEV) == ["ref"]
    with refused(PolicyError):
        both.resolve([(DEV, "ref")])


def test_production_makes_every_entry_at_least_high() -> None:
    file = pointing(world()).set_sensitivity(DEV, "db", Sensitivity.LOW, creds=ALICE)
    file = file.set_sensitivity(DEV, "loose", Sensitivity.INJECT_ONLY)

    def levels(file: KeyFile) -> list[Sensitivity]:
        return [file.get_secret_sensitivity(DEV, name) for name in ("api", "db", "loose", "ref")]

    own = [Sensitivity.MEDIUM, Sensitivity.LOW, Sensitivity.INJECT_ONLY, Sensitivity.HIGH]
    assert levels(file) == own
    assert levels(production(file)) == [Sensitivity.HIGH, Sensitivity.HIGH, Sensitivity.INJECT_ONLY, Sensitivity.HIGH]
    assert levels(saved(production(file).set_policy(DEV, Policy(production=False), ALICE))) == own


@pytest.mark.parametrize("policy", [Policy(), Policy(production=False), Policy(require_signed=True)])
def test_a_domain_that_leaves_production_needs_attention(policy: Policy) -> None:
    file = production(world().file)
    found = step(file, saved(file.set_policy(DEV, policy, DAVE)))
    assert found["policy-weakened", ("domain", DEV)] is Severity.ATTENTION
    *_, last = fold([*world().versions, file, saved(file.set_policy(DEV, policy, DAVE))])
    assert not violations(last)


def test_how_old_a_reference_is_does_not_matter() -> None:
    """The age of what it leads to is not in the file."""
    file = saved(pointing(world()).set_policy(DEV, Policy(max_age=1), ALICE))
    domain, later = file.document.domains[DEV], datetime.now(UTC) + timedelta(days=9)
    (finding,) = judge_policy(domain, file.authority(DEV), later)
    assert finding.text == "values that are older than 1 days: api, db, loose"


# What stays after a change


def test_a_value_under_an_earlier_key_is_reviewed_for_the_present_one() -> None:
    base = world().file
    rotated = saved(base.rotate_domain_key(DEV, ALICE))
    both = merged(base, rotated, saved(base.add_secret(DEV, "late", "value", creds=DAVE)))
    assert both.authority(DEV).entries["late"] is EntryStatus.STALE
    for reviewed in (
        saved(both.sign_secrets(DEV, ["late"], ALICE)),
        saved(both.set_sensitivity(DEV, "late", Sensitivity.HIGH, creds=ALICE)),
    ):
        assert reviewed.authority(DEV).entries["late"] is EntryStatus.REVIEWED
        assert not violations(reviewed.authorize(world().after(rotated, both).state)[0])


def test_lowered_by_an_owner_and_then_set_by_somebody_else() -> None:
    """Who looks only now sees no signature; who looked in between sees nothing of it."""
    base = pointing(world())
    lower = saved(base.set_sensitivity(DEV, "loose", Sensitivity.LOW, creds=DAVE))
    newer = saved(lower.update_secret(DEV, "loose", "newer"))
    assert step(base, newer) == {("sensitivity-lowered", OPEN_ENTRY): Severity.ATTENTION}
    assert step(base, lower, newer) == {("secret-changed", OPEN_ENTRY): Severity.INFO}


def test_a_signature_that_a_rotation_left_out_is_not_stripped() -> None:
    """Dave signed with keys that he changed since; the grant that he was given for the new ones ends what those vouched
    for, and a rotation signs no reference that nobody vouches for."""
    base = pointing(world())
    rekeyed = saved(base.rekey_custodian(DAVE, DAVE2, raw_key=True))
    after = saved(rekeyed.set_policy(DEV, Policy(), ALICE).add_owner(DEV, DAVE.name, ALICE))
    rotated = saved(after.rotate_domain_key(DEV, ALICE))
    assert rotated.authority(DEV).entries["ref"] is EntryStatus.UNSIGNED
    assert not violations(rotated.authorize(world().after(base).state)[0])
    assert not violations(rotated.authorize(world().after(base, rekeyed, after).state, follows=True)[0])
