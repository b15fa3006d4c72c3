"""Every command without a question, and every question answered by the lines of stdin in Pocket Protector's order."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from shell import ALICE, BOB, CAROL, DEV, KEYS, Shell, as_variables

from pocket_protector import Creds

DAVE = "dave@example.com"
ALICE_SAYS = f"{ALICE}\n{KEYS[ALICE]}\n"
BOB_SAYS = f"{BOB}\n{KEYS[BOB]}\n"


def _opens(name: str, passphrase: str) -> Callable[[Shell], bool]:
    return lambda shell: shell.store().check_creds(Creds(name, passphrase))


def _owned(name: str, *domains: str) -> Callable[[Shell], bool]:
    return lambda shell: shell.store().get_custodian_domains(name) == list(domains)


def _key(name: str, **values: str) -> Callable[[Shell], bool]:
    return lambda shell: dict(shell.values()) == DEV | {name: values["value"]}


NEW_KEY = ("--key-type", "raw", "--new-passphrase-file", "CAROL_KEY")
ALICES = ("--user", ALICE, "--passphrase-file", "ALICE_KEY")
BOBS = ("--user", BOB, "--passphrase-file", "BOB_KEY")

UNASKED: list[tuple[tuple[str, ...], Callable[[Shell], bool]]] = [
    (("add-key-custodian", DAVE, *NEW_KEY), _opens(DAVE, KEYS[CAROL])),
    (("add-key-custodian", "-u", DAVE, *NEW_KEY), _opens(DAVE, KEYS[CAROL])),
    (("rm-key-custodian", CAROL), lambda shell: CAROL not in shell.store().get_key_custodian_names()),
    (("set-key-custodian-passphrase", BOB, "--passphrase-file", "BOB_KEY", *NEW_KEY), _opens(BOB, KEYS[CAROL])),
    (("rekey-custodian", *BOBS, *NEW_KEY), _opens(BOB, KEYS[CAROL])),
    (("add-domain", "stage", *ALICES), _owned(ALICE, "dev", "stage")),
    (("rm-domain", "prod"), _owned(BOB, "dev")),
    (("rotate-domain-keys", "dev", *ALICES), lambda shell: shell.values() == DEV),
    (("rotate-domain-keys", "dev", "--no-history", *ALICES), lambda shell: shell.values() == DEV),
    (("add-owner", "dev", CAROL, *ALICES), _owned(CAROL, "dev")),
    (("rm-owner", "dev", BOB, *ALICES), _owned(BOB, "prod")),
    (("migrate-owner", CAROL, "--yes", *BOBS), _owned(CAROL, "dev", "prod")),
    (("add-secret", "dev", "new", "--from-file", "VALUE"), _key("new", value="x\n")),
    (("add-secret", "--domain", "dev", "--secret-name", "new", "--from-file", "VALUE"), _key("new", value="x\n")),
    (("update-secret", "dev", "API_KEY", "--from-file", "VALUE"), _key("API_KEY", value="x\n")),
    (("set-secret", "dev", "API_KEY", "--from-file", "VALUE"), _key("API_KEY", value="x\n")),
    (("set-secret", "dev", "new", "--from-file", "VALUE"), _key("new", value="x\n")),
    (("rm-secret", "dev", "API_KEY"), lambda shell: shell.store().get_domain_secret_names("dev") == ["db-password"]),
    (("truncate-audit-log", "1"), lambda shell: len(shell.store().get_audit_log()) == 2),
]


@pytest.mark.parametrize(("words", "holds"), UNASKED, ids=lambda given: given[0] if isinstance(given, tuple) else "")
def test_without_a_question(team: Shell, words: tuple[str, ...], holds: Callable[[Shell], bool]) -> None:
    (team.home / "value").write_text("x\n")
    assert team.done(*_with_paths(team, words), "--non-interactive") == ""
    assert holds(team)


@pytest.mark.parametrize("words", [words for words, _ in UNASKED if "--yes" not in words], ids=lambda words: words[0])
def test_each_change_can_be_looked_at_and_declined(team: Shell, words: tuple[str, ...]) -> None:
    before = team.file.read_bytes()
    (team.home / "value").write_text("x\n")
    result = team(*_with_paths(team, words), "--confirm", stdin="n\n")
    assert result.code == 0
    assert f"+++ {team.file}.new" in result.err
    assert result.err.endswith("aborted: nothing was written\n")
    assert team.file.read_bytes() == before


def _with_paths(team: Shell, words: tuple[str, ...]) -> list[str]:
    paths = {
        "CAROL_KEY": team.key_file(CAROL),
        "ALICE_KEY": team.key_file(ALICE),
        "BOB_KEY": team.key_file(BOB),
        "VALUE": str(team.home / "value"),
    }
    return [paths.get(word, word) for word in words]


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (("list-domains",), "dev\nprod\n"),
        (("list-domain-secrets", "dev"), "API_KEY\ndb-password\n"),
        (("list-all-secrets",), "API_KEY: dev, prod\ndb-password: dev\n"),
        (("list-user-secrets",), "dev: API_KEY, db-password\n"),
        (("get", "dev", "API_KEY"), "tulip-dev-api"),
        (("decrypt-domain", "dev", "--secret", "API_KEY"), "tulip-dev-api\n"),
        (("run", "dev", "--", "printenv", "API_KEY"), "tulip-dev-api\n"),
        (("exec", "--domain", "dev", "--", "printenv", "API_KEY"), "tulip-dev-api\n"),
    ],
)
def test_reading_without_a_question(alice: Shell, words: tuple[str, ...], out: str) -> None:
    at = words.index("--") if "--" in words else len(words)
    before = alice.file.read_bytes()
    assert alice.done(*words[:at], "--non-interactive", *words[at:]) == out
    assert alice.file.read_bytes() == before


def test_init_without_a_question(empty: Shell) -> None:
    assert empty.done("init", "--key-type", "raw", "--non-interactive", *empty.as_(ALICE)) == ""
    assert _opens(ALICE, KEYS[ALICE])(empty)


@pytest.mark.parametrize("words", [("init",), ("add-key-custodian",)])
@pytest.mark.parametrize("kind", ["fast", "hard"])
def test_lines_make_a_custodian(empty: Shell, words: tuple[str, ...], kind: str) -> None:
    if words != ("init",):
        empty.done("init", "--key-type", "raw", *empty.as_(ALICE))
    empty.done(*words, "--key-type", kind, stdin=f"{DAVE}\na harbour\na harbour\n")
    assert _opens(DAVE, "a harbour")(empty)


RIGHT: list[tuple[tuple[str, ...], str, Callable[[Shell], bool]]] = [
    (("rm-key-custodian",), f"{CAROL}\n", lambda shell: CAROL not in shell.store().get_key_custodian_names()),
    (("add-domain",), f"{ALICE_SAYS}stage\n", _owned(ALICE, "dev", "stage")),
    (("rm-domain",), "prod\n", _owned(BOB, "dev")),
    (("rotate-domain-keys",), f"{ALICE_SAYS}dev\n", lambda shell: shell.values() == DEV),
    (("add-owner",), f"{ALICE_SAYS}dev\n{CAROL}\n", _owned(CAROL, "dev")),
    (("rm-owner",), f"dev\n{BOB}\n{ALICE_SAYS}", _owned(BOB, "prod")),
    (("migrate-owner",), f"{BOB_SAYS}{CAROL}\ny\n", _owned(CAROL, "dev", "prod")),
    (("migrate-owner",), f"{BOB_SAYS}{CAROL}\nn\n", _owned(CAROL)),
    (("add-secret",), "dev\nnew\na value\n", _key("new", value="a value")),
    (("add-secret",), "dev\nnew\na value", _key("new", value="a value")),
    (("add-secret", "--domain", "dev"), "new\na value\n", _key("new", value="a value")),
    (("update-secret",), "dev\nAPI_KEY\n\n", _key("API_KEY", value="")),
    (("set-secret",), "dev\r\nnew\r\na value\r\n", _key("new", value="a value")),
    (("rm-secret",), "dev\nAPI_KEY\n", lambda shell: shell.store().get_domain_secret_names("dev") == ["db-password"]),
    (
        ("set-key-custodian-passphrase", "--key-type", "fast"),
        f"{BOB_SAYS}a harbour\na harbour\n",
        _opens(BOB, "a harbour"),
    ),
    (("rekey-custodian", "--key-type", "fast"), f"{BOB_SAYS}a harbour\na harbour\n", _opens(BOB, "a harbour")),
]


@pytest.mark.parametrize(("words", "lines", "holds"), RIGHT)
def test_lines_of_stdin(team: Shell, words: tuple[str, ...], lines: str, holds: Callable[[Shell], bool]) -> None:
    assert team.done(*words, stdin=lines) == ""
    assert holds(team)


@pytest.mark.parametrize(("words", "lines", "holds"), RIGHT)
def test_an_end_too_early_names_what_to_give(
    team: Shell, words: tuple[str, ...], lines: str, holds: Callable[[Shell], bool]
) -> None:
    before = team.file.read_bytes()
    short = "".join(lines.splitlines(keepends=True)[:-1])
    # Here the last answer is a passphrase.
    code = 4 if words == ("rm-owner",) else 2
    team(*words, stdin=short).failed(code, "stdin ended before the answer to", "give ")
    assert team.file.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "lines", "error"),
    [
        (("init", "-f", "new.yaml", "--key-type", "fast"), f"{DAVE}\none harbour\nother harbour\n", "do not match"),
        (("add-key-custodian", "--key-type", "fast"), f"{DAVE}\none harbour\nother harbour\n", "do not match"),
        (("rekey-custodian", "--key-type", "fast"), f"{BOB_SAYS}one harbour\nother harbour\n", "do not match"),
        (("add-key-custodian", "--key-type", "fast"), f"{DAVE}\n\n\n", "the new passphrase is empty"),
        (("add-domain",), f"{ALICE_SAYS}\n", "'' cannot name a key domain"),
        (("add-secret",), "dev\n\nx\n", "'' cannot name a secret"),
        (("add-secret",), "\nnew\nx\n", "no key domain named ''"),
        (("add-owner",), f"{ALICE_SAYS}dev\n\n", "no key custodian named ''"),
        (("rm-key-custodian",), "\n", "no key custodian named ''"),
    ],
)
def test_answers_that_do_not_do(team: Shell, words: tuple[str, ...], lines: str, error: str) -> None:
    before = team.file.read_bytes()
    result = team(*words, stdin=lines)
    assert result.code in (2, 6)
    result.failed(result.code, error)
    assert team.file.read_bytes() == before
    assert sorted(path.name for path in team.folder.iterdir()) == [".git", "protected.yaml"]


def test_an_answer_that_is_no_text(team: Shell) -> None:
    team("add-secret", "dev", "new", stdin=b"\xff\n").failed(2, "the answer to 'Secret value' is not UTF-8 text")


def test_the_questions_are_not_printed_where_nobody_answers(team: Shell) -> None:
    result = team("add-owner", stdin=f"{ALICE_SAYS}dev\n{CAROL}\n")
    assert "Passphrase" not in result.err
    assert "New owner" not in result.err


def test_no_question_is_asked_for_an_empty_argument(team: Shell) -> None:
    team("add-secret", "", "new", stdin="x\n").failed(6, "no key domain named ''")
    team("rm-owner", "dev", "", stdin="x\n").failed(6, "owner")
    team("add-domain", "", *team.as_(), stdin="x\n").failed(6, "'' cannot name a key domain")
    team("init", "-f", "new.yaml", "--user", "", env=as_variables(), stdin="x\n").failed(6, "cannot name")
