"""Going from branch to branch, and throwing changes away: what was seen on one is not held against another."""

from __future__ import annotations

from dataclasses import replace

import pytest
from people import ATTACKS, CREDS, Person, loaded, with_keys_replaced
from shell import BOB, CAROL, DEV

READ = ("get", "dev", "API_KEY")
ADD = ("add-secret", "dev", "new", "--generate")


def switched(person: Person, branch: str) -> str:
    """What a read says on that branch."""
    person.git("checkout", "-q", branch)
    result = person(*READ)
    assert (result.code, result.out) == (0, DEV["API_KEY"])
    return result.err


@pytest.mark.parametrize(
    "commands",
    [
        pytest.param([("add-domain", "staging"), ("add-secret", "staging", "key", "--generate")], id="a domain"),
        pytest.param([("add-owner", "dev", CAROL)], id="an owner"),
        pytest.param([("set-secret", "dev", "db-password", "--generate")], id="a value"),
        pytest.param([("set-secret", "dev", "db-password", "--generate", "--sign")], id="a signed value"),
        pytest.param([("rm-secret", "dev", "db-password")], id="a removed value"),
    ],
)
def test_there_and_back_again(pinned: Person, commands: list[tuple[str, ...]]) -> None:
    """What a branch has is no removal on another, and no return on it; each can be worked on."""
    pinned.git("checkout", "-q", "-b", "topic")
    for words in commands:
        pinned.done(*words)
        pinned.commit(" ".join(words))
    assert "warning" not in switched(pinned, "main")
    assert switched(pinned, "topic") == ""
    pinned.done("add-secret", "dev", "on-topic", "--generate")
    pinned.commit("more on topic")
    assert "warning" not in switched(pinned, "main")
    pinned.done("add-secret", "dev", "on-main", "--generate")
    pinned.commit("more on main")
    assert "warning" not in switched(pinned, "topic")
    assert pinned.merge("main") or pinned("resolve").code == 0
    assert "warning" not in pinned(*READ).err
    assert pinned("verify").code == 0


def test_a_domain_on_another_branch_may_not_return_as_another(pinned: Person) -> None:
    pinned.git("checkout", "-q", "-b", "topic")
    pinned.done("add-domain", "staging")
    pinned.commit("staging")
    switched(pinned, "main")
    pinned.put(pinned.store().add_domain("staging", BOB, creds=CREDS[BOB]))
    pinned("add-secret", "staging", "key", "--generate").failed(5, "domain/staging", "pprotect trust accept")


def test_a_removed_domain_may_not_return_with_other_statements(pinned: Person) -> None:
    """As it was it may: that is an older branch as well. A history tells the two apart."""
    pinned.done("add-domain", "staging")
    pinned.commit("there")
    there = pinned.store()
    pinned.done("rm-domain", "staging")
    pinned.commit("gone")
    pinned.change(lambda file: there)
    assert "warning" not in pinned("add-secret", "staging", "key", "--generate").err
    assert "domain/staging" in pinned("verify", "HEAD~1..").out
    pinned.git("checkout", "-q", "HEAD~1", "--", "protected.yaml")
    pinned.put(pinned.store().add_domain("staging", BOB, creds=CREDS[BOB]))
    result = pinned("add-secret", "staging", "key", "--generate")
    result.failed(5, "domain/staging: its key or policy was replaced", "trust accept")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("rotate-domain-keys", "dev"), "domain/dev: older than what you saw"),
        (("rm-owner", "prod", CAROL), "domain/prod: older than what you saw"),
        (("set-policy", "dev", "--max-age", "90d"), "domain/dev: older than what you saw"),
        (("review", "prod", "--yes"), "secret/prod/API_KEY: older than what you saw: an owner has signed exactly this"),
    ],
)
def test_an_older_branch_is_told_and_can_be_written_on_purpose(
    someone: Person, command: tuple[str, ...], told: str
) -> None:
    bob = Person(someone.folder, someone.home, name=BOB)
    bob.change(lambda file: file.add_owner("prod", CAROL, CREDS[BOB]))
    bob.done("get", "prod", "API_KEY")
    bob.git("checkout", "-q", "-b", "old")
    bob.git("checkout", "-q", "main")
    bob.done(*command)
    bob.commit("newer")
    domain = told.split("/")[1].split(":", maxsplit=1)[0]
    bob.git("checkout", "-q", "old")
    assert f"warning: {told}" in bob("decrypt-domain", domain).err
    before, seen = bob.file.read_bytes(), bob.pin.read_bytes()
    bob("add-secret", domain, "new", "--generate").failed(5, told, "--behind")
    assert bob.file.read_bytes() == before
    bob.done("add-secret", domain, "new", "--generate", "--behind")
    bob.commit("on the old branch")
    assert bob.pin.read_bytes() == seen
    bob.git("checkout", "-q", "main")
    assert bob.merge("old") or bob("resolve").code == 0
    assert "warning" not in bob("get", domain, "API_KEY").err


