"""Azure Key Vault: the real SDK and the real azure-identity, against a TLS stand-in of ours (servers/key_vault.py).

Lowkey Vault, an independent server, would be better, but the Maven registry has only its client, not its application.
The SDK meets the stand-in under the names of Azure: a proxy leads them here, and a bundle names the one authority that
is trusted. Nothing in the product knows of it.
"""

from __future__ import annotations

import json
import logging
import os
import stat
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from certificates import Authority
from faulty import (
    Behaviour,
    Faulty,
    answer,
    dead,
    in_turn,
    oversized,
    redirect,
    slow,
    status,
    truncated,
    wrong_type,
)
from followed import given, not_given
from key_vault import CLIENT, ENTRA, TENANT, Cloud, refusal
from tunnel import Tunnel

from pocket_protector.document.reference import Reference
from pocket_protector.errors import Fault, ProviderError, ThrottledError
from pocket_protector.plugins.contract import SecretSourceContract
from pocket_protector.references.providers.azure.azure_kv import AzureKeyVault

# Read here: later, tests see no variables of ours.
_REQUIRED = os.environ.get("PPROTECT_TEST_REQUIRE_ALL") == "1"

if not _REQUIRED:
    pytest.importorskip("azure.identity", reason="no Azure SDK: install the extra azure")
    pytest.importorskip("azure.keyvault.secrets", reason="no Azure SDK: install the extra azure")

CANARY = "canary-7f3a9c"
ELSEWHERE = "elsewhere.example:443"
SUFFIXES = {
    "https://login.microsoftonline.com": "vault.azure.net",
    "login.chinacloudapi.cn": "vault.azure.cn",
    "https://login.partner.microsoftonline.cn/": "vault.azure.cn",
    "https://login.microsoftonline.us": "vault.usgovcloudapi.net",
    "https://login.sovcloud-identity.fr": "vault.sovcloud-api.fr",
    "https://login.sovcloud-identity.de": "vault.sovcloud-api.de",
}
VAULTS = ("my-keyvault", "other-vault", "wrong-resource", "no-challenge")


@dataclass
class Servers:
    vault: Faulty
    entra: Faulty
    identity: Faulty
    elsewhere: Faulty
    tunnel: Tunnel
    authority: Authority


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    suffixes = sorted(set(SUFFIXES.values()))
    with (
        Faulty(tls=authority.issue(*(f"*.{suffix}" for suffix in suffixes))) as vault,
        Faulty(tls=authority.issue(ENTRA)) as entra,
        Faulty() as identity,
        Faulty(otherwise=answer(b'{"value": "stolen"}'), tls=authority.issue("elsewhere.example")) as elsewhere,
        Tunnel(
            {f"{name}.{suffix}:443": vault.port for name in VAULTS for suffix in suffixes}
            | {f"{ENTRA}:443": entra.port, ELSEWHERE: elsewhere.port}
        ) as tunnel,
    ):
        yield Servers(vault, entra, identity, elsewhere, tunnel, authority)


