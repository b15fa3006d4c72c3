"""How carefully values are handled, and domains of production."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from people import CREDS, MALLORY, Person, loaded, saved, signed_file
from shell import ALICE, BOB, CAROL, DEV, KEYS, Shell, as_variables

from pocket_protector import AccessError, Reference, Sensitivity
from pocket_protector.document.policy import Policy

LEVELS = ("low", "medium", "high", "inject-only")
QUESTION = "Lower the sensitivity of {} in dev to {}? [y/N]: "
LOOKS = "looks like production. Treat all values in it as highly sensitive? [y/N]: "
LOCAL = {"PPROTECT_ALLOW_LOCAL_REFERENCES": "1"}


def level(shell: Shell, name: str = "API_KEY", domain: str = "dev") -> str:
    return shell.store().get_secret_sensitivity(domain, name).word


def of(person: Shell, word: str, name: str = "API_KEY", signer: str | None = None) -> Shell:
    """The file with that secret of dev of such a sensitivity, which somebody signed or nobody."""
    store, creds = person.store(), None if signer is None else CREDS[signer]
    value = DEV["API_KEY"]
    store = store.rm_secret("dev", name).add_secret(
        "dev", name, value, creds=creds, sensitivity=Sensitivity.parse(word)
    )
    person.file.write_text(saved(store).get_contents(), encoding="utf-8")
    return person


def logged(shell: Shell, text: str) -> bool:
    """Whether the file's audit log has an entry of this text."""
    return any(entry.endswith(f" -- {text}") for entry in shell.store().get_audit_log())


# Setting it


@pytest.mark.parametrize(("command", "word"), [*(("add-secret", word) for word in LEVELS), ("set-secret", "high")])
def test_a_secret_is_set_with_it(alice: Shell, command: str, word: str) -> None:
    result = alice(command, "dev", "new", "--sensitivity", word, "--ignore-env", stdin="tulip\n")
    assert (result.code, result.out) == (0, "")
    assert level(alice, "new") == word
    usual = word == "medium"
    assert (f"  secret-new:\n    sensitivity: {word}\n    value: " in alice.file.read_text()) is not usual
    assert logged(alice, "added secret new in dev" + ("" if usual else f", of {word} sensitivity"))


def test_medium_if_nothing_is_said_and_then_it_stays(alice: Shell) -> None:
    alice.done("set-secret", "dev", "new", stdin="tulip\n")
    assert level(alice, "new") == "medium"
    alice.done("update-secret", "dev", "new", "--sensitivity", "inject-only", stdin="tulip\n")
    assert logged(alice, "raised the sensitivity of secret new in dev from medium to inject-only")
    alice.done("update-secret", "dev", "new", stdin="tulip-2\n")
    alice.done("set-secret", "dev", "new", "--reference", "file:///a")
    assert level(alice, "new") == "inject-only"


@pytest.mark.parametrize(
    ("command", "word"),
    [*(("set-sensitivity", word) for word in ("", "HIGH", "inject_only", "medium ", "2")), ("add-secret", "none")],
)
def test_words_that_are_none(alice: Shell, command: str, word: str) -> None:
    before = alice.file.read_bytes()
    given = {"add-secret": ("dev", "new", "--sensitivity", word), "set-sensitivity": ("dev", "API_KEY", word)}[command]
    alice(command, *given, stdin="tulip\n").failed(2, "is not a sensitivity", "low|medium|high|inject-only")
    assert alice.file.read_bytes() == before


def test_it_is_named_in_lists_and_reviews(pinned: Person) -> None:
    of(pinned, "inject-only")
    line = next(line for line in pinned.done("list-domain-secrets", "dev", "--long").splitlines() if "API_KEY" in line)
    assert line.split()[:3] == ["API_KEY", "value", "inject-only"]
    assert ", of inject-only sensitivity; not committed yet\n" in pinned("review", "dev", stdin="n\n").err


# set-sensitivity


