"""Sealing and opening packages, and what is refused."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from handed import (
    ALICE,
    API,
    BOB,
    CAROL,
    DAY,
    DEV,
    ENTRIES,
    FILE_ID,
    GATED,
    HIGH,
    MALLORY,
    NEVER,
    NOW,
    POINTER,
    Forged,
    anybody,
    opened,
    request,
    sealed,
    signed,
    taken_apart,
)

from pocket_protector import AccessError, FormatError, IntegrityError, PolicyError, PPError, Sensitivity, StoreError
from pocket_protector.crypto.aead import decrypt, derive_key
from pocket_protector.crypto.encoding import lp
from pocket_protector.crypto.identity import Identity
from pocket_protector.crypto.keys import key_id
from pocket_protector.crypto.sealing import open_sealed
from pocket_protector.document.exported import ExportedDomain, ExportedEntry
from pocket_protector.document.statements import Keys
from pocket_protector.packages import package_sealing
from pocket_protector.packages.armour import to_text
from pocket_protector.packages.contents import encode_open
from pocket_protector.packages.header import Gate, Header
from pocket_protector.packages.package_opening import SealedPackage
from pocket_protector.packages.package_sealing import seal_package
from pocket_protector.packages.token import Token
from pocket_protector.plugins.contract import ExporterContract

# The round trip


@pytest.mark.parametrize("gate", list(Gate))
@pytest.mark.parametrize("reader", [BOB, CAROL], ids=["first", "second"])
def test_each_recipient_opens_it(reader: Identity, gate: Gate) -> None:
    package, token = sealed(gate=gate)
    found = opened(package, reader)
    assert found.entries == (API, POINTER)
    assert [(told.name, told.sensitivity) for told in found.gated] == [
        ("db-password", Sensitivity.HIGH),
        ("signing-key", Sensitivity.INJECT_ONLY),
    ]
    assert found.opened_with(token) == GATED


def test_its_header_says_from_whom_and_until_when() -> None:
    header = SealedPackage.parse(sealed()[0]).header
    assert (header.sender, header.keys) == (ALICE.name, Keys(ALICE.public_key, ALICE.verify_key or b""))
    assert (header.created, header.expires) == ("2026-11-23T12:00:00Z", "2026-11-24T12:00:00Z")
    assert (header.domain, header.file_id, header.gate) == ("dev", FILE_ID, Gate.TOKEN)


@pytest.mark.parametrize("entries", [(), (API,), (HIGH,)], ids=["none", "open", "gated"])
def test_few_entries(entries: tuple[ExportedEntry, ...]) -> None:
    package, token = sealed(ExportedDomain(FILE_ID, "dev", None, entries))
    found = opened(package)
    assert (*found.entries, *found.opened_with(token)) == entries


def test_any_text_goes_through() -> None:
    values = enumerate(ExporterContract.values)
    entries = tuple(ExportedEntry(f"NAME_{at}", text.encode(), Sensitivity.MEDIUM) for at, text in values)
    package, _ = sealed(ExportedDomain(FILE_ID, "dev", None, entries))
    assert opened(package).entries == entries
    assert b"canary" not in package


def test_as_text_it_is_the_same() -> None:
    package, token = sealed()
    text = to_text(package)
    assert {len(line) for line in text.splitlines()[1:-2]} == {64}
    for pasted in (text, text.replace("\n", "\r\n"), f"\n\n  {text}  \n", text.replace("\n", " \n  ")):
        assert opened(pasted.encode()).opened_with(token) == GATED


def test_lengths_are_hidden_and_nothing_inside_can_be_read() -> None:
    def of(value: bytes) -> bytes:
        entry = ExportedEntry("a", value, Sensitivity.LOW)
        return sealed(ExportedDomain(FILE_ID, "dev", None, (entry,)))[0]

    assert len(of(b"tulip")) == len(of(b"tulip-2"))
    package, _ = sealed()
    assert not any(text in package for text in (b"tulip", b"API_KEY", b"azure-kv", b"inject-only"))
    assert "tulip" not in repr((opened(package), sealed(), request(), API))


# The gate


def test_without_the_token_the_gated_entries_cannot_be_had_by_a_recipient_with_a_client_of_their_own() -> None:
    """With the primitives themselves: all that the recipient's private key opens leads nowhere near them."""
    package, token = sealed()
    parsed = SealedPackage.parse(package)
    bound = parsed.header.hash()
    keys = {key_id(BOB.public_key): BOB.exchange}
    key = open_sealed(parsed.boxes[0], keys, package_sealing.RECIPIENT, package_sealing.place(bound, 0))
    assert parsed.human == ()
    # The key that the recipient has, and every key that can be derived from it without the token's 16 secret bytes.
    guesses = [key, derive_key(key, lp(package_sealing.OPEN, bound)), derive_key(key, lp(package_sealing.GATED, bound))]
    guesses += [
        derive_key(key, lp(package_sealing.TOKEN, secret, bound)) for secret in (b"", bytes(16), token.package_id)
    ]
    for guess in guesses:
        with pytest.raises(IntegrityError):
            decrypt(guess, parsed.gated_part, lp(package_sealing.GATED, bound))
        with pytest.raises(IntegrityError):
            decrypt(guess, parsed.token_part, lp(package_sealing.TOKEN, bound))
    # Nor is it in what the recipient's key opens.
    plain = decrypt(derive_key(key, lp(package_sealing.OPEN, bound)), parsed.open_part, lp(package_sealing.OPEN, bound))
    assert b"tulip-db" not in plain
    assert b"tulip-key" not in plain
    # The control: with the secret it is one derivation away.
    gate_key = decrypt(
        derive_key(key, lp(package_sealing.TOKEN, token.secret, bound)),
        parsed.token_part,
        lp(package_sealing.TOKEN, bound),
    )
    assert b"tulip-key" in decrypt(gate_key, parsed.gated_part, lp(package_sealing.GATED, bound))


