"""What is signed: that each field counts, that no two statements have the same bytes, and who signed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations, permutations

import pytest

from pocket_protector.crypto.encoding import lp
from pocket_protector.crypto.identity import Identity
from pocket_protector.crypto.keys import digest, statement
from pocket_protector.document.custodian import KeyChange, key_chain, own_statement, proven_changes
from pocket_protector.document.domain import Secret
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.document.statements import (
    CHANGE,
    ENTRY,
    EPOCH,
    GRANT,
    Keys,
    Signed,
    Signer,
    change_fields,
    encode_list,
    encode_number,
    entry_fields,
    grant_fields,
    sign,
)

FILE = bytes(range(16))
TIME = "2026-11-22T10:00:00Z"
ALICE, BOB, NEW = (Identity.from_seed(name, bytes([at]) * 32) for at, name in enumerate(["alice", "bob", "alice"]))

Fields = tuple[bytes, ...]


def keys_of(identity: Identity) -> Keys:
    assert identity.verify_key is not None
    return Keys(identity.public_key, identity.verify_key)


SECRET = Secret(b"\1value", TIME)
ENTRY_ARGS = (FILE, "dev", ALICE.public_key, "api-key", SECRET.said())
GRANT_ARGS = (FILE, "dev", ALICE.public_key, "bob", keys_of(BOB), TIME)
CHANGE_ARGS = (FILE, "alice", keys_of(ALICE), keys_of(NEW), TIME)
OTHER: dict[type, object] = {
    bytes: bytes(32),
    str: "other",
    Keys: Keys(NEW.public_key, b""),
    tuple: (b"reference", b"a://b", b"", TIME.encode()),
}

MAKERS: list[tuple[bytes, Callable[..., Fields], tuple[object, ...]]] = [
    (ENTRY, entry_fields, ENTRY_ARGS),
    (GRANT, grant_fields, GRANT_ARGS),
    (CHANGE, change_fields, CHANGE_ARGS),
]


def others(make: Callable[..., Fields], arguments: tuple[object, ...]) -> Iterator[Fields]:
    """The fields with one argument changed, each in turn."""
    for at, argument in enumerate(arguments):
        yield make(*arguments[:at], OTHER[type(argument)], *arguments[at + 1 :])


# Encodings


def test_a_number_has_eight_bytes() -> None:
    assert encode_number(0) == bytes(8)
    assert encode_number(258) == bytes([0] * 6 + [1, 2])
    assert encode_number(10**18 - 1).hex() == "0de0b6b3a763ffff"


def test_a_list_is_sorted_and_counted() -> None:
    assert encode_list([]) == bytes(8)
    assert encode_list([b"b", b"a"]) == bytes([0] * 7 + [2]) + lp(b"a", b"b")
    for order in permutations([b"", b"a", b"ab", b"b"]):
        assert encode_list(order) == encode_list([b"", b"a", b"ab", b"b"])


def test_no_two_lists_have_the_same_bytes() -> None:
    items = [b"", b"a", b"aa", lp(b"a"), lp(b"a", b"a"), encode_list([]), encode_list([b"a"])]
    lists = [chosen for size in range(4) for chosen in combinations(items, size)]
    assert len({encode_list(chosen) for chosen in lists}) == len(lists)


@pytest.mark.parametrize(
    "names", [("dev", "api"), ("de", "vapi"), ("devapi", ""), ("", "devapi"), ("dev\0", "api"), ("d", "ev\0api")]
)
def test_names_cannot_be_cut_elsewhere(names: tuple[str, str]) -> None:
    said = SECRET.said()
    whole = {statement(ENTRY, *entry_fields(FILE, domain, bytes(32), name, said)) for domain, name in [names]}
    for domain, name in [("dev", "api"), ("de", "vapi"), ("devapi", "")]:
        same = (domain, name) == names
        assert (statement(ENTRY, *entry_fields(FILE, domain, bytes(32), name, said)) in whole) == same


# Kinds


def test_the_kinds_are_these() -> None:
    """Their labels are a part of every signature: none may ever change, and none be used twice."""
    kinds = [b"custodian", CHANGE, EPOCH, GRANT, ENTRY]
    assert kinds == [b"custodian", b"change", b"epoch", b"grant", b"entry"]
    assert statement(GRANT, b"x") == lp(b"pocket-protector/1/grant", b"x")
    assert own_statement("alice", keys_of(ALICE)) == lp(
        b"pocket-protector/1/custodian", b"alice", ALICE.public_key, keys_of(ALICE).verify_key
    )


def test_no_kind_takes_anothers_signature() -> None:
    for kind, make, arguments in MAKERS:
        signed = sign(ALICE, kind, make(*arguments))
        for other in (EPOCH, GRANT, ENTRY, CHANGE, b"custodian", b"", kind + b" "):
            assert signed.matches(other, make(*arguments)) == (other == kind)


def test_every_argument_counts() -> None:
    for kind, make, arguments in MAKERS:
        signed = sign(ALICE, kind, make(*arguments))
        assert signed.matches(kind, make(*arguments))
        changed = list(others(make, arguments))
        assert not [fields for fields in changed if signed.matches(kind, fields)]
        everything = [signed.statement(kind, fields) for fields in (make(*arguments), *changed)]
        assert len(set(everything)) == len(everything)


def test_fields_in_another_order_or_number_are_another_statement() -> None:
    for kind, make, arguments in MAKERS:
        fields = make(*arguments)
        signed = sign(ALICE, kind, fields)
        for wrong in (fields[::-1], fields[:-1], (*fields, b""), (fields[0] + fields[1], *fields[2:])):
            assert not signed.matches(kind, wrong)


def test_the_keys_of_a_grant_count_apart() -> None:
    signed = sign(ALICE, GRANT, grant_fields(*GRANT_ARGS))
    bob = keys_of(BOB)
    for wrong in (Keys(bob.verify_key, bob.public_key), Keys(bob.public_key, b""), Keys(bob.public_key, bytes(32))):
        assert not signed.matches(GRANT, grant_fields(*GRANT_ARGS[:4], wrong, TIME))


def test_an_entry_is_signed_by_the_hash_of_its_scalar() -> None:
    assert entry_fields(*ENTRY_ARGS)[4:] == (b"value", digest(b"\1value"), b"", TIME.encode())
    assert Secret(b"\0value", TIME).said()[1] != SECRET.said()[1]


def test_a_reference_is_signed_as_it_is_written() -> None:
    pointer = Secret(Reference("aws-sm://db%2Durl#a"), TIME, sensitivity=Sensitivity.INJECT_ONLY)
    assert pointer.said() == (b"reference", b"aws-sm://db%2Durl#a", b"inject-only", TIME.encode())


@pytest.mark.parametrize("value", [b"\1value", Reference("aws-sm://a")])
def test_every_sensitivity_is_another_statement(value: bytes | Reference) -> None:
    assert len({Secret(value, TIME, None, sensitivity).said() for sensitivity in Sensitivity}) == 4
    assert Secret(value, TIME, None, Sensitivity.MEDIUM).said() == Secret(value, TIME).said()


# Signers


def test_a_signature_ends_with_its_signer() -> None:
    signed = sign(ALICE, ENTRY, entry_fields(*ENTRY_ARGS))
    assert signed.by == Signer("alice", keys_of(ALICE).verify_key)
    assert signed.statement(ENTRY, (b"x",)) == statement(ENTRY, b"x", b"alice", keys_of(ALICE).verify_key)


@pytest.mark.parametrize(
    "by",
    [
        Signer("bob", keys_of(ALICE).verify_key),
        Signer("", keys_of(ALICE).verify_key),
        Signer("alice", keys_of(BOB).verify_key),
        Signer("alice", keys_of(NEW).verify_key),
        Signer("alice", bytes(32)),
        Signer("alice", (1).to_bytes(32, "little")),
        Signer("alice", b""),
    ],
)
def test_a_signature_under_another_name_or_key_does_not_match(by: Signer) -> None:
    signed = sign(ALICE, ENTRY, entry_fields(*ENTRY_ARGS))
    assert not replace(signed, by=by).matches(ENTRY, entry_fields(*ENTRY_ARGS))


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65), b"\xff" * 64])
def test_bytes_that_are_no_signature_do_not_match(signature: bytes) -> None:
    by = Signer("alice", keys_of(ALICE).verify_key)
    assert not Signed(by, signature).matches(ENTRY, entry_fields(*ENTRY_ARGS))


def test_a_signature_with_one_bit_changed_does_not_match() -> None:
    signed = sign(ALICE, ENTRY, entry_fields(*ENTRY_ARGS))
    for at in range(64):
        raw = bytearray(signed.signature)
        raw[at] ^= 1
        assert not replace(signed, signature=bytes(raw)).matches(ENTRY, entry_fields(*ENTRY_ARGS))


# Changes of keys


def change(old: Identity, new: Identity, file_id: bytes = FILE) -> KeyChange:
    message = change_fields(file_id, old.name, keys_of(old), keys_of(new), TIME)
    assert old.signing is not None
    assert new.signing is not None
    return KeyChange(keys_of(old), TIME, old.signing.sign(CHANGE, *message), new.signing.sign(CHANGE, *message))


LAST = Identity.from_seed("alice", b"\7" * 32)
CHAIN = (change(ALICE, NEW), change(NEW, LAST))


def test_a_chain_leads_back_to_the_first_keys() -> None:
    assert proven_changes(CHAIN, FILE, "alice", keys_of(LAST)) == (keys_of(ALICE), keys_of(NEW))
    assert proven_changes((), FILE, "alice", keys_of(LAST)) == ()


@pytest.mark.parametrize(
    ("changes", "proven"),
    [
        (CHAIN[1:], 1),
        (CHAIN[:1], 0),
        (CHAIN[::-1], 0),
        ((CHAIN[1], CHAIN[1]), 1),
        ((change(BOB, NEW), CHAIN[1]), 1),
        ((replace(CHAIN[0], by_old=CHAIN[0].by_new), CHAIN[1]), 1),
        ((replace(CHAIN[0], by_new=CHAIN[0].by_old), CHAIN[1]), 1),
        ((replace(CHAIN[0], time="2026-11-22T10:00:01Z"), CHAIN[1]), 1),
        ((CHAIN[0], replace(CHAIN[1], by_old=bytes(64))), 0),
        ((change(ALICE, NEW, bytes(16)), change(NEW, LAST, bytes(16))), 0),
    ],
    ids="later-only first-only other-order twice anothers by-new-only by-old-only time gap other-file".split(),
)
def test_a_chain_ends_at_the_first_fault(changes: tuple[KeyChange, ...], proven: int) -> None:
    assert len(proven_changes(changes, FILE, "alice", keys_of(LAST))) == proven


def test_a_chain_is_of_one_name() -> None:
    assert proven_changes(CHAIN, FILE, "alicf", keys_of(LAST)) == ()


def test_keys_that_cannot_sign_lead_nowhere() -> None:
    """Such as Pocket Protector's, or a new key that nobody has: one side's signature is not enough."""
    message = change_fields(FILE, "alice", Keys(BOB.public_key, b""), keys_of(LAST), TIME)
    assert LAST.signing is not None
    by_new = LAST.signing.sign(CHANGE, *message)
    alone = KeyChange(Keys(BOB.public_key, b""), TIME, by_new, by_new)
    assert proven_changes((alone,), FILE, "alice", keys_of(LAST)) == ()


def test_the_chain_of_a_custodian_ends_with_the_present_keys() -> None:
    from samples import ALICE as CREDS
    from samples import good, raw_key

    file = good()
    first = file.document.custodians[CREDS.name]
    changed = file.rekey_custodian(CREDS, type(CREDS)(CREDS.name, raw_key(1)), raw_key=True)
    last = changed.document.custodians[CREDS.name]
    assert key_chain(first, file.file_id) == (first.keys,)
    assert key_chain(last, file.file_id) == (first.keys, last.keys)
    assert key_chain(last, bytes(16)) == (last.keys,)
