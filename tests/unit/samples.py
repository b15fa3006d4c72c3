"""Custodians, a good file, and small tools that the tests share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pocket_protector import Creds, KeyFile, PPError

VECTORS = Path(__file__).parent.parent / "vectors"
GOOD = (VECTORS / "good.yaml").read_text(encoding="utf-8") if (VECTORS / "good.yaml").exists() else ""


def raw_key(byte: int) -> str:
    """A raw key whose 32 bytes are all the same."""
    return f"P{byte:02x}" + f"{byte:02x}" * 31 + "P"


ALICE = Creds("alice@example.com", raw_key(0xA1))
BOB = Creds("bob@example.com", raw_key(0xB2))
CAROL = Creds("carol@example.com", "carol's unguessable words")
DAVE = Creds("dave@example.com", raw_key(0xD4))

CHEAP = (1, 8192)
"""Passes and bytes of the cheapest Argon2id."""

DEV = {"api-key": "tulip-dev-api-value", "db-password": "tulip-dev-db-value ☃"}
PROD = {"api-key": "tulip-prod-api-value"}

_NEVER_SHOWN = ("tulip", "unguessable", "a1a1a1", "b2b2b2", "d4d4d4", "hunter2", "horse battery")


def make(path: object = "protected.yaml") -> KeyFile:
    """The content of good.yaml, made anew."""
    file = KeyFile.create(path).add_raw_key_custodian(ALICE).add_raw_key_custodian(BOB)  # type: ignore[arg-type]
    file = file.add_key_custodian(CAROL, *CHEAP).add_domain("dev", ALICE.name).add_domain("prod", BOB.name)
    file = file.add_owner("dev", BOB.name, ALICE).rotate_domain_key("dev", ALICE)
    for name, value in DEV.items():
        file = file.add_secret("dev", name, value)
    for name, value in PROD.items():
        file = file.add_secret("prod", name, value)
    return file


def parse(text: str, path: str = "protected.yaml") -> KeyFile:
    return KeyFile.from_contents_and_path(text, path)


def good() -> KeyFile:
    return parse(GOOD)


@contextmanager
def refused(kind: type[PPError], path: str | None = None, line: int | None = None) -> Iterator[pytest.ExceptionInfo]:
    """Exactly this class of error, at this place, with no secret in it."""
    with pytest.raises(PPError) as caught:
        yield caught
    error = caught.value
    assert type(error) is kind, f"{type(error).__name__}: {error}"
    assert_shows_no_secret(error)
    if path is not None:
        assert error.path == path
    if line is not None:
        assert error.line == line


def assert_shows_no_secret(thing: object) -> None:
    shown = f"{thing!s} {thing!r}"
    if isinstance(thing, PPError):
        assert thing.message
        shown += f" {thing.hint} {thing.args}"
    assert not [text for text in _NEVER_SHOWN if text in shown]


# A file in the layout that this package writes, looked at as lines.


def find(text: str, *keys: str) -> int:
    """The index of the line that holds the last of `keys`, which lead to it from the top."""
    depth, at = 0, -1
    lines = text.splitlines()
    for at, line in enumerate(lines):
        key = line.strip().split(": ")[0].removesuffix(":")
        if len(line) - len(line.lstrip()) < 2 * (depth - 1) and not line.startswith("-"):
            break
        if key == keys[depth] and line.startswith("  " * depth) and line[2 * depth] != " ":
            depth += 1
            if depth == len(keys):
                return at
    raise KeyError(keys, at)


def line_of(text: str, *keys: str) -> int:
    """The same, counted from 1."""
    return find(text, *keys) + 1


def get(text: str, *keys: str) -> str:
    """The scalar at `keys`."""
    return text.splitlines()[find(text, *keys)].split(": ", 1)[1]


def put(text: str, new: str, *keys: str) -> str:
    """`text` with another scalar (or none) at `keys`."""
    lines = text.splitlines()
    at = find(text, *keys)
    lines[at] = lines[at].split(":")[0] + (f": {new}" if new else ":")
    return "\n".join(lines) + "\n"


def rename(text: str, new: str, *keys: str) -> str:
    """`text` with another key in the place of the last of `keys`."""
    lines = text.splitlines()
    at = find(text, *keys)
    lines[at] = lines[at].replace(f"{keys[-1]}:", f"{new}:", 1)
    return "\n".join(lines) + "\n"


def block(text: str, *keys: str) -> tuple[int, int]:
    """The lines of a key and of all below it, as indices from and up to."""
    lines = text.splitlines()
    start = end = find(text, *keys)
    end += 1
    indent = len(keys) - 1
    while end < len(lines) and (lines[end].startswith("  " * indent + " ") or lines[end].lstrip().startswith("- ")):
        end += 1
    return start, end


def cut(text: str, *keys: str) -> str:
    """`text` without a key and what is below it."""
    lines = text.splitlines()
    start, end = block(text, *keys)
    return "\n".join(lines[:start] + lines[end:]) + "\n"


def copy_block(text: str, *keys: str) -> list[str]:
    start, end = block(text, *keys)
    return text.splitlines()[start:end]


def insert(text: str, at: int, *new: str) -> str:
    """`text` with lines before the one of index `at`."""
    lines = text.splitlines()
    lines[at:at] = new
    return "\n".join(lines) + "\n"
