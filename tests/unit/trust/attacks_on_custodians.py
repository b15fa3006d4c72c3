"""Attacks on the keys of custodians."""

from __future__ import annotations

from dataclasses import replace

from samples import ALICE, BOB, DAVE, KeyFile
from trust.attacks import (
    DAVE2,
    DAVE3,
    DEV,
    ERIN,
    LATER,
    MALLORY,
    A,
    Attack,
    D,
    E,
    World,
    blind_grant,
    custodian_of,
    custodian_taken_out,
    keys_of,
    listed_in,
    load,
    posing,
    saved,
)

from pocket_protector.crypto.identity import Identity
from pocket_protector.crypto.legacy_keys import PasswordDerivedKey
from pocket_protector.document.custodian import Custodian, KeyChange, LegacyCustodian
from pocket_protector.document.document import without
from pocket_protector.document.policy import Policy
from pocket_protector.document.statements import CHANGE, change_fields

ATTACKS: list[Attack] = []
DAVES, ERINS = ("custodian", D), ("custodian", E)


def rekeyed(world: World) -> KeyFile:
    return world.file.rekey_custodian(DAVE, DAVE2, raw_key=True)


def rekeyed_twice(world: World) -> KeyFile:
    return rekeyed(world).rekey_custodian(DAVE2, DAVE3, raw_key=True)


attack = listed_in(ATTACKS, control=rekeyed)


def _as(world: World, name: str, **fields: object) -> Custodian:
    """Mallory's keys under a name."""
    return custodian_of(posing(world.who(MALLORY), name), **fields)


@attack("custodian-replaced", DAVES)
def keys_of_an_owner_replaced(world: World) -> KeyFile:
    """Before a rotation."""
    return world.with_custodian(_as(world, D))


@attack("custodian-replaced", DAVES)
def keys_of_an_owner_replaced_and_the_grant_sealed_to_them(world: World) -> KeyFile:
    replaced = world.with_custodian(_as(world, D)).document
    dev = replaced.domains[DEV]
    wrapped = blind_grant(dev, posing(world.who(MALLORY), D)).wrapped_key
    owners = {**dev.owners, D: replace(dev.owners[D], wrapped_key=wrapped)}
    return load(replaced.with_domain(replace(dev, owners=owners)))


@attack("custodian-replaced", ("custodian", A))
def keys_of_the_maker_replaced(world: World) -> KeyFile:
    return world.with_custodian(_as(world, A))


@attack("custodian-replaced", ERINS, custodians=(E,), used=False, guarded=False)
def keys_of_a_future_owner_replaced(world: World) -> KeyFile:
    """Before they are added, or an owner migrates to them."""
    return world.with_custodian(_as(world, E))


@attack("custodian-behind", DAVES, anchored=False)
def keys_that_were_given_up_are_back(world: World) -> list[KeyFile]:
    """With a new wrapping, which whoever has the old passphrase opens."""
    return [saved(rekeyed(world)), _with(rekeyed(world), world.document.custodians[D])]


@attack("custodian-replaced", DAVES, anchored=False, guarded=False)
def keys_that_were_given_up_sign_others(world: World) -> list[KeyFile]:
    """Until a rotation the grant names them; only a state tells which change was the real one."""
    now = saved(rekeyed(world))
    mallory = posing(world.who(MALLORY), D)
    old = world.who(DAVE)
    custodian = _as(world, D, changes=(_change(world, old, mallory, old),))
    return [now, _with(now, custodian)]


@attack("custodian-replaced", DAVES)
def keys_that_cannot_sign(world: World) -> KeyFile:
    return world.with_custodian(
        LegacyCustodian(D, PasswordDerivedKey.parse(b"\2" + bytes(8) + world.who(DAVE).public_key))
    )


@attack("custodian-replaced", DAVES)
def keys_of_pocket_protectors_kind(world: World) -> KeyFile:
    public = world.who(MALLORY).public_key
    return world.with_custodian(LegacyCustodian(D, PasswordDerivedKey.parse(b"\2" + bytes(8) + public)))


def _with(file: KeyFile, custodian: object) -> KeyFile:
    return load(saved(file).document.with_custodian(custodian))  # type: ignore[arg-type]


# Changes


def _change(world: World, old: Identity, new: Identity, signer: Identity, file_id: bytes = b"") -> KeyChange:
    """That the name's keys were `old` and are `new`, by `signer` in the place of the old."""
    assert signer.signing is not None
    assert new.signing is not None
    fields = change_fields(file_id or world.document.file_id, new.name, keys_of(old), keys_of(new), LATER)
    return KeyChange(keys_of(old), LATER, signer.signing.sign(CHANGE, *fields), new.signing.sign(CHANGE, *fields))


