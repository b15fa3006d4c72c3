"""References: values that are kept elsewhere, and fetched when they are used."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from people import CREDS, MALLORY, Person, saved, with_owner_injected
from plugin_folder import install, install_shelf
from shell import ALICE, BIN, BOB, CAROL, DEV, SECONDS, Shell, as_variables

from pocket_protector import KeyFile, PolicyError, Reference, Sensitivity, StoreError
from pocket_protector.document.domain import Secret
from pocket_protector.document.policy import Policy
from pocket_protector.format.loaded_file import dump
from pocket_protector.references.resolve import ALLOW_LOCAL_VARIABLE

LOCAL = {ALLOW_LOCAL_VARIABLE: "1"}
RUN = ("run", "refs", "--")


@pytest.fixture
def shelf(alice: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Alice's shell, with a plugin whose references do what they say, and a file of what it is asked."""
    return with_shelf(alice, tmp_path, monkeypatch)


@pytest.fixture
def signed(someone: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    """Alice, who has signed a reference in dev and committed that; she has seen the file."""
    with_shelf(someone, tmp_path, monkeypatch)
    reference = Reference("shelf://value/x")
    someone.change(lambda file: file.add_secret("dev", "ref", reference, creds=CREDS[ALICE]))
    someone.done("trust", "accept", "--yes")
    return someone


def with_shelf(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    plugins = tmp_path / "plugins"
    install_shelf(plugins)
    monkeypatch.syspath_prepend(plugins)
    shell.variables |= {"PYTHONPATH": str(plugins), "SHELF_CALLS": str(tmp_path / "calls")}
    return shell


def pointing(shell: Shell, **references: str) -> Shell:
    """The shell, with a domain `refs` of these references; the domain is signed by nobody."""
    store = shell.store().add_domain("refs", ALICE)
    for name, text in references.items():
        store = store.add_secret("refs", name, Reference(text))
    store.write()
    return shell


def edited(shell: Shell, old: str, new: str) -> None:
    """Change the file as an editor would."""
    text = shell.file.read_text()
    assert old in text
    shell.file.write_text(text.replace(old, new))


def calls(shell: Shell, event: str = "begin") -> list[tuple[float, str]]:
    """When the shelf was asked, for what."""
    path = Path(shell.variables["SHELF_CALLS"])
    lines = path.read_text().splitlines() if path.exists() else []
    return [(float(line.split()[1]), line.split()[2]) for line in lines if line.startswith(event)]


def logged(shell: Shell, text: str) -> bool:
    """Whether the file's audit log has an entry of this text."""
    return any(entry.endswith(f" -- {text}") for entry in shell.store().get_audit_log())


def accesses(shell: Shell) -> list[dict[str, str]]:
    return [json.loads(line) for line in log(shell).read_text().splitlines()] if log(shell).exists() else []


def log(shell: Shell) -> Path:
    return shell.home / ".local" / "state" / "pprotect" / "access.log"


# Setting them


@pytest.mark.parametrize(
    ("words", "name"),
    [(("add-secret",), "new"), (("set-secret",), "new"), (("set-secret",), "API_KEY"), (("update-secret",), "API_KEY")],
)
def test_a_reference_is_set_without_credentials(shelf: Shell, words: tuple[str, ...], name: str) -> None:
    result = shelf(*words, "dev", name, "--reference", "shelf://value/x", "--ignore-env")
    assert (result.code, result.out) == (0, "")
    assert f"  secret-{name}:\n    reference: shelf://value/x\n    updated: 20" in shelf.file.read_text()
    verb = "added" if name == "new" else "updated"
    assert logged(shelf, f"{verb} secret {name} in dev as a reference to shelf")
    assert calls(shelf) == []
    assert accesses(shelf) == []


def test_options_stand_anywhere_and_nothing_is_read_from_stdin(shelf: Shell) -> None:
    result = shelf("--reference", "shelf://value/x", "--sensitivity=high", "add-secret", "dev", "new", stdin="tulip\n")
    assert result.code == 0
    assert shelf.store().get_references("dev") == {"new": Reference("shelf://value/x")}
    assert shelf.store().get_secret_sensitivity("dev", "new") is Sensitivity.HIGH


@pytest.mark.parametrize(
    ("text", "more", "code", "error"),
    [
        ("", (), 2, "--reference: not a reference"),
        ("plain", (), 2, "--reference: not a reference"),
        ("shelf://value/a b", (), 2, "--reference: not a reference"),
        ("shelf://value/" + "x" * 2048, (), 2, "at most 2048 characters"),
        ("shelf://value", (), 2, "--reference: not a reference to a shelf"),
        ("shelf://value/x?a=b", (), 2, "--reference: not a reference to a shelf"),
        ("env://PPROTECT_PASSPHRASE", (), 2, "may hold credentials"),
        ("env://DEPLOY_PASSPHRASE", (), 2, "may hold credentials"),
        ("nowhere://value/x", (), 7, "no installed plugin knows references of the scheme 'nowhere'"),
        ("shelf://uncheckable/x", (), 7, "the plugin 'shelf' ended with LookupError"),
        ("shelf://value/x", ("--from-file", "-"), 2, "leave out --from-file and --generate"),
        ("shelf://value/x", ("--generate",), 2, "leave out --from-file and --generate"),
        ("shelf://value/x", ("--sensitivity", "secret"), 2, "'secret' is not a sensitivity"),
    ],
)
def test_references_that_will_not_do(shelf: Shell, text: str, more: tuple[str, ...], code: int, error: str) -> None:
    before = shelf.file.read_bytes()
    result = shelf("set-secret", "dev", "new", "--reference", text, *more, stdin="tulip\n")
    result.failed(code, error)
    assert shelf.file.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("add-secret", "dev", "API_KEY"), "secret 'API_KEY' already exists in 'dev'"),
        (("update-secret", "dev", "new"), "no secret in 'dev' named 'new'"),
        (("set-secret", "nope", "new"), "no key domain named 'nope'"),
        (("set-secret", "dev", "9new"), "cannot name a secret"),
    ],
)
def test_places_that_will_not_do(shelf: Shell, words: tuple[str, ...], error: str) -> None:
    shelf(*words, "--reference", "shelf://value/x").failed(6, error)


