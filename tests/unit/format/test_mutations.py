"""One fault each in a good file of format 1: refused with the right class, path and line."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from samples import GOOD, copy_block, cut, find, get, insert, parse, put, refused, rename

from pocket_protector import FormatError, IntegrityError, PPError

A, B = "alice@example.com", "bob@example.com"
VALUE = ("dev", "secret-api-key", "value")
UPDATED = ("dev", "secret-api-key", "updated")
WRAPPED = ("dev", "meta", "owners", A, "wrapped-key")
GRANTED = ("dev", "meta", "owners", A, "granted")
DOMAIN_KEY = ("dev", "meta", "public-key")
RETIRED = ("dev", "meta", "retired")
CUSTODIAN = ("key-custodians", A)

Change = Callable[[str], str]


def scalar(*keys: str, to: str) -> Change:
    return lambda text: put(text, to, *keys)


def raw(*keys: str, change: Callable[[bytes], bytes]) -> Change:
    """Change the bytes behind the base64."""
    return lambda text: put(text, base64.b64encode(change(base64.b64decode(get(text, *keys)))).decode(), *keys)


def swap(old: str, new: str) -> Change:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


def without(*keys: str) -> Change:
    return lambda text: cut(text, *keys)


def renamed(*keys: str, to: str) -> Change:
    return lambda text: rename(text, to, *keys)


def line_before(*keys: str, new: str) -> Change:
    return lambda text: insert(text, find(text, *keys), new)


def twice(*keys: str) -> Change:
    return lambda text: insert(text, find(text, *keys), *copy_block(text, *keys))


def relabel(version: int) -> Callable[[bytes], bytes]:
    return lambda data: bytes([version]) + data[1:]


def flip(at: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def key_of(coordinate: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:1] + coordinate.to_bytes(32, "little")


P = 2**255 - 19
LOW_ORDER = 39382357235489614581723060781553021112529911719440698176882885853963445705823
RETIRED_ID = GOOD.splitlines()[7].strip().removesuffix(":")
SEALED = ("dev", "meta", "retired", RETIRED_ID, "private-key")
OWNER = f"dev.meta.owners.{A}"
IN_CUSTODIAN = f"key-custodians.{A}"

MUTATIONS: dict[str, tuple[Change, type[PPError], str, int]] = {
    # The file's own meta
    "format 2": (scalar("meta", "format", to="2"), FormatError, "meta.format", 2),
    "format 01": (scalar("meta", "format", to="01"), FormatError, "meta.format", 2),
    "format 0": (scalar("meta", "format", to="0"), FormatError, "meta.format", 2),
    "format empty": (scalar("meta", "format", to=""), FormatError, "meta.format", 2),
    "no format": (without("meta", "format"), FormatError, "meta", 1),
    "no file id": (without("meta", "file-id"), FormatError, "meta", 1),
    "short file id": (raw("meta", "file-id", change=lambda d: d[:-1]), FormatError, "meta.file-id", 3),
    "long file id": (raw("meta", "file-id", change=lambda d: d + b"x"), FormatError, "meta.file-id", 3),
    "file id of version 2": (raw("meta", "file-id", change=relabel(2)), FormatError, "meta.file-id", 3),
    "unknown key in meta": (line_before("meta", "file-id", new="  owner: me"), FormatError, "meta.owner", 3),
    "meta is a list": (swap("meta:\n  format: 1\n", "meta:\n- format\nx-old:\n"), FormatError, "meta", 1),
    "no meta": (without("meta"), FormatError, "key-custodians.alice@example.com.public-key", 33),
    # Top level
    "no custodians": (without("key-custodians"), FormatError, "", 1),
    "no audit log": (without("audit-log"), FormatError, "", 1),
    "domain named meta-x": (renamed("prod", to="meta-x"), FormatError, "meta-x", 23),
    "domain named with a control character": (renamed("prod", to='"pr\\u0007od"'), FormatError, "pr\x07od", 23),
    "domain twice": (renamed("prod", to="dev"), FormatError, "dev", 23),
    "domain is a text": (line_before("key-custodians", new="staging: nothing"), FormatError, "staging", 34),
    "domain name not in NFC": (renamed("prod", to="cafe\u0301"), FormatError, "cafe\u0301", 23),
    "domain name ends in a space": (renamed("prod", to="'prod '"), FormatError, "prod ", 23),
    # A domain's meta
    "no domain meta": (without("dev", "meta"), FormatError, "dev", 4),
    "no public key": (without(*DOMAIN_KEY), FormatError, "dev.meta", 5),
    "no owners": (without("prod", "meta", "owners"), FormatError, "prod.meta", 24),
    "owners empty": (
        lambda text: put(cut(text, "prod", "meta", "owners", B), "{}", "prod", "meta", "owners"),
        FormatError,
        "prod.meta.owners",
        27,
    ),
    "unknown key in domain meta": (line_before(*DOMAIN_KEY, new="    size: 1"), FormatError, "dev.meta.size", 6),
    "unknown key in a domain": (line_before("dev", "secret-api-key", new="  note: a"), FormatError, "dev.note", 17),
    "domain key of version 2": (raw(*DOMAIN_KEY, change=relabel(2)), FormatError, "dev.meta.public-key", 6),
    "domain key short": (raw(*DOMAIN_KEY, change=lambda d: d[:-1]), FormatError, "dev.meta.public-key", 6),
    "domain key zero": (raw(*DOMAIN_KEY, change=key_of(0)), FormatError, "dev.meta.public-key", 6),
    "domain key one": (raw(*DOMAIN_KEY, change=key_of(1)), FormatError, "dev.meta.public-key", 6),
    "domain key of order 8": (raw(*DOMAIN_KEY, change=key_of(LOW_ORDER)), FormatError, "dev.meta.public-key", 6),
    "domain key not canonical": (raw(*DOMAIN_KEY, change=key_of(P + 9)), FormatError, "dev.meta.public-key", 6),
    "domain key with its high bit": (
        raw(*DOMAIN_KEY, change=lambda d: d[:-1] + bytes([d[-1] | 128])),
        FormatError,
        "dev.meta.public-key",
        6,
    ),
    "retired is a text": (
        lambda text: put(cut(text, *RETIRED, RETIRED_ID), "none", *RETIRED),
        FormatError,
        "dev.meta.retired",
        7,
    ),
    "retired id short": (renamed(*RETIRED, RETIRED_ID, to="AQID"), FormatError, "dev.meta.retired.AQID", 8),
    "retired id no base64": (renamed(*RETIRED, RETIRED_ID, to="old"), FormatError, "dev.meta.retired.old", 8),
    "retired key of version 0": (raw(*SEALED, change=relabel(0)), FormatError, ".".join(SEALED), 9),
    "retired key short": (raw(*SEALED, change=lambda d: d[:88]), FormatError, ".".join(SEALED), 9),
    "retired without key": (swap("        private-key:", "        x-key:"), FormatError, ".".join(SEALED[:-1]), 8),
    # Owners
    "grant is a text": (
        lambda text: put(cut(cut(text, *WRAPPED), *GRANTED), "yes", *WRAPPED[:-1]),
        FormatError,
        OWNER,
        11,
    ),
    "grant without key": (without(*WRAPPED), FormatError, OWNER, 11),
    "grant without time": (without(*GRANTED), FormatError, OWNER, 11),
    "grant with unknown key": (line_before(*GRANTED, new="        by: me"), FormatError, f"{OWNER}.by", 13),
    "grant's time invalid": (scalar(*GRANTED, to="2026-02-30T00:00:00Z"), FormatError, f"{OWNER}.granted", 13),
    "owner twice": (renamed("dev", "meta", "owners", B, to=A), FormatError, A, 14),
    "wrapped key short": (raw(*WRAPPED, change=lambda d: d[:88]), FormatError, f"{OWNER}.wrapped-key", 12),
    "wrapped key of version 9": (raw(*WRAPPED, change=relabel(9)), FormatError, f"{OWNER}.wrapped-key", 12),
    "wrapped key of version 0": (raw(*WRAPPED, change=relabel(0)), IntegrityError, OWNER, 11),
    "owner with a control character": (
        renamed(*WRAPPED[:-1], to='"a\\u0001"'),
        FormatError,
        "dev.meta.owners.a\x01",
        11,
    ),
    # Secrets
    "value of version 2": (raw(*VALUE, change=relabel(2)), FormatError, "dev.secret-api-key.value", 18),
    "value of version 0": (raw(*VALUE, change=relabel(0)), IntegrityError, "dev.secret-api-key", 17),
    "value short": (raw(*VALUE, change=lambda d: d[:88]), FormatError, "dev.secret-api-key.value", 18),
    "value empty": (scalar(*VALUE, to="''"), FormatError, "dev.secret-api-key.value", 18),
    "value not base64": (scalar(*VALUE, to="AQ-_"), FormatError, "dev.secret-api-key.value", 18),
    "value with stray bits": (
        lambda text: text.replace(get(text, "meta", "file-id"), get(text, "meta", "file-id")[:-2] + "Z="),
        FormatError,
        "meta.file-id",
        3,
    ),
    "value without padding": (
        lambda text: put(text, get(text, "meta", "file-id").rstrip("="), "meta", "file-id"),
        FormatError,
        "meta.file-id",
        3,
    ),
    "value is a list": (scalar(*VALUE, to="[a]"), FormatError, "dev.secret-api-key.value", 18),
    "value is a mapping": (scalar(*VALUE, to="{a: b}"), FormatError, "dev.secret-api-key.value", 18),
    "no value": (without(*VALUE), FormatError, "dev.secret-api-key", 17),
    "no time": (without(*UPDATED), FormatError, "dev.secret-api-key", 17),
    "unknown key in a secret": (line_before(*UPDATED, new="    by: me"), FormatError, "dev.secret-api-key.by", 19),
    "secret is a text": (
        line_before("dev", "secret-api-key", new="  secret-a: AQ=="),
        FormatError,
        "dev.secret-a",
        17,
    ),
    "secret twice": (renamed("dev", "secret-db-password", to="secret-api-key"), FormatError, "secret-api-key", 20),
    "secret without a name": (renamed("dev", "secret-api-key", to="secret-"), FormatError, "dev.secret-", 17),
    "secret named by a digit": (renamed("dev", "secret-api-key", to="secret-1"), FormatError, "dev.secret-1", 17),
    "secret named with a dot": (renamed("dev", "secret-api-key", to="secret-a.b"), FormatError, "dev.secret-a.b", 17),
    "secret named upstream's way": (renamed("dev", "secret-api-key", to="secret-a^"), FormatError, "dev.secret-a^", 17),
    "time with an offset": (scalar(*UPDATED, to="2026-11-22T10:00:00+00:00"), FormatError, ".".join(UPDATED), 19),
    "time with a fraction": (scalar(*UPDATED, to="2026-11-22T10:00:00.0Z"), FormatError, ".".join(UPDATED), 19),
    "time as a week date": (scalar(*UPDATED, to="2026-W47-7T09:59:00Z"), FormatError, ".".join(UPDATED), 19),
    "time in basic form": (scalar(*UPDATED, to="2026-11-22T095900.0Z"), FormatError, ".".join(UPDATED), 19),
    "time of a 25th hour": (scalar(*UPDATED, to="2026-11-22T25:00:00Z"), FormatError, ".".join(UPDATED), 19),
    "time empty": (scalar(*UPDATED, to=""), FormatError, ".".join(UPDATED), 19),
    # Custodians
    "custodian is a text": (
        line_before("key-custodians", B, new="  zoe: AQ=="),
        FormatError,
        "key-custodians.zoe",
        40,
    ),
    "custodian with unknown key": (
        line_before(*CUSTODIAN, "signature", new="    pass: a"),
        FormatError,
        f"{IN_CUSTODIAN}.pass",
        39,
    ),
    "custodian of both formats": (
        line_before(*CUSTODIAN, "signature", new="    pwdkm: AA=="),
        FormatError,
        f"{IN_CUSTODIAN}.public-key",
        36,
    ),
    "custodian without verify key": (without(*CUSTODIAN, "verify-key"), FormatError, IN_CUSTODIAN, 35),
    "custodian without signature": (without(*CUSTODIAN, "signature"), FormatError, IN_CUSTODIAN, 35),
    "custodian without private key": (without(*CUSTODIAN, "encrypted-private-key"), FormatError, IN_CUSTODIAN, 35),
    "custodian renamed": (
        renamed(*CUSTODIAN, to="mallory"),
        IntegrityError,
        "key-custodians.mallory.signature",
        39,
    ),
    "custodian's public key another's": (
        lambda text: put(text, get(text, "key-custodians", B, "public-key"), *CUSTODIAN, "public-key"),
        IntegrityError,
        f"{IN_CUSTODIAN}.signature",
        39,
    ),
    "custodian's verify key another's": (
        lambda text: put(text, get(text, "key-custodians", B, "verify-key"), *CUSTODIAN, "verify-key"),
        IntegrityError,
        f"{IN_CUSTODIAN}.signature",
        39,
    ),
    "custodian's signature damaged": (
        raw(*CUSTODIAN, "signature", change=flip(20)),
        IntegrityError,
        f"{IN_CUSTODIAN}.signature",
        39,
    ),
    "custodian's signature short": (
        raw(*CUSTODIAN, "signature", change=lambda d: d[:-1]),
        FormatError,
        f"{IN_CUSTODIAN}.signature",
        39,
    ),
    "custodian's public key zero": (
        raw(*CUSTODIAN, "public-key", change=key_of(0)),
        FormatError,
        f"{IN_CUSTODIAN}.public-key",
        36,
    ),
    "custodian's public key of version 0": (
        raw(*CUSTODIAN, "public-key", change=relabel(0)),
        FormatError,
        f"{IN_CUSTODIAN}.public-key",
        36,
    ),
    "custodian's verify key of small order": (
        raw(*CUSTODIAN, "verify-key", change=key_of(1)),
        FormatError,
        f"{IN_CUSTODIAN}.verify-key",
        37,
    ),
    "private key wrapped in an unknown way": (
        raw(*CUSTODIAN, "encrypted-private-key", change=lambda d: d[:1] + b"\x09" + d[2:]),
        FormatError,
        f"{IN_CUSTODIAN}.encrypted-private-key",
        38,
    ),
    "private key short": (
        raw(*CUSTODIAN, "encrypted-private-key", change=lambda d: d[:-1]),
        FormatError,
        f"{IN_CUSTODIAN}.encrypted-private-key",
        38,
    ),
    "KDF memory over the cap": (
        raw("key-custodians", "carol@example.com", "encrypted-private-key", change=lambda d: d[:6] + b"\xff" + d[7:]),
        FormatError,
        "key-custodians.carol@example.com.encrypted-private-key",
        48,
    ),
    "KDF passes zero": (
        raw("key-custodians", "carol@example.com", "encrypted-private-key", change=lambda d: d[:2] + bytes(4) + d[6:]),
        FormatError,
        "key-custodians.carol@example.com.encrypted-private-key",
        48,
    ),
    # Audit log
    "log is a list": (swap("audit-log:\n", "audit-log: []\nx-log:\n"), FormatError, "audit-log", 50),
    "log section unknown": (
        renamed("audit-log", "domain/dev", to="domains/dev"),
        FormatError,
        "audit-log.domains/dev",
        57,
    ),
    "log section with a part missing": (
        renamed("audit-log", "secret/dev/api-key", to="secret/api-key"),
        FormatError,
        "audit-log.secret/api-key",
        66,
    ),
    "log section not canonical": (
        renamed("audit-log", "domain/dev", to="domain/d%65v"),
        FormatError,
        "audit-log.domain/d%65v",
        57,
    ),
    "log section empty": (swap("  file:\n", "  file: []\n  x-old:\n"), FormatError, "audit-log.file", 62),
    "log section twice": (renamed("audit-log", "domain/prod", to="domain/dev"), FormatError, "domain/dev", 60),
    "log entry without time": (swap("Z -- created\n", "Z created\n"), FormatError, "audit-log.file", 62),
    "log entry without text": (swap("Z -- created\n", "Z -- \n"), FormatError, "audit-log.file", 62),
    "log entry of another time": (swap("Z -- created\n", "+ -- created\n"), FormatError, "audit-log.file", 62),
    "log entry is a mapping": (swap("Z -- created\n", "Z -- a: b\n"), FormatError, "audit-log.file", 62),
    # YAML
    "tab for indentation": (swap("  format", "\tformat"), FormatError, "", 2),
    "alias": (scalar(*VALUE, to="*a"), FormatError, "", 18),
    "anchor": (scalar(*VALUE, to="&a AQ=="), FormatError, "", 18),
    "tag": (scalar(*VALUE, to="!!binary AQ=="), FormatError, "", 18),
    "tag on a mapping": (scalar("prod", "meta", to="!!map"), FormatError, "", 24),
    "anchor on a mapping": (scalar("prod", "meta", to="&m"), FormatError, "", 24),
    "merge key": (line_before("prod", "meta", new="  <<: {}"), FormatError, "<<", 24),
    "key is a list": (line_before("prod", new="[a]: b"), FormatError, "", 23),
    "second document": (line_before("prod", new="---"), FormatError, "", 23),
    "directive": (line_before("meta", new="%YAML 1.1\n---"), FormatError, "", 1),
    "conflict marker": (line_before("prod", new="<<<<<<< HEAD"), FormatError, "", 23),
    "NUL": (swap("  format: 1", "  format: 1\0"), FormatError, "", 0),
    "control character": (swap("  format: 1", "  format: 1\x08"), FormatError, "", 0),
    "unclosed quote": (scalar(*UPDATED, to="'2026"), FormatError, "", 72),
    "unclosed flow": (scalar("prod", "meta", "retired", to="{"), FormatError, "", 28),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_fault_is_refused(name: str) -> None:
    change, kind, path, line = MUTATIONS[name]
    mutated = change(GOOD)
    assert mutated != GOOD
    with refused(kind, path, line):
        parse(mutated)


def test_the_good_file_is_good() -> None:
    assert parse(GOOD).get_domain_names() == ["dev", "prod"]
    assert len(MUTATIONS) >= 60
