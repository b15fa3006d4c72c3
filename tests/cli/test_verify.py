"""What a file's history says of who changed what; and an attack by pull request, as everybody who is near sees it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from people import ATTACKS, CREDS, FILE, MALLORY, Person, founder, saved, signed_file, unsigned_file
from shell import ALICE, BOB, CAROL, DEV, KEYS

FORMATS = ("text", "json", "markdown", "sarif")
FOUND = {
    "custodian": (f"custodian/{BOB}", "the keys were replaced, and the old ones did not sign that"),
    "domain": ("domain/dev", f"its key or policy was replaced (signed as {MALLORY})"),
    "owner": (f"owner/dev/{MALLORY}", "listed as an owner, and does not count: its signature does not match"),
}
TO_DO = {
    "custodian": f"ask {BOB} by another way whether their fingerprint is ",
    "domain": "see who did it (git log -p), and revert that",
    "owner": f"nobody with access put it there: pprotect rm-owner dev {MALLORY}",
}


@pytest.fixture
def ci(someone: Person) -> Person:
    """A clone without credentials and pins, as a pull request is checked in: on top of Mallory's fork."""
    return someone.clone("ci", "ci")


def attacked(someone: Person, attack: str) -> Person:
    """Mallory's fork with an attack between two harmless commits."""
    fork = someone.clone(MALLORY)
    fork.change(lambda file: file.add_secret("prod", "harmless", "1"), "a harmless change")
    fork.change(ATTACKS[attack], "refactor")
    fork.change(lambda file: file.rm_secret("prod", "harmless"), "another")
    return fork


# Attack by pull request


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_pull_request_is_refused_in_ci(someone: Person, ci: Person, attack: str) -> None:
    fork = attacked(someone, attack)
    ci.pull(fork)
    result = ci("verify", "origin/main..")
    assert result.code == 1
    where, what = FOUND[attack]
    assert f"violation  {where}: {what}" in result.out
    assert TO_DO[attack] in result.out
    assert f"Mallory <{MALLORY}>  refactor\n" in result.out
    assert result.out.splitlines()[-1].startswith(("1 violation in", "3 violations in"))
    assert not (ci.home / ".local").exists()
    for form in FORMATS:
        told = ci("verify", "origin/main..", "--output-format", form)
        assert told.code == 1
        assert where in told.out


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_merged_pull_request_is_refused_by_writers_and_told_by_readers(pinned: Person, attack: str) -> None:
    """A careless merge; then a colleague works on."""
    bob = pinned.clone(BOB)
    bob.done("trust", "accept", "--yes")
    pinned.pull(attacked(pinned, attack))
    bob.pull(pinned)
    where, what = FOUND[attack]
    for person in (pinned, bob):
        if person is bob and attack == "custodian":
            continue  # his own keys are gone from the file, and he cannot unlock it at all
        before, seen = person.file.read_bytes(), person.pin.read_bytes()
        for words in (
            ("add-secret", "dev", "new", "--generate"),
            ("update-secret", "dev", "API_KEY", "--generate"),
            ("set-secret", "dev", "API_KEY", "--generate", "--sign"),
            ("add-owner", "dev", CAROL),
            ("rotate-domain-keys", "dev"),
            ("review", "dev"),
            ("set-policy", "dev", "--max-age", "9d"),
        ):
            result = person(*words)
            result.failed(5, f"nothing was written: {where}: {what}", TO_DO[attack])
        assert person.file.read_bytes() == before
        read = person("get", "dev", "API_KEY")
        assert read.code == 0
        assert read.out
        assert f"warning: {where}: {what}" in read.err
        assert TO_DO[attack] in read.err
        person("get", "dev", "API_KEY", "--require-signed").failed(8, "'dev' may not be used: ")
        assert person.pin.read_bytes() == seen
    assert bob("verify").code == 1


@pytest.mark.parametrize("attack", ["custodian", "owner"])
def test_every_command_that_wraps_a_key_refuses(pinned: Person, attack: str) -> None:
    """Those that wrap for several domains at once, too. Carol is to be an owner of all that Alice owns."""
    pinned.put(ATTACKS[attack](pinned.store()))
    before = pinned.file.read_bytes()
    for words in (
        ("migrate-owner", CAROL, "--yes"),
        ("rm-owner", "dev", CAROL if attack == "custodian" else BOB),
        ("rekey-custodian", ALICE, "--key-type", "raw", "--yes", "--passphrase-file", pinned.key_file()),
    ):
        assert pinned(*words).code == 5, words
    assert pinned.file.read_bytes() == before