def test_anybody_may_raise_what_nobody_signed(alice: Shell) -> None:
    before = alice.values()
    result = alice("set-sensitivity", "dev", "API_KEY", "high", "--ignore-env", "--non-interactive")
    assert (result.code, result.out) == (0, "")
    assert result.err.endswith("the sensitivity of secret API_KEY in dev is now high\n")
    assert (level(alice), alice.values()) == ("high", before)
    assert logged(alice, "raised the sensitivity of secret API_KEY in dev from medium to high")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("dev", "API_KEY", "medium"), "the sensitivity of 'API_KEY' in 'dev' is medium already"),
        (("dev", "nope", "high"), "no secret in 'dev' named 'nope'"),
        (("nope", "API_KEY", "high"), "no key domain named 'nope'"),
    ],
)
def test_what_set_sensitivity_refuses(alice: Shell, words: tuple[str, ...], error: str) -> None:
    before = alice.file.read_bytes()
    alice("set-sensitivity", *words).failed(6, error)
    assert alice.file.read_bytes() == before


def test_a_signed_value_is_signed_anew(pinned: Person) -> None:
    before = pinned.file.read_bytes()
    pinned("set-sensitivity", "dev", "API_KEY", "high", "--ignore-env").failed(4, "stdin ended")
    pinned("set-sensitivity", "dev", "API_KEY", "high", env=as_variables(CAROL)).failed(4, f"'{CAROL}' is not an owner")
    assert pinned.file.read_bytes() == before
    pinned.done("set-sensitivity", "dev", "API_KEY", "high")
    assert pinned.store().authority("dev").unreviewed == []
    assert logged(pinned, f"{ALICE} raised the sensitivity of secret API_KEY in dev from medium to high")
    assert pinned("verify").code == 0


def test_a_reference_has_one_too(alice: Shell) -> None:
    alice.done("set-secret", "dev", "API_KEY", "--reference", "file:///a", "--sensitivity", "high")
    alice.done("set-sensitivity", "dev", "API_KEY", "inject-only")
    assert level(alice) == "inject-only"
    assert alice.store().get_references("dev") == {"API_KEY": Reference("file:///a")}


# Lowering it

LOWERING = [
    ("set-sensitivity", "dev", "API_KEY", "medium"),
    ("update-secret", "dev", "API_KEY", "--generate", "--sensitivity", "medium"),
    ("set-secret", "dev", "API_KEY", "--reference", "file:///a", "--sensitivity", "medium"),
]


@pytest.mark.parametrize(
    ("words", "more"),
    [(LOWERING[0], ()), (LOWERING[1], ("--yes",)), (LOWERING[2], ("--non-interactive",))],
)
def test_an_owner_lowers_it_in_a_script(pinned: Person, words: tuple[str, ...], more: tuple[str, ...]) -> None:
    of(pinned, "high", signer=ALICE)
    result = pinned(*words, *more)
    assert (result.code, result.out) == (0, "")
    assert "[y/N]" not in result.err
    assert level(pinned) == "medium"
    assert pinned.store().authority("dev").unreviewed == []
    assert logged(pinned, f"{ALICE} lowered the sensitivity of secret API_KEY in dev from high to medium")


@pytest.mark.parametrize(
    ("options", "env", "code", "error"),
    [
        (("--ignore-env",), {}, 4, "stdin ended before the answer to 'User email'"),
        (("--ignore-env", "--non-interactive", "--yes"), {}, 2, "needs the credentials as options"),
        (("--yes",), {"PPROTECT_PASSPHRASE": "wrong"}, 4, "PPROTECT_PASSPHRASE"),
        (("--yes",), as_variables(CAROL), 4, f"'{CAROL}' is not an owner of 'dev'"),
    ],
)
def test_nobody_else_does(pinned: Person, options: tuple[str, ...], env: dict[str, str], code: int, error: str) -> None:
    before = of(pinned, "high").file.read_bytes()
    pinned(*LOWERING[0], *options, env=env).failed(code, error)
    assert pinned.file.read_bytes() == before


