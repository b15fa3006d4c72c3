"""Following references, in the library."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from plugin_folder import install_shelf

import pocket_protector
from pocket_protector import (
    Creds,
    DecryptedDomain,
    Fault,
    IntegrityError,
    KeyFile,
    PolicyError,
    PPError,
    PPKeyError,
    ProviderError,
    Reference,
    Sensitivity,
    StoreError,
)
from pocket_protector.document.domain import Secret
from pocket_protector.document.policy import Policy
from pocket_protector.errors import ThrottledError
from pocket_protector.format.loaded_file import dump
from pocket_protector.plugins.source import MOST_THREADS
from pocket_protector.references.resolve import Resolved, resolve

ALICE, BOB = Creds("alice@example.com", f"P{'a1' * 32}P"), Creds("bob@example.com", f"P{'b2' * 32}P")


@pytest.fixture(autouse=True)
def _shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_shelf(tmp_path / "plugins")
    monkeypatch.syspath_prepend(tmp_path / "plugins")
    monkeypatch.setenv("SHELF_CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("PPROTECT_STATE_DIR", str(tmp_path / "state"))


def calls(event: str = "begin") -> list[str]:
    path = Path(os.environ["SHELF_CALLS"])
    return (
        [line.split()[2] for line in path.read_text().splitlines() if line.startswith(event)] if path.exists() else []
    )


def places(*texts: str) -> dict[tuple[str, str], Reference]:
    return {("dev", f"s{number}"): Reference(text) for number, text in enumerate(texts)}


def values(resolved: Resolved) -> dict[str, bytes]:
    return {name: value for (_, name), value in resolved.values.items()}


def faults(resolved: Resolved) -> dict[str, tuple[Fault, str]]:
    return {name: (error.fault, error.message) for (_, name), error in resolved.failures.items()}


def file(**secrets: str | Reference) -> KeyFile:
    """A file with a signed domain dev of Alice's."""
    made = KeyFile.create("protected.yaml").add_raw_key_custodian(ALICE).add_raw_key_custodian(BOB)
    made = made.add_domain("dev", ALICE.name, creds=ALICE)
    for name, value in secrets.items():
        made = made.add_secret("dev", name, value)
    return made


# resolve()


def test_nothing_gives_nothing() -> None:
    resolved = resolve({})
    assert (resolved.values, resolved.failures) == ({}, {})
    resolved.require_all()


def test_what_has_one_uri_is_fetched_once() -> None:
    texts = ("shelf://json/x#a.b", "shelf://json/x#c%2Ed", "shelf://json/x", "shelf://json/y#a.b", "shelf://json/x#a.b")
    resolved = resolve(places(*texts))
    found = values(resolved)
    assert (found["s0"], found["s1"], found["s3"], found["s4"]) == (b"tulip-b", b"5", b"tulip-b", b"tulip-b")
    assert json.loads(found["s2"])["c.d"] == 5
    assert sorted(calls()) == ["shelf://json/x", "shelf://json/y"]


def test_all_are_fetched_at_once_up_to_a_limit() -> None:
    assert MOST_THREADS >= 17
    begun = time.monotonic()
    resolved = resolve(places(*(f"shelf://late/{number}" for number in range(MOST_THREADS + 6))))
    assert time.monotonic() - begun < 5
    assert len(values(resolved)) == MOST_THREADS + 6
    events = [line.split()[0] for line in Path(os.environ["SHELF_CALLS"]).read_text().splitlines()]
    assert events.index("end") == MOST_THREADS


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    resolve(
        places("shelf://value/a", "shelf://value/b", "shelf://value/a#x"), lambda *step: told.append(step), partly=True
    )
    assert told == [(1, 2), (2, 2)]


def test_every_failure_has_its_place() -> None:
    resolved = resolve(places("shelf://fault/DENIED", "shelf://value/x", "shelf://empty/x"), partly=True)
    assert values(resolved) == {"s1": b"tulip-x"}
    assert faults(resolved) == {"s0": (Fault.DENIED, "the shelf said so"), "s2": (Fault.OTHER, "the value is empty")}
    error = resolved.failures["dev", "s0"]
    assert error.place == "secret 's0' in 'dev': shelf://fault/DENIED"
    assert error.brief == "denied: the shelf said so"
    assert str(error) == f"{error.place}: {error.brief}"
    assert (error.hint, error.exit_code) == ("mend the shelf", 7)


