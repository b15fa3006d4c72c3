"""The error tree: classes, exit codes, places and what a message lists."""

from __future__ import annotations

import copy
import pickle

import pytest

from pocket_protector import (
    AccessError,
    FormatError,
    IntegrityError,
    MergeConflictError,
    NameFormatError,
    PassphraseError,
    PocketProtectorError,
    PPError,
    PPKeyError,
    StoreError,
    UnknownCustodianError,
)


@pytest.mark.parametrize(
    ("kind", "bases", "code"),
    [
        (PocketProtectorError, (Exception,), 1),
        (FormatError, (PocketProtectorError,), 3),
        (AccessError, (PocketProtectorError,), 4),
        (PassphraseError, (AccessError,), 4),
        (IntegrityError, (PocketProtectorError,), 5),
        (StoreError, (PocketProtectorError,), 6),
        (PPKeyError, (StoreError, KeyError), 6),
        (NameFormatError, (StoreError, ValueError), 6),
        (MergeConflictError, (StoreError,), 6),
        (UnknownCustodianError, (AccessError, PPKeyError), 4),
    ],
)
def test_the_tree(kind: type[PPError], bases: tuple[type, ...], code: int) -> None:
    assert kind.exit_code == code
    assert all(issubclass(kind, base) for base in bases)


def test_the_root_has_two_names() -> None:
    assert PPError is PocketProtectorError


@pytest.mark.parametrize("kind", [FormatError, IntegrityError])
@pytest.mark.parametrize(
    ("keys", "line", "shown"),
    [
        ((), 0, "wrong"),
        ((), 3, "line 3: wrong"),
        (("dev", "a"), 0, "dev.a: wrong"),
        (("dev", "a"), 3, "line 3, dev.a: wrong"),
    ],
)
def test_a_place(kind: type[FormatError], keys: tuple[str, ...], line: int, shown: str) -> None:
    assert str(kind("wrong", keys=keys, line=line)) == shown


def test_each_level_puts_its_key_before_the_place() -> None:
    assert FormatError("wrong", keys=("value",)).under("secret-a").under("x", "dev").path == "x.dev.secret-a.value"


def test_a_missing_name_lists_the_known_ones_and_the_closest() -> None:
    error = PPKeyError("secret", "db-pasword", ["z", "db-password"])
    assert str(error) == "no secret named 'db-pasword' (known: db-password, z)"
    assert error.hint == "did you mean 'db-password'?"
    error.add_source("argument")
    assert str(error) == "no secret named 'db-pasword' (from argument) (known: db-password, z)"


@pytest.mark.parametrize(
    ("known", "shown", "hint"),
    [
        ([], "no secret named 'a' (none is known)", ""),
        (["unlike"], "no secret named 'a' (known: unlike)", ""),
        ([f"n{number:03}" for number in range(102)], "n099 and 2 more)", ""),
    ],
)
def test_what_a_missing_name_is_told(known: list[str], shown: str, hint: str) -> None:
    error = PPKeyError("secret", "a", known)
    assert str(error).endswith(shown)
    assert error.hint == hint


def test_a_name_with_control_characters_is_shown_escaped() -> None:
    assert "\x1b" not in str(PPKeyError("secret", "a\x1b[2J", []))


def test_a_conflict_names_its_objects() -> None:
    error = MergeConflictError(iter(["secret/dev/x", "domain/dev"]))
    assert error.objects == ("secret/dev/x", "domain/dev")
    assert "secret/dev/x, domain/dev" in str(error)


def test_a_plain_message_is_the_message() -> None:
    assert str(StoreError("a", hint="b")) == "a"
    assert StoreError("a").hint == ""


@pytest.mark.parametrize(
    "error",
    [
        StoreError("a", hint="b"),
        FormatError("a", keys=("k",), line=3),
        PPKeyError("secret", "a", ["b"]),
        MergeConflictError(["secret/dev/x"]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_can_be_sent_to_another_process(error: PPError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.hint) == (type(error), str(error), error.hint)
    assert str(copy.copy(error)) == str(error)
