"""Files that Pocket Protector 20.0.1 and 26.4.3 wrote: read, refused to change, upgraded, rotated."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from samples import VECTORS, parse, raw_key, refused

from pocket_protector import Creds, IntegrityError, KeyFile, PassphraseError, StoreError

UPSTREAM = VECTORS / "upstream"
EXPECTED = json.loads((UPSTREAM / "expected.json").read_text(encoding="utf-8"))
FILES = sorted(EXPECTED)
GRANTS = [
    (file, domain, owner)
    for file, expected in EXPECTED.items()
    for domain, content in expected["domains"].items()
    for owner in content["owners"]
]


def text(name: str) -> str:
    return (UPSTREAM / f"{name}.yaml").read_text(encoding="utf-8")


@cache
def creds(file: str, custodian: str) -> Creds:
    """One object for each, so that its key is derived once in all these tests."""
    return Creds(custodian, EXPECTED[file]["custodians"][custodian])


def secrets(file: str, domain: str) -> dict[str, str]:
    return EXPECTED[file]["domains"][domain]["secrets"]


def owners(file: str, domain: str) -> list[str]:
    return EXPECTED[file]["domains"][domain]["owners"]


@pytest.mark.parametrize(("file", "domain", "owner"), GRANTS)
def test_every_owner_reads_every_value(file: str, domain: str, owner: str) -> None:
    decrypted = parse(text(file)).decrypt_domain(domain, creds(file, owner))
    assert decrypted == secrets(file, domain)
    assert sorted(decrypted.unbound) == sorted(secrets(file, domain))


@pytest.mark.parametrize(("file", "domain", "owner"), GRANTS)
def test_every_owner_reads_every_value_after_an_upgrade(file: str, domain: str, owner: str) -> None:
    upgraded = parse(parse(text(file)).upgrade().get_contents())
    decrypted = upgraded.decrypt_domain(domain, creds(file, owner))
    assert decrypted == secrets(file, domain)
    assert set(decrypted.unbound) == set(secrets(file, domain))


@pytest.mark.parametrize("file", FILES)
def test_an_upgrade_keeps_the_old_log_first_and_unchanged(file: str) -> None:
    old = parse(text(file))
    new = parse(old.upgrade().get_contents())
    assert new.get_audit_log()[:-1] == old.get_audit_log()
    assert new.get_audit_log()[-1].endswith(" -- upgraded from the format of Pocket Protector")
    assert new.truncate_audit_log(3).get_audit_log()[:3] == new.get_audit_log()[-3:]


@pytest.mark.parametrize(
    ("file", "keys", "field", "time"),
    [
        ("v0-rotated", ("dev", "secret-api_key"), "updated", "2026-11-22T18:47:24Z"),
        ("v0-rotated", ("dev", "meta", "owners", "alice@example.com"), "granted", "2026-11-22T18:47:23Z"),
        ("v1-v2-mixed", ("dev", "secret-url"), "updated", "2026-11-22T18:47:28Z"),
    ],
)
def test_an_upgrade_takes_times_from_the_old_log(file: str, keys: tuple[str, ...], field: str, time: str) -> None:
    new = parse(text(file)).upgrade().get_contents()
    lines = iter(new.splitlines())
    for key in keys:
        next(line for line in lines if line.strip() == f"{key}:")
    assert next(line for line in lines if line.strip().startswith(f"{field}:")).split(": ")[1] == time


def test_an_upgrade_of_a_truncated_log_takes_the_present_time_for_what_it_does_not_know() -> None:
    new = parse(text("v1-v2-mixed")).upgrade()
    note = new.get_audit_log()[-1]
    start = new.get_contents().index("  secret-api_key:")
    updated = new.get_contents()[start:].split("updated: ")[1].split("\n")[0]
    assert updated == note[:20]


@pytest.mark.parametrize("file", FILES)
def test_rotation_after_an_upgrade_binds_every_value(file: str) -> None:
    document = parse(text(file)).upgrade()
    for domain in EXPECTED[file]["domains"]:
        document = document.rotate_domain_key(domain, creds(file, owners(file, domain)[0]))
    again = parse(document.get_contents())
    for domain in EXPECTED[file]["domains"]:
        for owner in owners(file, domain):
            decrypted = again.decrypt_domain(domain, creds(file, owner))
            assert decrypted == secrets(file, domain)
            assert decrypted.unbound == ()
    assert " AA" not in "".join(line for line in again.get_contents().splitlines() if "pwdkm" not in line)


def test_an_upgraded_domain_mixes_old_and_new_values_until_it_is_rotated() -> None:
    alice = creds("v0-rotated", "alice@example.com")
    mixed = parse(text("v0-rotated")).upgrade().update_secret("dev", "url", "new").add_secret("dev", "more", "added")
    decrypted = parse(mixed.get_contents()).decrypt_domain("dev", alice)
    assert decrypted == secrets("v0-rotated", "dev") | {"url": "new", "more": "added"}
    assert set(decrypted.unbound) == {"EMPTY", "api_key", "db-password", "multi-line"}


@pytest.mark.parametrize(
    "change",
    [
        lambda f, c: f.add_secret("dev", "new", "v"),
        lambda f, c: f.update_secret("dev", "url", "v"),
        lambda f, c: f.set_secret("dev", "url", "v"),
        lambda f, c: f.rm_secret("dev", "url"),
        lambda f, c: f.add_domain("new", "ci"),
        lambda f, c: f.rm_domain("dev"),
        lambda f, c: f.add_owner("dev", "ci", c),
        lambda f, c: f.rm_owner("dev", "ci"),
        lambda f, c: f.rm_owner("dev", "ci", c),
        lambda f, c: f.migrate_owner("fast@example.com", c),
        lambda f, c: f.rotate_domain_key("dev", c),
        lambda f, c: f.add_key_custodian(Creds("new", "pass"), 1, 8192),
        lambda f, c: f.add_raw_key_custodian(Creds("new", raw_key(1))),
        lambda f, c: f.rm_key_custodian("ci"),
        lambda f, c: f.set_key_custodian_passphrase(c, "pass", 1, 8192),
        lambda f, c: f.rekey_custodian(c, Creds("ci", "pass"), False, 1, 8192),
        lambda f, c: f.truncate_audit_log(1),
    ],
    ids=(
        "add_secret update_secret set_secret rm_secret add_domain rm_domain add_owner rm_owner rm_owner_and_rotate "
        "migrate_owner rotate_domain_key add_key_custodian add_raw_key_custodian rm_key_custodian "
        "set_key_custodian_passphrase rekey_custodian truncate_audit_log"
    ).split(" "),
)
def test_no_change_of_a_legacy_file(change) -> None:
    with refused(StoreError) as caught:
        change(parse(text("v1-v2-mixed")), creds("v1-v2-mixed", "ci"))
    assert "pprotect upgrade" in caught.value.hint


def test_a_legacy_file_is_read_and_written_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "protected.yaml"
    path.write_bytes((UPSTREAM / "v0-basic.yaml").read_bytes())
    before = path.stat()
    KeyFile.from_file(path).write()
    assert path.read_bytes() == (UPSTREAM / "v0-basic.yaml").read_bytes()
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_second_upgrade_is_refused() -> None:
    with refused(StoreError):
        parse(text("v0-basic")).upgrade().upgrade()


def test_an_upgrade_refuses_a_domain_that_format_1_would_pass_over() -> None:
    renamed = "\n" + text("v1-v2-mixed")
    with refused(StoreError) as caught:
        parse(renamed.replace("\ndev:", "\nx-dev:")).upgrade()
    assert "'x-dev'" in str(caught.value)


def test_a_custodian_whose_name_looks_like_an_extension() -> None:
    """An email address may begin with x-; a note beside the custodians may too."""
    creds = Creds("x-ray@example.com", raw_key(7))
    file = parse(text("v1-v2-mixed").replace("fast@example.com", creds.name)).upgrade()
    assert creds.name in parse(file.get_contents()).get_key_custodian_names()
    assert parse(file.get_contents()).get_custodian_domains(creds.name) == ["dev"]
    file = parse(file.get_contents().replace("key-custodians:\n", "key-custodians:\n  x-note: ask Bob\n"))
    assert file.get_key_custodian_names() == ["alice@example.com", "ci", creds.name]
    new = KeyFile.create("p").add_raw_key_custodian(creds).add_domain("dev", creds.name).add_secret("dev", "a", "b")
    assert parse(new.get_contents()).decrypt_domain("dev", creds) == {"a": "b"}


@pytest.mark.parametrize("raw", [False, True], ids=["argon2id", "raw"])
@pytest.mark.parametrize("rekey", [False, True], ids=["passphrase", "rekey"])
def test_a_legacy_custodian_gets_keys_of_format_1(raw: bool, rekey: bool) -> None:
    passphrase = raw_key(7) if raw else "a new one"
    new, old = Creds("ci", passphrase), creds("v1-v2-mixed", "ci")
    limits = {} if raw else {"opslimit": 1, "memlimit": 8192}
    file = parse(text("v1-v2-mixed")).upgrade()
    if rekey:
        file = file.rekey_custodian(old, new, raw_key=raw, **limits)
    else:
        file = file.set_key_custodian_passphrase(old, passphrase, raw_key=raw, **limits)
    file = parse(file.get_contents())
    assert file.decrypt_domain("prod", new) == secrets("v1-v2-mixed", "prod")
    with refused(PassphraseError):
        file.decrypt_domain("prod", old)


def test_a_swap_of_legacy_values_is_reported_as_unbound_and_ended_by_rotation() -> None:
    """Version 0 knows no place: the reader says so, and from the first rotation on a swap is refused."""
    old = text("v1-v2-mixed").replace("secret-api_key", "secret-tmp").replace("secret-url", "secret-api_key")
    swapped = parse(old.replace("secret-tmp", "secret-url")).upgrade()
    ci = creds("v1-v2-mixed", "ci")
    decrypted = swapped.decrypt_domain("dev", ci)
    assert decrypted["url"] == secrets("v1-v2-mixed", "dev")["api_key"]
    assert "url" in decrypted.unbound
    bound = swapped.rotate_domain_key("dev", ci).get_contents()
    again = bound.replace("secret-EMPTY", "secret-tmp").replace("secret-multi-line", "secret-EMPTY")
    with refused(IntegrityError, "dev.secret-multi-line"):
        parse(again.replace("secret-tmp", "secret-multi-line")).decrypt_domain("dev", ci)


@pytest.mark.parametrize("file", FILES)
def test_a_wrong_passphrase_is_refused(file: str) -> None:
    wrong = Creds("ci", "P" + "0" * 64 + "P") if file == "v1-v2-mixed" else Creds("alice@example.com", "tulip")
    with refused(PassphraseError):
        parse(text(file)).decrypt_domain("dev", wrong)
    assert not parse(text(file)).check_creds(wrong)


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.add_secret("dev", "url", "x"),
        lambda file: file.update_secret("dev", "nope", "x"),
        lambda file: file.set_secret("nope", "url", "x"),
        lambda file: file.rm_secret("dev", "nope"),
    ],
    ids=["there already", "not there", "no domain", "nothing to remove"],
)
def test_a_change_of_a_legacy_file_asks_for_the_upgrade_first(change: Callable[[KeyFile], KeyFile]) -> None:
    with refused(StoreError) as caught:
        change(parse(text("v0-basic")))
    assert caught.value.hint == "pprotect upgrade"
