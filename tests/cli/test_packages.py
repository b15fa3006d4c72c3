"""`package` and `unpack`, `pubkey` and `keygen`: who gets what, and what is refused with nothing imported."""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from handed import Forged
from people import CREDS, MALLORY, Person, with_keys_replaced
from plugin_folder import install_shelf
from shell import ALICE, BOB, CAROL, KEYS, Result, Shell, make_shell

from pocket_protector import Creds, KeyFile, Reference, Sensitivity
from pocket_protector.crypto.identity import Identity
from pocket_protector.crypto.key_slots import RawKeySlot
from pocket_protector.document.exported import ExportedDomain, ExportedEntry
from pocket_protector.document.policy import Policy
from pocket_protector.packages.armour import to_text
from pocket_protector.packages.header import Gate
from pocket_protector.packages.keys.private_key import identity_line
from pocket_protector.packages.keys.public_key import PublicKey
from pocket_protector.packages.package_opening import SealedPackage
from pocket_protector.packages.package_sealing import PackageRequest, seal_package
from pocket_protector.packages.token import Token
from pocket_protector.trust.fingerprints import fingerprint, to_hex, to_words

ENTRIES = (
    ExportedEntry("api-key", b"tulip-api", Sensitivity.MEDIUM),
    ExportedEntry("db-password", b"tulip-db", Sensitivity.HIGH),
    ExportedEntry("db-url", Reference("azure-kv://my-keyvault/db-url"), Sensitivity.LOW),
    ExportedEntry("signing-key", b"tulip-key", Sensitivity.INJECT_ONLY),
)
ORDINARY = ["api-key", "db-url"]
FILE_ID = bytes(16)
STRANGER = Identity.from_seed("sender@example.org", b"\x77" * 32)
BOBS = Identity.from_seed(BOB, b"\x88" * 32)
HOUR = timedelta(hours=1)


@dataclass
class Handed:
    """What somebody was sent: a package, its token, and the sender's public key."""

    package: bytes
    token: Token

    def put(self, shell: Shell) -> None:
        (shell.folder / "p").write_bytes(self.package)
        (shell.folder / "t").write_text(self.token.text + "\n")
        (shell.folder / "sender.pub").write_text(PublicKey.from_identity(STRANGER).text)


def handed(entries: tuple[ExportedEntry, ...] = ENTRIES, gate: Gate = Gate.TOKEN, **parts: object) -> Handed:
    made = {"domain": "dev", "production": None, "sender": STRANGER, "now": datetime.now(UTC) - HOUR / 2, "life": HOUR}
    given = made | parts
    token = Token.generate()
    domain = ExportedDomain(FILE_ID, given["domain"], given["production"], entries)  # type: ignore[arg-type]
    request = PackageRequest(given["sender"], (BOBS.public_key,), given["now"], given["life"], token, gate)  # type: ignore[arg-type]
    return Handed(to_text(seal_package(domain, request)).encode(), token)


@cache
def usual() -> Handed:
    return handed()


@pytest.fixture
def bob(tmp_path: Path) -> Shell:
    """Bob with a package, its token, sender.pub, an identity file `key`, and a file of his own with a domain `dev`."""
    shell = make_shell(tmp_path)
    store = KeyFile.create(shell.file).add_raw_key_custodian(CREDS[BOB]).add_domain("dev", BOB, creds=CREDS[BOB])
    store.add_secret("dev", "api-key", "mine", sensitivity=Sensitivity.HIGH).write()
    (shell.folder / "key").write_text(identity_line(BOBS, None))
    usual().put(shell)
    return shell


FROM = ("--in", "p", "--identity-file", "key")
KNOWN = (*FROM, "--sender", "sender.pub")


def unpack(shell: Shell, *words: str, **more: object) -> Result:
    return shell("unpack", *words, **more)  # type: ignore[arg-type]


def values(shell: Shell) -> dict[str, str]:
    return dict(shell.store().decrypt_domain("dev", CREDS[BOB], resolve=False))


def levels(shell: Shell) -> dict[str, str]:
    store = shell.store()
    return {name: store.get_secret_sensitivity("dev", name).word for name in store.get_domain_secret_names("dev")}


# What comes out