def test_an_owner_who_was_injected_can_be_taken_out_as_the_hint_says(pinned: Person) -> None:
    pinned.put(ATTACKS["owner"](pinned.store()))
    pinned.done("rm-owner", "dev", MALLORY, "--no-rotate")
    assert pinned("verify").code == 0


def test_the_hint_can_be_pasted_where_credentials_are_set(pinned: Person) -> None:
    pinned.put(ATTACKS["owner"](pinned.store()))
    result = pinned("rm-owner", "dev", MALLORY)
    assert result.code == 0
    assert MALLORY not in pinned.store().get_domain_owner_names("dev")


def test_work_on_another_domain_goes_on(pinned: Person) -> None:
    pinned.put(ATTACKS["owner"](pinned.store()))
    result = pinned("add-secret", "prod", "new", "--generate")
    assert result.code == 0
    assert "pprotect trust" in result.err


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_reverted_attack_is_over(pinned: Person, attack: str) -> None:
    pinned.change(ATTACKS[attack])
    assert pinned("verify").code == 1
    pinned.git("revert", "--no-edit", "HEAD")
    assert pinned("verify").code == 0
    assert pinned("get", "dev", "API_KEY").err == ""


# verify and git


def test_without_arguments(someone: Person) -> None:
    result = someone("verify")
    assert result.code == 0
    assert "judged: the file as it is; nothing was seen of it before\n" in result.out
    assert result.out.endswith("\nclean: no violation in 1 step\n")
    assert not someone.state.exists()
    someone.done("get", "dev", "API_KEY")
    assert "judged: the file as it is, against what was seen of it\n" in someone.done("verify")


def test_revisions(someone: Person) -> None:
    for number in range(3):
        someone.change(lambda file, number=number: file.add_secret("dev", f"s{number}", "1"))
    someone.change(ATTACKS["owner"])
    someone.change(lambda file: file.rm_owner("dev", MALLORY))
    for words, code, steps in (
        (("HEAD~1..",), 0, 1),
        (("HEAD~2..",), 1, 2),
        (("HEAD~2..HEAD~1",), 1, 1),
        (("HEAD~4..HEAD~2",), 0, 2),
        (("HEAD~2..HEAD~2",), 0, 0),
        (("--history",), 1, 6),
        (("HEAD",), 0, 1),
        (("HEAD~2",), 0, 1),
    ):
        result = someone("verify", *words)
        assert result.code == code, words
        assert result.out.endswith(f" in {steps} step{'' if steps == 1 else 's'}\n"), (words, result.out)


def test_the_work_tree_after_a_revision(someone: Person) -> None:
    someone.put(ATTACKS["domain"](someone.store()))
    result = someone("verify", "HEAD")
    assert result.code == 1
    assert "work tree\n    violation  domain/dev: " in result.out


@pytest.mark.parametrize("form", FORMATS)
def test_reports_of_a_clean_history(someone: Person, form: str) -> None:
    someone.change(lambda file: file.rotate_domain_key("dev", CREDS[BOB]), "rotated")
    result = someone("verify", "--history", "--output-format", form)
    assert (result.code, result.err) == (0, "")
    if form in ("json", "sarif"):
        assert json.loads(result.out)
    if form == "json":
        shown = json.loads(result.out)
        assert (shown["schema"], shown["violations"], len(shown["steps"])) == (1, 0, 2)
        assert [step["subject"] for step in shown["steps"]] == ["base", "rotated"]
        assert shown["domains"]["dev"]["owners"] == 2
    if form == "sarif":
        (run,) = json.loads(result.out)["runs"]
        assert {found["level"] for found in run["results"]} <= {"note", "warning"}


def test_sarif_names_the_line(someone: Person) -> None:
    someone.change(ATTACKS["owner"])
    (run,) = json.loads(someone("verify", "HEAD~1..", "--output-format", "sarif").out)["runs"]
    (found,) = [result for result in run["results"] if result["level"] == "error"]
    place = found["locations"][0]["physicalLocation"]
    assert (found["ruleId"], place["artifactLocation"]["uri"]) == ("owner-injected", FILE)
    line = someone.file.read_text().splitlines()[place["region"]["startLine"] - 1]
    assert line.strip() == f"{MALLORY}:"


def test_verbose(someone: Person) -> None:
    someone.change(lambda file: file.rotate_domain_key("dev", CREDS[BOB]), "rotated")
    said = f"info  domain/dev: {BOB} rotated the key [domain-rotated]\n"
    assert said not in someone.done("verify", "HEAD~1..")
    assert said in someone.done("verify", "HEAD~1..", "--verbose")


