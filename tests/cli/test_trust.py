"""What somebody has seen of a file, and whom they trust."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from people import ATTACKS, CREDS, MALLORY, Person, founder, saved, unsigned_file
from shell import ALICE, BIN, BOB, CAROL, DEV, KEYS, PROD, Shell

FIRST = "note: first contact with this file: compare its custodians' fingerprints (pprotect trust)\n"
READ = ("get", "dev", "API_KEY")


def test_trust_shows_what_there_is(someone: Person) -> None:
    result = someone("trust")
    assert (result.code, result.err) == (0, "")
    words = someone.done("fingerprint", BOB).splitlines()[0]
    seen = "seen: never: this is the first contact; compare the fingerprints with their owners"
    assert f"file id: {someone.store().file_id.hex()}\n{seen}\n" in result.out
    assert f"  - {BOB}: {words}\n" in result.out
    assert f"  - dev: signed by {ALICE}; owners who count: {ALICE}, {BOB}\n" in result.out
    shown = someone.done("trust")
    assert "seen: as it is now\n" in shown
    assert "info: " not in shown


def test_trust_as_json(pinned: Person) -> None:
    pinned.put(ATTACKS["owner"](pinned.store()))
    result = pinned("trust", "--json")
    assert result.code == 1
    shown = json.loads(result.out)
    assert shown["schema"] == 1
    trust = shown["trust"]
    assert trust["first_contact"] is False
    assert trust["key_custodians"][CAROL] == pinned.store().get_fingerprint(CAROL).hex()
    assert trust["domains"]["prod"] == {"signed_by": BOB, "owners": [BOB]}
    (found,) = [finding for finding in trust["findings"] if finding["severity"] == "violation"]
    assert (found["code"], found["object"]) == ("owner-injected", f"owner/dev/{MALLORY}")


@pytest.mark.parametrize(
    ("options", "stdin", "code", "accepted"),
    [
        ((), "y\n", 0, True),
        ((), "yes\n", 0, True),
        (("--yes",), None, 0, True),
        (("--yes", "--non-interactive"), None, 0, True),
        ((), "n\n", 0, False),
        ((), "\n", 0, False),
        ((), "", 2, False),
        ((), None, 2, False),
        (("--non-interactive",), None, 2, False),
    ],
)
def test_accept(pinned: Person, options: tuple[str, ...], stdin: str | None, code: int, accepted: bool) -> None:
    before = pinned.pin.read_bytes()
    pinned.put(ATTACKS["custodian"](pinned.store()))
    result = pinned("trust", "accept", *options, stdin=stdin)
    assert result.code == code
    assert f"violation: custodian/{BOB}: the keys were replaced" in result.out
    assert ("is trusted as it is now" in result.err) == accepted
    assert ("nothing was accepted" in result.err) == (code == 0 and not accepted)
    assert ("hint: give --yes" in result.err) == (code == 2)
    assert (pinned.pin.read_bytes() != before) == accepted
    assert pinned("trust").code == (0 if accepted else 1)


def test_accept_with_a_closed_stdin(pinned: Person) -> None:
    result = pinned.sh("pprotect trust accept <&-")
    assert result.code == 2
    assert "hint: give --yes" in result.err


def test_accept_where_nothing_changed(pinned: Person) -> None:
    before = pinned.pin.read_bytes()
    assert "seen: as it is now\n" in pinned.done("trust", "accept", "--yes")
    assert pinned.pin.read_bytes() == before


def test_an_unknown_word(pinned: Person) -> None:
    pinned("trust", "reject").failed(2, "trust takes no argument but accept, not 'reject'", "pprotect trust accept")
    pinned("trust", "accept", "now").failed(2, "too many arguments")


def test_fingerprint(someone: Person) -> None:
    raw = someone.store().get_fingerprint(BOB)
    words, digits = someone.done("fingerprint", BOB).splitlines()
    assert digits == raw.hex()
    assert len(words.split("-")) == 8
    shown = json.loads(someone.done("fingerprint", BOB, "--json"))
    assert shown == {"schema": 1, "fingerprint": {"custodian": BOB, "words": words, "hex": digits}}
    someone("fingerprint", "bib@example.com").failed(6, "no key custodian named 'bib@example.com'")
    someone("fingerprint").failed(2, "no CUSTODIAN is given")


# Where pins are


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({}, ".local/state/pprotect"),
        ({"XDG_STATE_HOME": "{home}/xdg"}, "xdg/pprotect"),
        ({"XDG_STATE_HOME": "{home}/xdg", "PPROTECT_STATE_DIR": "{home}/own"}, "own"),
    ],
)
def test_where_pins_are(someone: Person, variables: dict[str, str], folder: str) -> None:
    env = {name: value.format(home=someone.home) for name, value in variables.items()}
    someone.done(*READ, env=env)
    assert [path.name for path in (someone.home / folder / "pins").iterdir()] == [someone.store().file_id.hex()]
    made = {path.relative_to(someone.home).parts[0] for path in someone.home.iterdir()}
    assert made == {folder.split("/", maxsplit=1)[0]}


def test_a_first_use_is_silent_without_a_terminal(someone: Person) -> None:
    assert someone(*READ).err == ""
    assert someone.done(*READ, "--require-signed") == DEV["API_KEY"]


def test_two_work_trees_share_what_was_seen(pinned: Person) -> None:
    """Another file in the place of the one that was seen, in the other work tree."""
    pinned.git("worktree", "add", "-q", "../side", "-b", "side")
    side = Person(pinned.folder.parent / "side", pinned.home, name=ALICE)
    assert side.done(*READ, "--require-signed") == DEV["API_KEY"]
    side.put(unsigned_file())
    assert "warning: file: another file stands in the place of this one" in side(*READ).err
    assert side("add-secret", "dev", "new", "--generate").code == 5


def test_another_file_in_the_place_of_a_clone(pinned: Person) -> None:
    """A clone was removed, and that of another repository is there now."""
    before = unsigned_file()
    pinned.put(before)
    content = pinned.file.read_bytes()
    result = pinned(*READ)
    assert (result.code, result.out) == (0, DEV["API_KEY"])
    assert "warning: file: another file stands in the place of this one: its file id is another\n" in result.err
    pinned("add-secret", "dev", "new", "--generate").failed(5, "another file stands", "pprotect trust accept")
    assert pinned.file.read_bytes() == content
    pinned.done("trust", "accept", "--yes")
    pinned.done("add-secret", "dev", "new", "--generate")


def test_a_file_that_was_made_anew_by_oneself(pinned: Person) -> None:
    pinned.file.unlink()
    pinned.done("init", "--key-type", "raw", *pinned.as_())
    pinned.done("add-domain", "dev")
    pinned.done("add-secret", "dev", "new", "--generate")


# State folders that will not do, and pins that are damaged


def test_reading_and_writing_go_on_where_nothing_can_be_kept(someone: Person) -> None:
    someone.variables["PPROTECT_STATE_DIR"] = "/dev/null/x"
    result = someone(*READ)
    assert (result.code, result.out) == (0, DEV["API_KEY"])
    assert "note: your record of the file is not kept: cannot make /dev/null/x" in result.err
    assert someone("add-secret", "dev", "new", "--generate").code == 0
    assert someone.values("dev")["new"]
    someone(*READ, "--require-signed").failed(8, "nobody is trusted yet", "pprotect trust accept")


def test_accept_where_nothing_can_be_kept(someone: Person) -> None:
    result = someone("trust", "accept", "--yes", env={"PPROTECT_STATE_DIR": "/dev/null/x"})
    assert "is trusted as it is now" not in result.err
    assert result.code == 6


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_state_folder_that_may_only_be_read(pinned: Person) -> None:
    folders = [pinned.state / "pins", pinned.state / "places"]
    pinned.change(lambda file: file.rotate_domain_key("dev", CREDS[BOB]))
    for folder in folders:
        folder.chmod(0o500)
    try:
        result = pinned(*READ)
    finally:
        for folder in folders:
            folder.chmod(0o700)
    assert (result.code, result.out) == (0, DEV["API_KEY"])
    assert "note: your record of the file is not kept: " in result.err


@pytest.mark.parametrize("which", ["pins", "places"])
def test_damage_is_an_error_until_it_is_accepted(pinned: Person, which: str) -> None:
    (path,) = (pinned.state / which).iterdir()
    path.write_bytes(b"damaged")
    before = pinned.file.read_bytes()
    for words in (
        READ,
        ("add-secret", "dev", "new", "--generate"),
        ("verify",),
        ("trust",),
        ("run", "dev", "--", "id"),
    ):
        pinned(*words).failed(6, f"{path} is damaged", "pprotect trust accept")
    assert pinned.file.read_bytes() == before
    assert pinned("status").code == 0
    result = pinned("trust", "accept", stdin="n\n")
    assert path.read_bytes() == b"damaged"
    result = pinned("trust", "accept", "--yes")
    assert result.code == 0
    assert f"note: {path} is damaged" in result.err
    assert pinned(*READ, "--require-signed").err == ""


def test_damage_behind_the_first_line_is_seen_before_the_write(pinned: Person) -> None:
    pinned.pin.write_bytes(pinned.pin.read_bytes()[:-30])
    before = pinned.file.read_bytes()
    result = pinned("add-secret", "dev", "new", "--generate")
    assert (result.code == 0) == (pinned.file.read_bytes() != before)


def test_many_commands_at_once(pinned: Person) -> None:
    """None is lost, and the pin is that of a file that was there."""
    argv = [[str(BIN / "pprotect"), "add-secret", "dev", f"s{number}", "--generate"] for number in range(20)]
    running = [
        subprocess.Popen(
            words,
            cwd=pinned.folder,
            env=pinned.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for words in argv
    ]
    for process in running:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    assert {f"s{number}" for number in range(20)} <= set(pinned.values("dev"))
    assert pinned("verify").code == 0
    assert pinned(*READ, "--require-signed", "--trust", anchor(pinned, ALICE)).code == 8
    assert pinned(*READ).err == ""
    assert sorted(path.name for path in (pinned.state / "pins").iterdir()) == [pinned.pin.name]


def test_killed_while_it_keeps_what_it_saw(pinned: Person) -> None:
    """Whatever a kill leaves, the next command goes on from it."""
    for delay in range(6):
        pinned.put(saved(pinned.store().set_secret("dev", f"s{delay}", "1")))
        process = subprocess.Popen(
            [str(BIN / "pprotect"), "list-domains" if delay < 0 else "get", "dev", "API_KEY"],
            cwd=pinned.folder,
            env=pinned.environment(),
            stdout=subprocess.DEVNULL,
        )
        left = pinned.state / "pins" / f".{pinned.pin.name}.pprotect-new"
        while process.poll() is None and not left.exists():
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        result = pinned(*READ)
        assert (result.code, result.out, result.err) == (0, DEV["API_KEY"], "")
        assert not left.exists()


# Whom to trust


def anchor(person: Shell, name: str, form: int = 0) -> str:
    return f"{name}={person.done('fingerprint', name).splitlines()[form]}"


READERS = (
    READ,
    ("decrypt-domain", "dev"),
    ("run", "dev", "--uppercase", "--", "printenv", "API_KEY"),
    ("exec", "--domain", "dev", "--", "printenv", "API_KEY"),
)


def require_signed(words: tuple[str, ...], *more: str) -> tuple[str, ...]:
    return (words[0], "--require-signed", *more, *words[1:])


@pytest.mark.parametrize("words", READERS, ids=lambda words: words[0])
def test_require_signed(someone: Person, words: tuple[str, ...]) -> None:
    alice, bob = anchor(someone, ALICE), anchor(someone, BOB, form=1)
    value = DEV["API_KEY"]
    someone(*require_signed(words)).failed(8, "signed values of 'dev' are required, and nobody is trusted yet")
    assert value in someone.done(*require_signed(words, "--trust", alice))
    assert value in someone.done(*require_signed(words), env={"PPROTECT_TRUST": f" {bob} ;{alice}; "})
    empty = {"PPROTECT_STATE_DIR": str(someone.home / "empty")}
    someone(*require_signed(words, "--trust", bob), env=empty).failed(8, "do not lead back to a trusted custodian")
    someone(*require_signed(words), env={"PPROTECT_TRUST": bob}).failed(8, "do not lead back to a trusted custodian")
    someone(*require_signed(words, "--trust", bob), env={"PPROTECT_TRUST": alice}).failed(8, "do not lead back")
    assert value in someone.done(*require_signed(words))  # what was read before is a pin


def test_require_signed_refuses_what_nobody_vouches_for(pinned: Person) -> None:
    pinned.done("set-secret", "dev", "db-password", "--generate")
    pinned(*READ, "--require-signed").failed(8, "values that no owner vouches for: db-password", "pprotect review dev")
    pinned.done("set-secret", "dev", "db-password", "--generate", "--sign")
    assert pinned.done(*READ, "--require-signed") == DEV["API_KEY"]


def test_require_signed_of_a_domain_that_nobody_signed(tmp_path: Path) -> None:
    alice = founder(tmp_path, unsigned_file())
    alice.done("trust", "accept", "--yes")
    alice(*READ, "--require-signed").failed(8, "nobody has signed its key", "pprotect set-policy dev --require-signed")
    alice(*READ, "--trust", anchor(alice, ALICE)).failed(8, "do not lead back to a trusted custodian")


@pytest.mark.parametrize("text", ["x", "=", "alice@example.com", "alice@example.com=", f"{ALICE}=zz", "=" + "00" * 32])
def test_what_names_nobody_to_trust(pinned: Person, text: str) -> None:
    for options, env in ((("--trust", text), {}), ((), {"PPROTECT_TRUST": text})):
        result = pinned(*READ, "--require-signed", *options, env=env)
        assert result.code in (2, 6)
        result.failed(result.code, "")


# Expected fingerprints


@pytest.mark.parametrize("form", [0, 1])
def test_add_owner_with_the_expected_fingerprint(pinned: Person, form: int) -> None:
    expected = pinned.done("fingerprint", CAROL).splitlines()[form]
    result = pinned("add-owner", "dev", CAROL, "--expect-fingerprint", expected.upper())
    assert (result.code, result.err) == (0, f"Adding domain owner.\nadded owner {CAROL} to dev\n")
    assert pinned.values("dev", CAROL) == DEV


def test_add_owner_with_another_fingerprint(pinned: Person) -> None:
    before = pinned.file.read_bytes()
    words, digits = pinned.done("fingerprint", BOB).splitlines()
    for expected in (words, digits):
        result = pinned("add-owner", "dev", CAROL, "--expect-fingerprint", expected)
        result.failed(5, f"the fingerprint of '{CAROL}' is another", "ask them by another way")
    for expected in ("", "x", words[:-1], digits[:-1], words + "-babab"):
        result = pinned("add-owner", "dev", CAROL, "--expect-fingerprint", expected)
        assert result.code in (2, 6)
        result.failed(result.code, "is no fingerprint", "pprotect fingerprint")
    assert pinned.file.read_bytes() == before


def test_an_owner_who_was_never_seen_is_shown(pinned: Person) -> None:
    dave = "dave@example.com"
    key = pinned.home / "dave"
    key.write_text(KEYS[CAROL].replace("c3", "d4"))
    bob = pinned.clone(BOB)
    bob.done("add-key-custodian", dave, "--key-type", "raw", "--new-passphrase-file", str(key))
    bob.commit("dave")
    pinned.pull(bob)
    words = pinned.done("fingerprint", dave).splitlines()[0]
    shown = pinned("add-owner", "dev", dave)
    assert shown.code == 0
    assert f"note: {dave} was not seen before; ask them by another way" in shown.err
    assert f"  {words}\n" in shown.err
    assert "was not seen before" not in bob("add-owner", "prod", dave).err


def test_an_expected_fingerprint_is_no_way_around_a_replaced_owner(pinned: Person) -> None:
    """Bob's keys are Mallory's; Carol's fingerprint is right."""
    expected = pinned.done("fingerprint", CAROL).splitlines()[0]
    pinned.put(ATTACKS["custodian"](pinned.store()))
    before = pinned.file.read_bytes()
    result = pinned("add-owner", "dev", CAROL, "--expect-fingerprint", expected)
    result.failed(5, f"custodian/{BOB}: the keys were replaced")
    assert pinned.file.read_bytes() == before


