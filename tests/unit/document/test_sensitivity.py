"""Sensitivities, and which domains look like production."""

from __future__ import annotations

import pytest
from samples import refused

from pocket_protector.document.domain import Secret
from pocket_protector.document.names import looks_like_production
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import FormatError

TIME, LATER = "2026-11-22T10:00:00Z", "2026-11-22T10:00:01Z"
URI = Reference("aws-sm://prod%2Fdb?version-stage=A#b")


def test_their_order_and_their_words() -> None:
    assert [level.word for level in sorted(Sensitivity)] == ["low", "medium", "high", "inject-only"]
    assert [Sensitivity.parse(level.word) for level in Sensitivity] == list(Sensitivity)
    assert [level.encode() for level in Sensitivity] == [b"low", b"", b"high", b"inject-only"]


@pytest.mark.parametrize("word", ["", "Low", "LOW", "inject_only", "INJECT_ONLY", "high ", "none", "1", "medium\n"])
def test_another_word(word: str) -> None:
    with refused(FormatError) as caught:
        Sensitivity.parse(word)
    assert "low, medium, high, inject-only" in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        *("prod", "production", "PROD", "Production", "prod-eu", "eu-prod", "eu_prod_2", "prod2", "my.Production2"),
        *(
            "myProd",
            "webProdEU",
            "PRODEU",
            "euprod",
            "webproduction",
            "pr\u00f6d",
            "pr0d",
            "PR0DUCTI0N",
            "prd",
            "PRD-1",
        ),
        *("pr\ufe0fod", "pr\u034fod", "pr\u115fod", "PRO-D", "produ\u0441tion", "li\u03bde", "p-rod", "pr.od"),
        *("P-ROD", "pro_d", "Pro-Duction", "\u043f\u0440\u043e\u0434\u0430\u043a\u0448\u043d", "\u751f\u4ea7"),
        *("pr0duct10n", "PR\u00d8D", "\u0420R\u041eD", "Produktiv", "produktion-2"),
        *(
            "live",
            "live1",
            "web-live",
            "\uff30\uff32\uff2f\uff24",
            "pro\u0301d",
            "prod.example.com",
            "prod/eu",
            "not-dev-prod",
        ),
    ],
)
def test_what_looks_like_production(name: str) -> None:
    assert looks_like_production(name)


@pytest.mark.parametrize(
    "name",
    [
        *("dev", "staging", "test", "qa", "", "product", "products", "product-catalogue", "producer", "productivity"),
        *("preprod", "pre-prod", "PreProd", "pre_production", "preproduction", "nonprod", "non-prod", "NonProd"),
        *("no-prod", "not-production", "notprod", "reproduction", "reprod", "deliver", "delivery", "lively", "oliver"),
        *("produktivit\u00e4t", "l1vely", "p1"),
        *("pr", "rod", "pord"),
    ],
)
def test_what_does_not(name: str) -> None:
    assert not looks_like_production(name)


# Entries


def test_no_two_versions_of_an_entry_are_the_same() -> None:
    values = [Secret(b"\1" + bytes(88), TIME), Secret(b"\1" + bytes(87) + b"\1", TIME)]
    pointers = [Secret(URI, TIME), Secret(URI, LATER), Secret(URI.without_fragment(), TIME)]
    versions = [secret.version for secret in (*values, *pointers)]
    assert len(set(versions)) == 5
    # The same sealed bytes are the same version, whatever time stands beside them.
    assert Secret(values[0].value, LATER).version == values[0].version
    assert Secret(URI, TIME, sensitivity=Sensitivity.HIGH).version == Secret(URI, TIME).version


def test_a_value_that_reads_like_a_reference_is_another_statement() -> None:
    pointer, value = Secret(URI, TIME), Secret(URI.text.encode(), TIME)
    assert pointer.said() == (b"reference", URI.text.encode(), b"", TIME.encode())
    assert value.said()[0] == b"value"
    assert not set(pointer.said()[:2]) & set(value.said()[:2])


def test_what_an_entry_is_sealed_for() -> None:
    assert Secret(b"\1" + bytes(range(88)), TIME).sealed_for == bytes(range(8))
    assert Secret(b"\0" + bytes(88), TIME).sealed_for is None
    assert Secret(URI, TIME).sealed_for is None
    assert Secret(URI, TIME).bound
    assert not Secret(b"\0" + bytes(88), TIME).bound
