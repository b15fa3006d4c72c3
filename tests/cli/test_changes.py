"""What commands that change the file say and do beyond the change itself."""

from __future__ import annotations

import re
import subprocess

import pytest
from people import unsigned_file
from shell import ALICE, BIN, BOB, CAROL, DEV, KEYS, NEVER_SHOWN, Shell, as_variables

from pocket_protector import AccessError, Creds

RAW_KEY = re.compile(r"P[0-9a-f]{64}P\n")
WRONG = "P" + "00" * 32 + "P"


# Owners


def test_rm_owner_with_an_owners_credentials_rotates(alice: Shell) -> None:
    before = alice.file.read_text()
    result = alice("rm-owner", "dev", BOB)
    assert result.code == 0
    assert f"{BOB} could read dev: API_KEY, db-password" in result.err
    assert "pprotect update-secret dev NAME" in result.err
    assert "the key of dev is rotated" in result.err
    assert alice.values() == DEV
    keys = [re.search("^dev:\n  meta:\n    public-key: (.*)$", text, re.M) for text in (before, alice.file.read_text())]
    assert keys[0] is not None
    assert keys[1] is not None
    assert keys[0][1] != keys[1][1]


@pytest.mark.parametrize("env", [{}, as_variables()])
def test_rm_owner_without_rotation_says_what_that_is_worth(team: Shell, env: dict[str, str]) -> None:
    """In a domain that nobody has signed, where it is possible."""
    team.file.write_text(unsigned_file().get_contents(), encoding="utf-8")
    result = team("rm-owner", "dev", BOB, *(["--no-rotate"] if env else []), env=env)
    assert result.code == 0
    assert "their key still opens dev until an owner runs: pprotect rotate-domain-keys dev" in result.err
    assert team.store().get_domain_owner_names("dev") == [ALICE]


@pytest.mark.parametrize("words", [("--no-rotate",), ("--non-interactive",), ("--no-rotate", "--yes")])
def test_in_a_signed_domain_an_owner_leaves_only_by_a_rotation(team: Shell, words: tuple[str, ...]) -> None:
    before = team.file.read_bytes()
    hint = f"pprotect rm-owner dev {BOB}" if "--no-rotate" in words else "PPROTECT_USER"
    team("rm-owner", "dev", BOB, *words).failed(4, "", hint)
    assert team.file.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "env", "answers"),
    [
        ((), {}, [ALICE, KEYS[ALICE]]),
        (("-u", ALICE), {}, [KEYS[ALICE]]),
        ((), {"PPROTECT_USER": ALICE}, [KEYS[ALICE]]),
    ],
)
def test_rm_owner_asks_for_an_owners_credentials(
    team: Shell, words: tuple[str, ...], env: dict[str, str], answers: list[str]
) -> None:
    key = team.store().document.domains["dev"].key
    result = team("rm-owner", "dev", BOB, *words, env=env, stdin="".join(f"{line}\n" for line in answers))
    assert result.code == 0
    assert "the key of dev is rotated" in result.err
    assert team.store().get_domain_owner_names("dev") == [ALICE]
    assert team.store().document.domains["dev"].key != key


@pytest.mark.parametrize(
    ("words", "env", "code", "error"),
    [
        ((), as_variables(CAROL), 4, CAROL),
        ((), as_variables() | {"PPROTECT_PASSPHRASE": WRONG}, 4, "(from env var: PPROTECT_PASSPHRASE)"),
        ((), as_variables() | {"PPROTECT_PASSPHRASE": ""}, 4, "no passphrase is given"),
        (("--passphrase-file", "KEY"), {}, 4, "stdin ended before the answer to 'User email'"),
        (
            ("--passphrase-file", "KEY", "--ignore-env"),
            as_variables(),
            4,
            "stdin ended before the answer to 'User email'",
        ),
    ],
)
def test_rm_owner_with_credentials_that_do_not_do(
    team: Shell, words: tuple[str, ...], env: dict[str, str], code: int, error: str
) -> None:
    before = team.file.read_bytes()
    given = (word.replace("KEY", team.key_file()) for word in words)
    team("rm-owner", "dev", BOB, *given, env=env).failed(code, error)
    assert team.file.read_bytes() == before