def test_the_token_alone_opens_nothing() -> None:
    package, _ = sealed()
    with pytest.raises(AccessError, match="not for this key"):
        opened(package, MALLORY)


def test_a_person_may_do_without_the_token_only_where_the_sender_says_so() -> None:
    assert opened(sealed(gate=Gate.TOKEN_OR_HUMAN)[0], CAROL).opened_by_human() == GATED
    with pytest.raises(PolicyError, match="wants the token"):
        opened(sealed()[0]).opened_by_human()


def test_another_packages_token() -> None:
    package, token = sealed()
    with pytest.raises(AccessError, match="the token is of another package"):
        opened(package).opened_with(sealed()[1])
    with pytest.raises(AccessError, match="the token does not open the package"):
        opened(package).opened_with(Token(token.package_id, bytes(16)))


# The sender's rules


@pytest.mark.parametrize(("name", "production"), [("dev", True), ("prod", None), ("PR0D-eu", None), ("live", True)])
def test_production_is_not_sealed(name: str, production: bool | None) -> None:
    with pytest.raises(PolicyError, match="is production"):
        sealed(ExportedDomain(FILE_ID, name, production, ENTRIES))


def test_what_only_looks_like_production_is_if_the_policy_says_so() -> None:
    assert opened(sealed(ExportedDomain(FILE_ID, "live-demo", False, (API,)))[0]).entries == (API,)


@pytest.mark.parametrize("life", [timedelta(0), timedelta(days=-1), timedelta(days=30, seconds=1), timedelta.max])
def test_every_package_expires(life: timedelta) -> None:
    with pytest.raises(StoreError, match="lives for up to 30 days"):
        sealed(life=life)


@pytest.mark.parametrize("number", [0, 65])
def test_the_number_of_recipients(number: int) -> None:
    several = tuple(Identity.generate(str(n)).public_key for n in range(number))
    with pytest.raises(StoreError, match="1 to 64 recipients"):
        sealed(recipients=several)
    with pytest.raises(StoreError, match="none of them twice"):
        sealed(recipients=(BOB.public_key, BOB.public_key))


def test_a_package_has_an_end() -> None:
    big = tuple(ExportedEntry(f"a{n:02}", bytes(1024 * 1024), Sensitivity.LOW) for n in range(16))
    with pytest.raises(StoreError, match="more than 16777216 bytes"):
        sealed(ExportedDomain(FILE_ID, "dev", None, big))


