"""Attacks on a domain's key and line of epochs."""

from __future__ import annotations

from dataclasses import replace

from samples import ALICE, BOB, DAVE, KeyFile
from trust.attacks import (
    ALICE2,
    BOUND,
    DEV,
    LATER,
    MALLORY,
    PROD,
    A,
    Attack,
    B,
    D,
    M,
    World,
    blind_grant,
    hash_of,
    keys_of,
    listed_in,
    load,
    past_grant,
    posing,
    rotated_out,
    saved,
    seized,
    taken_out,
)

from pocket_protector.changes import signing
from pocket_protector.crypto.keys import PrivateKey
from pocket_protector.document.domain import Secret, seal_value
from pocket_protector.document.epoch import DomainKey, PastEpoch, PastGrant, make_epoch
from pocket_protector.document.policy import Policy
from pocket_protector.document.statements import GRANT, grant_fields, sign

ATTACKS: list[Attack] = []


def rotated(world: World) -> KeyFile:
    return world.file.rotate_domain_key(DEV, DAVE)


attack = listed_in(ATTACKS, control=rotated)

# The public key


@attack("domain-replaced")
def public_key_replaced(world: World) -> KeyFile:
    return world.with_dev(key=BOUND + PrivateKey.generate().public)


@attack("domain-replaced")
def public_key_replaced_and_values_sealed_to_it(world: World) -> KeyFile:
    domain = replace(world.dev, key=BOUND + PrivateKey.generate().public, retired={})
    secrets = {name: Secret(seal_value(domain, name, "evil"), LATER) for name in domain.secrets}
    return load(world.document.with_domain(replace(domain, secrets=secrets)))


@attack("domain-replaced", guarded=False)
def public_key_replaced_and_wrapped_for_the_owners(world: World) -> KeyFile:
    return seized(world.document, posing(world.who(MALLORY), A), guests=[world.who(DAVE)])


@attack("domain-replaced", guarded=False)
def epoch_by_the_attacker_on_top(world: World) -> KeyFile:
    return seized(world.document, world.who(MALLORY), guests=[world.who(ALICE), world.who(DAVE)])


@attack("domain-replaced", guarded=False)
def grants_of_the_earlier_epoch_are_the_attackers_own(world: World) -> KeyFile:
    mallory, document, dev = world.who(MALLORY), world.document, world.dev
    grants = {mallory.name: past_grant(document, DEV, dev.public_key, mallory, mallory)}
    past = {**dev.past, hash_of(document, dev): PastEpoch(dev.public_key, dev.epoch, grants)}
    return seized(document, mallory, past=past, guests=[world.who(ALICE)])


@attack(
    "domain-replaced",
    guarded=False,
)
def the_attackers_epoch_filed_under_the_real_hash(world: World) -> KeyFile:
    mallory, document, dev = world.who(MALLORY), world.document, world.dev
    own = make_epoch(mallory, DomainKey(document.file_id, DEV, mallory.public_key), {}, Policy(), LATER)
    grants = {mallory.name: past_grant(document, DEV, mallory.public_key, mallory, mallory)}
    past = {**dev.past, hash_of(document, dev): PastEpoch(mallory.public_key, own, grants)}
    return seized(document, mallory, past=past, guests=[world.who(ALICE)])


@attack("domain-replaced", guarded=False)
def own_domain_of_the_name(world: World) -> KeyFile:
    return seized(world.document, world.who(MALLORY), follows={}, past={}, guests=[world.who(ALICE)])


@attack("domain-replaced", guarded=False)
def own_domain_with_a_high_number(world: World) -> KeyFile:
    return seized(world.document, world.who(MALLORY), number=1000, guests=[world.who(ALICE)])


@attack("domain-replaced", guarded=False)
def previous_leads_in_a_circle(world: World) -> KeyFile:
    mallory, document = world.who(MALLORY), world.document
    one, two = bytes(31) + b"\1", bytes(31) + b"\2"
    past = {}
    for mine, other in ((one, two), (two, one)):
        epoch = make_epoch(mallory, DomainKey(document.file_id, DEV, mallory.public_key), {other: 5}, Policy(), LATER)
        grants = {mallory.name: past_grant(document, DEV, mallory.public_key, mallory, mallory)}
        past[mine] = PastEpoch(mallory.public_key, epoch, grants)
    return seized(document, mallory, follows={one: 5, two: 5}, past={**world.dev.past, **past})


@attack("domain-replaced", guarded=False)
def a_line_of_the_attackers_own_ends_at_the_real_epoch(world: World) -> KeyFile:
    """Five epochs, of which only the first would have to be allowed."""
    mallory, document, dev = world.who(MALLORY), world.document, world.dev
    past, follows = dict(dev.past), {hash_of(document, dev): 3}
    grants = {mallory.name: past_grant(document, DEV, mallory.public_key, mallory, mallory)}
    for _ in range(5):
        epoch = make_epoch(mallory, DomainKey(document.file_id, DEV, mallory.public_key), follows, Policy(), LATER)
        identifier = epoch.hash(document.file_id, DEV, mallory.public_key)
        past[identifier] = PastEpoch(mallory.public_key, epoch, grants)
        follows = {identifier: epoch.number}
    return seized(document, mallory, follows=follows, past=past, guests=[world.who(ALICE)])