def test_nobody_vouches_for_what_they_have_not_seen(pinned: Person) -> None:
    before = of(pinned, "high").file.read_bytes()
    error = "no owner has signed 'API_KEY' in 'dev'; signing the new sensitivity would sign its value too"
    pinned(*LOWERING[0]).failed(6, error, "pprotect review dev")
    assert pinned.file.read_bytes() == before


@pytest.mark.parametrize("words", LOWERING[1:], ids=lambda words: words[0])
def test_nor_with_another_value(pinned: Person, words: tuple[str, ...]) -> None:
    before = of(pinned, "high").file.read_bytes()
    pinned(*words, env=as_variables(CAROL)).failed(4, f"'{CAROL}' is not an owner of 'dev'")
    pinned(*words, "--ignore-env").failed(4, "stdin ended", "give -u NAME")
    assert pinned.file.read_bytes() == before


def test_an_owner_who_does_not_count_lowers_nothing(pinned: Person) -> None:
    document = of(pinned, "high").store().document
    dev = document.domains["dev"]
    owners = {**dev.owners, BOB: replace(dev.owners[BOB], signed=None)}
    pinned.put(loaded(document.with_domain(replace(dev, owners=owners))))
    pinned("set-sensitivity", "dev", "API_KEY", "low", env=as_variables(BOB)).failed(5, f"owner/dev/{BOB}")
    with pytest.raises(AccessError, match=r"no owner who counts|does not count"):
        pinned.store().set_sensitivity("dev", "API_KEY", Sensitivity.LOW, creds=CREDS[BOB])


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 6), ("", 6)])
def test_it_is_asked_for_at_a_terminal(pinned: Person, answer: str, code: int) -> None:
    of(pinned, "high", signer=ALICE)
    terminal = pinned.terminal("set-sensitivity", "dev", "API_KEY", "low")
    terminal.answer(QUESTION.format("API_KEY", "low"), answer)
    assert terminal.end() == code
    assert level(pinned) == ("high" if code else "low")
    if code:
        assert "error: nothing was written: the sensitivity is unchanged" in terminal.shown


def test_it_is_asked_for_before_the_credentials_and_the_value(pinned: Person) -> None:
    of(pinned, "inject-only")
    terminal = pinned.terminal("update-secret", "dev", "API_KEY", "--sensitivity", "high", "--ignore-env")
    terminal.answer(QUESTION.format("API_KEY", "high"), "y")
    terminal.answer("User email: ", ALICE)
    terminal.answer("Passphrase: ", KEYS[ALICE])
    terminal.answer("Secret value: ", "hunter2")
    assert terminal.end() == 0
    assert (level(pinned), pinned.values()["API_KEY"]) == ("high", "hunter2")


def test_yes_and_non_interactive_at_a_terminal(pinned: Person) -> None:
    of(pinned, "high", signer=ALICE)
    terminal = pinned.terminal("set-sensitivity", "dev", "API_KEY", "medium", "--non-interactive")
    assert terminal.end() == 2
    assert "hint: give --yes" in terminal.shown
    assert level(pinned) == "high"
    terminal = pinned.terminal("set-sensitivity", "dev", "API_KEY", "medium", "--yes")
    assert terminal.end() == 0
    assert "[y/N]" not in terminal.shown
    assert level(pinned) == "medium"


def test_one_who_edits_the_file_is_found_out(pinned: Person) -> None:
    of(pinned, "high")
    pinned.done("trust", "accept", "--yes")
    text = pinned.file.read_text()
    pinned.file.write_text(text.replace("    sensitivity: high\n", ""))
    lowered = "older than what you saw: its sensitivity is medium here, and was high"
    for words in (("get", "dev", "API_KEY"), ("run", "dev", "--uppercase", "--", "true")):
        result = pinned(*words)
        assert result.code == 0
        assert f"warning: secret/dev/API_KEY: {lowered}" in result.err
    pinned.file.write_text(text)
    assert pinned("get", "dev", "API_KEY").err == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [("    sensitivity: inject-only\n", ""), ("    policy: {}\n", "    policy:\n      min-owners: 1\n")],
    ids=["word", "policy"],
)
def test_what_was_seen_of_it_counts_after_an_edit(pinned: Person, old: str, new: str) -> None:
    of(pinned, "inject-only")
    pinned.done("trust", "accept", "--yes")
    pinned.file.write_text(pinned.file.read_text().replace(old, new).replace("    sensitivity: inject-only\n", ""))
    for words in (("get", "dev", "API_KEY"), ("decrypt-domain", "dev")):
        result = pinned(*words)
        assert (result.code, result.out) == (8, "")
        assert "these values in 'dev' are inject-only, and are not printed: API_KEY" in result.err


