"""Attacks on values and on who vouches for them."""

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
    World,
    listed_in,
    load,
    posing,
    saved,
)

from pocket_protector.changes import signing
from pocket_protector.crypto.identity import Identity
from pocket_protector.document.domain import Domain, Secret, seal_value
from pocket_protector.document.statements import Signed, Signer

ATTACKS: list[Attack] = []
"""What is a violation wherever it happens."""
UNREVIEWED: list[Attack] = []
"""What only a policy, or a reader who requires signatures, refuses: anybody may seal a value."""
ROLLBACKS: list[Attack] = []
"""What somebody should look at: an honest revert looks the same."""

API = ("secret", DEV, "api")
DB = ("secret", DEV, "db")


def updated_and_signed(world: World) -> KeyFile:
    return world.file.update_secret(DEV, "api", "newer", creds=DAVE)


def _evil(domain: Domain, name: str = "api") -> Secret:
    return Secret(seal_value(domain, name, "evil"), LATER)


def _old(world: World) -> Secret:
    """A value that an owner had signed for the present key before."""
    return world.versions[-3].document.domains[DEV].secrets["api"]


attack = listed_in(ATTACKS, control=updated_and_signed)


@attack("signature-invalid", API)
def value_replaced_below_its_signature(world: World) -> KeyFile:
    return world.with_secret("api", replace(world.dev.secrets["api"], value=_evil(world.dev).value))


@attack("signature-stripped", API)
def signature_stripped(world: World) -> KeyFile:
    return world.with_secret("api", replace(world.dev.secrets["api"], signed=None))


@attack("signature-stripped", API)
def signature_of_an_owner_gives_way_to_another(world: World) -> KeyFile:
    secret = world.dev.secrets["api"]
    return world.with_secret("api", signing.sign_secret(world.document, world.dev, "api", secret, world.who(MALLORY)))


@attack(
    "signature-stripped",
    API,
)
def signature_stripped_and_the_time_touched(world: World) -> KeyFile:
    """Which also makes an old value look young to a policy."""
    return world.with_secret("api", replace(world.dev.secrets["api"], signed=None, updated=LATER))


@attack("signature-invalid", API)
def time_changed_under_the_signature(world: World) -> KeyFile:
    return world.with_secret("api", replace(world.dev.secrets["api"], updated=LATER))


@attack("signature-invalid", API)
def signer_renamed(world: World) -> KeyFile:
    secret = world.dev.secrets["api"]
    by = replace(secret.signed.by, name=A)  # type: ignore[union-attr]
    return world.with_secret("api", replace(secret, signed=replace(secret.signed, by=by)))  # type: ignore[type-var]


@attack("signature-invalid", API)
def signature_of_another_entry(world: World) -> KeyFile:
    return world.with_secret("api", replace(world.dev.secrets["api"], signed=world.dev.secrets["db"].signed))


@attack("signature-invalid", API)
def signature_of_another_domain(world: World) -> KeyFile:
    signed = world.document.domains[PROD].secrets["api"].signed
    return world.with_secret("api", replace(world.dev.secrets["api"], signed=signed))


@attack("signature-invalid", API)
def signature_of_an_older_version(world: World) -> KeyFile:
    return world.with_secret("api", replace(_evil(world.dev), signed=_old(world).signed))


@attack("signature-invalid", DB)
def another_entry_whole(world: World) -> KeyFile:
    return world.with_secret("db", world.dev.secrets["api"])


@attack("signature-invalid", API)
def entry_of_another_domain_whole(world: World) -> KeyFile:
    return world.with_secret("api", world.document.domains[PROD].secrets["api"])


@attack("signature-invalid", API)
def made_up_signature_of_a_value_for_an_earlier_key(world: World) -> KeyFile:
    """It opens, with the key that is kept, and looks as if Alice had signed it before a rotation."""
    earlier = world.with_bob.document.domains[DEV]
    alice = Signer(A, world.who(ALICE).verify_key or b"")
    return world.with_secret("api", replace(_evil(earlier), signed=Signed(alice, bytes(63) + b"\1")))


# What nobody but a policy or a strict reader refuses

attack = listed_in(UNREVIEWED, control=updated_and_signed)


def _signed_by(world: World, identity: Identity) -> KeyFile:
    return world.with_secret("api", signing.sign_secret(world.document, world.dev, "api", _evil(world.dev), identity))


@attack("secret-unreviewed", API)
def value_of_the_attackers(world: World) -> KeyFile:
    return world.with_secret("api", _evil(world.dev))


@attack("secret-unreviewed", ("secret", DEV, "new"))
def new_value_of_the_attackers(world: World) -> KeyFile:
    return world.with_secret("new", _evil(world.dev, "new"))


@attack("secret-unreviewed", API)
def signed_by_a_custodian_who_is_no_owner(world: World) -> KeyFile:
    return _signed_by(world, world.who(ERIN))


@attack("secret-unreviewed", API)
def signed_as_an_owner_with_other_keys(world: World) -> KeyFile:
    return _signed_by(world, posing(world.who(MALLORY), A))


@attack("secret-unreviewed", API)
def signed_by_a_removed_owner(world: World) -> KeyFile:
    return _signed_by(world, world.who(BOB))


@attack("secret-unreviewed", API)
def signed_by_a_removed_owner_on_a_stale_branch(world: World) -> KeyFile:
    earlier = world.with_bob.document
    secret = signing.sign_secret(earlier, earlier.domains[DEV], "api", _evil(earlier.domains[DEV]), world.who(BOB))
    return world.with_secret("api", secret)


@attack(
    "secret-unreviewed",
    API,
)
def signed_for_the_earlier_key_by_who_is_still_an_owner(world: World) -> KeyFile:
    """An honest older value, which opens with the key that is kept."""
    return world.with_secret("api", world.versions[1].document.domains[DEV].secrets["api"])


# What an honest revert does as well

attack = listed_in(ROLLBACKS, control=updated_and_signed)


@attack("secret-rolled-back", API)
def older_version_with_its_signature(world: World) -> KeyFile:
    return world.with_secret("api", _old(world))


@attack("secret-rolled-back", API)
def older_version_without_its_signature(world: World) -> KeyFile:
    return world.with_secret("api", replace(_old(world), signed=None))


@attack(
    "secret-rolled-back",
    API,
)
def older_version_with_another_time(world: World) -> KeyFile:
    return world.with_secret("api", replace(_old(world), signed=None, updated=LATER))


@attack("secret-rolled-back", ("secret", DEV, "gone"))
def removed_value_put_back(world: World) -> list[KeyFile]:
    there = saved(world.file.add_secret(DEV, "gone", "1"))
    removed = saved(there.rm_secret(DEV, "gone"))
    dev = removed.document.domains[DEV]
    back = replace(dev, secrets={**dev.secrets, "gone": there.document.domains[DEV].secrets["gone"]})
    return [there, removed, load(removed.document.with_domain(back))]
