"""A pin as bytes: what was written is read again, and anything else is damage."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from samples import ALICE, BOB, DAVE, parse, raw_key, refused

from pocket_protector import Creds, KeyFile, StoreError
from pocket_protector.document.document import without
from pocket_protector.format.loaded_file import dump
from pocket_protector.trust.judge.state import State
from pocket_protector.trust.memory_hashes import grant_hash
from pocket_protector.user.pin_format import decode_pin, encode_pin


@cache
def pinned() -> tuple[str, State]:
    """A file's text, and a state with something in each part of its memory."""
    file = KeyFile.create("protected.yaml")
    for creds in (ALICE, BOB, DAVE):
        file = file.add_raw_key_custodian(creds)
    file = file.add_domain("dev", ALICE.name, creds=ALICE).add_domain("gone", ALICE.name, creds=ALICE)
    file = file.add_secret("dev", "api", "one ☃", creds=ALICE).add_owner("dev", BOB.name, ALICE)
    versions = [parse(file.get_contents())]
    for change in (
        lambda f: f.rotate_domain_key("dev", ALICE),
        lambda f: f.update_secret("dev", "api", "two", creds=ALICE),
        lambda f: f.rm_owner("dev", BOB.name, ALICE),
        lambda f: f.rm_key_custodian(BOB.name).rm_domain("gone"),
        lambda f: f.rekey_custodian(DAVE, Creds(DAVE.name, raw_key(0xD5)), raw_key=True),
    ):
        versions.append(parse(change(versions[-1]).get_contents()))
    state = None
    for version in versions:
        _, state = version.authorize(state)
    assert state is not None
    memory = state.memory
    assert memory.gone
    assert memory.owners
    assert memory.seen
    assert memory.epochs
    assert memory.custodians
    assert memory.keys
    return versions[-1].get_contents(), state


@cache
def good() -> bytes:
    text, state = pinned()
    return encode_pin(text, state.memory)


def test_round_trip() -> None:
    text, state = pinned()
    read_text, read = decode_pin(good())
    assert read_text == text
    assert read.memory == state.memory
    assert read.document == parse(text).document
    assert {name: s.owners.counting for name, s in read.authorities.items()} == {
        name: s.owners.counting for name, s in state.authorities.items()
    }
    assert encode_pin(text, read.memory) == good()


def test_a_pin_is_judged_as_the_state_that_was_pinned() -> None:
    """What was removed stays known: here an owner who is put back."""
    text, state = pinned()
    old = parse(text)
    back = old.add_raw_key_custodian(Creds(BOB.name, raw_key(0xB9)))
    for known in (state, decode_pin(good())[1]):
        found, _ = back.authorize(known)
        assert [(f.code, f.where) for f in found if f.severity.label == "violation"] == [
            ("custodian-replaced", ("custodian", BOB.name))
        ]


@pytest.mark.parametrize("at", range(0, 20))
def test_one_byte_less(at: int) -> None:
    """At the start, at the end and between: a pin that was cut."""
    raw = good()
    for size in (at, len(raw) - 2 - at, at * len(raw) // 20):
        with refused(StoreError):
            decode_pin(raw[:size])


def test_bytes_behind() -> None:
    with refused(StoreError):
        decode_pin(good() + b"{}")


def _content() -> dict[str, Any]:
    return json.loads(good())


def _pin(content: object) -> bytes:
    return json.dumps(content).encode() + b"\n"


def test_the_damages_below_are_of_a_good_pin() -> None:
    decode_pin(_pin(_content()))


@pytest.mark.parametrize("key", ["gone", "epochs", "custodians", "keys", "owners", "seen", "text"])
@pytest.mark.parametrize("value", [None, 1, True, "x", [1], [[1]], {"a": 1}, {"dev": ["?"]}, {"dev": [1]}, ["AA"]])
def test_wrong_types(key: str, value: object) -> None:
    with refused(StoreError):
        decode_pin(_pin(_content() | {key: value}))


@pytest.mark.parametrize("key", ["gone", "epochs", "custodians", "keys", "owners", "seen", "text"])
def test_a_part_is_missing(key: str) -> None:
    content = _content()
    del content[key]
    with refused(StoreError):
        decode_pin(_pin(content))


def _no_file(content: dict[str, Any]) -> None:
    content["text"] = "- not a file\n"


def _half_character(content: dict[str, Any]) -> None:
    content["text"] = "\ud800"


def _not_base64(content: dict[str, Any]) -> None:
    content["gone"][0] = content["gone"][0][:-1] + "!"


@pytest.mark.parametrize("damage", [_no_file, _half_character, _not_base64])
def test_other_damage(damage: Callable[[dict[str, Any]], None]) -> None:
    content = _content()
    damage(content)
    with refused(StoreError):
        decode_pin(_pin(content))


@pytest.mark.parametrize("part", ["gone", "epochs", "keys", "owners", "seen"])
def test_a_hash_or_key_that_was_cut(part: str) -> None:
    def cut(node: Any) -> Any:
        if isinstance(node, str):
            return base64.b64encode(base64.b64decode(node)[:-1]).decode()
        return {name: cut(item) for name, item in node.items()} if isinstance(node, dict) else [*map(cut, node)]

    with refused(StoreError):
        decode_pin(_pin(_content() | {part: cut(_content()[part])}))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"\0" * 1000,
        b"\xff" * 1000,
        b"pprotect-pin 1 " + b"0" * 64 + b"\n" + b"{}",
        b"{}",
    ],
)
def test_what_is_no_pin(raw: bytes) -> None:
    with refused(StoreError):
        decode_pin(raw)


