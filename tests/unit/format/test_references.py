"""Entries with references and sensitivities in a file: how they are read, what is refused and where, how they are
written."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from samples import ALICE, BOB, GOOD, VECTORS, copy_block, cut, find, get, insert, line_of, parse, put, refused, rename

from pocket_protector.document.document import Document
from pocket_protector.document.domain import Secret
from pocket_protector.document.policy import Policy
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import FormatError, IntegrityError
from pocket_protector.format.loaded_file import dump, load_text

URI = "aws-sm://eu-west-1/prod%2Fdb?version-stage=A%26B#db.key"
API, DB = ("dev", "secret-api-key"), ("dev", "secret-db-password")
TIME = "2026-11-22T10:00:00Z"


@cache
def text() -> str:
    """The good file, with a reference of high sensitivity that Alice signed as api-key, and a value of low as
    db-password."""
    file = parse(GOOD).update_secret("dev", "api-key", Reference(URI), creds=ALICE, sensitivity=Sensitivity.HIGH)
    return file.set_sensitivity("dev", "db-password", Sensitivity.LOW, creds=BOB).get_contents()


def secrets(changed: str) -> dict[str, Secret]:
    return dict(load_text(changed).document.domains["dev"].secrets)


def refuse(changed: str, *keys: str, says: str = "") -> None:
    """Refused at these keys, and at the line of the last of them."""
    assert changed != text()
    with refused(FormatError, ".".join(keys), line_of(changed, *keys)) as caught:
        load_text(changed)
    assert says in str(caught.value)


def bare(*entry: str) -> str:
    """api-key without anything but these lines."""
    changed = text()
    for key in ("sensitivity", "signed-by", "signature", "reference", "updated"):
        changed = cut(changed, *API, key)
    return insert(changed, find(changed, *API) + 1, *(f"    {line}" for line in entry))


# What is read


def test_a_reference_and_sensitivities() -> None:
    found = secrets(text())
    assert found["api-key"].value == Reference(URI)
    assert found["api-key"].sensitivity is Sensitivity.HIGH
    assert found["api-key"].signed is not None
    assert isinstance(found["db-password"].value, bytes)
    assert found["db-password"].sensitivity is Sensitivity.LOW


def test_an_entry_with_nothing_else_is_of_medium_sensitivity() -> None:
    for entry in (f"reference: '{URI}'", f"value: {get(GOOD, *API, 'value')}"):
        found = secrets(bare(entry, f"updated: {TIME}"))["api-key"]
        assert (found.sensitivity, found.signed, found.updated) == (Sensitivity.MEDIUM, None, TIME)


@pytest.mark.parametrize("sensitivity", [Sensitivity.LOW, Sensitivity.HIGH, Sensitivity.INJECT_ONLY])
@pytest.mark.parametrize("style", ["{}", "'{}'", '"{}"', "{}  # why"])
def test_every_sensitivity_that_is_written(sensitivity: Sensitivity, style: str) -> None:
    changed = put(text(), style.format(sensitivity.word), *API, "sensitivity")
    assert secrets(changed)["api-key"].sensitivity is sensitivity


def test_the_order_of_fields_means_nothing() -> None:
    lines = copy_block(text(), *API)
    changed = text().replace("\n".join(lines), "\n".join([lines[0], *lines[:0:-1]]))
    assert changed != text()
    assert secrets(changed) == secrets(text())


def test_an_extension_beside_them() -> None:
    assert secrets(insert(text(), find(text(), *API) + 1, "    x-ticket: OPS-7")) == secrets(text())


def test_a_reference_in_flow_style() -> None:
    changed = text().replace(
        "\n".join(copy_block(text(), *API)), f"  secret-api-key: {{reference: '{URI}', updated: '{TIME}'}}"
    )
    assert secrets(changed)["api-key"] == Secret(Reference(URI), TIME)


def test_a_scheme_that_nothing_installed_knows() -> None:
    changed = put(text(), "no-such.scheme+1://a/b", *API, "reference")
    assert secrets(changed)["api-key"].value == Reference("no-such.scheme+1://a/b")


def test_a_reference_under_a_domain_key_of_version_0() -> None:
    old = (VECTORS / "upstream" / "v1-v2-mixed.yaml").read_text(encoding="utf-8")
    upgraded = parse(old).upgrade()
    (name, *_) = upgraded.get_domain_names()
    file = parse(upgraded.add_secret(name, "pointer", Reference(URI), sensitivity=Sensitivity.LOW).get_contents())
    assert file.get_references(name) == {"pointer": Reference(URI)}
    # A value of version 0 may have a sensitivity as well.
    legacy = next(key for key, secret in file.document.domains[name].secrets.items() if not secret.bound)
    again = parse(file.set_sensitivity(name, legacy, Sensitivity.HIGH).get_contents())
    assert again.get_secret_sensitivity(name, legacy) is Sensitivity.HIGH


# What is refused


def test_a_value_and_a_reference() -> None:
    value = copy_block(GOOD, *API, "value")
    refuse(insert(text(), find(text(), *API) + 1, *value), *API, "reference", says="not both")
    refuse(insert(text(), find(text(), *API) + 4, *value), *API, "reference", says="not both")
    refuse(insert(text(), find(text(), *DB) + 1, f"    reference: '{URI}'"), *DB, "reference", says="not both")


def test_neither_a_value_nor_a_reference() -> None:
    refuse(cut(text(), *API, "reference"), *API, says="'value' is missing")
    refuse(bare(f"updated: {TIME}", "sensitivity: high"), *API, says="'value' is missing")


def test_no_time() -> None:
    refuse(cut(text(), *API, "updated"), *API, says="'updated' is missing")
    refuse(bare(f"reference: '{URI}'", "sensitivity: high"), *API, says="'updated' is missing")


def test_medium_is_not_written() -> None:
    for place in (API, DB):
        refuse(put(text(), "medium", *place, "sensitivity"), *place, "sensitivity", says="medium is not written")


@pytest.mark.parametrize(
    "word", ["''", "High", "HIGH", "highest", "inject_only", "'high '", '"high\\n"', "2", "true", "null", "low,high"]
)
def test_an_unknown_sensitivity(word: str) -> None:
    refuse(put(text(), word, *API, "sensitivity"), *API, "sensitivity", says="low, medium, high, inject-only")


@pytest.mark.parametrize("content", ["[high]", "{high: ''}", "[]", "{}"])
@pytest.mark.parametrize("field", ["sensitivity", "reference"])
def test_a_list_or_a_mapping_where_a_text_belongs(content: str, field: str) -> None:
    refuse(put(text(), content, *API, field), *API, field, says="this must be a text")


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("''", "not a reference"),
        ("", "not a reference"),
        ("db-password", "not a reference"),
        (get(GOOD, *API, "value"), "not a reference"),
        ("https:/a", "not a reference"),
        ("AWS-SM://a", "not a reference"),
        ("'aws-sm://a b'", "not a reference"),
        ('"aws-sm://a\\nreference: b"', "not a reference"),
        ('"aws-sm://a\\u202Eb"', "not a reference"),
        ("aws-sm://ü", "not a reference"),
        ("'aws-sm://[::1]/a'", "not a reference"),
        ("'aws-sm://a#'", "not a reference"),
        ("aws-sm://a?b", "key=value"),
        ("aws-sm://a?b=c&%62=d", "key=value"),
        ("aws-sm://a%00b", "printable"),
        ("aws-sm://a%E2%80%AEb", "printable"),
        ("aws-sm://a%FFb", "UTF-8"),
        (f"a://{'b' * 2045}", "at most 2048 characters"),
        (f"a://{'%41' * 100_000}", "at most 2048 characters"),
    ],
)
def test_a_hostile_reference(reference: str, says: str) -> None:
    refuse(put(text(), reference, *API, "reference"), *API, "reference", says=says)
    refuse(bare(f"reference: {reference}", f"updated: {TIME}"), *API, "reference", says=says)


def test_a_hostile_reference_over_several_lines() -> None:
    changed = put(text(), ">-\n      aws-sm://a\n      b", *API, "reference")
    refuse(changed, *API, "reference", says="not a reference")


@pytest.mark.parametrize("name", ["secret-api^key", "secret-[", "secret-1", "secret-", "secret-a b"])
def test_a_reference_under_another_name_than_format_1s(name: str) -> None:
    refuse(rename(text(), name, *API), *API[:1], name, says="cannot name a secret")


def test_one_of_the_two_fields_of_a_signature() -> None:
    for field in ("signed-by", "signature"):
        refuse(cut(text(), *API, field), *API)


@pytest.mark.parametrize("field", ["Sensitivity", "Reference", "references", "values", "granted-by", "kind"])
def test_another_field(field: str) -> None:
    refuse(insert(text(), find(text(), *API) + 1, f"    {field}: high"), *API, field, says="not known here")


@pytest.mark.parametrize("place", [("dev", "meta"), ("dev", "meta", "owners", BOB.name), ("key-custodians", BOB.name)])
@pytest.mark.parametrize("field", ["sensitivity: high", "reference: env://A"])
def test_in_another_object(place: tuple[str, ...], field: str) -> None:
    changed = insert(text(), find(text(), *place) + 1, "  " * len(place) + field)
    refuse(changed, *place, field.split(":", maxsplit=1)[0], says="not known here")


def test_twice() -> None:
    for field in ("sensitivity", "reference"):
        changed = insert(text(), find(text(), *API, "updated"), *copy_block(text(), *API, field))
        with refused(FormatError):
            load_text(changed)


def test_a_production_in_another_spelling() -> None:
    file = parse(parse(text()).rotate_domain_key("dev", ALICE).get_contents())
    for value in (True, False):
        policed = file.set_policy("dev", Policy(production=value), ALICE).get_contents()
        place = ("dev", "meta", "policy", "production")
        assert get(policed, *place) == str(value).lower()
        assert load_text(policed).document.domains["dev"].policy == Policy(production=value)
        for word in ("True", "yes", "''", "1"):
            changed = put(policed, word, *place)
            with refused(FormatError, ".".join(place), line_of(changed, *place)):
                load_text(changed)


def test_a_value_of_version_0_is_still_refused_beside_a_sensitivity() -> None:
    changed = put(text(), "A" * 68, *DB, "value")
    with refused(IntegrityError, "dev.secret-db-password"):
        load_text(changed)


# What is written


def keys(changed: str, *place: str) -> list[str]:
    return [line.split(":")[0].strip() for line in copy_block(changed, *place)[1:]]


def test_fields_stand_in_their_order() -> None:
    assert keys(text(), *API) == ["sensitivity", "signed-by", "signature", "reference", "updated"]
    assert keys(text(), *DB) == ["sensitivity", "signed-by", "signature", "value", "updated"]
    assert keys(dump(load_text(text()).document).text, *API) == keys(text(), *API)
    plain = parse(GOOD).update_secret("dev", "api-key", Reference(URI)).get_contents()
    assert keys(plain, *API) == ["reference", "updated"]
    level = parse(GOOD).set_sensitivity("dev", "api-key", Sensitivity.HIGH).get_contents()
    assert keys(level, *API) == ["sensitivity", "value", "updated"]


def test_it_is_written_as_it_stands() -> None:
    assert dump(load_text(text()).document).text == text()
    assert load_text(text()).with_document(load_text(text()).document).text == text()


def changed(name: str, **fields: object) -> Document:
    document = load_text(text()).document
    dev = document.domains["dev"]
    secret = replace(dev.secrets[name], **fields)  # type: ignore[arg-type]
    return document.with_domain(replace(dev, secrets={**dev.secrets, name: secret}))


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("api-key", {"value": Reference("env://A")}),
        ("api-key", {"value": Reference("env://A"), "signed": None}),
        ("api-key", {"sensitivity": Sensitivity.MEDIUM}),
        ("api-key", {"sensitivity": Sensitivity.MEDIUM, "signed": None}),
        ("api-key", {"sensitivity": Sensitivity.INJECT_ONLY}),
        ("api-key", {"value": b"\1" + bytes(88), "updated": TIME}),
        ("api-key", {"value": b"\1" + bytes(88), "signed": None, "sensitivity": Sensitivity.MEDIUM}),
        ("db-password", {"value": Reference(URI)}),
        ("db-password", {"value": Reference(URI), "signed": None, "sensitivity": Sensitivity.MEDIUM}),
        ("db-password", {"sensitivity": Sensitivity.HIGH, "signed": None}),
    ],
    ids=(
        "another-reference unsigned medium medium-unsigned raised to-value to-plain-value to-reference"
        " to-plain-reference raised-unsigned"
    ).split(),
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("flow", [False, True])
def test_a_change_is_written_and_read_back(name: str, fields: dict[str, object], end: str, flow: bool) -> None:
    """And undone, the file holds what it held, to the byte where it stands in blocks; no other line is touched."""
    before = text()
    lines = copy_block(before, "dev", f"secret-{name}")
    if flow:
        fields_ = ", ".join("{}: '{}'".format(*line.strip().split(": ", 1)).replace("''", "'") for line in lines[1:])
        before = before.replace("\n".join(lines), f"  secret-{name}: {{{fields_}}}")
    loaded = load_text(before.replace("\n", end))
    new = changed(name, **fields)
    after = loaded.with_document(new)
    assert after.document == new != loaded.document
    assert load_text(after.text).document == new
    others = [line for line in loaded.text.split(end) if line not in lines and f"secret-{name}: {{" not in line]
    rest = iter(after.text.split(end))
    assert all(line in rest for line in others)
    undone = after.with_document(loaded.document)
    assert undone.document == loaded.document
    if not flow:
        assert undone.text == loaded.text
        assert keys(after.text.replace(end, "\n"), "dev", f"secret-{name}") == keys(
            dump(new).text, "dev", f"secret-{name}"
        )


def test_comments_beside_what_stays_are_kept() -> None:
    commented = put(put(text(), "high  # since May", *API, "sensitivity"), f"'{URI}'  # in AWS", *API, "reference")
    file = parse(commented)
    assert commented == file.get_contents()
    moved = file.update_secret("dev", "api-key", Reference("env://A"), creds=ALICE).get_contents()
    assert "high  # since May" in moved
    assert "# in AWS" in moved
    assert get(moved, *API, "reference").startswith("'env://A'")
