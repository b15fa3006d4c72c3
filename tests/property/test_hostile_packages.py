"""Whatever somebody is sent as a package, a token or a key: it is taken, or refused with an error of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from handed import BOB, NOW, anybody, opened, sealed
from hypothesis import given
from hypothesis import strategies as st

from pocket_protector import PPError
from pocket_protector.crypto.encoding import lp
from pocket_protector.crypto.key_slots import RawKeySlot
from pocket_protector.packages.armour import to_text
from pocket_protector.packages.header import Header
from pocket_protector.packages.keys.private_key import identity_line, parse_identity
from pocket_protector.packages.keys.public_key import PublicKey, parse_recipient
from pocket_protector.packages.package_opening import SealedPackage
from pocket_protector.packages.token import Token

PACKAGE, TOKEN = sealed()
TEXTS = (
    to_text(PACKAGE),
    TOKEN.text,
    PublicKey.from_identity(BOB).text,
    identity_line(BOB, None),
    identity_line(BOB, RawKeySlot(b"\xb2" * 32)),
    "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj\n",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE7x2qM5o0kq0hJg9x7Yv3Qm8v2l7d1x0x6sC9J0gq3b c\n",
)


def open_whatever(raw: bytes) -> None:
    SealedPackage.parse(raw).check(anybody, NOW).open(BOB.exchange).opened_with(TOKEN)


def text(raw: bytes) -> str:
    return raw.decode(errors="replace")


PARSERS: list[Callable[[bytes], Any]] = [
    open_whatever,
    Header.parse,
    lambda raw: Token.parse(text(raw)),
    lambda raw: PublicKey.parse(text(raw)),
    lambda raw: parse_recipient(text(raw)),
    lambda raw: parse_identity(raw, lambda: "P" + "00" * 32 + "P"),
]


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """Something genuine, of which a few pieces are cut out, doubled or overwritten."""
    raw = draw(st.sampled_from([PACKAGE, Header.encode(opened(PACKAGE).package.header), *map(str.encode, TEXTS)]))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(raw)))
        end = draw(st.integers(start, min(len(raw), start + 80)))
        raw = raw[:start] + draw(st.binary(max_size=40) | st.just(raw[start:end] * 2)) + raw[end:]
    return raw


@pytest.mark.parametrize("parse", PARSERS)
@given(raw=st.binary(max_size=400) | changed() | st.lists(st.binary(max_size=40), max_size=14).map(lambda p: lp(*p)))
def test_it_is_taken_or_refused(parse: Callable[[bytes], Any], raw: bytes) -> None:
    try:
        parse(raw)
    except PPError as error:
        assert str(error)  # noqa: PT017