def test_an_import_takes_all_with_the_token_in_one_write(bob: Shell) -> None:
    result = unpack(bob, *KNOWN, "--token", "t", "--into", "dev")
    assert (result.code, result.out) == (0, "")
    assert "kept as they are in dev: api-key (--overwrite changes them)" in result.err
    assert "imported 3 secrets of sender@example.org into dev: db-url, db-password, signing-key" in result.err
    assert values(bob) == {
        "api-key": "mine",
        "db-password": "tulip-db",
        "db-url": "azure-kv://my-keyvault/db-url",
        "signing-key": "tulip-key",
    }
    assert levels(bob) == {"api-key": "high", "db-password": "high", "db-url": "low", "signing-key": "inject-only"}
    assert not any(map(bob.store().is_signed_secret, ["dev"] * 4, levels(bob)))


def test_to_overwrite_lowers_no_sensitivity(bob: Shell) -> None:
    assert unpack(bob, *KNOWN, "--token", "t", "--into", "dev", "--overwrite").code == 0
    assert (values(bob)["api-key"], levels(bob)["api-key"]) == ("tulip-api", "high")


def test_without_the_token_the_gated_ones_are_left_out_and_named(bob: Shell) -> None:
    result = unpack(bob, *KNOWN, "--into", "dev", "--overwrite")
    assert result.code == 8
    assert "left out, because neither a token nor you opened them: db-password, signing-key" in result.err
    assert sorted(values(bob)) == ORDINARY
    result = unpack(bob, *KNOWN)
    assert (result.code, json.loads(result.out)) == (
        8,
        {"api-key": "tulip-api", "db-url": "azure-kv://my-keyvault/db-url"},
    )


def test_a_program_gets_them_or_is_not_run(bob: Shell) -> None:
    handed(ENTRIES[:2] + ENTRIES[3:]).put(bob)
    program = ("--uppercase", "--", "sh", "-c", "touch ran; printf '%s ' $API_KEY $SIGNING_KEY $PPROTECT_PACKAGE_TOKEN")
    unpack(bob, *KNOWN, *program).failed(8, "left out, because neither a token nor you opened them")
    assert not (bob.folder / "ran").exists()
    variable = {"PPROTECT_PACKAGE_TOKEN": (bob.folder / "t").read_text()}
    assert unpack(bob, *KNOWN, *program, env=variable).out == "tulip-api tulip-key "


def test_no_program_gets_a_pointer_for_a_value(bob: Shell) -> None:
    unpack(bob, *KNOWN, "--token", "t", "--", "true").failed(6, "references can be resolved only from a file", "--into")


def test_inject_only_ones_are_not_printed_and_the_token_is_not_used_up(bob: Shell) -> None:
    unpack(bob, *KNOWN, "--token", "t").failed(8, "inject-only, and are not printed: signing-key")
    assert unpack(bob, *KNOWN, "--token", "-", "--into", "dev", stdin=usual().token.text.lower()).code == 0


def test_high_ones_are_shown_on_a_terminal_on_request(bob: Shell) -> None:
    handed(ENTRIES[1:2]).put(bob)
    words = ("unpack", *KNOWN, "--token", "t")
    terminal = bob.terminal(*words)
    assert terminal.end() == 8
    assert "tulip" not in terminal.shown
    terminal = bob.terminal(*words, "--reveal")
    assert terminal.end() == 0
    assert "tulip-db" in terminal.shown


def test_the_list_as_json_uses_nothing_up(bob: Shell) -> None:
    found = json.loads(unpack(bob, *KNOWN, "--token", "t", "--list", "--json").out)
    assert found["schema"] == 1
    assert [entry["name"] for entry in found["package"]["entries"] if entry["gated"]] == ["db-password", "signing-key"]
    assert unpack(bob, *KNOWN, "--token", "t", "--into", "dev").code == 0


def test_the_key_comes_from_a_variable_too(bob: Shell) -> None:
    variable = {"PPROTECT_RECIPIENT_KEY": (bob.folder / "key").read_text()}
    result = unpack(bob, "--in", "-", "--sender", "sender.pub", "--list", stdin=usual().package, env=variable)
    assert (result.code, len(result.out.splitlines())) == (0, 4)
    result = unpack(bob, "--in", "p", "--sender", "sender.pub", "--list", "--ignore-env", env=variable)
    assert result.code == 4


# Who sent it


