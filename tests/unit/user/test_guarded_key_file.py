"""The guarded way refuses the writes and uses that the plain `KeyFile` does not know of, with the commands' errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from people import ATTACKS, CREDS, MALLORY, Change, seized, signed_file
from samples import refused
from shell import ALICE, BOB, CAROL

from pocket_protector import (
    AccessError,
    IntegrityError,
    KeyFile,
    PocketProtectorError,
    PolicyError,
    PPKeyError,
    Reference,
    Sensitivity,
    StoreError,
)
from pocket_protector.document.policy import Policy
from pocket_protector.user.domain_access import Use
from pocket_protector.user.guarded_key_file import GuardedKeyFile, GuardOptions
from pocket_protector.user.notices import Level, Notice

ME = CREDS[ALICE]

SEALING: dict[str, Change] = {
    "add": lambda file: file.add_secret("dev", "new", "value"),
    "update": lambda file: file.update_secret("dev", "API_KEY", "value"),
    "set": lambda file: file.set_secret("dev", "API_KEY", "value"),
    "reference": lambda file: file.set_secret("dev", "API_KEY", Reference("env://NAME")),
    "sensitivity": lambda file: file.set_sensitivity("dev", "API_KEY", Sensitivity.HIGH, creds=ME),
    "review": lambda file: file.sign_secrets("dev", ["unsigned"], ME),
}
WRAPPING: dict[str, Change] = {
    "add-owner": lambda file: file.add_owner("dev", CAROL, ME),
    "rotate": lambda file: file.rotate_domain_key("dev", ME),
    "remove": lambda file: file.rm_owner("dev", BOB, ME),
    "policy": lambda file: file.set_policy("dev", Policy(max_age=9), ME),
    "rekey": lambda file: file.rekey_custodian(ME, ME, raw_key=True),
    "migrate": lambda file: file.migrate_owner(CAROL, ME),
}


class Victim:
    """Alice's program: it has used the signed file, and pinned it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notices: list[Notice] = []
        file = signed_file().add_secret("dev", "unsigned", "by anybody")
        path.write_text(file.get_contents(), encoding="utf-8")
        assert self.open().decrypt_domain("dev", ME)

    def open(self, **options: object) -> GuardedKeyFile:
        return GuardedKeyFile.from_file(self.path, GuardOptions(**options), self.notices.append)  # type: ignore[arg-type]

    def attacked(self, attack: Change) -> GuardedKeyFile:
        self.path.write_text(attack(KeyFile.from_file(self.path)).get_contents(), encoding="utf-8")
        self.notices.clear()
        return self.open()


@pytest.fixture
def victim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Victim:
    monkeypatch.setenv("PPROTECT_STATE_DIR", str(tmp_path / "state"))
    return Victim(tmp_path / "protected.yaml")


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("change", [*SEALING, *WRAPPING])
def test_nothing_is_sealed_or_wrapped_after_an_attack(victim: Victim, attack: str, change: str) -> None:
    guarded = victim.attacked(ATTACKS[attack])
    before = victim.path.read_bytes()
    try:
        changed = (SEALING | WRAPPING)[change](guarded.key_file)
    except PocketProtectorError:
        return  # the plain file notices already
    with refused(IntegrityError) as caught:
        guarded.write(changed)
    assert caught.value.message.startswith("nothing was written: ")
    assert caught.value.hint
    assert victim.path.read_bytes() == before
    # The control: the plain file asks nobody, as its docstring says.
    changed.write()
    assert victim.path.read_bytes() != before


@pytest.mark.parametrize("change", [*SEALING, *WRAPPING])
def test_without_an_attack_it_is_written_and_pinned(victim: Victim, change: str) -> None:
    guarded = victim.open()
    written = guarded.write((SEALING | WRAPPING)[change](guarded.key_file))
    assert written.key_file == KeyFile.from_file(victim.path)
    assert not [notice for notice in victim.notices if notice.level is Level.WARNING]
    assert victim.open().judged.findings == ()


def test_a_new_domain_is_not_wrapped_for_a_replaced_custodian(victim: Victim) -> None:
    guarded = victim.attacked(ATTACKS["custodian"])
    with refused(IntegrityError) as caught:
        guarded.write(guarded.key_file.add_domain("new", BOB))
    assert f"custodian/{BOB}" in caught.value.message
    assert guarded.write(guarded.key_file.add_domain("new", CAROL)).key_file.get_domain_owner_names("new") == [CAROL]


def test_another_domain_can_be_written(victim: Victim) -> None:
    guarded = victim.attacked(ATTACKS["domain"])
    guarded.write(guarded.key_file.add_secret("prod", "new", "value"))
    assert [notice.level for notice in victim.notices] == [Level.WARNING]
    assert "elsewhere in the file" in victim.notices[0].text


