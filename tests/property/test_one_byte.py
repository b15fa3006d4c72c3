"""Any one byte of a file changed: refused, or harmless; never another value, never a traceback. Another reference is
one that nobody signed, and so is another sensitivity."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from samples import ALICE, BOB, assert_shows_no_secret, make

from pocket_protector import KeyFile, PPError
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.format.loaded_file import load
from pocket_protector.trust.authority import EntryStatus

VALUES = {"a": "tulip one", "b": "tulip two"}
REFERENCE = Reference("aws-sm://eu-west-1/tulip%2Fdb?version-stage=A#b")


def small() -> bytes:
    """A domain with two owners, two secrets, a reference of high sensitivity that is signed, and a retired key."""
    file = make().rm_domain("prod").rm_key_custodian("carol@example.com")
    for name in ("api-key", "db-password"):
        file = file.rm_secret("dev", name)
    for name, value in VALUES.items():
        file = file.add_secret("dev", name, value)
    file = file.add_secret("dev", "c", REFERENCE, creds=ALICE, sensitivity=Sensitivity.HIGH)
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
            values = file.decrypt_domain("dev", creds, resolve=False)
        except PPError as error:
            assert_shows_no_secret(error)
        else:
            pointers = {name: values.pop(name) for name in file.get_references("dev")}
            assert values == VALUES
            for name, text in pointers.items():
                if file.authority("dev").entries[name] is EntryStatus.REVIEWED:
                    level = file.get_secret_sensitivity("dev", name)
                    assert (name, text, level) == ("c", REFERENCE.text, Sensitivity.HIGH)
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
    assert load(FILE).document.domains["dev"].secrets["c"].value == REFERENCE
    assert b"private-key: " in FILE.split(b"    owners:")[0]