@attack("custodian-replaced", DAVES)
def change_signed_by_the_new_keys_only(world: World) -> KeyFile:
    mallory = posing(world.who(MALLORY), D)
    return world.with_custodian(_as(world, D, changes=(_change(world, world.who(DAVE), mallory, mallory),)))


@attack("custodian-replaced", DAVES)
def change_signed_by_another_custodian(world: World) -> KeyFile:
    mallory = posing(world.who(MALLORY), D)
    return world.with_custodian(_as(world, D, changes=(_change(world, world.who(DAVE), mallory, world.who(BOB)),)))


@attack("custodian-replaced", DAVES)
def change_from_other_keys(world: World) -> KeyFile:
    """Erin's keys did become Mallory's, but these were not Dave's."""
    mallory, erin = posing(world.who(MALLORY), D), world.who(ERIN)
    return world.with_custodian(_as(world, D, changes=(_change(world, erin, mallory, erin),)))


@attack("custodian-replaced", DAVES)
def change_of_another_file(world: World) -> KeyFile:
    """In which Dave has given his keys over, to whom he should not have."""
    dave, mallory = world.who(DAVE), posing(world.who(MALLORY), D)
    return world.with_custodian(_as(world, D, changes=(_change(world, dave, mallory, dave, bytes(16)),)))


@attack("custodian-replaced", DAVES)
def change_of_another_name(world: World) -> KeyFile:
    dave, mallory = world.who(DAVE), world.who(MALLORY)
    change = _change(world, dave, mallory, dave)
    return world.with_custodian(_as(world, D, changes=(change,)))


@attack("custodian-replaced", DAVES)
def change_with_the_signatures_swapped(world: World) -> KeyFile:
    mallory = posing(world.who(MALLORY), D)
    change = _change(world, world.who(DAVE), mallory, mallory)
    swapped = replace(change, by_old=change.by_new, by_new=change.by_old)
    return world.with_custodian(_as(world, D, changes=(swapped,)))


attack = listed_in(ATTACKS, control=rekeyed_twice)


@attack("custodian-replaced", DAVES)
def chain_that_goes_on_to_others(world: World) -> KeyFile:
    """Dave's real change to his second keys; then a gap, and Mallory's."""
    changes = _real(world)
    return world.with_custodian(_as(world, D, changes=changes))


@attack("custodian-replaced", DAVES)
def chain_with_a_change_left_out(world: World) -> KeyFile:
    custodian = saved(rekeyed_twice(world)).document.custodians[D]
    return world.with_custodian(replace(custodian, changes=_real(world)[:1]))  # type: ignore[type-var]


@attack("custodian-replaced", DAVES)
def chain_in_the_wrong_order(world: World) -> KeyFile:
    custodian = saved(rekeyed_twice(world)).document.custodians[D]
    return world.with_custodian(replace(custodian, changes=custodian.changes[::-1]))  # type: ignore


@attack("owner-injected", ("owner", DEV, D))
def chain_taken_out(world: World) -> list[KeyFile]:
    """The keys stay; nothing tells any more that the grant is theirs."""
    now = saved(rekeyed(world))
    return [now, _with(now, replace(now.document.custodians[D], changes=()))]  # type: ignore[type-var]


def _real(world: World) -> tuple[KeyChange, ...]:
    return saved(rekeyed_twice(world)).document.custodians[D].changes  # type: ignore[union-attr]


# Names that come back

attack = listed_in(ATTACKS, control=rekeyed)


@attack("custodian-replaced", DAVES)
def name_made_anew_after_it_went(world: World) -> list[KeyFile]:
    relaxed = saved(world.file.set_policy(DEV, Policy(), ALICE))
    removed = custodian_taken_out(relaxed, D)
    document = removed.add_raw_key_custodian(DAVE2).document
    return [relaxed, removed, _listed_again(load(document), relaxed)]


@attack("custodian-replaced", DAVES, anchored=False)
def name_made_anew_with_keys_it_had_given_up(world: World) -> list[KeyFile]:
    now = saved(rekeyed(world))
    gone = load(replace(now.document, custodians=without(now.document.custodians, D)))
    return [now, gone, _with(gone, world.document.custodians[D])]


def _listed_again(file: KeyFile, before: KeyFile) -> KeyFile:
    dev = file.document.domains[DEV]
    owners = {**dev.owners, D: before.document.domains[DEV].owners[D]}
    return load(file.document.with_domain(replace(dev, owners=owners)))
