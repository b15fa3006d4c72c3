"""`keyring://`, with the library keyring and GNOME's keyring daemon as the Secret Service."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from followed import given, not_given
from secret_service import SecretService, require_programs

from pocket_protector.document.reference import Reference
from pocket_protector.errors import Fault, FormatError
from pocket_protector.references.providers.system_keyring import SystemKeyring

CANARY = "tulip-canary"

GOOD = (
    *("keyring://app/db", "keyring://app/alice@example.com", "keyring://https:%2F%2Fexample.com%2Fa%2F/alice"),
    *("keyring://a%20b/c", "keyring://-a/-b", "keyring://%C3%BC/a...b"),
)
BAD = (
    *("keyring://a", "keyring://a/", "keyring:///a", "keyring:////", "keyring://a/b/c", "keyring://a/b/"),
    *("keyring://a/b?c=d", "keyring://a/b#c", "keyring://./b", "keyring://a/..", "keyring://a/%2E%2E"),
    *("keyring://a/b%2F..%2Fc", "keyring://..%2Fa/b"),
)

# What each reference gives, one after the other, in one process: all that an error says is in its traceback too.
FETCH = """
import base64, json, logging, sys, time, traceback
logging.basicConfig(level=logging.DEBUG)
from pocket_protector.errors import ProviderError
from pocket_protector.document.reference import Reference
from pocket_protector.references.providers.system_keyring import SystemKeyring

source = SystemKeyring()
for text in sys.argv[2:]:
    started = time.monotonic()
    found = {}
    try:
        raw = source.fetch(Reference(text), started + float(sys.argv[1]))
        found["raw"] = base64.b64encode(source.select(raw, None)).decode()
    except ProviderError as error:
        said = "".join(traceback.format_exception(error))
        found |= {"fault": error.fault.name, "message": error.message, "hint": error.hint, "said": said}
    print(json.dumps(found | {"seconds": time.monotonic() - started}))
"""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretService]:
    """One that stays as it is."""
    require_programs()
    with SecretService(tmp_path_factory.mktemp("keyring")) as service:
        yield service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[SecretService]:
    """One to lock, to stop and to end."""
    require_programs()
    with SecretService(tmp_path) as service:
        service.store("app", "db", "tulip")
        yield service


def fetch(
    service: SecretService, *references: str, before: str = "", seconds: float = 20, **variables: str
) -> list[Any]:
    """What a program gets that has done `before`."""
    done = service.run(before + FETCH, str(seconds), *references, **variables)
    assert CANARY not in done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(CANARY not in str(answer) for answer in answers)
    return answers


def failing(
    service: SecretService, reference: str = "keyring://app/db", before: str = "", seconds: float = 20, **variables: str
) -> dict[str, str]:
    [answer] = fetch(service, reference, before=before, seconds=seconds, **variables)
    assert "raw" not in answer
    found: dict[str, str] = answer
    return found


def fetched(service: SecretService, reference: str, **variables: str) -> bytes:
    [answer] = fetch(service, reference, **variables)
    return base64.b64decode(answer["raw"])


def test_the_form() -> None:
    source = SystemKeyring()
    assert source.local
    for text in GOOD:
        source.check(Reference(text))
    for text in BAD:
        with pytest.raises(FormatError) as refusal:
            source.check(Reference(text))
        assert refusal.value.hint == "keyring://SERVICE/NAME"


def test_the_form_needs_no_library() -> None:
    code = """
import sys
from pocket_protector.plugins.registry import Reference, check_reference
check_reference(Reference("keyring://a/b"))
assert "keyring" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_the_library(opened: SecretService) -> None:
    error = failing(opened, before="import sys; sys.modules['keyring'] = None")
    assert error["message"] == "references to the keyring need an extra of pprotect that is not installed"
    assert error["hint"] == "pip install 'pprotect[keyring]'"