@pytest.mark.parametrize("name", ["_x", "api^key", "[x]", "", "-x"])
def test_a_name_that_no_reader_takes_is_not_sealed(name: str) -> None:
    with pytest.raises(StoreError, match="cannot name a secret"):
        sealed(ExportedDomain(FILE_ID, "dev", None, (replace(API, name=name),)))


@pytest.mark.parametrize(
    "change", [lambda t: t.removeprefix("PPT1-"), lambda t: t.replace("P", "\u24c5", 1), lambda t: "PPT2" + t[4:]]
)
def test_texts_that_are_no_token(change: Callable[[str], str]) -> None:
    token = Token(bytes(range(16)), bytes(range(16)))
    assert Token.parse(token.text.lower()) == token
    with pytest.raises(FormatError, match="not a valid token"):
        Token.parse(change(token.text))


def test_who_cannot_sign_seals_nothing() -> None:
    legacy = Identity(ALICE.name, ALICE.exchange)
    with pytest.raises(AccessError):
        sealed(sender=legacy)


# What is checked, in which order


@pytest.mark.parametrize("late", [DAY, DAY * 400])
def test_expired(late: timedelta) -> None:
    with pytest.raises(PolicyError, match="the package expired at 2026-11-24T12:00:00Z"):
        opened(sealed()[0], now=NOW + late)
    assert opened(sealed()[0], now=NOW + DAY - timedelta(seconds=1))


def test_made_in_the_future() -> None:
    with pytest.raises(PolicyError, match="which is in the future"):
        opened(sealed()[0], now=NOW - timedelta(minutes=11))
    assert opened(sealed()[0], now=NOW - timedelta(minutes=9))


def test_the_order_of_the_checks() -> None:
    """Whatever else is wrong too: the sender, the signature, the time, the policy, the key."""
    header = SealedPackage.parse(sealed()[0]).header
    production = replace(header, domain="prod")
    package = Forged(production).package()

    def nobody(header: Header) -> None:
        raise AccessError(f"{header.sender} is nobody")

    def refused(package: bytes, known: object = anybody, now: object = NOW + DAY) -> str:
        with pytest.raises(PPError) as caught:
            SealedPackage.parse(package).check(known, now).open(MALLORY.exchange)  # type: ignore[arg-type]
        return str(caught.value)

    broken = package[:-1] + bytes([package[-1] ^ 1])
    assert "is nobody" in refused(broken, nobody)
    assert "signature does not match" in refused(broken)
    assert "expired" in refused(package)
    assert "is production" in refused(package, now=NOW)
    assert "not for this key" in refused(Forged(header).package(), now=NOW)


@pytest.mark.parametrize("production", [None, True])
def test_production_is_not_opened_whoever_sealed_it(production: bool | None) -> None:
    header = replace(SealedPackage.parse(sealed()[0]).header, domain="prod", production=production)
    with pytest.raises(PolicyError, match="is production"):
        opened(Forged(header).package())


# Edited by others


def edited(**parts: object) -> bytes:
    """A package with another header, and all else of it as it was."""
    package, _ = sealed()
    header, body, signature = taken_apart(package)
    raw = replace(Header.parse(header), **parts).encode()  # type: ignore[arg-type]
    return package_sealing.MAGIC + lp(raw) + body + signature


@pytest.mark.parametrize(
    "parts",
    [
        {"expires": "2026-12-20T12:00:00Z"},
        {"created": "2026-11-23T11:00:00Z"},
        {"domain": "staging"},
        {"production": False},
        {"gate": Gate.TOKEN},
        {"recipients": (CAROL.public_key, BOB.public_key)},
        {"sender": "bob@example.com"},
        {"package_id": bytes(16)},
        {"file_id": bytes(16)},
        {"keys": Keys(MALLORY.public_key, ALICE.verify_key or b"")},
        {"keys": Keys(ALICE.public_key, MALLORY.verify_key or b"")},
    ],
    ids=str,
)
def test_an_edited_header(parts: dict[str, object]) -> None:
    package = edited(**parts)
    if parts == {"gate": Gate.TOKEN}:
        assert opened(package).entries
        return
    with pytest.raises(IntegrityError, match="signature does not match"):
        opened(package)