def test_the_first_that_failed_is_raised_and_names_the_others() -> None:
    resolved = resolve(places("shelf://value/x", "shelf://fault/DENIED", "shelf://fault/OTHER", "shelf://empty/x"))
    with pytest.raises(ProviderError) as raised:
        resolved.require_all()
    assert raised.value.place.startswith("secret 's1'")
    assert raised.value.message == "the shelf said so (and others: s2, s3)"


def test_nothing_is_begun_after_one_that_cannot_even_be_asked_for() -> None:
    """And that one is raised, though others come before it."""
    resolved = resolve(places("shelf://value/x", "nowhere://x", "shelf://value/y", "shelf://value"))
    assert calls() == []
    with pytest.raises(ProviderError) as raised:
        resolved.require_all()
    assert str(raised.value) == (
        "secret 's1' in 'dev': nowhere://x: no installed plugin knows references of the scheme 'nowhere'"
        " (and others: s3)"
    )
    partly = resolve(places("shelf://value/x", "nowhere://x", "shelf://value/y", "shelf://value"), partly=True)
    assert values(partly) == {"s0": b"tulip-x", "s2": b"tulip-y"}


def test_nothing_more_is_begun_after_a_failure() -> None:
    many = places("shelf://fault/OTHER", *(f"shelf://late/{number}" for number in range(MOST_THREADS + 20)))
    resolved = resolve(many)
    assert len(calls()) == MOST_THREADS
    with pytest.raises(ProviderError, match=r"the shelf said so$"):
        resolved.require_all()
    assert resolve(places("shelf://value/x")).values


@pytest.mark.parametrize("how", ["exit", "panic", "odd", "exception"])
def test_whatever_a_plugin_ends_with_nothing_of_it_is_shown(how: str, capfd: pytest.CaptureFixture[str]) -> None:
    begun = time.monotonic()
    resolved = resolve(places(f"shelf://{how}/x"))
    assert time.monotonic() - begun < 5
    ((fault, message),) = faults(resolved).values()
    assert fault is Fault.OTHER
    assert message.startswith("the plugin ended with ")
    error = next(iter(resolved.failures.values()))
    assert "tulip" not in f"{error!r} {error.__cause__!r} {error.__context__!r}"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("size", "fits"), [(1, True), (256 * 1024, True), (256 * 1024 + 1, False), (10_000_000, False)]
)
def test_the_largest_value(size: int, fits: bool) -> None:
    resolved = resolve(places(f"shelf://size/{size}"))
    assert bool(resolved.values) is fits
    assert faults(resolved) == ({} if fits else {"s0": (Fault.OTHER, "the value has more than 262144 bytes")})


@pytest.mark.parametrize(("text", "number"), [("busy/0", 1), ("busy/1", 2), ("busy/3", 4), ("later/0.3", 2)])
def test_only_what_is_throttled_is_tried_again(text: str, number: int) -> None:
    resolved = resolve(places(f"shelf://{text}"))
    assert values(resolved) == {"s0": b"tulip-free"}
    assert len(calls()) == number


@pytest.mark.parametrize("after", ["15", "60", "inf"])
def test_what_would_take_too_long_is_not_waited_for(after: str) -> None:
    begun = time.monotonic()
    error = resolve(places(f"shelf://later/{after}")).failures["dev", "s0"]
    assert time.monotonic() - begun < 5
    assert (error.message, error.hint) == ("the shelf is busy", "wait a little, and repeat the command")
    assert len(calls()) == 1


@pytest.mark.parametrize("after", ["-1", "0", "nan", "-inf"])
def test_times_that_are_none_are_not_waited_for(after: str) -> None:
    begun = time.monotonic()
    assert values(resolve(places(f"shelf://later/{after}"))) == {"s0": b"tulip-free"}
    assert time.monotonic() - begun < 2


@pytest.mark.slow
def test_what_hangs_is_left_behind_and_the_rest_is_had() -> None:
    begun = time.monotonic()
    texts = ("shelf://hang/x", "shelf://value/x", "shelf://hang/y", "shelf://busy/9", "shelf://json/x#hang")
    resolved = resolve(places(*texts), partly=True)
    assert 14 < time.monotonic() - begun < 20
    late = (Fault.UNREACHABLE, "no answer within 15 seconds")
    assert values(resolved) == {"s1": b"tulip-x"}
    assert faults(resolved) == {"s0": late, "s2": late, "s3": (Fault.OTHER, "the shelf is busy"), "s4": late}
    assert 4 <= calls().count("shelf://busy/9") <= 9
    assert all(thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread())


