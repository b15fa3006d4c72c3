"""Where credentials come from, in which order, and what is said of wrong ones."""

from __future__ import annotations

import pytest
from shell import ALICE, BOB, CAROL, DEV, KEYS, Shell, as_variables

from pocket_protector import AccessError, Creds

WRONG = "P" + "00" * 32 + "P"
GET = ("get", "dev", "API_KEY")


def test_variables(team: Shell) -> None:
    assert team.done(*GET, env=as_variables()) == DEV["API_KEY"]


def test_options_win_over_variables(team: Shell) -> None:
    assert team.done(*GET, *team.as_(ALICE), env=as_variables(CAROL)) == DEV["API_KEY"]
    assert team.done(*GET, "-u", ALICE, env=as_variables() | {"PPROTECT_USER": CAROL}) == DEV["API_KEY"]


def test_variables_win_over_questions(team: Shell) -> None:
    assert team.done(*GET, env=as_variables(), stdin=f"{CAROL}\n{KEYS[CAROL]}\n") == DEV["API_KEY"]


def test_what_variables_leave_out_is_asked_for(team: Shell) -> None:
    result = team(*GET, env={"PPROTECT_USER": ALICE}, stdin=f"{KEYS[ALICE]}\n")
    assert result.out == DEV["API_KEY"]
    assert f"using user {ALICE} from env var: PPROTECT_USER" in result.err
    assert team.done(*GET, env={"PPROTECT_PASSPHRASE": KEYS[ALICE]}, stdin=f"{ALICE}\n") == DEV["API_KEY"]


@pytest.mark.parametrize("right", ["variables", "lines"])
def test_a_wrong_passphrase_file_never_falls_through(team: Shell, right: str) -> None:
    path = team.home / "wrong"
    path.write_text(WRONG)
    env, stdin = (as_variables(), None) if right == "variables" else ({}, f"{ALICE}\n{KEYS[ALICE]}\n")
    result = team(*GET, "-u", ALICE, "--passphrase-file", str(path), env=env, stdin=stdin)
    result.failed(4, f"wrong passphrase for '{ALICE}' (from passphrase file: {path})")


def test_a_wrong_variable_never_falls_through(team: Shell) -> None:
    env = as_variables() | {"PPROTECT_PASSPHRASE": WRONG}
    result = team(*GET, env=env, stdin=f"{KEYS[ALICE]}\n")
    result.failed(4, f"wrong passphrase for '{ALICE}' (from env var: PPROTECT_PASSPHRASE)")


def test_a_wrong_answer_is_said_to_be_one(team: Shell) -> None:
    team(*GET, stdin=f"{ALICE}\n{WRONG}\n").failed(4, "(from prompt)")


@pytest.mark.parametrize(
    ("env", "error"),
    [
        ({"PPROTECT_USER": ""}, "no user is given (env var: PPROTECT_USER is empty or not set)"),
        ({"PPROTECT_PASSPHRASE": ""}, "no passphrase is given (env var: PPROTECT_PASSPHRASE is empty or not set)"),
    ],
)
def test_an_empty_variable_is_wrong_too(team: Shell, env: dict[str, str], error: str) -> None:
    team(*GET, env=as_variables() | env, stdin=f"{ALICE}\n{KEYS[ALICE]}\n").failed(4, error, "or set PPROTECT_")


def test_empty_options_are_wrong_too(alice: Shell) -> None:
    alice(*GET, "-u", "").failed(4, "no user is given (argument is empty", "-u NAME, or set PPROTECT_USER")
    alice(*GET, "--passphrase-file", "").failed(6, "cannot read")
    blank = alice.home / "blank"
    blank.write_text(" \n")
    alice(*GET, "--passphrase-file", str(blank)).failed(4, f"no passphrase is given (passphrase file: {blank} is empty")


def test_a_passphrase_file_is_stripped(team: Shell) -> None:
    path = team.home / "key"
    path.write_text(f"\n  {KEYS[ALICE]}\t\r\n\n")
    assert team.done(*GET, "-u", ALICE, "--passphrase-file", str(path)) == DEV["API_KEY"]


