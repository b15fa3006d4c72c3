"""Attacks on the list of owners."""

from __future__ import annotations

from dataclasses import replace

from samples import ALICE, BOB, DAVE, KeyFile
from trust.attacks import (
    DEV,
    ERIN,
    LATER,
    MALLORY,
    PROD,
    A,
    Attack,
    B,
    D,
    E,
    M,
    World,
    blind_grant,
    custodian_taken_out,
    listed_in,
    load,
    posing,
    saved,
    taken_out,
)

from pocket_protector.changes import signing
from pocket_protector.crypto.identity import Identity
from pocket_protector.crypto.keys import PrivateKey
from pocket_protector.document.document import Document, without
from pocket_protector.document.domain import Domain, Grant
from pocket_protector.document.policy import Policy

ATTACKS: list[Attack] = []
MALLORYS = ("owner", DEV, M)
DAVES = ("owner", DEV, D)


def added(world: World) -> KeyFile:
    return world.file.add_owner(DEV, E, DAVE)


def given_again(world: World) -> KeyFile:
    """Taken out by a rotation and given anew, in one step."""
    return saved(world.file.set_policy(DEV, Policy(), ALICE).rm_owner(DEV, D, ALICE)).add_owner(DEV, D, ALICE)


attack = listed_in(ATTACKS, control=added)


def _grant(document: Document, to: Identity, by: Identity | None) -> Grant:
    """To somebody who cannot open it, signed by anybody."""
    dev = document.domains[DEV]
    grant = blind_grant(dev, to)
    return grant if by is None else signing.sign_grant(document, dev, to.name, grant, by)


def _listed(world: World, by: Identity | None) -> KeyFile:
    mallory = world.who(MALLORY)
    return world.with_owner(M, _grant(world.document, mallory, by))


@attack("owner-injected", MALLORYS)
def nobody_signed_the_grant(world: World) -> KeyFile:
    return _listed(world, None)


@attack("owner-injected", MALLORYS)
def attacker_signed_their_own_grant(world: World) -> KeyFile:
    return _listed(world, world.who(MALLORY))


@attack("owner-injected", MALLORYS)
def attacker_signed_as_an_owner(world: World) -> KeyFile:
    return _listed(world, posing(world.who(MALLORY), A))


@attack("owner-injected", MALLORYS)
def signed_by_a_custodian_who_is_no_owner(world: World) -> KeyFile:
    return _listed(world, world.who(ERIN))


@attack(
    "owner-injected",
    MALLORYS,
)
def signed_by_a_removed_owner_for_the_present_key(world: World) -> KeyFile:
    return _listed(world, world.who(BOB))


@attack("owner-injected", MALLORYS)
def two_attackers_vouch_for_each_other(world: World) -> KeyFile:
    erin, mallory = world.who(ERIN), world.who(MALLORY)
    owners = {M: _grant(world.document, mallory, erin), E: _grant(world.document, erin, mallory)}
    return world.with_dev(owners={**world.dev.owners, **owners})


@attack("owner-injected", MALLORYS)
def somebody_injected_is_used_to_add_another_and_taken_out(world: World) -> KeyFile:
    """In one squashed step: only the second is left."""
    between = _listed(world, None)
    erin = world.who(ERIN)
    grant = _grant(between.document, world.who(MALLORY), erin)
    return load(between.document.with_domain(replace(world.dev, owners={**world.dev.owners, M: grant})))


@attack("owner-injected", MALLORYS)
def injected_under_an_honest_rotation(world: World) -> KeyFile:
    """In the same squashed step."""
    rotated = saved(world.file.rotate_domain_key(DEV, DAVE)).document
    dev = rotated.domains[DEV]
    grant = _grant(rotated, world.who(MALLORY), world.who(MALLORY))
    return load(rotated.with_domain(replace(dev, owners={**dev.owners, M: grant})))


# Copies


@attack("owner-injected", MALLORYS)
def grant_of_another_custodian(world: World) -> KeyFile:
    return world.with_owner(M, world.dev.owners[D])


@attack("owner-injected", DAVES)
def grant_of_another_domain(world: World) -> KeyFile:
    return world.with_owner(D, world.document.domains[PROD].owners[D])