def test_what_is_no_revision(someone: Person, tmp_path: Path) -> None:
    for text in ("nope", "HEAD..nope", "nope..", "HEAD~9", "HEAD:protected.yaml", " "):
        someone("verify", text).failed(6, "not a commit: ", "git log --oneline")
    out = tmp_path / "out"
    for text in ("--all", f"--output={out}", "-1"):
        someone("verify", "--", text).failed(6, "not a commit: ")
        someone("verify", f"HEAD..{text}").failed(6, "not a commit: ")
    assert not out.exists()
    someone("verify", "--all").failed(2, "no such option: --all")
    someone("verify", "HEAD", "HEAD").failed(2, "too many arguments")
    someone("verify", "HEAD", "--history").failed(2, "give it or a revision")
    someone("verify", "--output-format", "xml").failed(2, "'xml' is not a report format", "text|json|markdown|sarif")


@pytest.mark.parametrize("text", ["..", "", "..HEAD"])
def test_a_variable_that_was_not_set(someone: Person, text: str) -> None:
    someone.change(ATTACKS["owner"])
    someone.change(lambda file: file.rm_owner("dev", MALLORY))
    assert someone("verify", text).code == 2


def test_a_shallow_clone(someone: Person) -> None:
    someone.change(lambda file: file.add_secret("dev", "new", "1"))
    place = someone.folder.parent / "shallow"
    ci = Person(place, place.with_name("shallow-home"), name="ci")
    ci.git("clone", "-q", "--depth", "1", f"file://{someone.folder}", str(place), folder=someone.folder.parent)
    for words in (("HEAD",), ("--history",), ("HEAD..",)):
        ci("verify", *words).failed(6, "does not have the whole history", "fetch-depth: 0")
    assert ci("verify").code == 0


