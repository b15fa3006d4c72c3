"""What owners vouch for, and what they demand: status, review, --sign and set-policy."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from people import Person, founder, saved, unsigned_file
from shell import ALICE, BOB, CAROL, DEV, Shell

from pocket_protector.format.loaded_file import dump


def test_status(someone: Person) -> None:
    out = someone.done("status")
    assert f"file: {someone.file}\nyou: {ALICE}\n" in out
    assert f"dev: values: 2 reviewed, 0 unreviewed; owners: {ALICE}, {BOB}\n" in out
    assert f"prod: values: 0 reviewed, 1 unreviewed; owners: {BOB}; not yours\n" in out
    assert "you: unknown (give -u NAME, or set PPROTECT_USER)\n" in someone.done("status", "--ignore-env")
    assert "you: nobody@example.com\n" in someone.done("status", "-u", "nobody@example.com")


def test_status_as_json(someone: Person) -> None:
    shown = json.loads(someone.done("status", "--json"))
    assert shown["schema"] == 1
    assert shown["status"]["user"] == ALICE
    assert shown["status"]["domains"]["prod"] == {
        "signed_by": BOB,
        "owners": [BOB],
        "owners_who_count": [BOB],
        "yours": False,
        "reviewed": 0,
        "unreviewed": 1,
        "references": 0,
        "policy": {},
    }
    assert json.loads(someone.done("status", "--json", "--ignore-env"))["status"]["user"] is None


def test_status_of_unsigned_domains(tmp_path: Path) -> None:
    alice = founder(tmp_path, unsigned_file())
    assert "prod: values: 0 reviewed, 1 unreviewed" in alice.done("status")
    assert alice.done("status").count("; nobody signed its key and owners") == 2
    assert json.loads(alice.done("status", "--json"))["status"]["domains"]["dev"]["signed_by"] is None


# review


@pytest.fixture
def unreviewed(pinned: Person) -> Person:
    """Two values in dev that nobody has signed: one by Bob, committed, and one in the work tree."""
    bob = pinned.clone(BOB)
    bob.done("update-secret", "dev", "API_KEY", stdin="tulip-bob\n")
    bob.commit("from Bob")
    pinned.pull(bob)
    pinned.done("add-secret", "dev", "zz-new", stdin="tulip-new\n")
    return pinned


def reviewed(person: Person) -> tuple[int, list[str]]:
    found = person.store().authority("dev")
    return found.reviewed, found.unreviewed


@pytest.mark.parametrize(
    ("answers", "left"),
    [("y\ny\n", []), ("y\nn\n", ["zz-new"]), ("n\nyes\n", ["API_KEY"]), ("\n\n", ["API_KEY", "zz-new"])],
)
def test_each_value_is_asked_for(unreviewed: Person, answers: str, left: list[str]) -> None:
    before = unreviewed.file.read_bytes()
    commit = unreviewed.git("log", "-1", "--format=%H").strip()
    result = unreviewed("review", "dev", stdin=answers)
    assert (result.code, result.out) == (0, "")
    assert f"; by Bob <{BOB}>, according to git, at 20" in result.err
    assert f"Z, in {commit[:12]}\n" in result.err
    assert "; not committed yet\n" in result.err
    assert result.err.count("  ******** (--reveal shows it)\n") == 2
    assert reviewed(unreviewed) == (3 - len(left), left)
    if len(left) == 2:
        assert result.err.endswith("nothing was signed\n")
        assert unreviewed.file.read_bytes() == before
    else:
        assert f"signed {2 - len(left)} of 2 values in dev: " in result.err


def test_yes_to_all_of_them(unreviewed: Person) -> None:
    assert unreviewed("review", "dev", "--yes", "--non-interactive").code == 0
    assert reviewed(unreviewed) == (3, [])
    result = unreviewed("review", "dev", env={"PPROTECT_PASSPHRASE": "wrong"})
    assert (result.code, result.err) == (0, "owners have signed every value in dev\n")


def test_values_are_shown_on_demand(unreviewed: Person) -> None:
    result = unreviewed("review", "dev", "--reveal", stdin="n\nn\n")
    assert (result.code, result.out) == (0, "tulip-bob\ntulip-new\n")


@pytest.mark.parametrize("stdin", [None, "", "y\n"])
def test_answers_that_end_early_sign_nothing(unreviewed: Person, stdin: str | None) -> None:
    before = unreviewed.file.read_bytes()
    result = unreviewed("review", "dev", stdin=stdin)
    result.failed(2, "stdin ended before the answer to 'Sign ", "give --yes")
    assert unreviewed.file.read_bytes() == before


def test_who_may_review(unreviewed: Person) -> None:
    before = unreviewed.file.read_bytes()
    unreviewed("review", "prod", "--yes").failed(4, f"'{ALICE}' is not an owner of 'prod'")
    unreviewed("review", "nope").failed(6, "no key domain named 'nope'")
    assert unreviewed.file.read_bytes() == before


def test_an_attacker_who_keeps_the_date_is_named(pinned: Person) -> None:
    """And a rotation, which seals every value anew, is not taken for the change."""
    mallory = pinned.clone("mallory@example.com")
    before = mallory.file.read_text()
    changed = saved(mallory.store().update_secret("dev", "API_KEY", "evil")).get_contents()
    dates = [line for line in before.splitlines() if line.startswith("    updated: ")]
    other = [line for line in changed.splitlines() if line.startswith("    updated: ")]
    for old, new in zip(dates, other, strict=True):
        changed = changed.replace(new, old)
    mallory.file.write_text(changed)
    commit = mallory.commit("typo")
    pinned.pull(mallory)
    pinned.done("rotate-domain-keys", "dev")
    pinned.commit("rotated")
    result = pinned("review", "dev", "--yes")
    assert "; by Mallory <mallory@example.com>, according to git, at 20" in result.err
    assert f", in {commit[:12]}\n" in result.err


def test_review_outside_git(pinned: Person, tmp_path: Path) -> None:
    file = tmp_path / "outside.yaml"
    pinned.done("add-secret", "dev", "new", "--generate")
    file.write_bytes(pinned.file.read_bytes())
    result = pinned("review", "dev", "--yes", "-f", str(file))
    assert result.code == 0
    assert "signed 1 of 1 values in dev: new" in result.err


# --sign


def test_sign(pinned: Person) -> None:
    pinned.done("set-secret", "dev", "API_KEY", "--generate", "--sign")
    pinned.done("add-secret", "dev", "new", "--generate", "--sign")
    pinned.done("update-secret", "dev", "new", "--generate", "--sign")
    assert reviewed(pinned) == (3, [])
    pinned.done("update-secret", "dev", "new", "--generate")
    assert reviewed(pinned) == (2, ["new"])


def test_sign_needs_credentials(pinned: Person) -> None:
    before = pinned.file.read_bytes()
    words = ("add-secret", "dev", "new", "--generate", "--sign", "--ignore-env", "--non-interactive")
    assert pinned(*words).code == 2
    pinned("add-secret", "dev", "new", "--generate", "--sign", env={"PPROTECT_PASSPHRASE": "x"}).failed(4, "PASSPHRASE")
    assert pinned.file.read_bytes() == before


def test_keys_that_cannot_sign(empty: Shell) -> None:
    upstream = Path(__file__).parent.parent / "vectors" / "upstream"
    words = json.loads((upstream / "expected.json").read_text())["v1-v2-mixed"]["custodians"]["ci"]
    empty.variables |= {"PPROTECT_USER": "ci", "PPROTECT_PASSPHRASE": words}
    empty.file.write_bytes((upstream / "v1-v2-mixed.yaml").read_bytes())
    empty.done("upgrade")
    before = empty.file.read_bytes()
    empty("add-secret", "dev", "new", "--generate", "--sign").failed(4, "cannot sign", "pprotect rekey-custodian ci")
    empty("review", "dev", "--yes").failed(4, "cannot sign", "pprotect rekey-custodian ci")
    empty("set-policy", "dev", "--require-signed").failed(6, "no statement", "pprotect rotate-domain-keys dev")
    assert empty.file.read_bytes() == before


def test_keys_that_cannot_sign_are_refused_before_any_question(empty: Shell) -> None:
    upstream = Path(__file__).parent.parent / "vectors" / "upstream"
    words = json.loads((upstream / "expected.json").read_text())["v1-v2-mixed"]["custodians"]["ci"]
    empty.variables |= {"PPROTECT_USER": "ci", "PPROTECT_PASSPHRASE": words}
    empty.file.write_bytes((upstream / "v1-v2-mixed.yaml").read_bytes())
    empty.done("upgrade")
    assert "cannot sign" in empty("review", "dev").err


# set-policy


@pytest.mark.parametrize(
    ("options", "policy"),
    [
        (("--require-signed",), {"require-signed": "true"}),
        (("--max-age", "90d"), {"max-age": "90d"}),
        (("--max-age=99999d",), {"max-age": "99999d"}),
        (("--min-owners", "2"), {"min-owners": "2"}),
        (
            ("--min-owners", "1", "--max-age", "1d", "--require-signed"),
            {"max-age": "1d", "min-owners": "1", "require-signed": "true"},
        ),
    ],
)
def test_set_policy(pinned: Person, options: tuple[str, ...], policy: dict[str, str]) -> None:
    result = pinned("set-policy", "dev", *options)
    demands = ", ".join(f"{key} {text}" for key, text in policy.items())
    assert (result.code, result.err) == (0, f"the policy of dev now demands {demands}\n")
    assert pinned.store().get_policy("dev").items() == policy
    assert pinned("verify").code == 0
    assert pinned.values("dev") == DEV
    assert f"; demands {demands}\n" in pinned.done("status")


def test_what_is_not_named_stays_and_weakening_is_said(pinned: Person) -> None:
    pinned.done("set-policy", "dev", "--max-age", "90d", "--min-owners", "2", "--require-signed")
    pinned.commit("strict")
    result = pinned("set-policy", "dev", "--max-age", "30d")
    assert result.err == "the policy of dev now demands max-age 30d, min-owners 2, require-signed true\n"
    result = pinned("set-policy", "dev", "--no-max-age", "--no-min-owners")
    assert "note: the policy is weaker than before (max-age, min-owners); verify will report it\n" in result.err
    assert "the policy of dev now demands require-signed true\n" in result.err
    result = pinned("set-policy", "dev", "--no-require-signed")
    assert result.err.endswith("the policy of dev now demands nothing\n")
    pinned.commit("weak")
    told = pinned.done("verify", "HEAD~1..")
    assert f"attention  domain/dev: {ALICE} weakened the policy (require-signed, max-age, min-owners)" in told


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ((), "no demand is given"),
        (("--max-age", "9d", "--no-max-age"), "--max-age and --no-max-age contradict each other"),
        (("--min-owners", "1", "--no-min-owners"), "--min-owners and --no-min-owners contradict each other"),
        *(
            (("--max-age", text), "--max-age")
            for text in ("0d", "90", "-1d", "1.5d", "100000d", "", "09d", "d", "\u0663d")
        ),
        *((("--min-owners", text), "--min-owners") for text in ("0", "-1", "two", "10000", "", "01", "\u0663")),
    ],
)
def test_options_that_will_not_do(pinned: Person, options: tuple[str, ...], error: str) -> None:
    before = pinned.file.read_bytes()
    pinned("set-policy", "dev", *options).failed(2, error)
    assert pinned.file.read_bytes() == before


def test_who_may_set_it(pinned: Person) -> None:
    before = pinned.file.read_bytes()
    pinned("set-policy", "prod", "--require-signed").failed(4, f"'{ALICE}' is not an owner of 'prod'")
    pinned("set-policy", "nope", "--require-signed").failed(6, "no key domain named 'nope'")
    pinned("set-policy", "dev", "--min-owners", "3").failed(6, "'dev' has 2 owners who count", "pprotect add-owner dev")
    assert pinned.file.read_bytes() == before


def test_an_unsigned_domain_becomes_a_signed_one(tmp_path: Path) -> None:
    alice = founder(tmp_path, unsigned_file())
    alice.done("trust", "accept", "--yes")
    alice.done("set-policy", "dev", "--max-age", "9d")
    assert alice.store().get_epoch_maker("dev") == ALICE
    assert alice.store().authority("dev").owners.counting == [ALICE, BOB]
    assert alice.values("dev") == DEV
    assert alice.values("dev", BOB) == DEV
    assert "nobody signed" not in alice.done("status").split("dev: ")[1].split("\n")[0]
    alice.commit("policy")
    told = alice("verify", "HEAD~1..")
    assert told.code == 0
    assert f"attention  domain/dev: its first statement, by {ALICE}" in told.out


def test_a_policy_that_demands_signatures(pinned: Person) -> None:
    """Whoever adds a value without one is told, readers are refused, and a review mends it."""
    pinned.done("set-policy", "dev", "--require-signed")
    result = pinned("add-secret", "dev", "new", "--generate")
    assert "note: dev requires signed values: nobody can use them until an owner reviews this one\n" in result.err
    for words in (("get", "dev", "API_KEY"), ("decrypt-domain", "dev"), ("run", "dev", "--uppercase", "--", "true")):
        result = pinned(*words)
        assert (result.code, result.out) == (8, "")
        assert "hint: an owner runs: pprotect review dev\n" in result.err
    assert pinned("verify").code == 1
    pinned.done("review", "dev", "--yes")
    assert pinned("get", "dev", "API_KEY").err == ""
    assert pinned("verify").code == 0


def test_a_policy_about_age(pinned: Person) -> None:
    pinned.done("set-policy", "dev", "--max-age", "1d")
    old = pinned.file.read_text()
    aged = "\n".join(
        "    updated: 2020-01-01T00:00:00Z" if line.startswith("    updated: ") else line for line in old.split("\n")
    )
    pinned.file.write_text(aged)
    pinned("get", "dev", "API_KEY").failed(8, "'dev' may not be used: ")
    assert pinned("verify").code == 1


def test_a_policy_about_owners(pinned: Person) -> None:
    pinned.done("set-policy", "dev", "--min-owners", "2")
    pinned("rm-owner", "dev", BOB).failed(8, "demands 2 owners, and it has 2", "pprotect add-owner dev")
    document = pinned.store().document
    dev = document.domains["dev"]
    without_bob = document.with_domain(replace(dev, owners={ALICE: dev.owners[ALICE]}))
    pinned.file.write_text(dump(without_bob).text)
    pinned("get", "dev", "API_KEY").failed(8, "'dev' may not be used: ")
    result = pinned("verify")
    assert result.code == 1
    pinned.done("add-owner", "dev", CAROL)
    assert pinned("get", "dev", "API_KEY").code == 0