@pytest.fixture
def raised(pinned: Person) -> Person:
    """An owner made a value that she had signed inject-only, and everybody has seen that."""
    pinned.done("set-sensitivity", "dev", "API_KEY", "inject-only")
    return pinned


def with_entry_of_before(person: Person) -> Person:
    """An entry of the first version of the file in the place of the one that there is, if there is one."""
    first = loaded(signed_file().document).document.domains["dev"].secrets["API_KEY"]
    document = person.store().document
    dev = document.domains["dev"]
    person.put(loaded(document.with_domain(replace(dev, secrets={**dev.secrets, "API_KEY": first}))))
    return person


@pytest.mark.parametrize("gone", [False, True])
def test_an_owners_signature_of_before_does_not_open_it(raised: Person, gone: bool) -> None:
    if gone:
        raised.put(raised.store().rm_secret("dev", "API_KEY"))
        assert raised("get", "dev", "db-password").code == 0
    with_entry_of_before(raised)
    for _ in range(2):
        result = raised("get", "dev", "API_KEY")
        assert (result.code, result.out) == (8, "")
        assert "note: secret/dev/API_KEY: an entry of before is back (signed by alice@example.com)" in result.err
        assert "pprotect trust accept" in result.err
        # What is told beside another command is not taken as seen either.
        assert raised("get", "dev", "db-password").code == 0
    assert raised.done("run", "dev", "--uppercase", "--", "printenv", "API_KEY") == DEV["API_KEY"] + "\n"
    raised.done("trust", "accept", "--yes")
    assert raised.done("get", "dev", "API_KEY") == DEV["API_KEY"]


def test_what_was_refused_at_first_sight_was_seen(someone: Person) -> None:
    of(someone, "inject-only")
    assert someone("get", "dev", "API_KEY").code == 8
    someone.file.write_text(someone.file.read_text().replace("    sensitivity: inject-only\n", ""))
    assert someone("get", "dev", "API_KEY").code == 8


# What it means: high


@pytest.fixture
def high(alice: Shell) -> Shell:
    alice.done("trust", "accept", "--yes")
    return of(alice, "high")


REFUSED = "these values in 'dev' are of high sensitivity, and stdout is a terminal: API_KEY"


@pytest.mark.parametrize("words", [("get", "dev", "API_KEY"), ("decrypt-domain", "dev")])
def test_high_ones_are_shown_on_a_terminal_on_request_only(high: Shell, words: tuple[str, ...]) -> None:
    terminal = high.terminal(*words)
    assert terminal.end() == 8
    assert f"error: {REFUSED}" in terminal.shown
    assert "hint: --reveal prints them all the same" in terminal.shown
    assert "tulip" not in terminal.shown
    terminal = high.terminal(*words, "--reveal")
    assert terminal.end() == 0
    assert DEV["API_KEY"] in terminal.shown


def test_they_are_refused_before_anything_is_asked(high: Shell) -> None:
    terminal = high.terminal("get", "dev", "API_KEY", "--ignore-env")
    assert terminal.end() == 8
    assert "User email" not in terminal.shown


def test_high_ones_go_into_a_pipe_and_a_file(high: Shell) -> None:
    for words in (("get", "dev", "API_KEY"), ("decrypt-domain", "dev")):
        assert DEV["API_KEY"] in high.done(*words)
    terminal = high.terminal(script="pprotect get dev API_KEY >out && pprotect get dev API_KEY | cat >>out")
    assert terminal.end() == 0
    assert (high.folder / "out").read_text() == DEV["API_KEY"] * 2
    assert "tulip" not in terminal.shown


