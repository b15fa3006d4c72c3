"""References to Google Cloud Secret Manager: the official client, over gRPC and TLS, against a stand-in."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from followed import given, not_given

from pocket_protector.document.reference import Reference
from pocket_protector.errors import Fault, ProviderError, ThrottledError
from pocket_protector.plugins.contract import SecretSourceContract
from pocket_protector.references.providers.gcp_sm import GcpSecretManager

# Read here: later, tests see no variables of ours. Found, not imported: gRPC reads its own variables when it is.
if os.environ.get("PPROTECT_TEST_REQUIRE_ALL") != "1":
    for needed in ("grpc", "google.cloud.secretmanager_v1", "cryptography"):
        try:
            found = importlib.util.find_spec(needed)
        except ModuleNotFoundError:
            found = None
        if found is None:
            pytest.skip(f"no {needed} is installed", allow_module_level=True)

HOST = "secretmanager.googleapis.com:443"
TOKENS = "oauth2.googleapis.com:443"
# Where google-auth asks in the background; nothing depends on it.
BACKGROUND = "iamcredentials.googleapis.com:443"
EMAIL = "reader@my-project.iam.gserviceaccount.com"
# What gRPC and google-auth read once a process, when they first need it.
ONCE = {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": "", "GCE_METADATA_DETECT_RETRIES": "1"}
CANARY = "canary-7f3a-value"
TOKEN_CANARY = "canary-7f3a-token"
LATE = "Google Cloud did not answer in time"
REFUSED = "Google Cloud refuses the credentials (UNAUTHENTICATED)"
NONE = "the Google Cloud SDK finds no valid credentials"
NO_TOKENS = "the sign-in service of Google Cloud cannot be reached"


@dataclass
class World:
    """All that the client can reach, under Google's names: `service` is the stand-in, `tokens` where users sign in."""

    service: Any
    tokens: Any
    tunnel: Any
    authority: Any
    folder: Path
    account: str

    def put(self, name: str, version: Any) -> str:
        """Keep it; the reference."""
        self.service.versions[f"projects/my-project/secrets/{name}/versions/latest"] = version
        return f"gcp-sm://my-project/{name}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("google")
    with pytest.MonkeyPatch.context() as once:
        from certificates import Authority

        authority = Authority(folder)
        for name, value in ONCE.items():
            once.setenv(name, value or str(authority.bundle))
        from cryptography.hazmat.primitives.asymmetric import rsa
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
        from faulty import Faulty
        from secret_manager import SecretManager
        from tunnel import Tunnel

        key = rsa.generate_private_key(65537, 2048)
        account = {
            "type": "service_account",
            "project_id": "my-project",
            "private_key_id": "1",
            "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            "client_email": EMAIL,
            "client_id": "1",
            "token_uri": "https://oauth2.googleapis.com/token",
        }
        names = [name.removesuffix(":443") for name in (HOST, TOKENS)]
        certificate = authority.issue(*names)
        with (
            SecretManager(certificate, {EMAIL: key.public_key()}) as service,
            Faulty(tls=certificate) as tokens,
            Tunnel({HOST: service.port, TOKENS: tokens.port}) as tunnel,
        ):
            yield World(service, tokens, tunnel, authority, folder, json.dumps(account))


