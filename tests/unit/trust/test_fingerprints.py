"""Fingerprints as people type them."""

from __future__ import annotations

import pytest
from samples import ALICE, BOB, KeyFile, refused

from pocket_protector import StoreError
from pocket_protector.trust.fingerprints import is_fingerprint, to_hex, to_words

RAW = bytes(range(7, 39))


def test_words_cover_every_bit_of_sixteen_bytes() -> None:
    assert to_words(bytes(32)) == "-".join(["babab"] * 8)
    assert to_words(b"\xff" * 32) == "-".join(["zuzuz"] * 8)
    words = {to_words((1 << bit).to_bytes(16, "big") + bytes(16)) for bit in range(128)}
    assert len(words) == 128
    for number in range(0, 1 << 16, 257):
        assert len(to_words(number.to_bytes(2, "big") * 16).split("-")[0]) == 5


def test_two_words_are_never_the_same() -> None:
    """Each of the 65,536 has its own."""
    assert len({to_words(number.to_bytes(2, "big") + bytes(30))[:5] for number in range(1 << 16)}) == 1 << 16


@pytest.mark.parametrize("form", ["words", "hex"])
@pytest.mark.parametrize(
    "spelled",
    [
        pytest.param(lambda text: text, id="as-it-is"),
        pytest.param(str.upper, id="upper"),
        pytest.param(lambda text: f"  {text}\n", id="spaces-around"),
    ],
)
def test_spellings(form: str, spelled: object) -> None:
    text = to_words(RAW) if form == "words" else to_hex(RAW)
    assert is_fingerprint(spelled(text), RAW)  # type: ignore[operator]
    other = bytes([RAW[0] ^ 1]) + RAW[1:]
    assert not is_fingerprint(spelled(text), other)  # type: ignore[operator]


def test_separators() -> None:
    digits, words = to_hex(RAW), to_words(RAW)
    assert is_fingerprint(":".join(digits[at : at + 2] for at in range(0, 64, 2)), RAW)
    assert is_fingerprint(" ".join(digits[at : at + 8] for at in range(0, 64, 8)), RAW)
    assert is_fingerprint(words.replace("-", " "), RAW)
    assert is_fingerprint(words.replace("-", " - "), RAW)


def test_words_are_the_first_sixteen_bytes_and_digits_are_all() -> None:
    other = RAW[:16] + bytes(16)
    assert is_fingerprint(to_words(RAW), other)
    assert not is_fingerprint(to_hex(RAW), other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-",
        to_hex(RAW)[:-1],
        to_hex(RAW) + "0",
        to_hex(RAW)[:32],
        to_hex(RAW)[:-1] + "g",
        "0x" + to_hex(RAW)[2:],
        to_hex(RAW)[:-1] + "\u0663",
        "-".join(to_words(RAW).split("-")[:7]),
        to_words(RAW) + "-babab",
        to_words(RAW).replace("b", "c", 1),
        to_words(RAW)[:-1],
        to_words(RAW) + "b",
        to_words(RAW).replace("-", ""),
        to_words(RAW).replace("-", "_"),
        "x" * 100_000,
    ],
)
def test_what_is_no_fingerprint(text: str) -> None:
    with refused(StoreError) as caught:
        is_fingerprint(text, RAW)
    assert "is no fingerprint" in caught.value.message
    assert len(caught.value.message) < 250
    assert "pprotect fingerprint" in caught.value.hint


def test_a_fingerprint_is_of_name_and_keys() -> None:
    file = KeyFile.create("x").add_raw_key_custodian(ALICE).add_raw_key_custodian(BOB)
    again = file.set_key_custodian_passphrase(ALICE, BOB.passphrase, raw_key=True)
    other = KeyFile.create("x").add_raw_key_custodian(ALICE)
    assert file.get_fingerprint(ALICE.name) != file.get_fingerprint(BOB.name)
    assert again.get_fingerprint(ALICE.name) == file.get_fingerprint(ALICE.name)
    assert other.get_fingerprint(ALICE.name) != file.get_fingerprint(ALICE.name)
