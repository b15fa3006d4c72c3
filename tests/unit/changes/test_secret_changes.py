"""Setting values, references and sensitivities: who may, what is signed, what the log says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

import pytest
from samples import ALICE, BOB, CAROL, DAVE, VECTORS, KeyFile, good, parse, raw_key, refused

from pocket_protector import Creds
from pocket_protector.changes import secret_changes
from pocket_protector.crypto.identity import Identity
from pocket_protector.document.decrypted import decrypt
from pocket_protector.document.document import Document
from pocket_protector.document.domain import Secret, open_key
from pocket_protector.document.exported import ExportedEntry
from pocket_protector.document.new_secret import NewSecret, SetMode
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import AccessError, NameFormatError, PPKeyError, StoreError
from pocket_protector.trust.authority import EntryStatus, entry_status, owners_of

NOW = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
HERE, THERE = Reference("no-such-scheme://here"), Reference("x1://there?a=b#c")
LOW, MEDIUM, HIGH, INJECT_ONLY = Sensitivity


@cache
def file(signed: bool) -> KeyFile:
    """dev belongs to Alice and Bob, and Carol and Dave own nothing of it."""
    made = good().add_raw_key_custodian(DAVE)
    return parse(made.rotate_domain_key("dev", ALICE).get_contents()) if signed else parse(made.get_contents())


def setting(
    mode: SetMode,
    document: Document,
    name: str,
    content: str | Reference,
    now: datetime = NOW,
    by: Identity | None = None,
    level: Sensitivity | None = None,
) -> Document:
    return secret_changes.set_secret(document, mode, NewSecret("dev", name, content, level), now, by)


add, update, put = (partial(setting, mode) for mode in SetMode)

BOTH = pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])


def who(creds: Creds | None) -> Identity | None:
    return None if creds is None else file(True).unlock(creds)


def entry(document: Document, name: str = "api-key") -> Secret:
    return document.secret("dev", name)


def status(document: Document, name: str = "api-key") -> EntryStatus:
    domain = document.domain("dev")
    return entry_status(document, domain, owners_of(document, domain), name)


def logged(before: Document, after: Document) -> list[str]:
    """What was added to the log of dev's secrets, without the times."""
    added = []
    for where, entries in after.log.lists.items():
        old = before.log.lists.get(where, ())
        assert entries[: len(old)] == old
        assert not (entries[len(old) :] and not where.startswith("secret/dev/"))
        added += [text.partition(" -- ")[2] for text in entries[len(old) :]]
    return added


def of_sensitivity(
    level: Sensitivity, name: str = "api-key", signed: bool = True, creds: Creds | None = None
) -> Document:
    """A document whose entry has that sensitivity, signed or not."""
    document = file(signed).document
    if level is MEDIUM:
        return document
    by = who(creds or (ALICE if level < MEDIUM else None))
    return secret_changes.set_sensitivity(document, "dev", name, level, NOW, by)


# Adding


@BOTH
@pytest.mark.parametrize(
    ("content", "level", "said"),
    [
        ("value", None, "added secret new in dev"),
        ("value", MEDIUM, "added secret new in dev"),
        ("value", LOW, "added secret new in dev, of low sensitivity"),
        ("value", INJECT_ONLY, "added secret new in dev, of inject-only sensitivity"),
        (HERE, None, "added secret new in dev as a reference to no-such-scheme"),
        (THERE, HIGH, "added secret new in dev as a reference to x1, of high sensitivity"),
    ],
)
def test_a_new_entry_of_any_sensitivity_takes_nobody(
    signed: bool, content: str | Reference, level: Sensitivity | None, said: str
) -> None:
    before = file(signed).document
    for change in (add, put):
        after = change(before, "new", content, level=level)
        assert entry(after, "new").sensitivity is (MEDIUM if level is None else level)
        assert entry(after, "new").signed is None
        assert logged(before, after) == [said]
        held = entry(after, "new").value
        assert held == content if isinstance(content, Reference) else isinstance(held, bytes)


def test_with_an_identity_it_is_signed_as_it_is() -> None:
    before = file(True).document
    after = add(before, "new", THERE, NOW, who(BOB), HIGH)
    assert status(after, "new") is EntryStatus.REVIEWED
    assert logged(before, after) == ["added secret new in dev as a reference to x1, of high sensitivity"]
    stranger = add(before, "new", THERE, NOW, who(DAVE), HIGH)
    assert status(stranger, "new") is EntryStatus.UNVOUCHED


def test_a_reference_needs_a_name_of_its_own_and_one_that_may_be_given() -> None:
    document = file(False).document
    with refused(StoreError):
        add(document, "api-key", HERE)
    with refused(PPKeyError):
        update(document, "new", HERE)
    with refused(NameFormatError):
        add(document, "a^b", HERE, NOW)


# Updating


