"""A sealed thing opens in its place only: moved, copied or swapped, it is refused (P2)."""

from __future__ import annotations

import base64
import re

import pytest
from samples import ALICE, BOB, CHEAP, DAVE, DEV, find, get, insert, line_of, make, parse, put, raw_key, refused

from pocket_protector import Creds, FormatError, IntegrityError, KeyFile
from pocket_protector.crypto.keys import PrivateKey
from pocket_protector.crypto.sealing import DOMAIN_KEY, RETIRED_KEY, SECRET, seal

A, B = ALICE.name, BOB.name


def both() -> str:
    """Domains dev and prod, each with the same two names and the same two owners."""
    file = make().add_secret("prod", "db-password", "tulip-prod-db").add_owner("prod", A, BOB)
    return file.rotate_domain_key("prod", BOB).get_contents()


BOTH = both()
OTHER = both()  # another file of the same content


def value(domain: str, name: str) -> tuple[str, ...]:
    return (domain, f"secret-{name}", "value")


def grant(domain: str, owner: str) -> tuple[str, ...]:
    return (domain, "meta", "owners", owner, "wrapped-key")


def retired(text: str, domain: str) -> tuple[str, ...]:
    """The keys that lead to a domain's one retired key."""
    line = text.splitlines()[find(text, domain, "meta", "retired") + 1]
    return (domain, "meta", "retired", line.strip().removesuffix(":"), "private-key")


def swapped(text: str, one: tuple[str, ...], other: tuple[str, ...]) -> str:
    return put(put(text, get(text, *other), *one), get(text, *one), *other)


COPIES = {
    "value to another name": (value("dev", "api-key"), value("dev", "db-password")),
    "value to another domain": (value("dev", "api-key"), value("prod", "api-key")),
    "value to another domain and name": (value("dev", "api-key"), value("prod", "db-password")),
    "grant to another owner": (grant("dev", A), grant("dev", B)),
    "grant to another domain": (grant("dev", A), grant("prod", A)),
    "grant to another domain and owner": (grant("dev", A), grant("prod", B)),
    "grant to a value": (grant("dev", A), value("dev", "api-key")),
    "value to a grant": (value("dev", "api-key"), grant("dev", A)),
    "retired key to a value": (retired(BOTH, "dev"), value("dev", "api-key")),
    "retired key to a grant": (retired(BOTH, "dev"), grant("dev", A)),
}


@pytest.mark.parametrize("name", COPIES)
@pytest.mark.parametrize("swap", [False, True], ids=["copied", "swapped"])
def test_a_copy_within_the_file(name: str, swap: bool) -> None:
    source, target = COPIES[name]
    text = swapped(BOTH, source, target) if swap else put(BOTH, get(BOTH, *source), *target)
    creds = BOB if B in target else ALICE
    # What is swapped first meets the reader in the order of the file.
    places = {".".join(keys[:-1]) for keys in ((source, target) if swap else (target,))}
    with refused(IntegrityError) as caught:
        parse(text).decrypt_domain(target[0], creds)
    assert caught.value.path in places
    assert caught.value.line == line_of(
        text, *(target[:-1] if caught.value.path == ".".join(target[:-1]) else source[:-1])
    )


@pytest.mark.parametrize(
    "keys",
    [value("dev", "api-key"), value("prod", "db-password"), grant("dev", A), grant("prod", B)],
    ids=["value", "other value", "grant", "other grant"],
)
def test_the_same_place_of_another_file(keys: tuple[str, ...]) -> None:
    text = put(BOTH, get(OTHER, *keys), *keys)
    with refused(IntegrityError, ".".join(keys[:-1]), line_of(text, *keys[:-1])):
        parse(text).decrypt_domain(keys[0], BOB if B in keys else ALICE)


def test_a_whole_domain_under_another_name() -> None:
    start, end = find(BOTH, "prod"), find(BOTH, "key-custodians")
    lines = ["stage:", *BOTH.splitlines()[start + 1 : end]]
    text = insert(BOTH, end, *lines)
    with refused(IntegrityError, f"stage.meta.owners.{A}"):
        parse(text).decrypt_domain("stage", ALICE)
    assert parse(text).decrypt_domain("prod", ALICE)


