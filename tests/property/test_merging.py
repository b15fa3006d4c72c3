"""Three-way merge: symmetric, complete, and a conflict exactly where both sides changed the same (P6)."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from dataclasses import replace

import pytest
from samples import ALICE, BOB, CAROL, DEV, good, parse, raw_key, refused

from pocket_protector import AccessError, Creds, KeyFile, MergeConflictError, StoreError
from pocket_protector.changes.merge import merge
from pocket_protector.document.audit_log import AuditLog
from pocket_protector.document.document import Document
from pocket_protector.document.domain import Secret
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.format.loaded_file import dump

BASE = good().add_secret("prod", "x", "1").add_secret("prod", "y", "2").add_owner("prod", CAROL.name, BOB)
BASE = BASE.add_secret("dev", "at", Reference("aws-sm://base"), creds=BOB, sensitivity=Sensitivity.HIGH)
BASE = BASE.add_secret("prod", "at", Reference("aws-sm://base"))

HELD = {**DEV, "at": "aws-sm://base"}


def branch(file: KeyFile, rng: random.Random, tag: str) -> KeyFile:  # noqa: C901, PLR0912 (one case after the other)
    """A few edits; `tag` names what this branch alone makes."""
    for number in range(rng.randrange(1, 5)):
        kind = rng.randrange(17)
        domain = rng.choice(file.get_domain_names())
        names = file.get_domain_secret_names(domain)
        if kind < 3 or not names:
            file = file.set_secret(domain, f"{tag}{number}", tag)
        elif kind < 5:
            file = file.update_secret(domain, rng.choice(names), tag)
        elif kind == 5:
            file = file.rm_secret(domain, rng.choice(names))
        elif kind == 6 and BOB.name in file.get_domain_owner_names(domain):
            file = file.rotate_domain_key(domain, BOB, history=rng.random() < 0.7)
        elif kind == 7 and f"{tag}-d" not in file.get_domain_names():
            file = file.add_domain(f"{tag}-d", rng.choice(file.get_key_custodian_names())).add_secret(
                f"{tag}-d", "a", ""
            )
        elif kind == 8 and domain != "dev":
            file = file.rm_domain(domain)
        elif kind == 9 and ALICE.name in file.get_domain_owner_names("dev"):
            file = file.add_owner("dev", CAROL.name, ALICE)
        elif kind == 10 and len(file.get_domain_owner_names(domain)) > 1:
            leaving = rng.choice(file.get_domain_owner_names(domain))
            others = [c for c in (ALICE, BOB, CAROL) if c.name in file.get_domain_owner_names(domain)]
            by = next((c for c in others if c.name != leaving), None) if file.is_signed(domain) else None
            with suppress(StoreError, AccessError):  # the last one who counts stays; others may not count
                file = file.rm_owner(domain, leaving, by)
        elif kind == 11 and tag not in file.get_key_custodian_names():
            file = file.add_raw_key_custodian(Creds(tag, raw_key(1)))
        elif kind in (13, 14):
            name = rng.choice([*names, f"{tag}{number}"])
            file = file.set_secret(domain, name, Reference(f"aws-sm://{tag}"), creds=rng.choice([None, BOB]))
        elif kind == 15:
            with suppress(StoreError, AccessError):  # it has that one, or is signed
                file = file.set_sensitivity(domain, rng.choice(names), rng.choice([*Sensitivity]))
        elif kind == 16 and BOB.name in file.get_domain_owner_names(domain):
            with suppress(AccessError):  # he is listed, and does not count
                level = rng.choice([*Sensitivity])
                file = file.set_secret(domain, rng.choice(names), f"{tag} {level}", creds=BOB, sensitivity=level)
        elif kind == 12:
            file = (
                file.rekey_custodian(CAROL, CAROL, False, 1, 8192) if rng.random() < 0.5 else file.truncate_audit_log(3)
            )
    return file


def content(document: Document) -> Document:
    """A document whose log is empty: the order of what both logged in one second is nobody's."""
    return replace(document, log=AuditLog())