def test_unattended_nobody_new_becomes_known(bob: Shell) -> None:
    before = bob.file.read_bytes()
    words = to_words(fingerprint(STRANGER.name, PublicKey.from_identity(STRANGER).keys))
    for more in ((), ("--yes",), ("--non-interactive",)):
        unpack(bob, *FROM, "--token", "t", "--into", "dev", *more).failed(8, f"'{STRANGER.name}', {words}", "--sender")
    assert bob.file.read_bytes() == before


@pytest.mark.parametrize("form", [to_words, to_hex], ids=["words", "hex"])
def test_a_sender_is_named_by_fingerprint_and_remembered(bob: Shell, form: object) -> None:
    named = form(fingerprint(STRANGER.name, PublicKey.from_identity(STRANGER).keys))  # type: ignore[operator]
    assert unpack(bob, *FROM, "--list", "--sender", named).code == 0
    assert unpack(bob, *FROM, "--list").code == 0


def test_another_sender_than_was_named(bob: Shell) -> None:
    other = PublicKey.from_identity(Identity.from_seed(STRANGER.name, b"\x78" * 32))
    (bob.folder / "sender.pub").write_text(other.text)
    unpack(bob, *KNOWN, "--into", "dev").failed(5, "not from the sender that --sender names")
    unpack(bob, *FROM, "--sender", "f" * 64).failed(5, "not from the sender that --sender names")
    unpack(bob, *FROM, "--sender", "no-file").failed(6, "is no fingerprint")


def test_a_known_name_with_other_keys(bob: Shell) -> None:
    assert unpack(bob, *KNOWN, "--list").code == 0
    handed(sender=Identity.from_seed(STRANGER.name, b"\x78" * 32)).put(bob)
    unpack(bob, *FROM, "--into", "dev").failed(5, "had other keys before")
    terminal = bob.terminal("unpack", *FROM, "--list")
    assert terminal.end() == 5


@pytest.mark.parametrize("answer", ["", "n", "no"])
def test_a_first_contact_that_is_not_confirmed(bob: Shell, answer: str) -> None:
    for _ in range(2):
        terminal = bob.terminal("unpack", *FROM, "--list", "--yes")
        terminal.answer("Is it the same? [y/N]: ", answer)
        assert terminal.end() == 8


def test_a_folder_that_cannot_be_written_keeps_nothing(bob: Shell) -> None:
    env = {"PPROTECT_STATE_DIR": str(bob.folder / "p" / "state")}
    result = unpack(bob, *KNOWN, "--list", env=env)
    assert (result.code, "note: the key of sender@example.org is not remembered" in result.err) == (0, True)
    # Whether a token was used could not be told the next time.
    before = bob.file.read_bytes()
    unpack(bob, *KNOWN, "--token", "t", "--into", "dev", env=env).failed(6, "cannot make")
    assert bob.file.read_bytes() == before


def test_nobody_is_remembered_whose_package_fails(bob: Shell) -> None:
    damaged = bytearray(usual().package)
    damaged[-40] ^= 1
    (bob.folder / "p").write_bytes(damaged)
    assert unpack(bob, *KNOWN, "--list").code in (3, 5)
    usual().put(bob)
    assert unpack(bob, *FROM, "--list").code == 8


def owners_package(person: Person, sender: str = ALICE) -> None:
    """A package of an owner's for Bob's own key."""
    identity = person.store().unlock(CREDS[sender])
    handed(sender=identity).put(person)
    (person.folder / "key").write_text(identity_line(BOBS, None))


@pytest.mark.parametrize(("sender", "code"), [(ALICE, 0), (CAROL, 8), (MALLORY, 8)])
def test_an_owner_in_ones_own_file_is_known_and_no_other_custodian(pinned: Person, sender: str, code: int) -> None:
    owners_package(pinned, sender)
    assert unpack(pinned, *FROM, "--list").code == code


def test_not_before_one_has_looked_at_the_file(someone: Person) -> None:
    owners_package(someone)
    assert unpack(someone, *FROM, "--list").code == 8


def test_not_with_keys_that_somebody_put_into_the_file(pinned: Person) -> None:
    pinned.put(with_keys_replaced(ALICE)(pinned.store()))
    handed(sender=pinned.store().unlock(Creds(ALICE, CREDS[MALLORY].passphrase))).put(pinned)
    (pinned.folder / "key").write_text(identity_line(BOBS, None))
    unpack(pinned, *FROM, "--list").failed(5, f"'{ALICE}' had other keys before")
    terminal = pinned.terminal("unpack", *FROM, "--list")
    assert terminal.end() == 5