def test_the_last_owner_stays(team: Shell) -> None:
    before = team.file.read_bytes()
    for words in (("rm-owner", "prod", BOB), ("rm-owner", "prod", BOB, *team.as_(BOB)), ("rm-key-custodian", BOB)):
        team(*words).failed(6, f"'{BOB}' is the last owner of prod", "pprotect add-owner prod")
    assert team.file.read_bytes() == before


def test_rm_owner_of_one_who_is_none(alice: Shell) -> None:
    alice("rm-owner", "dev", CAROL).failed(6, f"'{CAROL}'")
    alice("add-owner", "dev", "carl@example.com").failed(6, "'carl@example.com'", f"'{CAROL}'")
    alice("add-owner", "prod", CAROL).failed(4, ALICE)


def test_migrate_owner_names_the_domains_and_asks(team: Shell) -> None:
    result = team("migrate-owner", CAROL, *team.as_(BOB), stdin="n\n")
    assert result.code == 0
    assert f"Will add {CAROL} as owner to: dev, prod" in result.err
    assert "nothing was written" in result.err
    team("migrate-owner", CAROL, *team.as_(BOB)).failed(2, "'Proceed? [y/N]'", "--yes")
    assert team.store().get_custodian_domains(CAROL) == []
    team("migrate-owner", BOB, "--yes", *team.as_(CAROL)).failed(6, f"'{CAROL}' does not own any domains")


# Custodians


def test_rm_key_custodian_says_what_they_could_read(team: Shell) -> None:
    hint = f"another owner runs first: pprotect rm-owner dev {ALICE}"
    team("rm-key-custodian", ALICE).failed(6, f"'{ALICE}' owns signed domains", hint)
    team.file.write_text(unsigned_file().get_contents(), encoding="utf-8")
    assert team("add-owner", "dev", CAROL, env=as_variables()).code == 0
    result = team("rm-key-custodian", CAROL)
    assert result.code == 0
    assert f"{CAROL} could read dev: API_KEY, db-password" in result.err
    assert "until an owner runs: pprotect rotate-domain-keys dev" in result.err
    assert sorted(team.store().get_domain_owner_names("dev")) == [ALICE, BOB]


def test_a_changed_passphrase_leaves_the_domains_alone(team: Shell) -> None:
    before = team.file.read_text()
    words = ("set-key-custodian-passphrase", ALICE, "--passphrase-file", team.key_file())
    result = team(*words, "--key-type", "raw", "--new-passphrase-file", team.key_file(CAROL))
    assert result.code == 0
    assert f"pprotect rekey-custodian {ALICE}" in result.err
    assert "git's history" in result.err
    assert team.file.read_text().split("key-custodians:")[0] == before.split("key-custodians:")[0]
    with pytest.raises(AccessError):
        team.values()
    assert team.store().decrypt_domain("dev", Creds(ALICE, KEYS[CAROL])) == DEV


def test_a_rekeyed_custodian_is_told_to_rotate(team: Shell) -> None:
    words = ("rekey-custodian", BOB, "--passphrase-file", team.key_file(BOB))
    result = team(*words, "--key-type", "raw", "--new-passphrase-file", team.key_file(CAROL))
    assert result.code == 0
    for domain in ("dev", "prod"):
        assert f"  pprotect rotate-domain-keys {domain}\n" in result.err
    assert team.store().decrypt_domain("dev", Creds(BOB, KEYS[CAROL])) == DEV


def test_a_rekeyed_custodian_who_owns_nothing_is_told_nothing_more(team: Shell) -> None:
    words = ("rekey-custodian", CAROL, "--passphrase-file", team.key_file(CAROL), "--key-type", "raw")
    result = team(*words, "--new-passphrase-file", team.key_file(BOB))
    assert result.err == f"gave {CAROL} new keys\n"