def try_merge(base: Document, ours: Document, theirs: Document) -> tuple[Document | None, tuple[str, ...]]:
    try:
        return merge(base, ours, theirs), ()
    except MergeConflictError as error:
        return None, error.objects


@pytest.mark.parametrize("seed", range(40))
def test_two_random_branches(seed: int) -> None:
    rng = random.Random(seed)
    base = BASE.document
    for _ in range(10):
        left, right = branch(BASE, rng, "left").document, branch(BASE, rng, "right").document
        merged, conflicts = try_merge(base, left, right)
        mirrored, mirrored_conflicts = try_merge(base, right, left)
        assert conflicts == mirrored_conflicts
        if merged is None or mirrored is None:
            assert conflicts
            continue
        assert content(merged) == content(mirrored)
        for where in merged.log.lists:
            assert Counter(merged.log.lists[where]) == Counter(mirrored.log.lists[where])
        # What one side alone has or lacks is so in the result.
        for domain in merged.domains:
            for name, secret in merged.domains[domain].secrets.items():
                sides = [s.domains[domain].secrets.get(name) for s in (left, right) if domain in s.domains]
                assert secret in sides or is_raised(secret, *sides)
        check_additions(base, left, right, merged)
        text = dump(merged).text
        assert dump(parse(text).document).text == text
        check_readers(merged, left, right)


def is_raised(secret: Secret, *sides: Secret | None) -> bool:
    """Whether it is what one side set, of the higher sensitivity that the other one has; signed by nobody."""
    levels = [side.sensitivity for side in sides if side]
    as_set = [replace(side, sensitivity=max(levels)) for side in sides if side and side.signed is None]
    return secret in as_set and min(levels) < max(levels)


def check_additions(base: Document, left: Document, right: Document, merged: Document) -> None:
    for side in (left, right):
        for where, entries in side.log.lists.items():
            added = Counter(entries) - Counter(base.log.lists.get(where, ()))
            assert not added - Counter(merged.log.lists.get(where, ()))
        for domain in side.domains:
            for name in set(side.domains[domain].secrets) - set(
                base.domains[domain].secrets if domain in base.domains else ()
            ):
                assert merged.domains[domain].secrets[name] == side.domains[domain].secrets[name]


def check_readers(merged: Document, left: Document, right: Document) -> None:
    """Whoever is an owner afterwards can read everything."""
    file = parse(dump(merged).text)
    for domain in file.get_domain_names():
        for creds in (ALICE, BOB, CAROL):
            if creds.name in file.get_domain_owner_names(domain):
                assert set(file.decrypt_domain(domain, creds, resolve=False)) == set(
                    file.get_domain_secret_names(domain)
                )


@pytest.mark.parametrize("seed", range(10))
def test_the_same_change_on_both_sides_is_none(seed: int) -> None:
    rng = random.Random(seed)
    base, side = BASE.document, branch(BASE, rng, "left").document
    assert merge(base, side, side) == side
    assert merge(base, base, side) == side
    assert merge(base, side, base) == side
    assert merge(base, base, base) == base


def test_an_update_in_the_same_second_as_the_base_is_not_lost() -> None:
    """Times have whole seconds: a value that changed but whose time did not is still a change."""
    base = BASE.document
    dev = base.domains["dev"]
    time = dev.secrets["api-key"].updated

    def with_value(text: str, updated: str) -> Document:
        secret = replace(
            BASE.update_secret("dev", "api-key", text).document.domains["dev"].secrets["api-key"], updated=updated
        )
        return base.with_domain(replace(dev, secrets={**dev.secrets, "api-key": secret}))

    early, late = with_value("a", time), with_value("b", "2099-01-01T00:00:00Z")
    for ours, theirs in ((early, late), (late, early)):
        with refused(MergeConflictError) as caught:
            merge(base, ours, theirs)
        assert caught.value.objects == ("secret/dev/api-key",)


