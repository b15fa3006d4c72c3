"""The sender of a package: whom `judge_sender` and `open_package` accept without asking anybody."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from handed import ALICE, API, BOB, CAROL, DAY, DEV, GATED, MALLORY, NOW, POINTER, request, sealed
from samples import ALICE as ALICE_CREDS
from samples import BOB as BOB_CREDS
from samples import refused

from pocket_protector import AccessError, FormatError, IntegrityError, KeyFile, PolicyError, StoreError
from pocket_protector.crypto.identity import Identity
from pocket_protector.packages.armour import to_text
from pocket_protector.packages.header import Header
from pocket_protector.packages.keys.public_key import PublicKey
from pocket_protector.packages.package_opening import SealedPackage
from pocket_protector.packages.package_sealing import seal_package
from pocket_protector.trust.fingerprints import fingerprint, to_words
from pocket_protector.trust.judge.state import State
from pocket_protector.user.known_keys import SENDERS, KnownKeys
from pocket_protector.user.package_senders import Acquaintance, judge_sender, parse_sender
from pocket_protector.user.received_package import open_package


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    monkeypatch.setenv("PPROTECT_STATE_DIR", str(folder))
    return folder


def header_of(sender: Identity = ALICE) -> Header:
    return SealedPackage.parse(seal_package(DEV, replace(request(), sender=sender))).header


def mark(identity: Identity) -> bytes:
    return fingerprint(identity.name, PublicKey.from_identity(identity).keys)


IMPOSTOR = Identity.from_seed(ALICE.name, b"\x66" * 32)
"""Somebody else who says that they are Alice."""


def own_file(*owners: str) -> State:
    """A signed domain of Alice's, with Bob as a custodian who owns it if he is among `owners`."""
    file = KeyFile.create("protected.yaml").add_raw_key_custodian(ALICE_CREDS).add_raw_key_custodian(BOB_CREDS)
    file = file.add_domain("dev", ALICE_CREDS.name, creds=ALICE_CREDS)
    for owner in owners:
        file = file.add_owner("dev", owner, ALICE_CREDS)
    return State.trusting(file.document)


def sender_in(state: State, name: str) -> Header:
    return replace(header_of(), sender=name, keys=state.document.custodians[name].keys)


# Named by the caller


@pytest.mark.parametrize("form", [lambda raw: raw.hex(), to_words, lambda raw: raw.hex().upper()])
def test_a_named_sender(form: object) -> None:
    named = form(mark(ALICE))  # type: ignore[operator]
    found = judge_sender(header_of(), named=named)
    assert (found.name, found.fingerprint, found.acquaintance) == (ALICE.name, mark(ALICE), Acquaintance.NAMED)
    assert found.is_new
    found.check()
    assert judge_sender(header_of(), named=PublicKey.from_identity(ALICE)).acquaintance is Acquaintance.NAMED


@pytest.mark.parametrize("sender", [IMPOSTOR, MALLORY])
def test_another_than_was_named(sender: Identity) -> None:
    """Whatever else speaks for them."""
    KnownKeys(SENDERS).remember(sender.name, mark(sender).hex())
    trust = {sender.name: mark(sender).hex()}
    for named in (mark(ALICE).hex(), PublicKey.from_identity(ALICE)):
        found = judge_sender(header_of(sender), named=named, trust=trust)
        assert found.acquaintance is Acquaintance.NOT_NAMED
        assert not found.is_new
        with refused(IntegrityError):
            found.check()


@pytest.mark.parametrize("named", ["", "alice@example.com", "00", "0" * 63, "bad words"])
def test_a_name_that_is_not_a_fingerprint(named: str) -> None:
    with refused(StoreError):
        judge_sender(header_of(), named=named)


# Trusted


def test_a_trusted_fingerprint() -> None:
    found = judge_sender(header_of(), trust={ALICE.name: to_words(mark(ALICE))})
    assert (found.acquaintance, found.is_new) == (Acquaintance.TRUSTED, False)


@pytest.mark.parametrize("trust", [{BOB.name: mark(BOB).hex()}, {ALICE.name: mark(IMPOSTOR).hex()}, {}, None])
def test_trust_in_somebody_else(trust: dict[str, str] | None) -> None:
    found = judge_sender(header_of(), trust=trust)
    assert (found.acquaintance, found.is_new) == (Acquaintance.STRANGER, True)
    with refused(PolicyError):
        found.check()


def test_an_owner_in_a_file_that_the_user_accepted() -> None:
    state = own_file()
    found = judge_sender(sender_in(state, ALICE_CREDS.name), seen=state, confirmed=True)
    assert found.acquaintance is Acquaintance.TRUSTED


def test_an_owner_in_a_file_that_the_user_only_came_across() -> None:
    state = own_file()
    found = judge_sender(sender_in(state, ALICE_CREDS.name), seen=state)
    assert found.acquaintance is Acquaintance.STRANGER


def test_a_custodian_who_owns_no_signed_domain() -> None:
    """Anybody may add a custodian."""
    for owners, acquaintance in (((), Acquaintance.STRANGER), ((BOB_CREDS.name,), Acquaintance.TRUSTED)):
        state = own_file(*owners)
        header = sender_in(state, BOB_CREDS.name)
        assert judge_sender(header, seen=state, confirmed=True).acquaintance is acquaintance