DONE = [
    (("truncate-audit-log", "1"), "kept the newest 1 entries of the audit log"),
    (("add-domain", "stage"), f"added key domain stage, owned by {ALICE}"),
    (("rm-domain", "prod"), "removed key domain prod"),
    (("rotate-domain-keys", "dev"), "rotated the key of dev"),
    (("add-owner", "dev", CAROL), f"added owner {CAROL} to dev"),
    (("rm-owner", "dev", BOB), f"removed owner {BOB} from dev"),
    (("migrate-owner", CAROL, "--yes"), f"added owner {CAROL} to dev"),
    (("add-secret", "dev", "new", "--generate"), "added secret new to dev"),
    (("update-secret", "dev", "API_KEY", "--generate"), "updated secret API_KEY in dev"),
    (("set-secret", "dev", "new", "--generate"), "set secret new in dev"),
    (("rm-secret", "dev", "API_KEY"), "removed secret API_KEY from dev"),
    (("rm-key-custodian", CAROL), f"removed key custodian {CAROL}"),
    (
        ("add-key-custodian", "dave", "--key-type", "raw", "--new-passphrase-file", "KEY"),
        "added key custodian dave; an owner runs: pprotect add-owner DOMAIN dave",
    ),
    (
        ("set-key-custodian-passphrase", BOB, "--passphrase-file", "KEY", "--new-passphrase-file", "KEY"),
        f"changed the passphrase of {BOB}",
    ),
]


@pytest.mark.parametrize(("words", "done"), DONE, ids=lambda given: given[0] if isinstance(given, tuple) else "")
def test_what_is_done_is_said(alice: Shell, words: tuple[str, ...], done: str) -> None:
    given = [alice.key_file(BOB) if word == "KEY" else word for word in words]
    kind = ("--key-type", "fast") if words[0].startswith("set-key") else ()
    result = alice(*given, *kind)
    assert (result.code, result.out) == (0, "")
    assert done in result.err.splitlines()


def test_names_in_commands_are_quoted(alice: Shell) -> None:
    """A file may come from anybody."""
    domain, custodian = "dev; touch x", "dave $(touch x)"
    alice.done("add-domain", domain)
    raw = ("--key-type", "raw", "--new-passphrase-file", alice.key_file(CAROL))
    assert f"pprotect add-owner DOMAIN '{custodian}'\n" in alice("add-key-custodian", custodian, *raw).err
    alice.done("add-owner", domain, custodian)
    own = (custodian, "--passphrase-file", alice.key_file(CAROL))
    assert f"pprotect rekey-custodian '{custodian}'," in alice("set-key-custodian-passphrase", *own, *raw).err
    assert f"  pprotect rotate-domain-keys '{domain}'\n" in alice("rekey-custodian", *own, *raw).err
    err = alice("rm-owner", domain, custodian, "--no-rotate").err
    assert f"pprotect rm-owner '{domain}' '{custodian}'\n" in err
    err = alice("rm-owner", domain, custodian).err
    assert f"pprotect update-secret '{domain}' NAME\n" in err


@pytest.mark.parametrize(
    ("words", "stdin"),
    [(("--yes",), None), (("--non-interactive",), None), (("--yes", "--non-interactive"), None), ((), "YES\n")],
)
@pytest.mark.parametrize("command", ["init", "add-key-custodian", "set-key-custodian-passphrase", "rekey-custodian"])
def test_a_made_raw_key_is_printed_once(team: Shell, command: str, words: tuple[str, ...], stdin: str | None) -> None:
    name = "dave@example.com" if command in ("init", "add-key-custodian") else BOB
    if command == "init":
        team.file.unlink()
    given = ("--user", name) if name != BOB else team.as_(BOB)
    result = team(command, "--key-type", "raw", *given, *words, stdin=stdin)
    assert result.code == 0
    assert RAW_KEY.fullmatch(result.out)
    key = result.out.strip()
    assert key not in result.err
    assert team.store().check_creds(Creds(name, key))


@pytest.mark.parametrize("stdin", ["", "yes\n", "no\n"])
def test_a_made_raw_key_that_nobody_saved(empty: Shell, stdin: str) -> None:
    result = empty("init", "--key-type", "raw", "--user", ALICE, stdin=stdin)
    result.failed(2, "the next line of stdin is not YES", "give --yes")
    assert not empty.file.exists()


COMMANDS_THAT_MAKE_KEYS = ["init", "add-key-custodian", "set-key-custodian-passphrase", "rekey-custodian"]


@pytest.mark.parametrize("stdin", ["n\n", "n\nYES\n", "\nYES\n"])
@pytest.mark.parametrize("command", COMMANDS_THAT_MAKE_KEYS)
def test_a_made_raw_key_is_not_printed_if_the_diff_is_declined(team: Shell, command: str, stdin: str) -> None:
    before = team.file.read_bytes()
    words = {"init": ("-f", "new.yaml", "-u", "dave"), "add-key-custodian": ("dave",)}.get(command, team.as_(BOB))
    result = team(command, "--key-type", "raw", *words, "--confirm", stdin=stdin)
    assert (result.code, result.out) == (0, "")
    assert result.err.endswith("aborted: nothing was written\n")
    assert team.file.read_bytes() == before
    assert not (team.folder / "new.yaml").exists()


