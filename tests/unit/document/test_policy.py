"""What a domain's owners can demand, how it is spelt, and which of two demands is the weaker."""

from __future__ import annotations

from dataclasses import replace

import pytest
from samples import refused

from pocket_protector.crypto.encoding import lp
from pocket_protector.document.policy import Policy, parse_count, parse_days
from pocket_protector.errors import FormatError

STRICT = Policy(require_signed=True, max_age=30, min_owners=2)
POLICIES = [
    Policy(signed, age, count, production)
    for signed in (False, True)
    for age in (None, 1, 30)
    for count in (None, 1, 2)
    for production in (None, False, True)
]


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
        ("production", ["", "True", "FALSE", "yes", "no", "on", "0", "1", "true ", " false"]),
        ("min-owners", ["", "0", "00", "01", "-1", "+1", "1.0", "10000", "1 ", "one", "\u0661", "1\n"]),
    ],
)
def test_a_value_in_another_spelling(key: str, texts: list[str]) -> None:
    for text in texts:
        with refused(FormatError, key):
            Policy.parse({**STRICT.items(), key: text})


def test_production_is_said_or_denied() -> None:
    assert Policy(production=True).items() == {"production": "true"}
    assert Policy(production=False).items() == {"production": "false"}
    assert Policy.parse({"production": "false"}) == Policy(production=False) != Policy()


@pytest.mark.parametrize("production", [None, False])
def test_to_leave_production_is_weaker(production: bool | None) -> None:
    assert Policy(production=production).weaker_than(Policy(production=True)) == ["production"]
    assert Policy(production=True).weaker_than(Policy(production=production)) == []
    assert Policy(production=production).weaker_than(Policy(production=False)) == []
    assert Policy(production=production).weaker_than(Policy()) == []


def test_production_on_one_of_two_branches() -> None:
    def both(one: bool | None, other: bool | None) -> bool | None:
        return Policy(production=one).stricter(Policy(production=other)).production

    assert [both(True, other) for other in (True, False, None)] == [True, True, True]
    # What only one of them denies, is not denied by both.
    assert [both(False, other) for other in (True, False, None)] == [True, False, None]


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
            # To deny production demands nothing.
            kept = replace(both, production=one.production) if not both.production and not one.production else both
            assert (kept == one) == (not one.weaker_than(other))
            # Nothing that neither demands, and all that one does.
            demands = [{**policy.items()}.keys() for policy in (one, other)]
            denied = {"production"} if both.production is None else set()
            assert both.items().keys() == (demands[0] | demands[1]) - denied