def test_a_whole_domain_of_another_file_whose_custodians_are_others() -> None:
    """A domain is bound through its key: another file's domain opens for that file's custodians only."""
    start, end = find(OTHER, "dev"), find(OTHER, "prod")
    mine = BOTH.splitlines()
    mine[find(BOTH, "dev") : find(BOTH, "prod")] = OTHER.splitlines()[start:end]
    with refused(IntegrityError, f"dev.meta.owners.{A}"):
        parse("\n".join(mine) + "\n").decrypt_domain("dev", ALICE)


def test_a_custodian_of_another_file_under_the_same_name_and_passphrase() -> None:
    mine = BOTH
    for field in ("public-key", "verify-key", "encrypted-private-key", "signature"):
        mine = put(mine, get(OTHER, "key-custodians", A, field), "key-custodians", A, field)
    with refused(IntegrityError, f"dev.meta.owners.{A}"):
        parse(mine).decrypt_domain("dev", ALICE)
    assert parse(mine).decrypt_domain("dev", BOB) == DEV


@pytest.mark.parametrize("history", [True, False], ids=["history", "no history"])
@pytest.mark.parametrize(
    "keys",
    [value("dev", "api-key"), grant("dev", A), ("dev", "meta", "public-key")],
    ids=["value", "grant", "public key"],
)
def test_generations_of_a_key(keys: tuple[str, ...], history: bool) -> None:
    """An earlier value of the same place opens while its key is kept; nothing else of an earlier key does."""
    rotated = parse(BOTH).rotate_domain_key("dev", ALICE, history=history).get_contents()
    text = put(rotated, get(BOTH, *keys), *keys)
    if keys[-1] == "value" and history:
        decrypted = parse(text).decrypt_domain("dev", ALICE)
        assert decrypted == DEV
        assert decrypted.under_retired_key == ("api-key",)
        return
    place = f"dev.meta.owners.{A}" if keys[-1] == "public-key" else ".".join(keys[:-1])
    with refused(IntegrityError, place):
        parse(text).decrypt_domain("dev", ALICE)


def test_a_value_of_a_later_key_is_refused_under_an_earlier_one() -> None:
    rotated = parse(BOTH).rotate_domain_key("dev", ALICE).get_contents()
    keys = value("dev", "api-key")
    with refused(IntegrityError, "dev.secret-api-key"):
        parse(put(BOTH, get(rotated, *keys), *keys)).decrypt_domain("dev", ALICE)


@pytest.mark.parametrize("of", ["itself", "another domain", "another file"])
def test_a_retired_key_that_is_not_the_domain_s(of: str) -> None:
    old = parse(BOTH).add_secret("dev", "late", "tulip").get_contents()
    rotated = parse(BOTH).rotate_domain_key("dev", ALICE).get_contents()
    late = old.splitlines()[find(old, "dev", "secret-late") :][:3]
    text = insert(rotated, find(rotated, "prod"), *late)
    assert parse(text).decrypt_domain("dev", ALICE) == DEV | {"late": "tulip"}
    ids = [line.strip().removesuffix(":") for line in text.splitlines() if re.fullmatch(r" {6}[\w+/=]{12}:", line)][:2]
    first, second = (("dev", "meta", "retired", identifier, "private-key") for identifier in ids)
    source = {"itself": get(text, *second), "another domain": get(text, *retired(text, "prod"))}
    source["another file"] = get(OTHER, *retired(OTHER, "dev"))
    with refused(IntegrityError, "dev.meta.retired"):
        parse(put(text, source[of], *first)).decrypt_domain("dev", ALICE)


def recoded(text: str, first: int, *keys: str) -> str:
    """The scalar at `keys` under another version byte."""
    raw = base64.b64decode(get(text, *keys))
    return put(text, base64.b64encode(bytes([first]) + raw[1:]).decode(), *keys)


