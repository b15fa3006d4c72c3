"""`KeyFile.write`: both sides' finished changes, or a conflict that names the object (P9)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from samples import ALICE, BOB, CAROL, CHEAP, DAVE, DEV, GOOD, PROD, good, make, raw_key, refused

from pocket_protector import AccessError, Creds, FormatError, IntegrityError, KeyFile, MergeConflictError, StoreError
from pocket_protector.crypto.keys import SigningKey

A, B, C = ALICE.name, BOB.name, CAROL.name
Change = Callable[[KeyFile], KeyFile]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "protected.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def values(path: Path) -> dict[str, str]:
    return KeyFile.from_file(path).decrypt_domain("dev", ALICE)


JOINED: dict[str, tuple[Change, Change, dict[str, str]]] = {
    "each adds a secret": (
        lambda f: f.add_secret("dev", "a", "1"),
        lambda f: f.add_secret("dev", "b", "2"),
        DEV | {"a": "1", "b": "2"},
    ),
    "each updates another": (
        lambda f: f.update_secret("dev", "api-key", "1"),
        lambda f: f.update_secret("dev", "db-password", "2"),
        {"api-key": "1", "db-password": "2"},
    ),
    "one adds, one removes": (
        lambda f: f.add_secret("dev", "a", "1"),
        lambda f: f.rm_secret("dev", "api-key"),
        {"a": "1", "db-password": DEV["db-password"]},
    ),
    "one rotates, one adds": (
        lambda f: f.rotate_domain_key("dev", ALICE),
        lambda f: f.add_secret("dev", "a", "1"),
        DEV | {"a": "1"},
    ),
    "one rotates, one updates": (
        lambda f: f.rotate_domain_key("dev", ALICE),
        lambda f: f.update_secret("dev", "api-key", "1"),
        DEV | {"api-key": "1"},
    ),
    "one changes a passphrase, one adds an owner": (
        lambda f: f.set_key_custodian_passphrase(CAROL, "x", *CHEAP),
        lambda f: f.add_owner("dev", C, ALICE),
        DEV,
    ),
    "one adds a custodian, one truncates the log": (
        lambda f: f.add_raw_key_custodian(DAVE),
        lambda f: f.truncate_audit_log(2),
        DEV,
    ),
    "one adds a domain, one removes another": (
        lambda f: f.add_domain("new", A),
        lambda f: f.rm_domain("prod"),
        DEV,
    ),
    "both remove the same": (
        lambda f: f.rm_secret("dev", "api-key"),
        lambda f: f.rm_secret("dev", "api-key"),
        {"db-password": DEV["db-password"]},
    ),
    "both remove the same domain": (lambda f: f.rm_domain("prod"), lambda f: f.rm_domain("prod"), DEV),
}

CONFLICTS: dict[str, tuple[Change, Change, tuple[str, ...]]] = {
    "both add the same secret": (
        lambda f: f.add_secret("dev", "x", "1"),
        lambda f: f.add_secret("dev", "x", "2"),
        ("secret/dev/x",),
    ),
    "both update the same": (
        lambda f: f.update_secret("dev", "api-key", "1"),
        lambda f: f.update_secret("dev", "api-key", "2"),
        ("secret/dev/api-key",),
    ),
    "one removes, one updates": (
        lambda f: f.rm_secret("dev", "api-key"),
        lambda f: f.update_secret("dev", "api-key", "2"),
        ("secret/dev/api-key",),
    ),
    "both rotate": (
        lambda f: f.rotate_domain_key("dev", ALICE),
        lambda f: f.rotate_domain_key("dev", BOB),
        ("domain/dev", f"owner/dev/{A}", f"owner/dev/{B}", "secret/dev/api-key", "secret/dev/db-password"),
    ),
    "one rotates, one adds an owner": (
        lambda f: f.rotate_domain_key("dev", ALICE),
        lambda f: f.add_owner("dev", C, ALICE),
        (f"owner/dev/{C}",),
    ),
    "one rotates, one removes an owner": (
        lambda f: f.rotate_domain_key("dev", ALICE),
        lambda f: f.rm_owner("dev", B),
        (f"owner/dev/{B}",),
    ),
    "one forgets the old key, one adds": (
        lambda f: f.rotate_domain_key("dev", ALICE, history=False),
        lambda f: f.add_secret("dev", "x", "1"),
        ("secret/dev/x",),
    ),
    "one removes the domain, one adds to it": (
        lambda f: f.rm_domain("dev"),
        lambda f: f.add_secret("dev", "x", "1"),
        ("domain/dev",),
    ),
    "both make the same domain": (
        lambda f: f.add_domain("new", A),
        lambda f: f.add_domain("new", A),
        ("domain/new",),
    ),
    "both add the same custodian": (
        lambda f: f.add_raw_key_custodian(DAVE),
        lambda f: f.add_raw_key_custodian(DAVE),
        (f"custodian/{DAVE.name}",),
    ),
    "both change a passphrase": (
        lambda f: f.set_key_custodian_passphrase(ALICE, raw_key(1), raw_key=True),
        lambda f: f.set_key_custodian_passphrase(ALICE, raw_key(2), raw_key=True),
        (f"custodian/{A}",),
    ),
    "one removes a custodian, one makes them an owner": (
        lambda f: f.rm_key_custodian(C),
        lambda f: f.add_owner("dev", C, ALICE),
        (f"owner/dev/{C}",),
    ),
    "one removes a custodian, one makes a domain for them": (
        lambda f: f.rm_key_custodian(C),
        lambda f: f.add_domain("new", C),
        (f"owner/new/{C}",),
    ),
    "one rekeys a custodian, one makes them an owner": (
        lambda f: f.rekey_custodian(CAROL, CAROL, False, *CHEAP),
        lambda f: f.add_owner("dev", C, ALICE),
        (f"owner/dev/{C}",),
    ),
    "one rekeys a custodian, one makes a domain for them": (
        lambda f: f.rekey_custodian(CAROL, CAROL, False, *CHEAP),
        lambda f: f.add_domain("new", C),
        (f"owner/new/{C}",),
    ),
    "each removes one of two owners": (
        lambda f: f.rm_owner("dev", A),
        lambda f: f.rm_owner("dev", B),
        ("domain/dev",),
    ),
}


@pytest.mark.parametrize("swap", [False, True], ids=["", "the other first"])
@pytest.mark.parametrize("name", JOINED)
def test_two_writers_of_different_things(path: Path, name: str, swap: bool) -> None:
    first, second, expected = JOINED[name]
    if swap:
        first, second = second, first
    one, other = first(KeyFile.from_file(path)), second(KeyFile.from_file(path))
    one.write()
    written = other.write()
    assert written == KeyFile.from_file(path)
    assert values(path) == expected
    for entry in one.truncate_audit_log(1).get_audit_log() + other.truncate_audit_log(1).get_audit_log():
        assert "truncated" in entry or entry in written.get_audit_log() or "truncates" in name


@pytest.mark.parametrize("swap", [False, True], ids=["", "the other first"])
@pytest.mark.parametrize("name", CONFLICTS)
def test_two_writers_of_the_same_thing(path: Path, name: str, swap: bool) -> None:
    first, second, objects = CONFLICTS[name]
    if swap:
        first, second = second, first
    one, other = first(KeyFile.from_file(path)), second(KeyFile.from_file(path))
    one.write()
    before = path.read_bytes()
    with refused(MergeConflictError) as caught:
        other.write()
    assert caught.value.objects == objects
    assert all(where in str(caught.value) for where in objects)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["protected.yaml"]


def test_what_both_add_the_same_is_one(path: Path) -> None:
    one = KeyFile.from_file(path).add_secret("dev", "a", "1")
    one.write()
    assert one.write() == one
    assert one.write().get_contents() == one.get_contents()


def test_write_twice_in_a_row_from_one_object(path: Path) -> None:
    first = KeyFile.from_file(path).add_secret("dev", "a", "1")
    first.write()
    second = first.update_secret("dev", "a", "2")
    second.write()
    third = second.rm_secret("dev", "a").add_secret("dev", "b", "3")
    third.write()
    assert values(path) == DEV | {"b": "3"}


def test_the_base_is_the_newest_version_of_the_lineage_that_was_on_disk(path: Path) -> None:
    first = KeyFile.from_file(path).add_secret("dev", "a", "1")
    first.write()
    KeyFile.from_file(path).add_secret("dev", "other", "x").write()
    first.add_secret("dev", "b", "2").write()
    first.update_secret("dev", "a", "3").write()
    assert values(path) == DEV | {"a": "3", "b": "2", "other": "x"}


def test_writing_an_older_object_again_takes_nothing_back(path: Path) -> None:
    old = KeyFile.from_file(path)
    old.add_secret("dev", "a", "1").write()
    old.write()
    assert values(path) == DEV | {"a": "1"}


def test_no_change_touches_nothing(path: Path) -> None:
    before = path.stat()
    written = KeyFile.from_file(path).write()
    KeyFile.from_file(path).truncate_audit_log(10**6).write()
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert path.read_text(encoding="utf-8") == GOOD
    assert written == KeyFile.from_file(path)
    assert os.listdir(path.parent) == ["protected.yaml"]


def test_a_comment_that_another_writer_added_stays(path: Path) -> None:
    file = KeyFile.from_file(path).add_secret("dev", "a", "1")
    path.write_text("# mine\n" + GOOD, encoding="utf-8")
    file.write()
    assert path.read_text(encoding="utf-8").startswith("# mine\nmeta:\n")


@pytest.mark.parametrize("there", [None, b""], ids=["absent", "empty"])
def test_a_created_file_takes_the_place_of_none_or_an_empty_one(path: Path, there: bytes | None) -> None:
    path.unlink()
    if there is not None:
        path.write_bytes(there)
    written = make(path).write()
    assert KeyFile.from_file(path) == written
    assert written.decrypt_domain("prod", BOB) == PROD


@pytest.mark.parametrize("there", [GOOD.encode(), b"\n", b"x"], ids=["good", "line end", "something"])
def test_a_created_file_replaces_nothing(path: Path, there: bytes) -> None:
    path.write_bytes(there)
    with refused(StoreError) as caught:
        make(path).write()
    assert "exists already" in str(caught.value)
    assert path.read_bytes() == there


def test_a_created_file_is_written_on_from_the_same_object(path: Path) -> None:
    path.unlink()
    file = make(path)
    file.write()
    file.add_secret("dev", "a", "1").write()
    assert values(path) == DEV | {"a": "1"}


def test_what_was_damaged_meanwhile_is_not_overwritten(path: Path) -> None:
    file = KeyFile.from_file(path).add_secret("dev", "a", "1")
    for damaged, kind in (
        (GOOD.replace("format: 1", "format: 2"), FormatError),
        ("<<<<<<< ours\n" + GOOD, FormatError),
        (GOOD.replace(f"  {A}:\n    public", "  eve:\n    public"), IntegrityError),
    ):
        path.write_text(damaged, encoding="utf-8")
        with refused(kind):
            file.write()
        assert path.read_text(encoding="utf-8") == damaged


def test_a_merge_of_an_upgrade_and_a_change_is_refused(path: Path) -> None:
    from samples import VECTORS

    path.write_bytes((VECTORS / "upstream" / "v1-v2-mixed.yaml").read_bytes())
    one, other = KeyFile.from_file(path).upgrade(), KeyFile.from_file(path).upgrade()
    one.add_secret("dev", "new", "x").write()
    with refused(MergeConflictError) as caught:
        other.write()
    assert "file" in caught.value.objects


def test_twenty_writers_lose_nothing(path: Path) -> None:
    writers = [good().add_secret("dev", f"s{number}", str(number)) for number in range(20)]
    for writer in writers:
        KeyFile.from_contents_and_path(GOOD, path)
        KeyFile(str(path), writer._file, writer.document, writer._version).write()
    assert values(path) == DEV | {f"s{number}": str(number) for number in range(20)}


def test_a_removed_file_is_written_whole(path: Path) -> None:
    file = KeyFile.from_file(path).add_secret("dev", "a", "1")
    path.unlink()
    file.write()
    assert values(path) == DEV | {"a": "1"}


def test_a_write_of_other_credentials_objects_is_the_same(path: Path) -> None:
    new = Creds(DAVE.name, DAVE.passphrase)
    KeyFile.from_file(path).add_raw_key_custodian(new).add_owner("dev", new.name, ALICE).write()
    assert KeyFile.from_file(path).decrypt_domain("dev", DAVE) == DEV


def test_an_update_has_a_time_of_its_own_even_within_a_second(tmp_path: Path) -> None:
    """By its time a merge tells an update from a rotation, which re-seals the value and leaves its time."""
    path = tmp_path / "protected.yaml"
    base = KeyFile.create(path).add_raw_key_custodian(ALICE).add_domain("dev", ALICE.name)
    base = base.set_secret("dev", "s", "base").write()
    ours = base.update_secret("dev", "s", "ours").rotate_domain_key("dev", ALICE)
    KeyFile.from_file(path).update_secret("dev", "s", "theirs").write()
    with refused(MergeConflictError) as caught:
        ours.write()
    assert caught.value.objects == ("secret/dev/s",)
    assert KeyFile.from_file(path).decrypt_domain("dev", ALICE) == {"s": "theirs"}


def test_another_file_in_the_place_of_the_one_that_was_read_is_a_conflict(tmp_path: Path) -> None:
    path = tmp_path / "protected.yaml"
    ours = KeyFile.create(path).add_raw_key_custodian(ALICE).write().add_raw_key_custodian(BOB)
    path.unlink()
    KeyFile.create(path).write()
    with refused(MergeConflictError) as caught:
        ours.write()
    assert caught.value.objects == ("file",)
    assert KeyFile.from_file(path).get_key_custodian_names() == []


def test_an_identity_does_not_pass_for_another_verify_key(tmp_path: Path) -> None:
    """Whoever can write the file can sign Alice's public key with a verify key of their own."""
    file = KeyFile.create("p").add_raw_key_custodian(ALICE)
    identity = file.unlock(ALICE)
    alice = file.document.custodians[ALICE.name]
    mallory = SigningKey(bytes(32))
    fields = (ALICE.name.encode(), alice.public_key, mallory.public)
    forged = replace(alice, verify_key=mallory.public, signature=mallory.sign(b"custodian", *fields))
    changed = KeyFile("p", None, file.document.with_custodian(forged))
    with refused(AccessError):
        changed.unlock(identity)
    with refused(AccessError):
        changed.set_key_custodian_passphrase(identity, "new", 1, 8192)
