"""One fault each in a file of Pocket Protector's own format: refused with the right class, path and line."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from samples import VECTORS, parse, refused

from pocket_protector import Creds, FormatError, IntegrityError, PPError

TEXT = (VECTORS / "upstream" / "v1-v2-mixed.yaml").read_text(encoding="utf-8")
LINES = TEXT.splitlines()
CI = Creds("ci", "P00000000000000001819dd875648ba442dc4d5b0a7b357ab65ec075042ebaf61P")
EMPTY = LINES[1].split(": ")[1]
DEV_KEY = next(line for line in LINES if "public-key" in line).split(": ")[1]
CI_PWDKM = LINES[LINES.index("  ci:") + 1].split(": ")[1]
FAST_PWDKM = LINES[LINES.index("  fast@example.com:") + 1].split(": ")[1]

KEY_AT, CUSTODIANS_AT, LOG_AT = 12, LINES.index("key-custodians:") + 1, LINES.index("audit-log:") + 1


def recoded(text: str, change: Callable[[bytes], bytes]) -> str:
    return base64.b64encode(change(base64.b64decode(text))).decode()


MUTATIONS: dict[str, tuple[str, str, type[PPError], str, int]] = {
    "value of version 1": (EMPTY, recoded(EMPTY, lambda d: b"\1" + d[1:]), FormatError, "dev.secret-EMPTY", 2),
    "value short": (EMPTY, recoded(EMPTY, lambda d: d[:48]), FormatError, "dev.secret-EMPTY", 2),
    "value not base64": (EMPTY, "AA=A", FormatError, "dev.secret-EMPTY", 2),
    "value is a mapping": (EMPTY, "{value: AA}", FormatError, "dev.secret-EMPTY", 2),
    "value is null": (f" {EMPTY}", "", FormatError, "dev.secret-EMPTY", 2),
    "secret twice": ("secret-api_key", "secret-EMPTY", FormatError, "secret-EMPTY", 3),
    "secret name invalid": ("secret-EMPTY", "secret-1", FormatError, "dev.secret-1", 2),
    "secret name with a space": ("secret-EMPTY", "secret-a b", FormatError, "dev.secret-a b", 2),
    "no secret": ("secret-EMPTY", "EMPTY", FormatError, "dev.EMPTY", 2),
    "extension key": ("secret-EMPTY", "x-EMPTY", FormatError, "dev.x-EMPTY", 2),
    "domain key of version 1": (
        DEV_KEY,
        recoded(DEV_KEY, lambda d: b"\1" + d[1:]),
        FormatError,
        "dev.meta.public-key",
        KEY_AT,
    ),
    "domain key of version 2": (
        DEV_KEY,
        recoded(DEV_KEY, lambda d: b"\2" + d[1:]),
        FormatError,
        "dev.meta.public-key",
        KEY_AT,
    ),
    "domain key zero": (DEV_KEY, recoded(DEV_KEY, lambda d: bytes(33)), FormatError, "dev.meta.public-key", KEY_AT),
    "domain key long": (DEV_KEY, recoded(DEV_KEY, lambda d: d + b"\0"), FormatError, "dev.meta.public-key", KEY_AT),
    "domain without meta": ("  meta:\n    public", "  mata:\n    public", FormatError, "dev", 1),
    "meta without owners": ("    owners:", "    keepers:", FormatError, "dev.meta.keepers", KEY_AT + 1),
    "grant of version 1": ("ADgt/FNw", "AXgt/FNw", FormatError, "dev.meta.owners.alice@example.com", KEY_AT + 2),
    "domain named meta": ("prod:", "metadata:", FormatError, "metadata", LINES.index("prod:") + 1),
    "domain twice": ("\nprod:", "\ndev:", FormatError, "dev", LINES.index("prod:") + 1),
    "custodians missing": ("key-custodians:", "kustodians:", FormatError, "", 1),
    "custodians twice": (
        "audit-log:\n",
        "key-custodians: {}\naudit-log:\n",
        FormatError,
        "key-custodians",
        LOG_AT,
    ),
    "custodian of version 3": (
        CI_PWDKM,
        recoded(CI_PWDKM, lambda d: b"\3" + d[1:]),
        FormatError,
        "key-custodians.ci.pwdkm",
        CUSTODIANS_AT + 4,
    ),
    "custodian short": (
        CI_PWDKM,
        recoded(CI_PWDKM, lambda d: d[:-1]),
        FormatError,
        "key-custodians.ci.pwdkm",
        CUSTODIANS_AT + 4,
    ),
    "custodian key of low order": (
        CI_PWDKM,
        recoded(CI_PWDKM, lambda d: d[:9] + bytes(32)),
        FormatError,
        "key-custodians.ci.pwdkm",
        CUSTODIANS_AT + 4,
    ),
    "custodian with unknown key": (
        "  ci:\n    pwdkm",
        "  ci:\n    note: a\n    pwdkm",
        FormatError,
        "key-custodians.ci.note",
        CUSTODIANS_AT + 4,
    ),
    "KDF passes over the cap": (
        FAST_PWDKM,
        recoded(FAST_PWDKM, lambda d: d[:1] + b"\xff" + d[2:]),
        FormatError,
        "key-custodians.fast@example.com.pwdkm",
        CUSTODIANS_AT + 6,
    ),
    "KDF memory over the cap": (
        FAST_PWDKM,
        recoded(FAST_PWDKM, lambda d: d[:8] + b"\xff" + d[9:]),
        FormatError,
        "key-custodians.fast@example.com.pwdkm",
        CUSTODIANS_AT + 6,
    ),
    "KDF memory zero": (
        FAST_PWDKM,
        recoded(FAST_PWDKM, lambda d: d[:5] + bytes(4) + d[9:]),
        FormatError,
        "key-custodians.fast@example.com.pwdkm",
        CUSTODIANS_AT + 6,
    ),
    "log missing": ("audit-log:", "old-log:", FormatError, "", 1),
    "log is a text": ("audit-log:\n", "audit-log: none\nx:\n", FormatError, "audit-log", LOG_AT),
    "log entry is a list": ("- truncated 10", "- - truncated 10", FormatError, "audit-log", LOG_AT),
    "alias": (EMPTY, "*a", FormatError, "", 2),
    "tag": (EMPTY, f"!!str {EMPTY}", FormatError, "", 2),
    "conflict marker": ("audit-log:\n", "=======\n<<<<<<< ours\naudit-log:\n", FormatError, "", LOG_AT),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_fault_is_refused(name: str) -> None:
    old, new, kind, path, line = MUTATIONS[name]
    assert old in TEXT
    mutated = TEXT.replace(old, new, 1)
    with refused(kind, path, line):
        parse(mutated)


@pytest.mark.parametrize(
    ("at", "change", "path"),
    [
        (2, lambda d: d[:40] + bytes([d[40] ^ 1]) + d[41:], "dev.secret-EMPTY"),
        (2, lambda d: d[:-1] + bytes([d[-1] ^ 128]), "dev.secret-EMPTY"),
        (2, lambda d: d + b"\0", "dev.secret-EMPTY"),
        (17, lambda d: d[:5] + bytes([d[5] ^ 4]) + d[6:], "dev.meta.owners.ci"),
        (17, lambda d: d[:-1] + bytes([d[-1] ^ 1]), "dev.meta.owners.ci"),
    ],
    ids=["value", "value end", "value longer", "grant", "grant end"],
)
def test_damaged_bytes_are_refused_when_opened(at: int, change: Callable[[bytes], bytes], path: str) -> None:
    lines = list(LINES)
    scalar = lines[at - 1].split(": ")[-1].strip()
    lines[at - 1] = lines[at - 1].replace(scalar, recoded(scalar, change))
    with refused(IntegrityError, path):
        parse("\n".join(lines) + "\n").decrypt_domain("dev", CI)


def test_a_grant_of_another_domain_is_refused() -> None:
    dev, prod = (i for i, line in enumerate(LINES) if line == "      ci: ")
    lines = list(LINES)
    lines[dev + 1], lines[prod + 1] = lines[prod + 1], lines[dev + 1]
    with refused(IntegrityError, "dev.meta.owners.ci", dev + 1):
        parse("\n".join(lines) + "\n").decrypt_domain("dev", CI)


def test_the_good_file_is_good() -> None:
    assert parse(TEXT).decrypt_domain("dev", CI)["EMPTY"] == ""
