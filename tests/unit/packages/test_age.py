"""Keys of age: Bech32, what kinds are taken, and identity files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import refused

from pocket_protector import FormatError
from pocket_protector.crypto.keys import key_id
from pocket_protector.crypto.sealing import SECRET, open_sealed, seal
from pocket_protector.packages.keys import age_key
from pocket_protector.packages.keys.age_key import parse_age_identity, parse_age_recipient

# Made by age-keygen 1.3.2, with what it wrote around them; the last is that of the specification, of 32 times 0x42.
PAIRS = {
    "age1mkml6yr5r28fauxz3rm507s48uhhrejmvft6dmt0ynxc8kjhs43s52djjk": (
        "AGE-SECRET-KEY-1GUPCGE3JKUE57GUSHLZLW5YFJ2N4X6L5Z2VZ50GDZZRUE4J089USDN66GP"
    ),
    "age1lfqhdr3fwg9cuzqjvqz542qcnnxevzslwj6r473u4hxw06e2ry9qfqcttc": (
        "AGE-SECRET-KEY-149Y0YTNEGUSD2ZGFM09GM4T8UUPU5SZNJGX8RD5PR2U9ANWYWEAS08C5MA"
    ),
    "age1j08nmw8h734rl99nufzlv7fdz42pac25d4hfn6naghc5g24e33gqq48v6p": (
        "AGE-SECRET-KEY-15QF406FXELVZ0YDNQ063XYZDAJX4PC8PGX07LL94WV0XFNC0JZ9S0PP7PA"
    ),
    "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj": (
        "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
    ),
}
RECIPIENT, IDENTITY = next(iter(PAIRS.items()))
FILE = f"# created: 2026-11-23T09:40:16Z\n# public key: {RECIPIENT}\n{IDENTITY}\n"
PQ_IDENTITY = "AGE-SECRET-KEY-PQ-15MRVTJPRHGGFEDRHY8NZ979RDTKV22Q0JE6TLS4WR5K8CMADGGSS7TWQVA"

# Of BIP-173, "Test vectors".
VALID_BECH32 = {
    "A12UEL5L": "a",
    "a12uel5l": "a",
    "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs": (
        "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio"
    ),
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw": "abcdef",
    "11" + "q" * 82 + "c8247j": "1",
    "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w": "split",
    "?1ezyfcl": "?",
}
INVALID_BECH32 = {
    "\x201nwldj5": "characters outside of Bech32",
    "\x7f1axkwrx": "characters outside of Bech32",
    "\x801eym55h": "characters outside of Bech32",
    "an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569pvx": "too long",
    "pzry9x0s0muk": "not Bech32",
    "1pzry9x0s0muk": "not Bech32",
    "x1b4n0q5v": "not Bech32",
    "li1dgmt3": "not Bech32",
    "de1lg7wt\xff": "characters outside of Bech32",
    "A1G7SGD8": "checksum",
    "10a06t8": "not Bech32",
    "1qzzfhee": "not Bech32",
}


def encode(readable: str, groups: list[int]) -> str:
    """Bech32 with a right checksum."""
    rest = age_key._checksum([*age_key._expanded(readable), *groups, 0, 0, 0, 0, 0, 0]) ^ 1
    checksum = [rest >> shift & 31 for shift in range(25, -1, -5)]
    return readable + "1" + "".join(age_key._ALPHABET[group] for group in [*groups, *checksum])


def regroup(raw: bytes, padding: int = 0) -> list[int]:
    """Bytes in groups of 5 bits, the last one filled up with the low bits of `padding`."""
    missing = -len(raw) * 8 % 5
    bits = int.from_bytes(raw, "big") << missing | padding
    count = (len(raw) * 8 + missing) // 5
    return [bits >> 5 * (count - 1 - at) & 31 for at in range(count)]


@pytest.mark.parametrize(("recipient", "identity"), PAIRS.items())
def test_a_pair_of_age_keygen(recipient: str, identity: str) -> None:
    public_key, key = parse_age_recipient(recipient), parse_age_identity(identity)
    assert key.public == public_key
    sealed = seal(public_key, SECRET, (), b"tulip")
    assert open_sealed(sealed, {key_id(key.public): key}, SECRET, ()) == b"tulip"
    assert encode("age", regroup(public_key)) == recipient
    assert encode("age-secret-key-", regroup(key.raw)).upper() == identity


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_one_line_end_and_either_case(end: str) -> None:
    assert parse_age_recipient(RECIPIENT + end) == parse_age_recipient(RECIPIENT.upper() + end)
    assert parse_age_identity(IDENTITY + end).raw == parse_age_identity(IDENTITY.lower() + end).raw


@pytest.mark.parametrize(("text", "readable"), VALID_BECH32.items())
def test_valid_bech32(text: str, readable: str) -> None:
    found, groups = age_key._decode(text)
    assert found == readable
    assert encode(found, groups) == text.lower()
    with refused(FormatError) as caught:
        parse_age_recipient(text)
    assert "must begin with age1" in str(caught.value)


@pytest.mark.parametrize(("text", "why"), INVALID_BECH32.items())
def test_invalid_bech32(text: str, why: str) -> None:
    for parse in (age_key._decode, parse_age_recipient, parse_age_identity):
        with refused(FormatError) as caught:
            parse(text)
        assert why in str(caught.value)


def test_every_change_of_a_character_is_refused() -> None:
    """Of its case too: then it is mixed."""
    for at, character in enumerate(RECIPIENT):
        for other in map(chr, range(0x21, 0x7F)):
            if other != character:
                with refused(FormatError):
                    parse_age_recipient(RECIPIENT[:at] + other + RECIPIENT[at + 1 :])


@given(st.integers(0, len(IDENTITY) - 1), st.characters())
def test_any_change_of_an_identity_is_refused(at: int, other: str) -> None:
    if other != IDENTITY[at]:
        with refused(FormatError) as caught:
            parse_age_identity(IDENTITY[:at] + other + IDENTITY[at + 1 :])
        assert IDENTITY[20:30] not in f"{caught.value} {caught.value.hint}"


@given(st.text(max_size=100))
def test_any_text_is_refused(text: str) -> None:
    for parse in (parse_age_recipient, parse_age_identity):
        with refused(FormatError):
            parse(text)


@pytest.mark.parametrize(
    "text",
    [
        RECIPIENT[:-1] + RECIPIENT[-1].upper(),
        "A" + RECIPIENT[1:],
        "AGE1" + RECIPIENT[4:],
        "age1" + RECIPIENT[4:].upper(),
    ],
)
def test_mixed_case_is_refused(text: str) -> None:
    with refused(FormatError) as caught:
        parse_age_recipient(text)
    assert "mixes upper and lower case" in str(caught.value)


@pytest.mark.parametrize("look", ["\u212a", "\uff4b"])
def test_what_only_becomes_ascii_is_refused(look: str) -> None:
    """The Kelvin sign's lower case is k."""
    assert RECIPIENT.endswith("k")
    with refused(FormatError) as caught:
        parse_age_recipient(RECIPIENT[:-1] + look)
    assert "characters outside of Bech32" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        *(space + RECIPIENT for space in (" ", "\t", "\n", "\ufeff")),
        *(
            RECIPIENT + space
            for space in (" ", "\t", "\r", "\n\n", "\r\n\n", "\n\r\n", "\x0b", "\x85", "\u2028", " \n")
        ),
        RECIPIENT[:30] + " " + RECIPIENT[30:],
    ],
    ids=ascii,
)
def test_white_space_is_refused(text: str) -> None:
    with refused(FormatError) as caught:
        parse_age_recipient(text)
    assert "characters outside of Bech32" in str(caught.value)


