"""Two rotations of a domain on two branches, by two owners, joined by one of them."""

from __future__ import annotations

from pathlib import Path

from people import (
    CREDS,
    KEYS_OF,
    MALLORY,
    Change,
    Person,
    founder,
    saved,
    signed_file,
    unsigned_file,
    with_key_replaced,
    with_keys_replaced,
)
from shell import ALICE, BOB, CAROL, DEV

from pocket_protector import Creds, KeyFile
from pocket_protector.document.policy import Policy


def rotated(by: str) -> Change:
    return lambda file: file.rotate_domain_key("dev", CREDS[by])


def setting(name: str, value: str, by: str | None = None) -> Change:
    return lambda file: file.set_secret("dev", name, value, creds=CREDS[by] if by else None)


def stopped(folder: Path, base: KeyFile, ours: list[Change], theirs: list[Change], name: str = ALICE) -> Person:
    """Somebody on whose main git stopped at a merge of `theirs`; what is on main they have seen."""
    person = founder(folder, base, name)
    person.branch("theirs", *theirs)
    person.git("checkout", "-q", "main")
    for change in ours:
        person.change(change)
    person.done("trust", "accept", "--yes")
    assert not person.merge("theirs")
    return person


def clean_after(person: Person) -> None:
    person.git("add", "protected.yaml")
    person.git("commit", "-q", "--no-edit")
    for words in ((), ("HEAD~1..",), ("HEAD^2..",), ("--history",), ("HEAD",)):
        result = person("verify", *words)
        assert (result.code, result.err) == (0, ""), result.out
        assert "violation" not in result.out.replace("no violation", "")
    result = person("get", "dev", "API_KEY")
    assert (result.code, result.err) == (0, "")


def test_two_rotations_with_all_that_came_with_them(tmp_path: Path) -> None:
    base = saved(signed_file().add_owner("dev", CAROL, CREDS[ALICE]).add_secret("dev", "old", "1", creds=CREDS[BOB]))
    ours = [
        setting("ours-before", "2"),
        rotated(ALICE),
        setting("ours-after", "3", ALICE),
        setting("API_KEY", "from ours", ALICE),
        lambda file: file.rm_owner("dev", CAROL, CREDS[ALICE]),
        lambda file: file.set_policy("dev", Policy(max_age=90, min_owners=1), CREDS[ALICE]),
    ]
    theirs = [
        rotated(BOB),
        setting("theirs", "4"),
        setting("db-password", "from theirs"),
        lambda file: file.rm_secret("dev", "old"),
        lambda file: file.set_policy("dev", Policy(max_age=30), CREDS[BOB]),
        rotated(BOB),
    ]
    alice = stopped(tmp_path, base, ours, theirs)
    resolving = alice("resolve")
    resolving.failed(6, "both sides changed domain/dev", "pprotect join")
    result = alice("join")
    assert (result.code, result.out) == (0, "")
    assert result.err.splitlines()[0].startswith("wrapping the new key of dev for: ")
    assert result.err.splitlines()[1:] == [f"joined both sides; next: git add {alice.file}"]
    expected = {
        "API_KEY": "from ours",
        "db-password": "from theirs",
        "ours-before": "2",
        "ours-after": "3",
        "theirs": "4",
    }
    assert alice.values("dev") == alice.values("dev", BOB) == expected
    file = alice.store()
    assert file.get_domain_owner_names("dev") == file.authority("dev").owners.counting == [ALICE, BOB]
    assert file.get_policy("dev") == Policy(max_age=30, min_owners=1)
    assert file.authority("dev").unreviewed == ["db-password", "ours-before", "theirs"]
    assert not alice.values("dev").under_retired_key
    clean_after(alice)


def test_the_other_owner_goes_on_from_either_side(tmp_path: Path) -> None:
    alice = stopped(tmp_path, signed_file(), [rotated(ALICE)], [rotated(BOB), setting("theirs", "1", BOB)])
    bob = alice.clone(BOB)
    bob.git("fetch", "-q", str(alice.folder), "theirs:refs/heads/theirs")
    bob.git("checkout", "-q", "theirs")
    bob.done("trust", "accept", "--yes")
    alice.done("join")
    clean_after(alice)
    bob.pull(alice)
    result = bob("get", "dev", "theirs", "--require-signed")
    assert (result.code, result.out, result.err) == (0, "1", "")
    bob.done("add-secret", "dev", "more", "--generate")