def test_the_gate_edited() -> None:
    package, _ = sealed(gate=Gate.TOKEN_OR_HUMAN)
    header, body, signature = taken_apart(package)
    token_only = replace(Header.parse(header), gate=Gate.TOKEN).encode()
    with pytest.raises(FormatError, match="parts"):
        opened(package_sealing.MAGIC + lp(token_only) + body + signature)


@pytest.mark.parametrize("signer", [MALLORY, BOB])
def test_anothers_signature(signer: Identity) -> None:
    header, body, _ = taken_apart(sealed()[0])
    with pytest.raises(IntegrityError, match="signature does not match"):
        opened(signed(header, body, signer))
    with pytest.raises(IntegrityError, match="signature does not match"):
        opened(package_sealing.MAGIC + lp(header) + body + bytes(64))


def test_compartments_of_two_packages_mixed() -> None:
    """By somebody who may sign as the sender, or the signature would tell."""
    (one, token), (other, _) = sealed(), sealed()
    header, body, _ = taken_apart(one)
    parts, others = parts_of(body), parts_of(taken_apart(other)[1])
    assert opened(signed(header, body, ALICE), CAROL).opened_with(token) == GATED
    for at in range(len(parts)):
        mixed = lp(*parts[:at], others[at], *parts[at + 1 :])
        with pytest.raises(IntegrityError, match="signature does not match"):
            opened(package_sealing.MAGIC + lp(header) + mixed + one[-64:])
        with pytest.raises((IntegrityError, AccessError), match=r"does not open|another place"):
            opened(signed(header, mixed, ALICE), CAROL if at == 1 else BOB).opened_with(token)


@pytest.mark.parametrize("order", [(1, 0, 2, 3, 4), (0, 1, 3, 2, 4), (0, 1, 2, 4, 3), (0, 1, 4, 3, 2)])
def test_reordered(order: tuple[int, ...]) -> None:
    package, token = sealed()
    header, body, signature = taken_apart(package)
    parts = parts_of(body)
    moved = lp(*(parts[at] for at in order))
    with pytest.raises(IntegrityError, match="signature does not match"):
        opened(package_sealing.MAGIC + lp(header) + moved + signature)
    with pytest.raises((IntegrityError, AccessError), match=r"does not open|another place|not at hand"):
        opened(signed(header, moved, ALICE)).opened_with(token)


def parts_of(body: bytes) -> list[bytes]:
    parts = []
    while body:
        (length,) = struct.unpack(">I", body[:4])
        parts.append(body[4 : 4 + length])
        body = body[4 + length :]
    return parts


def test_every_cut_and_everything_behind_it_is_refused() -> None:
    package, _ = sealed(ExportedDomain(FILE_ID, "dev", None, (API,)))
    for end in range(len(package)):
        with pytest.raises((FormatError, IntegrityError)):
            opened(package[:end])
    for more in (b"\0", b"\n", bytes(4), lp(b""), package):
        with pytest.raises((FormatError, IntegrityError)):
            opened(package + more)


def test_one_bit_flipped_anywhere() -> None:
    package, token = sealed(ExportedDomain(FILE_ID, "dev", None, (API, HIGH)))
    for at in range(len(package)):
        for bit in (1 << at % 8, 0x80 >> at % 8):
            changed = package[:at] + bytes([package[at] ^ bit]) + package[at + 1 :]
            with pytest.raises((FormatError, IntegrityError)):
                opened(changed).opened_with(token)


def test_one_character_of_the_text_changed_anywhere() -> None:
    text = to_text(sealed(ExportedDomain(FILE_ID, "dev", None, (API,)))[0])
    for at, old in enumerate(text):
        new = "A" if old != "A" else "B"
        if old == "\n":
            continue
        with pytest.raises((FormatError, IntegrityError)):
            opened((text[:at] + new + text[at + 1 :]).encode())


@pytest.mark.parametrize(
    "raw", [b"", b"\n", b"pprotect-package", b"\xff\xfe", b"-----BEGIN PPROTECT PACKAGE-----\n" * 2]
)
def test_what_is_no_package(raw: bytes) -> None:
    with pytest.raises(FormatError):
        SealedPackage.parse(raw)


