"""`env://` and `file://`."""

from __future__ import annotations

import os
import socket
import time
import traceback
from pathlib import Path
from urllib.parse import quote

import pytest
from followed import given, not_given

from pocket_protector.document.reference import Reference
from pocket_protector.errors import Fault, FormatError, ProviderError
from pocket_protector.plugins.contract import SecretSourceContract
from pocket_protector.plugins.source import MAX_FETCHED_BYTES, SecretSource
from pocket_protector.references.providers.local import EnvironmentVariable, LocalFile, may_hold_credentials

CANARY = "tulip-canary"


def fetched(text: str) -> bytes:
    source: SecretSource = EnvironmentVariable() if text.startswith("env:") else LocalFile()
    return source.fetch(Reference(text), time.monotonic() + 5)


def failing(text: str) -> ProviderError:
    with pytest.raises(ProviderError) as failure:
        fetched(text)
    said = "".join(traceback.format_exception(failure.value))
    assert CANARY not in f"{failure.value!s}{failure.value.hint}{failure.value!r}{said}"
    return failure.value


def reference_to(path: Path) -> str:
    return f"file://{quote(str(path))}"


class TestEnvironmentVariable(SecretSourceContract):
    good = ("env://A", "env://_", "env://_a1", "env://PATH", "env://my_Variable", "env://PPROTECT", "env://PASSPHRASE")
    bad = (
        *("env:///A", "env://A/B", "env://A/", "env://1A", "env://A-B", "env://A.B", "env://A%20B", "env://A%3DB"),
        *("env://%C3%84", "env://A?b=c", "env://A#b", "env://.", "env://..", "env://A:80", "env://user@A", "env://$A"),
        *("env://PPROTECT_PASSPHRASE", "env://PPROTECT_USER", "env://pprotect_passphrase", "env://PProtect_x"),
        *(
            "env://%50PROTECT_FILE",
            "env://PPROTECT_",
            "env://APP_PASSPHRASE",
            "env://_PASSPHRASE",
            "env://app_passphrase",
        ),
    )

    @pytest.fixture(autouse=True)
    def variables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("APP_VALUE", "tulip")

    def source(self) -> SecretSource:
        return EnvironmentVariable()

    def stored(self) -> tuple[str, bytes]:
        return "env://APP_VALUE", b"tulip"

    def missing(self) -> str:
        return "env://NO_SUCH_VARIABLE"


def test_a_variable_is_bytes() -> None:
    raw = b" \xff line\nand \xc3\xb6\n"
    os.environb[b"APP_VALUE"] = raw
    try:
        assert fetched("env://APP_VALUE") == raw
    finally:
        del os.environb[b"APP_VALUE"]


def test_an_empty_variable_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_VALUE", "")
    assert fetched("env://APP_VALUE") == b""


def test_a_missing_variable_is_named_in_the_hint() -> None:
    error = failing("env://NO_SUCH_VARIABLE")
    assert error.message == "the environment does not have this variable"
    assert error.hint == "set NO_SUCH_VARIABLE"


def test_names_differ_by_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_VALUE", CANARY)
    assert failing("env://app_value").fault is Fault.NOT_FOUND


def test_credentials_by_another_prefix_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PPROTECT_ENV_PREFIX", "TEAM")
    monkeypatch.setenv("TEAM_USER", CANARY)
    monkeypatch.setenv("TEAM_PASSPHRASE", CANARY)
    assert failing("env://TEAM_USER").fault is Fault.DENIED
    # Whatever the prefix: an application gives its own to Creds.from_env.
    with pytest.raises(FormatError, match="may hold credentials"):
        fetched("env://TEAM_PASSPHRASE")


def test_how_a_wrong_reference_is_told() -> None:
    for text in ("env://A-B", "env://A#b", "env://A/", "env:///A"):
        with pytest.raises(FormatError) as refusal:
            EnvironmentVariable().check(Reference(text))
        assert refusal.value.hint == "env://NAME"


@pytest.mark.parametrize("name", ["PPROTECT_X", "Pprotect_x", "A_PASSPHRASE", "a_passphrase", "_PASSPHRASE"])
def test_what_may_hold_credentials(name: str) -> None:
    assert may_hold_credentials(name)
    assert not may_hold_credentials(f"X{name}X")


class TestLocalFile(SecretSourceContract):
    good = ("file:///a", "file:///etc/app/db%20password", "file:///a..b/.c", "file:///...", "file:///run/secrets/db")
    bad = (
        *(
            "file://",
            "file:///",
            "file:////a",
            "file:///a/",
            "file:///a//b",
            "file:///.",
            "file:///..",
            "file:///a/../b",
        ),
        *("file:///a/./b", "file:///%2E%2E/b", "file:///a/%2e", "file:///a%2Fb", "file:///a/..%2Fb", "file:///%2Fa"),
        *("file://localhost/a", "file://a", "file://./a", "file://../a", "file://~/a", "file:///a?b=c", "file:///a#b"),
        *("file:///proc/self/environ", "file:///proc", "file:///dev/stdin", "file:///dev/fd/3", "file:///sys/kernel/x"),
        *("file:///%70roc/self/environ", "file://user@/a", "file://:80/a"),
    )
    folder: Path

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        (tmp_path / "kept here").write_bytes(b"tulip\n")

    def source(self) -> SecretSource:
        return LocalFile()

    def stored(self) -> tuple[str, bytes]:
        return reference_to(self.folder / "kept here"), b"tulip\n"

    def missing(self) -> str:
        return reference_to(self.folder / "gone")

    def test_bad_references_are_refused(self) -> None:
        # One of them is no reference of any kind.
        self.bad = tuple(text for text in self.bad if text != "file://")
        super().test_bad_references_are_refused()


