"""`op://`, with a stand-in for 1Password's `op`: a script of that name, which does what a test says.

1Password's own program needs an account, so that what it complains of is taken from reports of people who saw it.
"""

from __future__ import annotations

import logging
import os
import shlex
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from followed import given, not_given, pointing
from shell import BIN

from pocket_protector.document.reference import Reference
from pocket_protector.errors import Fault, FormatError, ProviderError, ThrottledError
from pocket_protector.plugins.contract import SecretSourceContract
from pocket_protector.plugins.source import MAX_FETCHED_BYTES, SecretSource
from pocket_protector.references.providers.one_password import OnePassword

CANARY = "tulip-canary"
REFERENCE = "op://app/db/password"

StandIn = Callable[[str], Path]


@pytest.fixture
def op(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """Puts a shell script on the PATH as `op`; beside it, what it writes to `$here`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def put(script: str) -> Path:
        program = folder / "op"
        program.write_text(f"#!/bin/sh\nhere={shlex.quote(str(folder))}\n{script}\n")
        program.chmod(0o755)
        return folder

    return put


def fetched(text: str = REFERENCE, seconds: float = 20) -> bytes:
    return OnePassword().fetch(Reference(text), time.monotonic() + seconds)


def failing(text: str = REFERENCE, seconds: float = 20) -> ProviderError:
    with pytest.raises(ProviderError) as failure:
        fetched(text, seconds)
    said = "".join(traceback.format_exception(failure.value))
    assert CANARY not in f"{failure.value!s}{failure.value.hint}{failure.value!r}{said}"
    return failure.value


class TestOnePassword(SecretSourceContract):
    good = (
        *("op://app/db/password", "op://app/db/Admin%20section/one-time_pass.word", "op://a/b/c?attribute=otp"),
        *("op://a/b/c/d?ssh-format=openssh", "op://3t2xoqk5luyz7ffgdhj24gvtpq/k/_", "op://a%20b/.c/d.txt"),
    )
    bad = (
        *("op://a", "op://a/b", "op://a/b/c/d/e", "op:///b/c", "op://a//c", "op://a/b/", "op://a/b/c#d", "op://a/./c"),
        *("op://a/../c", "op://a/%2E%2E/c", "op://a/b%2Fc/d", "op://-a/b/c", "op://a/--help/c", "op://a/b/%2Dc"),
        *(
            "op://%20/b/c",
            "op://a%20/b/c",
            "op://a/%20b/c",
            "op://a/b(c)/d",
            "op://a/b/c%3Fattribute=otp",
            "op://$A/b/c",
        ),
        *("op://a/b/c%26", "op://a/%C3%A4/c", "op://a/b/%22c%22", "op://a@b/c/d", "op://a:1/b/c", "op://a/b/c%2523"),
        *("op://a/b/c?attribute=type", "op://a/b/c?attribute=", "op://a/b/c?attribute=otp&ssh-format=openssh"),
        *("op://a/b/c?out-file=x", "op://a/b/c?ssh-format=pkcs8", "op://a/b/c?Attribute=otp", "op://a/b/c?account=x"),
    )

    @pytest.fixture(autouse=True)
    def stand_in(self, op: StandIn) -> None:
        op("""
            case "$3" in
                op://app/db/password) printf 'tulip\\n2' ;;
                *) echo '[ERROR] 2026/01/01 00:00:00 "gone" isn'"'"'t an item in the "app" vault.' >&2; exit 1 ;;
            esac
        """)

    def source(self) -> SecretSource:
        return OnePassword()

    def stored(self) -> tuple[str, bytes]:
        return REFERENCE, b"tulip\n2"

    def missing(self) -> str:
        return "op://app/gone/password"


def test_through_the_command(op: StandIn, tmp_path: Path) -> None:
    op("printf hunter2")
    assert given(tmp_path, REFERENCE) == b"hunter2"
    op(f"echo {CANARY}; echo '[ERROR] you are not currently signed in {CANARY}' >&2; exit 1")
    not_given(tmp_path, REFERENCE, Fault.NOT_SIGNED_IN)


@pytest.mark.parametrize(
    ("text", "argument"),
    [
        (REFERENCE, REFERENCE),
        ("op://My%20vault/The%20item/A%20section/a-field", "op://My vault/The item/A section/a-field"),
        ("op://a/b/one-time%20password?attribute=otp", "op://a/b/one-time password?attribute=otp"),
        ("op://a/b/key?ssh-format=openssh", "op://a/b/key?ssh-format=openssh"),
        ("op://%61/b/c?%61ttribute=o%74p", "op://a/b/c?attribute=otp"),
    ],
)
def test_what_op_is_asked(op: StandIn, text: str, argument: str) -> None:
    folder = op('printf "%s\\n" "$@" >"$here/asked"; printf value')
    assert fetched(text) == b"value"
    assert (folder / "asked").read_text().splitlines() == ["read", "--no-newline", argument]


def test_op_has_nothing_to_read(op: StandIn) -> None:
    op("cat; printf value")
    ours, (waiting, never_written) = os.dup(0), os.pipe()
    os.dup2(waiting, 0)
    try:
        assert fetched(seconds=5) == b"value"
    finally:
        os.dup2(ours, 0)
        for descriptor in (ours, waiting, never_written):
            os.close(descriptor)


def test_op_gets_no_credentials_of_ours(op: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PPROTECT_PASSPHRASE", "PPROTECT_USER", "pprotect_x", "APP_PASSPHRASE"):
        monkeypatch.setenv(name, CANARY)
    monkeypatch.setenv("OP_ACCOUNT", "my.1password.com")
    monkeypatch.setenv("OP_FORMAT", "json")
    monkeypatch.setenv("OP_DEBUG", "true")
    folder = op('env >"$here/variables"; printf value')
    fetched()
    variables = (folder / "variables").read_text()
    assert CANARY not in variables
    assert "OP_ACCOUNT=my.1password.com\n" in variables
    assert "OP_FORMAT=human-readable\n" in variables
    assert "OP_DEBUG=false\n" in variables


@pytest.mark.parametrize(
    ("script", "value"),
    [
        ("printf 'one\\ntwo\\n'", b"one\ntwo\n"),
        ("printf 'nul \\000 here'", b"nul \0 here"),
        ("printf '\\377\\376'", b"\xff\xfe"),
        ("printf ''", b""),
        ("echo 'a newer version of op is there' >&2; printf value", b"value"),
        ("head -c 262144 /dev/zero", bytes(MAX_FETCHED_BYTES)),
        ("head -c 3000000 /dev/zero >&2; printf value", b"value"),
        ("printf some; sleep 0.3; printf thing", b"something"),
    ],
)
def test_values_are_bytes(op: StandIn, script: str, value: bytes) -> None:
    op(script)
    assert fetched() == value


@pytest.mark.parametrize(
    ("complaint", "fault", "message"),
    [
        (
            "You are not currently signed in. Please run `op signin --help` for instructions",
            Fault.NOT_SIGNED_IN,
            "not signed in",
        ),
        ("account is not signed in", Fault.NOT_SIGNED_IN, "not signed in"),
        ("No accounts configured for use with 1Password CLI.", Fault.NOT_SIGNED_IN, "not signed in"),
        ("session expired, sign in to create a new session", Fault.NOT_SIGNED_IN, "not signed in"),
        (
            "error initializing client: authorization prompt dismissed, please try again",
            Fault.NOT_SIGNED_IN,
            "locked",
        ),
        ("error initializing client: authorization timeout", Fault.NOT_SIGNED_IN, "locked"),
        ("connecting to desktop app: read: connection reset", Fault.NOT_SIGNED_IN, "locked"),
        ("Signin credentials are not compatible with the provided user auth", Fault.NOT_SIGNED_IN, "not signed in"),
        ("(401) Unauthorized: You aren't authorized", Fault.NOT_SIGNED_IN, "not signed in"),
        (
            '"db" isn\'t an item in the "app" vault. Specify the item with its UUID',
            Fault.NOT_FOUND,
            "no access to such a vault",
        ),
        (
            'could not get item app/db: "app" isn\'t a vault in this account.',
            Fault.NOT_FOUND,
            "no access to such a vault",
        ),
        (
            "could not read secret: item 'app/db' does not have a field 'password'",
            Fault.NOT_FOUND,
            "no access to such a vault",
        ),
        ("could not find item db in vault app", Fault.NOT_FOUND, "no access to such a vault"),
        ("(403) Forbidden: You don't have permission to do that", Fault.DENIED, "denies access"),
        ('More than one item matches "db". Try again and specify the item by its ID:', Fault.OTHER, "several"),
        ("dial tcp: lookup my.1password.com: no such host", Fault.UNREACHABLE, "not reach"),
        ("Post https://my.1password.com: net/http: TLS handshake timeout", Fault.UNREACHABLE, "not reach"),
        ("x509: certificate signed by unknown authority", Fault.UNREACHABLE, "not reach"),
        ("(503) Service Unavailable", Fault.UNREACHABLE, "not reach"),
        ("invalid secret reference: invalid character", Fault.OTHER, "op was ended with the exit status 1"),
        ("", Fault.OTHER, "op was ended with the exit status 1"),
        ("x" * 200_000 + "not currently signed in", Fault.OTHER, "op was ended with the exit status 1"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else None,
)
def test_what_op_complains_of(op: StandIn, complaint: str, fault: Fault, message: str) -> None:
    folder = op(f'echo {CANARY}; cat "$here/complaint" >&2; exit 1')
    (folder / "complaint").write_text(f"[ERROR] 2026/01/01 00:00:00 {complaint} {CANARY}\n")
    error = failing()
    assert type(error) is ProviderError
    assert error.fault is fault
    assert message in error.message


@pytest.mark.parametrize(
    ("later", "after"),
    [("Please retry in 58 minutes", 3480.0), ("retry in 1 second", 1.0), ("Retry in 2 hours", 7200.0), ("Later", None)],
)
def test_too_many_requests(op: StandIn, later: str, after: float | None) -> None:
    op(f"echo '[ERROR] 2026/01/01 00:00:00 (429) Too Many Requests: {CANARY} maximum. {later} or so.' >&2; exit 1")
    error = failing()
    assert isinstance(error, ThrottledError)
    assert error.after == after


def test_other_ways_to_fail(op: StandIn) -> None:
    op("kill -9 $$")
    assert failing().message == "op was ended by signal 9"
    op("exit 77")
    assert failing().message == "op was ended with the exit status 77"


def is_running(folder: Path, file: str = "number") -> bool:
    """Whether the process is there whose number the stand-in wrote; a dead one that nobody waits for is not."""
    number = int((folder / file).read_text())
    try:
        os.kill(number, 0)
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.parametrize(
    "script",
    [
        'echo $$ >"$here/number"; sleep 60',
        'echo $$ >"$here/number"; exec sleep 60',
        # It is left by a child that keeps its output open.
        'sleep 60 & echo $! >"$here/number"',
        'echo $$ >"$here/number"; exec >&- 2>&-; sleep 60',
        'echo $$ >"$here/number"; trap "" TERM INT HUP; while :; do printf x; sleep 0.01; done',
        'echo $$ >"$here/number"; exec yes >&2',
        'echo $$ >"$here/number"; kill -STOP $$',
        'echo $$ >"$here/number"; sleep 60 </dev/null & wait',
    ],
)
def test_one_that_hangs_is_ended(op: StandIn, script: str) -> None:
    folder = op(script)
    started = time.monotonic()
    error = failing(seconds=0.8)
    assert time.monotonic() - started < 4
    assert error.fault is Fault.UNREACHABLE
    assert "did not answer in time" in error.message
    assert until(lambda: not is_running(folder))


def until(true: Callable[[], bool], seconds: float = 5) -> bool:
    """Whether it becomes so before long."""
    limit = time.monotonic() + seconds
    while not true() and time.monotonic() < limit:
        time.sleep(0.02)
    return true()


def test_an_interrupt_leaves_no_op_behind(op: StandIn, tmp_path: Path) -> None:
    folder = op('sleep 60 & echo $! >"$here/child"; echo $$ >"$here/number"; wait')
    shell = pointing(tmp_path, REFERENCE)
    # A child starts with the signals of its parent, who may ignore this one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        [BIN / shell.command, "get", "dev", "ref"],
        cwd=shell.folder,
        env=shell.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as command:
        number = folder / "number"
        assert until(lambda: number.exists() and number.read_text().endswith("\n"), 20)
        command.send_signal(signal.SIGINT)
        written, complaints = command.communicate(timeout=20)
    assert (command.returncode, written, complaints.strip()) == (130, b"", b"")
    assert until(lambda: not is_running(folder) and not is_running(folder, "child"))


ENDED_IN_A_CHILD = """
import os, sys, threading, time
from pocket_protector.document.reference import Reference
from pocket_protector.references.providers.one_password import OnePassword