# Older versions


def test_an_older_branch(pinned: Person) -> None:
    pinned.git("branch", "old")
    pinned.change(lambda file: file.rotate_domain_key("dev", CREDS[ALICE]))
    pinned.done(*READ)
    pinned.git("checkout", "-q", "old")
    result = pinned(*READ)
    assert (result.code, result.out) == (0, DEV["API_KEY"])
    assert "warning: domain/dev: older than what you saw: the key and policy are of epoch 1," in result.err
    before, seen = pinned.file.read_bytes(), pinned.pin.read_bytes()
    pinned("add-secret", "dev", "new", "--generate").failed(5, "older than what you saw", "--behind")
    assert pinned.file.read_bytes() == before
    pinned.done("add-secret", "dev", "new", "--generate", "--behind")
    assert pinned.pin.read_bytes() == seen
    pinned.commit("on the old branch")
    pinned.git("checkout", "-q", "main")
    if not pinned.merge("old"):
        pinned.done("resolve")
    assert "warning" not in pinned("get", "dev", "new").err


def test_an_older_branch_of_a_domain_that_demands_signatures(pinned: Person) -> None:
    pinned.done("set-policy", "dev", "--require-signed")
    pinned.commit("policy")
    pinned.git("branch", "old")
    pinned.done("rotate-domain-keys", "dev")
    pinned.commit("rotated")
    pinned.git("checkout", "-q", "old")
    result = pinned(*READ, "--behind")
    assert (result.code, result.out) == (0, DEV["API_KEY"])