def test_two_policies(tmp_path: Path) -> None:
    """The stricter one of each demand."""
    ours: Change = lambda file: file.set_policy("dev", Policy(require_signed=True), CREDS[ALICE])  # noqa: E731
    theirs: Change = lambda file: file.set_policy("dev", Policy(max_age=9), CREDS[BOB])  # noqa: E731
    alice = stopped(tmp_path, signed_file(), [ours], [theirs])
    alice.done("join")
    assert alice.store().get_policy("dev") == Policy(require_signed=True, max_age=9)
    clean_after(alice)


def test_the_same_value_on_both_sides(tmp_path: Path) -> None:
    ours, theirs = ([rotated(by), setting("API_KEY", f"by {by}")] for by in (ALICE, BOB))
    alice = stopped(tmp_path, signed_file(), ours, theirs)
    before = alice.file.read_bytes()
    alice("join").failed(6, "secret/dev/API_KEY", "git checkout --ours")
    assert alice.file.read_bytes() == before
    assert "by alice" not in before.decode()


def test_one_who_is_no_owner_on_one_side(tmp_path: Path) -> None:
    dropping: Change = lambda file: file.rm_owner("dev", BOB, CREDS[ALICE])  # noqa: E731
    bob = stopped(tmp_path, signed_file(), [dropping], [rotated(BOB)], name=BOB)
    before = bob.file.read_bytes()
    bob("join").failed(4, f"'{BOB}' is not an owner of 'dev'")
    carol = {"PPROTECT_USER": CAROL, "PPROTECT_PASSPHRASE": KEYS_OF[CAROL]}
    bob("join", env=carol).failed(4, f"'{CAROL}' is not an owner of 'dev'")
    bob("join", env={"PPROTECT_PASSPHRASE": "wrong"}).failed(4, "PPROTECT_PASSPHRASE")
    assert bob("join", "--ignore-env", "--non-interactive").code == 2
    assert bob.file.read_bytes() == before
    alice = {"PPROTECT_USER": ALICE, "PPROTECT_PASSPHRASE": KEYS_OF[ALICE]}
    bob.done("join", env=alice)
    assert bob.store().get_domain_owner_names("dev") == [ALICE]


def test_nothing_to_join(tmp_path: Path) -> None:
    alice = founder(tmp_path, signed_file())
    alice("join").failed(6, "git has no merge conflict", "git status")
    alice.branch("theirs", setting("API_KEY", "1"))
    alice.git("checkout", "-q", "main")
    alice.change(setting("API_KEY", "2"))
    assert not alice.merge("theirs")
    before = alice.file.read_bytes()
    alice("join").failed(6, "no key domain was rotated on both sides", "pprotect resolve")
    assert alice.file.read_bytes() == before


def test_what_somebody_wrote_into_the_conflict_is_not_lost(tmp_path: Path) -> None:
    alice = stopped(tmp_path, signed_file(), [rotated(ALICE)], [rotated(BOB)])
    alice.file.write_text(alice.file.read_text() + "# mine\n")
    before = alice.file.read_bytes()
    alice("join").failed(6, "was edited since git stopped", "git checkout -m")
    assert alice.file.read_bytes() == before


def test_unsigned_domains(tmp_path: Path) -> None:
    """The first rotations, of which each is the domain's first statement."""
    alice = stopped(tmp_path, unsigned_file(), [rotated(ALICE)], [rotated(BOB), setting("new", "1")])
    alice.done("join")
    assert alice.values("dev", BOB) == DEV | {"new": "1"}
    assert alice.store().is_signed("dev")
    alice.git("add", "protected.yaml")
    alice.git("commit", "-q", "--no-edit")
    assert alice("get", "dev", "new").code == 0


# One side is not what it should be


def test_a_side_whose_key_somebody_replaced(tmp_path: Path) -> None:
    """Mallory, who can push a branch, seals a key of their own to Alice."""
    alice = stopped(tmp_path, signed_file(), [rotated(ALICE)], [with_key_replaced])
    before = alice.file.read_bytes()
    result = alice("join")
    assert result.code == 5
    assert alice.file.read_bytes() == before


def test_an_owner_whose_keys_the_other_side_replaced(tmp_path: Path) -> None:
    adding: Change = lambda file: file.add_owner("dev", CAROL, CREDS[ALICE])  # noqa: E731
    alice = stopped(tmp_path, signed_file(), [adding, rotated(ALICE)], [rotated(BOB), with_keys_replaced(CAROL)])
    before = alice.file.read_bytes()
    result = alice("join")
    opened = Creds(CAROL, KEYS_OF[MALLORY])
    assert alice.file.read_bytes() == before or not alice.store().check_creds(opened)
    assert result.code == 5


def test_such_a_join_is_seen_afterwards(tmp_path: Path) -> None:
    alice = stopped(tmp_path, signed_file(), [rotated(ALICE)], [with_key_replaced])
    alice("join")
    assert alice("verify").code != 0