def test_an_owner_signs_it_as_a_secret(signed: Person) -> None:
    assert signed.store().authority("dev").unreviewed == []
    before = signed.file.read_text()
    signed.file.write_text(before.replace("shelf://value/x", "shelf://value/y"))
    signed("get", "dev", "ref").failed(5, "no reference in 'dev' is resolved: secret/dev/ref: ")
    assert calls(signed) == []
    signed.file.write_text(before)
    assert signed.done("get", "dev", "ref") == "tulip-x"


def test_it_is_removed_and_changed_back(shelf: Shell) -> None:
    pointing(shelf, a="shelf://value/x", b="shelf://value/y")
    shelf.done("rm-secret", "refs", "a")
    shelf.done("update-secret", "refs", "b", stdin="plain\n")
    assert shelf.store().get_references("refs") == {}
    assert json.loads(shelf.done("decrypt-domain", "refs")) == {"b": "plain"}
    assert "shelf://" not in shelf.file.read_text()


# Listing them


def test_list_long(shelf: Shell) -> None:
    pointing(shelf, ref="shelf://json/x#a.b")
    shelf.done("add-secret", "refs", "plain", "--generate", "--sensitivity", "inject-only")
    head, plain, ref = shelf.done("list-domain-secrets", "refs", "--long", "--ignore-env").splitlines()
    assert head.split() == ["NAME", "MODE", "SENSITIVITY", "UPDATED", "REFERENCE"]
    assert re.fullmatch(r"plain  value      inject-only  20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", plain)
    assert re.fullmatch(r"ref    reference  medium       20\S+Z  shelf://json/x#a\.b", ref)
    assert shelf.done("list-domain-secrets", "refs") == "plain\nref\n"
    assert calls(shelf) == []


def test_list_long_as_json(shelf: Shell) -> None:
    pointing(shelf, ref="shelf://value/x")
    shown = json.loads(shelf.done("list-domain-secrets", "refs", "--long", "--json"))
    assert shown.pop("schema") == 1
    (row,) = shown["secrets"]
    assert row.pop("updated").endswith("Z")
    assert row == {"name": "ref", "mode": "reference", "sensitivity": "medium", "reference": "shelf://value/x"}
    (row,) = json.loads(shelf.done("list-domain-secrets", "prod", "--long", "--json"))["secrets"]
    assert (row["mode"], row["reference"]) == ("value", None)
    assert json.loads(shelf.done("list-domain-secrets", "refs", "--json"))["secrets"] == ["ref"]


def test_list_long_of_what_is_empty_or_not_there(shelf: Shell) -> None:
    pointing(shelf)
    result = shelf("list-domain-secrets", "refs", "--long")
    assert (result.code, result.out, result.err[:22]) == (0, "", "(No secrets in domain ")
    assert json.loads(shelf.done("list-domain-secrets", "refs", "--long", "--json"))["secrets"] == []
    shelf("list-domain-secrets", "nope", "--long").failed(6, "no key domain named 'nope'")


def test_status_counts_them(shelf: Shell) -> None:
    pointing(shelf, ref="shelf://value/x")
    assert "refs: values: 0 reviewed, 1 unreviewed (references among them: 1)" in shelf.done("status")
    assert json.loads(shelf.done("status", "--json"))["status"]["domains"]["refs"]["references"] == 1


# Following them


def test_every_reader_follows_them(shelf: Shell) -> None:
    pointing(shelf, A="shelf://value/x", B="shelf://json/x#a.b")
    shelf.done("set-secret", "refs", "C", stdin="plain")
    values = {"A": "tulip-x", "B": "tulip-b", "C": "plain"}
    result = shelf("decrypt-domain", "refs")
    assert (result.code, json.loads(result.out), result.err) == (0, values, "")
    assert shelf.done("decrypt-domain", "refs", "--secret", "B") == "tulip-b\n"
    assert shelf.done("decrypt-domain", "refs", "--output-format", "env") == "A=tulip-x\nB=tulip-b\nC=plain\n"
    assert shelf("get", "refs", "A").raw == b"tulip-x"
    assert shelf.done(*RUN, "sh", "-c", "echo $A $B $C") == "tulip-x tulip-b plain\n"
    assert shelf.done("exec", "--domain", "refs", "--", "printenv", "A") == "tulip-x\n"


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (("get", "refs", "A"), "shelf://value/x"),
        (("decrypt-domain", "refs", "--output-format", "env"), "A=shelf://value/x\nB=plain\n"),
        ((*RUN[:-1], "--no-resolve", "--", "sh", "-c", "echo $A $B"), "shelf://value/x plain\n"),
    ],
)
def test_no_resolve_gives_the_pointer_and_fetches_nothing(shelf: Shell, words: tuple[str, ...], out: str) -> None:
    pointing(shelf, A="shelf://value/x")
    shelf.done("set-secret", "refs", "B", stdin="plain")
    words = words if "--no-resolve" in words else (*words, "--no-resolve")
    # Nobody need know the scheme for that.
    assert shelf.done(*words, env={"PYTHONPATH": ""}) == out
    assert calls(shelf) == []
    assert accesses(shelf) == []


def test_one_value_fetches_nothing_else(shelf: Shell) -> None:
    pointing(shelf, a="shelf://value/x", b="shelf://fault/DENIED")
    shelf.done("set-secret", "refs", "c", stdin="plain")
    assert shelf.done("get", "refs", "c") == "plain"
    assert calls(shelf) == []
    assert shelf.done("get", "refs", "a") == "tulip-x"
    assert [text for _, text in calls(shelf)] == ["shelf://value/x"]