def test_not_by_what_one_only_came_across(someone: Person) -> None:
    """Unattended: one command pins the file, which nobody has compared with anything; the next may not believe it."""
    owners_package(someone)
    someone.done("add-secret", "dev", "other", "--generate")
    assert unpack(someone, *FROM, "--list").code == 8
    someone.done("trust", "accept", "--yes")
    assert unpack(someone, *FROM, "--list").code == 0


def test_by_an_anchor(someone: Person) -> None:
    owners_package(someone)
    words = to_words(someone.store().get_fingerprint(ALICE))
    assert unpack(someone, *FROM, "--list", "--trust", f"{ALICE}={words}").code == 0
    assert unpack(someone, *FROM, "--list", env={"PPROTECT_TRUST": f"{ALICE}={words}"}).code == 0
    other = to_words(someone.store().get_fingerprint(BOB))
    assert unpack(someone, *FROM, "--list", "--trust", f"{ALICE}={other}").code == 8


def test_what_is_a_fingerprint_is_no_file(bob: Shell) -> None:
    mallory = Identity.from_seed(STRANGER.name, b"\x66" * 32)
    handed(sender=mallory).put(bob)
    words = to_words(fingerprint(STRANGER.name, PublicKey.from_identity(STRANGER).keys))
    (bob.folder / words).write_text(PublicKey.from_identity(mallory).text)
    unpack(bob, *FROM, "--list", "--sender", words).failed(5, "not from the sender that --sender names")


def test_a_newer_key_takes_the_place_of_the_one_before(bob: Shell) -> None:
    assert unpack(bob, *KNOWN, "--list").code == 0
    newer = Identity.from_seed(STRANGER.name, b"\x78" * 32)
    handed(sender=newer).put(bob)
    (bob.folder / "sender.pub").write_text(PublicKey.from_identity(newer).text)
    assert unpack(bob, *KNOWN, "--list").code == 0
    assert unpack(bob, *FROM, "--list").code == 0
    usual().put(bob)
    unpack(bob, *FROM, "--list").failed(5, "had other keys before")


@pytest.mark.parametrize("entries", [ENTRIES, ENTRIES[:1]], ids=["gated", "nothing gated"])
def test_a_token_that_is_given_is_looked_at(bob: Shell, entries: tuple[ExportedEntry, ...]) -> None:
    handed(entries).put(bob)
    (bob.folder / "t").write_text(Token.generate().text)
    unpack(bob, *KNOWN, "--token", "t").failed(4, "the token is of another package")
    unpack(bob, *KNOWN, "--token", "nothing").failed(6, "cannot read nothing")
    unpack(bob, *KNOWN, "--token", "key").failed(3, "this is not a valid token")


def test_a_damaged_file_of_ones_own_is_in_the_way_of_nothing_that_needs_it_not(bob: Shell) -> None:
    bob.file.write_text("damaged")
    assert unpack(bob, *KNOWN, "--list").code == 0
    assert unpack(bob, *FROM, "--list").code == 3


# What is refused, and nothing is imported


def refused(shell: Shell, code: int, error: str, *words: str, **more: object) -> None:
    before, state = shell.file.read_bytes(), sorted(shell.home.rglob("used-tokens/*"))
    given = words or ("--token", "t")
    unpack(shell, *KNOWN, *given, "--into", "dev", **more).failed(code, error)
    assert shell.file.read_bytes() == before
    assert sorted(shell.home.rglob("used-tokens/*")) == state


def test_expired(bob: Shell) -> None:
    handed(now=datetime.now(UTC) - 2 * HOUR).put(bob)
    refused(bob, 8, "the package expired at")


def test_made_in_the_future(bob: Shell) -> None:
    handed(now=datetime.now(UTC) + HOUR).put(bob)
    refused(bob, 8, "which is in the future")


def test_for_somebody_else(bob: Shell) -> None:
    (bob.folder / "key").write_text(identity_line(Identity.generate(BOB), None))
    refused(bob, 4, "the package is not for this key")


def test_a_token_of_another_package(bob: Shell) -> None:
    (bob.folder / "t").write_text(Token.generate().text)
    refused(bob, 4, "the token is of another package")


def test_a_wrong_token(bob: Shell) -> None:
    (bob.folder / "t").write_text(Token(usual().token.package_id, bytes(16)).text)
    refused(bob, 4, "the token does not open the package")