def test_an_attacker_who_is_removed_takes_the_finding_along(victim: Victim) -> None:
    guarded = victim.attacked(ATTACKS["owner"])
    written = guarded.write(guarded.key_file.rm_owner("dev", MALLORY, ME), removing=MALLORY)
    assert written.key_file.get_domain_owner_names("dev") == [ALICE, BOB]


def test_two_owners_cannot_be_removed_to_hide_one(victim: Victim) -> None:
    guarded = victim.attacked(ATTACKS["owner"])
    changed = guarded.key_file.rm_owner("dev", MALLORY, ME).rm_owner("dev", BOB, ME)
    with refused(IntegrityError):
        guarded.write(changed, removing=BOB)


def test_a_domain_must_lead_back_to_a_trusted_custodian(victim: Victim) -> None:
    mine = {ALICE: KeyFile.from_file(victim.path).get_fingerprint(ALICE).hex()}
    victim.attacked(seized)
    guarded = victim.open(trust=mine, behind=True)
    for use in (
        lambda: guarded.write(guarded.key_file.add_secret("dev", "new", "value")),
        lambda: guarded.decrypt_domain("dev", ME),
        lambda: guarded.resolve([("dev", "API_KEY")]),
    ):
        with pytest.raises((PolicyError, IntegrityError)):
            use()


def test_a_replaced_domain_keeps_the_demands_that_this_user_saw(victim: Victim) -> None:
    guarded = victim.open()
    guarded.write(guarded.key_file.set_policy("dev", Policy(require_signed=True), ME))
    with refused(PolicyError):
        victim.attacked(seized).decrypt_domain("dev", ME)


def inject_only(victim: Victim) -> None:
    guarded = victim.open()
    guarded.write(guarded.key_file.set_sensitivity("dev", "API_KEY", Sensitivity.INJECT_ONLY, creds=ME))


def test_an_edited_file_does_not_make_a_value_printable(victim: Victim) -> None:
    inject_only(victim)
    dev = KeyFile.from_file(victim.path).document.domain("dev")
    secret = replace(dev.secrets["API_KEY"], sensitivity=Sensitivity.LOW, signed=None)
    edited = replace(dev, secrets={**dev.secrets, "API_KEY": secret})
    guarded = victim.attacked(lambda file: rewritten(file, file.document.with_domain(edited)))
    with refused(PolicyError) as caught:
        guarded.access("dev", Use(prints=True), ["API_KEY"])
    assert "inject-only" in caught.value.message


def rewritten(file: KeyFile, document: object) -> KeyFile:
    from pocket_protector.format.loaded_file import dump

    return KeyFile.from_contents_and_path(dump(document).text, file.path)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("use", "error"),
    [
        (Use(prints=True), PolicyError),
        (Use(prints=True, on_terminal=True, reveal=True), PolicyError),
        (Use(), None),
    ],
)
def test_inject_only_values_are_for_programs(victim: Victim, use: Use, error: type[PolicyError] | None) -> None:
    inject_only(victim)
    if error is None:
        assert victim.open().access("dev", use).open(ME).values["API_KEY"] == b"tulip-dev-api"
        return
    with refused(error):
        victim.open().access("dev", use)


def test_a_terminal_shows_high_values_on_request_only(victim: Victim) -> None:
    guarded = victim.open()
    guarded.write(guarded.key_file.set_sensitivity("dev", "API_KEY", Sensitivity.HIGH, creds=ME))
    with refused(PolicyError):
        victim.open().access("dev", Use(prints=True, on_terminal=True))
    for use in (Use(prints=True), Use(prints=True, on_terminal=True, reveal=True)):
        assert "API_KEY" in victim.open().access("dev", use).open(ME).values


def test_an_unknown_name_is_refused_before_anything_is_opened(victim: Victim) -> None:
    with refused(PPKeyError):
        victim.open().access("dev", names=["API-KEY"])


@pytest.mark.parametrize("fingerprint", ["00" * 32, "babab-babab-babab-babab-babab-babab-babab-babab"])
def test_a_new_owner_has_the_expected_fingerprint(victim: Victim, fingerprint: str) -> None:
    with refused(IntegrityError):
        victim.open().check_new_owner(CAROL, fingerprint)
    with refused(StoreError):
        victim.open().check_new_owner(CAROL, fingerprint[:-1])
    victim.open().check_new_owner(CAROL, KeyFile.from_file(victim.path).get_fingerprint(CAROL).hex())


def test_accepting_ends_the_refusal(victim: Victim) -> None:
    guarded = victim.attacked(ATTACKS["custodian"])
    guarded.accept()
    again = victim.open()
    again.write(again.key_file.add_owner("dev", CAROL, ME))


