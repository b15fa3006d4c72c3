"""`Creds`: where they come from, what is missing, and what they never show."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError

import pytest
from samples import ALICE, assert_shows_no_secret, good, raw_key, refused

from pocket_protector import AccessError, Creds, PassphraseError
from pocket_protector.keyfile.credentials import VariableSource


@pytest.mark.parametrize(
    ("variable", "argument", "prefix"),
    [(None, None, "PPROTECT"), ("MINE", None, "MINE"), ("MINE", "OTHER", "OTHER"), (None, "OTHER", "OTHER")],
)
def test_variables(monkeypatch: pytest.MonkeyPatch, variable: str | None, argument: str | None, prefix: str) -> None:
    if variable:
        monkeypatch.setenv("PPROTECT_ENV_PREFIX", variable)
    monkeypatch.setenv(f"{prefix}_USER", "ann")
    monkeypatch.setenv(f"{prefix}_PASSPHRASE", "tulip")
    creds = Creds.from_env(argument) if argument else Creds.from_env()
    assert creds == Creds("ann", "tulip", f"env var: {prefix}_USER", f"env var: {prefix}_PASSPHRASE")


@pytest.mark.parametrize(
    ("user", "passphrase", "missing"),
    [("", "", "user"), ("ann", "", "passphrase"), ("", "tulip", "user")],
    ids=["both", "passphrase", "user"],
)
def test_what_is_missing_is_named_at_unlock(
    monkeypatch: pytest.MonkeyPatch, user: str, passphrase: str, missing: str
) -> None:
    if user:
        monkeypatch.setenv("PPROTECT_USER", user)
    if passphrase:
        monkeypatch.setenv("PPROTECT_PASSPHRASE", passphrase)
    creds = Creds.from_env()
    with refused(AccessError) as caught:
        good().decrypt_domain("dev", creds)
    assert str(caught.value) == f"no {missing} is given (env var: PPROTECT_{missing.upper()} is empty or not set)"
    assert not good().check_creds(creds)


def test_a_wrong_passphrase_says_where_it_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PPROTECT_USER", ALICE.name)
    monkeypatch.setenv("PPROTECT_PASSPHRASE", raw_key(0xD4))
    with refused(PassphraseError) as caught:
        good().unlock(Creds.from_env())
    assert str(caught.value) == "wrong passphrase for 'alice@example.com' (from env var: PPROTECT_PASSPHRASE)"


def test_only_a_wrong_passphrase_says_where_the_passphrase_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key derivation that finds no memory would fail with every passphrase."""
    from argon2 import exceptions, low_level
    from samples import CAROL

    def fail(*_: object, **__: object) -> bytes:
        raise exceptions.HashingError("Memory allocation error")

    monkeypatch.setattr(low_level, "hash_secret_raw", fail)
    with refused(AccessError) as caught:
        good().unlock(Creds(CAROL.name, CAROL.passphrase, "prompt", "prompt"))
    assert "KiB of memory" in str(caught.value)
    assert "prompt" not in str(caught.value)


def test_a_variable_as_a_source_survives_a_copy() -> None:
    """It is its text, and not the text of its text."""
    source = VariableSource("PPROTECT_USER")
    for same in (copy.copy(source), copy.deepcopy(source), pickle.loads(pickle.dumps(source))):
        assert same == "env var: PPROTECT_USER"
        assert same.variable == "PPROTECT_USER"


def test_a_passphrase_that_is_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of the environment may hold any bytes."""
    from samples import CAROL

    with refused(PassphraseError):
        good().unlock(Creds(CAROL.name, "tulip\udcff"))


@pytest.mark.parametrize("value", [None, b"tulip", 5])
def test_what_is_no_text_is_refused_at_once(value: object) -> None:
    with pytest.raises(TypeError) as caught:
        Creds("ann", value)  # type: ignore[arg-type]
    assert_shows_no_secret(caught.value)
    with pytest.raises(TypeError):
        Creds(value, "tulip")  # type: ignore[arg-type]


def test_nothing_is_shown() -> None:
    creds = Creds("ann", "tulip", "config", "config")
    assert repr(creds) == "<Creds of 'ann'>"
    assert_shows_no_secret(copy.copy(creds))
    assert_shows_no_secret({"creds": [creds]})


def test_credentials_are_values() -> None:
    assert Creds("ann", "tulip") == Creds("ann", "tulip") != Creds("ann", "Tulip")
    with pytest.raises(FrozenInstanceError):
        ALICE.name = "eve"  # type: ignore[misc]


def test_what_was_unlocked_is_not_carried_over_to_other_keys() -> None:
    """The same credentials, two files: each custodian's own keys."""
    from samples import make

    one, other = make(), make()
    creds = Creds(ALICE.name, ALICE.passphrase)
    assert one.unlock(creds).public_key != other.unlock(creds).public_key
    assert one.decrypt_domain("dev", creds) == other.decrypt_domain("dev", creds)
