"""`KeyFile`: Pocket Protector's documented interface, and what it refuses."""

from __future__ import annotations

import gc
import shlex
from collections.abc import Callable

import pytest
from samples import (
    ALICE,
    BOB,
    CAROL,
    CHEAP,
    DAVE,
    DEV,
    GOOD,
    PROD,
    VECTORS,
    assert_shows_no_secret,
    get,
    good,
    line_of,
    make,
    parse,
    put,
    raw_key,
    refused,
)

from pocket_protector import (
    KDF_INTERACTIVE,
    KDF_SENSITIVE,
    AccessError,
    Creds,
    DecryptedDomain,
    Identity,
    IntegrityError,
    KeyFile,
    NameFormatError,
    PassphraseError,
    PPKeyError,
    StoreError,
    UnknownCustodianError,
)

A, B, C = ALICE.name, BOB.name, CAROL.name


# Reading and looking


def test_the_good_file_opens_for_its_owners() -> None:
    assert good().decrypt_domain("dev", ALICE) == DEV
    assert good().decrypt_domain("dev", BOB) == DEV
    assert good().decrypt_domain("prod", BOB) == PROD


def test_a_decrypted_domain_is_a_dict() -> None:
    decrypted = good().decrypt_domain("dev", ALICE)
    assert isinstance(decrypted, dict)
    assert dict(**decrypted) == DEV
    assert decrypted != PROD
    assert (decrypted.name, decrypted.unbound, decrypted.under_retired_key) == ("dev", (), ())
    with refused(PPKeyError) as caught:
        decrypted["api_key"]
    assert "api-key, db-password" in str(caught.value)
    assert decrypted.get("api_key") is None


def test_what_is_listed_without_credentials() -> None:
    file = good()
    assert file.get_domain_names() == ["dev", "prod"]
    assert file.get_domain_secret_names("dev") == ["api-key", "db-password"]
    assert file.get_all_secret_names() == {"api-key": ["dev", "prod"], "db-password": ["dev"]}
    assert file.get_custodian_domains(B) == ["dev", "prod"]
    assert file.get_custodian_domains("nobody") == []
    assert file.get_domain_owner_names("dev") == [A, B]
    assert file.get_key_custodian_names() == [A, B, C]
    assert file.get_audit_log()[0].endswith(f"-- created raw-key custodian {A}")


def test_contents_make_an_equal_file() -> None:
    file = make()
    again = KeyFile.from_contents_and_path(file.get_contents(), file.path)
    assert again == file
    assert hash(again) == hash(file)
    assert again != KeyFile.from_contents_and_path(file.get_contents(), "other.yaml")
    assert again != again.add_secret("dev", "more", "x")
    assert again != file.get_contents()


def test_a_change_leaves_the_object_that_it_was_asked_of_alone() -> None:
    file = good()
    file.add_secret("dev", "more", "x").rm_domain("prod").truncate_audit_log(0)
    assert file == good()
    assert file.get_contents() == GOOD


# Secrets


def test_a_secret_is_added_updated_set_and_removed_without_credentials() -> None:
    file = good().add_secret("dev", "more", "one").update_secret("dev", "api-key", "two")
    file = file.set_secret("dev", "more", "three").set_secret("dev", "last", "").rm_secret("dev", "db-password")
    assert parse(file.get_contents()).decrypt_domain("dev", ALICE) == {"api-key": "two", "more": "three", "last": ""}
    assert [entry[24:] for entry in file.get_audit_log()[-5:]] == [
        "updated secret api-key in dev",
        "removed secret db-password from dev",
        "added secret last in dev",
        "added secret more in dev",
        "updated secret more in dev",
    ]


@pytest.mark.parametrize(
    "value", ["", " ", "\n", "\0", "a" * 28, "a" * 29, "ÿ☃🔐", "line\r\nline\t", "x" * 100_000, "\ufeff"], ids=ascii
)
def test_any_text_is_a_value(value: str) -> None:
    file = good().set_secret("dev", "api-key", value)
    assert parse(file.get_contents()).decrypt_domain("dev", BOB)["api-key"] == value