# Senders who broke the rules

HEADER = Header.parse(taken_apart(sealed()[0])[0])
LOWERED = replace(HIGH, sensitivity=Sensitivity.LOW)


@pytest.mark.parametrize(
    "forged",
    [
        Forged(HEADER, entries=(API, HIGH), gated=(NEVER,), told=(NEVER,)),
        Forged(HEADER, told=(HIGH,)),
        Forged(HEADER, gated=(HIGH,)),
        Forged(HEADER, told=(LOWERED, NEVER)),
        Forged(HEADER, gated=(LOWERED, NEVER)),
        Forged(HEADER, gated=(replace(HIGH, sensitivity=Sensitivity.INJECT_ONLY), NEVER)),
        Forged(HEADER, entries=(replace(API, name="db-password"),)),
        Forged(HEADER, entries=(POINTER, API)),
        Forged(HEADER, entries=(API, API)),
        Forged(HEADER, entries=(replace(API, name="../x"),)),
        Forged(HEADER, entries=(replace(API, name=""),)),
        Forged(HEADER, entries=(replace(API, content=b"\xff"),)),
        Forged(HEADER, entries=(replace(API, content=bytes(1024 * 1024 + 1)),)),
        Forged(HEADER, open_part=bytes(31)),
        Forged(HEADER, open_part=bytes(32)),
        Forged(HEADER, open_part=encode_open((API,), GATED) + bytes(32)),
        Forged(HEADER, recipient_key=b"k" * 31),
    ],
    ids=lambda forged: "",
)
def test_a_sender_who_broke_the_rules(forged: Forged) -> None:
    with pytest.raises(IntegrityError):
        opened(forged.package()).opened_with(Token(HEADER.package_id, b"t" * 16))


def test_the_control_of_these() -> None:
    assert opened(Forged(HEADER).package()).opened_with(Token(HEADER.package_id, b"t" * 16)) == GATED


@pytest.mark.parametrize(
    "parts",
    [
        {"expires": "2026-12-24T12:00:00Z"},
        {"expires": "2026-11-23T12:00:00Z"},
        {"expires": "tomorrow"},
        {"sender": ""},
        {"sender": "-x"},
        {"domain": "meta"},
        {"recipients": ()},
        {"recipients": (BOB.public_key,) * 2},
        {"recipients": (bytes(32),)},
        {"recipients": tuple(Identity.from_seed("x", bytes([n]) * 32).public_key for n in range(65))},
        {"keys": Keys(bytes(32), ALICE.verify_key or b"")},
        {"keys": Keys(ALICE.public_key, bytes(32))},
        {"package_id": bytes(15)},
    ],
    ids=str,
)
def test_headers_that_no_package_has(parts: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        replace(HEADER, **parts)  # type: ignore[arg-type]
    raw = lp(*header_fields(**parts))
    with pytest.raises(FormatError):
        Header.parse(raw)


def header_fields(**parts: object) -> list[bytes]:
    """A header's fields, those of `parts` put in without a check."""
    header = object.__new__(Header)
    for name in Header.__slots__:
        object.__setattr__(header, name, parts.get(name, getattr(HEADER, name)))
    return parts_of(header.encode())


@pytest.mark.parametrize(
    ("at", "field"), [(0, b"other"), (1, b"\2"), (8, b"yes"), (11, b"none"), (12, bytes(33)), (4, b"\xff")]
)
def test_fields_that_no_header_has(at: int, field: bytes) -> None:
    fields = parts_of(HEADER.encode())
    assert Header.parse(lp(*fields)) == HEADER
    fields[at] = field
    with pytest.raises(FormatError):
        Header.parse(lp(*fields))
    for other in (fields[:-1], [*fields, b""]):
        with pytest.raises(FormatError):
            Header.parse(lp(*other))


def test_lengths_that_lead_nowhere() -> None:
    package, _ = sealed()
    for at in (16, len(package) - 64 - 200):
        with pytest.raises((FormatError, IntegrityError)):
            opened(package[:at] + b"\xff\xff\xff\xff" + package[at + 4 :])


def test_seal_package_is_random() -> None:
    wanted = request()
    assert seal_package(DEV, wanted) != seal_package(DEV, wanted)