@pytest.mark.parametrize("raw", [b"", b"\n", b"a\nb\r\n\n", b"nul \0 here", b"\xff\xfe", b"x" * MAX_FETCHED_BYTES])
def test_a_file_is_bytes(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "value").write_bytes(raw)
    assert fetched(reference_to(tmp_path / "value")) == raw


def test_through_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_DB", "a value, ☃")
    assert given(tmp_path, "env://APP_DB") == "a value, ☃".encode()
    not_given(tmp_path, "env://APP_NONE", Fault.NOT_FOUND)
    value = tmp_path / "value"
    value.write_bytes(b"one\ntwo")
    assert given(tmp_path, reference_to(value)) == b"one\ntwo"
    value.write_text(CANARY * MAX_FETCHED_BYTES)
    not_given(tmp_path, reference_to(value), Fault.OTHER)


@pytest.mark.parametrize("more", [1, 10_000_000])
def test_a_file_that_is_too_large(tmp_path: Path, more: int) -> None:
    with (tmp_path / "value").open("wb") as file:
        file.write(CANARY.encode())
        file.truncate(MAX_FETCHED_BYTES + more)
    error = failing(reference_to(tmp_path / "value"))
    assert error.fault is Fault.OTHER
    assert error.message == "the file has more than 262144 bytes"


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "value").write_text("tulip")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/../value")
    assert fetched(reference_to(tmp_path / "link")) == b"tulip"


@pytest.mark.parametrize("target", ["gone", "file/below", "loop"])
def test_nothing_there(tmp_path: Path, target: str) -> None:
    (tmp_path / "file").write_text(CANARY)
    (tmp_path / "loop").symlink_to("loop")
    error = failing(reference_to(tmp_path / target))
    expected = (Fault.OTHER, "ELOOP") if target == "loop" else (Fault.NOT_FOUND, "there is no such file")
    assert error.fault is expected[0]
    assert expected[1] in error.message


def test_a_dangling_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("gone")
    assert failing(reference_to(tmp_path / "link")).fault is Fault.NOT_FOUND


def test_a_name_that_no_file_has(tmp_path: Path) -> None:
    error = failing(reference_to(tmp_path / ("a" * 300)))
    assert error.fault is Fault.OTHER
    assert error.message == "the file cannot be read: ENAMETOOLONG"


@pytest.mark.parametrize("mode", [0o000, 0o200])
def test_a_file_that_may_not_be_read(tmp_path: Path, mode: int) -> None:
    (tmp_path / "value").write_text(CANARY)
    (tmp_path / "value").chmod(mode)
    user = os.geteuid()
    if not user:
        os.seteuid(65534)  # root may read everything
    try:
        error = failing(reference_to(tmp_path / "value"))
    finally:
        os.seteuid(user)
    assert error.fault is Fault.DENIED
    assert error.message == "you may not read that file"


@pytest.mark.parametrize("kind", ["folder", "fifo", "socket"])
def test_what_is_no_regular_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket is a short one
    with socket.socket(socket.AF_UNIX) as listening:
        if kind == "folder":
            Path(kind).mkdir()
        elif kind == "fifo":
            os.mkfifo(kind)
        else:
            listening.bind(kind)
        before = os.listdir("/dev/fd")
        started = time.monotonic()
        error = failing(reference_to(tmp_path / kind))
        assert time.monotonic() - started < 2
        assert error.fault is Fault.OTHER
        assert error.message == ("the file cannot be read: ENXIO" if kind == "socket" else NOT_REGULAR)
        assert os.listdir("/dev/fd") == before


NOT_REGULAR = "this is not a regular file"


@pytest.mark.parametrize(
    "target", ["/proc/self/environ", "/dev/null", "/dev/tty", "/sys/kernel/notes", "/proc/self/cwd"]
)
def test_links_into_what_the_kernel_makes_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    if not os.path.exists(target):
        pytest.skip(f"no {target} here")
    (tmp_path / "link").symlink_to(target)
    error = failing(reference_to(tmp_path / "link"))
    # The working folder of a process is a folder like any other.
    if target == "/proc/self/cwd":
        assert error.message == NOT_REGULAR
    else:
        assert error.fault is Fault.DENIED
        assert error.message == "a symbolic link leads into /dev, /proc or /sys"


def test_a_folder_that_is_a_link_into_it(tmp_path: Path) -> None:
    if not os.path.exists("/proc/self/environ"):
        pytest.skip("no /proc here")
    (tmp_path / "process").symlink_to("/proc/self")
    assert failing(reference_to(tmp_path / "process" / "environ")).fault is Fault.DENIED