@pytest.mark.parametrize(("content", "code"), [(b"\xff\xfe", 2), (b"x" * 100_000, 6), (None, 6)])
def test_a_passphrase_file_that_is_none(team: Shell, content: bytes | None, code: int) -> None:
    path = team.home / "odd"
    if content is not None:
        path.write_bytes(content)
    team(*GET, "-u", ALICE, "--passphrase-file", str(path)).failed(code, str(path))


def test_a_passphrase_that_is_no_text(team: Shell) -> None:
    result = team.sh(r"PPROTECT_PASSPHRASE=$'\xff' pprotect get dev API_KEY", env={"PPROTECT_USER": ALICE})
    result.failed(4, "(from env var: PPROTECT_PASSPHRASE)")


def test_unknown_custodians_and_those_who_own_nothing(team: Shell) -> None:
    team(*GET, env=as_variables() | {"PPROTECT_USER": "alise@example.com"}).failed(4, "alise", f"'{ALICE}'")
    team(*GET, *team.as_(CAROL)).failed(4, CAROL)
    team("get", "prod", "API_KEY", *team.as_(ALICE)).failed(4, ALICE)


def test_ignore_env(team: Shell) -> None:
    result = team(*GET, "--ignore-env", env=as_variables(), stdin=f"{BOB}\n{KEYS[BOB]}\n")
    assert result.out == DEV["API_KEY"]
    assert "Verify credentials" in result.err
    team(*GET, "--ignore-env", env=as_variables()).failed(4, "stdin ended before the answer to 'User email'", "-u NAME")
    assert "or set" not in team(*GET, "--ignore-env", env=as_variables()).err


def test_non_interactive(team: Shell) -> None:
    answers = f"{ALICE}\n{KEYS[ALICE]}\n"
    team(*GET, "--non-interactive", stdin=answers).failed(4, "no user is given", "-u NAME, or set PPROTECT_USER")
    result = team(*GET, "--non-interactive", stdin=answers, env={"PPROTECT_USER": ALICE})
    result.failed(4, "env var: PPROTECT_PASSPHRASE is empty or not set", "--passphrase-file PATH")
    assert team.done(*GET, "--non-interactive", env=as_variables()) == DEV["API_KEY"]


def test_non_interactive_and_ignore_env(team: Shell) -> None:
    words = (*GET, "--non-interactive", "--ignore-env")
    assert team.done(*words, *team.as_(ALICE)) == DEV["API_KEY"]
    for more in ((), ("-u", ALICE), ("--passphrase-file", team.key_file())):
        team(*words, *more, env=as_variables()).failed(2, "needs the credentials as options", "-u NAME --pass")


def test_another_prefix(team: Shell) -> None:
    env = as_variables(ALICE, "DEPLOY") | as_variables(CAROL)
    assert team.done(*GET, "--env-prefix", "DEPLOY", env=env) == DEV["API_KEY"]
    assert team.done(*GET, env=env | {"PPROTECT_ENV_PREFIX": "DEPLOY"}) == DEV["API_KEY"]
    assert team.done(*GET, "--env-prefix=DEPLOY", env=env | {"PPROTECT_ENV_PREFIX": "OTHER"}) == DEV["API_KEY"]


def test_a_prefix_is_named_in_messages_and_hides_the_default(team: Shell) -> None:
    result = team(*GET, "--non-interactive", "--env-prefix", "DEPLOY", env=as_variables())
    result.failed(4, "DEPLOY_USER is empty or not set", "or set DEPLOY_USER")
    env = as_variables(ALICE, "DEPLOY") | {"DEPLOY_PASSPHRASE": WRONG}
    team(*GET, "--env-prefix", "DEPLOY", env=env | as_variables()).failed(4, "(from env var: DEPLOY_PASSPHRASE)")


