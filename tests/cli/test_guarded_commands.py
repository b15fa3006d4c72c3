"""Every command that seals, wraps, prints or follows refuses the same attacks. A new command has to be listed here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from people import ATTACKS, CREDS, MALLORY, Person, loaded, seized
from shell import ALICE, BOB, CAROL

from pocket_protector import KeyFile, Reference, Sensitivity
from pocket_protector.cli.command_table import COMMANDS

Words = Callable[[Person], tuple[str, ...]]


def words(*fixed: str) -> Words:
    return lambda person: fixed


def unpacking(person: Person) -> tuple[str, ...]:
    """Import a package that Alice made of her own domain before."""
    return ("unpack", "--in", str(person.home / "package"), "--sender", fingerprint(person), "--into", "dev")


def printing_package(person: Person) -> tuple[str, ...]:
    return ("unpack", "--in", str(person.home / "package"), "--sender", fingerprint(person))


def fingerprint(person: Person) -> str:
    return (person.home / "fingerprint").read_text()


NEW_KEY = ("--key-type", "raw", "--yes")

SEALS: dict[str, Words] = {
    "add-secret": words("add-secret", "dev", "new", "--generate"),
    "update-secret": words("update-secret", "dev", "API_KEY", "--generate"),
    "set-secret": words("set-secret", "dev", "API_KEY", "--generate"),
    "set-sensitivity": words("set-sensitivity", "dev", "API_KEY", "high"),
    "review": words("review", "dev", "--yes"),
    "import-reference": words("import-reference", "dev", "pointer"),
    "unpack": unpacking,
}
WRAPS: dict[str, Words] = {
    "add-owner": words("add-owner", "dev", CAROL),
    "migrate-owner": words("migrate-owner", CAROL, "--yes"),
    "rotate-domain-keys": words("rotate-domain-keys", "dev"),
    "set-policy": words("set-policy", "dev", "--max-age", "9d"),
    "rekey-custodian": lambda person: ("rekey-custodian", *person.as_(), *NEW_KEY),
    "package": words("package", "dev", "--recipient", BOB, "--out", "out", "--token-out", "token"),
}
PRINTS: dict[str, Words] = {
    "get": words("get", "dev", "API_KEY"),
    "decrypt-domain": words("decrypt-domain", "dev"),
    "export": words("export", "dev", "--format", "json"),
}
FOLLOWS: dict[str, Words] = {
    "get": words("get", "dev", "pointer"),
    "decrypt-domain": words("decrypt-domain", "dev"),
    "export": words("export", "dev", "--format", "json"),
    "run": words("run", "dev", "--", "sh", "-c", "echo ran"),
    "exec": words("exec", "--domain", "dev", "--", "sh", "-c", "echo ran"),
    "check-references": words("check-references", "dev"),
    "import-reference": words("import-reference", "dev", "pointer"),
}
ELSEWHERE = {
    "add-domain": "wraps a new key for its user only: tests/unit/user/test_guarded_key_file.py",
    "rm-owner": "the finding goes with the owner: test_removing_an_owner",
    "join": "needs a conflict: tests/integration/test_join.py",
    "resolve": "needs a conflict: tests/integration/test_git_merge.py",
    "upgrade": "needs a legacy file: tests/cli/test_attacked.py",
    "set-key-custodian-passphrase": "wraps for legacy custodians only: tests/cli/test_legacy.py",
    "truncate-audit-log": "seals nothing: test_trust.py",
}
NEITHER = {
    *("init", "version", "add-key-custodian", "rm-key-custodian", "rm-domain", "rm-secret"),
    *("list-audit-log", "list-user-secrets", "list-domains", "list-domain-secrets", "list-all-secrets"),
    *("trust", "fingerprint", "verify", "status", "pubkey", "keygen"),
}


def test_every_command_is_listed() -> None:
    listed = SEALS.keys() | WRAPS.keys() | PRINTS.keys() | FOLLOWS.keys() | ELSEWHERE.keys() | NEITHER
    assert {row.name for row in COMMANDS} == listed


@pytest.fixture
def victim(pinned: Person) -> Person:
    """Alice, who has used a file with a reference, an unreviewed value and a package of her own."""
    pinned.variables |= {"PPROTECT_ALLOW_LOCAL_REFERENCES": "1", "POINTED": "the value", "STOLEN": "Alice's own token"}
    pinned.done("add-secret", "dev", "pointer", "--reference", "env://POINTED", "--sign")
    pinned.done("add-secret", "dev", "unreviewed", "--generate")
    pinned.done("package", "dev", "--recipient", ALICE, "--secret", "API_KEY", "--out", str(pinned.home / "package"))
    (pinned.home / "fingerprint").write_text(pinned.done("fingerprint", ALICE).splitlines()[1])
    return pinned


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("command", [*SEALS, *WRAPS])
def test_nothing_is_sealed_or_wrapped(victim: Person, command: str, attack: str) -> None:
    victim.put(ATTACKS[attack](victim.store()))
    before = victim.file.read_bytes()
    result = victim(*(SEALS | WRAPS)[command](victim))
    assert result.code in (4, 5, 6), (result.code, result.err)
    assert result.raw == b""
    assert victim.file.read_bytes() == before
    assert not (victim.folder / "out").exists()


@pytest.mark.parametrize("command", [*SEALS, *WRAPS])
def test_without_an_attack_it_works(victim: Person, command: str) -> None:
    result = victim(*(SEALS | WRAPS)[command](victim))
    assert result.code == 0, result.err


def with_pointer_replaced(file: KeyFile) -> KeyFile:
    """The domain is Mallory's, and its reference leads to another variable of the reader's."""
    return seized(file).set_secret("dev", "pointer", Reference("env://STOLEN"), creds=CREDS[MALLORY])


@pytest.mark.parametrize("command", FOLLOWS)
def test_no_reference_is_followed(victim: Person, command: str) -> None:
    victim.put(with_pointer_replaced(victim.store()))
    before = victim.file.read_bytes()
    result = victim(*FOLLOWS[command](victim))
    assert result.code in (5, 8), (result.code, result.err)
    assert result.raw == b""
    assert victim.file.read_bytes() == before
    log = victim.state / "access.log"
    assert "STOLEN" not in (log.read_text() if log.exists() else "")


def with_sensitivity_lowered(file: KeyFile) -> KeyFile:
    dev = file.document.domain("dev")
    secret = replace(dev.secrets["API_KEY"], sensitivity=Sensitivity.LOW, signed=None)
    return loaded(file.document.with_domain(replace(dev, secrets={**dev.secrets, "API_KEY": secret})))


@pytest.mark.parametrize("command", PRINTS)
def test_an_edited_file_makes_nothing_printable(victim: Person, command: str) -> None:
    victim.done("set-sensitivity", "dev", "API_KEY", "inject-only")
    victim(*PRINTS[command](victim)).failed(8, "inject-only")
    victim.put(with_sensitivity_lowered(victim.store()))
    victim(*PRINTS[command](victim)).failed(8, "inject-only")


def test_a_package_prints_what_it_says(victim: Person) -> None:
    assert "tulip-dev-api" in victim.done(*printing_package(victim))


def test_removing_an_owner(victim: Person) -> None:
    """Mallory, who was injected, can be removed; while Mallory is there, nobody else can."""
    victim.put(ATTACKS["owner"](victim.store()))
    before = victim.file.read_bytes()
    victim("rm-owner", "dev", BOB).failed(5, f"owner/dev/{MALLORY}")
    assert victim.file.read_bytes() == before
    victim.done("rm-owner", "dev", MALLORY)
    assert victim.store().get_domain_owner_names("dev") == [ALICE, BOB]


@pytest.mark.parametrize("command", ["add-secret", "rotate-domain-keys", "get"])
def test_a_damaged_pin_is_never_a_first_contact(victim: Person, command: str) -> None:
    victim.pin.write_bytes(b"pprotect-pin 1 damaged\n")
    before = victim.file.read_bytes()
    victim(*(SEALS | WRAPS | PRINTS)[command](victim)).failed(6, "is damaged")
    assert victim.file.read_bytes() == before


def test_the_table_names_real_tests() -> None:
    here = Path(__file__).parents[2]
    for reason in ELSEWHERE.values():
        place = reason.rpartition(": ")[2]
        assert not place.startswith("tests/") or (here / place).exists(), place