@pytest.mark.parametrize("allowed", ["", "0", "yes", "1"])
def test_local_sources_are_allowed_by_1_only(allowed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PPROTECT_ALLOW_LOCAL_REFERENCES", allowed)
    monkeypatch.setenv("OTHER", "tulip")
    resolved = resolve(places("env://OTHER"))
    if allowed == "1":
        assert values(resolved) == {"s0": b"tulip"}
    else:
        assert [fault for fault, _ in faults(resolved).values()] == [Fault.DENIED]


# KeyFile


def test_a_domain_is_resolved_or_not() -> None:
    made = file(a=Reference("shelf://value/x"), b="plain", c=Reference("shelf://json/x#a.b"))
    resolved = made.decrypt_domain("dev", ALICE)
    assert resolved == {"a": "tulip-x", "b": "plain", "c": "tulip-b"}
    assert resolved.unresolved == ()
    pointers = made.decrypt_domain("dev", ALICE, resolve=False)
    assert pointers == {"a": "shelf://value/x", "b": "plain", "c": "shelf://json/x#a.b"}
    assert pointers.unresolved == ("a", "c")
    assert isinstance(pointers, DecryptedDomain)
    assert len(calls()) == 2
    assert "tulip" not in repr(resolved)
    with pytest.raises(PPKeyError):
        resolved["d"]


def test_decrypted_domains_are_equal_to_dicts() -> None:
    made = file(a=Reference("shelf://value/x"), b="plain")
    first, second = made.decrypt_domain("dev", ALICE), made.decrypt_domain("dev", ALICE)
    assert first == second == dict(first)
    assert first != made.decrypt_domain("dev", ALICE, resolve=False)
    assert copy.copy(first) == first
    assert dict(made.decrypt_values("dev", ALICE)) == {"b": "plain"}


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (
            "shelf://fault/NOT_SIGNED_IN",
            ProviderError,
            "secret 'ref' in 'dev': shelf://fault/NOT_SIGNED_IN: not signed in",
        ),
        ("shelf://bytes/x", StoreError, "what the reference 'ref' in 'dev' leads to is not UTF-8 text"),
        ("shelf://empty/x", ProviderError, "the value is empty"),
        ("env://HOME", ProviderError, "denied: it reads from this machine"),
    ],
)
def test_one_that_cannot_be_had_gives_nothing(text: str, kind: type[PPError], message: str) -> None:
    made = file(a="plain", ref=Reference(text))
    with pytest.raises(kind, match=message):
        made.decrypt_domain("dev", ALICE)
    with pytest.raises(kind, match=message):
        made.import_reference("dev", "ref")
    assert made.decrypt_domain("dev", ALICE, resolve=False)["ref"] == text


def test_nothing_is_fetched_for_one_who_may_not_read() -> None:
    made = file(ref=Reference("shelf://value/x"))
    for creds in (BOB, Creds(ALICE.name, "wrong"), Creds("nobody", "x")):
        with pytest.raises(pocket_protector.AccessError):
            made.decrypt_domain("dev", creds)
    assert calls() == []


def test_production_follows_what_an_owner_vouches_for() -> None:
    made = file(ref=Reference("shelf://value/x"), plain="plain").set_policy("dev", Policy(production=True), ALICE)
    for follow in (
        lambda: made.decrypt_domain("dev", ALICE),
        lambda: made.resolve([("dev", "ref")]),
        lambda: made.import_reference("dev", "ref"),
    ):
        with pytest.raises(PolicyError, match="no reference that no owner vouches for: ref"):
            follow()
    assert made.get_withheld_references("dev") == ["ref"]
    assert made.decrypt_domain("dev", ALICE, resolve=False)["ref"] == "shelf://value/x"
    assert calls() == []
    signed = made.sign_secrets("dev", ["ref"], ALICE)
    assert signed.decrypt_domain("dev", ALICE)["ref"] == "tulip-x"
    assert signed.get_withheld_references("dev") == []


