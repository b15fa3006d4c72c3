"""`exported_domain`: entries for export formats and packages."""

from __future__ import annotations

from pathlib import Path

import pytest
from samples import ALICE, BOB, get, parse, put, refused

from pocket_protector import (
    AccessError,
    IntegrityError,
    KeyFile,
    PolicyError,
    PPKeyError,
    ProviderError,
    Reference,
    Sensitivity,
)
from pocket_protector.document.exported import ExportedEntry
from pocket_protector.document.policy import Policy
from pocket_protector.keyfile.exported_domain import exported_domain, with_contents
from pocket_protector.plugins.registry import export_as


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyFile:
    monkeypatch.setenv("PPROTECT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PPROTECT_ALLOW_LOCAL_REFERENCES", "1")
    monkeypatch.setenv("FAR", "tulip-far")
    store = KeyFile.create(tmp_path / "protected.yaml").add_raw_key_custodian(ALICE).add_raw_key_custodian(BOB)
    store = store.add_domain("dev", ALICE.name, creds=ALICE, policy=Policy(production=False))
    store = store.add_secret("dev", "near", "tulip ☃", sensitivity=Sensitivity.HIGH)
    return store.add_secret("dev", "far", Reference("env://FAR"), sensitivity=Sensitivity.LOW)


NEAR = ExportedEntry("near", "tulip ☃".encode(), Sensitivity.HIGH)


def test_references_are_kept_or_resolved(file: KeyFile) -> None:
    found = exported_domain(file, "dev", ALICE, resolve=False)
    assert (found.file_id, found.name, found.production) == (file.file_id, "dev", False)
    assert found.entries == (ExportedEntry("far", Reference("env://FAR"), Sensitivity.LOW), NEAR)
    resolved = exported_domain(file, "dev", ALICE, resolve=True)
    assert resolved.entries == (ExportedEntry("far", b"tulip-far", Sensitivity.LOW), NEAR)
    assert export_as("json", resolved) == b'{\n  "far": "tulip-far",\n  "near": "tulip \\u2603"\n}\n'


def test_only_those_that_are_named(file: KeyFile, monkeypatch: pytest.MonkeyPatch) -> None:
    assert exported_domain(file, "dev", ALICE, ["near", "near"], resolve=True).entries == (NEAR,)
    assert exported_domain(file, "dev", ALICE, [], resolve=True).entries == ()
    monkeypatch.delenv("FAR")
    assert exported_domain(file, "dev", ALICE, ["near"], resolve=True).entries == (NEAR,)
    with pytest.raises(ProviderError):
        exported_domain(file, "dev", ALICE, resolve=True)


def test_what_is_refused(file: KeyFile) -> None:
    with refused(PPKeyError):
        exported_domain(file, "prod", ALICE, resolve=True)
    with refused(PPKeyError):
        exported_domain(file, "dev", ALICE, ["near", "nothing"], resolve=True)
    with refused(AccessError):
        exported_domain(file, "dev", BOB, resolve=False)
    demanding = file.set_policy("dev", Policy(require_signed=True), ALICE)
    with refused(PolicyError):
        exported_domain(demanding, "dev", ALICE, resolve=False)


def test_a_value_that_was_moved(file: KeyFile) -> None:
    text = file.add_secret("dev", "other", "tulip").get_contents()
    moved = parse(put(text, get(text, "dev", "secret-near", "value"), "dev", "secret-other", "value"), file.path)
    with refused(IntegrityError, "dev.secret-other"):
        exported_domain(moved, "dev", ALICE, resolve=False)


def test_no_text_format_takes_an_inject_only_value(file: KeyFile) -> None:
    file = file.add_secret("dev", "never", "tulip", sensitivity=Sensitivity.INJECT_ONLY)
    with refused(PolicyError):
        export_as("json", exported_domain(file, "dev", ALICE, ["never"], resolve=True))


@pytest.mark.parametrize(
    ("least", "level"),
    [
        (None, Sensitivity.HIGH),
        ({}, Sensitivity.HIGH),
        ({"near": Sensitivity.LOW}, Sensitivity.HIGH),
        ({"near": Sensitivity.INJECT_ONLY}, Sensitivity.INJECT_ONLY),
        ({"far": Sensitivity.INJECT_ONLY}, Sensitivity.HIGH),
    ],
)
def test_a_sensitivity_is_raised_and_never_lowered(
    file: KeyFile, least: dict[str, Sensitivity] | None, level: Sensitivity
) -> None:
    found = with_contents(file, "dev", {"near": b"value"}, least)
    assert found.entries == (ExportedEntry("near", b"value", level),)
