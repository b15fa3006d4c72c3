"""Where a secret's value comes from."""

from __future__ import annotations

import subprocess

import pytest
from shell import BIN, DEV, Shell

SET = ("set-secret", "dev", "new")
LIMIT = 1024 * 1024


@pytest.mark.parametrize(
    "value",
    ["hunter2", "", "\n", "hunter2\n\n", "a\r\nb\r\n", "no end", "nul \0 in it", " ☃ \u2028 \x85 \t", "'\"$`\\!"],
)
def test_a_file_is_taken_as_it_is(team: Shell, value: str) -> None:
    path = team.folder / "value"
    path.write_bytes(value.encode())
    team.done(*SET, "--from-file", "value")
    assert team.values()["new"] == value
    team.done("set-secret", "dev", "other", "--from-file", "-", stdin=value)
    assert team.values()["other"] == value


def test_a_line_of_stdin(team: Shell) -> None:
    team.done(*SET, stdin="hunter2 ☃\n")
    assert team.values()["new"] == "hunter2 ☃"
    team.done(*SET, stdin="hunter2 ")
    assert team.values()["new"] == "hunter2 "


@pytest.mark.parametrize("left", ["\n", "second\n", "x", "\n\n\n", "\0"])
def test_what_is_left_on_stdin_would_be_cut(team: Shell, left: str) -> None:
    before = team.file.read_bytes()
    team(*SET, stdin=f"hunter2\n{left}").failed(2, "more than one line on stdin", "--from-file - takes all of it")
    assert team.file.read_bytes() == before


def test_questions_come_before_all_of_stdin(team: Shell) -> None:
    team.done("add-secret", "--from-file", "-", stdin="dev\nnew\nfirst\nsecond\n")
    assert team.values()["new"] == "first\nsecond\n"


def test_the_confirmation_comes_behind_the_value(team: Shell) -> None:
    team.done(*SET, "--confirm", stdin="hunter2\ny\n")
    assert team.values()["new"] == "hunter2"
    before = team.file.read_bytes()
    team.done(*SET, "--confirm", stdin="other\nn\n")
    team(*SET, "--confirm", stdin="other\n").failed(2, "'Write changes? [y/N]'", "--yes")
    team(*SET, "--confirm", stdin="other\ny\nmore\n").failed(2, "more than one line")
    assert team.file.read_bytes() == before


@pytest.mark.parametrize("words", [("--from-file", "value"), ("--from-file", "-")])
def test_a_value_that_is_no_text(team: Shell, words: tuple[str, ...]) -> None:
    (team.folder / "value").write_bytes(b"\xff\x00")
    team(*SET, *words, stdin=b"\xff\x00").failed(6, "is not UTF-8 text", "base64")


@pytest.mark.parametrize("how", ["file", "stdin", "line"])
def test_the_largest_value_and_one_more_byte(team: Shell, how: str) -> None:
    for size, code in ((LIMIT, 0), (LIMIT + 1, 6)):
        value = "v" * size
        (team.folder / "value").write_text(value)
        words = {"file": ("--from-file", "value"), "stdin": ("--from-file", "-"), "line": ()}[how]
        result = team(*SET, *words, stdin=None if how == "file" else value)
        assert result.code == code, result.err
        assert len(team.values()["new"]) == LIMIT


def test_a_file_that_cannot_be_read(team: Shell) -> None:
    for name in ("missing", ".", ""):
        team(*SET, "--from-file", name).failed(6, f"cannot read {name}")


@pytest.mark.parametrize(
    ("words", "length"), [(("--generate",), 32), (("--generate", "1"), 1), (("--generate=4096",), 4096)]
)
def test_a_generated_value(team: Shell, words: tuple[str, ...], length: int) -> None:
    assert team.done(*SET, *words) == ""
    value = team.values()["new"]
    assert len(value) == length
    assert value.isascii()
    assert value.isalnum()
    team.done(*SET, *words)
    assert length == 1 or team.values()["new"] != value


def test_add_update_and_set(team: Shell) -> None:
    team("add-secret", "dev", "API_KEY", stdin="x").failed(6, "already exists", "pprotect update-secret")
    team("update-secret", "dev", "API-KEY", stdin="x").failed(6, "no secret", "'API_KEY'")
    team("rm-secret", "dev", "API-KEY").failed(6, "no secret", "'API_KEY'")
    team("set-secret", "def", "API_KEY", stdin="x").failed(6, "no key domain named 'def'", "'dev'")
    assert team.values() == DEV


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("add-secret", "dev", "API_KEY"), "already exists"),
        (("add-secret", "dev", "a.b"), "cannot name a secret"),
        (("set-secret", "dev", "a.b"), "cannot name a secret"),
        (("set-secret", "nope", "new"), "no key domain named 'nope'"),
        (("update-secret", "dev", "new"), "no secret in 'dev' named 'new'"),
    ],
)
def test_a_place_that_will_not_do_is_said_before_a_value_is_asked_for(
    team: Shell, words: tuple[str, ...], error: str
) -> None:
    """There is no answer on stdin."""
    team(*words).failed(6, error)
    team(*words, "--from-file", "missing").failed(6, error)


@pytest.mark.parametrize("name", ["1st", "a.b", "a b", "é", "_x", "-x", "a\nb", "x" * 257])
def test_names_that_no_secret_has(team: Shell, name: str) -> None:
    before = team.file.read_bytes()
    result = team("add-secret", "--generate", "--", "dev", name)
    result.failed(6, "cannot name a secret", "begin with a letter")
    assert len(result.err.splitlines()) == 3
    assert team.file.read_bytes() == before


def test_a_value_is_never_an_argument(team: Shell) -> None:
    team("add-secret", "dev", "new", "hunter3").failed(2, "too many arguments")


def test_stdin_that_is_closed(team: Shell) -> None:
    team.sh("pprotect set-secret dev new <&-").failed(
        2, "stdin ended before the answer to 'Secret value'", "--from-file"
    )
    team.sh("pprotect set-secret dev new --from-file - <&-").failed(2, "stdin is closed", "--from-file PATH")
    team.sh("pprotect rm-domain <&-").failed(2, "'Domain name'", "give DOMAIN")
    assert team.sh("pprotect set-secret dev new --generate <&-").code == 0


def test_the_answers_leave_the_rest_of_stdin_to_the_program(team: Shell) -> None:
    lines = "alice@example.com\nP" + "a1" * 32 + "P\nfor the program\nall of it"
    result = team("run", "dev", "--uppercase", "--", "cat", stdin=lines)
    assert result.out == "for the program\nall of it"


def test_a_slow_writer_is_waited_for(team: Shell) -> None:
    result = team.sh("(echo one; sleep 0.5; echo two) | pprotect set-secret dev new")
    result.failed(2, "more than one line on stdin")


def test_nothing_is_read_that_is_not_asked_for(team: Shell) -> None:
    child = subprocess.Popen(
        [str(BIN / "pprotect"), *SET, "--generate"],
        cwd=team.folder,
        env=team.environment(),
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.wait(timeout=30) == 0
    child.communicate()