def test_an_owner_with_other_keys() -> None:
    found = judge_sender(header_of(IMPOSTOR), seen=own_file(), confirmed=True)
    assert (found.acquaintance, found.is_new) == (Acquaintance.OTHER_KEYS, False)
    with refused(IntegrityError):
        found.check()


def test_an_unsigned_domain_makes_nobody_known() -> None:
    file = KeyFile.create("protected.yaml").add_raw_key_custodian(ALICE_CREDS).add_domain("dev", ALICE_CREDS.name)
    state = State.trusting(file.document)
    found = judge_sender(sender_in(state, ALICE_CREDS.name), seen=state, confirmed=True)
    assert found.acquaintance is Acquaintance.STRANGER


# Known from an earlier package


def test_a_known_sender() -> None:
    KnownKeys(SENDERS).remember(ALICE.name, mark(ALICE).hex())
    assert judge_sender(header_of()).acquaintance is Acquaintance.KNOWN
    impostor = judge_sender(header_of(IMPOSTOR))
    assert impostor.acquaintance is Acquaintance.OTHER_KEYS
    with refused(IntegrityError):
        impostor.check()


def test_judging_remembers_nobody(state_folder: Path) -> None:
    judge_sender(header_of(), named=mark(ALICE).hex())
    judge_sender(header_of())
    assert not state_folder.exists()


def test_a_damaged_list(state_folder: Path) -> None:
    state_folder.mkdir()
    (state_folder / SENDERS).write_text("no-name\n")
    with refused(StoreError):
        judge_sender(header_of())


# What a user gives as a sender


def test_a_fingerprint_is_never_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = to_words(mark(ALICE))
    (tmp_path / words).write_text(PublicKey.from_identity(MALLORY).text)
    assert parse_sender(words) == words


def test_a_file_with_a_public_key(tmp_path: Path) -> None:
    path = tmp_path / "alice.pub"
    path.write_text(PublicKey.from_identity(ALICE).text)
    assert parse_sender(str(path)) == PublicKey.from_identity(ALICE)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [(None, StoreError), (b"\xff", StoreError), (b"", FormatError), (b"ssh-ed25519 AAAA x", FormatError)],
)
def test_what_is_neither(tmp_path: Path, raw: bytes | None, kind: type[StoreError]) -> None:
    path = tmp_path / "key"
    if raw is not None:
        path.write_bytes(raw)
    with refused(kind):
        parse_sender(str(path))


# open_package


def test_a_package_of_a_named_sender_is_opened() -> None:
    package, token = sealed()
    for form in (package, to_text(package).encode()):
        for key in (BOB, CAROL.exchange):
            found = open_package(form, key, sender=PublicKey.from_identity(ALICE), now=NOW)
            assert found.entries == (API, POINTER)
            assert found.opened_with(token) == GATED
    assert open_package(package, BOB, trust={ALICE.name: mark(ALICE).hex()}, now=NOW).entries == (API, POINTER)


def test_a_stranger_is_refused_and_not_remembered(state_folder: Path) -> None:
    package, _ = sealed()
    with refused(PolicyError):
        open_package(package, BOB, now=NOW)
    with refused(IntegrityError):
        open_package(package, BOB, sender=PublicKey.from_identity(MALLORY), now=NOW)
    open_package(package, BOB, sender=PublicKey.from_identity(ALICE), now=NOW)
    assert not state_folder.exists()


def test_who_the_sender_is_comes_first() -> None:
    """Nothing else of a stranger's package matters: neither its signature, nor its age."""
    package, _ = sealed()
    with pytest.raises(PolicyError, match="unknown sender"):
        open_package(package[:-1] + bytes([package[-1] ^ 1]), MALLORY, now=NOW + 2 * DAY)


@pytest.mark.parametrize(
    ("change", "reader", "later", "kind"),
    [
        (lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]), BOB, timedelta(0), IntegrityError),
        (lambda raw: raw[:-70], BOB, timedelta(0), FormatError),
        (lambda raw: raw[1:], BOB, timedelta(0), FormatError),
        (lambda raw: raw, MALLORY, timedelta(0), AccessError),
        (lambda raw: raw, BOB, DAY, PolicyError),
        (lambda raw: raw, BOB, -DAY, PolicyError),
    ],
    ids=["signature", "cut-off", "no-magic", "not-a-recipient", "expired", "in-the-future"],
)
def test_what_is_refused(change: object, reader: Identity, later: timedelta, kind: type[StoreError]) -> None:
    package, _ = sealed()
    with refused(kind):
        open_package(change(package), reader, sender=PublicKey.from_identity(ALICE), now=NOW + later)  # type: ignore[operator]


def test_the_clock_is_now_unless_given() -> None:
    with pytest.raises(PolicyError, match="expired"):
        open_package(
            seal_package(DEV, replace(request(), now=NOW - 40 * DAY)), BOB, sender=PublicKey.from_identity(ALICE)
        )