@pytest.mark.parametrize("text", ["", "PPT1-", "tulip", "1" * 56])
def test_no_token(bob: Shell, text: str) -> None:
    refused(bob, 3, "this is not a valid token", "--token", "-", stdin=text)


def test_a_mistyped_token(bob: Shell) -> None:
    text = usual().token.text
    swapped = text[:-2] + ("A" if text[-2] != "A" else "B") + text[-1]
    refused(bob, 3, "the token is mistyped", "--token", "-", stdin=swapped)


def test_a_used_token(bob: Shell) -> None:
    assert unpack(bob, *KNOWN, "--token", "t", "--into", "dev").code == 0
    refused(bob, 8, "the token was used before")


def test_a_token_is_not_used_up_by_what_came_to_nothing(bob: Shell) -> None:
    handed(ENTRIES[1:2]).put(bob)
    words = (*KNOWN, "--token", "t", "--into", "dev")
    before = bob.file.read_bytes()
    assert "aborted" in unpack(bob, *words, "--confirm", stdin="n\n").err
    unpack(bob, *KNOWN, "--token", "t", "--", "no-such-program").failed(127, "cannot run no-such-program")
    assert bob.sh("pprotect unpack " + " ".join((*KNOWN, "--token", "t")) + " > /dev/full").code == 6
    assert bob.file.read_bytes() == before
    assert unpack(bob, *words).code == 0
    refused(bob, 8, "the token was used before")


def test_of_two_at_the_same_time_one_uses_the_token(bob: Shell) -> None:
    bob.store().add_domain("other", BOB, creds=CREDS[BOB]).write()
    words = " ".join((*KNOWN, "--token", "t", "--into"))
    script = f"for d in dev other; do pprotect unpack {words} $d & done; wait"
    assert bob.sh(script).err.count("the token was used before") == 1
    assert [len(bob.store().get_domain_secret_names(name)) for name in ("dev", "other")] in ([4, 0], [1, 4])


def test_production_by_name_and_by_policy(bob: Shell) -> None:
    """Of a sender whose program is not ours: ours does not seal such."""

    header = SealedPackage.parse(usual().package).header
    for forged in (replace(header, domain="pr0d-eu"), replace(header, production=True)):
        (bob.folder / "p").write_bytes(Forged(forged, signer=STRANGER).package())
        refused(bob, 8, "is production, and no package may hold that")


def test_a_domain_that_is_not_there(bob: Shell) -> None:
    unpack(bob, *KNOWN, "--token", "t", "--into", "nowhere").failed(6, "no key domain named 'nowhere'")
    assert unpack(bob, *KNOWN, "--token", "t", "--into", "dev").code == 0


def test_a_reference_of_no_known_kind(bob: Shell) -> None:
    handed((*ENTRIES[:1], ExportedEntry("b", Reference("no-such://x/y"), Sensitivity.LOW))).put(bob)
    refused(bob, 7, "no-such", "--overwrite")


def test_files_that_are_none(bob: Shell) -> None:
    errors = {
        "p": "not a valid sealed package",
        "key": "key: this is no identity",
        "sender.pub": "not a valid line of the form",
    }
    for name, error in errors.items():
        usual().put(bob)
        (bob.folder / "key").write_text(identity_line(BOBS, None))
        (bob.folder / name).write_text("tulip")
        refused(bob, 3, error)
    unpack(bob, "--in", "nothing").failed(6, "cannot read nothing")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ((), "no package is named"),
        ((*KNOWN, "--into", "dev", "--list"), "contradict each other"),
        ((*KNOWN, "--into", "dev", "--", "true"), "contradict each other"),
        ((*KNOWN, "--overwrite"), "--overwrite is for --into"),
        ((*KNOWN, "--uppercase"), "are for a program"),
        ((*KNOWN, "--prefix", "APP", "--into", "dev"), "are for a program"),
        ((*KNOWN, "--reveal", "--into", "dev"), "--reveal is for values that are printed"),
        ((*KNOWN, "--json"), "--json is for --list"),
        ((*KNOWN, "--identity", BOB), "both say which key"),
        (("--in", "-", "--token", "-"), "cannot both come from stdin"),
        ((*KNOWN, "true"), "after `--`"),
    ],
)
def test_options_that_contradict(bob: Shell, words: tuple[str, ...], error: str) -> None:
    unpack(bob, *words).failed(2, error)