def test_outside_git(someone: Person, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    file = outside / FILE
    file.write_bytes(someone.file.read_bytes())
    someone("verify", "HEAD", "-f", str(file)).failed(6, "is not in a git work tree", "only git knows")
    assert someone("verify", "-f", str(file)).code == 0
    empty = Person(outside, tmp_path / "outside-home", name=ALICE)
    empty.git("init", "-q")
    empty("verify", "HEAD").failed(6, "has no commit yet", "git commit")


def test_a_file_that_git_does_not_have(someone: Person) -> None:
    other = someone.folder / "other.yaml"
    other.write_bytes(someone.file.read_bytes())
    result = someone("verify", "HEAD", "-f", "other.yaml")
    assert result.code == 0
    assert "work tree" in someone.done("verify", "HEAD", "-f", "other.yaml", "--verbose")


def test_a_version_with_conflict_markers(someone: Person) -> None:
    good = someone.file.read_text()
    someone.file.write_text(f"<<<<<<< ours\n{good}=======\n>>>>>>> theirs\n")
    someone.commit("oops")
    result = someone("verify", "HEAD~1..")
    assert result.code == 1
    assert "violation  file: this version does not load: line 1: the file has git's conflict markers" in result.out
    someone("verify", "HEAD").failed(3, "conflict markers", "pprotect resolve")
    someone.file.write_text(good)
    someone.commit("mended")
    result = someone("verify", "--history")
    assert result.code == 0
    assert "attention  file: this version does not load" in result.out


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_hides_behind_a_version_that_does_not_load(someone: Person, attack: str) -> None:
    hostile = ATTACKS[attack](someone.store())
    someone.file.write_text("nonsense")
    someone.commit("oops")
    someone.put(hostile)
    someone.commit("mended")
    result = someone("verify", "HEAD~1..")
    assert result.code == 1
    assert FOUND[attack][0] in result.out


@pytest.mark.parametrize("attack", [None, *ATTACKS])
def test_removed_and_there_again(someone: Person, attack: str | None) -> None:
    file = someone.store()
    someone.git("rm", "-q", FILE)
    someone.git("commit", "-qm", "gone")
    someone.put(ATTACKS[attack](file) if attack else file)
    someone.commit("back")
    assert someone("verify", "HEAD~2..").code == (1 if attack else 0)
    assert someone("verify", "HEAD~1..").code == (1 if attack else 0)


def test_a_merge_of_honest_branches(someone: Person) -> None:
    someone.branch("one", lambda file: file.rotate_domain_key("dev", CREDS[ALICE]))
    someone.branch("two", lambda file: file.set_secret("prod", "new", "1", creds=CREDS[BOB]))
    if not someone.merge("one"):
        someone.done("resolve")
        someone.commit("merged")
    result = someone("verify", "--history")
    assert result.code == 0
    assert "violation" not in result.out.replace("no violation", "")


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_merge_commit_is_no_hiding_place(someone: Person, attack: str) -> None:
    """Neither parent has it."""
    someone.branch("one", lambda file: file.set_secret("prod", "one", "1"))
    someone.git("checkout", "-q", "main")
    someone.git("merge", "-q", "--no-ff", "--no-commit", "one")
    someone.put(ATTACKS[attack](someone.store()))
    someone.commit("merged")
    for words in (("HEAD~1..",), ("HEAD^2..",), ("--history",)):
        result = someone("verify", *words)
        assert result.code == 1
        assert FOUND[attack][0] in result.out


def test_a_merge_that_undoes_a_removal(someone: Person) -> None:
    """Bob was removed on main; a merge takes the other side."""
    old = someone.store()
    someone.branch("side", lambda file: file.set_secret("prod", "side", "1"))
    side = someone.store()
    someone.git("checkout", "-q", "main")
    someone.change(lambda file: file.rm_owner("dev", BOB, CREDS[ALICE]))
    someone.merge("side")
    someone.put(side)
    someone.commit("merged")
    assert old.get_domain_owner_names("dev") == [ALICE, BOB]
    result = someone("verify", "HEAD~1..")
    assert result.code == 1
    assert "domain/dev" in result.out


def test_from_a_folder_below(someone: Person) -> None:
    below = someone.folder / "a" / "b"
    below.mkdir(parents=True)
    someone.change(ATTACKS["owner"])
    result = someone("verify", "HEAD~1..", folder=below)
    assert result.code == 1
    assert result.out.startswith(f"file: ../../{FILE}\n")


def test_an_anchor_in_ci(someone: Person, ci: Person) -> None:
    """Nothing but fingerprints is known."""
    alice, bob = (f"{name}={someone.store().get_fingerprint(name).hex()}" for name in (ALICE, BOB))
    assert ci("verify", env={"PPROTECT_TRUST": f"{alice};{bob}"}).code == 0
    result = ci("verify", "--trust", bob)
    assert result.code == 1
    assert f"violation  domain/dev: its key and owners do not lead back to {BOB} [untrusted]\n" in result.out
    ci.put(ATTACKS["domain"](ci.store()))
    assert ci("verify", env={"PPROTECT_TRUST": f"{alice};{bob}"}).code == 1


def test_hostile_commits_stay_on_their_line(someone: Person) -> None:
    mallory = someone.clone(MALLORY)
    mallory.put(ATTACKS["owner"](mallory.store()))
    mallory.git("add", FILE)
    subject = "\x1b[2K\rclean: no violation ##[error] ::error:: \u202e"
    mallory.git("-c", "user.name=\x1b[31mX", "commit", "-qm", subject)
    for form in FORMATS:
        result = mallory("verify", "HEAD~1..", "--output-format", form)
        assert result.code == 1
        assert not [char for char in ("\x1b", "\r", "\u202e", "##[") if char in result.out], form


def test_progress_is_for_terminals(someone: Person) -> None:
    content = someone.store()
    for number in range(55):
        content = saved(content.set_secret("prod", "n", str(number)))
        someone.put(content)
        someone.git("commit", "-qam", str(number))
    result = someone("verify", "--history")
    assert (result.code, result.err) == (0, "")
    terminal = someone.terminal("verify", "--history")
    assert terminal.end() == 0
    assert "judged 56 of 56 versions" in terminal.shown


def test_an_unsigned_history(tmp_path: Path) -> None:
    alice = founder(tmp_path, unsigned_file())
    alice.change(lambda file: file.rotate_domain_key("dev", CREDS[ALICE]), "rotated")
    result = alice("verify", "--history")
    assert result.code == 0
    assert f"attention  domain/dev: its first statement, by {ALICE}" in result.out
    assert os.path.isdir(alice.folder)
    assert KEYS[ALICE] not in result.out
    assert DEV["API_KEY"] not in result.out
    assert signed_file().file_id != unsigned_file().file_id


def test_a_version_that_is_too_large_is_told_and_the_next_ones_are_judged(someone: Person) -> None:
    good = someone.store()
    someone.file.write_bytes(b"#" * (11 * 1024 * 1024))
    someone.commit("large")
    someone.put(good)
    someone.commit("small")
    result = someone("verify", "HEAD~2..")
    assert result.code == 0
    assert "has more than 10485760 bytes" in result.out
    assert someone("verify", "HEAD~1..").code == 0


def test_a_file_that_gives_way_to_a_link_is_refused_in_ci(someone: Person) -> None:
    someone.git("mv", "protected.yaml", "other.yaml")
    someone.file.symlink_to("other.yaml")
    someone.git("add", "-A")
    someone.git("commit", "-qm", "tidy")
    result = someone("verify", "HEAD~1..")
    assert result.code == 1
    assert "violation  file: the path has no regular file any more" in result.out