def test_a_new_file_is_confirmed_and_pinned(tmp_path: Path, victim: Victim) -> None:
    path = tmp_path / "new.yaml"
    guarded = GuardedKeyFile.create(path)
    written = guarded.write(guarded.key_file.add_raw_key_custodian(ME))
    assert written.judged.is_confirmed()
    assert GuardedKeyFile.from_file(path).judged.findings == ()


def test_a_damaged_pin_stops_every_guarded_step(victim: Victim, tmp_path: Path) -> None:
    next((tmp_path / "state" / "pins").iterdir()).write_bytes(b"pprotect-pin 1 damaged\n")
    steps: list[Callable[[GuardedKeyFile], object]] = [
        lambda guarded: guarded.write(guarded.key_file.add_secret("dev", "new", "value")),
        lambda guarded: guarded.decrypt_domain("dev", ME),
        lambda guarded: guarded.accept(),
    ]
    for step in steps:
        with refused(StoreError):
            step(victim.open())


# What a reviewer got past the guards


def test_a_change_of_another_object_is_refused(victim: Victim) -> None:
    guarded = victim.open()
    guarded.check_changeable()
    victim.attacked(ATTACKS["domain"])
    other = KeyFile.from_file(victim.path).set_secret("dev", "API_KEY", "sealed to Mallory")
    before = victim.path.read_bytes()
    with refused(StoreError):
        guarded.write(other)
    assert victim.path.read_bytes() == before


def test_what_goes_with_an_owner_goes_where_they_go_only(victim: Victim) -> None:
    guarded = victim.open()
    guarded = guarded.write(guarded.key_file.add_domain("other", ALICE, creds=ME))
    guarded = victim.attacked(ATTACKS["custodian"])
    changed = guarded.key_file.rm_owner("dev", BOB, ME).add_owner("other", BOB, ME)
    with refused(IntegrityError):
        guarded.write(changed, removing=BOB)


def test_an_owner_who_stays_is_not_being_removed(victim: Victim) -> None:
    guarded = victim.attacked(ATTACKS["custodian"])
    with refused(IntegrityError):
        guarded.write(guarded.key_file.rotate_domain_key("dev", ME), removing=CAROL)


def test_a_damaged_grant_is_no_way_out_of_a_signed_domain(victim: Victim) -> None:
    def stripped(file: KeyFile) -> KeyFile:
        dev = file.document.domain("dev")
        owners = {**dev.owners, BOB: replace(dev.owners[BOB], signed=None)}
        return rewritten(file, file.document.with_domain(replace(dev, owners=owners)))

    guarded = victim.attacked(stripped)
    for changed in (
        guarded.key_file.rm_owner("dev", BOB),
        guarded.key_file.rm_owner("dev", BOB).rm_secret("dev", "API_KEY"),
    ):
        with refused(AccessError) as caught:
            guarded.write(changed, removing=BOB)
        assert "rotation" in caught.value.message
    written = guarded.write(guarded.key_file.rm_owner("dev", BOB, ME), removing=BOB)
    assert written.key_file.get_domain_owner_names("dev") == [ALICE]


def test_a_new_owner_is_introduced_by_the_write(victim: Victim) -> None:
    guarded = victim.open()
    guarded.write(guarded.key_file.add_owner("dev", CAROL, ME))
    assert [notice.text for notice in victim.notices if CAROL in notice.text and "fingerprint" in notice.text]


def test_a_package_of_a_domain_that_was_production(victim: Victim) -> None:
    guarded = victim.open()
    before = victim.path.read_bytes()
    guarded.write(guarded.key_file.set_policy("dev", Policy(production=True), ME))
    victim.path.write_bytes(before)
    identity = victim.open().key_file.unlock(ME)
    with refused(IntegrityError):
        victim.open().access("dev", Use(resolve=False)).export(identity)
    assert victim.open(behind=True).access("dev", Use(resolve=False)).export(identity).production


def test_opened_values_are_the_chosen_ones(victim: Victim) -> None:
    opened = victim.open().access("dev", names=["API_KEY"]).open(ME)
    assert [*opened.values] == [*opened.texts()] == ["API_KEY"]
    assert "tulip-dev-db" not in "".join(str(getattr(opened, name)) for name in opened.__slots__)


def test_a_legacy_file_cannot_be_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PPROTECT_STATE_DIR", str(tmp_path / "state"))
    legacy = Path(__file__).parents[2] / "vectors" / "upstream" / "v1-v2-mixed.yaml"
    with refused(StoreError):
        GuardedKeyFile.from_file(legacy).accept()
