"""Signed objects in a file: how they are read, what is refused and where, and how they are written."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
from samples import ALICE, BOB, CAROL, VECTORS, copy_block, cut, find, get, insert, line_of, parse, put, refused, rename

from pocket_protector.document.custodian import Custodian
from pocket_protector.document.document import Document
from pocket_protector.document.domain import Domain, Grant, Secret
from pocket_protector.document.epoch import MAX_PAST_EPOCHS, Epoch, PastEpoch
from pocket_protector.document.policy import Policy
from pocket_protector.document.statements import Signed, Signer
from pocket_protector.errors import FormatError, IntegrityError
from pocket_protector.format.loaded_file import LoadedFile, dump, load_text

TEXT = (VECTORS / "signed.yaml").read_text(encoding="utf-8")
UNSIGNED = (VECTORS / "good.yaml").read_text(encoding="utf-8")
EPOCH = ("number", "previous", "policy", "made", "made-by", "signature")
META = ("dev", "meta")
OWNER = (*META, "owners", BOB.name)
SECRET = ("dev", "secret-api-key")
PERSON = ("key-custodians", ALICE.name)

KEY = get(TEXT, "key-custodians", BOB.name, "verify-key")
SIGNATURE = get(TEXT, *META, "signature")


@cache
def document() -> Document:
    return load_text(TEXT).document


def dev() -> Domain:
    return document().domains["dev"]


def refuse(text: str, *keys: str, kind: type[FormatError | IntegrityError] = FormatError) -> None:
    """Refused at these keys, and at the line of the last of them."""
    assert text not in (TEXT, UNSIGNED)
    with refused(kind, ".".join(keys), line_of(text, *keys)):
        load_text(text)


def without_epoch(text: str) -> str:
    for key in EPOCH:
        text = cut(text, *META, key)
    return text


def earlier(number: int) -> tuple[str, ...]:
    """The keys of the earlier epoch with that number."""
    for identifier, past in dev().past.items():
        if past.epoch.number == number:
            return (*META, "retired", base64.b64encode(b"\1" + identifier).decode())
    raise KeyError(number)


def put_list(text: str, items: list[str], *keys: str) -> str:
    """`text` with a list of one item at `keys` replaced."""
    lines = text.splitlines()
    at = find(text, *keys)
    indent = " " * (len(lines[at]) - len(lines[at].lstrip()))
    lines[at + 1 : at + 2] = [f"{indent}- {item}" for item in items]
    return "\n".join(lines) + "\n"


# What is read


def test_a_signed_file_has_every_kind_of_statement() -> None:
    epoch = dev().epoch
    assert epoch is not None
    assert (epoch.number, len(epoch.previous), epoch.policy) == (3, 1, Policy(True, 99999, 2))
    assert epoch.signed.by.name == ALICE.name
    assert sorted(past.epoch.number for past in dev().past.values()) == [1, 2]
    assert all(grant.signed for grant in dev().owners.values())
    assert all(secret.signed for secret in dev().secrets.values())
    alice = document().custodians[ALICE.name]
    assert isinstance(alice, Custodian)
    assert len(alice.changes) == 1


def test_an_unsigned_file_has_none() -> None:
    for domain in load_text(UNSIGNED).document.domains.values():
        assert domain.epoch is None
        assert not domain.past
        assert not [grant for grant in domain.owners.values() if grant.signed]
        assert not [secret for secret in domain.secrets.values() if secret.signed]


def test_an_unsigned_domain_may_have_signed_grants_and_values() -> None:
    lines = [f"{KEY} {BOB.name}", SIGNATURE]
    text = insert(
        UNSIGNED, find(UNSIGNED, *OWNER) + 1, *(f"        {a}: {b}" for a, b in zip(GRANTED, lines, strict=True))
    )
    text = insert(text, find(text, *SECRET) + 1, *(f"    {a}: {b}" for a, b in zip(SET, lines, strict=True)))
    found = load_text(text).document.domains["dev"]
    assert found.owners[BOB.name].signed == found.secrets["api-key"].signed
    assert found.epoch is None


GRANTED, SET = ("granted-by", "signature"), ("signed-by", "signature")


def test_the_signer_need_not_be_a_custodian() -> None:
    found = load_text(put(TEXT, f"{KEY} somebody else", *SECRET, "signed-by")).document
    signed = found.domains["dev"].secrets["api-key"].signed
    assert signed is not None
    assert signed.by.name == "somebody else"


def test_a_statement_that_does_not_match_loads() -> None:
    """Honest branches leave such ones."""
    for place in (META, OWNER, SECRET, earlier(1)):
        load_text(put(TEXT, get(TEXT, "key-custodians", BOB.name, "signature"), *place, "signature"))


def test_extensions_stand_in_every_signed_mapping_but_a_policy() -> None:
    text = TEXT
    for place in (META, (*META, "owners"), OWNER, SECRET, PERSON, earlier(1), (*earlier(1), "grants")):
        text = insert(text, find(text, *place) + 1, "  " * len(place) + "x-note: kept")
    assert load_text(text).document == document()
    policy = insert(TEXT, find(TEXT, *META, "policy") + 1, "      x-note: '1'")
    refuse(policy, *META, "policy", "x-note")


def test_a_custodian_whose_name_looks_like_an_extension_has_grants() -> None:
    place = (*earlier(1), "grants", BOB.name)
    text = rename(TEXT, "x-bob", *place)
    grants = load_text(text).document.domains["dev"].past
    assert any("x-bob" in past.grants for past in grants.values())


# Epochs


@pytest.mark.parametrize("key", EPOCH)
def test_half_an_epoch(key: str) -> None:
    refuse(cut(TEXT, *META, key), *META)
    only = copy_block(TEXT, *META, key)
    text = without_epoch(TEXT)
    text = insert(text, find(text, *META, "public-key") + 1, *only)
    for past in (earlier(1), earlier(2)):
        text = cut(text, *past)
    refuse(text, *META)


@pytest.mark.parametrize("number", ["0", "01", "-1", "+1", "1.0", "''", "one", "1" * 19, "1 0", "\u0661"])
def test_a_number_in_another_form(number: str) -> None:
    refuse(put(TEXT, number, *META, "number"), *META, "number")


def test_the_largest_number() -> None:
    epoch = load_text(put(TEXT, "9" * 18, *META, "number")).document.domains["dev"].epoch
    assert epoch is not None
    assert epoch.number == 10**18 - 1


def hashes(count: int) -> list[str]:
    return [base64.b64encode(b"\1" + at.to_bytes(32, "big")).decode() for at in range(count)]


@pytest.mark.parametrize(
    "items",
    [
        hashes(2)[::-1],
        [hashes(1)[0]] * 2,
        hashes(65),
        [base64.b64encode(bytes(33)).decode()],
        [base64.b64encode(b"\1" + bytes(31)).decode()],
        [base64.b64encode(b"\1" + bytes(8)).decode()],
        ["first"],
        ["''"],
        ["[]"],
    ],
    ids=["unsorted", "twice", "65", "version 0", "short", "key id", "not base64", "empty", "a list"],
)
def test_previous_in_another_form(items: list[str]) -> None:
    refuse(put_list(TEXT, items, *META, "previous"), *META, "previous")


@pytest.mark.parametrize("count", [0, 1, 2, 64])
def test_previous_in_its_form(count: int) -> None:
    text = put_list(TEXT, hashes(count), *META, "previous")
    text = text if count else put(text, "[]", *META, "previous")
    epoch = load_text(text).document.domains["dev"].epoch
    assert epoch is not None
    assert len(epoch.previous) == count


@pytest.mark.parametrize("value", ["{}", "none", "''"])
def test_previous_is_a_list(value: str) -> None:
    refuse(put(put_list(TEXT, [], *META, "previous"), value, *META, "previous"), *META, "previous")


def test_an_unknown_policy_is_refused_and_says_to_upgrade() -> None:
    text = rename(TEXT, "max-secrets", *META, "policy", "min-owners")
    with refused(FormatError, "dev.meta.policy.max-secrets") as caught:
        load_text(text)
    assert "upgrade pprotect" in caught.value.hint
    refuse(rename(TEXT, "Min-Owners", *META, "policy", "min-owners"), *META, "policy", "Min-Owners")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("require-signed", "True"),
        ("require-signed", "false"),
        ("require-signed", "''"),
        ("max-age", "90"),
        ("max-age", "090d"),
        ("max-age", "0d"),
        ("max-age", "100000d"),
        ("max-age", "12h"),
        ("min-owners", "0"),
        ("min-owners", "02"),
        ("min-owners", "10000"),
        ("min-owners", "two"),
    ],
)
def test_a_policy_in_another_spelling(key: str, value: str) -> None:
    refuse(put(TEXT, value, *META, "policy", key), *META, "policy", key)


def test_a_quoted_policy_is_the_same() -> None:
    text = put(put(TEXT, "'2'", *META, "policy", "min-owners"), '"true"', *META, "policy", "require-signed")
    assert load_text(text).document == document()


@pytest.mark.parametrize("time", ["2026-11-22", "2026-11-22t10:04:00Z", "2026-11-22T10:04:00.0Z", "''"])
def test_made_at_no_time(time: str) -> None:
    refuse(put(TEXT, time, *META, "made"), *META, "made")


@pytest.mark.parametrize(
    "by",
    [
        KEY,
        BOB.name,
        f"'{KEY} '",
        f"' {BOB.name}'",
        f"'{KEY}  {BOB.name}'",
        f"{BOB.name} {KEY}",
        f'"{KEY} b\\u0301ob e\\u0301"',
        f'"{KEY} a\\u200bb"',
        f"'{KEY} -bob'",
        f"{KEY} {'b' * 257}",
        f"{KEY[:-4]} {BOB.name}",
        f"AA{KEY[2:]} {BOB.name}",
        f"Ag{KEY[2:]} {BOB.name}",
        f"{base64.b64encode(bytes([1, 1, *bytes(31)])).decode()} {BOB.name}",
    ],
)
@pytest.mark.parametrize(("place", "field"), [(META, "made-by"), (OWNER, "granted-by"), (SECRET, "signed-by")])
def test_a_signer_in_another_form(by: str, place: tuple[str, ...], field: str) -> None:
    refuse(put(TEXT, by, *place, field), *place, field)


@pytest.mark.parametrize("raw", [b"", b"\1" + bytes(63), b"\1" + bytes(65), bytes(65), b"\2" + bytes(64)])
@pytest.mark.parametrize("place", [META, OWNER, SECRET])
def test_a_signature_of_another_length_or_version(raw: bytes, place: tuple[str, ...]) -> None:
    refuse(put(TEXT, base64.b64encode(raw).decode() or "''", *place, "signature"), *place, "signature")


def test_a_key_of_version_0_in_a_signed_domain() -> None:
    old = base64.b64decode(get(TEXT, *META, "public-key"))
    refuse(put(TEXT, base64.b64encode(b"\0" + old[1:]).decode(), *META, "public-key"), *META, "public-key")


# Grants, values and custodians


@pytest.mark.parametrize(("place", "by"), [(OWNER, "granted-by"), (SECRET, "signed-by")])
def test_one_of_two_fields(place: tuple[str, ...], by: str) -> None:
    refuse(cut(TEXT, *place, by), *place)
    refuse(cut(TEXT, *place, "signature"), *place)
    assert load_text(cut(cut(TEXT, *place, by), *place, "signature")).document.domains["dev"] != dev()


@pytest.mark.parametrize(
    ("place", "old", "new"),
    [
        (OWNER, "granted-by", "signed-by"),
        (SECRET, "signed-by", "granted-by"),
        (META, "made-by", "signed-by"),
        (PERSON, "changes", "change"),
        (META, "retired", "earlier"),
    ],
)
def test_a_field_of_another_object(place: tuple[str, ...], old: str, new: str) -> None:
    refuse(rename(TEXT, new, *place, old), *place, new)


@pytest.mark.parametrize("name", ["expires", "kind", "reviewed"])
def test_a_field_of_a_later_version(name: str) -> None:
    refuse(insert(TEXT, find(TEXT, *SECRET) + 1, f"    {name}: high"), *SECRET, name)


def with_change(edit: Callable[[bytes], bytes]) -> str:
    place = (*PERSON, "changes")
    raw = base64.b64decode(TEXT.splitlines()[find(TEXT, *place) + 1].split("- ")[1])
    return put_list(TEXT, [base64.b64encode(edit(raw)).decode()], *place)


@pytest.mark.parametrize(
    "edit",
    [
        lambda raw: raw[:-1],
        lambda raw: raw + b"\0",
        lambda raw: b"\0" + raw[1:],
        lambda raw: b"\2" + raw[1:],
        lambda raw: raw[:1] + bytes(32) + raw[33:],
        lambda raw: raw[:33] + bytes(32) + raw[65:],
        lambda raw: raw[:65] + b"2026-11-31T10:03:00Z" + raw[85:],
        lambda raw: raw[:65] + b"\xff" * 20 + raw[85:],
        lambda raw: raw[:65] + "\uff12\uff10\uff12\uff16".encode() + b"-11-22T10" + raw[86:],
    ],
    ids="short long version-0 version-2 public-key verify-key no-day no-text wide-digits".split(),
)
def test_a_change_in_another_form(edit: Callable[[bytes], bytes]) -> None:
    refuse(with_change(edit), *PERSON, "changes")


def test_a_change_whose_signatures_do_not_match_loads() -> None:
    load_text(with_change(lambda raw: raw[:85] + bytes(128)))


def test_no_changes_in_a_list_of_them() -> None:
    text = put(put_list(TEXT, [], *PERSON, "changes"), "[]", *PERSON, "changes")
    refuse(text, *PERSON, "changes")
    refuse(put(text, "none", *PERSON, "changes"), *PERSON, "changes")


def test_changes_are_not_a_legacy_custodians() -> None:
    derived = base64.b64encode(b"\2" + bytes(8) + (9).to_bytes(32, "little")).decode()
    refuse(insert(UNSIGNED, find(UNSIGNED, *PERSON) + 1, f"    pwdkm: {derived}"), *PERSON, "public-key")
    text = TEXT
    for key in ("public-key", "verify-key", "encrypted-private-key", "signature"):
        text = cut(text, *PERSON, key)
    refuse(insert(text, find(text, *PERSON) + 1, f"    pwdkm: {derived}"), *PERSON, "changes")


def test_the_custodians_own_signature_is_verified_with_changes_beside_it() -> None:
    bobs = get(TEXT, "key-custodians", BOB.name, "signature")
    refuse(put(TEXT, bobs, *PERSON, "signature"), *PERSON, "signature", kind=IntegrityError)


# Earlier epochs


def test_an_earlier_epoch_in_an_unsigned_domain() -> None:
    refuse(without_epoch(TEXT), *META, "retired")
    block = copy_block(TEXT, *earlier(1))
    text = UNSIGNED.replace("  retired: {}\n", "  retired:\n", 1)
    refuse(insert(text, find(text, *META, "retired") + 1, *block), *META, "retired")


def test_a_retired_key_in_an_unsigned_domain() -> None:
    text = without_epoch(TEXT)
    for number in (1, 2):
        text = cut(text, *earlier(number))
    found = load_text(text).document.domains["dev"]
    assert (len(found.retired), found.past, found.epoch) == (1, {}, None)


@pytest.mark.parametrize("key", ["public-key", *EPOCH, "grants"])
def test_a_field_of_an_earlier_epoch_is_missing(key: str) -> None:
    refuse(cut(TEXT, *earlier(1), key), *earlier(1))


@pytest.mark.parametrize("key", ["public-key", "verify-key", "granted-by", "signature", "granted"])
def test_a_field_of_an_earlier_grant_is_missing(key: str) -> None:
    place = (*earlier(1), "grants", BOB.name)
    refuse(cut(TEXT, *place, key), *place)


@pytest.mark.parametrize("length", [1, 7, 9, 31, 33])
def test_an_entry_of_retired_under_bytes_of_another_length(length: int) -> None:
    identifier = base64.b64encode(b"\1" + bytes(length)).decode()
    refuse(rename(TEXT, identifier, *earlier(1)), *META, "retired", identifier)


def test_an_earlier_epoch_under_a_hash_that_is_not_its_own_loads() -> None:
    """It counts as absent; nothing proves that somebody meant harm."""
    found = load_text(rename(TEXT, hashes(1)[0], *earlier(1))).document.domains["dev"]
    assert bytes(32) in found.past


def many(count: int) -> LoadedFile:
    some = next(iter(dev().past.values()))
    past = {at.to_bytes(32, "big"): replace(some, grants={}) for at in range(count)}
    return dump(document().with_domain(replace(dev(), past=past)))


def test_the_most_earlier_epochs() -> None:
    text = many(MAX_PAST_EPOCHS).text
    assert len(load_text(text).document.domains["dev"].past) == MAX_PAST_EPOCHS
    block = copy_block(text, *META, "retired", hashes(1)[0])
    one_more = [block[0].replace(hashes(1)[0], hashes(MAX_PAST_EPOCHS + 1)[-1]), *block[1:]]
    refuse(insert(text, find(text, *META, "retired") + 1, *one_more), *META, "retired")


# What is written


def test_it_is_written_as_it_stands() -> None:
    assert dump(document()).text == TEXT
    assert load_text(TEXT).with_document(document()).text == TEXT


def test_fields_stand_in_their_order() -> None:
    def keys(*place: str) -> list[str]:
        indent = "  " * len(place)
        return [
            line.split(":")[0].strip()
            for line in copy_block(TEXT, *place)
            if line.startswith(indent) and line[len(indent)] not in " -"
        ]

    assert keys(*META) == ["public-key", *EPOCH, "retired", "owners"]
    assert keys(*earlier(2)) == ["public-key", *EPOCH, "grants"]
    assert keys(*earlier(2), "grants", ALICE.name) == [
        *("public-key", "verify-key", "changes", "granted-by", "signature", "granted")
    ]
    assert keys(*OWNER) == ["granted-by", "signature", "wrapped-key", "granted"]
    assert keys(*SECRET) == ["signed-by", "signature", "value", "updated"]
    assert keys(*PERSON) == ["public-key", "verify-key", "encrypted-private-key", "changes", "signature"]
    assert keys(*META, "policy") == ["max-age", "min-owners", "require-signed"]


def changed(**fields: object) -> Document:
    return document().with_domain(replace(dev(), **fields))  # type: ignore[arg-type]


def epoch_with(**fields: object) -> Epoch:
    assert dev().epoch is not None
    return replace(dev().epoch, **fields)  # type: ignore[arg-type,type-var]


SOMEBODY = Signed(Signer("zoe 2", base64.b64decode(KEY)[1:]), bytes(64))


@pytest.mark.parametrize(
    "new",
    [
        lambda: changed(epoch=epoch_with(number=4)),
        pytest.param(
            lambda: changed(epoch=epoch_with(previous=())),
        ),
        lambda: changed(epoch=epoch_with(previous=tuple(bytes([at]) * 32 for at in range(5)))),
        lambda: changed(epoch=epoch_with(policy=Policy())),
        lambda: changed(epoch=epoch_with(policy=Policy(max_age=7))),
        lambda: changed(epoch=epoch_with(signed=SOMEBODY)),
        lambda: changed(epoch=None, past={}),
        lambda: changed(past={}, retired={}),
        lambda: changed(past={bytes(32): PastEpoch(dev().public_key, epoch_with(previous=()), {})}),
        lambda: changed(owners={name: replace(grant, signed=None) for name, grant in dev().owners.items()}),
        lambda: changed(owners={name: replace(grant, signed=SOMEBODY) for name, grant in dev().owners.items()}),
        lambda: changed(secrets={name: replace(secret, signed=None) for name, secret in dev().secrets.items()}),
        lambda: changed(secrets={"a": Secret(dev().secrets["api-key"].value, "2026-11-22T10:00:00Z", SOMEBODY)}),
        lambda: document().with_custodian(replace(document().custodians[ALICE.name], changes=())),
    ],
    ids=(
        "number no-previous previous no-policy policy maker unsigned no-retired past unsigned-owners owners"
        " unsigned-secrets secrets no-changes"
    ).split(),
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_change_is_written_and_read_back(new: Callable[[], Document], end: str) -> None:
    """And undone, the file is as before: fields come and go at their place."""
    before = load_text(TEXT.replace("\n", end))
    after = before.with_document(new())
    assert after.document == new() != before.document
    assert after.with_document(document()).text == before.text
    kept = set(before.text.split(end)) & set(dump(new()).text.split("\n"))
    assert kept <= set(after.text.split(end))


def test_a_domain_in_flow_style_becomes_signed_and_unsigned_again() -> None:
    grant = Grant(dev().owners[BOB.name].wrapped_key, "2026-11-22T10:00:00Z")
    bare = Domain("flow", dev().key, {BOB.name: grant})
    text = dump(document().with_domain(bare)).text
    lines = copy_block(text, "flow")
    wrapped = lines[6].split(": ")[1]
    flow = (
        f"flow: {{meta: {{public-key: {lines[2].split(': ')[1]}, retired: {{}}, owners: {{{BOB.name}: "
        f"{{wrapped-key: {wrapped}, granted: '2026-11-22T10:00:00Z'}}}}}}}}"
    )
    text = text.replace("\n".join(lines), flow)
    loaded = load_text(text)
    assert loaded.document.domains["flow"] == bare
    signed = replace(bare, epoch=dev().epoch, past=dev().past)
    after = loaded.with_document(loaded.document.with_domain(signed))
    assert after.document.domains["flow"] == signed
    assert after.with_document(loaded.document).document == loaded.document


def test_the_commands_leave_other_lines_alone() -> None:
    """A review, a policy and a rotation by one owner, each undone by nothing but its own lines."""
    file = parse(UNSIGNED)
    signed = parse(file.rotate_domain_key("dev", ALICE).get_contents())
    assert signed.is_signed("dev")
    assert not signed.is_signed("prod")
    old, new = UNSIGNED.splitlines(), signed.get_contents().splitlines()
    assert [line for line in old if "updated:" in line or "granted:" in line] == [
        line for line in new if "updated:" in line or "granted:" in line
    ]
    assert copy_block(UNSIGNED, "prod") == copy_block(signed.get_contents(), "prod")
    reviewed = signed.sign_secrets("dev", ["api-key"], BOB).get_contents()
    gone = set(signed.get_contents().splitlines()) - set(reviewed.splitlines())
    assert not gone
    with_carol = parse(reviewed).add_owner("dev", CAROL.name, ALICE).get_contents()
    assert set(reviewed.splitlines()) <= set(with_carol.splitlines())