def test_signed_ones_only_are_followed_where_the_policy_wants_that() -> None:
    made = file(ref=Reference("shelf://value/x")).set_policy("dev", Policy(require_signed=True), ALICE)
    for follow in (lambda: made.resolve([("dev", "ref")]), lambda: made.import_reference("dev", "ref")):
        with pytest.raises(PolicyError, match="no reference that no owner vouches for: ref"):
            follow()
    assert calls() == []


@pytest.mark.parametrize("pointer", ["shelf://value/x", "shelf://value/stolen"])
def test_a_policy_that_is_edited_out_of_the_file_is_missed(pointer: str) -> None:
    made = file(ref=Reference("shelf://value/x")).set_policy("dev", Policy(production=True), ALICE)
    text = made.sign_secrets("dev", ["ref"], ALICE).get_contents()
    edited = text.replace("    policy:\n      production: true\n", "    policy: {}\n").replace(
        "shelf://value/x", pointer
    )
    assert edited != text
    made = KeyFile.from_contents_and_path(edited, "protected.yaml")
    with pytest.raises(IntegrityError, match="no reference in 'dev' is resolved: domain/dev"):
        made.decrypt_domain("dev", ALICE)
    assert calls() == []


@pytest.mark.parametrize("parts", ["x", "fault", "fault,message", "fault,message,hint", "message,hint"])
def test_errors_that_a_plugin_did_not_make_as_it_should(parts: str) -> None:
    made = file(ref=Reference(f"shelf://misshapen/{parts}"), other=Reference("shelf://value/x"))
    resolved = made.resolve([("dev", "ref"), ("dev", "other")], partly=True)
    assert values(resolved) == {"other": b"tulip-x"}
    assert faults(resolved) == {"ref": (Fault.OTHER, "the plugin ended with ProviderError")}


def test_very_many_take_no_longer_each() -> None:
    many = {f"s{number}": Reference(f"unknown://{number}") for number in range(3000)}
    made = file()
    domain = made.document.domain("dev")
    secrets = {name: Secret(reference, "2026-11-22T10:00:00Z") for name, reference in many.items()}
    text = dump(made.document.with_domain(replace(domain, secrets=secrets))).text
    begun = time.process_time()
    with pytest.raises(ProviderError) as caught:
        KeyFile.from_contents_and_path(text, "protected.yaml").decrypt_domain("dev", ALICE)
    assert time.process_time() - begun < 20
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("number", [0, 1, 3])
def test_where_few_threads_can_be_started(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def limited(thread: threading.Thread) -> None:
        if threading.active_count() - before >= number:
            raise RuntimeError("can't start new thread")
        start(thread)

    before = threading.active_count()
    monkeypatch.setattr(threading.Thread, "start", limited)
    resolved = resolve(places(*(f"shelf://value/{n}" for n in range(6))), partly=True)
    if number:
        assert len(values(resolved)) == 6
    else:
        assert {text for _, text in faults(resolved).values()} == {"the system cannot start a thread for the fetch"}


def test_one_that_hangs_holds_up_no_failure() -> None:
    begun = time.monotonic()
    resolved = resolve(places("shelf://hang/x", "shelf://fault/DENIED"))
    assert time.monotonic() - begun < 5
    assert faults(resolved) == {"s1": (Fault.DENIED, "the shelf said so")}


def test_the_library_gives_every_sensitivity() -> None:
    made = file()
    for number, sensitivity in enumerate(Sensitivity):
        made = made.add_secret("dev", f"s{number}", Reference(f"shelf://value/{number}"), sensitivity=sensitivity)
    assert made.decrypt_domain("dev", ALICE) == {f"s{number}": f"tulip-{number}" for number in range(4)}


def test_names_that_are_no_references() -> None:
    made = file(plain="plain", ref=Reference("shelf://value/x"))
    for name, error in {"plain": "is no reference", "nope": "known: plain, ref"}.items():
        with pytest.raises(StoreError, match=error):
            made.resolve([("dev", "ref"), ("dev", name)])
    with pytest.raises(PPKeyError, match="'nope'"):
        made.resolve([("nope", "ref")])
    assert calls() == []


def test_accesses_are_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = file(ref=Reference("shelf://value/x"))
    assert made.resolve([("dev", "ref")]).recorded
    made.decrypt_domain("dev", ALICE)
    lines = (tmp_path / "state" / "access.log").read_text().splitlines()
    assert [json.loads(line)["secret"] for line in lines] == ["ref", "ref"]
    monkeypatch.setenv("PPROTECT_STATE_DIR", str(tmp_path / "calls" / "no-folder"))
    assert not made.resolve([("dev", "ref")]).recorded
    assert made.decrypt_domain("dev", ALICE) == {"ref": "tulip-x"}


def test_threads_resolve_at_the_same_time() -> None:
    made = file(a=Reference("shelf://late/a"), b=Reference("shelf://late/b"))
    begun = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: made.decrypt_domain("dev", ALICE), range(8)))
    assert time.monotonic() - begun < 3
    assert found == [{"a": "tulip-a", "b": "tulip-b"}] * 8
    assert len(calls()) == 16


