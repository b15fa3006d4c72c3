"""Attacks on references and on sensitivities: on what is signed of an entry besides a value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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
    epoch_on,
    hash_of,
    listed_in,
    load,
    posing,
    saved,
)

from pocket_protector.changes import signing
from pocket_protector.crypto.identity import Identity
from pocket_protector.document.domain import Secret, seal_value
from pocket_protector.document.epoch import PastEpoch
from pocket_protector.document.policy import Policy
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity

ATTACKS: list[Attack] = []
"""What is a violation wherever it happens."""
UNREVIEWED: list[Attack] = []
"""What only a policy, or a reader who requires signatures, refuses: anybody may set a reference."""
ROLLBACKS: list[Attack] = []
"""What somebody should look at: an honest revert looks the same, or what two people did between two looks."""

REFERENCE = Reference("azure-kv://keyvault/db-url#json.url")
EVIL = Reference("azure-kv://evil/db-url#json.url")
API, REF, OPEN_ENTRY = ("secret", DEV, "api"), ("secret", DEV, "ref"), ("secret", DEV, "loose")


def pointing(world: World) -> KeyFile:
    """With a reference, of high sensitivity, that an owner signed; and a value of high sensitivity that nobody did."""
    file = world.file.add_secret(DEV, "ref", REFERENCE, creds=DAVE, sensitivity=Sensitivity.HIGH)
    return saved(file.add_secret(DEV, "loose", "value", sensitivity=Sensitivity.HIGH))


def reference_set_and_signed(world: World) -> KeyFile:
    file = world.file.add_secret(DEV, "ref", REFERENCE, creds=DAVE, sensitivity=Sensitivity.HIGH)
    return file.update_secret(DEV, "api", EVIL, creds=ALICE).sign_secrets(DEV, ["ref"], ALICE)


def sensitivities_changed_by_an_owner(world: World) -> KeyFile:
    file = saved(world.file.set_sensitivity(DEV, "api", Sensitivity.INJECT_ONLY, creds=ALICE))
    return file.set_sensitivity(DEV, "api", Sensitivity.LOW, creds=DAVE)


def _with(file: KeyFile, name: str, secret: Secret) -> KeyFile:
    dev = file.document.domains[DEV]
    return load(file.document.with_domain(replace(dev, secrets={**dev.secrets, name: secret})))


def _edited(world: World, name: str, **changes: Any) -> list[KeyFile]:
    """The honest step, and the entry with these fields changed by hand."""
    file = pointing(world)
    return [file, _with(file, name, replace(file.document.domains[DEV].secrets[name], **changes))]


def _signed(file: KeyFile, name: str, secret: Secret, by: Identity) -> KeyFile:
    document = file.document
    return _with(file, name, signing.sign_secret(document, document.domains[DEV], name, secret, by))


attack = listed_in(ATTACKS, control=reference_set_and_signed)


@attack("signature-invalid", REF)
def reference_swapped_beneath_its_signature(world: World) -> list[KeyFile]:
    return _edited(world, "ref", value=EVIL)


@attack("signature-invalid", REF)
def fragment_of_a_reference_changed(world: World) -> list[KeyFile]:
    return _edited(world, "ref", value=Reference("azure-kv://keyvault/db-url#json.admin"))


@attack("signature-invalid", REF)
def reference_written_in_another_way(world: World) -> list[KeyFile]:
    """It may lead to the same place; what was signed is the text."""
    return _edited(world, "ref", value=Reference("azure-kv://keyvault/db%2Durl#json.url"))


@attack("signature-invalid", REF)
def time_of_a_reference_changed(world: World) -> list[KeyFile]:
    return _edited(world, "ref", updated=LATER)


@attack("signature-invalid", API)
def value_gives_way_to_a_reference_beneath_its_signature(world: World) -> KeyFile:
    return world.with_secret("api", replace(world.dev.secrets["api"], value=EVIL))


@attack("signature-invalid", REF)
def reference_gives_way_to_a_value_beneath_its_signature(world: World) -> list[KeyFile]:
    return _edited(world, "ref", value=seal_value(world.dev, "ref", "evil"))


@attack("signature-invalid", REF)
def reference_gives_way_to_its_own_text_as_a_value(world: World) -> list[KeyFile]:
    return _edited(world, "ref", value=seal_value(world.dev, "ref", REFERENCE.text))


@attack("signature-invalid", REF)
def signature_moved_from_a_value_to_a_reference(world: World) -> list[KeyFile]:
    return _edited(world, "ref", signed=world.dev.secrets["api"].signed)


@attack("signature-invalid", API)
def signature_moved_from_a_reference_to_a_value(world: World) -> list[KeyFile]:
    file = pointing(world)
    signed = file.document.domains[DEV].secrets["ref"].signed
    return [file, _with(file, "api", replace(file.document.domains[DEV].secrets["api"], signed=signed))]


@attack("signature-invalid", API)
def reference_moved_to_another_entry_whole(world: World) -> list[KeyFile]:
    file = pointing(world)
    return [file, _with(file, "api", file.document.domains[DEV].secrets["ref"])]


@attack("signature-invalid", API)
def reference_of_another_domain_whole(world: World) -> list[KeyFile]:
    file = saved(world.file.update_secret(PROD, "api", EVIL, creds=ALICE))
    return [file, _with(file, "api", file.document.domains[PROD].secrets["api"])]


@attack("signature-stripped", REF)
def signature_of_a_reference_stripped(world: World) -> list[KeyFile]:
    return _edited(world, "ref", signed=None)


@attack("signature-stripped", REF)
def signature_of_a_reference_gives_way_to_a_strangers(world: World) -> list[KeyFile]:
    file = pointing(world)
    return [file, _signed(file, "ref", file.document.domains[DEV].secrets["ref"], world.who(MALLORY))]


attack = listed_in(ATTACKS, control=sensitivities_changed_by_an_owner)


@attack("signature-invalid", API)
def sensitivity_written_beside_a_signature(world: World) -> KeyFile:
    return world.with_secret("api", replace(world.dev.secrets["api"], sensitivity=Sensitivity.LOW))


@attack("signature-invalid", API)
def sensitivity_raised_beside_a_signature(world: World) -> KeyFile:
    return world.with_secret("api", replace(world.dev.secrets["api"], sensitivity=Sensitivity.INJECT_ONLY))


@attack("signature-invalid", REF)
def sensitivity_taken_out_beside_a_signature(world: World) -> list[KeyFile]:
    return _edited(world, "ref", sensitivity=Sensitivity.MEDIUM)


@attack("signature-stripped", REF)
def sensitivity_taken_out_with_the_signature(world: World) -> list[KeyFile]:
    return _edited(world, "ref", sensitivity=Sensitivity.MEDIUM, signed=None)


@attack("sensitivity-lowered", OPEN_ENTRY)
def sensitivity_lowered_by_hand(world: World) -> list[KeyFile]:
    return _edited(world, "loose", sensitivity=Sensitivity.MEDIUM)


def _lowered_by(world: World, by: Identity) -> list[KeyFile]:
    file = pointing(world)
    secret = replace(file.document.domains[DEV].secrets["loose"], sensitivity=Sensitivity.LOW)
    return [file, _signed(file, "loose", secret, by)]


@attack("sensitivity-lowered", OPEN_ENTRY)
def sensitivity_lowered_with_a_strangers_signature(world: World) -> list[KeyFile]:
    return _lowered_by(world, world.who(MALLORY))


@attack("sensitivity-lowered", OPEN_ENTRY)
def sensitivity_lowered_by_a_custodian_who_is_no_owner(world: World) -> list[KeyFile]:
    return _lowered_by(world, world.who(ERIN))


@attack("sensitivity-lowered", OPEN_ENTRY)
def sensitivity_lowered_as_an_owner_with_other_keys(world: World) -> list[KeyFile]:
    return _lowered_by(world, posing(world.who(MALLORY), A))


@attack("sensitivity-lowered", OPEN_ENTRY)
def sensitivity_lowered_by_an_owner_whom_a_rotation_removed(world: World) -> list[KeyFile]:
    return _lowered_by(world, world.who(BOB))


# Policies


def production_left(world: World) -> KeyFile:
    file = saved(world.file.set_policy(DEV, Policy(production=True), ALICE))
    return file.set_policy(DEV, Policy(production=False), DAVE)


attack = listed_in(ATTACKS, control=production_left)


def _produced(world: World) -> KeyFile:
    return saved(pointing(world).set_policy(DEV, Policy(production=True, min_owners=1), ALICE))


def _policed(world: World, policy: Policy) -> list[KeyFile]:
    file = _produced(world)
    dev = file.document.domains[DEV]
    epoch = replace(dev.epoch, policy=policy)  # type: ignore[type-var]
    return [file, load(file.document.with_domain(replace(dev, epoch=epoch)))]


@attack("domain-replaced")
def production_taken_out_of_the_policy(world: World) -> list[KeyFile]:
    return _policed(world, Policy(min_owners=1))


@attack("domain-replaced")
def production_denied_in_the_policy(world: World) -> list[KeyFile]:
    return _policed(world, Policy(production=False, min_owners=1))


@attack("domain-replaced")
def production_put_into_a_policy(world: World) -> KeyFile:
    epoch = replace(world.dev.epoch, policy=replace(world.dev.policy, production=True))  # type: ignore[type-var]
    return world.with_dev(epoch=epoch)


@attack("domain-replaced")
def production_ended_by_the_attacker(world: World) -> list[KeyFile]:
    file = _produced(world)
    document, dev = file.document, file.document.domains[DEV]
    assert dev.epoch is not None
    past = {**dev.past, hash_of(document, dev): PastEpoch(dev.public_key, dev.epoch, {})}
    epoch = epoch_on(document, dev, world.who(MALLORY), dev.public_key)
    return [file, load(document.with_domain(replace(dev, epoch=epoch, past=past)))]


@attack("domain-behind", anchored=False)
def policy_of_before_production_replayed(world: World) -> list[KeyFile]:
    file = _produced(world)
    dev = replace(file.document.domains[DEV], epoch=world.dev.epoch, past=world.dev.past)
    reviewed = {name: secret for name, secret in dev.secrets.items() if name != "loose"}
    return [file, load(file.document.with_domain(replace(dev, secrets=reviewed)))]


# What nobody but a policy or a strict reader refuses

attack = listed_in(UNREVIEWED, control=reference_set_and_signed)


@attack("secret-unreviewed", API)
def reference_in_the_place_of_a_value(world: World) -> KeyFile:
    return world.with_secret("api", Secret(EVIL, LATER))


@attack("secret-unreviewed", ("secret", DEV, "new"))
def new_reference_of_the_attackers(world: World) -> KeyFile:
    return world.with_secret("new", Secret(EVIL, LATER))


def _pointed_by(world: World, by: Identity) -> KeyFile:
    return _signed(world.file, "api", Secret(EVIL, LATER), by)


@attack("secret-unreviewed", API)
def reference_signed_by_a_custodian_who_is_no_owner(world: World) -> KeyFile:
    return _pointed_by(world, world.who(ERIN))


@attack("secret-unreviewed", API)
def reference_signed_as_an_owner_with_other_keys(world: World) -> KeyFile:
    return _pointed_by(world, posing(world.who(MALLORY), A))


@attack("secret-unreviewed", API)
def reference_signed_by_a_removed_owner(world: World) -> KeyFile:
    return _pointed_by(world, world.who(BOB))


@attack("secret-unreviewed", API)
def reference_signed_by_a_removed_owner_on_a_stale_branch(world: World) -> KeyFile:
    earlier = world.with_bob.document
    secret = signing.sign_secret(earlier, earlier.domains[DEV], "api", Secret(EVIL, LATER), world.who(BOB))
    return world.with_secret("api", secret)


# What an honest revert does as well

attack = listed_in(ROLLBACKS, control=reference_set_and_signed)


def _moved_on(world: World) -> tuple[KeyFile, KeyFile, Secret]:
    """With a reference; with another one in its place; and the entry of before."""
    file = pointing(world)
    newer = saved(file.update_secret(DEV, "ref", EVIL, creds=DAVE))
    return file, newer, file.document.domains[DEV].secrets["ref"]


@attack("secret-rolled-back", REF)
def older_reference_with_its_signature(world: World) -> list[KeyFile]:
    file, newer, old = _moved_on(world)
    return [file, newer, _with(newer, "ref", old)]


@attack("secret-rolled-back", REF)
def older_reference_without_its_signature(world: World) -> list[KeyFile]:
    file, newer, old = _moved_on(world)
    return [file, newer, _with(newer, "ref", replace(old, signed=None))]


@attack("secret-rolled-back", REF)
def reference_back_where_a_value_was_imported(world: World) -> list[KeyFile]:
    file, _, old = _moved_on(world)
    newer = saved(file.update_secret(DEV, "ref", "imported", creds=DAVE))
    return [file, newer, _with(newer, "ref", old)]


@attack("secret-rolled-back", API)
def value_back_where_a_reference_stands(world: World) -> list[KeyFile]:
    newer = saved(world.file.update_secret(DEV, "api", REFERENCE, creds=DAVE))
    return [newer, _with(newer, "api", world.dev.secrets["api"])]


@attack("sensitivity-rolled-back", API)
def lower_sensitivity_back_with_the_signature_of_then(world: World) -> list[KeyFile]:
    raised = saved(world.file.set_sensitivity(DEV, "api", Sensitivity.HIGH, creds=DAVE))
    return [raised, _with(raised, "api", world.dev.secrets["api"])]


@attack("sensitivity-rolled-back", REF)
def lower_sensitivity_of_a_reference_back_with_the_signature_of_then(world: World) -> list[KeyFile]:
    file = pointing(world)
    raised = saved(file.set_sensitivity(DEV, "ref", Sensitivity.INJECT_ONLY, creds=ALICE))
    return [file, raised, _with(raised, "ref", file.document.domains[DEV].secrets["ref"])]


attack = listed_in(ROLLBACKS, control=sensitivities_changed_by_an_owner)


@attack("secret-rolled-back", REF)
def older_reference_that_the_reader_has_never_seen(world: World) -> list[KeyFile]:
    _, newer, old = _moved_on(world)
    return [newer, _with(newer, "ref", old)]


@attack("sensitivity-rolled-back", ("secret", DEV, "new"))
def older_value_of_a_lower_sensitivity_that_the_reader_has_never_seen(world: World) -> list[KeyFile]:
    file = saved(world.file.add_secret(DEV, "new", "first", creds=DAVE))
    newer = saved(file.update_secret(DEV, "new", "newer", creds=DAVE, sensitivity=Sensitivity.HIGH))
    return [newer, _with(newer, "new", file.document.domains[DEV].secrets["new"])]


@attack("sensitivity-lowered", OPEN_ENTRY)
def reference_removed_and_set_again_of_a_lower_sensitivity(world: World) -> list[KeyFile]:
    file = saved(pointing(world).update_secret(DEV, "loose", REFERENCE, sensitivity=Sensitivity.INJECT_ONLY))
    gone = saved(file.rm_secret(DEV, "loose"))
    dev = gone.document.domains[DEV]
    # A reference is told from an earlier one by its time, which an entry that is set in the same second would share.
    again = replace(dev, secrets={**dev.secrets, "loose": Secret(REFERENCE, LATER)})
    return [file, gone, load(gone.document.with_domain(again))]


# An owner may have lowered it, before somebody else set another value


@attack("sensitivity-lowered", OPEN_ENTRY)
def sensitivity_lowered_with_a_new_value(world: World) -> list[KeyFile]:
    value = seal_value(world.dev, "loose", "evil")
    return _edited(world, "loose", value=value, updated=LATER, sensitivity=Sensitivity.LOW)


@attack("sensitivity-lowered", OPEN_ENTRY)
def sensitivity_lowered_with_a_reference(world: World) -> list[KeyFile]:
    return _edited(world, "loose", value=EVIL, updated=LATER, sensitivity=Sensitivity.LOW)


@attack("sensitivity-lowered", REF)
def sensitivity_of_a_signed_entry_lowered_with_a_new_value(world: World) -> list[KeyFile]:
    value = seal_value(world.dev, "ref", "evil")
    return _edited(world, "ref", value=value, updated=LATER, sensitivity=Sensitivity.LOW, signed=None)


@attack("sensitivity-lowered", API)
def older_value_of_a_lower_sensitivity_signed_for_the_key_before(world: World) -> list[KeyFile]:
    file = saved(world.file.set_sensitivity(DEV, "api", Sensitivity.HIGH, creds=ALICE))
    return [file, _with(file, "api", world.versions[1].document.domains[DEV].secrets["api"])]