def test_a_change_that_was_thrown_away(pinned: Person) -> None:
    """Values and owners are forgotten; a rotation stays seen until the user says that it was given up."""
    pinned.done("add-owner", "dev", CAROL)
    pinned.done("set-secret", "dev", "db-password", "--generate")
    pinned.git("checkout", "-q", "--", "protected.yaml")
    assert "warning" not in pinned(*READ).err
    pinned.done(*ADD)
    pinned.commit("new")
    pinned.done("rotate-domain-keys", "dev")
    pinned.git("checkout", "-q", "--", "protected.yaml")
    pinned("add-secret", "dev", "more", "--generate").failed(5, "older than what you saw", "--behind")
    assert pinned("trust", "accept", "--yes").code == 0
    pinned.done("add-secret", "dev", "more", "--generate")


def test_many_older_values_are_one_line(pinned: Person) -> None:
    for number in range(12):
        pinned.done("add-secret", "dev", f"s{number:02}", "--generate")
    pinned.commit("first")
    pinned.git("branch", "old")
    for number in range(12):
        pinned.done("set-secret", "dev", f"s{number:02}", "--generate")
    pinned.commit("second")
    pinned.git("checkout", "-q", "old")
    result = pinned(*ADD)
    assert result.code == 0
    lines = [line for line in result.err.splitlines() if line.startswith("note: ")]
    names = ", ".join(f"s{number:02}" for number in range(12))
    assert f"note: domain/dev: older values are back: {names}" in lines
    assert len(lines) == 2
    assert "note: " not in pinned(*READ).err


def test_a_removal_that_is_undone(pinned: Person) -> None:
    """The rotation ended the old grant, whoever puts it back."""
    pinned.done("add-owner", "dev", CAROL)
    there = pinned.store()
    pinned.done("rm-owner", "dev", CAROL)
    gone = pinned.store().document
    owners = {**gone.domains["dev"].owners, CAROL: there.document.domains["dev"].owners[CAROL]}
    pinned.put(loaded(gone.with_domain(replace(gone.domains["dev"], owners=owners))))
    assert CAROL not in pinned.store().authority("dev").owners.counting
    pinned.put(there)
    pinned("add-secret", "dev", "x", "--generate").failed(5, "domain/dev: older than what you saw", "--behind")


def test_what_was_thrown_away_and_done_again_is_said_at_once(pinned: Person) -> None:
    pinned.done("add-domain", "staging")
    pinned.git("checkout", "-q", "--", "protected.yaml")
    result = pinned("add-domain", "staging")
    assert result.code == 0
    assert "warning: domain/staging: " in result.err
    assert "if you threw that away yourself: pprotect trust accept" in result.err
    assert pinned("trust", "accept", "--yes").code == 0
    pinned.done("add-secret", "staging", "key", "--generate")


def test_resolve_warns_of_what_the_other_branch_did(pinned: Person) -> None:
    pinned.branch("evil", with_keys_replaced(), lambda file: file.add_secret("dev", "x", "1"))
    pinned.git("checkout", "-q", "main")
    pinned.change(lambda file: file.add_secret("dev", "y", "1"))
    pinned.done(*READ)
    assert not pinned.merge("evil")
    result = pinned("resolve")
    assert result.code == 0
    assert f"warning: custodian/{BOB}: the keys were replaced" in result.err


def test_a_policy_that_was_seen_is_asked_of_the_epoch_before_it(pinned: Person) -> None:
    before = pinned.store()
    pinned.done("set-policy", "dev", "--require-signed")
    domain = before.set_secret("dev", "API_KEY", "evil").document.domains["dev"]
    pinned.put(loaded(pinned.store().document.with_domain(domain)))
    for words in (READ, ("decrypt-domain", "dev"), ("run", "dev", "--uppercase", "--", "printenv", "API_KEY")):
        pinned(*words).failed(8, "'dev' may not be used")


def test_trust_remembers_what_it_showed_first(someone: Person) -> None:
    someone.done("trust")
    someone.put(with_keys_replaced()(someone.store()))
    someone(*ADD).failed(5, f"custodian/{BOB}: the keys were replaced")


def test_a_policy_that_was_seen_is_asked_of_what_stands_there_in_its_place(pinned: Person) -> None:
    """In two steps: the domain goes without a word, and somebody else's is there."""
    pinned.done("set-policy", "dev", "--require-signed")
    policy = pinned.store()
    pinned.put(loaded(replace(policy.document, domains={"prod": policy.document.domains["prod"]})))
    pinned.done("trust", "accept", "--yes")
    pinned.put(ATTACKS["domain"](policy))
    pinned(*READ).failed(8, "'dev' may not be used")
