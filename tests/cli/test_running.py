"""Programs that are run with a domain's values."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from shell import ALICE, BIN, DEV, SECONDS, Shell, as_variables

RUN = ("run", "dev", "--uppercase", "--")
VALUES = {"API_KEY": DEV["API_KEY"], "DB_PASSWORD": DEV["db-password"]}


def started(shell: Shell, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [str(BIN / "pprotect"), *words],
        cwd=shell.folder,
        env=shell.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def variables(text: str) -> dict[str, str]:
    """What `env -0` printed, less what measuring coverage adds."""
    given = dict(item.split("=", 1) for item in text.split("\0") if item)
    given.pop("COVERAGE_PROCESS_CONFIG", None)
    return given


def with_secrets(shell: Shell, **values: str) -> Shell:
    """The shell, with a domain `more` of these secrets (`_` stands for `-` in no name)."""
    store = shell.store().add_domain("more", ALICE)
    for name, value in values.items():
        store = store.add_secret("more", name, value)
    store.write()
    return shell


@pytest.mark.parametrize("words", [RUN, ("exec", "--uppercase", "--domain", "dev", "--")])
def test_the_values_are_in_the_environment(alice: Shell, words: tuple[str, ...]) -> None:
    given = variables(alice.done(*words, "env", "-0", env={"OTHER": "kept"}))
    assert VALUES.items() <= given.items()
    assert given["OTHER"] == "kept"
    assert given["HOME"] == str(alice.home)


def test_the_program_takes_the_place(alice: Shell) -> None:
    child = started(alice, *RUN, "sh", "-c", "echo $$")
    out, _ = child.communicate(timeout=SECONDS)
    assert int(out) == child.pid


@pytest.mark.parametrize("status", [0, 1, 7, 255])
def test_its_status_is_the_status(alice: Shell, status: int) -> None:
    assert alice(*RUN, "sh", "-c", f"exit {status}").code == status


def test_a_signal_ends_it_as_it_does_without_us(alice: Shell) -> None:
    assert alice(*RUN, "sh", "-c", "kill -TERM $$").code == -signal.SIGTERM
    assert alice.sh("pprotect run dev -- sh -c 'kill -KILL $$'; echo $?").out == "137\n"


def test_it_gets_the_signals(alice: Shell) -> None:
    child = started(alice, *RUN, "sh", "-c", 'trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done')
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=SECONDS) == 9
    child.communicate()


def test_a_broken_pipe_ends_it_as_usual(alice: Shell) -> None:
    script = "yes | head -n 1 >/dev/null; echo ${PIPESTATUS[0]}"
    assert alice.done(*RUN, "bash", "-c", script) == f"{128 + signal.SIGPIPE}\n"


def test_stdin_and_arguments_pass_through(alice: Shell) -> None:
    given = b"\x00\xff" * 50_000
    assert alice(*RUN, "cat", stdin=given).raw == given
    assert alice.done(*RUN, "printf", "%s|", "", "a b", "*", "--", "-x", "$HOME") == "|a b|*|--|-x|$HOME|"


@pytest.mark.parametrize(
    ("program", "code", "error"),
    [
        ("no-such-program", 127, "cannot run no-such-program: not found"),
        ("./missing", 127, "cannot run ./missing: not found"),
        ("./plain", 126, "cannot run ./plain: permission denied"),
        ("./garbage", 126, "cannot run ./garbage: exec format error"),
        (".", 126, "cannot run .: permission denied"),
        ("./plain/x", 127, "cannot run ./plain/x: not found"),
    ],
)
def test_what_cannot_be_run(alice: Shell, program: str, code: int, error: str) -> None:
    (alice.folder / "plain").write_text("#!/bin/sh\n")
    (alice.folder / "garbage").write_bytes(b"\x00\x01garbage")
    (alice.folder / "garbage").chmod(0o700)
    alice(*RUN, program).failed(code, error)


@pytest.mark.parametrize(
    "words",
    [
        ("run", "dev", "env"),
        ("run", "dev"),
        ("run", "dev", "--"),
        ("run", "--", "env"),
        ("run", "dev", "env", "--", "true"),
        ("run", "dev", "-h=1", "--", "true"),
    ],
)
def test_the_program_stands_behind_dashes(alice: Shell, words: tuple[str, ...]) -> None:
    result = alice(*words)
    assert result.code == 2
    assert "error: " in result.err
    assert "hint: pprotect run" in result.err


def test_the_words_of_the_call_count_and_not_those_of_the_process(alice: Shell) -> None:
    script = """