def test_the_same_uri_is_fetched_once(shelf: Shell) -> None:
    pointing(shelf, a="shelf://json/x#a.b", b="shelf://json/x#c%2Ed", c="shelf://json/x", d="shelf://counted/y")
    pointers = shelf.store()
    pointers.add_secret("refs", "e", Reference("shelf://counted/y")).write()
    values = json.loads(shelf.done("decrypt-domain", "refs"))
    assert (values["a"], values["b"], json.loads(values["c"])["c.d"]) == ("tulip-b", "5", 5)
    assert (values["d"], values["e"]) == ("tulip-0", "tulip-0")
    assert sorted(text for _, text in calls(shelf)) == ["shelf://counted/y", "shelf://json/x"]
    assert json.loads(shelf.done("decrypt-domain", "refs"))["d"] == "tulip-1"


def test_many_are_fetched_at_once(shelf: Shell) -> None:
    pointing(shelf, **{f"s{number}": f"shelf://late/{number}" for number in range(40)})
    values = json.loads(shelf.done("decrypt-domain", "refs"))
    assert values == {f"s{number}": f"tulip-{number}" for number in range(40)}
    first_end = calls(shelf, "end")[0][0]
    assert sum(begun < first_end for begun, _ in calls(shelf)) >= 17
    assert len(calls(shelf)) == 40


def test_what_takes_longer_is_told_on_a_terminal_only(shelf: Shell) -> None:
    pointing(shelf, a="shelf://later/1.2", b="shelf://value/x")
    assert shelf("decrypt-domain", "refs").err == ""
    Path(shelf.variables["SHELF_CALLS"]).unlink()
    terminal = shelf.terminal("decrypt-domain", "refs")
    assert terminal.end() == 0
    assert "\rfetched 2 of 2 references\r\n" in terminal.shown


@pytest.mark.parametrize(
    ("text", "words", "raw"),
    [
        ("shelf://bytes/x", ("get", "refs", "A"), b"\xff\x80tulip\n"),
        ("shelf://bytes/x", (*RUN, "printenv", "A"), b"\xff\x80tulip\n\n"),
        ("shelf://nul/x", ("get", "refs", "A"), b"tulip\0tulip"),
        ("shelf://size/262144", ("get", "refs", "A"), b"t" * 262144),
    ],
)
def test_bytes_are_given_as_they_are(shelf: Shell, text: str, words: tuple[str, ...], raw: bytes) -> None:
    pointing(shelf, A=text)
    result = shelf(*words)
    assert (result.code, result.raw, result.err) == (0, raw, "")


@pytest.mark.parametrize(
    ("text", "words", "error"),
    [
        ("shelf://bytes/x", ("decrypt-domain", "refs"), "leads to is not UTF-8 text"),
        ("shelf://bytes/x", ("decrypt-domain", "refs", "--secret", "A"), "leads to is not UTF-8 text"),
        ("shelf://nul/x", (*RUN, "touch", "ran"), "secret 'A' has a NUL character"),
        ("shelf://size/262144", (*RUN, "touch", "ran"), "secret 'A' is too large for a variable"),
    ],
)
def test_bytes_that_have_no_place_there(shelf: Shell, text: str, words: tuple[str, ...], error: str) -> None:
    pointing(shelf, A=text)
    before = shelf.file.read_bytes()
    shelf(*words).failed(6, error)
    assert shelf.file.read_bytes() == before
    assert not (shelf.folder / "ran").exists()


# What goes wrong


FAULTS = {
    "shelf://fault/NOT_SIGNED_IN": "not signed in: the shelf said so",
    "shelf://fault/UNREACHABLE": "unreachable: the shelf said so",
    "shelf://fault/NOT_FOUND": "not found: the shelf said so",
    "shelf://fault/DENIED": "denied: the shelf said so",
    "shelf://fault/OTHER": "the shelf said so",
    "shelf://empty/x": "the value is empty",
    "shelf://json/x#empty": "the value is empty",
    "shelf://size/262145": "the value has more than 262144 bytes",
    "shelf://json/x#a.c": "the JSON value has no key 'c' at the place that the fragment names",
    "shelf://value/x#a": "the value is not JSON, so a fragment cannot select a part of it",
    "shelf://later/60": "the shelf is busy",
    # A plugin's own faults: nothing of what they say is shown, and none takes until its time is up.
    "shelf://text/x": "the plugin did not return bytes",
    "shelf://value/x#text": "the plugin did not return bytes",
    "shelf://exception/x": "the plugin ended with RuntimeError",
    "shelf://value/x#raise": "the plugin ended with LookupError",
    "shelf://value/x#exit": "the plugin ended with SystemExit",
    "shelf://exit/x": "the plugin ended with SystemExit",
    "shelf://panic/x": "the plugin ended with Panic",
    "shelf://odd/x": "the plugin ended with TypeError",
}


def test_each_that_cannot_be_had(shelf: Shell) -> None:
    """And each is asked for once: what is not throttled is not tried again."""
    pointing(shelf, **{f"s{number}": text for number, text in enumerate(FAULTS)})
    begun = time.monotonic()
    result = shelf("check-references", "refs", "--json")
    assert time.monotonic() - begun < 10
    assert (result.code, result.err) == (1, "")
    assert "tulip" not in result.out
    found = {row["reference"]: row["outcome"] for row in json.loads(result.out)["references"]}
    assert found == FAULTS
    assert sorted(text for _, text in calls(shelf)) == sorted({text.partition("#")[0] for text in FAULTS})


@pytest.mark.parametrize(
    "text",
    ["shelf://fault/DENIED", "shelf://size/262145", "shelf://exception/x", "shelf://panic/x", "shelf://value/x#exit"],
)
def test_one_that_cannot_be_had(shelf: Shell, text: str) -> None:
    pointing(shelf, ref=text)
    result = shelf("get", "refs", "ref")
    result.failed(7, FAULTS[text], "mend the shelf" if "fault" in text else None)
    assert result.err.startswith(f"error: secret 'ref' in 'refs': {text}: {FAULTS[text]}\n")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("nowhere://x/y", "no installed plugin knows references of the scheme 'nowhere'"),
        ("shelf://value", "not a reference to a shelf"),
        ("shelf://uncheckable/x", "the plugin 'shelf' ended with LookupError"),
        ("env://PPROTECT_PASSPHRASE", "a reference must not name a variable that may hold credentials"),
        ("file:///dev/fd/0", "a reference must not lead into /dev"),
    ],
)
def test_one_that_was_written_by_hand_is_checked_too(shelf: Shell, text: str, error: str) -> None:
    """And it is the one that is named, whatever was not tried for it."""
    pointing(shelf, a="shelf://value/x", b="shelf://value/other", c="shelf://value/z")
    edited(shelf, "shelf://value/other", text)
    result = shelf("decrypt-domain", "refs", env=LOCAL)
    result.failed(7, f"secret 'b' in 'refs': {text}: {error}")
    assert "and others" not in result.err
    assert calls(shelf) == []