@BOTH
@pytest.mark.parametrize("level", list(Sensitivity))
@pytest.mark.parametrize("content", ["value", HERE])
def test_an_update_keeps_the_sensitivity(signed: bool, level: Sensitivity, content: str | Reference) -> None:
    before = of_sensitivity(level, signed=signed)
    after = update(before, "api-key", content, NOW)
    assert entry(after).sensitivity is level
    assert entry(after).signed is None
    behind = "" if isinstance(content, str) else " as a reference to no-such-scheme"
    assert logged(before, after) == [f"updated secret api-key in dev{behind}"]


def test_an_update_may_raise_it() -> None:
    before = of_sensitivity(LOW)
    after = update(before, "api-key", HERE, NOW, None, HIGH)
    assert entry(after).sensitivity is HIGH
    assert logged(before, after) == [
        "updated secret api-key in dev as a reference to no-such-scheme",
        "raised the sensitivity of secret api-key in dev from low to high",
    ]


def test_a_value_and_a_reference_take_each_others_place() -> None:
    first = file(True).document
    second = put(first, "api-key", HERE, NOW, who(ALICE))
    third = put(second, "api-key", "value", NOW, who(ALICE))
    assert [isinstance(entry(d).value, Reference) for d in (first, second, third)] == [False, True, False]
    assert status(second) is status(third) is EntryStatus.REVIEWED
    # Each has a time of its own, also within a second.
    assert entry(second).updated < entry(third).updated


def test_the_same_reference_set_again_is_another_version() -> None:
    first = put(file(False).document, "api-key", HERE, NOW)
    again = put(first, "api-key", HERE, NOW - timedelta(days=9))
    assert entry(first).version != entry(again).version
    assert entry(first).updated < entry(again).updated


Lower = Callable[[Document, Identity | None], Document]
LOWER: dict[str, Lower] = {
    "alone": lambda d, by: secret_changes.set_sensitivity(d, "dev", "api-key", LOW, NOW, by),
    "with a value": lambda d, by: update(d, "api-key", "value", NOW, by, LOW),
    "with a reference": lambda d, by: put(d, "api-key", HERE, NOW, by, LOW),
}


@BOTH
@pytest.mark.parametrize("how", LOWER)
@pytest.mark.parametrize("level", [MEDIUM, HIGH, INJECT_ONLY])
def test_to_lower_one_takes_an_owner_who_signs(signed: bool, how: str, level: Sensitivity) -> None:
    before = of_sensitivity(level, signed=signed)
    for nobody in (None, who(CAROL), who(DAVE)):
        with refused(AccessError):
            LOWER[how](before, nobody)
    after = LOWER[how](before, who(BOB))
    assert entry(after).sensitivity is LOW
    assert status(after) is EntryStatus.REVIEWED
    said = f"{BOB.name} lowered the sensitivity of secret api-key in dev from {level.word} to low"
    assert logged(before, after)[-1] == said
    assert len(logged(before, after)) == (1 if how == "alone" else 2)


def test_an_owner_who_does_not_count_lowers_none() -> None:
    """Listed, by a grant that nobody signed; or with keys of Pocket Protector's, which cannot sign."""
    document = of_sensitivity(HIGH)
    domain = document.domains["dev"]
    listed = {name: replace(grant, signed=None) if name == BOB.name else grant for name, grant in domain.owners.items()}
    with refused(AccessError):
        LOWER["alone"](document.with_domain(replace(domain, owners=listed)), who(BOB))
    old = parse((VECTORS / "upstream" / "v1-v2-mixed.yaml").read_text(encoding="utf-8")).upgrade()
    name = old.get_domain_names()[0]
    secret = old.get_domain_secret_names(name)[0]
    owner = old.get_domain_owner_names(name)[0]
    seed = Identity.from_seed(owner, bytes(32))
    cannot_sign = Identity(owner, seed.exchange)
    with refused(AccessError) as caught:
        secret_changes.set_sensitivity(old.document, name, secret, LOW, NOW, cannot_sign)
    assert "cannot sign" in str(caught.value)


# A sensitivity alone


@BOTH
def test_to_raise_one_of_an_unsigned_entry_takes_nobody(signed: bool) -> None:
    before = file(signed).document
    after = secret_changes.set_sensitivity(before, "dev", "api-key", INJECT_ONLY, NOW)
    old, new = entry(before), entry(after)
    assert (new.value, new.updated, new.signed) == (old.value, old.updated, None)
    assert logged(before, after) == ["raised the sensitivity of secret api-key in dev from medium to inject-only"]


@pytest.mark.parametrize("level", [LOW, HIGH])
def test_of_a_signed_entry_an_owner_changes_it_and_signs_anew(level: Sensitivity) -> None:
    before = file(True).sign_secrets("dev", ["api-key"], ALICE).document
    for nobody in (None, who(DAVE)):
        with refused(AccessError):
            secret_changes.set_sensitivity(before, "dev", "api-key", level, NOW, nobody)
    after = secret_changes.set_sensitivity(before, "dev", "api-key", level, NOW, who(BOB))
    assert (entry(after).value, entry(after).updated) == (entry(before).value, entry(before).updated)
    signed = entry(after).signed
    assert signed is not None
    assert signed.by.name == BOB.name
    assert status(after) is EntryStatus.REVIEWED