@pytest.mark.parametrize("text", ["", "plain", "shelf:/x", "shelf://", "shelf://a b", "x" * 3000])
def test_a_reference_that_exists_is_valid(text: str) -> None:
    with pytest.raises(pocket_protector.FormatError):
        Reference(text)


@pytest.mark.parametrize(
    ("text", "kind"), [("shelf://value", pocket_protector.FormatError), ("nowhere://x", ProviderError)]
)
def test_setters_check_it(text: str, kind: type[PPError]) -> None:
    made = file(a="plain")
    for change in (made.set_secret, made.update_secret):
        with pytest.raises(kind):
            change("dev", "a", Reference(text))
    with pytest.raises(kind):
        made.add_secret("dev", "b", Reference(text))


# Errors


ERRORS = [
    ProviderError(Fault.DENIED, "no", hint="h", place="secret 'a' in 'dev': x://y"),
    ProviderError(Fault.OTHER, "no"),
    ThrottledError("busy", after=1.5),
]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("how", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy])
def test_errors_survive_pickling(error: ProviderError, how: Any) -> None:
    again = how(error)
    assert type(again) is type(error)
    assert again.__dict__ == error.__dict__
    assert (str(again), again.fault, again.brief, again.exit_code) == (str(error), error.fault, error.brief, 7)


def test_errors_say_what_where() -> None:
    denied, other, throttled = ERRORS
    assert (str(denied), denied.brief) == ("secret 'a' in 'dev': x://y: denied: no", "denied: no")
    assert (str(other), other.brief, other.place) == ("no", "no", "")
    assert (throttled.fault, throttled.after) == (Fault.OTHER, 1.5)
    assert all(isinstance(error, PPError) for error in ERRORS)
    assert {fault.value for fault in Fault} == {"not signed in", "unreachable", "not found", "denied", "failed"}


@pytest.mark.parametrize("name", ["Fault", "ProviderError", "Reference", "Sensitivity"])
def test_what_callers_need_is_exported(name: str) -> None:
    assert name in pocket_protector.__all__
    assert hasattr(pocket_protector, name)


# What it costs

READING = """
import sys
before = set(sys.modules)
from pocket_protector import Creds, KeyFile
values = KeyFile.from_file(sys.argv[1]).decrypt_domain("dev", Creds(sys.argv[2], sys.argv[3]){more})
print(len(values), *sorted({{
    name for name in set(sys.modules) - before
    if name.startswith(("pocket_protector.plugins", "pocket_protector.references", "importlib.metadata", "boto3",
                        "azure", "google", "hvac", "keyring", "urllib.parse"))
}}))
"""


@pytest.mark.parametrize(("pointer", "more"), [(False, ""), (True, ", resolve=False")])
def test_a_domain_without_references_imports_nothing_of_them(tmp_path: Path, pointer: bool, more: str) -> None:
    made = file(a="plain", b=Reference("shelf://value/x") if pointer else "plain")
    path = tmp_path / "protected.yaml"
    path.write_text(made.get_contents())
    script = READING.format(more=more)
    words = [sys.executable, "-c", script, str(path), ALICE.name, ALICE.passphrase]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["2"]


def test_one_that_is_followed_imports_no_sdk(tmp_path: Path) -> None:
    path = tmp_path / "protected.yaml"
    path.write_text(file(a=Reference("shelf://value/x")).get_contents())
    words = [sys.executable, "-c", READING.format(more=""), str(path), ALICE.name, ALICE.passphrase]
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "plugins")}
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60, env=env)
    number, *modules = done.stdout.split()
    assert number == "1"
    assert "pocket_protector.plugins.registry" in modules
    assert not [name for name in modules if name.startswith(("boto3", "azure", "google", "hvac", "keyring"))]
    assert not [name for name in modules if name.startswith("pocket_protector.plugins.references")]