def test_logs_are_joined_in_time_order() -> None:
    def at(second: int, *entries: str) -> Document:
        log = {
            "file": tuple(
                f"2026-11-22T10:00:{time:02}Z -- {text}"
                for time, text in zip(range(second, 60, 10), entries, strict=False)
            )
        }
        return replace(BASE.document, log=AuditLog(log))

    base = at(0)
    merged = merge(base, at(5, "a", "b"), at(1, "c", "d"))
    assert [entry[24:] for entry in merged.log.lists["file"]] == ["c", "a", "d", "b"]


def test_a_truncation_and_an_addition_both_count() -> None:
    base = BASE.document
    cut = BASE.truncate_audit_log(0).document
    added = BASE.add_secret("dev", "new", "x").document
    for ours, theirs in ((cut, added), (added, cut)):
        merged = merge(base, ours, theirs)
        assert [entry[24:] for entry in merged.log.entries()][-2:] != []
        assert {entry[24:] for entry in merged.log.entries()} == {
            "added secret new in dev",
            f"truncated {len(BASE.get_audit_log())} audit log entries",
        }


def test_two_lineages_are_one_conflict_of_the_file() -> None:
    base = BASE.document
    with refused(MergeConflictError) as caught:
        merge(base, replace(base, file_id=b"a" * 16), replace(base, file_id=b"b" * 16))
    assert caught.value.objects == ("file",)


def test_what_rotation_and_addition_join_to_opens() -> None:
    base = BASE.document
    rotated = BASE.rotate_domain_key("dev", ALICE).document
    added = BASE.add_secret("dev", "late", "tulip").document
    merged = parse(dump(merge(base, rotated, added)).text).decrypt_domain("dev", ALICE, resolve=False)
    assert merged == HELD | {"late": "tulip"}
    assert merged.under_retired_key == ("late",)


def test_a_value_that_nobody_can_open_does_not_stop_other_changes() -> None:
    """It was so before: a rotation without history left it behind on another branch."""
    from samples import get, put

    late = good().add_secret("dev", "late", "tulip").get_contents()
    forgotten = good().rotate_domain_key("dev", ALICE, history=False).add_secret("dev", "late", "x").get_contents()
    broken = parse(put(forgotten, get(late, "dev", "secret-late", "value"), "dev", "secret-late", "value"))
    one, other = broken.add_secret("dev", "a", "1").document, broken.add_secret("dev", "b", "2").document
    assert {"a", "b", "late"} <= set(merge(broken.document, one, other).domains["dev"].secrets)


def test_a_legacy_file_s_upgrade_and_another_side_s_change_is_a_conflict_of_the_file() -> None:
    from samples import VECTORS

    base = parse((VECTORS / "upstream" / "v1-v2-mixed.yaml").read_text(encoding="utf-8"))
    upgraded = base.upgrade().document
    changed = replace(base.document, domains={})
    for ours, theirs in ((upgraded, changed), (changed, upgraded)):
        with refused(MergeConflictError) as caught:
            merge(base.document, ours, theirs)
        assert caught.value.objects == ("file",)
    assert merge(base.document, upgraded, base.document) == upgraded


def test_joined_takes_in_the_other_side() -> None:
    ours, theirs = BASE.add_secret("dev", "a", "1"), BASE.add_secret("dev", "b", "2")
    joined = ours.joined(BASE, theirs, b"<<<<<<< conflict")
    assert parse(joined.get_contents()).decrypt_domain("dev", ALICE, resolve=False) == HELD | {"a": "1", "b": "2"}
    with refused(MergeConflictError) as caught:
        BASE.update_secret("dev", "api-key", "1").joined(BASE, BASE.update_secret("dev", "api-key", "2"), b"")
    assert caught.value.objects == ("secret/dev/api-key",)
    assert "git checkout --ours" in caught.value.hint