def test_a_made_raw_key_is_printed_after_the_diff_is_agreed_to(team: Shell) -> None:
    result = team("add-key-custodian", "dave", "--key-type", "raw", "--confirm", stdin="y\nYES\n")
    assert RAW_KEY.fullmatch(result.out)
    assert team.store().check_creds(Creds("dave", result.out.strip()))


@pytest.mark.parametrize("words", [("--yes",), ("--non-interactive",), ()])
@pytest.mark.parametrize(("name", "error"), [(BOB, "already exists"), (" x", "cannot name a key custodian")])
def test_no_raw_key_is_printed_for_a_name_that_will_not_do(
    team: Shell, words: tuple[str, ...], name: str, error: str
) -> None:
    """`failed` looks for data on stdout."""
    team("add-key-custodian", name, "--key-type", "raw", *words, stdin="YES\n").failed(6, error)
    if name != BOB:
        team("init", "-f", "new.yaml", "-u", name, "--key-type", "raw", *words, stdin="YES\n").failed(6, error)
        assert not (team.folder / "new.yaml").exists()


@pytest.mark.parametrize("command", ["set-key-custodian-passphrase", "rekey-custodian"])
def test_a_made_raw_key_that_is_declined_changes_nothing(team: Shell, command: str) -> None:
    before = team.file.read_bytes()
    team(command, "--key-type", "raw", *team.as_(BOB), stdin="no\n").failed(2, "is not YES", "give --yes")
    assert team.file.read_bytes() == before


@pytest.mark.parametrize(
    "key", ["P" + "A1" * 32 + "P", "P" + "a1" * 31 + "P", "a1" * 32, "my words", "", "P" + "g1" * 32 + "P"]
)
@pytest.mark.parametrize("command", ["init", "add-key-custodian", "rekey-custodian"])
def test_a_given_raw_key_of_another_form(team: Shell, command: str, key: str) -> None:
    (team.home / "given").write_text(key)
    if command == "init":
        words = ["-f", "new.yaml", "--user", "dave", "--passphrase-file", str(team.home / "given")]
    else:
        words = ["--new-passphrase-file", str(team.home / "given")]
        words += ["dave"] if command == "add-key-custodian" else team.as_(BOB)
    before = team.file.read_bytes()
    team(command, "--key-type", "raw", *words).failed(2, "raw key has not the form P<64", "one is made")
    assert team.file.read_bytes() == before
    assert not (team.folder / "new.yaml").exists()


@pytest.mark.parametrize("command", ["init", "add-key-custodian"])
def test_a_name_that_will_not_do_is_said_before_a_passphrase_is_asked_for(team: Shell, command: str) -> None:
    words = ("-f", "new.yaml", "-u", " x") if command == "init" else (" x",)
    team(command, *words).failed(6, "cannot name a key custodian")
    team("add-key-custodian", BOB).failed(6, "already exists")


def test_where_a_raw_key_of_another_form_came_from(team: Shell) -> None:
    env = {"PPROTECT_PASSPHRASE": "hunter2"}
    words = ("init", "-f", "new.yaml", "-u", "dave", "--key-type", "raw")
    team(*words, env=env).failed(2, "(from env var: PPROTECT_PASSPHRASE)", "--ignore-env leaves it out")
    (team.home / "given").write_text("hunter2")
    path = str(team.home / "given")
    team(*words, "--passphrase-file", path, env=env).failed(2, f"(from passphrase file: {path})", "give none")


def test_names_that_are_taken(team: Shell) -> None:
    raw = ("--key-type", "raw", "--new-passphrase-file", team.key_file(CAROL))
    team("add-key-custodian", BOB, *raw).failed(6, "already exists", "pprotect set-key-custodian-passphrase")
    team("add-domain", "dev", *team.as_()).failed(6, "'dev' already exists")
    for name in ("meta", "meta-x", "key-custodians", "audit-log", "x-y", " dev", "a\u200bb", "a\nb", "e\u0301"):
        team("add-domain", name, *team.as_()).failed(6, "cannot name a key domain")
    team("add-key-custodian", "x\u202ey", *raw).failed(6, "cannot name a key custodian")