def test_the_same_again_is_refused() -> None:
    for level in Sensitivity:
        with refused(StoreError) as caught:
            secret_changes.set_sensitivity(of_sensitivity(level), "dev", "api-key", level, NOW, who(ALICE))
        assert f"is {level.word} already" in str(caught.value)


def test_of_what_is_not_there() -> None:
    with refused(PPKeyError):
        secret_changes.set_sensitivity(file(False).document, "dev", "new", HIGH, NOW)
    with refused(PPKeyError):
        secret_changes.set_sensitivity(file(False).document, "no", "api-key", HIGH, NOW)


# Importing


def test_what_a_reference_leads_to_is_sealed_in_its_place_and_nobody_vouches_for_it() -> None:
    first = add(file(True).document, "new", THERE, NOW, who(ALICE), HIGH)
    after = secret_changes.import_reference(first, "dev", "new", "what was there", NOW)
    assert logged(first, after) == ["imported secret new in dev from x1"]
    assert (entry(after, "new").sensitivity, entry(after, "new").signed) == (HIGH, None)
    assert entry(first, "new").updated < entry(after, "new").updated
    domain = after.domain("dev")
    alice = who(ALICE)
    assert alice is not None
    assert decrypt(domain, open_key(domain, alice))["new"] == "what was there"


@pytest.mark.parametrize(("name", "error"), [("api-key", StoreError), ("new", PPKeyError)])
def test_there_is_no_reference_to_import(name: str, error: Any) -> None:
    with refused(error):
        secret_changes.import_reference(file(False).document, "dev", name, "x", NOW)


def test_a_value_that_no_file_holds_is_not_imported() -> None:
    document = add(file(False).document, "new", HERE, NOW)
    for value in ("\ud800", "a" * (1024 * 1024 + 1)):
        with refused(StoreError):
            secret_changes.import_reference(document, "dev", "new", value, NOW)


# Reviewing and removing


def test_a_reference_is_reviewed_and_removed_like_a_value() -> None:
    first = add(file(True).document, "new", HERE, NOW, None, LOW)
    alice = who(ALICE)
    assert alice is not None
    reviewed = secret_changes.sign_secrets(first, "dev", ["new"], alice, NOW)
    assert status(reviewed, "new") is EntryStatus.REVIEWED
    assert logged(first, reviewed) == [f"{ALICE.name} reviewed secret new in dev"]
    gone = secret_changes.rm_secret(reviewed, "dev", "new", NOW)
    assert "new" not in gone.domain("dev").secrets
    assert logged(reviewed, gone) == ["removed secret new from dev"]


def test_no_reference_is_in_the_log_or_in_an_error() -> None:
    """But its scheme."""
    document = add(file(True).document, "new", THERE, NOW)
    document = update(document, "new", HERE, NOW)
    document = secret_changes.import_reference(document, "dev", "new", raw_key(0xA1), NOW)
    shown = "\n".join(document.log.entries())
    assert "there" not in shown
    assert "here" not in shown
    assert raw_key(0xA1) not in shown


# Entries of a package

PACKED = (
    ExportedEntry("api-key", b"from afar", LOW),
    ExportedEntry("new", "ü".encode(), HIGH),
    ExportedEntry("there", THERE, Sensitivity.MEDIUM),
)


@pytest.mark.parametrize("overwrite", [False, True])
def test_entries_of_a_package(overwrite: bool) -> None:
    before = of_sensitivity(HIGH)
    after = secret_changes.import_entries(before, "dev", PACKED, "x@y", NOW, overwrite)
    taken = PACKED if overwrite else PACKED[1:]
    levels = {"api-key": "high", "new": "high", "there": "medium"}
    text = "imported secret {} in dev from a package of x@y, of {} sensitivity"
    assert logged(before, after) == [text.format(e.name, levels[e.name]) for e in taken]
    # What was there is handled as carefully as before.
    assert [entry(after, e.name).sensitivity for e in PACKED] == [HIGH, HIGH, Sensitivity.MEDIUM]
    assert [entry(after, e.name).signed for e in taken] == [None] * len(taken)
    assert (entry(after).value == entry(before).value) is not overwrite
    assert entry(after, "there").value == THERE
    assert not overwrite or entry(before).updated < entry(after).updated
    alice = who(ALICE)
    assert alice is not None
    values = decrypt(after.domain("dev"), open_key(after.domain("dev"), alice))
    assert (values["new"], values["api-key"] == "from afar") == ("ü", overwrite)


def test_entries_for_a_domain_that_is_not_there() -> None:
    with refused(PPKeyError):
        secret_changes.import_entries(file(False).document, "no", PACKED, "x@y", NOW, False)