UNSIGNED = make().add_owner("prod", A, BOB).get_contents()


def test_a_bound_domain_relabelled_as_version_0() -> None:
    """Its owners' grants name the public key with its version, so none of them opens."""
    text = recoded(UNSIGNED, 0, "prod", "meta", "public-key")
    for creds in (ALICE, BOB):
        with refused(IntegrityError, f"prod.meta.owners.{creds.name}"):
            parse(text).decrypt_domain("prod", creds)


def test_a_bound_domain_and_its_grant_relabelled_as_version_0() -> None:
    text = recoded(UNSIGNED, 0, "prod", "meta", "public-key")
    text = recoded(text, 0, *grant("prod", A))
    with refused(IntegrityError, f"prod.meta.owners.{A}"):
        parse(text).decrypt_domain("prod", ALICE)


def test_a_signed_domain_relabelled_as_version_0() -> None:
    with refused(FormatError, "dev.meta.public-key", line_of(BOTH, "dev", "meta", "public-key")):
        parse(recoded(BOTH, 0, "dev", "meta", "public-key"))


def test_a_value_relabelled_as_version_0_under_a_bound_key() -> None:
    with refused(IntegrityError, "dev.secret-api-key", line_of(BOTH, "dev", "secret-api-key")):
        parse(recoded(BOTH, 0, *value("dev", "api-key")))


def test_a_grant_relabelled_as_version_0_under_a_bound_key() -> None:
    with refused(IntegrityError, f"dev.meta.owners.{A}", line_of(BOTH, "dev", "meta", "owners", A)):
        parse(recoded(BOTH, 0, *grant("dev", A)))


def test_a_retired_key_relabelled_as_version_0() -> None:
    with refused(FormatError, ".".join(retired(BOTH, "dev"))):
        parse(recoded(BOTH, 0, *retired(BOTH, "dev")))


def sealed_by_hand(key: PrivateKey, label: bytes, context: tuple[bytes, ...], payload: bytes) -> str:
    return base64.b64encode(b"\1" + seal(key.public, label, context, payload)).decode()


def domain_key(text: str, domain: str) -> PrivateKey:
    """The public half of a domain's key: all that sealing needs."""
    key = PrivateKey.generate()
    key.public = base64.b64decode(get(text, domain, "meta", "public-key"))[1:]
    return key


@pytest.mark.parametrize(
    ("label", "context"),
    [
        (SECRET, (b"dev", b"db-password")),
        (SECRET, (b"prod", b"api-key")),
        (SECRET, (b"dev", b"api-key", b"")),
        (SECRET, (b"dev",)),
        (SECRET, (b"devapi-key",)),
        (SECRET, ()),
        (RETIRED_KEY, (b"dev", b"api-key")),
        (DOMAIN_KEY, (b"dev", b"api-key")),
    ],
    ids=["name", "domain", "more", "less", "joined", "none", "label retired", "label grant"],
)
def test_a_value_sealed_for_another_place_by_hand(label: bytes, context: tuple[bytes, ...]) -> None:
    text = put(BOTH, sealed_by_hand(domain_key(BOTH, "dev"), label, context, b"forged"), *value("dev", "api-key"))
    with refused(IntegrityError, "dev.secret-api-key"):
        parse(text).decrypt_domain("dev", ALICE)


def legacy_domain() -> tuple[str, PrivateKey]:
    """A version-0 domain in a file of format 1, whose private key the test knows."""
    from nacl import bindings

    key = PrivateKey.generate()
    file = KeyFile.create("protected.yaml").add_raw_key_custodian(ALICE)
    alice = file.unlock(ALICE)
    grant = b"\0" + bindings.crypto_box_seal(key.raw, alice.public_key)
    box = b"\0" + bindings.crypto_box_seal(b"old value", key.public)
    lines = [
        "old:",
        "  meta:",
        f"    public-key: {base64.b64encode(bytes([0]) + key.public).decode()}",
        "    retired: {}",
        "    owners:",
        f"      {A}:",
        f"        wrapped-key: {base64.b64encode(grant).decode()}",
        "        granted: 2026-11-22T10:00:00Z",
        "  secret-a:",
        f"    value: {base64.b64encode(box).decode()}",
        "    updated: 2026-11-22T10:00:00Z",
    ]
    text = file.get_contents()
    return insert(text, find(text, "key-custodians"), *lines), key


