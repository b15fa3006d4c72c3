"""What commands that change the file say and do beyond the change itself."""

from __future__ import annotations

import re
import subprocess

import pytest
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
    result = team("rm-owner", "dev", BOB, *(["--no-rotate"] if env else []), env=env)
    assert result.code == 0
    assert "their key still opens dev until an owner runs: pprotect rotate-domain-keys dev" in result.err
    assert team.store().get_domain_owner_names("dev") == [ALICE]


def test_rm_owner_asks_for_no_credentials(team: Shell) -> None:
    assert team("rm-owner", "dev", BOB, env={"PPROTECT_USER": ALICE}).code == 0
    assert team.store().get_domain_owner_names("dev") == [ALICE]


@pytest.mark.parametrize(
    ("words", "env", "code", "error"),
    [
        ((), as_variables(CAROL), 4, CAROL),
        ((), as_variables() | {"PPROTECT_PASSPHRASE": WRONG}, 4, "(from env var: PPROTECT_PASSPHRASE)"),
        ((), as_variables() | {"PPROTECT_PASSPHRASE": ""}, 4, "no passphrase is given"),
        (("-u", ALICE), {}, 2, "--user is given, and no passphrase"),
        (("--passphrase-file", "KEY"), {}, 2, "--passphrase-file is given, and no user"),
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
    result = team("rm-key-custodian", ALICE)
    assert result.code == 0
    assert f"{ALICE} could read dev: API_KEY, db-password" in result.err
    assert "until an owner runs: pprotect rotate-domain-keys dev" in result.err
    assert team.store().get_domain_owner_names("dev") == [BOB]
    assert team("rm-key-custodian", CAROL).err == ""


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
    assert result.code == (0 if stdin else 2)
    assert ("nothing was written" in result.err) == bool(stdin)
    assert ("hint: give --yes" in result.err) == (not stdin)
    assert not empty.file.exists()


@pytest.mark.parametrize("command", ["set-key-custodian-passphrase", "rekey-custodian"])
def test_a_made_raw_key_that_is_declined_changes_nothing(team: Shell, command: str) -> None:
    before = team.file.read_bytes()
    result = team(command, "--key-type", "raw", *team.as_(BOB), stdin="no\n")
    assert result.code == 0
    assert "nothing was written" in result.err
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
    assert f"wrapped for: {ALICE}, {BOB}" in result.err
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
    assert "sealed to an earlier key of dev: late; pprotect rotate-domain-keys dev re-seals them" in result.err
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