# A person in the place of the token


@pytest.fixture
def human(bob: Shell) -> Shell:
    """The same, with a package whose sender lets a person do without the token, and a key under a passphrase."""
    handed(gate=Gate.TOKEN_OR_HUMAN).put(bob)
    raw = KEYS[BOB]
    (bob.folder / "key").write_text(identity_line(BOBS, RawKeySlot.parse(raw)))
    (bob.folder / "pass").write_text(raw)
    return bob


def test_a_person_types_the_passphrase_afresh_and_agrees_to_each(human: Shell) -> None:
    terminal = human.terminal("unpack", *KNOWN, "--into", "dev", "--passphrase-file", "pass", "--yes")
    terminal.answer("Passphrase again: ", KEYS[BOB])
    terminal.answer("Take db-password (high)? [y/N]: ", "n")
    terminal.answer("Take signing-key (inject-only)? [y/N]: ", "y")
    assert terminal.end() == 8
    assert "left out, because neither a token nor you opened them: db-password" in terminal.shown
    assert sorted(values(human)) == ["api-key", "db-url", "signing-key"]


def test_not_with_another_passphrase(human: Shell) -> None:
    before = human.file.read_bytes()
    terminal = human.terminal("unpack", *KNOWN, "--into", "dev", "--passphrase-file", "pass")
    terminal.answer("Passphrase again: ", "harbour")
    assert terminal.end() == 4
    assert human.file.read_bytes() == before


def test_nobody_is_asked_in_a_script_or_with_a_key_that_has_no_passphrase(human: Shell) -> None:
    result = unpack(human, *KNOWN, "--passphrase-file", "pass", stdin=f"{KEYS[BOB]}\ny\ny\n")
    assert (result.code, sorted(json.loads(result.out))) == (8, ORDINARY)
    (human.folder / "key").write_text(identity_line(BOBS, None))
    terminal = human.terminal("unpack", *KNOWN)
    assert terminal.end() == 8
    assert "Passphrase again" not in terminal.shown


def test_a_custodian_of_ones_own_file(bob: Shell) -> None:
    mine = bob.store().unlock(CREDS[BOB])
    token = Token.generate()
    request = PackageRequest(STRANGER, (mine.public_key,), datetime.now(UTC), HOUR, token, Gate.TOKEN_OR_HUMAN)
    (bob.folder / "p").write_bytes(seal_package(ExportedDomain(FILE_ID, "dev", None, ENTRIES), request))
    terminal = bob.terminal("unpack", "--in", "p", "--sender", "sender.pub", "--identity", BOB, "--into", "dev")
    terminal.answer("Passphrase: ", KEYS[BOB])
    terminal.answer("Passphrase again: ", KEYS[BOB])
    terminal.answer("Take db-password (high)? [y/N]: ", "y")
    terminal.answer("Take signing-key (inject-only)? [y/N]: ", "y")
    assert terminal.end() == 0
    assert len(values(bob)) == 4


# Sealing


@pytest.fixture
def alice_(pinned: Person) -> Person:
    """Alice, an owner of the signed domain dev, and Bob's public key."""
    (pinned.folder / "bob.pub").write_text(PublicKey.from_identity(BOBS).text)
    (pinned.folder / "key").write_text(identity_line(BOBS, None))
    return pinned


TO_BOB = ("package", "dev", "--recipient", "bob.pub", "--out", "p")


def test_what_is_sealed_is_said_and_opens(alice_: Person) -> None:
    alice_.done("set-sensitivity", "dev", "db-password", "high")
    result = alice_(*TO_BOB, "--token-out", "t", "--recipient", CAROL, "--ttl", "30d", "--binary")
    assert (result.code, result.out) == (0, "")
    for text in (
        "recipient: bob@example.com\n  ",
        f"recipient: {CAROL}\n  ",
        "open without a token: API_KEY",
        "behind the token: db-",
    ):
        assert text in result.err
    assert [stat.S_IMODE((alice_.folder / name).stat().st_mode) for name in ("p", "t")] == [0o600, 0o600]
    assert (alice_.folder / "p").read_bytes().startswith(b"pprotect-package")
    assert alice_("unpack", *FROM, "--token", "t", "--list").code == 0
    carols = {"PPROTECT_USER": CAROL, "PPROTECT_PASSPHRASE": KEYS[CAROL]}
    assert json.loads(alice_("unpack", "--in", "p", "--token", "t", env=carols).out)["API_KEY"] == "tulip-dev-api"