@pytest.mark.parametrize("attack", ATTACKS)
def test_behind_lets_nothing_else_pass(pinned: Person, attack: str) -> None:
    pinned.put(ATTACKS[attack](pinned.store()))
    before = pinned.file.read_bytes()
    assert pinned("add-secret", "dev", "new", "--generate", "--behind").code == 5
    assert pinned.file.read_bytes() == before


# A team that signs nothing


def test_a_team_that_signs_nothing_hears_nothing(tmp_path: Path) -> None:
    alice = founder(tmp_path, unsigned_file())
    said = {
        READ: "",
        ("add-secret", "dev", "new", "--generate"): "Adding secret value.\nadded secret new to dev\n",
        ("update-secret", "dev", "new", "--generate"): "Updating secret value.\nupdated secret new in dev\n",
        ("decrypt-domain", "dev"): "",
        ("run", "dev", "--uppercase", "--", "true"): "",
        ("add-owner", "dev", CAROL): f"Adding domain owner.\nadded owner {CAROL} to dev\n",
        ("rm-secret", "dev", "new"): "Removing secret.\nremoved secret new from dev\n",
        ("list-domains",): "",
        ("list-audit-log",): "",
    }
    for words, expected in said.items():
        result = alice(*words)
        assert (result.code, result.err) == (0, expected), words
    status = alice.done("status")
    assert "dev: values: 0 reviewed, 2 unreviewed" in status
    assert "nobody signed its key and owners" in status