@pytest.fixture
def cloud(servers: Servers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cloud:
    """A new cloud, for a caller who has nothing yet to sign in with: no variables, no home, no programs."""
    cloud = Cloud()
    servers.vault.otherwise, servers.entra.otherwise = cloud.vault, cloud.entra
    servers.identity.otherwise = cloud.managed_identity
    for server in (servers.vault, servers.entra, servers.identity, servers.elsewhere):
        server.requests.clear()
    servers.tunnel.asked.clear()
    for name in os.environ:
        if name.startswith(("AZURE_", "IDENTITY_", "IMDS_", "MSI_")) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    home, programs = tmp_path / "home", tmp_path / "bin"
    home.mkdir()
    programs.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("HTTPS_PROXY", servers.tunnel.url)
    monkeypatch.setenv("HTTP_PROXY", servers.tunnel.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(servers.authority.bundle))
    return cloud


@pytest.fixture
def signed_in(cloud: Cloud, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """As on App Service: with a managed identity."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{servers.identity.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", cloud.identity_header)
    return cloud


def fetch(text: str, seconds: float = 15, source: AzureKeyVault | None = None) -> bytes:
    source, reference = source or AzureKeyVault(), Reference(text)
    source.check(reference)
    return source.select(source.fetch(reference.without_fragment(), time.monotonic() + seconds), reference.fragment)


def refused(text: str, seconds: float = 15, source: AzureKeyVault | None = None) -> ProviderError:
    started = time.monotonic()
    with pytest.raises(ProviderError) as caught:
        fetch(text, seconds, source)
    assert time.monotonic() - started < seconds + 1
    return caught.value


def assert_nothing_leaked(error: ProviderError, cloud: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    texts = [str(error), repr(error), error.hint, "".join(traceback.format_exception(error))]
    texts += [f"{record.getMessage()} {record.exc_text}" for record in caplog.records]
    for text in texts:
        assert CANARY not in text
        for credential in (*cloud.tokens, cloud.client_secret, cloud.identity_header):
            assert credential not in text
    assert error.__cause__ is None
    assert error.__context__ is None


class TestContract(SecretSourceContract):
    good = ("azure-kv://my-keyvault/db", "azure-kv://my-keyvault/db/0123456789abcdef0123456789abcdef#a.b")
    bad = ("azure-kv://my.keyvault/db", "azure-kv://my-keyvault/..", "azure-kv://my-keyvault", "azure-kv://a-b/c?d=e")

    @pytest.fixture(autouse=True)
    def kept(self, signed_in: Cloud) -> None:
        signed_in.keep("db", json.dumps({"password": "hunter2"}))

    def source(self) -> AzureKeyVault:
        return AzureKeyVault()

    def stored(self) -> tuple[str, bytes]:
        return "azure-kv://my-keyvault/db#password", b"hunter2"

    def missing(self) -> str:
        return "azure-kv://my-keyvault/nothing"


class TestValues:
    @pytest.mark.parametrize(
        "value",
        ["hunter2", "two\nlines\r\n", "nul\0 nul", "ключ 🔑", " spaces ", "x" * 65536, "\x01" * 262144],
        ids=["plain", "lines", "nul", "unicode", "spaces", "64 KiB", "256 KiB, escaped in JSON"],
    )
    def test_a_value_comes_as_it_is_kept(self, signed_in: Cloud, value: str) -> None:
        signed_in.keep("db", value)
        assert fetch("azure-kv://my-keyvault/db") == value.encode()

    def test_the_latest_version_unless_one_is_named(self, signed_in: Cloud) -> None:
        first = signed_in.keep("db", "old")
        signed_in.keep("db", "new")
        assert fetch("azure-kv://my-keyvault/db") == b"new"
        assert fetch(f"azure-kv://my-keyvault/db/{first}") == b"old"

    def test_a_version_that_is_not_there(self, signed_in: Cloud) -> None:
        signed_in.keep("db", "value")
        error = refused(f"azure-kv://my-keyvault/db/{'0' * 32}")
        assert error.fault is Fault.NOT_FOUND
        assert error.message == "the vault has no such secret, or no such version of it (status 404)"

    def test_a_part_of_json(self, signed_in: Cloud) -> None:
        signed_in.keep("db", '{"db": {"password": "hunter2"}}')
        assert fetch("azure-kv://my-keyvault/db#db.password") == b"hunter2"
        assert refused("azure-kv://my-keyvault/db#db.user").fault is Fault.OTHER

    def test_a_disabled_version(self, signed_in: Cloud) -> None:
        signed_in.disabled.add(signed_in.keep("db", "value"))
        error = refused("azure-kv://my-keyvault/db")
        assert error.fault is Fault.DENIED
        assert error.message == "the secret, or this version of it, is disabled (SecretDisabled)"

    def test_a_value_that_is_too_large(self, signed_in: Cloud) -> None:
        signed_in.keep("db", "x" * 262145)
        assert "larger than 256 KiB" in str(refused("azure-kv://my-keyvault/db"))

    def test_no_value(self, signed_in: Cloud) -> None:
        signed_in.keep("db", None)
        error = refused("azure-kv://my-keyvault/db")
        assert (error.fault, error.message) == (Fault.OTHER, "the secret has no value")

    def test_no_text(self, signed_in: Cloud) -> None:
        signed_in.faults["db"] = answer(b'{"value": "\\ud800"}')
        assert refused("azure-kv://my-keyvault/db").message == "the value is not valid Unicode text"


def test_through_the_command(signed_in: Cloud, tmp_path: Path) -> None:
    signed_in.keep("db", '{"db": {"password": "hunter2"}}')
    assert given(tmp_path, "azure-kv://my-keyvault/db#db.password") == b"hunter2"
    signed_in.faults["db"] = refusal(403, "ForbiddenByRbac", CANARY)
    not_given(tmp_path, "azure-kv://my-keyvault/db#db.password", Fault.DENIED)


@pytest.mark.parametrize(("authority", "suffix"), SUFFIXES.items(), ids=SUFFIXES)
def test_the_cloud_of_the_vault_is_configured(
    signed_in: Cloud, servers: Servers, authority: str, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", authority)
    signed_in.resource = f"https://{suffix}"
    signed_in.keep("db", "value")
    assert fetch("azure-kv://My-Keyvault/db") == b"value"
    assert set(servers.tunnel.asked) == {f"my-keyvault.{suffix}:443"}


class TestSigningIn:
    def test_a_service_principal(self, cloud: Cloud, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
        self.principal(monkeypatch, cloud.client_secret)
        cloud.keep("db", "value")
        assert fetch("azure-kv://my-keyvault/db") == b"value"
        assert [request.path for request in servers.entra.requests][-1] == f"/{TENANT}/oauth2/v2.0/token"

    def test_a_wrong_client_secret(
        self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        cloud.said = CANARY
        self.principal(monkeypatch, f"wrong-{CANARY}")
        error = refused("azure-kv://my-keyvault/db")
        assert error.fault is Fault.NOT_SIGNED_IN
        assert "az login" in error.hint
        assert_nothing_leaked(error, cloud, caplog)

    @pytest.mark.parametrize("content_type", ["application/json", "text/html"])
    def test_a_token_that_comes_garbled(
        self, cloud: Cloud, content_type: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        cloud.signing_in = wrong_type(f'{{"access_token": "{CANARY}'.encode(), content_type)
        self.principal(monkeypatch, cloud.client_secret)
        error = refused("azure-kv://my-keyvault/db")
        assert error.fault is Fault.NOT_SIGNED_IN
        assert_nothing_leaked(error, cloud, caplog)

    def principal(self, monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
        monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
        monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
        monkeypatch.setenv("AZURE_CLIENT_SECRET", secret)

    def test_nobody_is_signed_in_is_found_out_once(
        self, cloud: Cloud, servers: Servers, caplog: pytest.LogCaptureFixture
    ) -> None:
        source = AzureKeyVault()
        with ThreadPoolExecutor(20) as threads:
            errors = list(threads.map(lambda _: refused("azure-kv://my-keyvault/db", source=source), range(20)))
        assert {error.fault for error in errors} == {Fault.NOT_SIGNED_IN}
        assert len(set(map(id, errors))) == 20
        # The metadata service of a virtual machine: asked whether it is there, and for a token.
        assert 0 < servers.tunnel.asked.count("169.254.169.254:80") <= 2
        # The SDK would tell at length; errors are told once, by us.
        assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []

    def test_the_azure_cli_is_started_once(self, cloud: Cloud, tmp_path: Path) -> None:
        token = {"accessToken": cloud.token(), "expires_on": int(time.time()) + 3600, "tokenType": "Bearer"}
        self.program(tmp_path, f"echo run >> {tmp_path}/runs\necho '{json.dumps(token)}'")
        for number in range(20):
            cloud.keep(f"db{number}", "value")
        source = AzureKeyVault()
        with ThreadPoolExecutor(20) as threads:
            found = threads.map(
                lambda n: fetch(f"azure-kv://{VAULTS[n % 2]}/db{n}", source=source),
                range(20),
            )
            assert set(found) == {b"value"}
        assert (tmp_path / "runs").read_text() == "run\n"

    def test_an_azure_cli_that_hangs(self, cloud: Cloud, tmp_path: Path) -> None:
        self.program(tmp_path, "exec /bin/sleep 5")
        error = refused("azure-kv://my-keyvault/db", seconds=1)
        assert (error.fault, error.message) == (Fault.UNREACHABLE, "the sign-in to Azure takes too long")

    @pytest.mark.parametrize(
        "script", [f"echo '{CANARY}'", f"echo '{CANARY}' >&2; exit 1"], ids=["no JSON", "an error"]
    )
    def test_an_azure_cli_that_fails(
        self, cloud: Cloud, tmp_path: Path, script: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        self.program(tmp_path, script)
        error = refused("azure-kv://my-keyvault/db")
        assert error.fault is Fault.NOT_SIGNED_IN
        assert_nothing_leaked(error, cloud, caplog)

    def program(self, tmp_path: Path, script: str) -> None:
        program = tmp_path / "bin" / "az"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(stat.S_IRWXU)

    def test_a_managed_identity_that_hangs(self, signed_in: Cloud) -> None:
        signed_in.signing_in = slow(20)
        error = refused("azure-kv://my-keyvault/db", seconds=1)
        assert (error.fault, error.message) == (Fault.UNREACHABLE, "the sign-in to Azure takes too long")

    @pytest.mark.parametrize(
        "behaviour",
        [dead, status(500, CANARY.encode()), answer(f'{{"token": "{CANARY}"}}'.encode()), wrong_type(CANARY.encode())],
        ids=["dead", "500", "no token", "no JSON"],
    )
    def test_a_managed_identity_that_fails(
        self, signed_in: Cloud, behaviour: Behaviour, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        signed_in.signing_in = behaviour
        error = refused("azure-kv://my-keyvault/db")
        assert error.fault is Fault.NOT_SIGNED_IN
        assert_nothing_leaked(error, signed_in, caplog)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("AZURE_AUTHORITY_HOST", "http://login.microsoftonline.com"),
            ("AZURE_TOKEN_CREDENTIALS", "no-such-credential"),
            ("AZURE_TOKEN_CREDENTIALS", "InteractiveBrowserCredential"),
        ],
    )
    def test_variables_that_make_no_credential(
        self, cloud: Cloud, name: str, value: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(name, value)
        error = refused("azure-kv://my-keyvault/db")
        assert (error.fault, error.message) == (Fault.NOT_SIGNED_IN, "the variables of Azure are not valid credentials")
        assert name in error.hint

    def test_no_token_for_another_resource(self, signed_in: Cloud, caplog: pytest.LogCaptureFixture) -> None:
        signed_in.resource = "https://vault.evil.example"
        error = refused("azure-kv://wrong-resource/db")
        assert error.fault is Fault.OTHER
        assert "to another resource" in error.message
        assert signed_in.tokens == []

    def test_a_401_without_a_challenge(self, signed_in: Cloud, servers: Servers) -> None:
        servers.vault.otherwise = status(401, CANARY.encode())
        error = refused("azure-kv://no-challenge/db")
        assert (error.fault, error.message) == (Fault.NOT_SIGNED_IN, "the vault refuses the token (status 401)")
        assert signed_in.tokens == []

    def test_a_token_that_is_not_taken(self, signed_in: Cloud, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        signed_in.faults["db"] = status(401, CANARY.encode())
        error = refused("azure-kv://my-keyvault/db")
        assert error.fault is Fault.NOT_SIGNED_IN
        assert_nothing_leaked(error, signed_in, caplog)

    def test_a_netrc_does_not_take_the_place_of_the_token(self, signed_in: Cloud, servers: Servers) -> None:
        Path(os.environ["HOME"], ".netrc").write_text(f"default login me password {CANARY}\n")
        signed_in.keep("db", "value")
        assert fetch("azure-kv://my-keyvault/db") == b"value"
        sent = {request.headers.get("authorization", "Bearer")[:6] for request in servers.vault.requests}
        assert sent == {"Bearer"}


def said(code: int, inner: str) -> Behaviour:
    return refusal(code, inner, CANARY)


JSON_CANARY = json.dumps({"value": CANARY}).encode()
FAULTS: dict[str, tuple[Behaviour, Fault, str]] = {
    "400": (said(400, "BadParameter"), Fault.OTHER, "the vault answered with an error (status 400)"),
    "403": (said(403, "ForbiddenByRbac"), Fault.DENIED, "the vault denies access to the secret (status 403)"),
    "403, a code that is none": (said(403, CANARY), Fault.DENIED, "the vault denies access to the secret (status 403)"),
    "403, no JSON": (status(403, CANARY.encode()), Fault.DENIED, "the vault denies access to the secret (status 403)"),
    "403, firewall": (
        said(403, "ForbiddenByFirewall"),
        Fault.DENIED,
        "the firewall of the vault refuses this network (ForbiddenByFirewall)",
    ),
    "404": (
        said(404, "SecretNotFound"),
        Fault.NOT_FOUND,
        "the vault has no such secret, or no such version of it (status 404)",
    ),
    "500": (said(500, "InternalError"), Fault.UNREACHABLE, "the vault is not available (status 500)"),
    "503": (said(503, "Unavailable"), Fault.UNREACHABLE, "the vault is not available (status 503)"),
    "redirect to another host": (
        redirect(f"https://elsewhere.example/{CANARY}", body=JSON_CANARY),
        Fault.OTHER,
        "the server redirects, and redirects are not followed",
    ),
    "redirect that keeps the method": (
        redirect(f"https://elsewhere.example/{CANARY}", 307, JSON_CANARY),
        Fault.OTHER,
        "the server redirects, and redirects are not followed",
    ),
    "redirect to another secret": (
        redirect("/secrets/other/?api-version=7.0", 301),
        Fault.OTHER,
        "the server redirects, and redirects are not followed",
    ),
    "oversized": (oversized(1 << 30, CANARY.encode()), Fault.OTHER, "the value is larger than 256 KiB"),
    "truncated": (truncated(JSON_CANARY), Fault.UNREACHABLE, "the answer of the vault was cut off"),
    "wrong content type": (
        wrong_type(JSON_CANARY),
        Fault.OTHER,
        "the answer does not have the format of Azure Key Vault",
    ),
    "no JSON": (answer(CANARY.encode()), Fault.OTHER, "the answer does not have the format of Azure Key Vault"),
    "deep JSON": (answer(b"[" * 100_000), Fault.OTHER, "the answer does not have the format of Azure Key Vault"),
    "another JSON": (
        answer(f'["{CANARY}"]'.encode()),
        Fault.OTHER,
        "the answer does not have the format of Azure Key Vault",
    ),
    "no member value": (
        answer(f'{{"v": "{CANARY}"}}'.encode()),
        Fault.OTHER,
        "the answer does not have the format of Azure Key Vault",
    ),
    "a number": (answer(b'{"value": 1}'), Fault.OTHER, "the secret has no value"),
    "garbled": (
        answer(JSON_CANARY, {"Content-Encoding": "gzip"}),
        Fault.OTHER,
        "the answer does not have the format of Azure Key Vault",
    ),
    "dead": (
        dead,
        Fault.UNREACHABLE,
        "the vault cannot be reached, or the connection was lost",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault(name: str, signed_in: Cloud, servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    behaviour, fault, message = FAULTS[name]
    signed_in.keep("other", "value")
    signed_in.faults["db"] = behaviour
    error = refused("azure-kv://my-keyvault/db")
    assert (error.fault, error.message) == (fault, message)
    assert_nothing_leaked(error, signed_in, caplog)
    # Asked once, with a token; nobody else is.
    shown = [request for request in servers.vault.requests if "authorization" in request.headers]
    assert [request.path.partition("?")[0] for request in shown] == ["/secrets/db/"]
    assert set(servers.tunnel.asked) == {"my-keyvault.vault.azure.net:443"}
    assert servers.elsewhere.requests == []


@pytest.mark.parametrize(("header", "after"), [("7", 7.0), ("soon", None), ("Wed, 21 Oct 2099 07:28:00 GMT", None)])
def test_throttling(header: str, after: float | None, signed_in: Cloud, servers: Servers) -> None:
    signed_in.faults["db"] = in_turn(status(429, CANARY.encode(), {"Retry-After": header}), answer(JSON_CANARY))
    source = AzureKeyVault()
    error = refused("azure-kv://my-keyvault/db", source=source)
    assert isinstance(error, ThrottledError)
    assert (error.message, error.after) == ("the vault asks for fewer requests", after)
    # It is the caller who tries again.
    assert fetch("azure-kv://my-keyvault/db", source=source) == CANARY.encode()


def test_a_vault_that_is_slow(signed_in: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    signed_in.faults["db"] = slow(20)
    error = refused("azure-kv://my-keyvault/db", seconds=2)
    assert (error.fault, error.message) == (Fault.UNREACHABLE, "the vault did not answer in time")
    assert_nothing_leaked(error, signed_in, caplog)


def test_a_vault_that_is_slow_from_the_beginning(signed_in: Cloud, servers: Servers) -> None:
    servers.vault.otherwise = slow(20)
    error = refused("azure-kv://my-keyvault/db", seconds=1)
    assert (error.fault, error.message) == (Fault.UNREACHABLE, "the vault did not answer in time")


def test_no_time_is_left(signed_in: Cloud, servers: Servers) -> None:
    error = refused("azure-kv://my-keyvault/db", seconds=-0.5)
    assert (error.fault, error.message) == (Fault.UNREACHABLE, "the vault did not answer in time")
    assert servers.tunnel.asked == []


def test_a_vault_that_is_not_there(signed_in: Cloud) -> None:
    error = refused("azure-kv://no-such-vault/db")
    assert error.fault is Fault.UNREACHABLE
    assert "AZURE_AUTHORITY_HOST" in error.hint


def test_a_certificate_that_is_not_trusted(
    signed_in: Cloud, servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(Authority(tmp_path).bundle))
    assert refused("azure-kv://my-keyvault/db").fault is Fault.UNREACHABLE
    assert servers.vault.requests == []