@pytest.mark.parametrize("length", [0, 1, 16, 31, 33, 40])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    for text, parse in (
        (encode("age", regroup(b"\1" * length)), parse_age_recipient),
        (encode("age-secret-key-", regroup(b"\1" * length)), parse_age_identity),
    ):
        with refused(FormatError) as caught:
            parse(text)
        assert "not have exactly 32 bytes" in str(caught.value)


def test_groups_too_many_are_refused() -> None:
    with refused(FormatError) as caught:
        parse_age_recipient(encode("age", [*regroup(parse_age_recipient(RECIPIENT)), 0]))
    assert "not have exactly 32 bytes" in str(caught.value)


@pytest.mark.parametrize("padding", range(1, 16))
def test_stray_bits_are_refused(padding: int) -> None:
    public_key, key = parse_age_recipient(RECIPIENT), parse_age_identity(IDENTITY)
    for text, parse in (
        (encode("age", regroup(public_key, padding)), parse_age_recipient),
        (encode("age-secret-key-", regroup(key.raw, padding)).upper(), parse_age_identity),
    ):
        with refused(FormatError) as caught:
            parse(text)
        assert "stray bits" in str(caught.value)


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (0, "low order"),
        (1, "low order"),
        (2**255 - 20, "low order"),
        (2**255 - 19, "canonical"),
        (1 << 255, "canonical"),
    ],
)
def test_a_public_key_that_format_1_refuses_is_refused(number: int, why: str) -> None:
    with refused(FormatError) as caught:
        parse_age_recipient(encode("age", regroup(number.to_bytes(32, "little"))))
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (encode("age1pq", regroup(bytes(1216))), "post-quantum"),
        (encode("age1pq", regroup(bytes(1216))).upper(), "post-quantum"),
        (encode("age1tagpq", regroup(bytes(1249))), "post-quantum"),
        (encode("age1tag", regroup(bytes(33))), "plugin or a hardware key"),
        (encode("age1yubikey", regroup(bytes(33))), "plugin or a hardware key"),
        (encode("age1yubikey", regroup(b"\1" * 32)), "plugin or a hardware key"),
        ("age1pq1" + "q" * 9000, "at most 8192 characters"),
        (encode("ag", regroup(b"\1" * 32)), "must begin with age1"),
        (encode("agee", regroup(b"\1" * 32)), "must begin with age1"),
        ("", "not Bech32"),
        ("\n", "not Bech32"),
        ("age1", "not Bech32"),
        (RECIPIENT[:-6], "checksum"),
        (RECIPIENT + "q", "checksum"),
        (RECIPIENT * 2, "plugin or a hardware key"),
        (RECIPIENT + "," + RECIPIENT[4:], "too long"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIClNc+MJO1fgZOX/3qh9IAty3YeOiPRvjv28c7/jSYME bob", "outside of Bech32"),
    ],
)
def test_another_kind_of_recipient_is_refused(text: str, why: str) -> None:
    with refused(FormatError) as caught:
        parse_age_recipient(text)
    assert why in str(caught.value)