@pytest.mark.parametrize("value", ["\ud800", "tulip" * 300_000], ids=["surrogate", "too long"])
def test_what_is_no_value(value: str) -> None:
    with refused(StoreError):
        good().set_secret("dev", "api-key", value)


def test_a_value_that_is_not_text_is_refused() -> None:
    with pytest.raises((AttributeError, TypeError)):
        good().set_secret("dev", "api-key", 5)  # type: ignore[arg-type]


REFUSED: dict[str, tuple[Callable[[KeyFile], object], type[StoreError], str]] = {
    "add a secret that is there": (lambda f: f.add_secret("dev", "api-key", "x"), StoreError, "already exists"),
    "update one that is not": (lambda f: f.update_secret("dev", "api_key", "x"), PPKeyError, "(known: api-key, db-pa"),
    "remove one that is not": (
        lambda f: f.rm_secret("dev", "nothing"),
        PPKeyError,
        "no secret in 'dev' named 'nothing'",
    ),
    "add to no domain": (
        lambda f: f.add_secret("deV", "a", "x"),
        PPKeyError,
        "no key domain named 'deV' (known: dev, ",
    ),
    "set in no domain": (lambda f: f.set_secret("deV", "a", "x"), PPKeyError, "no key domain named 'deV'"),
    "list no domain": (lambda f: f.get_domain_secret_names("deV"), PPKeyError, "(known: dev, prod)"),
    "owners of no domain": (lambda f: f.get_domain_owner_names("deV"), PPKeyError, "(known: dev, prod)"),
    "decrypt no domain": (lambda f: f.decrypt_domain("deV", ALICE), PPKeyError, "(known: dev, prod)"),
    "remove no domain": (lambda f: f.rm_domain("deV"), PPKeyError, "(known: dev, prod)"),
    "rotate no domain": (lambda f: f.rotate_domain_key("deV", ALICE), PPKeyError, "(known: dev, prod)"),
    "secret name with a space": (lambda f: f.add_secret("dev", "a b", "x"), NameFormatError, "'a b' cannot name"),
    "secret name empty": (lambda f: f.set_secret("dev", "", "x"), NameFormatError, "cannot name a secret"),
    "secret name by a digit": (lambda f: f.add_secret("dev", "1a", "x"), NameFormatError, "'1a'"),
    "secret name not ASCII": (lambda f: f.add_secret("dev", "é", "x"), NameFormatError, r"'\xe9'"),
    "secret name with a line end": (lambda f: f.add_secret("dev", "a\n", "x"), NameFormatError, r"'a\n'"),
    "domain that is there": (lambda f: f.add_domain("dev", A), StoreError, "already exists"),
    "domain for no custodian": (lambda f: f.add_domain("new", "bob@example"), PPKeyError, "(known: alice@"),
    "domain named meta": (lambda f: f.add_domain("meta", A), NameFormatError, "'meta' cannot name"),
    "domain named metal": (lambda f: f.add_domain("metal", A), NameFormatError, "'metal' cannot name"),
    "domain named audit-log": (lambda f: f.add_domain("audit-log", A), NameFormatError, "cannot name a key domain"),
    "domain named key-custodians": (lambda f: f.add_domain("key-custodians", A), NameFormatError, "cannot name"),
    "domain named as extension": (lambda f: f.add_domain("x-dev", A), NameFormatError, "'x-dev'"),
    "domain named as merge key": (lambda f: f.add_domain("<<", A), NameFormatError, "'<<'"),
    "domain name not in NFC": (lambda f: f.add_domain("e\u0301", A), NameFormatError, r"'e\u0301'"),
    "domain name with control": (lambda f: f.add_domain("a\x1b[2J", A), NameFormatError, r"'a\x1b[2J'"),
    "domain name too long": (lambda f: f.add_domain("a" * 257, A), NameFormatError, "cannot name"),
    "custodian that is there": (lambda f: f.add_raw_key_custodian(ALICE), StoreError, "already exists"),
    "custodian without a name": (lambda f: f.add_raw_key_custodian(Creds("", raw_key(1))), NameFormatError, "''"),
    "custodian with right-to-left mark": (
        lambda f: f.add_raw_key_custodian(Creds("a\u202eb", raw_key(1))),
        NameFormatError,
        r"'a\u202eb'",
    ),
    "custodian with empty passphrase": (lambda f: f.add_key_custodian(Creds("z", ""), *CHEAP), StoreError, "is empty"),
    "owner who is no custodian": (
        lambda f: f.add_owner("dev", "bob", ALICE),
        PPKeyError,
        "no key custodian named 'bob'",
    ),
    "remove who is no owner": (lambda f: f.rm_owner("dev", C), PPKeyError, "no owner of 'dev' named 'carol@"),
    "remove the last owner": (lambda f: f.rm_owner("prod", B), StoreError, "is the last owner of prod"),
    "remove the last owner and rotate": (lambda f: f.rm_owner("prod", B, BOB), StoreError, "is the last owner of prod"),
    "remove the last owner's custodian": (lambda f: f.rm_key_custodian(B), StoreError, "is the last owner of prod"),
    "remove no custodian": (lambda f: f.rm_key_custodian("bob"), PPKeyError, "(known: alice@example.com, bob@"),
    "migrate to no custodian": (lambda f: f.migrate_owner("bob", ALICE), PPKeyError, "no key custodian named 'bob'"),
    "migrate from no domain": (lambda f: f.migrate_owner(A, CAROL), StoreError, "does not own any domains"),
    "rekey under another name": (
        lambda f: f.rekey_custodian(ALICE, BOB, True),
        StoreError,
        "not of 'alice@example.com'",
    ),
    "new passphrase empty": (lambda f: f.set_key_custodian_passphrase(CAROL, "", *CHEAP), StoreError, "is empty"),
    "negative truncation": (lambda f: f.truncate_audit_log(-1), StoreError, "cannot be negative"),
    "KDF over the cap": (lambda f: f.add_key_custodian(DAVE, 4, 2**31), StoreError, "out of bounds"),
    "KDF of nothing": (lambda f: f.add_key_custodian(DAVE, 0, 8192), StoreError, "out of bounds"),
    "upgrade of format 1": (lambda f: f.upgrade(), StoreError, "of format 1 already"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_contradicts_the_file(name: str) -> None:
    change, kind, message = REFUSED[name]
    file = good()
    with refused(kind) as caught:
        change(file)
    assert message in str(caught.value)
    assert file == good()


DENIED: dict[str, tuple[Creds, type[AccessError]]] = {
    "wrong passphrase": (Creds(A, raw_key(0)), PassphraseError),
    "another's passphrase": (Creds(A, BOB.passphrase), PassphraseError),
    "no raw key": (Creds(A, "tulip"), PassphraseError),
    "raw key in capitals": (Creds(A, ALICE.passphrase.upper()), PassphraseError),
    "empty passphrase": (Creds(A, ""), AccessError),
    "empty name": (Creds("", ALICE.passphrase), AccessError),
    "unknown custodian": (Creds("alice", ALICE.passphrase), UnknownCustodianError),
    "not an owner": (CAROL, AccessError),
}


@pytest.mark.parametrize("name", DENIED)
@pytest.mark.parametrize(
    "use",
    [
        lambda f, c: f.decrypt_domain("dev", c),
        lambda f, c: f.rotate_domain_key("dev", c),
        lambda f, c: f.add_owner("dev", C, c),
        lambda f, c: f.rm_owner("dev", B, c),
    ],
    ids=["decrypt", "rotate", "add owner", "rm owner"],
)
def test_who_is_denied(name: str, use: Callable[[KeyFile, Creds], object]) -> None:
    creds, kind = DENIED[name]
    with refused(kind):
        use(good(), creds)
    assert good().check_creds(creds) == (name == "not an owner")


def test_the_owner_check_comes_before_any_key_is_derived() -> None:
    with refused(AccessError) as caught:
        good().decrypt_domain("dev", Creds(C, "wrong"))
    assert "is not an owner of 'dev' (owners: alice@example.com, bob@example.com)" in str(caught.value)


def test_an_unknown_custodian_is_an_access_error_that_lists_the_known_ones() -> None:
    with refused(UnknownCustodianError) as caught:
        good().unlock(Creds("alica@example.com", "x"))
    assert isinstance(caught.value, KeyError)
    assert isinstance(caught.value, PPKeyError)
    assert caught.value.hint == "did you mean 'alice@example.com'?"
    assert caught.value.exit_code == 4


# Identities


def test_an_identity_stands_in_for_credentials_everywhere() -> None:
    file = good()
    alice = file.unlock(ALICE)
    assert isinstance(alice, Identity)
    assert file.check_creds(alice)
    assert file.decrypt_domain("dev", alice) == DEV
    file = file.add_owner("dev", C, alice).rotate_domain_key("dev", alice).rm_owner("dev", B, alice)
    file = file.migrate_owner(B, alice).set_key_custodian_passphrase(alice, raw_key(3), raw_key=True)
    assert file.decrypt_domain("dev", alice) == DEV
    assert file.decrypt_domain("dev", Creds(A, raw_key(3))) == DEV


def test_an_identity_of_other_keys_is_denied() -> None:
    file = good()
    alice = file.unlock(ALICE)
    rekeyed = file.rekey_custodian(alice, ALICE, raw_key=True)
    with refused(AccessError):
        rekeyed.decrypt_domain("dev", alice)
    assert not rekeyed.check_creds(alice)
    assert rekeyed.decrypt_domain("dev", Creds(A, ALICE.passphrase)) == DEV


# Domains, owners and rotation


def test_owners_come_and_go() -> None:
    file = good().add_owner("dev", C, ALICE).rm_owner("dev", A)
    assert parse(file.get_contents()).decrypt_domain("dev", CAROL) == DEV
    with refused(AccessError):
        file.decrypt_domain("dev", ALICE)


def test_rm_owner_without_credentials_leaves_the_key_as_it_is() -> None:
    kept = good().rm_owner("dev", A).get_contents()
    assert get(kept, "dev", "meta", "public-key") == get(GOOD, "dev", "meta", "public-key")


def test_who_leaves_does_not_make_the_new_key() -> None:
    with refused(StoreError) as caught:
        good().rm_owner("dev", A, ALICE)
    assert caught.value.hint == f"another owner runs: pprotect rm-owner dev {A}"


def test_rm_owner_with_credentials_rotates() -> None:
    file = good().rm_owner("dev", A, BOB)
    text = file.get_contents()
    assert get(text, "dev", "meta", "public-key") != get(GOOD, "dev", "meta", "public-key")
    assert file.get_domain_owner_names("dev") == [B]
    assert parse(text).decrypt_domain("dev", BOB) == DEV


def test_migrate_owner_adds_to_all_or_to_the_named_domains() -> None:
    assert good().migrate_owner(C, BOB).get_custodian_domains(C) == ["dev", "prod"]
    some = good().migrate_owner(C, BOB, ["prod"])
    assert some.get_custodian_domains(C) == ["prod"]
    assert some.decrypt_domain("prod", CAROL) == PROD


def test_rotation_leaves_times_and_readers_and_keeps_retired_keys() -> None:
    text = good().rotate_domain_key("dev", ALICE).get_contents()
    for keys in (("dev", "secret-api-key", "updated"), ("dev", "meta", "owners", B, "granted")):
        assert get(text, *keys) == get(GOOD, *keys)
    assert text.count("private-key:") == GOOD.count("private-key:") + 1
    assert parse(text).decrypt_domain("dev", BOB) == DEV


def test_rotation_without_history_keeps_no_retired_key() -> None:
    text = good().rotate_domain_key("dev", ALICE, history=False).get_contents()
    assert get(text, "dev", "meta", "retired") == "{}"
    assert parse(text).decrypt_domain("dev", BOB) == DEV


def test_rotation_re_seals_what_another_branch_added_under_the_old_key() -> None:
    late = good().add_secret("dev", "late", "tulip")
    rotated = good().rotate_domain_key("dev", ALICE).get_contents().splitlines()
    text = late.get_contents()
    at = line_of(text, "dev", "secret-late") - 1
    mixed = parse(
        "\n".join([*rotated[:-1], rotated[-1]]).replace(
            "\nprod:", "\n" + "\n".join(text.splitlines()[at : at + 3]) + "\nprod:"
        )
        + "\n"
    )
    decrypted = mixed.decrypt_domain("dev", ALICE)
    assert decrypted["late"] == "tulip"
    assert decrypted.under_retired_key == ("late",)
    assert mixed.rotate_domain_key("dev", ALICE, history=False).decrypt_domain("dev", ALICE).under_retired_key == ()


def test_rotation_for_an_owner_who_is_no_custodian_is_refused() -> None:
    lines = GOOD.splitlines()
    start = line_of(GOOD, "key-custodians", B) - 1
    text = "\n".join(lines[:start] + lines[start + 5 :]) + "\n"
    with refused(StoreError) as caught:
        parse(text).rotate_domain_key("dev", ALICE)
    assert "is listed as an owner of 'dev', but is not a key custodian" in str(caught.value)
    assert parse(text).rm_owner("dev", B, ALICE).decrypt_domain("dev", ALICE) == DEV


# Custodians


def test_a_new_passphrase_rewrites_one_line_and_no_grant() -> None:
    file = good().set_key_custodian_passphrase(CAROL, "tulip two", *CHEAP)
    changed = [new for new in file.get_contents().splitlines() if new not in GOOD.splitlines()]
    assert [line.split()[0] for line in changed] == ["encrypted-private-key:", "-"]
    new = Creds(C, "tulip two")
    assert file.check_creds(new)
    assert not file.check_creds(CAROL)
    assert file.unlock(new).public_key == good().unlock(CAROL).public_key


@pytest.mark.parametrize("raw", [True, False])
def test_a_rekey_makes_new_keys_and_wraps_every_grant(raw: bool) -> None:
    new = Creds(B, raw_key(8))
    file = good().rekey_custodian(BOB, new, raw, *(() if raw else CHEAP))
    assert file.decrypt_domain("dev", new) == DEV
    assert file.decrypt_domain("prod", new) == PROD
    assert file.unlock(new).public_key != good().unlock(BOB).public_key
    assert get(file.get_contents(), "dev", "meta", "owners", B, "granted") == get(
        GOOD, "dev", "meta", "owners", B, "granted"
    )
    with refused(PassphraseError):
        file.decrypt_domain("dev", BOB)


def test_removing_a_custodian_takes_their_grants() -> None:
    file = good().rm_key_custodian(A)
    assert file.get_domain_owner_names("dev") == [B]
    assert not file.check_creds(ALICE)


@pytest.mark.parametrize(
    "key", ["tulip", "", raw_key(1)[:-1], raw_key(0xAB).upper(), raw_key(1) + "\n", "P" + "g" * 64 + "P"]
)
def test_what_is_no_raw_key(key: str) -> None:
    with refused(PassphraseError):
        good().add_raw_key_custodian(Creds("zoe", key))
    with refused(PassphraseError):
        good().set_key_custodian_passphrase(ALICE, key, raw_key=True)


def test_the_named_limits_select_the_profiles() -> None:
    from pocket_protector.crypto.kdf import FAST, HARD, cost_from_limits

    assert cost_from_limits(*KDF_INTERACTIVE) == FAST
    assert cost_from_limits(*KDF_SENSITIVE) == cost_from_limits(None, None) == HARD


def test_a_passphrase_is_one_text_in_nfc_and_in_nfd() -> None:
    file = good().add_key_custodian(Creds("zoé", "pa\u0308ss tulip"), *CHEAP)
    assert file.check_creds(Creds("zoé", "p\u00e4ss tulip"))
    assert not file.check_creds(Creds("zoé", "pass tulip"))


# Sealed values say nothing (P8)


def test_equal_values_never_look_equal() -> None:
    file = good()
    for name in "abcdef":
        file = file.add_secret("dev", name, "the same tulip")
    file = file.add_secret("prod", "a", "the same tulip")
    values = [line for line in file.get_contents().splitlines() if line.startswith("    value:")]
    assert len({line[30:] for line in values}) == len(values)


@pytest.mark.parametrize(("length", "same_as"), [(0, 28), (1, 28), (29, 60), (61, 92)])
def test_lengths_are_padded_to_32_bytes(length: int, same_as: int) -> None:
    def sealed(size: int) -> int:
        return len(
            get(good().set_secret("dev", "api-key", "x" * size).get_contents(), "dev", "secret-api-key", "value")
        )

    assert sealed(length) == sealed(same_as) != sealed(same_as + 1)


# One key derivation (P10)


@pytest.fixture
def derivations(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A count of argon2-cffi's derivations; the library is not ours."""
    from argon2 import low_level

    counted: list[int] = []
    derive = low_level.hash_secret_raw

    def count(*args: object, **kwargs: object) -> bytes:
        counted.append(1)
        return derive(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(low_level, "hash_secret_raw", count)
    return counted


def test_credentials_derive_their_key_once(derivations: list[int]) -> None:
    file = good().migrate_owner(C, BOB)
    carol = Creds(C, CAROL.passphrase)
    assert file.check_creds(carol)
    for _ in range(3):
        assert file.decrypt_domain("dev", carol) == DEV
        assert file.decrypt_domain("prod", carol) == PROD
        file = (
            parse(file.get_contents())
            .rotate_domain_key("dev", carol)
            .add_secret("dev", f"s{_}", "x")
            .rm_secret("dev", f"s{_}")
        )
    assert len(derivations) == 1


def test_an_identity_derives_its_key_once(derivations: list[int]) -> None:
    file = good().migrate_owner(C, BOB)
    carol = file.unlock(Creds(C, CAROL.passphrase))
    assert file.decrypt_domain("dev", carol) | file.decrypt_domain("prod", carol)
    assert file.rekey_custodian(carol, Creds(C, raw_key(1)), raw_key=True)
    assert len(derivations) == 1


# Nothing shows a secret


def test_no_repr_shows_a_secret() -> None:
    file = good()
    alice = file.unlock(ALICE)
    for thing in (
        file,
        ALICE,
        CAROL,
        alice,
        alice.exchange,
        alice.signing,
        file.decrypt_domain("dev", ALICE),
        [ALICE, {"key": alice}],
    ):
        assert_shows_no_secret(thing)
        assert alice.seed.hex() not in f"{thing!r} {thing!s}"
        assert str(alice.exchange.raw) not in f"{thing!r} {thing!s}"
    assert A in repr(ALICE)
    assert "api-key" in repr(file.decrypt_domain("dev", ALICE))


@pytest.mark.parametrize("field", ["value", "wrapped-key"])
def test_a_damaged_file_shows_no_secret_in_the_traceback(field: str) -> None:
    import traceback

    keys = ("dev", "secret-api-key", field) if field == "value" else ("dev", "meta", "owners", A, field)
    scalar = get(GOOD, *keys)
    damaged = scalar[:100] + ("A" if scalar[100] != "A" else "B") + scalar[101:]
    with refused(IntegrityError, ".".join(keys[:-1]), line_of(GOOD, *keys[:-1])) as caught:
        parse(put(GOOD, damaged, *keys)).decrypt_domain("dev", ALICE)
    shown = "".join(traceback.format_exception(caught.value))
    assert ALICE.passphrase not in shown
    assert "tulip" not in shown
    assert caught.value.__cause__ is None


def test_decrypted_domain_says_which_values_are_not_bound() -> None:
    upstream = (VECTORS / "upstream" / "v1-v2-mixed.yaml").read_text(encoding="utf-8")
    decrypted = parse(upstream).decrypt_domain(
        "dev", Creds("ci", "P00000000000000001819dd875648ba442dc4d5b0a7b357ab65ec075042ebaf61P")
    )
    assert isinstance(decrypted, DecryptedDomain)
    assert len(decrypted.unbound) == 5
    gc.collect()


# The audit log (P7)


def test_every_change_adds_and_keeps() -> None:
    file = make()
    steps: list[Callable[[KeyFile], KeyFile]] = [
        lambda f: f.add_secret("dev", "a", "1"),
        lambda f: f.update_secret("dev", "a", "2"),
        lambda f: f.rm_secret("dev", "a"),
        lambda f: f.add_owner("dev", C, ALICE),
        lambda f: f.rotate_domain_key("dev", ALICE),
        lambda f: f.set_key_custodian_passphrase(CAROL, "x", *CHEAP),
        lambda f: f.rekey_custodian(BOB, BOB, True),
        lambda f: f.rm_owner("dev", C, ALICE),
        lambda f: f.rm_key_custodian(C),
        lambda f: f.rm_domain("prod"),
    ]
    for number, step in enumerate(steps):
        changed = step(file)
        before, after = sorted(file.get_audit_log()), sorted(changed.get_audit_log())
        for entry in before:
            after.remove(entry)
        # An owner of a signed domain leaves by a rotation, which has an entry of its own.
        assert len(after) == (2 if number == 7 else 1)
        file = changed


@pytest.mark.parametrize("keep", [0, 1, 5, 9])
def test_truncation_keeps_the_newest_and_says_how_many_went(keep: int) -> None:
    file = parse(good().truncate_audit_log(keep).get_contents())
    old = good().get_audit_log()
    assert file.get_audit_log()[-1].endswith(f" -- truncated {len(old) - keep} audit log entries")
    assert file.get_audit_log()[:-1] == old[len(old) - keep :]


@pytest.mark.parametrize("keep", [12, 13, 10**9])
def test_truncation_with_nothing_to_drop_is_none(keep: int) -> None:
    assert len(good().get_audit_log()) <= 12
    assert good().truncate_audit_log(keep) == good()
    assert good().truncate_audit_log(keep).get_contents() == GOOD


@pytest.mark.parametrize(
    ("attempt", "kind"),
    [
        (lambda file, name: file.decrypt_domain(name, BOB), AccessError),
        (lambda file, name: file.rm_owner(name, ALICE.name), StoreError),
        (lambda file, name: file.add_secret(name, "a", "again"), StoreError),
    ],
    ids=["no owner", "last owner", "there already"],
)
def test_a_hint_is_ready_to_paste_whatever_the_names_are(
    attempt: Callable[[KeyFile, str], object], kind: type[Exception]
) -> None:
    """A domain's name may come from somebody else's edit of the file."""
    name = "x; touch /tmp/pwned $(id)"
    file = KeyFile.create("p").add_raw_key_custodian(ALICE).add_raw_key_custodian(BOB).add_domain(name, ALICE.name)
    with refused(kind) as caught:
        attempt(file.add_secret(name, "a", "b"), name)
    assert shlex.quote(name) in caught.value.hint


def test_programs_for_20_0_1_find_the_library_where_it_was() -> None:
    import pocket_protector
    from pocket_protector import file_keys

    for name in ("KeyFile", "Creds", "PPError", "PPKeyError"):
        assert getattr(file_keys, name) is getattr(pocket_protector, name)