def test_a_key_that_was_replaced_in_a_domain_that_nobody_signed(tmp_path: Path) -> None:
    alice = founder(tmp_path, unsigned_file())
    alice.done("trust", "accept", "--yes")
    alice.put(saved(alice.store().rm_domain("dev").add_domain("dev", ALICE).add_secret("dev", "API_KEY", "1")))
    assert "the public key was replaced" in alice(*READ).err + alice("verify").out


@pytest.mark.parametrize(
    "words", [("trust",), ("verify",), ("review", "dev"), ("set-policy", "dev", "--min-owners", "1")]
)
def test_a_file_of_pocket_protectors_is_to_be_upgraded_first(empty: Shell, words: tuple[str, ...]) -> None:
    upstream = Path(__file__).parent.parent / "vectors" / "upstream" / "v1-v2-mixed.yaml"
    empty.file.write_bytes(upstream.read_bytes())
    empty(*words).failed(6, "Pocket Protector's own format", "pprotect upgrade")
    assert len(empty.done("fingerprint", "ci").splitlines()) == 2
    assert "nobody signed its key and owners" in empty.done("status")
    assert not (empty.home / ".local").exists()


def test_keys_in_the_place_of_legacy_ones_wait_for_somebody(empty: Shell) -> None:
    """Step 2: attention until accepted. Here a read goes by, and then a rotation wraps for them."""
    upstream = Path(__file__).parent.parent / "vectors" / "upstream"
    words = json.loads((upstream / "expected.json").read_text())["v1-v2-mixed"]["custodians"]["ci"]
    empty.variables |= {"PPROTECT_USER": "ci", "PPROTECT_PASSPHRASE": words}
    empty.file.write_bytes((upstream / "v1-v2-mixed.yaml").read_bytes())
    empty.done("upgrade")
    empty.done("trust", "accept", "--yes")
    from people import with_keys_replaced

    empty.file.write_text(with_keys_replaced("fast@example.com")(empty.store()).get_contents())
    told = empty("decrypt-domain", "dev").err
    result = empty("rotate-domain-keys", "dev")
    assert "fast@example.com: the keys" in told
    assert result.code == 5


