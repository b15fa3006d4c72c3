"""What a domain's owners can demand, how it is spelt, and which of two demands is the weaker."""

from __future__ import annotations

import pytest
from samples import refused

from pocket_protector.crypto.encoding import lp
from pocket_protector.errors import FormatError
from pocket_protector.model.policy import Policy, parse_count, parse_days

STRICT = Policy(require_signed=True, max_age=30, min_owners=2)
POLICIES = [Policy(signed, age, count) for signed in (False, True) for age in (None, 1, 30) for count in (None, 1, 2)]


@pytest.mark.parametrize("policy", [*POLICIES, Policy(True, 99999, 9999)])
def test_it_is_read_as_it_is_written(policy: Policy) -> None:
    assert Policy.parse(policy.items()) == policy
    assert list(policy.items()) == sorted(policy.items())


def test_what_is_not_demanded_is_not_written() -> None:
    assert Policy().items() == {}
    assert STRICT.items() == {"max-age": "30d", "min-owners": "2", "require-signed": "true"}


@pytest.mark.parametrize("key", ["", "require_signed", "Require-Signed", "min-age", "x-note", "require-signed "])
def test_an_unknown_demand_is_refused_and_not_ignored(key: str) -> None:
    with refused(FormatError, key) as caught:
        Policy.parse({**STRICT.items(), key: "true"})
    assert "upgrade" in caught.value.hint


@pytest.mark.parametrize(
    ("key", "texts"),
    [
        ("require-signed", ["", "false", "True", "TRUE", "yes", "1", "true "]),
        (
            "max-age",
            ["", "d", "0d", "00d", "01d", "-1d", "+1d", "1", "1D", "1 d", "1.0d", "1d1d", "100000d", "\u0661d"],
        ),
        ("min-owners", ["", "0", "00", "01", "-1", "+1", "1.0", "10000", "1 ", "one", "\u0661", "1\n"]),
    ],
)
def test_a_value_in_another_spelling(key: str, texts: list[str]) -> None:
    for text in texts:
        with refused(FormatError, key):
            Policy.parse({**STRICT.items(), key: text})


def test_the_numbers_that_options_take() -> None:
    assert (parse_days("1d"), parse_days("99999d"), parse_count("1"), parse_count("9999")) == (1, 99999, 1, 9999)


def test_no_two_policies_give_the_same_field() -> None:
    assert len({policy.encode() for policy in POLICIES}) == len(POLICIES)


def test_the_field_is_a_list_of_pairs() -> None:
    assert Policy().encode() == bytes(8)
    pairs = [lp(b"max-age", b"30d"), lp(b"min-owners", b"2"), lp(b"require-signed", b"true")]
    assert STRICT.encode() == bytes([0] * 7 + [3]) + lp(*pairs)


@pytest.mark.parametrize(
    ("policy", "weaker"),
    [
        (STRICT, []),
        (Policy(True, 29, 3), []),
        (Policy(), ["require-signed", "max-age", "min-owners"]),
        (Policy(False, 30, 2), ["require-signed"]),
        (Policy(True, None, 2), ["max-age"]),
        (Policy(True, 31, 2), ["max-age"]),
        (Policy(True, 30, None), ["min-owners"]),
        (Policy(True, 30, 1), ["min-owners"]),
        (Policy(True, 1, 1), ["min-owners"]),
    ],
)
def test_what_is_weaker_than_before(policy: Policy, weaker: list[str]) -> None:
    assert policy.weaker_than(STRICT) == weaker
    assert policy.weaker_than(Policy()) == []


def test_both_demands_together_are_weaker_than_neither() -> None:
    for one in POLICIES:
        for other in POLICIES:
            both = one.stricter(other)
            assert both == other.stricter(one)
            assert not both.weaker_than(one)
            assert not both.weaker_than(other)
            assert (both == one) == (not one.weaker_than(other))
            # Nothing that neither demands.
            assert set(both.items()) == set(one.items()) | set(other.items())
