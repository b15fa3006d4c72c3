"""Attacks on a domain's policy, and on the earlier epochs that it keeps."""

from __future__ import annotations

from dataclasses import replace

from samples import ALICE, KeyFile
from trust.attacks import (
    DEV,
    MALLORY,
    A,
    Attack,
    World,
    epoch_on,
    hash_of,
    listed_in,
    load,
    posing,
)

from pocket_protector.changes import signing
from pocket_protector.document.epoch import PastEpoch
from pocket_protector.document.policy import Policy

ATTACKS: list[Attack] = []


def weakened(world: World) -> KeyFile:
    return world.file.set_policy(DEV, Policy(), ALICE)


attack = listed_in(ATTACKS, control=weakened)


@attack("domain-replaced")
def policy_edited(world: World) -> KeyFile:
    return world.with_dev(epoch=replace(world.dev.epoch, policy=Policy()))  # type: ignore[type-var]


@attack("domain-replaced")
def policy_by_the_attacker(world: World) -> KeyFile:
    document, dev, mallory = world.document, world.dev, world.who(MALLORY)
    earlier = PastEpoch(dev.public_key, dev.epoch, {})
    past = {**dev.past, hash_of(document, dev): earlier}
    return world.with_dev(epoch=epoch_on(document, dev, mallory, dev.public_key), past=past)


@attack("domain-replaced")
def policy_signed_as_an_owner(world: World) -> KeyFile:
    document, dev, alice = world.document, world.dev, posing(world.who(MALLORY), A)
    past = {
        **dev.past,
        hash_of(document, dev): PastEpoch(dev.public_key, dev.epoch, signing.vouching(document, dev, A)),
    }
    return world.with_dev(epoch=epoch_on(document, dev, alice, dev.public_key), past=past)


@attack("domain-behind", anchored=False)
def older_policy_replayed(world: World) -> KeyFile:
    """An honest older epoch: only the state knows of the newer one."""
    older = world.versions[-3].document.domains[DEV]
    return world.with_dev(epoch=older.epoch, past=older.past)


@attack("domain-behind", anchored=False)
def older_meta_replayed(world: World) -> KeyFile:
    """All of it, the values too: only the state knows of the newer ones."""
    return load(world.document.with_domain(world.versions[-4].document.domains[DEV]))


@attack("domain-replaced")
def older_meta_replayed_under_the_newer_number(world: World) -> KeyFile:
    older = world.versions[-3].document.domains[DEV]
    return world.with_dev(epoch=replace(older.epoch, number=world.dev.epoch.number), past=older.past)  # type: ignore


@attack(None)
def policy_of_an_earlier_epoch_edited(world: World) -> KeyFile:
    dev = world.dev
    first = next(key for key, past in dev.past.items() if past.epoch.number == 1)
    edited = replace(dev.past[first], epoch=replace(dev.past[first].epoch, policy=Policy(True)))
    return world.with_dev(past={**dev.past, first: edited})


@attack(None)
def earlier_epoch_taken_out(world: World) -> KeyFile:
    return world.with_dev(past={key: past for key, past in world.dev.past.items() if past.epoch.number != 1})


@attack(None)
def grants_of_an_earlier_epoch_taken_out(world: World) -> KeyFile:
    return world.with_dev(past={key: replace(past, grants={}) for key, past in world.dev.past.items()})
