"""Any one byte of a file changed: refused, or harmless; never another value, never a traceback."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from samples import ALICE, BOB, assert_shows_no_secret, make

from pocket_protector import KeyFile, PPError
from pocket_protector.format.file import load

VALUES = {"a": "tulip one", "b": "tulip two"}


def small() -> bytes:
    """A domain with two owners, two secrets and a retired key."""
    file = make().rm_domain("prod").rm_key_custodian("carol@example.com")
    for name in ("api-key", "db-password"):
        file = file.rm_secret("dev", name)
    for name, value in VALUES.items():
        file = file.add_secret("dev", name, value)
    return file.truncate_audit_log(3).get_contents().encode()


FILE = small()


def check(changed: bytes) -> int:
    """How many of the two owners still read the domain, which then holds what it held."""
    try:
        file = KeyFile.from_contents_and_path(load(changed).text, "protected.yaml")
    except PPError as error:
        assert_shows_no_secret(error)
        return 0
    readers = 0
    for creds in (ALICE, BOB):
        try:
            values = file.decrypt_domain("dev", creds)
        except PPError as error:
            assert_shows_no_secret(error)
        else:
            assert values == VALUES
            readers += 1
    return readers


def replacements(old: int) -> set[int]:
    """Every flip of one bit, and bytes that mean something to YAML, or to nobody."""
    return {old ^ (1 << bit) for bit in range(8)} | set(b"A= \n#:-\"'x\0\x80\xff") - {old}


@pytest.mark.parametrize("part", range(16))
def test_one_byte_changed(part: int) -> None:
    readers = [
        check(FILE[:at] + bytes([new]) + FILE[at + 1 :])
        for at in range(part, len(FILE), 16)
        for new in replacements(FILE[at])
    ]
    assert len(readers) > 16 * len(FILE) / 16
    assert 0 < sum(readers) < len(readers)


@pytest.mark.parametrize(
    "change",
    [lambda at: FILE[:at] + FILE[at + 1 :], lambda at: FILE[: at + 1] + FILE[at:], lambda at: FILE[:at]],
    ids=["taken out", "doubled", "cut off"],
)
def test_one_byte_more_or_less(change: Callable[[int], bytes]) -> None:
    readers = [check(change(at)) for at in range(len(FILE))]
    assert sum(readers) < len(readers)


def test_the_file_is_good() -> None:
    assert check(FILE) == 2
    assert b"private-key: " in FILE.split(b"    owners:")[0]