@attack(
    "domain-replaced",
)
def number_that_does_not_follow(world: World) -> KeyFile:
    """By an owner: the next number would have more digits than a number may have."""
    document, dev, dave = world.document, world.dev, world.who(DAVE)
    follows = {hash_of(document, dev): 10**18 - 2}
    epoch = make_epoch(dave, DomainKey(document.file_id, DEV, dev.public_key), follows, dev.policy, LATER)
    earlier = PastEpoch(dev.public_key, dev.epoch, signing.vouching(document, dev, dave.name))
    return world.with_dev(epoch=epoch, past={**dev.past, hash_of(document, dev): earlier})


# Those who were owners


@attack("domain-forked", guarded=False, anchored=False)
def removed_owner_forks_before_their_removal(world: World) -> KeyFile:
    """Whoever knows only Alice cannot see it: she did make Bob an owner, and his key and values are his to make."""
    before = world.with_bob.document
    dev, bob = before.domains[DEV], world.who(BOB)
    earlier = PastEpoch(dev.public_key, dev.epoch, signing.vouching(before, dev, B))
    follows = {hash_of(before, dev): 1}
    past = {**dev.past, hash_of(before, dev): earlier}
    return seized(world.document, bob, follows=follows, past=past, guests=[world.who(ALICE)])


@attack("domain-replaced", guarded=False)
def removed_owner_joins_their_fork_to_the_real_epoch(world: World) -> KeyFile:
    before, document, dev = world.with_bob.document, world.document, world.dev
    old, bob = before.domains[DEV], world.who(BOB)
    earlier = PastEpoch(old.public_key, old.epoch, signing.vouching(before, old, B))
    past = {**dev.past, hash_of(before, old): earlier}
    return seized(document, bob, follows={hash_of(before, old): 1, hash_of(document, dev): 3}, past=past)


@attack("owner-injected", ("owner", DEV, D), guarded=False)
def maker_who_rotates_themselves_out(world: World) -> KeyFile:
    """By a client that is not ours: the leaving owner knows the new key, and nobody who stays is vouched for."""
    return rotated_out(world.file.set_policy(DEV, Policy(), ALICE), ALICE)


@attack(
    "domain-replaced",
    guarded=False,
)
def key_that_was_given_up_makes_an_epoch(world: World) -> list[KeyFile]:
    """Alice's first key leaked; she changed it and rotated."""
    rekeyed = saved(world.file.rekey_custodian(ALICE, ALICE2, raw_key=True))
    now = saved(rekeyed.rotate_domain_key(DEV, ALICE2))
    document, leaked, mallory = now.document, world.who(ALICE), world.who(MALLORY)
    dev, alice = document.domains[DEV], document.custodians[A]
    fields = grant_fields(document.file_id, DEV, dev.public_key, A, keys_of(leaked), LATER)
    grants = {
        A: PastGrant(alice.keys, alice.changes, LATER, sign(leaked, GRANT, fields)),  # type: ignore[union-attr]
        mallory.name: past_grant(document, DEV, dev.public_key, mallory, leaked),
    }
    past = {**dev.past, hash_of(document, dev): PastEpoch(dev.public_key, dev.epoch, grants)}
    return [rekeyed, now, seized(document, mallory, past=past)]


# What is signed becomes unsigned, goes and comes back, or is another file's


@attack("domain-unsigned")
def epoch_taken_out(world: World) -> KeyFile:
    return world.with_dev(epoch=None, past={})


@attack("domain-unsigned", guarded=False)
def every_signature_taken_out_and_an_owner_added(world: World) -> KeyFile:
    dev = world.dev
    owners = {name: replace(grant, signed=None) for name, grant in dev.owners.items()}
    owners[MALLORY.name] = blind_grant(dev, world.who(MALLORY))
    secrets = {name: replace(secret, signed=None) for name, secret in dev.secrets.items()}
    return world.with_dev(epoch=None, past={}, owners=owners, secrets=secrets)


@attack("domain-returned", guarded=False)
def domain_made_anew_after_it_went(world: World) -> list[KeyFile]:
    gone = saved(world.file.rm_domain(DEV))
    return [gone, seized(gone.document, world.who(MALLORY), follows={}, past={}, guests=[world.who(ALICE)])]


@attack("domain-unsigned", guarded=False)
def unsigned_domain_made_after_it_went(world: World) -> list[KeyFile]:
    gone = saved(world.file.rm_domain(DEV))
    return [gone, gone.add_domain(DEV, MALLORY.name).add_owner(DEV, A, MALLORY)]


# Taken out without a word in the log, as if it were on another branch, and put back


def _without_a_word(world: World) -> KeyFile:
    return load(replace(world.document, domains={name: d for name, d in world.document.domains.items() if name != DEV}))


def _with_real_past(world: World) -> dict[bytes, PastEpoch]:
    assert world.dev.epoch is not None
    return {**world.dev.past, hash_of(world.document, world.dev): PastEpoch(world.dev.public_key, world.dev.epoch, {})}


