"""The text of a reference: what everybody may write into the file."""

from __future__ import annotations

import pickle
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocket_protector.document.reference import MAX_REFERENCE_CHARACTERS, Reference, decode_part
from pocket_protector.errors import FormatError


def test_its_parts() -> None:
    reference = Reference("aws-sm://eu-west-1/prod%2Fdb?version-stage=A%26B&x=#db.pass%2Eword")
    assert reference.scheme == "aws-sm"
    assert reference.segments == ("eu-west-1", "prod/db")
    assert reference.query == {"version-stage": "A&B", "x": ""}
    assert reference.fragment == "db.pass%2Eword"
    assert str(reference) == reference.text
    assert reference.without_fragment() == Reference("aws-sm://eu-west-1/prod%2Fdb?version-stage=A%26B&x=")


def test_parts_that_are_not_there() -> None:
    reference = Reference("env://NAME")
    assert reference.query == {}
    assert reference.fragment is None
    assert reference.without_fragment() == reference
    assert Reference("file:///a//b/").segments == ("", "a", "", "b", "")
    assert Reference("a://b#c?d=/e").fragment == "c?d=/e"
    assert Reference("a://b?c=d?e=/f=g").query == {"c": "d?e=/f=g"}
    assert Reference("a://b+c%2Bd").segments == ("b+c+d",)


def test_it_is_a_value() -> None:
    assert Reference("a://b") == Reference("a://b")
    assert len({Reference("a://b"), Reference("a://b"), Reference("a://%62")}) == 2
    assert pickle.loads(pickle.dumps(Reference("a://b#c"))) == Reference("a://b#c")


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "a:b", "a:/b", "a://", "://b", "/a", "//a/b", "a:///?", "a://b?", "a://b#", "a://b?#c", "a://?a=b"),
        *("A://b", "1a://b", "-a://b", "a_b://c", "a b://c", " a://b", "a://b ", "a://b\n", "\na://b", "a://b\0"),
        *(
            "a://b c",
            "a://b\tc",
            'a://"b"',
            "a://<b>",
            "a://b\\c",
            "a://[::1]",
            "a://{b}",
            "a://b|c",
            "a://b^c",
            "a://`b`",
        ),
        *("a://b#c#d", "a://%", "a://%2", "a://%zz", "a://b?c=%", "a://b#%1", "a://ü", "a://b#ü", "a://\u2024\u2024/b"),
        f"{'a' * 33}://b",
    ],
)
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(FormatError, match="not a reference such as aws-sm://name") as refusal:
        Reference(text)
    assert "%20" in refusal.value.hint


@pytest.mark.parametrize(
    "part", ["%00", "%0A", "%0d%0a", "%1B[31m", "%7F", "%C2%85", "%E2%80%AE", "%E2%80%A8", "%C2%A0"]
)
@pytest.mark.parametrize("form", ["a://{}", "a://b?c={}", "a://b?{}=c", "a://b#{}"])
def test_nothing_unprintable_is_hidden(form: str, part: str) -> None:
    text = form.format(part.replace("[", "%5B"))
    with pytest.raises(FormatError, match="percent-encoded part of a reference is printable text"):
        Reference(text)


@pytest.mark.parametrize("part", ["%FF", "%C3", "%C3/%A4", "%C0%AF", "%ED%A0%80", "%F5%80%80%80"])
def test_it_is_utf_8(part: str) -> None:
    with pytest.raises(FormatError, match="UTF-8"):
        Reference(f"a://b{part}")


@pytest.mark.parametrize("query", ["a", "a&b=c", "=a", "a=b&", "&a=b", "a=b&a=c", "a=b&%61=c", "a=b&&c=d"])
def test_what_is_no_query(query: str) -> None:
    with pytest.raises(FormatError, match="key=value"):
        Reference(f"a://b?{query}")


def test_how_long_it_may_be() -> None:
    longest = "a://" + "b" * (MAX_REFERENCE_CHARACTERS - 4)
    assert Reference(longest).segments == (longest[4:],)
    with pytest.raises(FormatError, match=r"at most 2048 characters"):
        Reference(longest + "b")
    with pytest.raises(FormatError, match=r"at most 2048 characters"):
        Reference("a://b?" + "&" * 10_000_000)


def test_a_part_by_itself() -> None:
    assert decode_part("a%2Eb+%C3%A4") == "a.b+ä"


PARTS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)


@given(st.lists(PARTS, min_size=1, max_size=5), st.dictionaries(PARTS, PARTS, max_size=3), PARTS | st.none())
def test_what_is_encoded_comes_back(segments: list[str], query: dict[str, str], fragment: str | None) -> None:
    encoded = {quote(key, safe=""): quote(value, safe="") for key, value in query.items()}
    text = "x+y.z-1://" + "/".join(quote(segment, safe="") for segment in segments)
    text += "?" * bool(query) + "&".join(f"{key}={value}" for key, value in encoded.items())
    text += "" if fragment is None else f"#{quote(fragment, safe='')}"
    if len(text) > MAX_REFERENCE_CHARACTERS:
        return
    reference = Reference(text)
    assert reference.segments == tuple(segments)
    assert reference.query == query
    assert fragment is None or decode_part(reference.fragment or "") == fragment


@given(st.text(max_size=60) | st.text("a1:/?#=&%.-20FC3Aé \n[@", max_size=40).map(lambda text: f"a://{text}"))
def test_any_text(text: str) -> None:
    """What passes is ASCII that a line of a log, a terminal or a shell takes for nothing else; its parts can be had."""
    try:
        reference = Reference(text)
    except FormatError:
        return
    assert text.isascii()
    assert text.isprintable()
    assert not set(text) & set(' "<>\\^`{|}')
    assert all(part.isprintable() for part in (*reference.segments, *reference.query, *reference.query.values()))
    assert "#" not in reference.without_fragment().text
    assert reference.text.startswith(f"{reference.scheme}://")