@pytest.fixture
def world(running: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    """A service account signed in, and nothing else of whoever runs the tests."""
    for name in set(os.environ) - set(ONCE):
        if name.startswith(("GOOGLE_", "GCE_", "GRPC_", "CLOUDSDK_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    credentials = tmp_path / "credentials.json"
    credentials.write_text(running.account)
    for name, value in {
        "GOOGLE_APPLICATION_CREDENTIALS": str(credentials),
        "HOME": str(tmp_path),
        "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
        "HTTPS_PROXY": running.tunnel.url,
        "HTTP_PROXY": running.tunnel.url,
        "NO_PROXY": "127.0.0.1",
        "REQUESTS_CA_BUNDLE": str(running.authority.bundle),
        # Nobody listens there.
        "GCE_METADATA_IP": "127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    running.folder = tmp_path
    running.service.versions.clear()
    running.service.tokens.clear()
    running.service.asked.clear()
    running.tokens.requests.clear()
    running.tunnel.asked.clear()
    running.tunnel.targets.update({HOST: running.service.port, TOKENS: running.tokens.port})
    return running


@pytest.fixture(scope="module")
def shared() -> GcpSecretManager:
    """A source for the tests that change nothing in the environment: one connection for all of them."""
    return GcpSecretManager()


def fetch(text: str, seconds: float = 15, source: GcpSecretManager | None = None) -> bytes:
    return (source or GcpSecretManager()).fetch(Reference(text).without_fragment(), time.monotonic() + seconds)


def refused(
    text: str = "gcp-sm://my-project/name", seconds: float = 15, source: GcpSecretManager | None = None
) -> ProviderError:
    """The error, which says nothing that only Google or the caller knows, wherever one looks at it."""
    with pytest.raises(ProviderError) as caught:
        fetch(text, seconds, source)
    error = caught.value
    seen = "".join([str(error), error.hint, repr(error), repr(vars(error)), *traceback.format_exception(error)])
    assert "canary" not in seen
    assert error.__cause__ is None
    assert error.__context__ is None
    return error


class TestContract(SecretSourceContract):
    good = ("gcp-sm://my-project/name/1", "gcp-sm://123456/name", "gcp-sm://example.com:my-project/name/alias#a.b")
    bad = ("gcp-sm://name", "gcp-sm://my-project/a/b/c", "gcp-sm://my-project/a%2Fb", "gcp-sm://my-project/a?b=c")

    @pytest.fixture(autouse=True)
    def in_the_world(self, world: World) -> None:
        self.world = world

    def source(self) -> GcpSecretManager:
        return GcpSecretManager()

    def stored(self) -> tuple[str, bytes]:
        text = self.world.put("stored", b'{"db": {"password": "hunter2"}}')
        return f"{text}#db.password", b"hunter2"

    def missing(self) -> str:
        return "gcp-sm://my-project/nothing-here"


def test_through_the_command(world: World, tmp_path: Path) -> None:
    import grpc
    from secret_manager import refuse

    text = world.put("stored", b'{"db": {"password": "hunter2"}}') + "#db.password"
    assert given(tmp_path, text) == b"hunter2"
    world.put("stored", refuse(grpc.StatusCode.PERMISSION_DENIED, CANARY, (("x-canary", CANARY),)))
    not_given(tmp_path, text, Fault.DENIED)


@pytest.mark.parametrize(
    "value",
    ["pässword".encode(), b"one\r\ntwo\n", b"a\0b", b"\0\xff", b"", bytes(range(256)) * 256, b"x" * 256 * 1024],
)
def test_values_are_bytes_as_they_were_stored(world: World, shared: GcpSecretManager, value: bytes) -> None:
    assert fetch(world.put("value", value), source=shared) == value


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("gcp-sm://my-project/name", "projects/my-project/secrets/name/versions/latest"),
        ("gcp-sm://my-project/name/7", "projects/my-project/secrets/name/versions/7"),
        ("gcp-sm://my-project/name/alias#key", "projects/my-project/secrets/name/versions/alias"),
        ("gcp-sm://123456/name", "projects/123456/secrets/name/versions/latest"),
        ("gcp-sm://example.com:my-project/name", "projects/example.com:my-project/secrets/name/versions/latest"),
    ],
)
def test_what_is_asked_for(world: World, shared: GcpSecretManager, text: str, name: str) -> None:
    world.service.versions[name] = b"value"
    assert fetch(text, source=shared) == b"value"
    assert world.service.asked == [name]


def test_the_lower_case_proxy_is_taken_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HTTPS_PROXY")
    monkeypatch.setenv("https_proxy", world.tunnel.url)
    assert fetch(world.put("name", b"value")) == b"value"
    assert HOST in world.tunnel.asked


def test_a_checksum_is_compared(world: World, shared: GcpSecretManager) -> None:
    from secret_manager import pay

    assert fetch(world.put("good", pay(data=b"123456789", data_crc32c=0xE3069283)), source=shared) == b"123456789"
    error = refused(world.put("bad", pay(data=CANARY.encode(), data_crc32c=0xE3069283)), source=shared)
    assert (error.fault, error.message) == (
        Fault.OTHER,
        "the checksum of the value does not match",
    )


@pytest.mark.parametrize("size", [256 * 1024 + 1, 300 * 1024, 2**21])
def test_too_large_a_value_is_refused_and_not_tried_again(world: World, shared: GcpSecretManager, size: int) -> None:
    error = refused(world.put("large", b"x" * size), source=shared)
    assert (error.fault, error.message) == (Fault.OTHER, "the value is larger than 256 KiB")
    assert not isinstance(error, ThrottledError)


@pytest.mark.parametrize(
    ("code", "fault", "message"),
    [
        ("UNAUTHENTICATED", Fault.NOT_SIGNED_IN, "Google Cloud refuses the credentials"),
        ("PERMISSION_DENIED", Fault.DENIED, "Google Cloud denies access to the secret"),
        ("NOT_FOUND", Fault.NOT_FOUND, "there is no such secret, or no such version of it"),
        ("FAILED_PRECONDITION", Fault.OTHER, "the version cannot be read in its present state"),
        ("UNAVAILABLE", Fault.UNREACHABLE, "Google Cloud cannot be reached, or is not available"),
        ("INTERNAL", Fault.OTHER, "Google Cloud answered with an error"),
        ("INVALID_ARGUMENT", Fault.OTHER, "Google Cloud answered with an error"),
        ("UNKNOWN", Fault.OTHER, "Google Cloud answered with an error"),
    ],
)
def test_what_google_answers(world: World, shared: GcpSecretManager, code: str, fault: Fault, message: str) -> None:
    import grpc
    from secret_manager import refuse

    error = refused(world.put("name", refuse(grpc.StatusCode[code], CANARY, (("x-canary", CANARY),))), source=shared)
    assert (error.fault, error.message) == (fault, f"{message} ({code})")
    assert len(world.service.asked) == 1


def test_throttling_is_told_and_not_retried_here(world: World, shared: GcpSecretManager) -> None:
    import grpc
    from google.protobuf.any_pb2 import Any as AnyMessage
    from google.protobuf.duration_pb2 import Duration
    from google.rpc.error_details_pb2 import RetryInfo
    from google.rpc.status_pb2 import Status
    from secret_manager import refuse

    exhausted = grpc.StatusCode.RESOURCE_EXHAUSTED
    error = refused(world.put("name", refuse(exhausted, CANARY)), source=shared)
    assert isinstance(error, ThrottledError)
    assert error.after is None
    detail = AnyMessage()
    detail.Pack(RetryInfo(retry_delay=Duration(seconds=7, nanos=500_000_000)))
    status = Status(code=exhausted.value[0], message=CANARY, details=[detail]).SerializeToString()
    error = refused(world.put("name", refuse(exhausted, CANARY, (("grpc-status-details-bin", status),))), source=shared)
    assert isinstance(error, ThrottledError)
    assert error.after == 7.5
    assert len(world.service.asked) == 2


def test_a_silent_service_is_left_at_the_deadline(world: World, shared: GcpSecretManager) -> None:
    def silent(request: Any, context: Any) -> Any:
        while context.is_active():
            time.sleep(0.05)

    began = time.monotonic()
    error = refused(world.put("name", silent), seconds=1, source=shared)
    assert (error.fault, error.message) == (Fault.UNREACHABLE, LATE)
    assert time.monotonic() - began < 3


def test_no_time_is_left(world: World, shared: GcpSecretManager) -> None:
    error = refused(world.put("name", CANARY.encode()), seconds=-1, source=shared)
    assert (error.fault, error.message) == (Fault.UNREACHABLE, LATE)


def test_nobody_listens(world: World) -> None:
    world.tunnel.targets.clear()
    error = refused()
    assert error.fault is Fault.UNREACHABLE
    assert set(world.tunnel.asked) <= {HOST, BACKGROUND}


def test_a_certificate_of_somebody_else(world: World, tmp_path: Path) -> None:
    from certificates import Authority
    from secret_manager import SecretManager

    other = Authority(tmp_path).issue(HOST.removesuffix(":443"))
    with SecretManager(other, world.service.keys) as service:
        world.tunnel.targets[HOST] = service.port
        error = refused()
        assert service.asked == []
    assert (error.fault, error.message) == (
        Fault.UNREACHABLE,
        "Google Cloud cannot be reached, or is not available (UNAVAILABLE)",
    )


@pytest.mark.parametrize(
    ("status", "headers", "body", "fault"),
    [
        (302, {"location": "https://elsewhere.example/canary"}, b"", Fault.OTHER),
        (307, {"location": "https://elsewhere.example/canary"}, b"", Fault.OTHER),
        (401, {}, CANARY.encode(), Fault.NOT_SIGNED_IN),
        (403, {}, CANARY.encode(), Fault.DENIED),
        (404, {}, CANARY.encode(), Fault.OTHER),
        (429, {"retry-after": "1"}, CANARY.encode(), Fault.UNREACHABLE),
        (503, {}, CANARY.encode(), Fault.UNREACHABLE),
        (200, {"content-type": "text/html"}, f"<html>{CANARY}</html>".encode(), Fault.OTHER),
        (200, {"content-type": "application/grpc"}, b"\0\0\0\0\x05nonsense", Fault.OTHER),
        (200, {"content-type": "application/grpc"}, b"", Fault.OTHER),
    ],
)
def test_a_server_that_is_not_google(
    world: World, status: int, headers: dict[str, str], body: bytes, fault: Fault
) -> None:
    from secret_manager import BareHttp2

    with BareHttp2(world.authority.issue(HOST.removesuffix(":443"))) as server:
        server.status, server.headers, server.body = status, headers, body
        world.tunnel.targets[HOST] = server.port
        assert refused().fault is fault
        assert server.requests == 1
    assert set(world.tunnel.asked) <= {HOST, BACKGROUND}


def test_an_answer_that_breaks_off(world: World) -> None:
    from secret_manager import BareHttp2

    with BareHttp2(world.authority.issue(HOST.removesuffix(":443"))) as server:
        server.headers, server.body, server.cut = {"content-type": "application/grpc"}, b"\0\0\0\0\x40canary", True
        world.tunnel.targets[HOST] = server.port
        error = refused()
    assert error.fault is Fault.UNREACHABLE


def test_what_is_announced_as_too_large_is_not_waited_for(world: World) -> None:
    from secret_manager import BareHttp2

    with BareHttp2(world.authority.issue(HOST.removesuffix(":443"))) as server:
        server.headers, server.body = {"content-type": "application/grpc"}, b"\0" + (2**30).to_bytes(4) + b"canary"
        world.tunnel.targets[HOST] = server.port
        error = refused()
    assert (error.fault, error.message) == (Fault.OTHER, "the value is larger than 256 KiB")


def test_nothing_is_logged_of_a_fetch(world: World, caplog: pytest.LogCaptureFixture) -> None:
    def logged() -> str:
        # The client's own records have the answer beside the message.
        return caplog.text + "".join(repr(vars(record)) for record in caplog.records)

    text = world.put("logged", CANARY.encode())
    source = GcpSecretManager()
    with caplog.at_level(logging.DEBUG):
        caplog.clear()
        assert fetch(text, source=source) == CANARY.encode()
        assert CANARY not in logged()
        # What the program itself does with the SDK is its own affair; and so the test could fail.
        source._client.access_secret_version(name="projects/my-project/secrets/logged/versions/latest")
        assert "payload" in logged()


class TestSigningIn:
    def test_no_credentials(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
        error = refused()
        assert (error.fault, error.message) == (Fault.NOT_SIGNED_IN, NONE)
        assert "gcloud auth application-default login" in error.hint
        assert world.service.asked == []

    def test_many_threads_look_for_credentials_once(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where a machine's metadata service does not answer, looking for it takes seconds."""
        from faulty import Faulty, slow

        monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
        source = GcpSecretManager()
        with Faulty(otherwise=slow()) as server, ThreadPoolExecutor(20) as threads:
            monkeypatch.setenv("GCE_METADATA_IP", f"127.0.0.1:{server.port}")
            faults = list(threads.map(lambda _: refused(source=source).fault, range(20)))
        assert set(faults) == {Fault.NOT_SIGNED_IN}
        assert len(server.requests) == 1

    def test_who_signs_in_later_needs_no_new_process(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        text, source = world.put("name", b"value"), GcpSecretManager()
        with monkeypatch.context() as nobody:
            nobody.delenv("GOOGLE_APPLICATION_CREDENTIALS")
            assert refused(text, source=source).fault is Fault.NOT_SIGNED_IN
            assert refused(text, source=source).fault is Fault.NOT_SIGNED_IN
        source._refused_at -= 60
        assert fetch(text, source=source) == b"value"

    @pytest.mark.parametrize(
        "content", ["", "{}", f'{{"type": "{CANARY}"}}', f'{{"type": "service_account", "{CANARY}']
    )
    def test_credentials_that_are_none(self, world: World, content: str) -> None:
        (world.folder / "credentials.json").write_text(content)
        error = refused()
        assert (error.fault, error.message) == (Fault.NOT_SIGNED_IN, NONE)

    def test_credentials_that_are_not_there(self, world: World) -> None:
        (world.folder / "credentials.json").unlink()
        error = refused()
        assert (error.fault, error.message) == (Fault.NOT_SIGNED_IN, NONE)

    def test_an_account_that_google_does_not_know(self, world: World) -> None:
        account = json.loads(world.account) | {"client_email": "somebody@else.iam.gserviceaccount.com"}
        (world.folder / "credentials.json").write_text(json.dumps(account))
        source = GcpSecretManager()
        error = refused(world.put("name", CANARY.encode()), source=source)
        assert (error.fault, error.message) == (Fault.NOT_SIGNED_IN, REFUSED)
        (world.folder / "credentials.json").write_text(world.account)
        assert fetch("gcp-sm://my-project/name", source=source) == CANARY.encode()


class TestUsers:
    """People who signed in with gcloud: their token is fetched first."""

    @pytest.fixture(autouse=True)
    def signed_in(self, world: World) -> None:
        user = {
            "type": "authorized_user",
            "client_id": "1.apps.googleusercontent.com",
            "client_secret": "canary-7f3a-client",
            "refresh_token": "canary-7f3a-refresh",
        }
        (world.folder / "credentials.json").write_text(json.dumps(user))
        world.service.tokens.add(TOKEN_CANARY)
        world.put("name", b"value")

    def test_once_for_all_threads(self, world: World) -> None:
        from faulty import answer

        token = {"access_token": TOKEN_CANARY, "expires_in": 3600, "token_type": "Bearer"}
        world.tokens.otherwise = answer(json.dumps(token).encode())
        source = GcpSecretManager()
        with ThreadPoolExecutor(20) as threads:
            fetched = list(threads.map(lambda _: fetch("gcp-sm://my-project/name", source=source), range(20)))
        assert fetched == [b"value"] * 20
        assert [request.path for request in world.tokens.requests] == ["/token"]

    @pytest.mark.parametrize(
        ("behaviour", "fault", "message"),
        [
            ("expired", Fault.NOT_SIGNED_IN, NONE),
            ("page", Fault.OTHER, "the Google Cloud SDK gave up (TypeError)"),
            ("redirect", Fault.UNREACHABLE, NO_TOKENS),
            ("dead", Fault.UNREACHABLE, NO_TOKENS),
            ("slow", Fault.UNREACHABLE, NO_TOKENS),
        ],
    )
    def test_what_goes_wrong_with_it(self, world: World, behaviour: str, fault: Fault, message: str) -> None:
        import faulty

        expired = json.dumps({"error": "invalid_grant", "error_description": CANARY}).encode()
        behaviours: dict[str, Callable[[Any], None]] = {
            "expired": faulty.status(400, expired),
            "page": faulty.wrong_type(CANARY.encode()),
            "redirect": faulty.redirect(f"https://elsewhere.example/{CANARY}", 307),
            "dead": faulty.dead,
            "slow": faulty.slow(),
        }
        world.tokens.otherwise = behaviours[behaviour]
        began = time.monotonic()
        error = refused(seconds=2)
        assert (error.fault, error.message) == (fault, message)
        assert time.monotonic() - began < 4
        assert world.service.asked == []
        assert TOKENS in world.tunnel.asked
        assert set(world.tunnel.asked) <= {HOST, TOKENS, BACKGROUND}