def test_others_are_shown_beside_them(high: Shell) -> None:
    for words in (("get", "dev", "db-password"), ("decrypt-domain", "dev", "--secret", "db-password")):
        terminal = high.terminal(*words)
        assert terminal.end() == 0
        assert DEV["db-password"] in terminal.shown


def test_programs_get_high_ones_at_a_terminal(high: Shell) -> None:
    terminal = high.terminal(
        "run", "dev", "--uppercase", "--", "sh", "-c", f"test $API_KEY = {DEV['API_KEY']} && echo same"
    )
    assert terminal.end() == 0
    assert "same" in terminal.shown
    assert high.values()["API_KEY"] == DEV["API_KEY"]


def test_a_high_reference(high: Shell) -> None:
    (high.home / "value").write_text("tulip-file")
    high.done("set-secret", "dev", "API_KEY", "--reference", f"file://{high.home}/value")
    assert level(high) == "high"
    terminal = high.terminal("get", "dev", "API_KEY", env=LOCAL)
    assert terminal.end() == 8
    assert REFUSED in terminal.shown
    assert high.done("get", "dev", "API_KEY", env=LOCAL) == "tulip-file"
    terminal = high.terminal("get", "dev", "API_KEY", "--no-resolve")
    assert terminal.end() == 0
    assert terminal.shown == f"file://{high.home}/value\r\n"
    assert not (high.home / ".local/state/pprotect/access.log").read_text().count("\n") > 1


# Inject-only


@pytest.fixture
def inject_only(alice: Shell) -> Shell:
    return of(alice, "inject-only")


NEVER = "these values in 'dev' are inject-only, and are not printed: API_KEY"


@pytest.mark.parametrize(
    "words",
    [
        ("get", "dev", "API_KEY"),
        ("get", "dev", "API_KEY", "--reveal", "--no-resolve"),
        ("decrypt-domain", "dev", "--reveal", "--yes"),
        ("decrypt-domain", "dev", "--secret", "API_KEY"),
        ("decrypt-domain", "dev", "--output-format", "shell"),
        ("decrypt-domain", "dev", "--no-resolve", "--skip-unresolved"),
    ],
)
def test_inject_only_ones_are_never_printed(inject_only: Shell, words: tuple[str, ...]) -> None:
    inject_only(*words).failed(8, NEVER, "pprotect run dev -- COMMAND")


def test_all_of_them_are_named(inject_only: Shell) -> None:
    inject_only.done("set-sensitivity", "dev", "db-password", "inject-only")
    inject_only("decrypt-domain", "dev").failed(8, f"{NEVER}, db-password")
    terminal = inject_only.terminal("decrypt-domain", "dev", "--reveal")
    assert terminal.end() == 8
    assert "tulip" not in terminal.shown


def test_programs_and_the_library_get_them(inject_only: Shell) -> None:
    words = ("dev", "--uppercase", "--", "printenv", "API_KEY")
    assert inject_only.done("run", *words) == DEV["API_KEY"] + "\n"
    assert inject_only.done("exec", "--domain", *words) == DEV["API_KEY"] + "\n"
    assert inject_only.values() == DEV
    assert inject_only.done("get", "dev", "db-password") == DEV["db-password"]


def test_an_inject_only_reference(inject_only: Shell) -> None:
    (inject_only.home / "value").write_text("tulip-file")
    inject_only.done("set-secret", "dev", "API_KEY", "--reference", f"file://{inject_only.home}/value")
    inject_only("get", "dev", "API_KEY", env=LOCAL).failed(8, NEVER)
    inject_only("decrypt-domain", "dev", env=LOCAL).failed(8, NEVER)
    assert inject_only.done("get", "dev", "API_KEY", "--no-resolve") == f"file://{inject_only.home}/value"
    words = ("run", "dev", "--uppercase", "--", "printenv", "API_KEY")
    assert inject_only.done(*words, env=LOCAL) == "tulip-file\n"