@pytest.mark.parametrize("text", ["shelf", "shelf://value/%ff", ""])
def test_one_that_is_none_makes_the_file_invalid(shelf: Shell, text: str) -> None:
    pointing(shelf, a="shelf://value/other")
    edited(shelf, "shelf://value/other", text)
    shelf("get", "dev", "API_KEY").failed(3, "refs.secret-a.reference")


@pytest.mark.parametrize("words", [("decrypt-domain", "refs"), (*RUN, "touch", "ran")])
def test_one_that_cannot_be_had_fails_the_whole_command(shelf: Shell, words: tuple[str, ...]) -> None:
    pointing(shelf, A="shelf://value/x", B="shelf://fault/DENIED", C="shelf://fault/NOT_FOUND")
    error = "secret 'B' in 'refs': shelf://fault/DENIED: denied: the shelf said so (and others: C)"
    shelf(*words).failed(7, error, "mend the shelf")
    assert not (shelf.folder / "ran").exists()


@pytest.mark.parametrize(
    "words", [("run", "refs", "--skip-unresolved"), ("exec", "--domain", "refs", "--skip-unresolved")]
)
def test_a_program_runs_without_what_cannot_be_had(shelf: Shell, words: tuple[str, ...]) -> None:
    pointing(shelf, A="shelf://value/x", B="shelf://fault/DENIED", C="shelf://empty/x")
    result = shelf(*words, "--", "sh", "-c", "echo ${A-none} ${B-none} ${C-none}", env={"B": "mine"})
    assert (result.code, result.out) == (0, "tulip-x mine none\n")
    assert result.err == (
        "warning: B is left out: secret 'B' in 'refs': shelf://fault/DENIED: denied: the shelf said so\n"
        "warning: C is left out: secret 'C' in 'refs': shelf://empty/x: the value is empty\n"
    )


def test_values_are_printed_without_what_cannot_be_had(shelf: Shell) -> None:
    pointing(shelf, A="shelf://value/x", B="shelf://fault/OTHER")
    result = shelf("decrypt-domain", "refs", "--skip-unresolved")
    assert (result.code, json.loads(result.out)) == (0, {"A": "tulip-x"})
    assert "warning: B is left out: " in result.err
    # The one that is asked for is not left out.
    shelf("decrypt-domain", "refs", "--secret", "B", "--skip-unresolved").failed(7, "secret 'B' in 'refs'")


def test_a_domain_that_is_not_as_it_should_be_hides_no_other(signed: Person) -> None:
    pointing(signed, a="shelf://value/x", b="shelf://fault/DENIED")
    signed.done("trust", "accept", "--yes")
    edited(signed, "shelf://value/x\n    updated", "shelf://value/y\n    updated")
    result = signed("check-references")
    assert result.code == 1
    rows = dict(line.split(maxsplit=1) for line in result.out.splitlines())
    assert rows["refs/a"].endswith("ok")
    assert rows["refs/b"].endswith("denied: the shelf said so")
    assert "no reference in 'dev' is resolved" in rows["dev/ref"]


def test_a_rotation_does_not_sign_an_older_pointer_of_production(signed: Person) -> None:
    signed.done("set-policy", "dev", "--production")
    before = signed.file.read_text()
    signed.done("update-secret", "dev", "ref", "--reference", "shelf://value/newer", "--sign")
    signed.file.write_text(before)
    file = signed.file.read_bytes()
    for words in (("rotate-domain-keys", "dev"), ("add-owner", "dev", CAROL)):
        signed(*words).failed(5, "older references are back", "trust accept")
    assert signed.file.read_bytes() == file
    signed.done("trust", "accept", "--yes")
    signed.done("rotate-domain-keys", "dev")


def test_a_relative_state_folder(shelf: Shell) -> None:
    pointing(shelf, a="shelf://value/x")
    for _ in range(2):
        assert shelf("get", "refs", "a", env={"PPROTECT_STATE_DIR": "state"}).err == ""
    assert len((shelf.folder / "state" / "access.log").read_text().splitlines()) == 2


def test_what_is_throttled_is_asked_again_and_waits_longer_each_time(shelf: Shell) -> None:
    pointing(shelf, a="shelf://busy/2")
    assert shelf.done("get", "refs", "a") == "tulip-free"
    times = [when for when, _ in calls(shelf)]
    assert len(times) == 3
    assert times[1] - times[0] >= 0.12
    assert times[2] - times[1] >= 0.25


def test_and_as_long_as_the_provider_says(shelf: Shell) -> None:
    pointing(shelf, a="shelf://later/0.6")
    assert shelf.done("get", "refs", "a") == "tulip-free"
    first, second = [when for when, _ in calls(shelf)]
    assert 0.6 <= second - first < 5


@pytest.mark.slow
def test_a_plugin_that_hangs_is_left_behind(shelf: Shell) -> None:
    pointing(shelf, A="shelf://value/x", B="shelf://hang/y")
    begun = time.monotonic()
    result = shelf("run", "refs", "--", "touch", "ran")
    assert 15 <= time.monotonic() - begun < 20
    result.failed(7, "secret 'B' in 'refs': shelf://hang/y: unreachable: no answer within 15 seconds")
    assert not (shelf.folder / "ran").exists()
    assert [access["secret"] for access in accesses(shelf)] == ["A", "B"]