@attack("owner-injected", MALLORYS)
def grant_of_another_file(world: World) -> KeyFile:
    """In which Alice did give Mallory access to a dev."""
    other = load(replace(KeyFile.create("other.yaml").document, custodians=world.document.custodians))
    other = saved(other.add_domain(DEV, A, creds=ALICE).add_owner(DEV, M, ALICE))
    return world.with_owner(M, other.document.domains[DEV].owners[M])


@attack("owner-injected", DAVES)
def time_of_a_grant_changed(world: World) -> KeyFile:
    return world.with_owner(D, replace(world.dev.owners[D], granted=LATER))


@attack("owner-injected", DAVES)
def granter_renamed(world: World) -> KeyFile:
    grant = world.dev.owners[D]
    by = replace(grant.signed.by, name=B)  # type: ignore[union-attr]
    return world.with_owner(D, replace(grant, signed=replace(grant.signed, by=by)))  # type: ignore[type-var]


@attack("owner-stripped", DAVES)
def signature_of_a_grant_stripped(world: World) -> KeyFile:
    return world.with_owner(D, replace(world.dev.owners[D], signed=None))


# Removals undone

attack = listed_in(ATTACKS, control=given_again, anchored=False, pinned=False)


def _relaxed(world: World) -> KeyFile:
    return saved(world.file.set_policy(DEV, Policy(), ALICE))


def _back(file: KeyFile, before: KeyFile, *names: str) -> KeyFile:
    """The grants as they were, by hand."""
    dev, old = file.document.domains[DEV], before.document.domains[DEV]
    owners = {**dev.owners, **{name: old.owners[name] for name in names}}
    custodians = {**before.document.custodians, **file.document.custodians}
    return load(replace(file.document.with_domain(replace(dev, owners=owners)), custodians=custodians))


@attack("owner-returned", DAVES, guarded=False)
def grant_put_back(world: World) -> list[KeyFile]:
    relaxed = _relaxed(world)
    removed = taken_out(relaxed, D)
    return [relaxed, removed, _back(removed, relaxed, D)]


@attack("owner-returned", DAVES, guarded=False)
def custodian_and_grant_put_back(world: World) -> list[KeyFile]:
    relaxed = _relaxed(world)
    removed = custodian_taken_out(relaxed, D)
    return [relaxed, removed, _back(removed, relaxed, D)]


@attack(
    "owner-returned",
    DAVES,
    guarded=False,
)
def custodian_put_back_after_block_and_grant_went_one_by_one(world: World) -> list[KeyFile]:
    relaxed = _relaxed(world)
    blockless = load(replace(relaxed.document, custodians=without(relaxed.document.custodians, D)))
    removed = taken_out(blockless, D)
    return [relaxed, blockless, removed, _back(removed, relaxed, D)]


@attack("owner-returned", DAVES)
def older_grant_put_back_after_a_newer_one(world: World) -> list[KeyFile]:
    again = saved(world.file.add_owner(DEV, D, ALICE))
    return [again, _back(again, world.file, D)]


@attack("owner-returned", DAVES, guarded=False)
def grant_put_back_under_a_new_policy(world: World) -> list[KeyFile]:
    relaxed = _relaxed(world)
    removed = taken_out(relaxed, D)
    changed = saved(removed.set_policy(DEV, Policy(max_age=30), ALICE))
    return [relaxed, removed, changed, _back(changed, relaxed, D)]


def _given_by_leaver(file: KeyFile, leaver: Identity, to: Identity, reader: Identity) -> KeyFile:
    """A new grant; the leaver knows the domain's private key, which is taken here as `reader` has it."""
    from pocket_protector.document.domain import open_key, wrap_for

    dev = file.document.domains[DEV]
    private: PrivateKey = open_key(dev, reader)
    grant = wrap_for(DEV, dev.key, private, to.name, to.public_key, LATER)
    signed = signing.sign_grant(file.document, dev, to.name, grant, leaver)
    changed: Domain = replace(dev, owners={**dev.owners, to.name: signed})
    return load(file.document.with_domain(changed))