@pytest.mark.parametrize("content", [b"[]", b"1", b"null", b'"text"', b"[" * 100_000, b"1" * 10_000, b"{", b"\xff"])
def test_other_json(content: bytes) -> None:
    with refused(StoreError):
        decode_pin(content)


def test_a_huge_text_is_damage_too() -> None:
    with refused(StoreError):
        decode_pin(_pin(_content() | {"text": "#" * 20_000_000}))


@pytest.mark.parametrize("size", [0, 1, 31, 33, 63, 65, 96])
def test_custodians_keys_of_no_length(size: int) -> None:
    keys = {BOB.name: [base64.b64encode(bytes(size)).decode()]}
    with refused(StoreError):
        decode_pin(_pin(_content() | {"custodians": keys}))


# Pins of version 1


def _of_version_1(state: State, text: str, **parts: Any) -> bytes:
    """As version 1 wrote it: with the last keys of custodians who are gone, and what its log told."""
    content = _content() | {"missed": [], "truncated": [], "elsewhere": {}, "gone": [], "text": text}
    present = parse(text).document.custodians
    content["custodians"] = {name: keys for name, keys in content["custodians"].items() if name not in present}
    del content["owners"], content["seen"]
    return _pin(content | parts)


def test_a_pin_of_version_1_goes_on_protecting() -> None:
    text, state = pinned()
    _, read = decode_pin(_of_version_1(state, text), 1)
    assert read.document == state.document
    assert read.memory.epochs == state.memory.epochs
    assert read.memory.owners
    old = parse(text)
    assert not [f for f in old.authorize(read)[0] if f.is_violation]
    back = old.add_raw_key_custodian(Creds(BOB.name, raw_key(0xB9)))
    found, _ = back.authorize(read)
    assert [(f.code, f.where) for f in found if f.is_violation] == [("custodian-replaced", ("custodian", BOB.name))]


def test_a_domain_of_another_branch_in_a_pin_of_version_1() -> None:
    """It stood there alone in a document, with its owners."""
    file = KeyFile.create("protected.yaml").add_raw_key_custodian(ALICE)
    file = parse(
        file.add_domain("dev", ALICE.name, creds=ALICE).add_domain("on", ALICE.name, creds=ALICE).get_contents()
    )
    rotated = parse(file.rotate_domain_key("on", ALICE).get_contents())
    main = parse(rotated.rm_domain("on").get_contents())
    alone = parse(rotated.rm_domain("dev").get_contents()).get_contents()
    _, state = main.authorize(None)
    raw = _of_version_1(state, main.get_contents(), elsewhere={"on": alone}, custodians={}, epochs={}, keys={})
    _, read = decode_pin(raw, 1)
    assert not [f for f in rotated.authorize(read)[0] if f.is_violation]
    assert [(f.code, f.where) for f in file.authorize(read)[0] if f.is_violation] == [
        ("domain-behind", ("domain", "on"))
    ]


def test_an_owner_whom_an_earlier_version_removed_does_not_come_back() -> None:
    """Without a rotation: the pin of version 1 knew the grant that was taken out."""
    file = KeyFile.create("protected.yaml").add_raw_key_custodian(ALICE).add_raw_key_custodian(BOB)
    file = parse(file.add_domain("dev", ALICE.name, creds=ALICE).add_owner("dev", BOB.name, ALICE).get_contents())
    dev = file.document.domains["dev"]
    signed = dev.owners[BOB.name].signed
    assert signed is not None
    left = parse(dump(file.document.with_domain(replace(dev, owners=without(dev.owners, BOB.name)))).text)
    gone = [base64.b64encode(grant_hash(signed)).decode()]
    parts = {"gone": gone, "custodians": {}, "epochs": {}, "keys": {}}
    _, read = decode_pin(_of_version_1(left.authorize(None)[1], left.get_contents(), **parts), 1)
    assert [(f.code, f.where) for f in file.authorize(read)[0] if f.is_violation] == [
        ("owner-behind", ("owner", "dev", BOB.name))
    ]


@pytest.mark.parametrize("elsewhere", [None, [], "x", {"on": 1}, {"on": "- no file\n"}, {"other": good}])
def test_a_damaged_pin_of_version_1(elsewhere: Any) -> None:
    text, state = pinned()
    if elsewhere == {"other": good}:
        elsewhere = {"other": text}
    with refused(StoreError):
        decode_pin(_of_version_1(state, text, elsewhere=elsewhere), 1)


@pytest.mark.parametrize("version", [1, 2])
def test_a_pin_that_says_it_is_of_the_other_version(version: int) -> None:
    text, state = pinned()
    with refused(StoreError):
        decode_pin(good() if version == 1 else _of_version_1(state, text), version)