@pytest.mark.slow
def test_a_program_that_runs_without_it_ends_as_it_wants(shelf: Shell) -> None:
    pointing(shelf, A="shelf://value/x", B="shelf://hang/y")
    begun = time.monotonic()
    assert shelf("run", "refs", "--skip-unresolved", "--", "sh", "-c", "echo $A; exit 3").code == 3
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("words", [("get", "refs", "a"), (*RUN, "touch", "ran"), ("check-references",)])
def test_ctrl_c_ends_it_at_once(shelf: Shell, words: tuple[str, ...]) -> None:
    pointing(shelf, a="shelf://hang/x", b="shelf://value/y")
    terminal = shelf.terminal(*words)
    wait_for_a_call(shelf)
    begun = time.monotonic()
    terminal.interrupt()
    assert terminal.end() == 130
    assert time.monotonic() - begun < 5
    assert not (shelf.folder / "ran").exists()


def test_sigint_ends_it_in_a_pipeline_too(shelf: Shell) -> None:
    pointing(shelf, a="shelf://hang/x")
    words = [str(BIN / "pprotect"), "get", "refs", "a"]
    with subprocess.Popen(
        words, cwd=shelf.folder, env=shelf.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        wait_for_a_call(shelf)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=SECONDS)
    assert (child.returncode, out, err.strip()) == (130, b"", b"")


def wait_for_a_call(shell: Shell) -> None:
    deadline = time.monotonic() + SECONDS
    while not calls(shell):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.1)


@pytest.mark.parametrize(
    ("script", "out"),
    [
        ("pprotect get refs a <&-", "tulip-x"),
        ("pprotect get refs a 2>&-", "tulip-x"),
        ("pprotect run refs -- printenv a <&-", "tulip-x\n"),
        ("pprotect run refs -- printenv a <&- 2>&-", "tulip-x\n"),
        ("pprotect run refs -- sh -c 'test $a = tulip-x' >&-; echo $?", "0\n"),
    ],
)
def test_closed_streams(shelf: Shell, script: str, out: str) -> None:
    pointing(shelf, a="shelf://value/x")
    result = shelf.sh(script)
    assert (result.code, result.out, result.err) == (0, out, "")
    assert len(accesses(shelf)) == 1


def test_a_closed_stdout_is_an_error(shelf: Shell) -> None:
    pointing(shelf, a="shelf://value/x")
    shelf.sh("pprotect get refs a >&-").failed(6, "cannot write the output")
    shelf.sh("pprotect decrypt-domain refs >&-").failed(6, "cannot write the output")
    assert shelf.sh("pprotect decrypt-domain refs | true; echo ${PIPESTATUS[1]}").out == "0\n"


# Where nothing of a value may stand


def test_no_value_stands_anywhere_else(shelf: Shell) -> None:
    pointing(shelf, a="shelf://value/x", b="shelf://exception/x", c="shelf://size/262145")
    shelf("decrypt-domain", "refs")
    shelf("check-references")
    shelf("decrypt-domain", "refs", "--skip-unresolved")
    kept = [path for path in (*shelf.home.rglob("*"), *shelf.folder.rglob("*")) if path.is_file()]
    assert {path.name for path in kept} >= {"access.log", "protected.yaml"}
    assert [path for path in kept if b"tulip" in path.read_bytes() or b"tttttt" in path.read_bytes()] == []


def test_no_value_stands_in_the_list_of_processes(shelf: Shell) -> None:
    pointing(shelf, a="shelf://value/x")
    shown = shelf.done(*RUN, "sh", "-c", "ps -o args= -p $$ -p $PPID; test -n $a")
    assert "ps -o args=" in shown
    assert "tulip" not in shown


# What only this machine has


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        *(("env://OTHER", text) for text in ("", "0", "true", " 1")),
        *((text, None) for text in ("env://OTHER", "file:///etc/hostname", "op://vault/item/field", "keyring://a/b")),
    ],
)
def test_local_ones_are_off(shelf: Shell, text: str, allowed: str | None) -> None:
    pointing(shelf, ref=text)
    env = {"OTHER": "tulip"} | ({} if allowed is None else {ALLOW_LOCAL_VARIABLE: allowed})
    result = shelf("get", "refs", "ref", env=env)
    result.failed(7, f"{text}: denied: it reads from this machine", f"{ALLOW_LOCAL_VARIABLE}=1")


def test_local_ones_that_are_allowed(shelf: Shell) -> None:
    (shelf.home / "value").write_bytes(b"tulip-file\n")
    pointing(shelf, A="env://OTHER", B=f"file://{shelf.home}/value", C="env://MISSING")
    env = LOCAL | {"OTHER": "tulip-other"}
    assert shelf.done("get", "refs", "A", env=env) == "tulip-other"
    assert shelf.done("get", "refs", "B", env=env) == "tulip-file\n"
    shelf("get", "refs", "C", env=env).failed(7, "env://MISSING: not found: ")
    shelf("decrypt-domain", "refs", env=env).failed(7, "secret 'C' in 'refs'")


@pytest.mark.parametrize("name", ["DEPLOY_PASSPHRASE", "deploy_passphrase", "DEPLOY_USER"])
def test_none_leads_to_credentials(shelf: Shell, name: str) -> None:
    pointing(shelf, ref="env://DEPLOY_OTHER")
    edited(shelf, "DEPLOY_OTHER", name)
    env = LOCAL | as_variables(ALICE, "DEPLOY") | {"deploy_passphrase": "tulip"}
    result = shelf("get", "refs", "ref", "--env-prefix", "DEPLOY", env=env)
    assert (result.code, result.out) == (7, "")
    assert ALICE not in result.err
    # The same prefix from the environment.
    assert shelf("get", "refs", "ref", env=env | {"PPROTECT_ENV_PREFIX": "DEPLOY"}).code == 7


def test_a_program_gets_no_credentials_of_either_prefix(shelf: Shell) -> None:
    pointing(shelf, A="shelf://value/x")
    env = as_variables(ALICE, "ONE") | as_variables(ALICE, "TWO") | {"PPROTECT_ENV_PREFIX": "TWO"}
    shown = shelf.done("run", "refs", "--env-prefix", "ONE", "--", "env", env=env)
    assert "A=tulip-x\n" in shown
    assert not re.search("^(ONE|TWO|PPROTECT)_", shown, re.MULTILINE)


# The log of accesses