def test_it_keeps_the_contract(opened: SecretService) -> None:
    opened.store("contract", "name", "line\nand ☃")
    code = f"""
from pocket_protector.plugins.contract import SecretSourceContract
from pocket_protector.references.providers.system_keyring import SystemKeyring

class Contract(SecretSourceContract):
    good, bad, source = {GOOD}, {BAD}, SystemKeyring
    def stored(self): return "keyring://contract/name", "line\\nand ☃".encode()
    def missing(self): return "keyring://contract/gone"

for name in dir(Contract):
    if name.startswith("test_"):
        getattr(Contract(), name)()
        print(name)
"""
    assert len(opened.run(code).stdout.splitlines()) == 6


def test_through_the_command(opened: SecretService, tmp_path: Path) -> None:
    opened.store("command", "here", "hunter2")
    assert given(tmp_path, "keyring://command/here", opened.variables) == b"hunter2"
    failing = backend(opened, 5, f"from keyring import errors; raise errors.KeyringLocked({CANARY!r})")
    not_given(tmp_path, "keyring://command/here", Fault.NOT_SIGNED_IN, opened.variables | failing)


@pytest.mark.parametrize(
    "expression", ["'tulip'", "'one\\ntwo\\n'", "'nul \\0 here'", "' ö☃🌷 '", "'x' * 65536", "'x' * 262144"]
)
def test_values(opened: SecretService, expression: str) -> None:
    opened.run(f"import keyring; keyring.set_password('values', 'here', {expression})")
    value: str = eval(expression)
    assert fetched(opened, "keyring://values/here") == value.encode()


def test_names_are_taken_as_they_are(opened: SecretService) -> None:
    opened.store("https://example.com/a/", "alice@example.com", "one")
    opened.store("Ü b", "-c", "two")
    assert fetched(opened, "keyring://https:%2F%2Fexample.com%2Fa%2F/alice@example.com") == b"one"
    assert fetched(opened, "keyring://%C3%9C%20b/-c") == b"two"
    for text in ("keyring://https:%2F%2Fexample.com%2Fa/alice@example.com", "keyring://%C3%BC%20b/-c"):
        assert failing(opened, text)["fault"] == Fault.NOT_FOUND.name


def test_nothing_there(opened: SecretService) -> None:
    error = failing(opened, "keyring://nobody/here")
    assert error["fault"] == Fault.NOT_FOUND.name
    assert error["message"] == "the keyring does not have this password"


def test_what_is_no_text(opened: SecretService) -> None:
    opened.run(
        """
from contextlib import closing
import secretstorage
with closing(secretstorage.dbus_init()) as bus:
    attributes = {"service": "binary", "username": "here"}
    secretstorage.get_default_collection(bus).create_item("binary", attributes, b"\\xfftulip-canary\\xff")
"""
    )
    error = failing(opened, "keyring://binary/here")
    assert error["fault"] == Fault.OTHER.name
    assert error["message"] == "the password is not UTF-8 text"


def test_what_is_too_large(opened: SecretService) -> None:
    opened.run("import keyring; keyring.set_password('large', 'here', 'tulip-canary' + 'x' * 262_133)")
    error = failing(opened, "keyring://large/here")
    assert error["fault"] == Fault.OTHER.name
    assert error["message"] == "the password has more than 262144 bytes"


def test_a_locked_keyring(service: SecretService) -> None:
    service.lock()
    error = failing(service)
    assert error["fault"] == Fault.NOT_SIGNED_IN.name
    assert error["message"] == "the keyring is locked"
    assert error["hint"].startswith("unlock it")


def test_one_that_does_not_answer(service: SecretService) -> None:
    os.kill(service.daemon, signal.SIGSTOP)
    # The second waits for the first, which still waits for an answer, and not longer than it may.
    for answer in fetch(service, "keyring://app/db", "keyring://app/other", seconds=1):
        assert answer["fault"] == Fault.UNREACHABLE.name
        assert answer["message"] == "the keyring did not answer in time; it may have waited to be unlocked"
        assert 0.9 < answer["seconds"] < 3


