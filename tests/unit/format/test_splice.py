"""Edits of single files whose layout is odd: the exact text that comes out (P3)."""

from __future__ import annotations

import re

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, SequenceNode
from samples import ALICE, BOB, GOOD, copy_block, cut, find, get, insert, parse, put

A, B = ALICE.name, BOB.name


def check(text: str, change) -> str:
    """The text after a change, which must be read back as what was meant."""
    file = parse(text)
    assert file.get_contents() == text
    changed = change(file)
    new = changed.get_contents()
    assert parse(new) == changed
    return new


def log_free(text: str) -> list[str]:
    return text[: text.index("audit-log")].splitlines()


def test_a_new_entry_stands_where_its_name_belongs() -> None:
    new = check(GOOD, lambda f: f.add_secret("dev", "b", "x"))
    at = find(new, "dev", "secret-b")
    assert find(new, "dev", "secret-api-key") == at - 3
    assert find(new, "dev", "secret-db-password") == at + 3
    assert log_free(new)[:at] + log_free(new)[at + 3 :] == log_free(GOOD)


def test_a_new_domain_stands_between_its_neighbours_and_before_the_custodians() -> None:
    new = check(GOOD, lambda f: f.add_domain("e", A).add_domain("z", A).add_domain("a", A))
    order = [line for line in new.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert order == ["meta:", "a:", "dev:", "e:", "prod:", "z:", "key-custodians:", "audit-log:"]


@pytest.mark.parametrize(
    ("style", "after"),
    [
        ("'{}'", "'{}'"),
        ('"{}"', '"{}"'),
        ("{}  # why", "{}  # why"),
        (">-\n      {}", "{}"),
        ("|- # why\n      {}", "{} # why"),
    ],
    ids=["single", "double", "comment", "folded", "literal with comment"],
)
def test_a_scalar_keeps_its_quotes_and_its_comment(style: str, after: str) -> None:
    keys = ("dev", "secret-api-key", "value")
    old = get(GOOD, *keys)
    text = GOOD.replace(f"value: {old}", f"value: {style.format(old)}")
    new = check(text, lambda f: f.update_secret("dev", "api-key", "x"))
    line = next(line for line in new.splitlines()[find(GOOD, *keys) :] if "value:" in line)
    scalar = line.split("value: ")[1].strip("'\"").split(" ")[0]
    assert line == f"    value: {after.format(scalar)}"
    assert scalar != old


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("final", [True, False])
def test_line_ends(end: str, final: bool) -> None:
    text = GOOD.replace("\n", end)
    text = text if final else text.removesuffix(end)
    new = check(text, lambda f: f.add_secret("prod", "z", "x").add_domain("a", A).truncate_audit_log(2))
    assert new.count("\n") == new.count(end)
    assert new.endswith(end) == final


def test_the_first_place_of_a_block_with_crlf() -> None:
    """What comes first stands directly under its parent's key, with whole line ends."""
    text = GOOD.replace("\n", "\r\n")
    new = check(text, lambda f: f.add_owner("dev", "carol@example.com", ALICE).add_secret("dev", "a", "x"))
    assert "\r\r" not in new
    assert "\n\n" not in new.replace("\r", "")


def test_the_last_child_leaves_an_empty_mapping() -> None:
    new = check(GOOD, lambda f: f.rotate_domain_key("dev", ALICE, history=False))
    assert get(new, "dev", "meta", "retired") == "{}"
    assert "private-key:" not in new.replace("encrypted-private-key:", "")


def test_an_empty_mapping_gets_its_first_child() -> None:
    new = check(GOOD, lambda f: f.rotate_domain_key("prod", BOB))
    assert new.splitlines()[find(new, "prod", "meta", "retired")] == "    retired:"
    assert new.splitlines()[find(new, "prod", "meta", "retired") + 2].startswith("        private-key: ")


def test_comments_around_what_goes_stay() -> None:
    at = find(GOOD, "dev", "secret-api-key")
    text = insert(insert(GOOD, at + 3, "  # behind"), at, "  # before", "")
    new = check(text, lambda f: f.rm_secret("dev", "api-key"))
    assert new.splitlines()[at : at + 4] == ["  # before", "", "  # behind", "  secret-db-password:"]


def test_extensions_stay_at_every_level() -> None:
    text = GOOD
    for keys in (("prod",), ("dev", "meta"), ("dev", "meta", "public-key"), ("dev", "meta", "owners", B),
                 ("dev", "meta", "owners", A, "granted"), ("dev", "secret-api-key", "updated"),
                 ("key-custodians", B), ("key-custodians", B, "signature"), ("meta", "file-id"),
                 ("audit-log", "file")):  # fmt: skip
        indent = "  " * (len(keys) - 1)
        text = insert(text, find(text, *keys), f"{indent}x-mine: [1, {{a: b}}]  # mine")
    new = check(
        text,
        lambda f: (
            f.rotate_domain_key("dev", ALICE)
            .rekey_custodian(BOB, BOB, True)
            .add_secret("dev", "a", "1")
            .rm_secret("prod", "api-key")
        ),
    )
    assert new.count("# mine") == text.count("# mine") == 10


def flow(node: object) -> str:
    """A composed node on one line."""
    if isinstance(node, MappingNode):
        return "{" + ", ".join(f'"{key.value}": {flow(value)}' for key, value in node.value) + "}"
    if isinstance(node, SequenceNode):
        return "[" + ", ".join(map(flow, node.value)) + "]"
    return f'"{node.value}"'


def test_a_whole_file_in_flow() -> None:
    text = flow(YAML(typ="safe", pure=True).compose(GOOD)) + "  # all of it\n"
    assert parse(text) == parse(GOOD)
    new = check(
        text,
        lambda f: (
            f.add_secret("dev", "a", "x")
            .rm_secret("dev", "db-password")
            .rotate_domain_key("prod", BOB)
            .rm_owner("dev", A)
        ),
    )
    assert new.startswith('{"meta": {"format": "1"')
    assert new.endswith("}  # all of it\n")
    assert new.count("\n") == 1


@pytest.mark.parametrize("mark", ["\x85", "\u2028", "\u2029"])
def test_line_ends_that_only_yaml_knows(mark: str) -> None:
    """In a comment they end it; what follows is an extension here, and offsets still fit."""
    text = insert(GOOD, find(GOOD, "dev"), f"# a{mark}x-a: b", f"# c{mark}# d")
    new = check(text, lambda f: f.add_secret("dev", "a", "x").rm_domain("prod"))
    assert f"# a{mark}x-a: b\n# c{mark}# d\n" in new


def test_characters_beyond_the_first_plane_do_not_shift_offsets() -> None:
    text = insert(GOOD, 0, "# 🔐🔐🔐 é ☃", "x-🔐: '🔐'")
    new = check(text, lambda f: f.update_secret("dev", "api-key", "x"))
    assert new.startswith("# 🔐🔐🔐 é ☃\nx-🔐: '🔐'\nmeta:\n")
    assert len(set(new.splitlines()) - set(text.splitlines())) <= 3


NAMES = [
    "a: b",
    "a #b",
    "null",
    "1e3",
    "a - b",
    "'",
    '"',
    "a\\b",
    "[a]",
    "{",
    "*a",
    "&a",
    "!a",
    "%a",
    "@a",
    "`",
    "?",
    "é☃🔐",
]
NAMES += ["a" * 256, "/" * 256, "'" * 256, "<<a", "=", "~", "|", ">", ",", ":"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_can_be_written(name: str) -> None:
    from samples import raw_key

    from pocket_protector import Creds

    creds = Creds(name, raw_key(1))
    new = check(
        GOOD,
        lambda f: (
            f.add_raw_key_custodian(creds).add_domain(name, name).add_secret(name, "a", "1").add_owner(name, A, creds)
        ),
    )
    assert parse(new).decrypt_domain(name, ALICE) == {"a": "1"}


def test_blocks_in_another_order_stay_in_it() -> None:
    lines = GOOD.splitlines()
    dev, prod, custodians = (find(GOOD, key) for key in ("dev", "prod", "key-custodians"))
    text = "\n".join(lines[custodians:] + lines[prod:custodians] + lines[:dev] + lines[dev:prod]) + "\n"
    new = check(text, lambda f: f.add_secret("dev", "a", "x").add_owner("prod", A, BOB))
    top = [line for line in new.splitlines() if not line.startswith((" ", "-"))]
    assert top == ["key-custodians:", "audit-log:", "prod:", "meta:", "dev:"]


def test_what_was_cut_can_be_put_back() -> None:
    without = cut(GOOD, "dev", "secret-api-key")
    again = insert(without, find(GOOD, "dev", "secret-api-key"), *copy_block(GOOD, "dev", "secret-api-key"))
    assert again == GOOD
    assert put(GOOD, "1", "meta", "format") == GOOD


COMPACT = ["? secret-api-key", ": value: {value}", "  updated: {updated}"]


def compact(text: str) -> str:
    """A mapping that begins behind the colon of an explicit key, on the same line."""
    keys = ("dev", "secret-api-key")
    lines = [
        "  " + line.format(value=get(text, *keys, "value"), updated=get(text, *keys, "updated")) for line in COMPACT
    ]
    return insert(cut(text, *keys), find(text, *keys), *lines)


def test_a_mapping_behind_its_key_s_colon() -> None:
    text = compact(GOOD)
    at = text.index("  ? secret-api-key")
    assert parse(text) == parse(GOOD)
    new = check(text, lambda f: f.update_secret("dev", "api-key", "x"))
    assert new[at:].startswith("  ? secret-api-key\n  : value: A")
    assert "api-key" not in check(text, lambda f: f.rm_secret("dev", "api-key")).split("audit-log")[0].split("prod:")[0]


def test_owners_behind_their_key_s_colon() -> None:
    """The first child has no line of its own: it goes and comes without one."""
    lines = GOOD.splitlines()
    at = find(GOOD, "dev", "meta", "owners")
    lines[at] = "    ? owners"
    lines[at + 1] = f"    : {A}:"
    text = "\n".join(lines) + "\n"
    assert parse(text) == parse(GOOD)
    new = check(text, lambda f: f.rm_owner("dev", A))
    assert new.splitlines()[at : at + 2] == ["    ? owners", f"    : {B}:"]
    new = check(text, lambda f: f.add_owner("dev", "carol@example.com", ALICE).rm_owner("dev", B))
    assert new.splitlines()[at : at + 2] == ["    ? owners", f"    : {A}:"]


def test_a_name_too_long_for_a_simple_key() -> None:
    from samples import raw_key

    from pocket_protector import Creds

    long = Creds("/" * 256, raw_key(1))
    new = check(
        GOOD,
        lambda f: f.add_raw_key_custodian(long).add_domain(long.name, long.name).add_owner(long.name, long.name, long),
    )
    assert "\n  ? 'owner/%2F%2F" in new
    assert check(new, lambda f: f.add_owner(long.name, long.name, long).truncate_audit_log(1))


@pytest.mark.parametrize("name", ["legacy", "value", "format", "owners", "granted"])
def test_a_domain_named_like_a_word_of_the_format_stands_where_domains_do(name: str) -> None:
    file = parse(GOOD).add_domain("aa", ALICE.name).add_domain("zz", ALICE.name).add_domain(name, ALICE.name)
    keys = [line[:-1] for line in file.get_contents().splitlines() if re.fullmatch(r"\S+:", line)]
    domains = keys[1:-2]
    assert (keys[0], *keys[-2:]) == ("meta", "key-custodians", "audit-log")
    assert domains == sorted(domains)
    assert name in domains