@pytest.mark.parametrize(
    ("words", "env", "source"),
    [
        ((), as_variables() | {"PPROTECT_USER": "zed"}, "env var: PPROTECT_USER"),
        (("--env-prefix", "A"), {"A_USER": "zed"}, "env var: A_USER"),
        (("-u", "zed"), as_variables(), "argument"),
        ((), {"PPROTECT_PASSPHRASE": "x"}, "prompt"),
    ],
)
def test_where_an_unknown_user_came_from(team: Shell, words: tuple[str, ...], env: dict[str, str], source: str) -> None:
    stdin = "x\n" if source.startswith("env") else "zed\n"
    team(*GET, *words, env=env, stdin=stdin).failed(4, f"no key custodian named 'zed' (from {source}) (known: alice")


def test_missing_credentials_are_missing_access(team: Shell) -> None:
    team(*GET).failed(4, "stdin ended before the answer to 'User email'", "-u NAME, or set PPROTECT_USER")
    result = team(*GET, "--env-prefix", "FOO", stdin=f"{ALICE}\n")
    result.failed(4, "stdin ended before the answer to 'Passphrase'", "--passphrase-file PATH, or set FOO_PASSPHRASE")


def test_the_hint_names_the_variables_that_were_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, hint in (("", "set FOO_USER"), ("ann", "set FOO_PASSPHRASE")):
        monkeypatch.setenv("FOO_USER", name)
        with pytest.raises(AccessError) as caught:
            Creds.from_env("FOO").require()
        assert caught.value.hint == hint


def test_a_derivation_without_memory_is_not_the_passphrase(team: Shell) -> None:
    team.done("add-key-custodian", "dave", "--key-type", "hard", stdin="a harbour\na harbour\n")
    env = {"PPROTECT_USER": "dave", "PPROTECT_PASSPHRASE": "a harbour"}
    result = team.sh('unset "${!COVERAGE_@}"; ulimit -v 250000; pprotect list-user-secrets', env=env)
    result.failed(4, "the key derivation failed: it needs 262144 KiB of memory")
    assert "(from" not in result.err


# Commands that make or change an identity take no one's from the environment.


@pytest.mark.parametrize("command", ["set-key-custodian-passphrase", "rekey-custodian"])
def test_a_passphrase_is_not_changed_by_what_the_environment_holds(alice: Shell, command: str) -> None:
    words = (command, "--key-type", "raw", "--new-passphrase-file", alice.key_file(CAROL))
    alice(*words).failed(4, "'User email'", "give CUSTODIAN")
    alice(*words, "", "--passphrase-file", alice.key_file(BOB)).failed(4, "no user is given", "give CUSTODIAN")
    alice(*words, ALICE).failed(4, "'Current passphrase'", "--passphrase-file PATH")
    alice(*words, ALICE, "--passphrase-file", alice.key_file(BOB)).failed(4, "wrong passphrase")
    alice(*words, "nobody", "--passphrase-file", alice.key_file(BOB)).failed(4, "nobody")
    assert alice.values() == DEV


def test_add_key_custodian_takes_nothing_from_the_environment(alice: Shell) -> None:
    alice("add-key-custodian", "--key-type", "raw").failed(2, "'User email'", "give NAME")
    alice("add-key-custodian", "dave").failed(2, "'Passphrase'", "--new-passphrase-file PATH")


def test_init_takes_the_passphrase_for_a_user_from_the_environment(empty: Shell) -> None:
    words = ("init", "--key-type", "raw", "--user", ALICE)
    empty("init", "--key-type", "fast", env=as_variables()).failed(2, "'User email'", "--user NAME")
    empty(*words[:3], *words[1:], "--ignore-env", env=as_variables(), stdin="no\n")
    assert not empty.file.exists()
    empty.done(*words, env={"PPROTECT_PASSPHRASE": KEYS[ALICE]})
    assert empty.store().check_creds(_creds(ALICE))


def test_init_prefers_the_file(empty: Shell) -> None:
    empty.done("init", "--key-type", "raw", *empty.as_(ALICE), env={"PPROTECT_PASSPHRASE": WRONG})
    assert empty.store().check_creds(_creds(ALICE))


def _creds(name: str) -> Creds:
    return Creds(name, KEYS[name])
