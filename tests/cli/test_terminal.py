"""Questions at a real terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess

import pytest
from shell import ALICE, BIN, BOB, CAROL, COMMANDS, DEV, KEYS, SECONDS, Shell, as_variables

from pocket_protector import Creds

ESCAPE = "\x1b["


@pytest.mark.parametrize("command", COMMANDS)
def test_init_asks_and_shows_no_passphrase(empty: Shell, command: str) -> None:
    empty.command = command
    terminal = empty.terminal("init", "--key-type", "fast")
    terminal.answer("User email: ", ALICE)
    terminal.answer("Passphrase: ", "a quiet harbour")
    terminal.answer("Retype passphrase: ", "a quiet harbour")
    assert terminal.end() == 0
    assert "harbour" not in terminal.shown
    assert ALICE in terminal.shown
    assert empty.store().check_creds(Creds(ALICE, "a quiet harbour"))


def test_init_leaves_nothing_behind_when_the_two_differ(empty: Shell) -> None:
    terminal = empty.terminal("init")
    terminal.answer("User email: ", ALICE)
    terminal.answer("Passphrase: ", "a quiet harbour")
    terminal.answer("Retype passphrase: ", "a quiet arbour")
    assert terminal.end() == 2
    assert "error: the two do not match" in terminal.shown
    assert [path.name for path in empty.folder.iterdir()] == [".git"]


@pytest.mark.parametrize("at", ["User email: ", "Passphrase: ", "Retype passphrase: "])
@pytest.mark.parametrize("how", ["interrupt", "end"])
def test_init_leaves_nothing_behind_when_it_is_broken_off(empty: Shell, at: str, how: str) -> None:
    terminal = empty.terminal("init")
    for prompt, answer in (("User email: ", ALICE), ("Passphrase: ", "harbour"), ("Retype passphrase: ", "")):
        if prompt == at:
            terminal.expect(prompt)
            break
        terminal.answer(prompt, answer)
    if how == "interrupt":
        terminal.interrupt()
    else:
        terminal.send("\x04")
    assert terminal.end() == (130 if how == "interrupt" else 2)
    assert ("error: no answer to" in terminal.shown) == (how == "end")
    assert [path.name for path in empty.folder.iterdir()] == [".git"]


def test_a_made_raw_key_is_shown_once_and_must_be_confirmed(empty: Shell) -> None:
    terminal = empty.terminal("init", "--key-type", "raw", "--user", ALICE)
    terminal.answer("Type YES to confirm: ", "YES")
    assert terminal.end() == 0
    keys = re.findall("P[0-9a-f]{64}P", terminal.shown)
    assert len(keys) == 1
    assert empty.store().check_creds(Creds(ALICE, keys[0]))


@pytest.mark.parametrize("answer", ["yes", "y", "", "NO"])
def test_a_raw_key_that_is_not_confirmed_is_not_used(empty: Shell, answer: str) -> None:
    terminal = empty.terminal("init", "--key-type", "raw", "--user", ALICE)
    terminal.answer("Type YES to confirm: ", answer)
    assert terminal.end() == 0
    assert "nothing was written" in terminal.shown
    assert not empty.file.exists()


def test_a_made_key_goes_to_the_terminal_even_where_stderr_is_a_file(empty: Shell) -> None:
    terminal = empty.terminal(script=f"pprotect init --key-type raw --user {ALICE} >out 2>err")
    terminal.answer("Type YES to confirm: ", "YES")
    assert terminal.end() == 0
    assert re.search("P[0-9a-f]{64}P", terminal.shown)
    assert (empty.folder / "out").read_text() == ""
    assert not re.search("P[0-9a-f]{64}P", (empty.folder / "err").read_text())


def test_questions_go_to_the_terminal_even_where_stdout_and_stderr_are_files(team: Shell) -> None:
    terminal = team.terminal(script="pprotect get dev API_KEY >out 2>err")
    terminal.answer("User email: ", ALICE)
    terminal.answer("Passphrase: ", KEYS[ALICE])
    assert terminal.end() == 0
    assert (team.folder / "out").read_text() == DEV["API_KEY"]
    err = (team.folder / "err").read_text()
    assert "User email: " not in err
    assert KEYS[ALICE] not in terminal.shown + err


def test_an_answer_in_a_command_substitution(team: Shell) -> None:
    terminal = team.terminal(script='value=$(pprotect get dev API_KEY); test "$value" = tulip-dev-api && echo same')
    terminal.answer("User email: ", ALICE)
    terminal.answer("Passphrase: ", KEYS[ALICE])
    terminal.expect("same")
    assert terminal.end() == 0


def test_add_owner_asks_in_order(team: Shell) -> None:
    terminal = team.terminal("add-owner")
    terminal.answer("User email: ", ALICE)
    terminal.answer("Passphrase: ", KEYS[ALICE])
    terminal.answer("Domain name: ", "dev")
    terminal.answer("New owner email: ", CAROL)
    assert terminal.end() == 0
    assert team.values(name=CAROL) == DEV


def test_a_value_is_typed_unseen(team: Shell) -> None:
    terminal = team.terminal("add-secret")
    terminal.answer("Domain name: ", "dev")
    terminal.answer("Secret name: ", "new")
    terminal.answer("Secret value: ", "hunter2 ☃")
    assert terminal.end() == 0
    assert "hunter2" not in terminal.shown
    assert team.values()["new"] == "hunter2 ☃"


def test_non_interactive_never_asks(team: Shell) -> None:
    for words in (("add-domain",), ("add-secret",), ("rm-owner",), ("migrate-owner", CAROL)):
        terminal = team.terminal(*words, "--non-interactive", env=as_variables(BOB))
        assert terminal.end() == 2
        assert "--non-interactive allows no question" in terminal.shown
        assert "hint: give " in terminal.shown


def test_get_ends_the_line_on_a_terminal(team: Shell) -> None:
    team.done("trust", "accept", "--yes")
    terminal = team.terminal("get", "dev", "API_KEY", env=as_variables())
    assert terminal.end() == 0
    assert terminal.shown == f"{DEV['API_KEY']}\r\n"


def test_a_first_contact_is_noted_once(team: Shell) -> None:
    for noted in (True, False):
        terminal = team.terminal("get", "dev", "API_KEY", env=as_variables())
        assert terminal.end() == 0
        assert ("note: first contact with this file: compare its custodians' fingerprints" in terminal.shown) == noted


@pytest.mark.parametrize(("answer", "written"), [("y", True), ("yes", True), ("n", False), ("", False)])
def test_confirm(team: Shell, answer: str, written: bool) -> None:
    terminal = team.terminal("rm-domain", "prod", "--confirm")
    terminal.answer("Write changes? [y/N]: ", answer)
    assert terminal.end() == 0
    assert ("nothing was written" in terminal.shown) != written
    assert (team.store().get_domain_names() == ["dev"]) == written


@pytest.mark.parametrize(
    ("env", "script", "coloured"),
    [
        ({}, "pprotect rm-domain prod --confirm --yes", True),
        ({"NO_COLOR": "1"}, "pprotect rm-domain prod --confirm --yes", False),
        ({"TERM": "dumb"}, "pprotect rm-domain prod --confirm --yes", False),
        ({}, "pprotect rm-domain prod --confirm --yes 2>&1 | cat", False),
    ],
)
def test_colour_only_where_a_terminal_wants_it(team: Shell, env: dict[str, str], script: str, coloured: bool) -> None:
    terminal = team.terminal(script=script, env=env)
    assert terminal.end() == 0
    assert "-prod:" in terminal.shown
    assert (ESCAPE in terminal.shown) == coloured


@pytest.mark.parametrize(("words", "status"), [(("--help",), 0), (("get",), 2)])
def test_no_color_for_help_and_errors(team: Shell, words: tuple[str, ...], status: int) -> None:
    terminal = team.terminal(*words, env={"NO_COLOR": "1"})
    assert terminal.end() == status
    assert "\x1b[3" not in terminal.shown


def test_an_answer_that_is_no_text(team: Shell) -> None:
    for words, question in ((("rm-secret",), "Domain name: "), (("add-secret", "dev", "new"), "Secret value: ")):
        terminal = team.terminal(*words)
        terminal.expect(question)
        terminal.send(b"\xff\n")
        assert terminal.end() == 2
        assert "is not UTF-8 text" in terminal.shown


def test_interrupted_while_it_waits(team: Shell) -> None:
    terminal = team.terminal("get", "dev", "API_KEY")
    terminal.expect("User email: ")
    terminal.interrupt()
    assert terminal.end() == 130
    assert "error" not in terminal.shown


def test_a_terminal_that_is_not_the_controlling_one(team: Shell) -> None:
    """Then there is no /dev/tty, and questions go to stderr; answers are not shown all the same."""
    master, slave = pty.openpty()
    child = subprocess.Popen(
        [str(BIN / "pprotect"), "get", "dev", "API_KEY"],
        cwd=team.folder,
        env=team.environment(),
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert child.stderr is not None
    shown = b""
    for prompt, answer in ((b"User email: ", ALICE), (b"Passphrase: ", KEYS[ALICE])):
        while not shown.endswith(prompt):
            byte = child.stderr.read(1)
            assert byte, shown
            shown += byte
        os.write(master, f"{answer}\n".encode())
    out, err = child.communicate(timeout=SECONDS)
    assert (child.returncode, out) == (0, DEV["API_KEY"].encode())
    assert KEYS[ALICE].encode() not in shown + err
    echoed = os.read(master, 10_000)
    assert ALICE.encode() in echoed
    assert KEYS[ALICE].encode() not in echoed
    os.close(master)
    os.close(slave)