def test_one_that_answers_late(service: SecretService) -> None:
    """What is asked after a question that nobody waited for."""
    before = f"""
import os, signal, threading
os.kill({service.daemon}, signal.SIGSTOP)
threading.Timer(2, os.kill, ({service.daemon}, signal.SIGCONT)).start()
"""
    first, second, third = fetch(service, *["keyring://app/db"] * 3, before=before, seconds=1.5)
    assert first["fault"] == Fault.UNREACHABLE.name
    assert second["raw"] == third["raw"] == "dHVsaXA="


def test_one_that_ended(service: SecretService) -> None:
    service.die()
    error = failing(service)
    assert error["fault"] == Fault.UNREACHABLE.name
    assert error["message"] == "no keyring runs for this session"


@pytest.mark.parametrize("address", ["", "unix:path=/nowhere/at/all", "nonsense"])
def test_no_session(opened: SecretService, address: str) -> None:
    error = failing(opened, DBUS_SESSION_BUS_ADDRESS=address)
    assert error["fault"] == Fault.UNREACHABLE.name
    assert error["message"] == "no keyring runs for this session"


BACKEND = """
from keyring.backend import KeyringBackend
class Keyring(KeyringBackend):
    priority = {priority}
    def get_password(self, service, username): {body}
    def set_password(self, service, username, password): pass
"""


def backend(service: SecretService, priority: float, body: str) -> dict[str, str]:
    """Variables that choose a backend with this body."""
    (service.folder / "another.py").write_text(BACKEND.format(priority=priority, body=body))
    return {
        "PYTHON_KEYRING_BACKEND": "another.Keyring",
        "PYTHONPATH": str(service.folder),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def test_a_keyring_that_protects_nothing(opened: SecretService) -> None:
    for variables in (
        backend(opened, 0.5, f"return {CANARY!r}"),
        {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"},
    ):
        error = failing(opened, **variables)
        assert error["fault"] == Fault.OTHER.name
        assert error["message"] == "the chosen keyring does not protect its passwords"


def test_none_of_several_is_unsafe(opened: SecretService) -> None:
    opened.store("chained", "safe", "tulip")
    variables = backend(opened, 0.5, f"return {CANARY!r}")
    variables["PYTHON_KEYRING_BACKEND"] = "keyring.backends.chainer.ChainerBackend"
    assert fetch(opened, "keyring://chained/safe", before="import another", **variables)[0]["raw"] == "dHVsaXA="
    error = failing(opened, "keyring://chained/other", before="import another", **variables)
    assert error["fault"] == Fault.NOT_FOUND.name


@pytest.mark.parametrize(
    ("body", "fault", "message"),
    [
        (f"raise OSError({CANARY!r})", Fault.OTHER, "the keyring failed with OSError"),
        ("from keyring import errors; raise errors.KeyringLocked('tulip-canary')", Fault.NOT_SIGNED_IN, "is locked"),
        ("from keyring import errors; raise errors.InitError('tulip-canary')", Fault.UNREACHABLE, "cannot be opened"),
        ("return b'tulip-canary\\xff'.decode()", Fault.OTHER, "not UTF-8 text"),
        ("return 'tulip-canary\\ud83c'", Fault.OTHER, "not UTF-8 text"),
        ("return 7", Fault.OTHER, "the keyring failed with AttributeError"),
    ],
)
def test_backends_that_fail(opened: SecretService, body: str, fault: Fault, message: str) -> None:
    error = failing(opened, **backend(opened, 5, body))
    assert error["fault"] == fault.name
    assert message in error["message"]


@pytest.mark.parametrize("name", ["no.such.Keyring", "keyring.backends.null.Missing", "keyring"])
def test_a_backend_that_is_not_there(opened: SecretService, name: str) -> None:
    error = failing(opened, PYTHON_KEYRING_BACKEND=name)
    assert error["fault"] == Fault.OTHER.name
    assert error["message"].startswith("the keyring failed with ")
