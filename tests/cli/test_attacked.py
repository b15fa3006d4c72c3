"""What a reviewer got past the commands, or past the pins, and no longer does."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from people import CREDS, MALLORY, Person, seized, unsigned_file
from shell import ALICE, BOB

from pocket_protector import KeyFile
from pocket_protector.document.domain import BOUND, Grant
from pocket_protector.document.policy import Policy
from pocket_protector.format.loaded_file import dump
from pocket_protector.trust.fingerprints import to_hex

LEGACY = Path(__file__).parent.parent / "vectors" / "upstream"


def stripped(file: KeyFile) -> KeyFile:
    """The domain replaced by one of Mallory's of the same name, which nobody has signed."""
    known = MALLORY in file.get_key_custodian_names()
    mine = file if known else file.add_raw_key_custodian(CREDS[MALLORY])
    domain = mine.rm_domain("dev").add_domain("dev", MALLORY).add_secret("dev", "API_KEY", "Mallory's")
    return domain.add_owner("dev", ALICE, CREDS[MALLORY])


def injected(file: KeyFile) -> KeyFile:
    """Mallory listed as an owner of a domain that nobody has signed, with bytes that open nothing."""
    file = file.add_raw_key_custodian(CREDS[MALLORY])
    document = file.document
    domain = document.domain("dev")
    owners = {**domain.owners, MALLORY: Grant(BOUND + os.urandom(120), domain.owners[ALICE].granted)}
    loaded = dump(document.with_domain(replace(domain, owners=owners)))
    return KeyFile.from_contents_and_path(loaded.text, file.path)


def anchor(person: Person) -> str:
    return f"{ALICE}={to_hex(person.store().get_fingerprint(ALICE))}"


def test_an_anchor_refuses_a_domain_whose_statements_are_gone(someone: Person) -> None:
    trusted = anchor(someone)
    someone.put(stripped(someone.store()))
    result = someone("verify", "--trust", trusted)
    assert result.code == 1
    assert "violation  domain/dev: its key and owners do not lead back to" in result.out


@pytest.mark.parametrize("given", ["variable", "option"])
def test_whoever_names_an_anchor_neither_reads_nor_seals_elsewhere(someone: Person, given: str) -> None:
    trusted = anchor(someone)
    env = {"PPROTECT_TRUST": trusted} if given == "variable" else {}
    words = ("--trust", trusted) if given == "option" else ()
    assert someone("get", "dev", "API_KEY", *words, env=env).code == 0
    someone.put(stripped(someone.store()))
    before = someone.file.read_bytes()
    someone("get", "dev", "API_KEY", *words, env=env).failed(8, "'dev' may not be used")
    assert someone("add-secret", "dev", "new", "--generate", *words, env=env).code in (5, 8)
    assert someone.file.read_bytes() == before


def test_a_history_in_the_place_of_another(someone: Person) -> None:
    """A push that throws a rotation away; and one of a branch that has no commit in common."""
    someone.change(lambda file: file.rotate_domain_key("dev", CREDS[BOB]), "rotated")
    result = someone("verify", "HEAD..HEAD~1")
    assert result.code == 1
    assert "domain/dev: older than what you saw" in result.out
    someone.git("checkout", "-q", "--orphan", "other")
    someone.change(stripped, "all anew")
    result = someone("verify", "main..other")
    assert result.code == 1
    assert "merge result" in result.out


def test_a_pull_request_that_is_behind_its_target_is_judged_as_it_would_be_merged(someone: Person) -> None:
    someone.branch("request", lambda file: file.add_secret("dev", "new", "value"))
    someone.git("checkout", "-q", "main")
    someone.change(lambda file: file.rotate_domain_key("dev", CREDS[BOB]), "rotated")
    assert someone("verify", "main..request").code == 0


def test_the_policy_that_was_seen_still_counts(someone: Person) -> None:
    someone.put(
        someone.store()
        .sign_secrets("dev", someone.store().get_domain_secret_names("dev"), CREDS[ALICE])
        .set_policy("dev", Policy(require_signed=True), CREDS[ALICE])
    )
    someone.done("trust", "accept", "--yes")
    assert someone("get", "dev", "API_KEY").code == 0
    someone.put(seized(someone.store()))
    someone("get", "dev", "API_KEY").failed(8, "'dev' may not be used")


def test_a_file_of_pocket_protector_s_in_the_place_of_one_that_was_seen(pinned: Person) -> None:
    legacy = next(LEGACY.glob("v0-*.yaml")) if LEGACY.is_dir() else None
    if legacy is None:
        pytest.skip("no file of Pocket Protector's is there")
    pinned.file.write_bytes(legacy.read_bytes())
    pinned("upgrade").failed(5, "nothing was written: a file of Pocket Protector's stands", "--behind")
    assert pinned.file.read_bytes() == legacy.read_bytes()


def test_an_owner_put_into_an_unsigned_domain_gets_no_key_unseen(someone: Person) -> None:
    someone.put(unsigned_file())
    someone.done("trust", "accept", "--yes")
    someone.put(injected(someone.store()))
    before = someone.file.read_bytes()
    for words in (("rotate-domain-keys", "dev"), ("set-policy", "dev", "--min-owners", "1")):
        result = someone(*words)
        result.failed(5, f"nothing was written: owner/dev/{MALLORY}", "pprotect trust accept")
    assert someone.file.read_bytes() == before
    assert someone("add-secret", "dev", "new", "--generate").code == 0


def test_a_weakened_policy_is_told_by_whichever_command_comes_first(pinned: Person) -> None:
    stricter = pinned.store().set_policy("dev", Policy(max_age=9), CREDS[ALICE])
    pinned.put(stricter)
    pinned.done("trust", "accept", "--yes")
    pinned.put(pinned.store().set_policy("dev", Policy(), CREDS[BOB]))
    result = pinned("add-key-custodian", "zoe@example.com", "--key-type", "raw", "--yes")
    assert result.code == 0
    assert f"note: domain/dev: {BOB} weakened the policy (max-age)" in result.err


def test_such_a_file_does_not_shed_the_policy_that_was_seen(someone: Person) -> None:
    """Values of somebody's in a file of Pocket Protector's, where a domain of that name demanded signed ones."""
    expected = json.loads((LEGACY / "expected.json").read_text(encoding="utf-8"))["v0-basic"]
    passphrase = expected["custodians"][ALICE]
    store = someone.store().sign_secrets("dev", someone.store().get_domain_secret_names("dev"), CREDS[ALICE])
    someone.put(store.set_policy("dev", Policy(require_signed=True), CREDS[ALICE]))
    someone.done("trust", "accept", "--yes")
    someone.file.write_bytes((LEGACY / "v0-basic.yaml").read_bytes())
    result = someone("get", "dev", "api_key", env={"PPROTECT_USER": ALICE, "PPROTECT_PASSPHRASE": passphrase})
    result.failed(8, "signed values of 'dev' are required, and nobody has signed its key")
    assert expected["domains"]["dev"]["secrets"]["api_key"] not in result.out