def test_a_version_0_domain_opens_and_says_so() -> None:
    text, _ = legacy_domain()
    decrypted = parse(text).decrypt_domain("old", ALICE)
    assert decrypted == {"a": "old value"}
    assert decrypted.unbound == ("a",)


def test_a_version_0_value_is_never_tried_with_a_retired_key() -> None:
    from nacl import bindings

    text, key = legacy_domain()
    old = PrivateKey.generate()
    identifier = __import__("hashlib").blake2b(old.public, digest_size=8).digest()
    context = (b"old", identifier)
    sealed = sealed_by_hand(key, RETIRED_KEY, context, old.raw)
    name = base64.b64encode(b"\1" + identifier).decode()
    text = put(text, "", "old", "meta", "retired")
    text = insert(text, find(text, "old", "meta", "owners"), f"      {name}:", f"        private-key: {sealed}")
    assert parse(text).decrypt_domain("old", ALICE)
    box = base64.b64encode(b"\0" + bindings.crypto_box_seal(b"forged", old.public)).decode()
    with refused(IntegrityError, "old.secret-a"):
        parse(put(text, box, *value("old", "a"))).decrypt_domain("old", ALICE)


def test_a_version_0_domain_relabelled_as_bound() -> None:
    text, _ = legacy_domain()
    with refused(IntegrityError):
        parse(recoded(text, 1, "old", "meta", "public-key"))


def test_a_rotated_domain_takes_no_version_0_value_any_more() -> None:
    text, _ = legacy_domain()
    rotated = parse(text).rotate_domain_key("old", ALICE).get_contents()
    keys = value("old", "a")
    with refused(IntegrityError, "old.secret-a"):
        parse(put(rotated, get(text, *keys), *keys))


def test_a_grant_of_keys_that_the_custodian_had_before() -> None:
    rekeyed = parse(BOTH).rekey_custodian(ALICE, Creds(A, raw_key(9)), raw_key=True).get_contents()
    text = put(rekeyed, get(BOTH, *grant("dev", A)), *grant("dev", A))
    with refused(IntegrityError, f"dev.meta.owners.{A}") as caught:
        parse(text).decrypt_domain("dev", Creds(A, raw_key(9)))
    assert "pprotect add-owner" in caught.value.hint


@pytest.mark.parametrize("kind", ["of another custodian", "of the same passphrase and name, made elsewhere"])
def test_a_wrapped_identity(kind: str) -> None:
    """It is bound to its custodian's name and keys: elsewhere the right passphrase does not open it."""
    from pocket_protector import PassphraseError

    file = make().add_raw_key_custodian(DAVE)
    text = file.get_contents()
    source = get(text, "key-custodians", B, "encrypted-private-key")
    if kind != "of another custodian":
        source = get(BOTH, "key-custodians", A, "encrypted-private-key")
    forged = put(text, source, "key-custodians", A, "encrypted-private-key")
    for creds in (ALICE, Creds(A, BOB.passphrase)):
        with refused(PassphraseError):
            parse(forged).unlock(creds)


def test_an_argon2_cost_cannot_be_lowered_by_hand() -> None:
    from samples import CAROL

    from pocket_protector import PassphraseError

    file = make()
    text = file.set_key_custodian_passphrase(CAROL, "x", 2, CHEAP[1]).get_contents()
    keys = ("key-custodians", CAROL.name, "encrypted-private-key")
    raw = bytearray(base64.b64decode(get(text, *keys)))
    assert raw[2:6] == (2).to_bytes(4, "big")
    raw[2:6] = (1).to_bytes(4, "big")
    with refused(PassphraseError):
        parse(put(text, base64.b64encode(raw).decode(), *keys)).unlock(Creds(CAROL.name, "x"))