# Rotation


def test_rotation_keeps_values_and_their_times(alice: Shell) -> None:
    before = alice.file.read_text()
    result = alice("rotate-domain-keys", "dev")
    assert f"wrapping the new key of dev for: {ALICE}, {BOB}" in result.err
    after = alice.file.read_text()
    assert re.findall("updated: .*", before) == re.findall("updated: .*", after)
    assert alice.values(name=BOB) == DEV


def test_a_value_of_another_branch_is_reported_and_resealed(alice: Shell) -> None:
    other = alice.folder / "other.yaml"
    other.write_bytes(alice.file.read_bytes())
    alice.done("add-secret", "dev", "late", "-f", str(other), stdin="hunter2")
    alice.done("rotate-domain-keys", "dev")
    block = re.search("  secret-late:\n.*\n.*\n", other.read_text())
    assert block is not None
    alice.file.write_text(alice.file.read_text().replace("\nprod:\n", f"\n{block[0]}prod:\n"))
    result = alice("get", "dev", "late")
    assert result.out == "hunter2"
    assert "sealed to an earlier key of dev: late; to re-seal them: pprotect rotate-domain-keys dev\n" in result.err
    alice.done("rotate-domain-keys", "dev", "--no-history")
    assert alice("get", "dev", "late").err == ""
    assert "private-key" not in alice.file.read_text().split("key-custodians:")[0]


# Confirmation


@pytest.mark.parametrize(("answer", "written"), [("y\n", True), ("Yes\n", True), ("n\n", False), ("\n", False)])
def test_confirm_shows_the_diff_that_is_written(team: Shell, answer: str, written: bool) -> None:
    before = team.file.read_bytes()
    result = team("rm-domain", "prod", "--confirm", stdin=answer)
    assert (result.code, result.out) == (0, "")
    assert f"--- {team.file}.old" in result.err
    assert f"+++ {team.file}.new" in result.err
    assert re.search("^-prod:$", result.err, re.M)
    assert re.search(r"^\+  - .*deleted domain prod$", result.err, re.M)
    assert (team.file.read_bytes() == before) != written
    assert ("nothing was written" in result.err) != written


def test_confirm_and_yes(team: Shell) -> None:
    result = team("rm-domain", "prod", "--confirm", "--yes")
    assert "-prod:" in result.err
    assert team.store().get_domain_names() == ["dev"]


def test_confirm_of_init_shows_the_path_that_is_made(team: Shell) -> None:
    deep = team.folder / "deep"
    deep.mkdir()
    words = ("init", "--key-type", "raw", "--confirm", *team.as_())
    result = team(*words, stdin="n\n", folder=deep)
    assert f"+++ {deep}/protected.yaml.new" in result.err
    assert not list(deep.iterdir())
    team(*words, folder=deep).failed(2, "'Write changes? [y/N]'", "--yes")
    assert not list(deep.iterdir())


def test_the_diff_shows_no_secret(alice: Shell) -> None:
    result = alice("set-secret", "dev", "API_KEY", "--confirm", stdin="hunter2\nn\n")
    assert not [text for text in NEVER_SHOWN if text in result.err]
    assert "secret-API_KEY" in result.err


# Writing


def test_two_changes_at_once_are_both_there(team: Shell) -> None:
    children = [
        subprocess.Popen(
            [str(BIN / "pprotect"), "add-secret", "dev", f"n{number}", "--generate"],
            cwd=team.folder,
            env=team.environment(),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for number in range(6)
    ]
    assert [child.wait(timeout=60) for child in children] == [0] * 6
    assert len(team.values()) == len(DEV) + 6
    assert sorted(path.name for path in team.folder.iterdir()) == [".git", "protected.yaml"]


def test_a_change_meanwhile_of_the_same_secret_is_a_conflict(team: Shell) -> None:
    terminal = team.terminal("set-secret", "dev", "API_KEY", "--confirm")
    terminal.answer("Secret value: ", "mine")
    terminal.expect("Write changes? [y/N]: ")
    team.done("set-secret", "dev", "API_KEY", stdin="theirs")
    terminal.send("y\n")
    assert terminal.end() == 6
    assert "secret/dev/API_KEY" in terminal.shown
    assert team.values()["API_KEY"] == "theirs"