def test_accesses_are_recorded_by_name_and_scheme(shelf: Shell) -> None:
    pointing(shelf, a="shelf://value/x", b="shelf://fault/DENIED")
    shelf.done("get", "refs", "a")
    shelf("decrypt-domain", "refs")
    shelf("check-references", "refs")
    assert [entry["secret"] for entry in accesses(shelf)] == ["a", "a", "b", "a", "b"]
    first = accesses(shelf)[0]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", first.pop("time"))
    file = str(shelf.file)
    assert first == {"file": file, "domain": "refs", "secret": "a", "scheme": "shelf"}
    assert "value/x" not in log(shelf).read_text()
    assert log(shelf).stat().st_mode & 0o777 == 0o600
    assert log(shelf).parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("planted", "words"),
    [
        *((planted, ("get", "refs", "a")) for planted in ("symlink", "folder", "fifo", "hard link", "no folder")),
        ("symlink", (*RUN, "printenv", "a")),
        ("no folder", ("decrypt-domain", "refs")),
    ],
)
def test_a_log_that_cannot_be_written_is_noted(shelf: Shell, words: tuple[str, ...], planted: str) -> None:
    pointing(shelf, a="shelf://value/x")
    state, victim = shelf.home / "state", shelf.home / "victim"
    victim.write_text("as it was")
    if planted == "no folder":
        state.write_text("a file")
    else:
        state.mkdir()
        path = state / "access.log"
        {"symlink": path.symlink_to, "hard link": path.hardlink_to}.get(planted, lambda _: None)(victim)
        {"folder": path.mkdir, "fifo": lambda: os.mkfifo(path)}.get(planted, lambda: None)()
    result = shelf(*words, env={"PPROTECT_STATE_DIR": str(state)})
    assert result.code == 0
    assert "tulip-x" in result.out
    assert result.err.count("note: your log of accesses cannot be written") == 1
    assert victim.read_text() == "as it was"


def test_a_full_log_is_put_aside(shelf: Shell) -> None:
    pointing(shelf, a="shelf://value/x")
    log(shelf).parent.mkdir(parents=True)
    with log(shelf).open("wb") as file:
        file.truncate(10 * 1024 * 1024)
    log(shelf).with_name("access.log.1").write_text("the one before")
    shelf.done("get", "refs", "a")
    assert len(accesses(shelf)) == 1
    assert log(shelf).stat().st_mode & 0o777 == 0o600
    assert log(shelf).with_name("access.log.1").stat().st_size == 10 * 1024 * 1024


def test_nothing_is_recorded_where_nothing_is_asked_for(shelf: Shell) -> None:
    shelf.done("decrypt-domain", "dev")
    shelf.done("check-references", env={"PPROTECT_STATE_DIR": str(shelf.file / "no-folder")})
    assert not log(shelf).exists()


# check-references


def test_check_references(shelf: Shell) -> None:
    pointing(shelf, a="shelf://value/x", bb="shelf://json/x#a.b")
    shelf.done("set-secret", "dev", "ref", "--reference", "shelf://value/y")
    assert shelf.done("check-references", "--ignore-env") == (
        "dev/ref  shelf://value/y     ok\nrefs/a   shelf://value/x     ok\nrefs/bb  shelf://json/x#a.b  ok\n"
    )
    assert shelf.done("check-references", "dev", "--ignore-env") == "dev/ref  shelf://value/y  ok\n"


def test_check_references_says_what_is_wrong_with_each(shelf: Shell) -> None:
    pointing(
        shelf,
        a="shelf://value/x",
        b="shelf://fault/DENIED",
        c="shelf://empty/x",
        d="env://HOME",
        e="shelf://exception/x",
    )
    edited(shelf, "env://HOME", "nowhere://HOME")
    result = shelf("check-references", "refs", "--ignore-env", "--non-interactive")
    assert (result.code, result.err) == (1, "")
    assert [tuple(re.split("  +", line)) for line in result.out.splitlines()] == [
        ("refs/a", "shelf://value/x", "ok"),
        ("refs/b", "shelf://fault/DENIED", "denied: the shelf said so"),
        ("refs/c", "shelf://empty/x", "the value is empty"),
        ("refs/d", "nowhere://HOME", "no installed plugin knows references of the scheme 'nowhere'"),
        ("refs/e", "shelf://exception/x", "the plugin ended with RuntimeError"),
    ]
    assert "tulip" not in result.out


def test_check_references_as_json(shelf: Shell) -> None:
    pointing(shelf, a="shelf://value/x", b="shelf://fault/NOT_FOUND")
    result = shelf("check-references", "--json")
    assert result.code == 1
    assert json.loads(result.out) == {
        "schema": 1,
        "references": [
            {"domain": "refs", "secret": "a", "reference": "shelf://value/x", "outcome": "ok"},
            {
                "domain": "refs",
                "secret": "b",
                "reference": "shelf://fault/NOT_FOUND",
                "outcome": "not found: the shelf said so",
            },
        ],
    }


def test_check_references_of_none_and_of_nowhere(shelf: Shell) -> None:
    result = shelf("check-references")
    assert (result.code, result.out, result.err) == (0, "", f"(No references in protected at {shelf.file})\n")
    assert json.loads(shelf.done("check-references", "dev", "--json")) == {"schema": 1, "references": []}
    shelf("check-references", "nope").failed(6, "no key domain named 'nope'")
    shelf("check-references", "dev", "more").failed(2, "too many arguments")


# import-reference


def test_import_reference(signed: Person) -> None:
    """It signs nothing, and keeps the sensitivity."""
    signed.done("set-sensitivity", "dev", "ref", "inject-only")
    result = signed("import-reference", "dev", "ref")
    assert (result.code, result.out, result.err) == (0, "", "secret ref in dev now holds the value itself\n")
    store = signed.store()
    assert store.get_references("dev") == {}
    assert store.authority("dev").unreviewed == ["ref"]
    assert store.get_secret_sensitivity("dev", "ref") is Sensitivity.INJECT_ONLY
    assert logged(signed, "imported secret ref in dev from shelf")
    assert signed.values("dev")["ref"] == "tulip-x"
    assert [access["secret"] for access in accesses(signed)] == ["ref"]
    assert "tulip" not in signed.file.read_text()
    assert signed("verify").code == 0