def test_no_token_where_nothing_needs_one(alice_: Person) -> None:
    assert alice_(*TO_BOB, "--token-out", "t", "--secret", "API_KEY").code == 0
    assert not (alice_.folder / "t").exists()


def test_references_are_not_followed(alice_: Person) -> None:
    install_shelf(alice_.home / "plugins")
    calls = alice_.home / "calls"
    env = {"PYTHONPATH": str(alice_.home / "plugins"), "SHELF_CALLS": str(calls)}
    assert alice_("add-secret", "dev", "far", "--reference", "shelf://panic/x", env=env).code == 0
    result = alice_(*TO_BOB, "--secret", "far", env=env)
    assert result.code == 0, result.err
    assert not calls.exists()
    assert json.loads(alice_("unpack", *FROM, env=env).out) == {"far": "shelf://panic/x"}
    assert not calls.exists()


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("package", "dev"), 2, "needs recipients and a file"),
        (("package", "dev", "--out", "p"), 2, "needs recipients"),
        (("package", "dev", "--recipient", "bob.pub"), 2, "needs recipients and a file"),
        (("package", "nowhere", "--recipient", "bob.pub", "--out", "p"), 6, "no key domain named"),
        (("package", "dev", "--recipient", "nobody", "--out", "p"), 6, "no key custodian or file named 'nobody'"),
        ((*TO_BOB, "--recipient", "bob.pub"), 6, "none of them twice"),
        ((*TO_BOB, "--ttl", "31d"), 2, "lives for up to 30 days"),
        ((*TO_BOB, "--ttl", "0h"), 2, "not a valid lifetime"),
        ((*TO_BOB, "--ttl", "1y"), 2, "not a valid lifetime"),
        ((*TO_BOB, "--gate", "none"), 2, "is not a gate"),
        ((*TO_BOB, "--secret", "nothing"), 6, "no secret in 'dev' named 'nothing'"),
        ((*TO_BOB, "-u", CAROL), 4, ""),
        (
            ("package", "dev", "--recipient", "protected.yaml", "--out", "p"),
            3,
            "protected.yaml: this is not a valid public key",
        ),
        (("package", "dev", "--recipient", "bob.pub", "--out", "no/p"), 6, "cannot write no/p"),
        (("package", "dev", "--recipient", "bob.pub", "--out", "key"), 6, "key exists already"),
        (("package", "prod", "--recipient", "bob.pub", "--out", "p", "-u", BOB), 8, "'prod' is production"),
    ],
)
def test_what_is_not_sealed(alice_: Person, words: tuple[str, ...], code: int, error: str) -> None:
    before = sorted(alice_.folder.iterdir())
    alice_(*words).failed(code, error)
    assert sorted(alice_.folder.iterdir()) == before


def test_sensitive_values_need_a_token_or_a_person(alice_: Person) -> None:
    alice_.done("set-sensitivity", "dev", "db-password", "inject-only")
    alice_(*TO_BOB).failed(2, "sensitive values need a token: db-password", "--token-out PATH")
    assert alice_(*TO_BOB, "--gate", "token-or-human").code == 0


def test_a_token_that_cannot_be_written_leaves_no_package(alice_: Person) -> None:
    alice_.done("set-sensitivity", "dev", "db-password", "high")
    alice_(*TO_BOB, "--token-out", "bob.pub").failed(6, "bob.pub exists already")
    (alice_.folder / "p").mkdir()
    alice_(*TO_BOB, "--token-out", "t").failed(6, "p exists already")
    assert not (alice_.folder / "t").exists()


def test_a_sensitivity_that_was_lowered_by_hand_still_gates(alice_: Person) -> None:
    alice_.done("set-sensitivity", "dev", "db-password", "inject-only")
    alice_.file.write_text(alice_.file.read_text().replace("    sensitivity: inject-only\n", ""))
    alice_(*TO_BOB).failed(5, "nothing was written: secret/dev/db-password")


def test_a_domain_that_became_production(alice_: Person) -> None:
    alice_.put(alice_.store().set_policy("dev", Policy(production=True), CREDS[ALICE]))
    alice_(*TO_BOB).failed(8, "'dev' is production")


def test_a_custodian_whose_keys_were_replaced(alice_: Person) -> None:
    alice_.put(with_keys_replaced(CAROL)(alice_.store()))
    alice_("package", "dev", "--recipient", CAROL, "--out", "p").failed(5, f"custodian/{CAROL}")


