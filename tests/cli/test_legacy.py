"""Files that Pocket Protector 20.0.1 to 26.4.3 made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from shell import Shell

UPSTREAM = Path(__file__).parent.parent / "vectors" / "upstream"
NAME = "v1-v2-mixed"
EXPECTED = json.loads((UPSTREAM / "expected.json").read_text(encoding="utf-8"))[NAME]
CI = {"PPROTECT_USER": "ci", "PPROTECT_PASSPHRASE": EXPECTED["custodians"]["ci"]}
FAST = {"PPROTECT_USER": "fast@example.com", "PPROTECT_PASSPHRASE": EXPECTED["custodians"]["fast@example.com"]}
DEV = EXPECTED["domains"]["dev"]["secrets"]
PROD = EXPECTED["domains"]["prod"]["secrets"]


@pytest.fixture
def legacy(empty: Shell) -> Shell:
    """A work tree with a file of version 26.4.3, and the credentials of its custodian `ci`."""
    shutil.copy(UPSTREAM / f"{NAME}.yaml", empty.file)
    empty.variables |= CI
    return empty


def test_reading_works_with_a_note(legacy: Shell) -> None:
    before = legacy.file.read_bytes()
    result = legacy("decrypt-domain", "dev")
    assert json.loads(result.out) == DEV
    assert f"{len(DEV)} of {len(DEV)} values in dev are of Pocket Protector's format" in result.err
    assert "to bind them: pprotect upgrade, then pprotect rotate-domain-keys dev\n" in result.err
    for name in sorted(DEV):
        assert legacy("get", "dev", name).out == DEV[name]
    assert legacy("decrypt-domain", "dev", env=FAST).out == result.out
    assert legacy.done("list-domains") == "dev\nprod\n"
    assert legacy.done("list-domain-secrets", "dev").split() == sorted(DEV)
    assert legacy.done("list-audit-log").endswith(" -- added secret tls-key in prod\n")
    assert legacy.done("run", "dev", "--uppercase", "--", "printenv", "URL") == DEV["url"] + "\n"
    assert legacy.file.read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        ("add-secret", "dev", "new", "--generate"),
        ("set-secret", "dev", "url", "--generate"),
        ("update-secret", "dev", "url", "--generate"),
        ("rm-secret", "dev", "url"),
        ("add-domain", "new"),
        ("rm-domain", "dev"),
        ("rotate-domain-keys", "dev"),
        ("add-owner", "prod", "fast@example.com"),
        ("rm-owner", "dev", "ci"),
        ("rm-owner", "dev", "ci", "--no-rotate"),
        ("migrate-owner", "fast@example.com", "--yes"),
        ("rm-key-custodian", "fast@example.com"),
        ("add-key-custodian", "new", "--key-type", "raw", "--yes"),
        ("truncate-audit-log", "1"),
    ],
)
def test_a_change_asks_for_the_upgrade(legacy: Shell, words: tuple[str, ...]) -> None:
    before = legacy.file.read_bytes()
    result = legacy(*words)
    assert result.code == 6
    assert "hint: pprotect upgrade" in result.err
    assert legacy.file.read_bytes() == before


def test_a_change_is_refused_before_anything_is_asked(legacy: Shell) -> None:
    for name in ("PPROTECT_USER", "PPROTECT_PASSPHRASE"):
        del legacy.variables[name]
    for command in ("add-domain", "add-owner", "rotate-domain-keys", "rekey-custodian", "add-secret"):
        legacy(command).failed(6, "Pocket Protector's own format", "pprotect upgrade")


def test_upgrade_keeps_all_and_rotation_binds(legacy: Shell) -> None:
    log = legacy.done("list-audit-log")
    legacy.variables.clear()
    result = legacy("upgrade")
    assert (result.code, result.out) == (0, "")
    assert "  pprotect rotate-domain-keys dev\n  pprotect rotate-domain-keys prod\n" in result.err
    assert "note: " not in result.err
    legacy.variables |= CI
    assert json.loads(legacy.done("decrypt-domain", "dev")) == DEV
    assert legacy.done("list-audit-log").startswith(log)
    assert legacy("upgrade").code == 6
    legacy.done("rotate-domain-keys", "dev")
    result = legacy("decrypt-domain", "dev")
    assert json.loads(result.out) == DEV
    assert result.err == ""
    assert legacy.done("decrypt-domain", "dev", env=FAST) == result.out
    assert "to bind them: pprotect rotate-domain-keys prod\n" in legacy("decrypt-domain", "prod").err


def test_upgrade_can_be_looked_at_first(legacy: Shell) -> None:
    before = legacy.file.read_bytes()
    result = legacy("upgrade", "--confirm", stdin="n\n")
    assert "+meta:" in result.err
    assert "nothing was written" in result.err
    assert legacy.file.read_bytes() == before


def test_a_legacy_custodian_gets_new_keys(legacy: Shell) -> None:
    legacy.done("upgrade")
    (legacy.home / "old").write_text(CI["PPROTECT_PASSPHRASE"])
    words = ("--passphrase-file", str(legacy.home / "old"), "--key-type", "raw", "--yes")
    result = legacy("set-key-custodian-passphrase", "ci", *words)
    key = result.out.strip()
    assert "gave ci new keys\nthe old key still opens" in result.err
    assert "  pprotect rotate-domain-keys dev\n  pprotect rotate-domain-keys prod\n" in result.err
    env = CI | {"PPROTECT_PASSPHRASE": key}
    assert json.loads(legacy.done("decrypt-domain", "prod", env=env)) == PROD
    legacy("decrypt-domain", "prod").failed(4, "wrong passphrase for 'ci'")


def test_a_wrong_passphrase(legacy: Shell) -> None:
    legacy("get", "dev", "url", env=FAST | {"PPROTECT_PASSPHRASE": "x"}).failed(
        4, "(from env var: PPROTECT_PASSPHRASE)"
    )
    legacy("get", "dev", "url", env=CI | {"PPROTECT_PASSPHRASE": "x"}).failed(4, "(from env var: PPROTECT_PASSPHRASE)")