@pytest.mark.parametrize("options", [(), ("--reveal",)])
def test_a_review_does_not_show_them(pinned: Person, options: tuple[str, ...]) -> None:
    of(pinned, "inject-only")
    result = pinned("review", "dev", *options, stdin="y\n")
    assert (result.code, result.out) == (0, "")
    assert ("(inject-only: never shown)" in result.err) or not options
    assert pinned.store().authority("dev").unreviewed == []
    of(pinned, "inject-only")
    terminal = pinned.terminal("review", "dev", "--reveal", "--yes")
    assert terminal.end() == 0
    assert "tulip" not in terminal.shown


def test_a_review_reveals_high_ones(pinned: Person) -> None:
    of(pinned, "high")
    assert pinned("review", "dev", "--reveal", stdin="n\n").out == DEV["API_KEY"] + "\n"
    terminal = pinned.terminal("review", "dev", "--reveal", "--yes")
    assert terminal.end() == 0
    assert DEV["API_KEY"] in terminal.shown


# Production


@pytest.mark.parametrize("name", ["Prod-EU", "my.production", "pröd"])
def test_a_name_that_looks_like_production_is_noted_in_scripts(alice: Shell, name: str) -> None:
    alice.done("rm-domain", "prod")
    result = alice("add-domain", name)
    assert (result.code, result.out) == (0, "")
    quoted = name if name.isascii() else f"'{name}'"
    note = f"note: {name} looks like production: pprotect set-policy {quoted} --production (or --no-production)\n"
    assert note in result.err
    assert alice.store().get_policy(name) == Policy()


@pytest.mark.parametrize("name", ["staging", "preprod"])
def test_other_names_are_not(alice: Shell, name: str) -> None:
    assert "production:" not in alice("add-domain", name).err
    terminal = alice.terminal("add-domain", f"{name}-2")
    assert terminal.end() == 0
    assert "[y/N]" not in terminal.shown


@pytest.mark.parametrize(("answer", "production"), [("y", True), ("n", None)])
def test_it_is_asked_at_a_terminal(alice: Shell, answer: str, production: bool | None) -> None:
    terminal = alice.terminal("add-domain", "prod-eu")
    terminal.answer(f"prod-eu {LOOKS}", answer)
    assert terminal.end() == 0
    assert alice.store().get_policy("prod-eu").production is production


@pytest.mark.parametrize(
    ("options", "production"),
    [
        (("--yes",), True),
        (("--yes", "--non-interactive"), True),
        (("--non-interactive",), None),
        (("--production",), True),
        (("--no-production",), False),
    ],
)
def test_it_is_not_asked(alice: Shell, options: tuple[str, ...], production: bool | None) -> None:
    terminal = alice.terminal("add-domain", "prod-eu", *options)
    assert terminal.end() == 0
    assert "[y/N]" not in terminal.shown
    assert alice.store().get_policy("prod-eu").production is production
    assert ("note: prod-eu looks like production" in terminal.shown) is (production is None)


@pytest.mark.parametrize(("option", "text"), [("--production", "true"), ("--no-production", "false")])
def test_a_script_says_which(alice: Shell, option: str, text: str) -> None:
    result = alice("add-domain", "prod-eu", option)
    assert (result.code, result.err.count("looks like")) == (0, 0)
    assert f"      production: {text}\n" in alice.file.read_text()


def test_a_bad_name_is_refused_before_that_is_asked(alice: Shell) -> None:
    terminal = alice.terminal("add-domain", "prod")
    assert terminal.end() == 6
    assert "[y/N]" not in terminal.shown


def test_set_policy_asks_too_and_not_again(pinned: Person) -> None:
    person = pinned.clone(BOB)
    person.done("trust", "accept", "--yes")
    terminal = person.terminal("set-policy", "prod", "--max-age", "90d")
    terminal.answer(f"prod {LOOKS}", "y")
    assert terminal.end() == 0
    assert person.store().get_policy("prod") == Policy(max_age=90, production=True)
    terminal = person.terminal("set-policy", "prod", "--no-max-age")
    assert terminal.end() == 0
    assert "[y/N]" not in terminal.shown
    assert person.store().get_policy("prod") == Policy(production=True)