import sys
from pocket_protector.cli.entry import run
sys.argv = ["other", "--", "words"]
run(["run", "dev", "--", "printenv", "API_KEY"])
"""
    result = alice._result([sys.executable, "-c", script], None, None, None)
    assert (result.code, result.out) == (0, DEV["API_KEY"] + "\n")


# What the program must not get


def test_our_credentials_are_taken_out(alice: Shell) -> None:
    env = as_variables(ALICE, "DEPLOY") | {"PPROTECT_ENV_PREFIX": "DEPLOY", "DEPLOY_OTHER": "kept"}
    env |= {"PPROTECT_RECIPIENT_KEY": "a key", "PPROTECT_PACKAGE_TOKEN": "a token"}
    given = variables(alice.done(*RUN, "env", "-0", env=env))
    assert not [name for name in given if name.startswith("PPROTECT")]
    assert [name for name in given if name.startswith("DEPLOY")] == ["DEPLOY_OTHER"]


def test_those_of_a_prefix_given_as_an_option_too(alice: Shell) -> None:
    env = as_variables(ALICE, "A") | as_variables(ALICE, "B") | {"PPROTECT_ENV_PREFIX": "B"}
    given = variables(alice.done("run", "dev", "--uppercase", "--env-prefix", "A", "--", "env", "-0", env=env))
    assert not [name for name in given if name.endswith(("_USER", "_PASSPHRASE", "_PREFIX"))]


def test_a_secret_of_such_a_name_is_given(alice: Shell) -> None:
    with_secrets(alice, PPROTECT_USER="someone")
    assert alice.done("run", "more", "--", "printenv", "PPROTECT_USER") == "someone\n"


def test_no_passthrough(alice: Shell) -> None:
    env = {"OTHER": "secret", "LC_ALL": "C.UTF-8"}
    given = variables(alice.done("run", "dev", "--uppercase", "--no-passthrough", "--", "env", "-0", env=env))
    assert set(given) - {"_"} == {"PATH", "HOME", "TERM", "LANG", *VALUES}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("PPROTECT_ALLOW_LOCAL_REFERENCES", ()),
        ("PPROTECT_TRUST", ()),
        ("PPROTECT_STATE_DIR", ()),
        ("PATH", ()),
        ("LD_PRELOAD", ()),
        ("DYLD_INSERT_LIBRARIES", ()),
        ("PYTHONPATH", ()),
        ("GIT_SSH_COMMAND", ()),
        ("BASH_ENV", ()),
        ("NODE_OPTIONS", ()),
        ("HOME", ()),
        ("XDG_CONFIG_HOME", ()),
        ("TAR_OPTIONS", ()),
        ("path", ("--uppercase",)),
        ("ld-preload", ("--uppercase",)),
        ("PRELOAD", ("--prefix", "LD")),
        ("askpass", ("--prefix", "GIT", "--uppercase")),
    ],
)
def test_names_that_change_how_programs_run(alice: Shell, name: str, words: tuple[str, ...]) -> None:
    with_secrets(alice, **{name: "/tmp/evil"})
    result = alice("run", "more", *words, "--", "touch", "ran")
    result.failed(6, f"secret '{name}' would set the variable", "--prefix APP")
    assert not (alice.folder / "ran").exists()
    if not words:
        assert alice.done("run", "more", "--prefix", "APP", "--", "printenv", f"APP_{name}") == "/tmp/evil\n"


def test_two_secrets_for_one_variable(alice: Shell) -> None:
    with_secrets(alice, **{"db-url": "1", "DB_URL": "2"})
    alice("run", "more", "--uppercase", "--", "true").failed(
        6, "the secrets 'DB_URL' and 'db-url' both map to the variable DB_URL", "rename one"
    )
    assert alice("run", "more", "--", "true").code == 0


def test_values_that_no_variable_holds(alice: Shell) -> None:
    with_secrets(alice, NUL="a\0b")
    alice("run", "more", "--", "true").failed(6, "secret 'NUL' has a NUL character")


def test_the_largest_value(alice: Shell) -> None:
    # `BIG=` and a final zero byte belong to the 128 KiB that Linux takes.
    with_secrets(alice, BIG="x" * (128 * 1024 - 5))
    out = alice.done("run", "more", "--", sys.executable, "-c", "import os; print(len(os.environ['BIG']))")
    assert int(out) == 128 * 1024 - 5
    alice.done("update-secret", "more", "BIG", "--from-file", "-", stdin="x" * (128 * 1024 - 4))
    alice("run", "more", "--", "true").failed(6, "secret 'BIG' is too large for a variable", "pprotect get")


def test_more_than_the_system_takes(alice: Shell) -> None:
    with_secrets(alice, **{f"B{number}": "x" * 120_000 for number in range(30)})
    if os.sysconf("SC_ARG_MAX") < 30 * 120_000:
        alice("run", "more", "--", "true").failed(126, "argument list too long")


# Names


def test_prefix_and_uppercase(alice: Shell) -> None:
    given = variables(alice.done("run", "dev", "--prefix", "My", "--uppercase", "--", "env", "-0"))
    assert {"My_API_KEY", "My_DB_PASSWORD"} <= set(given)
    given = variables(alice.done("run", "dev", "--prefix", "APP", "--", "env", "-0"))
    assert {"APP_API_KEY", "APP_db-password"} <= set(given)


@pytest.mark.parametrize("prefix", ["A=B", "1A", "a b", "é", "LD_PRELOAD=x #"])
def test_a_prefix_that_is_none(alice: Shell, prefix: str) -> None:
    alice("run", "dev", "--prefix", prefix, "--", "true").failed(2, "cannot begin a variable's name", "--prefix APP")


def test_a_name_that_no_shell_can_address_is_said(alice: Shell) -> None:
    result = alice("run", "dev", "--", "env", "-0")
    assert variables(result.out)["db-password"] == DEV["db-password"]
    assert "note: db-password is in the variable db-password, which no shell can use; try --uppercase" in result.err
    assert alice(*RUN, "true").err == ""


def test_without_access_nothing_runs(team: Shell) -> None:
    words = ("run", "prod", "--", "touch", "ran")
    team(*words, env=as_variables()).failed(4, ALICE)
    team(*words).failed(4, "stdin ended")
    assert not (team.folder / "ran").exists()


def test_a_locale_without_utf_8_changes_no_value(alice: Shell) -> None:
    """Neither what a program gets, nor what a passphrase is stretched from; and no error holds a part of a value."""
    alice.done("set-secret", "dev", "uni", stdin="naïve€")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = alice("run", "dev", "--uppercase", "--", "printenv", "UNI", env=plain)
    assert (done.code, done.out) == (0, "naïve€\n")


@pytest.mark.parametrize("name", ["PATH", "LD_PRELOAD", "BASH_ENV"])
@pytest.mark.parametrize("form", ["shell", "env"])
def test_no_shell_is_given_a_name_that_changes_how_programs_run(alice: Shell, name: str, form: str) -> None:
    alice.done("add-domain", "evil")
    alice.done("set-secret", "evil", name, stdin="/evil")
    alice("decrypt-domain", "evil", "--output-format", form).failed(
        6, f"the variable {name}, which changes how programs run"
    )