# Nothing hangs, and nothing is shown


def test_no_value_is_ever_shown(someone: Person) -> None:
    secrets = [*DEV.values(), *PROD.values(), "a1a1a1a1", "hunter2"]
    for words in (
        ("trust",),
        ("trust", "--json"),
        ("trust", "accept", "--yes"),
        ("fingerprint", BOB),
        ("status",),
        ("status", "--json"),
        ("set-secret", "dev", "API_KEY", "--generate", "--confirm", "--yes"),
        ("review", "dev", "--yes"),
        ("set-policy", "dev", "--require-signed"),
        ("set-policy", "dev", "--min-owners", "9"),
        ("verify",),
        ("verify", "HEAD", "--verbose"),
        *(("verify", "--history", "--output-format", form) for form in ("text", "json", "markdown", "sarif")),
        ("rotate-domain-keys", "dev"),
        ("add-owner", "dev", CAROL, "--expect-fingerprint", "hunter"),
        ("get", "prod", "API_KEY"),
        (*READ, "--require-signed", "--trust", f"{MALLORY}={'00' * 32}"),
    ):
        result = someone(*words)
        assert not [secret for secret in secrets if secret in result.out + result.err], words


def test_a_hostile_name_does_not_make_a_line(someone: Person) -> None:
    text = someone.file.read_text()
    someone.file.write_text(text.replace(f"  {CAROL}:\n", '  "x\\nerror: all is well\\e[2J":\n', 1))
    result = someone("verify")
    assert result.code == 3
    assert "\x1b" not in result.err
    result.failed(3, "")


def test_control_characters_of_a_name_are_not_acted_on(someone: Person) -> None:
    text = someone.file.read_text()
    someone.file.write_text(text.replace(f"  {CAROL}:\n", '  "x\\e[2J\\r\\u202e":\n', 1))
    for words in (("trust",), ("verify",), ("status",), READ, ("add-secret", "dev", "new", "--generate")):
        result = someone(*words)
        assert result.code == 3
        assert not [char for char in ("\x1b", "\r", "\u202e") if char in result.out + result.err]
