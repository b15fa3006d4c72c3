"""References to AWS Secrets Manager: boto3 against moto's server, and against one that misbehaves under AWS's name."""

from __future__ import annotations

import importlib
import json
import logging
import os
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pocket_protector.document.reference import Reference
from pocket_protector.errors import Fault, ProviderError, ThrottledError
from pocket_protector.plugins.contract import SecretSourceContract
from pocket_protector.references.providers.aws.aws_sm import AwsSecretsManager

# Read here: later, tests see no variables of ours.
if os.environ.get("PPROTECT_TEST_REQUIRE_ALL") != "1":
    for needed in ("boto3", "moto.server", "cryptography"):
        pytest.importorskip(needed)

boto3 = importlib.import_module("boto3")

from certificates import Authority  # noqa: E402
from faulty import Faulty, answer, closed_port, dead, oversized, redirect, slow, status, truncated  # noqa: E402
from followed import given, not_given  # noqa: E402
from moto_server import Moto  # noqa: E402
from tunnel import Tunnel  # noqa: E402

HOST = "secretsmanager.eu-west-1.amazonaws.com:443"
CANARY = "canary-7f3a-value"
KEY_CANARY = "canary-7f3a-key"
TOKEN_CANARY = "canary-7f3a-token"
JSON = {"Content-Type": "application/x-amz-json-1.1"}
MANY = 65536
NOT_HTTPS = "a configured endpoint of AWS does not use https"


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    with Moto() as server:
        yield server


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user of AWS with a key, and nothing else of whoever runs the tests; the file is their configuration."""
    for name in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    configuration = tmp_path / "config"
    for name, value in {
        "AWS_CONFIG_FILE": str(configuration),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": KEY_CANARY,
        "AWS_SESSION_TOKEN": TOKEN_CANARY,
        "HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    return configuration


@pytest.fixture
def at_moto(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto.url)
    return moto.url


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def instead_of_aws(authority: Authority) -> Iterator[tuple[Faulty, Tunnel]]:
    """What answers as AWS Secrets Manager in eu-west-1; all other names lead nowhere, and are noted."""
    with Faulty(tls=authority.issue(HOST.removesuffix(":443"))) as server, Tunnel({HOST: server.port}) as tunnel:
        yield server, tunnel


@pytest.fixture(scope="module")
def shared() -> AwsSecretsManager:
    """A source for the tests that change nothing in the environment: to make a client takes a while."""
    return AwsSecretsManager()


@pytest.fixture
def tunnel(instead_of_aws: tuple[Faulty, Tunnel], authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Tunnel:
    _, tunnel = instead_of_aws
    monkeypatch.setenv("HTTPS_PROXY", tunnel.url)
    monkeypatch.setenv("HTTP_PROXY", tunnel.url)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    tunnel.asked.clear()
    return tunnel


@pytest.fixture
def faulty(instead_of_aws: tuple[Faulty, Tunnel], tunnel: Tunnel) -> Faulty:
    server, _ = instead_of_aws
    server.requests.clear()
    return server


def store(name: str, region: str = "eu-west-1", **value: Any) -> dict[str, Any]:
    client = boto3.session.Session().client("secretsmanager", region_name=region)
    return client.create_secret(Name=name, **value)


def fetch(text: str, seconds: float = 15, source: AwsSecretsManager | None = None) -> bytes:
    return (source or AwsSecretsManager()).fetch(Reference(text).without_fragment(), time.monotonic() + seconds)


def refused(text: str = "aws-sm://name", seconds: float = 15, source: AwsSecretsManager | None = None) -> ProviderError:
    """The error, which says nothing that only AWS or the caller knows, wherever one looks at it."""
    with pytest.raises(ProviderError) as caught:
        fetch(text, seconds, source)
    error = caught.value
    seen = "".join([str(error), error.hint, repr(error), repr(vars(error)), *traceback.format_exception(error)])
    assert "canary" not in seen
    assert error.__cause__ is None
    assert error.__context__ is None
    return error


@pytest.mark.usefixtures("at_moto")
class TestContract(SecretSourceContract):
    good = ("aws-sm://eu-west-1/name", "aws-sm:///eu-west-1/name", "aws-sm://name?version-stage=AWSPENDING#a.b")
    bad = ("aws-sm:///", "aws-sm://a%20b", "aws-sm://name?x=y", "aws-sm://arn:aws:s3:::bucket")

    def source(self) -> AwsSecretsManager:
        return AwsSecretsManager()

    def stored(self) -> tuple[str, bytes]:
        name = f"contract-{time.monotonic_ns()}"
        store(name, SecretString='{"db": {"password": "hunter2"}}')
        return f"aws-sm://{name}#db.password", b"hunter2"

    def missing(self) -> str:
        return "aws-sm://nothing-here"


@pytest.mark.usefixtures("at_moto")
class TestMoto:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("text", {"SecretString": "pässword"}),
            ("newlines", {"SecretString": "one\r\ntwo\n"}),
            ("nul", {"SecretString": "a\0b"}),
            ("longest", {"SecretString": "x" * MANY}),
            ("binary", {"SecretBinary": b"\0\xff\n"}),
            ("longest-binary", {"SecretBinary": bytes(range(256)) * 256}),
        ],
    )
    def test_values_are_bytes_as_they_were_stored(self, name: str, value: dict[str, Any]) -> None:
        store(name, **value)
        [kept] = value.values()
        assert fetch(f"aws-sm://{name}") == (kept.encode() if isinstance(kept, str) else kept)

    def test_the_region_is_the_first_segment_the_arn_or_the_configured_one(self) -> None:
        store("where", SecretString="Ireland")
        arn = store("where", "us-gov-west-1", SecretString="Oregon")["ARN"]
        store("us-gov-west-1/where", SecretString="named like a region")
        store("/leading/slash", SecretString="slash")
        assert fetch("aws-sm://where") == b"Ireland"
        assert fetch("aws-sm:///where") == b"Ireland"
        assert fetch("aws-sm://us-gov-west-1/where") == b"Oregon"
        assert fetch(f"aws-sm://{arn}") == b"Oregon"
        assert fetch(f"aws-sm://us-gov-west-1/{arn}") == b"Oregon"
        assert fetch("aws-sm:///us-gov-west-1/where") == b"named like a region"
        assert fetch("aws-sm://eu-west-1//leading/slash") == b"slash"

    def test_one_source_reaches_several_regions(self) -> None:
        store("both", SecretString="1")
        store("both", "us-east-1", SecretString="2")
        source = AwsSecretsManager()
        assert [fetch(text, 15, source) for text in ("aws-sm://both", "aws-sm://us-east-1/both")] == [b"1", b"2"]

    def test_versions(self) -> None:
        first = store("versions", SecretString="first")["VersionId"]
        client = boto3.session.Session().client("secretsmanager")
        second = client.put_secret_value(SecretId="versions", SecretString="second")["VersionId"]
        assert fetch("aws-sm://versions") == b"second"
        assert fetch("aws-sm://versions?version-stage=AWSPREVIOUS") == b"first"
        assert fetch(f"aws-sm://versions?version-id={first}") == b"first"
        assert fetch(f"aws-sm://versions?version-id={second}") == b"second"
        error = refused(f"aws-sm://versions?version-id={'0' * 32}")
        assert (error.fault, error.message) == (
            Fault.NOT_FOUND,
            "there is no such secret, or no such version of it (ResourceNotFoundException)",
        )

    def test_a_secret_that_is_scheduled_for_deletion(self) -> None:
        store("doomed", SecretString=CANARY)
        boto3.session.Session().client("secretsmanager").delete_secret(SecretId="doomed")
        error = refused("aws-sm://doomed")
        assert error.fault is Fault.OTHER
        assert error.message == "the secret cannot be read in its present state (InvalidRequestException)"
        assert "scheduled for deletion" in error.hint

    def test_a_profile_with_a_role(self, aws: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store("with-role", SecretString="value")
        aws.write_text(role_profile())
        use_profile(monkeypatch)
        assert fetch("aws-sm://with-role") == b"value"

    def test_no_region_anywhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        store("regional", "eu-central-1", SecretString="value")
        error = refused("aws-sm://regional")
        assert error.fault is Fault.OTHER
        assert error.message == "neither the reference nor the AWS configuration names a region"
        assert "AWS_DEFAULT_REGION" in error.hint
        assert fetch("aws-sm://eu-central-1/regional") == b"value"

    def test_nothing_is_logged_of_a_fetch(self, caplog: pytest.LogCaptureFixture) -> None:
        store("logged", SecretString=CANARY)
        with caplog.at_level(logging.DEBUG):
            caplog.clear()
            assert fetch("aws-sm://logged") == CANARY.encode()
            assert "canary" not in caplog.text
            # What the program itself does with the SDK is its own affair; and so the test could fail.
            boto3.session.Session().client("secretsmanager").get_secret_value(SecretId="logged")
            assert CANARY in caplog.text
            assert TOKEN_CANARY in caplog.text


@pytest.mark.usefixtures("at_moto")
def test_through_the_command(tmp_path: Path) -> None:
    store("through-the-command", SecretString='{"db": {"password": "hunter2"}}')
    assert given(tmp_path, "aws-sm://through-the-command#db.password") == b"hunter2"
    not_given(tmp_path, "aws-sm://nothing-here#db.password", Fault.NOT_FOUND)


def test_a_fault_through_the_command(faulty: Faulty, tmp_path: Path) -> None:
    faulty.otherwise = status(400, error_of("AccessDeniedException"), JSON)
    not_given(tmp_path, "aws-sm://name#a", Fault.DENIED)


def role_profile(*more: str) -> str:
    return "\n".join(
        [
            "[profile base]",
            "aws_access_key_id = AKIAIOSFODNN7EXAMPLE",
            f"aws_secret_access_key = {KEY_CANARY}",
            "[profile role]",
            "role_arn = arn:aws:iam::123456789012:role/reader",
            "source_profile = base",
            "region = eu-west-1",
            *more,
            "",
        ]
    )


def use_profile(monkeypatch: pytest.MonkeyPatch, name: str = "role") -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_PROFILE", name)


class TestSigningIn:
    def test_no_credentials(self, monkeypatch: pytest.MonkeyPatch) -> None:
        use_profile(monkeypatch)
        monkeypatch.delenv("AWS_PROFILE")
        source = AwsSecretsManager()
        for _ in range(2):
            error = refused(source=source)
            assert error.fault is Fault.NOT_SIGNED_IN
            assert error.message == "the AWS SDK finds no usable credentials"
            assert "aws sso login" in error.hint

    def test_many_threads_look_for_credentials_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where a machine's metadata service does not answer, looking for it takes a second or more."""
        use_profile(monkeypatch)
        monkeypatch.delenv("AWS_PROFILE")
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        source, deadline = AwsSecretsManager(), time.monotonic() + 10
        with Faulty(otherwise=slow()) as server, ThreadPoolExecutor(20) as threads:
            monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url)
            faults = list(threads.map(lambda _: refused(source=source).fault, range(20)))
        assert set(faults) == {Fault.NOT_SIGNED_IN}
        assert time.monotonic() < deadline
        assert len(server.requests) <= 2

    def test_half_of_the_credentials(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        error = refused()
        assert (error.fault, error.message) == (
            Fault.NOT_SIGNED_IN,
            "the AWS SDK finds no usable credentials",
        )

    def test_a_profile_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_PROFILE", "nobody")
        error = refused()
        assert error.fault is Fault.NOT_SIGNED_IN
        assert "does not have the chosen profile" in error.message

    def test_sso_without_a_sign_in(self, aws: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        aws.write_text(
            "[profile role]\nsso_session = ours\nsso_account_id = 123456789012\nsso_role_name = reader\n"
            "[sso-session ours]\nsso_region = eu-west-1\nsso_start_url = https://ours.awsapps.com/start\n"
        )
        use_profile(monkeypatch)
        error = refused()
        assert (error.fault, error.hint) == (Fault.NOT_SIGNED_IN, "aws sso login")

    def test_a_role_that_asks_for_a_code_does_not_ask(self, aws: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        aws.write_text(role_profile("mfa_serial = arn:aws:iam::123456789012:mfa/alice"))
        use_profile(monkeypatch)
        began = time.monotonic()
        error = refused()
        assert error.fault is Fault.NOT_SIGNED_IN
        assert "MFA code" in error.message
        assert time.monotonic() - began < 5

    def test_a_role_that_is_refused(
        self, aws: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        aws.write_text(role_profile())
        use_profile(monkeypatch)
        body = f"<ErrorResponse><Error><Code>AccessDenied</Code><Message>{CANARY}</Message></Error></ErrorResponse>"
        with Faulty(otherwise=status(403, body.encode(), {"Content-Type": "text/xml"})) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
            error = refused()
            assert [request.body[:17] for request in server.requests] == [b"Action=AssumeRole"]
        assert error.fault is Fault.NOT_SIGNED_IN
        assert error.message == "AWS does not give credentials for the configured role or sign-in (AccessDenied)"
        # botocore would warn, with a traceback, on the terminal of whoever set up no logging.
        assert not [record for record in caplog.records if record.levelno >= logging.WARNING]

    def test_who_signs_in_later_needs_no_new_process(self, at_moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
        store("later", SecretString="value")
        with monkeypatch.context() as nobody:
            use_profile(nobody)
            nobody.delenv("AWS_PROFILE")
            source = AwsSecretsManager()
            assert refused("aws-sm://later", source=source).fault is Fault.NOT_SIGNED_IN
        source._created_at -= 60
        assert fetch("aws-sm://later", source=source) == b"value"


def error_of(code: str, message: str = CANARY) -> bytes:
    return json.dumps({"__type": code, "message": message}).encode()


@pytest.mark.parametrize(
    ("code", "behaviour", "fault", "message"),
    [
        (code, status(number, error_of(code), JSON), fault, message)
        for number, code, fault, message in [
            (400, "ExpiredTokenException", Fault.NOT_SIGNED_IN, "AWS refuses the credentials ({})"),
            (400, "UnrecognizedClientException", Fault.NOT_SIGNED_IN, "AWS refuses the credentials ({})"),
            (400, "InvalidSignatureException", Fault.NOT_SIGNED_IN, "AWS refuses the credentials ({})"),
            (403, "InvalidClientTokenId", Fault.NOT_SIGNED_IN, "AWS refuses the credentials ({})"),
            (401, "", Fault.NOT_SIGNED_IN, "AWS refuses the credentials (status 401)"),
            (400, "AccessDeniedException", Fault.DENIED, "AWS denies access to the secret ({})"),
            (403, "", Fault.DENIED, "AWS denies access to the secret (status 403)"),
            (404, "", Fault.NOT_FOUND, "there is no such secret, or no such version of it (status 404)"),
            (400, "DecryptionFailure", Fault.OTHER, "AWS cannot decrypt the secret ({})"),
            (500, "InternalServiceError", Fault.OTHER, "AWS answered with an error ({})"),
            (503, "", Fault.UNREACHABLE, "AWS is not available (status 503)"),
            (400, CANARY, Fault.OTHER, "AWS answered with an error (status 400)"),
        ]
    ],
)
def test_what_aws_answers(
    faulty: Faulty, shared: AwsSecretsManager, code: str, behaviour: Any, fault: Fault, message: str
) -> None:
    faulty.otherwise = behaviour
    error = refused(source=shared)
    assert (error.fault, error.message) == (fault, message.format(code))
    assert not isinstance(error, ThrottledError)


@pytest.mark.parametrize(
    ("behaviour", "after"),
    [
        (status(400, error_of("ThrottlingException"), JSON), None),
        (status(429, CANARY.encode()), None),
        (status(429, error_of("TooManyRequestsException"), {"Retry-After": "7", "X-Canary": CANARY}), 7),
        (status(429, b"", {"Retry-After": "Fri, 31 Dec 2027 23:59:59 GMT"}), None),
    ],
)
def test_throttling_is_told_and_not_retried_here(
    faulty: Faulty, monkeypatch: pytest.MonkeyPatch, behaviour: Any, after: float | None
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    monkeypatch.setenv("AWS_RETRY_MODE", "adaptive")
    faulty.otherwise = behaviour
    error = refused()
    assert isinstance(error, ThrottledError)
    assert error.after == after
    assert len(faulty.requests) == 1


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(faulty: Faulty, tunnel: Tunnel, code: int) -> None:
    faulty.otherwise = redirect(f"https://elsewhere.example/{CANARY}", code, error_of("X"))
    error = refused()
    # At 303 urllib3 stumbles over botocore's headers before it would decide that it may not follow.
    fault, message = (
        (Fault.UNREACHABLE, "AWS cannot be reached, or the connection was lost")
        if code == 303
        else (Fault.OTHER, "the server redirects, and redirects are not followed")
    )
    assert (error.fault, error.message) == (fault, message)
    assert len(faulty.requests) == 1
    assert tunnel.asked == [HOST]


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        (answer(b""), "the answer does not have the format of AWS Secrets Manager"),
        (
            answer(f"<html>{CANARY}</html>".encode(), {"Content-Type": "text/html"}),
            "the answer does not have the format of AWS",
        ),
        (answer(f'["{CANARY}"]'.encode(), JSON), "the AWS SDK gave up"),
        (
            answer(f'{{"SecretString": {{"a": "{CANARY}"}}}}'.encode(), JSON),
            "the answer does not have the format of AWS",
        ),
        (answer(f'{{"SecretBinary": "{CANARY}"}}'.encode(), JSON), "the AWS SDK gave up"),
        (answer(f'{{"SecretString": "\\ud800{CANARY}"}}'.encode(), JSON), "the answer does not have the format of AWS"),
        (answer(b"\xff" + CANARY.encode(), JSON), "the AWS SDK gave up"),
        (oversized(2**20, f'{{"SecretString": "{CANARY}'.encode(), JSON), "the answer does not have the format of AWS"),
        (answer(f'{{"SecretString": "{"x" * (256 * 1024 + 1)}"}}'.encode(), JSON), "is larger than 256 KiB"),
    ],
)
def test_answers_that_are_none(faulty: Faulty, shared: AwsSecretsManager, behaviour: Any, message: str) -> None:
    faulty.otherwise = behaviour
    error = refused(source=shared)
    assert error.fault is Fault.OTHER
    assert message in error.message


def test_an_answer_that_breaks_off(faulty: Faulty, shared: AwsSecretsManager) -> None:
    faulty.otherwise = truncated(f'{{"SecretString": "{CANARY}'.encode(), headers=JSON)
    error = refused(source=shared)
    # Not every version of botocore compares what came with the length that was announced.
    assert (error.fault, error.message) in [
        (Fault.OTHER, "the answer does not have the format of AWS Secrets Manager"),
        (Fault.UNREACHABLE, "AWS cannot be reached, or the connection was lost"),
    ]


def test_256_kib_are_not_too_much(faulty: Faulty) -> None:
    faulty.otherwise = answer(json.dumps({"SecretString": "x" * (256 * 1024)}).encode(), JSON)
    assert len(fetch("aws-sm://name")) == 256 * 1024


def test_the_request_names_the_secret_and_nothing_else(faulty: Faulty) -> None:
    faulty.otherwise = answer(b'{"SecretString": "v"}', JSON)
    assert fetch("aws-sm://eu-west-1/a/../b?version-stage=X") == b"v"
    [request] = faulty.requests
    assert (request.method, request.path) == ("POST", "/")
    assert json.loads(request.body) == {"SecretId": "a/../b", "VersionStage": "X"}
    assert "/eu-west-1/secretsmanager/" in request.headers["authorization"]


def test_a_server_that_closes_without_a_word(faulty: Faulty) -> None:
    faulty.otherwise = dead
    error = refused()
    assert (error.fault, error.message) == (
        Fault.UNREACHABLE,
        "AWS cannot be reached, or the connection was lost",
    )
    assert len(faulty.requests) == 1


def test_a_silent_server_is_left_at_the_deadline(faulty: Faulty) -> None:
    faulty.otherwise = slow()
    began = time.monotonic()
    error = refused(seconds=1)
    assert (error.fault, error.message) == (Fault.UNREACHABLE, "AWS did not answer in time")
    assert time.monotonic() - began < 4


def test_no_time_is_left() -> None:
    error = refused(seconds=-1)
    assert (error.fault, error.message) == (Fault.UNREACHABLE, "AWS did not answer in time")


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, port = closed_port()
    with kept:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        assert refused().fault is Fault.UNREACHABLE


def test_a_name_that_leads_nowhere(faulty: Faulty, tunnel: Tunnel) -> None:
    assert refused("aws-sm://us-east-1/name").fault is Fault.UNREACHABLE
    assert tunnel.asked == ["secretsmanager.us-east-1.amazonaws.com:443"]
    assert not faulty.requests


def test_a_certificate_of_somebody_else(faulty: Faulty, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(Authority(tmp_path).bundle))
    error = refused()
    assert (error.fault, error.message) == (Fault.UNREACHABLE, "the TLS connection to AWS failed")
    assert not faulty.requests


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("AWS_ENDPOINT_URL", "http://10.255.255.1"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1.example"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1@elsewhere.example"),
        ("AWS_ENDPOINT_URL", "http://[::2]/"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://localhost.example:80"),
    ],
)
def test_http_is_for_loopback_only(tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch, variable: str, url: str) -> None:
    monkeypatch.setenv(variable, url)
    error = refused()
    assert error.fault is Fault.OTHER
    assert error.message == NOT_HTTPS
    assert tunnel.asked == []


def test_http_is_for_loopback_only_where_a_role_is_asked_for(
    aws: Path, faulty: Faulty, tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.write_text(role_profile())
    use_profile(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://sts.example.com")
    error = refused()
    assert (error.fault, error.message) == (Fault.OTHER, NOT_HTTPS)
    assert "AWS_ENDPOINT_URL_STS" in error.hint
    assert tunnel.asked == []
    assert faulty.requests == []


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL_STS"])
def test_http_to_loopback_does_not_go_through_a_proxy(
    variable: str, aws: Path, tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable == "AWS_ENDPOINT_URL_STS":
        aws.write_text(role_profile())
        use_profile(monkeypatch)
    body = f"<ErrorResponse><Error><Code>AccessDenied</Code><Message>{CANARY}</Message></Error></ErrorResponse>"
    with Faulty(otherwise=status(403, body.encode(), {"Content-Type": "text/xml"})) as server:
        monkeypatch.setenv(variable, server.url)
        error = refused()
        assert error.message == "a plain http request to this machine would go through the proxy"
        assert error.hint.endswith("NO_PROXY=127.0.0.1")
        assert (server.requests, tunnel.asked) == ([], [])
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert refused().fault in (Fault.NOT_SIGNED_IN, Fault.DENIED)
        assert len(server.requests) == 1
    assert tunnel.asked == []
