"""What a domain keeps of its earlier epochs is believed only as far as a later statement names it."""

from __future__ import annotations

from dataclasses import replace

from samples import ALICE, DAVE, KeyFile
from trust.attacks import DEV, LATER, MALLORY, A, M, hash_of, load, saved, see, taken_out, violations, world

from pocket_protector.changes.signing import sign_domain, sign_grant
from pocket_protector.document.domain import wrap_for
from pocket_protector.document.epoch import DomainKey, PastEpoch, make_epoch
from pocket_protector.document.policy import Policy
from pocket_protector.trust.authority import owners_of


def with_a_maker_of_their_own() -> KeyFile:
    """Mallory files an epoch of theirs, for the real key, under the hash of the one that the present one follows, and
    lists themselves by a grant of theirs. All that the present maker signed is as it was."""
    file = saved(world().file.set_policy(DEV, Policy(max_age=9), ALICE))
    document = file.document
    dev, mallory = document.domains[DEV], world().who(MALLORY)
    assert dev.epoch is not None
    (identifier,) = dev.epoch.previous
    assert dev.past[identifier].public_key == dev.public_key
    made = make_epoch(mallory, DomainKey(document.file_id, DEV, dev.public_key), {}, Policy(), LATER)
    number = dev.past[identifier].epoch.number
    fake = PastEpoch(dev.public_key, replace(made, number=number), {})
    # The wrapped key opens nothing: who counts is asked of the signatures.
    grant = wrap_for(DEV, dev.key, mallory.exchange, M, mallory.public_key, LATER)
    grant = sign_grant(document, dev, M, grant, mallory)
    hostile = replace(dev, past={**dev.past, identifier: fake}, owners={**dev.owners, M: grant})
    assert hash_of(document, hostile) == hash_of(document, dev)
    return load(document.with_domain(hostile))


def test_a_maker_who_was_put_into_the_past_vouches_for_nobody() -> None:
    document = with_a_maker_of_their_own().document
    owners = owners_of(document, document.domains[DEV])
    assert not owners.counts(M)
    assert owners.counts(A)


def test_that_is_told_at_the_first_contact_and_no_rotation_wraps_for_them() -> None:
    hostile = with_a_maker_of_their_own()
    assert violations(hostile.authorize(None)[0])
    assert M not in hostile.rotate_domain_key(DEV, DAVE).get_domain_owner_names(DEV)


def test_a_grant_that_was_taken_out_proves_nothing_later() -> None:
    """Mallory was an owner, was taken out without a rotation, and makes an epoch with the grant of before."""
    given = saved(world().file.set_policy(DEV, Policy(), ALICE).add_owner(DEV, M, ALICE))
    left = taken_out(given, M)
    state = see(world().state, given, left, follows=True)
    before, dev = given.document, left.document.domains[DEV]
    made = sign_domain(before, dev, Policy(max_age=9), world().who(MALLORY), LATER, [before.domains[DEV]])
    assert violations(load(left.document.with_domain(made)).authorize(state, follows=True)[0])
    honest = saved(left.set_policy(DEV, Policy(max_age=9), ALICE))
    assert not violations(honest.authorize(state, follows=True)[0])


def test_a_rotation_that_takes_an_earlier_epoch_out() -> None:
    rotated = saved(world().file.rotate_domain_key(DEV, DAVE))
    assert not violations(rotated.authorize(world().state)[0])
    document = rotated.document
    dev = document.domains[DEV]
    assert dev.epoch is not None
    older = {identifier: past for identifier, past in dev.past.items() if identifier in dev.epoch.previous}
    assert len(older) < len(dev.past)
    assert violations(load(document.with_domain(replace(dev, past=older))).authorize(world().state)[0])