def test_import_reference_needs_no_credentials(shelf: Shell) -> None:
    pointing(shelf, a="shelf://json/x#a.b")
    shelf.done("import-reference", "refs", "a", "--ignore-env", "--non-interactive")
    assert shelf.values("refs") == {"a": "tulip-b"}


@pytest.mark.parametrize(
    ("domain", "name", "code", "error"),
    [
        ("dev", "API_KEY", 6, "'API_KEY' in 'dev' is no reference"),
        ("dev", "nope", 6, "no secret in 'dev' named 'nope'"),
        ("nope", "a", 6, "no key domain named 'nope'"),
        ("refs", "denied", 7, "shelf://fault/DENIED: denied: the shelf said so"),
        ("refs", "empty", 7, "the value is empty"),
        ("refs", "bytes", 6, "is not UTF-8 text"),
        ("refs", "local", 7, "denied: it reads from this machine"),
    ],
)
def test_what_cannot_be_imported(shelf: Shell, domain: str, name: str, code: int, error: str) -> None:
    pointing(shelf, denied="shelf://fault/DENIED", empty="shelf://empty/x", bytes="shelf://bytes/x", local="env://A")
    before = shelf.file.read_bytes()
    shelf("import-reference", domain, name).failed(code, error)
    assert shelf.file.read_bytes() == before


# Trust, and production


def test_a_domain_of_somebody_who_is_not_trusted_is_not_checked_either(signed: Person) -> None:
    stranger = f"{ALICE}={'0' * 64}"
    for words in (("check-references",), ("get", "dev", "ref"), ("import-reference", "dev", "ref")):
        signed(*words, "--trust", stranger).failed(8, "lead back to")
    assert calls(signed) == []


def test_what_somebody_changed_is_not_followed(signed: Person) -> None:
    signed.put(with_owner_injected(signed.store()))
    for words in (("get", "dev", "ref"), ("run", "dev", "--uppercase", "--", "touch", "ran"), ("check-references",)):
        result = signed(*words)
        result.failed(5, "no reference in 'dev' is resolved: owner/dev/")
    signed("import-reference", "dev", "ref").failed(5, f"owner/dev/{MALLORY}")
    assert calls(signed) == []
    assert not (signed.folder / "ran").exists()
    # What is sealed there can be read, with a warning.
    assert signed.done("get", "dev", "API_KEY") == DEV["API_KEY"]


def test_what_is_wrong_with_another_value_stops_no_other_reference(signed: Person) -> None:
    text = signed.file.read_text()
    entry = text[text.index("  secret-API_KEY:") : text.index("  secret-db-password:")]
    signed.file.write_text(text.replace(entry, re.sub("    sign.*\n", "", entry)))
    result = signed("get", "dev", "ref")
    assert (result.code, result.out) == (0, "tulip-x")
    assert "secret/dev/API_KEY" in result.err


@pytest.mark.parametrize("options", [(), ("--behind",)])
def test_an_older_branch_is_followed(signed: Person, options: tuple[str, ...]) -> None:
    signed.branch("old")
    signed.git("checkout", "-q", "main")
    signed.done("update-secret", "dev", "ref", "--reference", "shelf://value/new", "--sign")
    signed.commit("newer")
    signed.git("checkout", "-q", "old")
    assert signed.done("get", "dev", "ref", *options) == "tulip-x"


def test_an_older_branch_of_a_stricter_domain_is_followed_on_demand(signed: Person) -> None:
    signed.branch("old")
    signed.git("checkout", "-q", "main")
    signed.done("set-policy", "dev", "--require-signed")
    signed.commit("newer")
    signed.git("checkout", "-q", "old")
    signed("get", "dev", "ref").failed(8, "older than what you saw")
    assert calls(signed) == []
    assert signed.done("get", "dev", "ref", "--behind") == "tulip-x"


@pytest.fixture
def production(signed: Person) -> Person:
    """The same, with a policy that dev is production, and a second reference that nobody vouches for."""
    store = signed.store().set_policy("dev", Policy(production=True), CREDS[ALICE])
    signed.put(store.add_secret("dev", "new", Reference("shelf://value/new")))
    return signed


def test_production_put_back_to_before_its_policy_follows_nothing(signed: Person) -> None:
    before = signed.store().document.domain("dev")
    signed.done("set-policy", "dev", "--production")
    signed.done("get", "dev", "ref")
    document = signed.store().document
    evil = Secret(Reference("shelf://value/evil"), before.secrets["ref"].updated)
    old = replace(before, secrets={**before.secrets, "ref": evil})
    signed.file.write_text(dump(document.with_domain(old)).text)
    for words in (("get", "dev", "ref"), ("check-references",), ("run", "dev", "--uppercase", "--", "touch", "ran")):
        signed(*words).failed(5, "no reference in 'dev' is resolved: domain/dev", "--behind")
    assert "shelf://value/evil" not in [text for _, text in calls(signed)]
    assert not (signed.folder / "ran").exists()


def test_a_pointer_of_before_is_not_followed_in_production_until_somebody_accepts_it(signed: Person) -> None:
    signed.done("set-policy", "dev", "--production")
    entry = signed.store().document.secret("dev", "ref")
    signed.done("update-secret", "dev", "ref", "--reference", "shelf://value/new", "--sign")
    document = signed.store().document
    domain = document.domain("dev")
    older = replace(domain, secrets={**domain.secrets, "ref": entry})
    signed.file.write_text(dump(document.with_domain(older)).text)
    for _ in range(2):
        signed("get", "dev", "ref").failed(5, "no reference in 'dev' is resolved: secret/dev/ref")
        # Looking at something else does not end it.
        signed.done("get", "dev", "API_KEY")
        signed.done("set-secret", "dev", "other", "--generate")
    assert signed.done("get", "dev", "ref", "--behind") == "tulip-x"
    signed.done("trust", "accept", "--yes")
    assert signed.done("get", "dev", "ref") == "tulip-x"


