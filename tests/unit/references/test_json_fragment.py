"""What a fragment names in JSON, which anybody may have written."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocket_protector.errors import Fault, ProviderError
from pocket_protector.references.json_fragment import json_at, json_member

CANARY = "tulip-canary"


def failing(raw: bytes, fragment: str) -> ProviderError:
    with pytest.raises(ProviderError) as failure:
        json_member(raw, fragment)
    assert failure.value.fault is Fault.OTHER
    assert CANARY not in f"{failure.value!s}{failure.value.hint}{failure.value!r}"
    # Else a report of the error could show what the parser was given.
    assert failure.value.__cause__ is None
    assert failure.value.__suppress_context__ or failure.value.__context__ is None
    return failure.value


@pytest.mark.parametrize("raw", [b"plain", b'{"a": 1}', b"", b"\xff\x00"])
def test_without_a_fragment_nothing_is_parsed(raw: bytes) -> None:
    assert json_member(raw, None) is raw


@pytest.mark.parametrize(
    ("raw", "fragment", "value"),
    [
        ('{"a": "text"}', "a", "text"),
        ('{"a": {"b": {"c": "deep"}}}', "a.b.c", "deep"),
        ('{"a.b": "dotted", "a": {"b": "nested"}}', "a%2Eb", "dotted"),
        ('{"a.b": "dotted", "a": {"b": "nested"}}', "a.b", "nested"),
        ('{"a": {"": "empty"}}', "a.", "empty"),
        ('{"": {"": "empty"}}', ".", "empty"),
        ('{"ключ": "ö☃"}', "%D0%BA%D0%BB%D1%8E%D1%87", "ö☃"),
        ('{"a b": "x"}', "a%20b", "x"),
        ('{"a/b?c": "x"}', "a/b?c", "x"),
        ('{"a%": "x"}', "a%25", "x"),
        (' \n{"a" : "x"}\n', "a", "x"),
        ('\ufeff{"a": "x"}', "a", "x"),
        ('{"a": "\\ud83c\\udf37"}', "a", "🌷"),
        ('{"a": "line\\nand\\u0000"}', "a", "line\nand\0"),
        ('{"a": ""}', "a", ""),
    ],
)
def test_members(raw: str, fragment: str, value: str) -> None:
    assert json_member(raw.encode(), fragment) == value.encode()


@pytest.mark.parametrize(
    "number",
    ["0", "-0", "7", "1.0", "1.10", "1e3", "1E400", "-1.5e-7", "123456789012345678901234567890", "9" * 5000],
)
def test_numbers_stay_as_they_are_written(number: str) -> None:
    assert json_member(f'{{"a": {number}}}'.encode(), "a") == number.encode()


def test_truth_values() -> None:
    assert json_member(b'{"yes": true, "no": false}', "yes") == b"true"
    assert json_member(b'{"yes": true, "no": false}', "no") == b"false"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        CANARY.encode(),
        b'{"a": "tulip-canary"',
        b'{"a": "tulip-canary"} x',
        b"{'a': 'tulip-canary'}",
        b'{"a": tulip-canary}',
        b'{"a": 01}',
        b'{"a": NaN}',
        b'{"a": "x", "b": -Infinity}',
        b'{"a": "tulip-canary", "a": "b"}',
        b'{"a": "x", "b": {"c": 1, "c": 1}}',
        b'{"a": "tulip-canary\n"}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud83c tulip-canary',
        b"\x00\x01\x02",
        b"[" * 100_000,
        b'{"a":' * 40_000,
        b'{"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    ],
    ids=lambda raw: repr(raw[:20]),
)
def test_what_is_no_json(raw: bytes) -> None:
    assert "not JSON" in str(failing(raw, "a"))


@pytest.mark.parametrize(
    ("raw", "fragment", "key"),
    [
        ('{"b": "tulip-canary"}', "a", "a"),
        ('{"a": "tulip-canary"}', "a.b", "b"),
        ('{"a": {"b": 1}}', "a.c", "c"),
        ('["tulip-canary"]', "0", "0"),
        ('"tulip-canary"', "a", "a"),
        ('{"a": ["tulip-canary"]}', "a.0", "0"),
        ('{"a": {"b": 1}}', "a..b", ""),
        ('{"A": 1}', "a", "a"),
        ("null", "a", "a"),
        ('{"a": "x"}', "__class__", "__class__"),
        # In another form of Unicode, it is another key.
        ('{"\u00f6": 1}', "o%CC%88", "o\u0308"),
    ],
)
def test_what_is_not_there(raw: str, fragment: str, key: str) -> None:
    error = failing(raw.encode(), fragment)
    assert f"has no key {key!r} at" in str(error)
    assert "%2E" in error.hint


@pytest.mark.parametrize("raw", ['{"a": null}', '{"a": {"b": "tulip-canary"}}', '{"a": ["tulip-canary"]}', '{"a": {}}'])
def test_what_is_no_single_value(raw: str) -> None:
    assert "not name a text, number or truth value" in str(failing(raw.encode(), "a"))


@pytest.mark.parametrize(
    "raw", [b'{"a": "tulip-canary \\ud83c"}', b'{"a": "\\udf37\\ud83c"}', b'{"a": "\xed\xa0\x80"}']
)
def test_half_a_character_is_no_text(raw: bytes) -> None:
    failing(raw, "a")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1, max_size=5), st.text())
def test_any_path_of_keys(path: list[str], value: str) -> None:
    inside: object = value.encode("utf-8", "replace").decode()
    for key in reversed(path):
        inside = {key: inside, f"{key}.": "another", f"{key}x": "another"}
    fragment = ".".join(quote(key, safe="").replace(".", "%2E") for key in path)
    assert json_member(json.dumps(inside).encode(), fragment) == value.encode("utf-8", "replace")


@given(st.binary(max_size=200) | st.text('{}[]":,\\u0af1eE+-. truefalsn', max_size=80).map(str.encode))
def test_any_bytes(raw: bytes) -> None:
    try:
        found = json_at(raw, ["a"])
    except ProviderError:
        return
    assert b"a" in raw or b"\\u" in raw
    assert type(found) is bytes
