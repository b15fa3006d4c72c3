"""Two people and their CI, from the first command to the last, in a real repository."""

from __future__ import annotations

import subprocess

import pytest
from shell import ALICE, BOB, COMMANDS, Shell, make_shell

WORDS = {ALICE: "alice's quiet harbour", BOB: "bob's tulip fields"}


def git(shell: Shell, *words: str) -> str:
    who = {f"GIT_{role}_{what}": "x@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["git", *words], cwd=shell.folder, env=shell.environment(who), check=True, capture_output=True, text=True
    )
    return done.stdout


def committed(shell: Shell, message: str) -> None:
    git(shell, "add", "protected.yaml")
    git(shell, "commit", "-qm", message)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_story(empty: Shell, command: str) -> None:
    alice = empty
    alice.command = command
    (alice.folder / ".git").rmdir()
    git(alice, "init", "-q", "-b", "main")
    alice_begins(alice)
    bob = bob_clones_and_adds_himself(alice)
    alice_lets_bob_in(alice, bob)
    ci = ci_runs_a_program(alice)
    bob_leaves(alice, bob, ci)
    the_log_tells_it_all(alice)


def alice_begins(alice: Shell) -> None:
    terminal = alice.terminal("init", "--key-type", "fast")
    terminal.answer("User email: ", ALICE)
    terminal.answer("Passphrase: ", WORDS[ALICE])
    terminal.answer("Retype passphrase: ", WORDS[ALICE])
    assert terminal.end() == 0
    terminal = alice.terminal("add-domain", "dev")
    terminal.answer("User email: ", ALICE)
    terminal.answer("Passphrase: ", WORDS[ALICE])
    assert terminal.end() == 0
    terminal = alice.terminal("add-secret", "dev", "db-password")
    terminal.answer("Secret value: ", "hunter2")
    assert terminal.end() == 0
    committed(alice, "keep our secrets here")


def bob_clones_and_adds_himself(alice: Shell) -> Shell:
    """He has no access, and adds a secret all the same."""
    folder, home = alice.folder.parent / "bob", alice.folder.parent / "bobs-home"
    home.mkdir()
    bob = Shell(folder, home, alice.command)
    git(alice, "clone", "-q", str(alice.folder), str(folder))
    terminal = bob.terminal("add-key-custodian", "--key-type", "fast")
    terminal.answer("User email: ", BOB)
    terminal.answer("Passphrase: ", WORDS[BOB])
    terminal.answer("Retype passphrase: ", WORDS[BOB])
    assert terminal.end() == 0
    bob.done("add-secret", "dev", "api-key", "--from-file", "-", stdin="tulip")
    bob.variables |= {"PPROTECT_USER": BOB, "PPROTECT_PASSPHRASE": WORDS[BOB]}
    bob("get", "dev", "api-key").failed(4, BOB)
    committed(bob, "Bob is here")
    return bob


def alice_lets_bob_in(alice: Shell, bob: Shell) -> None:
    """Git merges his secret with the one that she set meanwhile."""
    alice.done("set-secret", "dev", "session-key", "--generate", "40")
    committed(alice, "a session key")
    git(alice, "pull", "-q", "--no-rebase", "--no-edit", str(bob.folder), "main")
    alice.variables |= {"PPROTECT_USER": ALICE, "PPROTECT_PASSPHRASE": WORDS[ALICE]}
    alice.done("add-owner", "dev", BOB)
    committed(alice, "Bob may read dev")
    git(bob, "pull", "-q", "--no-edit", str(alice.folder), "main")
    assert bob.done("list-user-secrets") == "dev: api-key, db-password, session-key\n"
    assert bob.done("get", "dev", "db-password") == "hunter2"


def ci_runs_a_program(alice: Shell) -> Shell:
    """With a key that is printed once."""
    key = alice.done("add-key-custodian", "ci", "--key-type", "raw", "--yes").strip()
    alice.done("add-owner", "dev", "ci")
    committed(alice, "CI may read dev")
    ci = make_shell(alice.folder.parent / "ci")
    ci.command = alice.command
    ci.file.write_bytes(alice.file.read_bytes())
    ci.variables |= {"PPROTECT_USER": "ci", "PPROTECT_PASSPHRASE": key}
    assert ci.done("run", "dev", "--uppercase", "--", "sh", "-c", 'echo "$DB_PASSWORD/$API_KEY"') == "hunter2/tulip\n"
    return ci


def bob_leaves(alice: Shell, bob: Shell, ci: Shell) -> None:
    """What is set from now on he cannot read; what git's history holds he can."""
    alice.done("rm-owner", "dev", BOB)
    alice.done("rm-key-custodian", BOB)
    alice.done("update-secret", "dev", "db-password", stdin="hunter2 again")
    committed(alice, "Bob left")
    git(bob, "pull", "-q", "--no-edit", str(alice.folder), "main")
    bob("get", "dev", "db-password").failed(4, BOB)
    old = git(bob, "show", "HEAD~1:protected.yaml")
    (bob.home / "old.yaml").write_text(old)
    assert bob.done("get", "dev", "db-password", "-f", str(bob.home / "old.yaml")) == "hunter2"
    ci.file.write_bytes(alice.file.read_bytes())
    assert ci.done("get", "dev", "db-password") == "hunter2 again"


def the_log_tells_it_all(alice: Shell) -> None:
    """And no more than names."""
    log = alice.done("list-audit-log")
    for entry in (f"created key custodian {BOB}", f"added owner {BOB} to dev", f"removed owner {BOB} from dev"):
        assert entry in log
    assert "hunter2" not in log
    assert git(alice, "status", "--porcelain") == ""