@pytest.mark.parametrize("text", [IDENTITY, IDENTITY.lower(), PQ_IDENTITY, "AGE-PLUGIN-YUBIKEY-1QQPSYQGZQ"])
def test_a_secret_key_is_no_recipient(text: str) -> None:
    with refused(FormatError) as caught:
        parse_age_recipient(text)
    assert "this is a secret key" in str(caught.value)
    assert "age-keygen -y" in caught.value.hint
    assert text[-20:] not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "text",
    [
        FILE,
        FILE.replace("\n", "\r\n"),
        FILE.rstrip("\n"),
        f"\n\n{FILE}\n\n",
        f"#{IDENTITY}\n{IDENTITY}\n# the end",
        f"{IDENTITY}\n#" + "x" * 60000,
    ],
)
def test_an_identity_file(text: str) -> None:
    assert parse_age_identity(text).public == parse_age_recipient(RECIPIENT)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "has no key"),
        ("\n\r\n\n", "has no key"),
        (f"# public key: {RECIPIENT}\n", "has no key"),
        (f"# {IDENTITY}\n", "has no key"),
        (FILE + FILE, "more than one key"),
        (f"{IDENTITY}\n" + list(PAIRS.values())[1], "more than one key"),
        (f"{IDENTITY}\n{PQ_IDENTITY}\n", "more than one key"),
        (f"{IDENTITY}\nx", "more than one key"),
        (f"{IDENTITY}\n\t", "more than one key"),
        (f"{IDENTITY}\r\r\n", "outside of Bech32"),
        (f" {IDENTITY}", "outside of Bech32"),
        (f"{IDENTITY} ", "outside of Bech32"),
        (f"{IDENTITY} # mine", "outside of Bech32"),
        (f" # mine\n{IDENTITY}", "more than one key"),
        (f"\ufeff{IDENTITY}", "outside of Bech32"),
        (IDENTITY.title(), "mixes upper and lower case"),
        (IDENTITY[:-1], "checksum"),
        (RECIPIENT, "must begin with age-secret-key-1"),
        (encode("age-secret-ke", regroup(b"\1" * 32)), "must begin with age-secret-key-1"),
        (PQ_IDENTITY, "post-quantum"),
        (encode("age-plugin-yubikey-", regroup(b"\1" * 32)).upper(), "a plugin of age"),
        (encode("age-plugin-yubikey-", regroup(b"\1" * 100)).upper(), "a plugin of age"),
        ("age-encryption.org/v1\n-> scrypt bBjlhJVYZeE4aqUdmtRHfw 15\nZV/AhotwSGqaPCU43cepl4WYUouAa17a\n", "encrypted"),
        ("-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n", "encrypted"),
        (FILE + "#" * 65536, "at most 65536 characters"),
    ],
    ids=lambda value: ascii(value[:40]),
)
def test_another_identity_file_is_refused(text: str, why: str) -> None:
    with refused(FormatError) as caught:
        parse_age_identity(text)
    assert why in str(caught.value)
    assert IDENTITY[20:30] not in f"{caught.value} {caught.value.hint}"


def test_a_secret_key_is_not_shown() -> None:
    key = parse_age_identity(FILE)
    assert key.raw.hex() not in f"{key!r}{key!s}"