@attack("domain-returned", guarded=False)
def seized_while_it_was_out(world: World) -> list[KeyFile]:
    gone = _without_a_word(world)
    follows = {hash_of(world.document, world.dev): 3}
    return [gone, seized(gone.document, world.who(MALLORY), follows=follows, past=_with_real_past(world))]


@attack("domain-returned", guarded=False)
def joined_to_a_line_of_the_attackers_own_while_it_was_out(world: World) -> list[KeyFile]:
    gone, mallory, key = _without_a_word(world), world.who(MALLORY), PrivateKey.generate().public
    own = make_epoch(mallory, DomainKey(world.document.file_id, DEV, key), {}, Policy(), LATER)
    grants = {M: past_grant(world.document, DEV, key, mallory, mallory)}
    identifier = own.hash(world.document.file_id, DEV, key)
    past = {**_with_real_past(world), identifier: PastEpoch(key, own, grants)}
    follows = {hash_of(world.document, world.dev): 3, identifier: 1}
    return [gone, seized(gone.document, mallory, follows=follows, past=past)]


@attack("domain-returned", guarded=False)
def own_domain_while_it_was_out(world: World) -> list[KeyFile]:
    gone = _without_a_word(world)
    return [gone, seized(gone.document, world.who(MALLORY), follows={}, past={}, guests=[world.who(ALICE)])]


@attack("domain-returned", guarded=False, anchored=False)
def older_epoch_while_it_was_out(world: World) -> list[KeyFile]:
    versions = [(file.document, file.document.domains[DEV]) for file in reversed(world.versions)]
    older = next(dev for document, dev in versions if hash_of(document, dev) in world.dev.past)
    gone = _without_a_word(world)
    return [gone, load(gone.document.with_domain(older))]


@attack("domain-returned", guarded=False, anchored=False, pinned=False)
def removed_owner_rotates_while_it_was_out(world: World) -> list[KeyFile]:
    """Mallory was an owner, was taken out without a rotation, and makes an epoch with the grant of before."""
    given = saved(world.file.set_policy(DEV, Policy(), ALICE).add_owner(DEV, M, ALICE))
    left = taken_out(given, M)
    before = given.document
    made = signing.sign_domain(
        before, left.document.domains[DEV], Policy(), world.who(MALLORY), LATER, [before.domains[DEV]]
    )
    gone = load(replace(left.document, domains={k: d for k, d in left.document.domains.items() if k != DEV}))
    return [given, left, gone, load(gone.document.with_domain(made))]


@attack("domain-replaced")
def block_of_another_domain(world: World) -> KeyFile:
    return load(world.document.with_domain(replace(world.document.domains[PROD], name=DEV)))


@attack(None, ("domain", "new"), used=False)
def new_domain_signed_as_somebody_who_is_taken_out(world: World) -> KeyFile:
    """Alice's block goes, and with it what her keys are compared with."""
    document = world.document
    without_alice = replace(document, custodians={k: v for k, v in document.custodians.items() if k != A})
    as_alice = posing(world.who(MALLORY), A)
    new = saved(world.file.add_domain("new", D)).document.domains["new"]
    new = signing.sign_domain(without_alice, new, Policy(), as_alice, LATER)
    return load(without_alice.with_domain(signing.sign_contents(without_alice, new, (), as_alice)))


@attack("file-replaced", ("file",))
def file_id_changed(world: World) -> KeyFile:
    return load(replace(world.document, file_id=bytes(16)))


@attack("file-replaced", ("file",), guarded=False)
def file_id_changed_and_nothing_signed(world: World) -> KeyFile:
    bare = every_signature_taken_out_and_an_owner_added(world).document
    domains = {DEV: bare.domains[DEV]}
    return load(replace(bare, file_id=bytes(16), domains=domains))


def _twin(world: World) -> KeyFile:
    """Another file with the same custodians, a dev of Alice's, and Mallory as its owner."""
    document = replace(KeyFile.create("other.yaml").document, custodians=world.document.custodians)
    file = saved(load(document).add_domain(DEV, A, creds=ALICE).add_secret(DEV, "api", "twin", creds=ALICE))
    return saved(file.add_owner(DEV, MALLORY.name, ALICE).add_owner(DEV, D, ALICE))


@attack("file-replaced", ("file",), guarded=False, anchored=False)
def another_file_of_the_same_people(world: World) -> KeyFile:
    """Alice made that one too: whoever knows only her cannot tell which is meant."""
    return _twin(world)


@attack("domain-replaced")
def domain_of_another_file(world: World) -> KeyFile:
    return load(world.document.with_domain(_twin(world).document.domains[DEV]))


@attack("domain-replaced")
def epoch_of_another_file(world: World) -> KeyFile:
    return world.with_dev(epoch=_twin(world).document.domains[DEV].epoch)


@attack("domain-behind", anchored=False, guarded=False)
def whole_file_rolled_back(world: World) -> KeyFile:
    """Only the state knows that there was a newer one."""
    return world.with_bob