def test_whoever_adds_one_to_production_is_told(signed: Person) -> None:
    signed.done("set-policy", "dev", "--production")
    words = ("add-secret", "dev", "new", "--reference", "shelf://value/new")
    note = "note: dev is production: nobody can resolve this reference until an owner reviews it\n"
    assert note in signed(*words).err
    assert note not in signed("set-secret", *words[1:], "--sign").err
    assert signed.done("get", "dev", "new") == "tulip-new"


@pytest.mark.parametrize(
    "words",
    [
        ("get", "dev", "new"),
        ("decrypt-domain", "dev"),
        ("decrypt-domain", "dev", "--skip-unresolved"),
        ("run", "dev", "--uppercase", "--", "touch", "ran"),
        ("import-reference", "dev", "new"),
    ],
)
def test_production_follows_none_that_nobody_vouches_for(production: Person, words: tuple[str, ...]) -> None:
    before = production.file.read_bytes()
    error = "the policy of 'dev' resolves no reference that no owner vouches for: new"
    production(*words).failed(8, error, "pprotect review dev")
    assert calls(production) == []
    assert production.file.read_bytes() == before
    assert not (production.folder / "ran").exists()


def test_production_follows_the_others(production: Person) -> None:
    assert production.done("get", "dev", "ref") == "tulip-x"
    assert production.done("get", "dev", "new", "--no-resolve") == "shelf://value/new"
    result = production("check-references", "dev")
    assert (result.code, result.out) == (
        1,
        "dev/new  shelf://value/new  its domain's policy requires an owner's signature\n"
        "dev/ref  shelf://value/x    ok\n",
    )
    assert [text for _, text in calls(production)] == ["shelf://value/x"] * 2
    with pytest.raises(PolicyError, match="no reference that no owner vouches for: new"):
        production.store().decrypt_domain("dev", CREDS[ALICE])


def test_a_review_shows_the_pointer_and_lets_it_be_followed(production: Person) -> None:
    assert production("verify").code == 1
    result = production("review", "dev", stdin="y\n")
    assert (result.code, result.out) == (0, "")
    assert "\n  shelf://value/new\n" in result.err
    assert calls(production) == []
    assert production.done("get", "dev", "new") == "tulip-new"
    assert production("verify").code == 0


def test_somebody_elses_signature_is_no_owners(production: Person) -> None:
    file = production.store().add_secret("dev", "more", Reference("shelf://value/m"), creds=CREDS[MALLORY])
    production.put(saved(file))
    production("get", "dev", "more").failed(8, "no reference that no owner vouches for: more")


def test_a_value_that_nobody_vouches_for_may_be_read_in_production(production: Person) -> None:
    """The policy speaks of references."""
    production.done("rm-secret", "dev", "new")
    production.done("add-secret", "dev", "plain", stdin="tulip-plain\n")
    assert json.loads(production.done("decrypt-domain", "dev"))["plain"] == "tulip-plain"


# Plugins that do not work


def broken(shell: Shell, code: str, scheme: str = "bad") -> Path:
    return install(Path(shell.variables["PYTHONPATH"]), "acme-broken", scheme, code)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("raise ImportError('tulip')", "the plugin 'bad' of acme-broken cannot be loaded: ImportError"),
        ("import sys; sys.exit(0)", "the plugin 'bad' of acme-broken cannot be loaded: SystemExit"),
        ("def Source(): raise ValueError('tulip')", "the plugin 'bad' of acme-broken cannot be loaded: ValueError"),
        (
            "class Source: form, local = '', False",
            "the plugin 'bad' of acme-broken is not a valid source of references: check",
        ),
    ],
)
def test_a_plugin_that_fails_stops_what_needs_it(shelf: Shell, code: str, error: str) -> None:
    pointing(shelf, a="shelf://value/x", b="shelf://value/other")
    edited(shelf, "shelf://value/other", "bad://x")
    broken(shelf, code)
    shelf("decrypt-domain", "refs").failed(7, error, "upgrade or uninstall it")
    shelf("set-secret", "refs", "c", "--reference", "bad://y").failed(7, error)
    assert shelf.done("get", "refs", "a") == "tulip-x"
    result = shelf("decrypt-domain", "refs", "--skip-unresolved")
    assert json.loads(result.out) == {"a": "tulip-x"}


def test_a_plugin_that_is_not_needed_is_not_loaded(shelf: Shell) -> None:
    pointing(shelf, a="shelf://value/x")
    code = "import pathlib; pathlib.Path(__file__).with_suffix('.loaded').touch()\nraise RuntimeError"
    module = broken(shelf, code)
    shelf.done("decrypt-domain", "refs")
    shelf.done("check-references")
    shelf.done("set-secret", "refs", "b", "--reference", "shelf://value/y")
    assert not module.with_suffix(".loaded").exists()


def test_two_plugins_for_one_scheme(shelf: Shell) -> None:
    pointing(shelf, a="shelf://value/x")
    broken(shelf, "raise ImportError", scheme="shelf")
    error = "several plugins claim references of the scheme 'shelf': acme-broken and acme-shelf"
    shelf("get", "refs", "a").failed(7, error, "uninstall all but one")
    assert shelf.done("get", "dev", "API_KEY") == DEV["API_KEY"]


# Without access


def test_who_may_not_open_the_domain_fetches_nothing(shelf: Shell) -> None:
    pointing(shelf, a="shelf://value/x")
    shelf("get", "refs", "a", env=as_variables(BOB)).failed(4, f"'{BOB}' is not an owner of 'refs'")
    shelf("get", "refs", "a", env={"PPROTECT_PASSPHRASE": "wrong"}).failed(4, "PPROTECT_PASSPHRASE")
    assert calls(shelf) == []


def test_the_library_agrees(shelf: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(shelf.home))
    pointing(shelf, a="shelf://value/x", b="shelf://bytes/y")
    store = KeyFile.from_file(shelf.file)
    with pytest.raises(StoreError, match="not UTF-8"):
        store.decrypt_domain("refs", CREDS[ALICE])
    assert store.decrypt_domain("refs", CREDS[ALICE], resolve=False).unresolved == ("a", "b")
    assert len(accesses(shelf)) == 2
