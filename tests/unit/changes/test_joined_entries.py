"""References and sensitivities through rotations, merges and joins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest
from samples import ALICE, BOB, GOOD, KeyFile, parse, refused

from pocket_protector.changes.join import join
from pocket_protector.changes.merge import merge
from pocket_protector.document.document import Document
from pocket_protector.document.domain import Secret
from pocket_protector.document.policy import Policy
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import MergeConflictError
from pocket_protector.format.loaded_file import dump
from pocket_protector.trust.authority import EntryStatus

URI, OTHER, THIRD = (Reference(f"aws-sm://eu-west-1/{name}") for name in ("here", "there", "elsewhere"))
LOW, MEDIUM, HIGH, INJECT_ONLY = Sensitivity
NOW = datetime(2027, 1, 2, tzinfo=UTC)

Change = Callable[[KeyFile], KeyFile]


def saved(file: KeyFile) -> KeyFile:
    return parse(file.get_contents())


@cache
def base() -> KeyFile:
    """A signed domain with a value and a reference of each kind."""
    file = parse(GOOD).rotate_domain_key("dev", ALICE)
    file = file.add_secret("dev", "seen", URI, creds=BOB, sensitivity=HIGH).add_secret("dev", "bare", URI)
    file = file.add_secret("dev", "raised", "value", sensitivity=HIGH)
    return saved(file.add_secret("dev", "signed", "value", creds=ALICE).add_secret("dev", "plain", "value"))


def entry(document: Document | KeyFile, name: str) -> Secret:
    document = document.document if isinstance(document, KeyFile) else document
    return document.secret("dev", name)


def both_ways(ours: Change, theirs: Change) -> Document:
    """What the merge gives, whichever side is ours."""
    one, other = saved(ours(base())).document, saved(theirs(base())).document
    merged, mirrored = merge(base().document, one, other), merge(base().document, other, one)
    assert merged.domains == mirrored.domains
    assert parse(dump(merged).text).document == merged
    return merged


def conflicting(ours: Change, theirs: Change) -> tuple[str, ...]:
    one, other = saved(ours(base())).document, saved(theirs(base())).document
    with refused(MergeConflictError) as caught:
        merge(base().document, one, other)
    with refused(MergeConflictError) as mirrored:
        merge(base().document, other, one)
    assert caught.value.objects == mirrored.value.objects
    objects: tuple[str, ...] = caught.value.objects
    return objects


def setting(name: str, content: str | Reference, by: object = None, level: Sensitivity | None = None) -> Change:
    return lambda file: file.set_secret("dev", name, content, creds=by, sensitivity=level)  # type: ignore[arg-type]


def leveling(name: str, level: Sensitivity, by: object = None) -> Change:
    return lambda file: file.set_sensitivity("dev", name, level, creds=by)  # type: ignore[arg-type]


def rotating(file: KeyFile) -> KeyFile:
    return file.rotate_domain_key("dev", ALICE)


def forgetting(file: KeyFile) -> KeyFile:
    return file.rotate_domain_key("dev", ALICE, history=False)


# Rotations


@pytest.mark.parametrize("rotate", [rotating, forgetting])
def test_a_rotation_keeps_references_and_sensitivities(rotate: Change) -> None:
    after = saved(rotate(base()))
    for name in base().get_domain_secret_names("dev"):
        old, new = entry(base(), name), entry(after, name)
        assert (new.updated, new.sensitivity) == (old.updated, old.sensitivity)
        assert (new.value == old.value) == isinstance(old.value, Reference)
    entries = after.authority("dev").entries
    assert {name for name, status in entries.items() if status is EntryStatus.REVIEWED} == {"seen", "signed"}
    assert entry(after, "bare").signed is None
    assert after.decrypt_domain("dev", BOB, resolve=False)["raised"] == "value"


def test_a_rotation_takes_out_what_did_not_vouch() -> None:
    stranger = parse(base().get_contents()).unlock(ALICE)
    moved = base().document
    swapped = replace(entry(moved, "seen"), value=OTHER)
    dev = moved.domains["dev"]
    hand = parse(dump(moved.with_domain(replace(dev, secrets={**dev.secrets, "seen": swapped}))).text)
    after = saved(hand.rotate_domain_key("dev", stranger))
    assert entry(after, "seen") == replace(swapped, signed=None)


def test_an_unsigned_domain_that_is_rotated_keeps_what_its_owners_had_reviewed() -> None:
    file = parse(GOOD).add_secret("dev", "seen", URI, creds=BOB, sensitivity=LOW).add_secret("dev", "bare", URI)
    entries = saved(rotating(file)).authority("dev").entries
    assert (entries["seen"], entries["bare"]) == (EntryStatus.REVIEWED, EntryStatus.UNSIGNED)


def test_a_policy_leaves_them_alone() -> None:
    after = saved(base().set_policy("dev", Policy(production=True), BOB))
    assert after.document.domains["dev"].secrets == base().document.domains["dev"].secrets


# Merges


def test_two_references_are_a_conflict_and_one_is_none() -> None:
    assert conflicting(setting("bare", OTHER), setting("bare", THIRD)) == ("secret/dev/bare",)
    assert conflicting(setting("bare", OTHER), setting("bare", "value")) == ("secret/dev/bare",)
    assert conflicting(setting("new", OTHER), setting("new", THIRD)) == ("secret/dev/new",)
    assert both_ways(setting("bare", OTHER), setting("plain", URI)).domain("dev").references()["bare"] == OTHER


@pytest.mark.parametrize("rotate", [rotating, forgetting])
@pytest.mark.parametrize("name", ["bare", "seen"])
def test_a_rotation_gives_way_to_a_reference(rotate: Change, name: str) -> None:
    """Also one that keeps no retired key: a reference is sealed to none."""
    merged = both_ways(rotate, setting(name, OTHER, BOB))
    assert entry(merged, name).value == OTHER
    file = parse(dump(merged).text)
    assert file.authority("dev").entries[name] is EntryStatus.STALE
    assert saved(file.sign_secrets("dev", [name], ALICE)).authority("dev").entries[name] is EntryStatus.REVIEWED


def test_a_rotation_and_a_reference_in_the_place_of_a_value() -> None:
    merged = both_ways(rotating, setting("plain", OTHER))
    assert entry(merged, "plain").value == OTHER
    assert isinstance(entry(both_ways(rotating, setting("bare", "value")), "bare").value, bytes)


def test_a_review_gives_way_to_another_reference() -> None:
    merged = both_ways(lambda file: file.sign_secrets("dev", ["bare"], ALICE), setting("bare", OTHER))
    assert (entry(merged, "bare").value, entry(merged, "bare").signed) == (OTHER, None)


@pytest.mark.parametrize("content", ["newer", OTHER])
def test_what_was_raised_stays_with_a_new_value(content: str | Reference) -> None:
    merged = both_ways(leveling("plain", INJECT_ONLY), setting("plain", content))
    assert entry(merged, "plain").sensitivity is INJECT_ONLY
    assert (entry(merged, "plain").value == content) == isinstance(content, Reference)
    assert entry(both_ways(leveling("plain", HIGH), rotating), "plain").sensitivity is HIGH


def test_the_higher_of_two_sensitivities_is_kept_with_the_newer_value() -> None:
    merged = both_ways(leveling("plain", HIGH), setting("plain", "newer", level=INJECT_ONLY))
    assert entry(merged, "plain").sensitivity is INJECT_ONLY
    merged = both_ways(leveling("plain", INJECT_ONLY), setting("plain", "newer", level=HIGH))
    assert entry(merged, "plain").sensitivity is INJECT_ONLY


def test_what_was_raised_is_not_written_into_what_somebody_signed() -> None:
    where = ("secret/dev/plain",)
    assert conflicting(leveling("plain", HIGH), setting("plain", "newer", BOB)) == where
    assert conflicting(leveling("plain", HIGH), lambda file: file.sign_secrets("dev", ["plain"], BOB)) == where
    assert conflicting(leveling("signed", HIGH, BOB), rotating) == ("secret/dev/signed",)
    # It is as high already.
    both_ways(leveling("plain", HIGH), setting("plain", "newer", BOB, INJECT_ONLY))


def test_two_sensitivities_are_a_conflict() -> None:
    assert conflicting(leveling("plain", HIGH), leveling("plain", INJECT_ONLY)) == ("secret/dev/plain",)
    assert entry(both_ways(leveling("plain", HIGH), leveling("plain", HIGH)), "plain").sensitivity is HIGH


def test_what_was_lowered_gives_way_to_a_new_value() -> None:
    """It keeps what it had: nobody signed the two together."""
    merged = both_ways(leveling("raised", LOW, ALICE), setting("raised", "newer"))
    assert (entry(merged, "raised").sensitivity, entry(merged, "raised").signed) == (HIGH, None)
    assert entry(both_ways(leveling("raised", LOW, ALICE), rotating), "raised").sensitivity is HIGH


@pytest.mark.parametrize("content", ["newer", OTHER])
def test_what_one_side_alone_lowered_is_lower(content: str | Reference) -> None:
    """With its value; the other side did not touch the entry."""
    for name in ("raised", "seen"):
        merged = both_ways(setting(name, content, ALICE, LOW), setting("plain", "x"))
        assert entry(merged, name).sensitivity is LOW
        assert entry(merged, name).signed is not None
    merged = both_ways(leveling("raised", LOW, ALICE), setting("plain", "x"))
    assert entry(merged, "raised").sensitivity is LOW


def test_what_was_lowered_with_a_value_that_another_side_rotated_is_a_conflict() -> None:
    assert conflicting(setting("raised", "newer", ALICE, LOW), rotating) == ("secret/dev/raised",)


def test_an_entry_that_one_side_removed() -> None:
    removed: Change = lambda file: file.rm_secret("dev", "bare")  # noqa: E731
    assert conflicting(removed, setting("bare", OTHER)) == ("secret/dev/bare",)
    assert conflicting(removed, leveling("bare", HIGH)) == ("secret/dev/bare",)
    assert "bare" not in both_ways(removed, rotating).domain("dev").secrets


# Joins


def joined(ours: list[Change], theirs: list[Change]) -> KeyFile:
    sides = []
    for changes in (ours, theirs):
        file = base()
        for change in changes:
            file = saved(change(file))
        sides.append(file.document)
    return parse(dump(join(base().document, *sides, base().unlock(BOB), NOW)).text)


def by_bob(file: KeyFile) -> KeyFile:
    return file.rotate_domain_key("dev", BOB)


def test_a_join_keeps_references_and_sensitivities() -> None:
    after = joined([rotating], [by_bob])
    for name in base().get_domain_secret_names("dev"):
        old, new = entry(base(), name), entry(after, name)
        assert (new.updated, new.sensitivity) == (old.updated, old.sensitivity)
        assert (new.value == old.value) == isinstance(old.value, Reference)
    entries = after.authority("dev").entries
    assert {name for name, status in entries.items() if status is EntryStatus.REVIEWED} == {"seen", "signed"}


def test_a_join_takes_what_either_side_set() -> None:
    after = joined(
        [setting("bare", OTHER), rotating, setting("plain", THIRD, ALICE, INJECT_ONLY), leveling("raised", LOW, ALICE)],
        [by_bob, setting("new", URI, level=LOW), setting("seen", "newer", BOB), leveling("signed", HIGH, BOB)],
    )
    held = {name: entry(after, name).value for name in ("bare", "plain", "new")}
    assert held == {"bare": OTHER, "plain": THIRD, "new": URI}
    levels = {name: entry(after, name).sensitivity for name in ("plain", "raised", "new", "seen", "signed")}
    assert levels == {"plain": INJECT_ONLY, "raised": LOW, "new": LOW, "seen": HIGH, "signed": HIGH}
    assert after.decrypt_domain("dev", ALICE, resolve=False)["seen"] == "newer"
    entries = after.authority("dev").entries
    assert {name for name, status in entries.items() if status is EntryStatus.REVIEWED} == {
        *("plain", "raised", "seen", "signed")
    }


def test_the_same_reference_on_both_sides_is_one() -> None:
    after = joined([rotating, setting("bare", OTHER, ALICE)], [by_bob, setting("bare", OTHER)])
    assert entry(after, "bare").value == OTHER


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (setting("bare", OTHER), setting("bare", THIRD)),
        (setting("bare", OTHER), setting("bare", OTHER.text)),
        (setting("bare", OTHER), lambda file: file.rm_secret("dev", "bare")),
        (leveling("bare", HIGH), leveling("bare", INJECT_ONLY)),
        (leveling("bare", HIGH), setting("bare", OTHER)),
    ],
    ids="references reference-and-its-text removed sensitivities sensitivity-and-reference".split(),
)
def test_what_both_changed_is_a_conflict_of_a_join(ours: Change, theirs: Change) -> None:
    with refused(MergeConflictError) as caught:
        joined([rotating, ours], [by_bob, theirs])
    assert caught.value.objects == ("secret/dev/bare",)


@pytest.mark.parametrize(("theirs", "kept"), [(True, True), (False, True), (None, True)])
def test_a_join_stays_in_production_if_one_side_does(theirs: bool | None, kept: bool) -> None:
    def policed(production: bool | None, creds: object) -> Change:
        return lambda file: file.set_policy("dev", Policy(max_age=9, production=production), creds)  # type: ignore[arg-type]

    after = joined([rotating, policed(True, ALICE)], [by_bob, policed(theirs, BOB)])
    assert after.get_policy("dev") == Policy(max_age=9, production=kept)