def fetch():
    print(OnePassword().fetch(Reference("op://app/db/password"), time.monotonic() + 20).decode())

thread = threading.Thread(target=fetch)
thread.start()
while not os.path.exists(sys.argv[1]):
    time.sleep(0.02)
if os.fork() == 0:
    sys.exit()
os.wait()
open(sys.argv[2], "w").close()
thread.join()
"""


def test_the_end_of_a_fork_ends_no_op_of_its_parent(op: StandIn) -> None:
    folder = op('touch "$here/begun"; while ! [ -e "$here/forked" ]; do sleep 0.02; done; printf value')
    words = [sys.executable, "-c", ENDED_IN_A_CHILD, folder / "begun", folder / "forked"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "value\n"


def test_no_time_is_left(op: StandIn) -> None:
    op("sleep 60")
    assert failing(seconds=-1).fault is Fault.UNREACHABLE


@pytest.mark.parametrize("script", ["yes tulip-canary", "head -c 262145 /dev/zero", "cat /dev/zero; exit 1"])
def test_a_value_that_is_too_large_is_cut_off(op: StandIn, script: str) -> None:
    op(script)
    error = failing()
    assert error.fault is Fault.OTHER
    assert error.message == "the field has more than 262144 bytes"


def test_nothing_is_left_open(op: StandIn) -> None:
    op("printf value")
    before = os.listdir("/dev/fd")
    fetched()
    op("yes")
    failing()
    op("sleep 60")
    failing(seconds=0.2)
    assert os.listdir("/dev/fd") == before


def test_no_op(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    error = failing()
    assert error.fault is Fault.OTHER
    assert error.message == "op, the command of 1Password, is not on the PATH"
    assert "install" in error.hint


def test_the_folder_of_the_file_is_no_place_for_op(op: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = op('touch "$here/ran"; printf value')
    monkeypatch.chdir(folder)
    for path in (".", "", f".{os.pathsep}/nowhere", "../bin"):
        monkeypatch.setenv("PATH", path)
        assert "not on the PATH" in str(failing())
    assert not (folder / "ran").exists()


def test_an_op_that_cannot_be_run(op: StandIn) -> None:
    program = op("") / "op"
    program.write_bytes(b"\x7fELF" + CANARY.encode())
    assert failing().message == "op cannot be run: OSError"


def test_what_the_file_says_is_no_option_of_op(op: StandIn) -> None:
    folder = op('touch "$here/ran"; printf value')
    for text in TestOnePassword.bad:
        with pytest.raises(FormatError) as refusal:
            fetched(text)
        assert refusal.value.hint
    assert not (folder / "ran").exists()


def test_nothing_is_logged(op: StandIn, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    op(f"echo {CANARY} >&2; printf {CANARY}")
    fetched()
    op(f"echo {CANARY} >&2; printf {CANARY}; exit 1")
    failing()
    assert CANARY not in caplog.text
    assert capfd.readouterr() == ("", "")


def test_it_stays_in_the_session_that_1password_unlocks_for(op: StandIn) -> None:
    folder = op(f'{shlex.quote(sys.executable)} -c "import os; print(os.getsid(0))" >"$here/session"; printf value')
    fetched()
    assert int((folder / "session").read_text()) == os.getsid(0)