def test_set_policy_in_a_script(pinned: Person) -> None:
    result = pinned("set-policy", "dev", "--production")
    assert (result.code, result.err) == (0, "the policy of dev now demands production true\n")
    result = pinned("set-policy", "dev", "--no-production")
    assert result.code == 0
    assert "note: the policy is weaker than before (production); verify will report it\n" in result.err
    assert result.err.endswith("the policy of dev now demands production false\n")
    person = pinned.clone(BOB)
    result = person("set-policy", "prod", "--max-age", "9d")
    assert (
        "note: prod looks like production: pprotect set-policy prod --production (or --no-production)\n" in result.err
    )


@pytest.mark.parametrize("name", [CAROL, MALLORY])
def test_only_an_owner_ends_production(pinned: Person, name: str) -> None:
    pinned.done("set-policy", "dev", "--production")
    before = pinned.file.read_bytes()
    (pinned.home / "key").write_text(CREDS[name].passphrase)
    result = pinned("set-policy", "dev", "--no-production", "-u", name, "--passphrase-file", str(pinned.home / "key"))
    result.failed(4, f"'{name}' is not an owner of 'dev'")
    pinned("set-policy", "dev", "--no-production", "--ignore-env").failed(4, "stdin ended")
    assert pinned.file.read_bytes() == before


def test_everything_in_production_is_high_at_least(pinned: Person) -> None:
    (pinned.home / "value").write_text("tulip-file")
    entries = {
        "low": ("tulip-low", Sensitivity.LOW),
        "never": ("tulip-never", Sensitivity.INJECT_ONLY),
        "ref": (Reference(f"file://{pinned.home}/value"), Sensitivity.MEDIUM),
    }
    store = pinned.store()
    for name, (value, sensitivity) in entries.items():
        store = store.add_secret("dev", name, value, creds=CREDS[ALICE], sensitivity=sensitivity)
    pinned.put(store.set_policy("dev", Policy(production=True), CREDS[ALICE]))
    rows = json.loads(pinned.done("list-domain-secrets", "dev", "--long", "--json"))["secrets"]
    assert {row["name"]: row["sensitivity"] for row in rows} == {
        **dict.fromkeys(("API_KEY", "db-password", "low", "ref"), "high"),
        "never": "inject-only",
    }
    for name in ("low", "API_KEY", "ref"):
        terminal = pinned.terminal("get", "dev", name, env=LOCAL)
        assert terminal.end() == 8
        assert f"are of high sensitivity, and stdout is a terminal: {name}" in terminal.shown
    assert pinned.done("get", "dev", "ref", env=LOCAL) == "tulip-file"
    pinned("decrypt-domain", "dev", env=LOCAL).failed(8, "inject-only, and are not printed: never")
    # What is written beside each stays, for when the domain is production no more.
    pinned.done("set-policy", "dev", "--no-production")
    assert [level(pinned, name) for name in ("low", "API_KEY", "never")] == ["low", "medium", "inject-only"]


def test_a_lower_one_may_be_given_in_production_and_means_nothing(pinned: Person) -> None:
    pinned.done("set-policy", "dev", "--production")
    pinned.done("add-secret", "dev", "low", "--generate", "--sensitivity", "low")
    assert level(pinned, "low") == "high"
    terminal = pinned.terminal("get", "dev", "low")
    assert terminal.end() == 8


def test_nothing_of_a_value_is_in_the_state_folder(inject_only: Shell) -> None:
    inject_only("decrypt-domain", "dev")
    inject_only("run", "dev", "--uppercase", "--", "true")
    files = [Path(folder) / name for folder, _, names in os.walk(inject_only.home) for name in names]
    assert files
    assert [path for path in files if b"tulip" in path.read_bytes()] == []
