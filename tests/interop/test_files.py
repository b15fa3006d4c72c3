"""Files that the real Pocket Protector makes: each is read, upgraded, read, rotated and read again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from upstream import Upstream, creds

from pocket_protector import Creds, FormatError, KeyFile, NameFormatError, StoreError

RAW = "P" + "7e" * 32 + "P"
CHEAP = (1, 8192)

ODD_NAMES = [
    "with spaces in it",
    "colon: and # hash",
    "'quoted'",
    '"twice"',
    "? question",
    "yes",
    "null",
    "~",
    "1.5",
    "2026-11-22",
    "[x, y]",
    "{a: b}",
    "*star",
    "&and",
    "!tag",
    "%percent",
    "@at",
    "`tick`",
    "a/b",
    "\\slash\\",
    "größe",
    "密码",
    "🗝",
    "d" * 90,
    "long " + "word " * 40 + "end",
    "l" * 200,
]
# Format 1 gives no such names: they are not in NFC, not printable, begin with a hyphen, or have a space at an end.
ONLY_UPSTREAMS_NAMES = [
    "-dash",
    "e\u0301 is not é",
    "\u00a0no-break",
    "line\u2028separator",
    "zero\u200bwidth",
    " spaces ",
]
ODD_VALUES = {
    "empty": "",
    "space": " ",
    "newlines": "\na\n\nb\r\n",
    "nul": "a\0b",
    "unicode": "päss — 密码 🗝 e\u0301",
    "yaml": "a: b # c\n- d",
    "long": "0123456789" * 30_000,
    "padding": "x" * 28,
    "zeros": "x" + "\0" * 31,
}


def check(path: Path, who: Creds, domains: Mapping[str, Mapping[str, str]], *others: Creds) -> KeyFile:
    """Read everything before and after an upgrade and after rotations. `who` owns every domain, `others` too."""
    file = KeyFile.from_file(path)
    log = file.get_audit_log()
    read(file, domains, who, *others)
    with pytest.raises(StoreError) as refused:
        file.add_domain("new", who.name)
    assert "pprotect upgrade" in refused.value.hint

    upgraded = file.upgrade().write()
    assert upgraded == KeyFile.from_file(path)
    assert upgraded.get_audit_log()[: len(log)] == log
    for values in read(upgraded, domains, who, *others):
        assert set(values.unbound) == set(values)

    rotated = upgraded
    identity = rotated.unlock(who)
    for domain in domains:
        rotated = rotated.rotate_domain_key(domain, identity)
    rotated.write()
    rotated = KeyFile.from_file(path)
    for values in read(rotated, domains, who, *others):
        assert not values.unbound
    return rotated


def read(file: KeyFile, domains: Mapping[str, Mapping[str, str]], *owners: Creds) -> list:
    assert file.get_domain_names() == sorted(domains)
    found = [file.decrypt_domain(domain, owner) for domain in domains for owner in owners]
    assert found == [values for values in domains.values() for _ in owners]
    return found


def test_every_kind_of_custodian(new: Upstream, tmp_path: Path) -> None:
    path = tmp_path / "protected.yaml"
    kinds = {
        "v0": [],
        "v1 of the least cost": [*CHEAP],
        "v1 fast": [2, 64 * 1024 * 1024],
        "v1 with odd limits": [3, 1_000_000],
        "v1 hard": [4, 256 * 1024 * 1024],
    }
    passphrases = {name: f"the passphrase of {name}, päss 🗝" for name in kinds} | {"v2": RAW}
    owner = creds("v2", RAW)
    new.steps(
        path,
        ["add_raw_key_custodian", owner],
        *(["add_key_custodian", creds(name, passphrases[name]), *limits] for name, limits in kinds.items()),
        ["add_domain", "dev", "v2"],
        ["add_secret", "dev", "a", "value a"],
        *(["add_owner", "dev", name, owner] for name in kinds),
    )
    check(path, *(Creds("v2", RAW), {"dev": {"a": "value a"}}), *(Creds(name, passphrases[name]) for name in kinds))


@pytest.mark.slow
def test_the_most_costly_custodian(new: Upstream, tmp_path: Path) -> None:
    path = tmp_path / "protected.yaml"
    new.steps(
        path,
        ["add_key_custodian", creds("bob", "pass"), 4, 1024 * 1024 * 1024],
        ["add_domain", "dev", "bob"],
        ["add_secret", "dev", "a", "value a"],
    )
    check(path, Creds("bob", "pass"), {"dev": {"a": "value a"}})


def test_the_old_version(old: Upstream, tmp_path: Path) -> None:
    path = tmp_path / "protected.yaml"
    alice, bob = ("alice@example.com", "Alices pässphrase"), ("bob@example.com", "密码 und mehr")
    old.steps(
        path,
        ["add_key_custodian", creds(*alice)],
        ["add_key_custodian", creds(*bob)],
        ["add_domain", "dev", alice[0]],
        ["add_owner", "dev", bob[0], creds(*alice)],
        *(["add_secret", "dev", name, value] for name, value in ODD_VALUES.items()),
    )
    check(path, Creds(*alice), {"dev": ODD_VALUES}, Creds(*bob))


def test_values(new: Upstream, tmp_path: Path) -> None:
    path = tmp_path / "protected.yaml"
    new.steps(
        path,
        ["add_raw_key_custodian", creds("ci", RAW)],
        ["add_domain", "dev", "ci"],
        ["add_domain", "empty", "ci"],
        *(["add_secret", "dev", name, value] for name, value in ODD_VALUES.items()),
    )
    check(path, Creds("ci", RAW), {"dev": ODD_VALUES, "empty": {}})


@pytest.mark.parametrize("length", [1024 * 1024, 2 * 1024 * 1024], ids=["1MiB", "2MiB"])
def test_values_as_long_as_ours_may_be_and_longer(new: Upstream, tmp_path: Path, length: int) -> None:
    path = tmp_path / "protected.yaml"
    new.steps(
        path,
        ["add_raw_key_custodian", creds("ci", RAW)],
        ["add_domain", "dev", "ci"],
        ["add_secret", "dev", "long", "x" * length],
    )
    check(path, Creds("ci", RAW), {"dev": {"long": "x" * length}})


def test_names_of_domains_and_custodians(new: Upstream, tmp_path: Path) -> None:
    path = tmp_path / "protected.yaml"
    everyone = {name: f"P{at:064x}P" for at, name in enumerate(ODD_NAMES)}
    first = ODD_NAMES[0]
    steps = [
        *(["add_raw_key_custodian", creds(name, key)] for name, key in everyone.items()),
        *(["add_domain", name, first] for name in ODD_NAMES),
        *(["add_secret", name, "which", name] for name in ODD_NAMES),
        *(["add_owner", name, name, creds(first, everyone[first])] for name in ODD_NAMES[1:]),
        ["get_audit_log"],
    ]
    *_, log = new.steps(path, *steps)
    file = KeyFile.from_file(path)
    assert file.get_audit_log() == log
    for name in ODD_NAMES:
        assert file.decrypt_domain(name, Creds(name, everyone[name])) == {"which": name}
    rotated = check(path, Creds(first, everyone[first]), {name: {"which": name} for name in ODD_NAMES})
    for name in ODD_NAMES:
        assert rotated.decrypt_domain(name, Creds(name, everyone[name])) == {"which": name}


@pytest.mark.parametrize("name", ONLY_UPSTREAMS_NAMES, ids=ascii)
def test_names_that_only_upstream_gives(new: Upstream, tmp_path: Path, name: str) -> None:
    """They are read and changed as they are, not normalised; what would bind values to such a name is refused."""
    path = tmp_path / "protected.yaml"
    new.steps(
        path,
        ["add_raw_key_custodian", creds(name, RAW)],
        ["add_domain", name, name],
        ["add_secret", name, "a", "value a"],
    )
    who = Creds(name, RAW)
    assert KeyFile.from_file(path).decrypt_domain(name, who) == {"a": "value a"}
    upgraded = KeyFile.from_file(path).upgrade().write()
    assert upgraded.decrypt_domain(name, who) == {"a": "value a"}
    before = path.read_bytes()
    with pytest.raises(NameFormatError):
        upgraded.rotate_domain_key(name, who)
    assert path.read_bytes() == before


def test_names_of_secrets_that_only_the_old_version_allows(old: Upstream, tmp_path: Path) -> None:
    path = tmp_path / "protected.yaml"
    odd = ("_x", "a^b", "[c", "d]", "\\e", "`f`")
    values = {name: f"value of {name}" for name in (*odd, "g-1", "H_2", "n" * 200)}
    old.steps(
        path,
        ["add_key_custodian", creds("bob", "pass")],
        ["add_domain", "dev", "bob"],
        *(["add_secret", "dev", name, value] for name, value in values.items()),
    )
    file = KeyFile.from_file(path)
    bob = Creds("bob", "pass")
    assert file.decrypt_domain("dev", bob) == values
    upgraded = file.upgrade().write()
    assert upgraded.decrypt_domain("dev", bob) == values
    mended = upgraded
    for at, name in enumerate(odd):
        with pytest.raises(NameFormatError) as refused:
            mended.rotate_domain_key("dev", bob)
        assert "rm-secret" in refused.value.hint
        mended = mended.set_secret("dev", f"mended-{at}", values[name]).rm_secret("dev", name)
    rotated = mended.rotate_domain_key("dev", bob).write().decrypt_domain("dev", bob)
    assert sorted(rotated.values()) == sorted(values.values())


def test_a_long_audit_log(either: Upstream, tmp_path: Path) -> None:
    path = tmp_path / "protected.yaml"
    domains = ["d" * 150, "a domain with many words " * 8 + "end", "x: y # z"]
    values = {domain: {f"s{at:03}-{'n' * 60}": str(at) for at in range(40)} for domain in domains}
    *_, log = either.steps(
        path,
        ["add_key_custodian", creds("bob", "pass")],
        *(["add_domain", domain, "bob"] for domain in domains),
        *(["add_secret", domain, name, "old"] for domain in domains for name in values[domain]),
        *(["update_secret", domain, name, value] for domain in domains for name, value in values[domain].items()),
        ["get_audit_log"],
    )
    assert len(log) > 240
    assert KeyFile.from_file(path).get_audit_log() == log
    check(path, Creds("bob", "pass"), values)


def test_what_changed_again_and_again(new: Upstream, tmp_path: Path) -> None:
    """Rotated keys, changed passphrases, other kinds of keys, removed things, a truncated log."""
    path = tmp_path / "protected.yaml"
    alice, bob, carol = creds("alice", "first"), creds("bob", RAW), creds("carol", "carols")
    again = creds("alice", "second")
    new.steps(
        path,
        ["add_key_custodian", alice, *CHEAP],
        ["add_raw_key_custodian", bob],
        ["add_key_custodian", carol, *CHEAP],
        ["add_domain", "dev", "alice"],
        ["add_domain", "gone", "alice"],
        ["add_owner", "dev", "bob", alice],
        ["add_owner", "dev", "carol", alice],
        ["add_secret", "dev", "a", "1"],
        ["add_secret", "dev", "b", "2"],
        ["rotate_domain_key", "dev", bob],
        ["set_key_custodian_passphrase", alice, "second", *CHEAP],
        ["rekey_custodian", bob, creds("bob", "bobs second"), False, *CHEAP],
        ["update_secret", "dev", "a", "3"],
        ["rm_secret", "dev", "b"],
        ["rm_owner", "dev", "carol"],
        ["rm_key_custodian", "carol"],
        ["rm_domain", "gone"],
        ["add_domain", "prod", "bob"],
        ["migrate_owner", "alice", creds("bob", "bobs second")],
        ["rekey_custodian", again, creds("alice", RAW), True],
        ["truncate_audit_log", 5],
        ["rotate_domain_key", "dev", creds("alice", RAW)],
        ["set_secret", "dev", "c", "4"],
    )
    values = {"dev": {"a": "3", "c": "4"}, "prod": {}}
    check(path, Creds("alice", RAW), values, Creds("bob", "bobs second"))


def test_upstream_does_not_read_an_upgraded_file(either: Upstream, tmp_path: Path) -> None:
    path = tmp_path / "protected.yaml"
    either.steps(
        path,
        ["add_key_custodian", creds("bob", "pass")],
        ["add_domain", "dev", "bob"],
        ["add_secret", "dev", "a", "value a"],
    )
    before = path.read_bytes()
    KeyFile.from_file(path).upgrade().write()
    variables = {"PPROTECT_USER": "bob", "PPROTECT_PASSPHRASE": "pass"}
    for words in (["decrypt-domain", "dev"], ["list-domains"]):
        done = either.command(tmp_path, *words, **variables)
        assert done.returncode != 0
        assert done.stdout == ""
        # It says nothing about versions: the file does not fit its schema, and it ends with a traceback.
        assert "schema.Schema" in done.stderr
    upgraded = path.read_bytes()
    done = either.command(tmp_path, "add-secret", answers="dev\nb\nvalue\n")
    assert done.returncode != 0
    assert path.read_bytes() == upgraded != before


def test_names_that_the_new_version_refuses_are_refused(old: Upstream, new: Upstream, tmp_path: Path) -> None:
    """A name with a control character: 20.0.1 makes it, 26.4.3 does not read it, and no more do we."""
    path = tmp_path / "protected.yaml"
    old.steps(path, ["add_key_custodian", creds("bob", "pass")], ["add_domain", "tab\there", "bob"])
    assert new.command(tmp_path, "list-domains").returncode != 0
    with pytest.raises(FormatError):
        KeyFile.from_file(path)