def test_a_recipient_with_another_key_than_before_is_asked_about(alice_: Person) -> None:
    assert alice_(*TO_BOB).code == 0
    (alice_.folder / "bob.pub").write_text(PublicKey.from_identity(Identity.generate(BOB)).text)
    again = ("package", "dev", "--recipient", "bob.pub", "--out", "q")
    for more in ((), ("--yes",), ("--non-interactive",)):
        result = alice_(*again, *more, stdin="y\n")
        assert (result.code, (alice_.folder / "q").exists()) == (6, False)
        assert "warning: the key of bob@example.com has changed; the previous one:\n  " in result.err
    terminal = alice_.terminal(*again)
    terminal.answer("Seal to the new key? [y/N]: ", "y")
    assert terminal.end() == 0
    assert "another key" not in alice_(*again[:-1], "q2").err


def test_a_custodian_who_is_called_as_a_file_is(alice_: Person) -> None:
    """Anybody may add one, and would get what is meant for the owner of the key in the file."""
    alice_.put(alice_.store().add_raw_key_custodian(Creds("bob.pub", KEYS[BOB])))
    alice_(*TO_BOB).failed(2, "'bob.pub' is both a key custodian and a file")


def test_the_fingerprint_stands_on_a_line_of_its_own(alice_: Person) -> None:
    name = "bob@example.com, nilug-nutok-sanur-lubuv-jihad-bizug-kikih-joruv"
    (alice_.folder / "bob.pub").write_text(PublicKey.from_identity(Identity.from_seed(name, b"\x88" * 32)).text)
    lines = alice_(*TO_BOB).err.splitlines()
    assert lines[lines.index(f"recipient: {name}") + 1].startswith("  ")


# pubkey and keygen


def test_pubkey_is_what_a_sender_is_known_by(pinned: Person) -> None:
    line = pinned.done("pubkey")
    key = PublicKey.parse(line)
    assert (key.name, key.keys) == (ALICE, pinned.store().document.custodians[ALICE].keys)
    assert pinned.done("pubkey", CAROL).endswith(f" {CAROL}\n")
    pinned("pubkey", "nobody").failed(6, "no key custodian named 'nobody'")


def test_pubkey_of_a_file_of_keygen(bob: Shell) -> None:
    assert bob.done("pubkey", "--identity-file", "key") == PublicKey.from_identity(BOBS).text
    bob("pubkey", "--identity-file", "p").failed(3, "not a valid line of the form")
    bob("pubkey", BOB, "--identity-file", "key").failed(2, "name two keys")


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("keygen", "x@y"), 2, "no file for the private key"),
        (("keygen", "-", "--out", "k"), 6, "cannot name a key custodian"),
        (("keygen", "x@y", "--out", "protected.yaml"), 6, "exists already"),
        (("keygen", "x@y", "--out", "k", "--key-type", "raw"), 2, "under a passphrase or none"),
        (("keygen", "x@y", "--out", "k", "--with-passphrase"), 2, "stdin ended"),
    ],
)
def test_what_keygen_refuses(bob: Shell, words: tuple[str, ...], code: int, error: str) -> None:
    bob(*words).failed(code, error)
    assert not (bob.folder / "k").exists()


def test_keygen_under_a_passphrase(bob: Shell) -> None:
    (bob.folder / "new").write_text("harbour lights")
    out = bob.done("keygen", "x@y", "--out", "k", "--new-passphrase-file", "new", "--key-type", "fast")
    assert PublicKey.parse(out).name == "x@y"
    assert stat.S_IMODE((bob.folder / "k").stat().st_mode) == 0o600
    request = PackageRequest(
        STRANGER, (PublicKey.parse(out).keys.public_key,), datetime.now(UTC), HOUR, Token.generate()
    )
    (bob.folder / "p").write_bytes(seal_package(ExportedDomain(FILE_ID, "dev", None, ENTRIES[:1]), request))
    words = ("unpack", "--in", "p", "--identity-file", "k", "--sender", "sender.pub")
    assert json.loads(bob.done(*words, "--passphrase-file", "new")) == {"api-key": "tulip-api"}
    (bob.folder / "new").write_text("harbour")
    bob(*words, "--passphrase-file", "new").failed(4, "wrong passphrase")
