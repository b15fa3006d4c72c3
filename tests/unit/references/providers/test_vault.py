"""Vault without a server: which references it takes, and what the variables may say."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest
from certificates import Authority
from cryptography.hazmat.primitives import serialization

from pocket_protector.document.reference import Reference
from pocket_protector.errors import Fault, FormatError, ProviderError
from pocket_protector.references.providers.vault.vault import Vault
from pocket_protector.references.providers.vault.vault_login import Login
from pocket_protector.references.providers.vault.vault_settings import Settings
from pocket_protector.references.providers.vault.vault_tls import tls_context

CANARY = "canary-90cc1d"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith(("VAULT_", "BAO_")) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


def fetch(source: Vault | None = None) -> ProviderError:
    """What is wrong before anything is asked."""
    with pytest.raises(ProviderError) as caught:
        (source or Vault()).fetch(Reference("vault://kv/a#b").without_fragment(), time.monotonic() + 5)
    assert CANARY not in f"{caught.value!r}{caught.value.hint}"
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "vault://kv/a#b",
        "vault://team/kv/app/db?version=12#password",
        "vault://kv/a%20b/%C3%A9#field.with/all%23%3F",
        "vault://kv/...#b",
        "vault://kv@host/a:1#b",
    ],
)
def test_good_references(text: str) -> None:
    Vault().check(Reference(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vault://kv#b", "the reference does not name a mount and a secret in it"),
        ("vault://kv/a", "the reference does not name a field of the secret"),
        *(
            (f"vault://{path}#b", "a segment of the path must not be empty, . or .., or contain a slash")
            for path in (
                *("kv/../sys/raw", "kv/%2e%2E/sys", "kv/./a", "kv//a", "/kv/a", "kv/a/", "kv/a%2Fb", "kv/..%2Fa"),
                *("kv/a%5Cb", "../sys", "./a"),
            )
        ),
        *(
            (f"vault://kv/a?{query}#b", "the query must be a version, a number from 1 on")
            for query in ("version=0", "version=-1", "version=1.5", "version=01", "version=", "version=1234567890")
        ),
        *(
            (f"vault://kv/a?{query}#b", "the query must be a version, a number from 1 on")
            for query in ("list=true", "version=1&help=1", "version=%31%26list=true", "Version=1")
        ),
        (
            "vault://kv/a?version=1&version=2#b",
            "the query of a reference is key=value, or several joined by &, each key once",
        ),
    ],
)
def test_bad_references(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        Vault().check(Reference(text))
    assert caught.value.message == message
    assert Vault.form in caught.value.hint or "query of a reference" in message


@pytest.mark.parametrize(
    ("fields", "fragment", "value"),
    [
        ({"a": "b"}, "a", b"b"),
        ({"a.b": "c", "a": {"b": "d"}}, "a.b", b"c"),
        ({"a b": ""}, "a%20b", b""),
        ({"a": False}, "a", b"false"),
    ],
)
def test_the_fragment_is_one_name(fields: dict[str, object], fragment: str, value: bytes) -> None:
    assert Vault().select(json.dumps(fields).encode(), fragment) == value


@pytest.mark.parametrize(
    ("fields", "fragment", "fault", "message"),
    [
        ({"a": {"b": "c"}}, "a.b", Fault.NOT_FOUND, "the secret does not have a field 'a.b'"),
        ({"a": {"b": "c"}}, "a", Fault.OTHER, "the field 'a' is not a text, a number or a truth value"),
        ({"a": None}, "a", Fault.OTHER, "the field 'a' is not a text, a number or a truth value"),
        ({"A": "b"}, "a", Fault.NOT_FOUND, "the secret does not have a field 'a'"),
    ],
)
def test_fields_that_give_no_value(fields: dict[str, object], fragment: str, fault: Fault, message: str) -> None:
    with pytest.raises(ProviderError) as caught:
        Vault().select(json.dumps(fields).encode(), fragment)
    assert (caught.value.fault, caught.value.message) == (fault, message)


class TestAddress:
    @pytest.mark.parametrize(
        ("address", "host", "port", "prefix"),
        [
            ("", "127.0.0.1", 8200, ""),
            ("https://vault.example", "vault.example", 443, ""),
            ("https://Vault.example:8200/behind/", "vault.example", 8200, "/behind"),
            ("http://127.0.0.1:8200", "127.0.0.1", 8200, ""),
            ("http://localhost", "localhost", 80, ""),
            ("http://[::1]:1", "::1", 1, ""),
        ],
    )
    def test_good(self, address: str, host: str, port: int, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VAULT_ADDR", address)
        settings = Settings.from_environment()
        assert (settings.host, settings.port, settings.prefix) == (host, port, prefix)

    @pytest.mark.parametrize(
        "address",
        [
            *("http://vault.example", "http://127.0.0.1.example", "http://10.0.0.1", "vault.example:8200", "https://"),
            *("unix:///run/vault", "ftp://127.0.0.1", "https://vault.example:port", "https://[::1", "http://0.0.0.0"),
        ],
    )
    def test_not_https(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VAULT_ADDR", address)
        monkeypatch.setenv("VAULT_TOKEN", CANARY)
        assert fetch().message == "VAULT_ADDR is not a valid https address (http is for loopback only)"

    @pytest.mark.parametrize(
        "address", [f"https://user:{CANARY}@a.example", "https://a.example?a=b", "https://a.example#a", "https://a/é"]
    )
    def test_more_than_an_address(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VAULT_ADDR", address)
        assert fetch().message == "VAULT_ADDR must have only a host, a port and a path"

    def test_an_empty_variable_of_openbao_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VAULT_NAMESPACE", "team")
        assert Settings.from_environment().namespace == "team"
        monkeypatch.setenv("BAO_NAMESPACE", "")
        assert Settings.from_environment().namespace == ""

    def test_a_namespace_of_two_lines(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VAULT_NAMESPACE", f"a\r\nX-Vault-Token: {CANARY}")
        assert fetch().message == "VAULT_NAMESPACE must have only printable ASCII characters"

    @pytest.mark.parametrize(
        ("variables", "proxy"),
        [
            ({"HTTPS_PROXY": "http://proxy:1"}, "http://proxy:1"),
            ({"HTTPS_PROXY": "http://proxy:1", "VAULT_PROXY_ADDR": "http://proxy:2"}, "http://proxy:2"),
            ({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "vault.example"}, ""),
            ({"HTTP_PROXY": "http://proxy:1"}, ""),
            ({"HTTPS_PROXY": "http://proxy:1", "VAULT_ADDR": "https://localhost"}, ""),
        ],
    )
    def test_proxies(self, variables: dict[str, str], proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in ({"VAULT_ADDR": "https://vault.example"} | variables).items():
            monkeypatch.setenv(name, value)
        assert Settings.from_environment().proxy == proxy


class TestSigningIn:
    @pytest.mark.parametrize("token", [f"{CANARY}\n{CANARY}", f"{CANARY} ", f"{CANARY}é"])
    def test_a_token_of_no_token_s_characters(
        self, token: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        pytest.importorskip("urllib3")
        monkeypatch.setenv("VAULT_TOKEN", token)
        error = fetch()
        assert (error.fault, error.message) == (
            Fault.NOT_SIGNED_IN,
            "VAULT_TOKEN is not a valid token: it has characters that no token has",
        )

    @pytest.mark.parametrize("content", [b"", b"\n", b"a" * 100_000, b"\xff\xfe", None])
    def test_a_token_file_without_a_token(self, content: bytes | None, tmp_path: Path) -> None:
        pytest.importorskip("urllib3")
        if content is None:
            (tmp_path / ".vault-token").mkdir()
        else:
            (tmp_path / ".vault-token").write_bytes(content)
        assert fetch().message == "neither a token nor a login is configured"

    @pytest.mark.parametrize(
        ("variables", "message"),
        [
            ({"AUTH_METHOD": "userpass"}, "VAULT_AUTH_METHOD is not a known login method"),
            ({"AUTH_METHOD": "approle"}, "the login that VAULT_AUTH_METHOD names needs VAULT_ROLE_ID"),
            ({"AUTH_METHOD": "kubernetes"}, "the login that VAULT_AUTH_METHOD names needs VAULT_ROLE"),
            ({"AUTH_METHOD": "jwt"}, "the login that VAULT_AUTH_METHOD names needs VAULT_JWT or VAULT_JWT_FILE"),
            (
                {"AUTH_METHOD": "jwt", "JWT_FILE": "/nonexistent/token"},
                "the file '/nonexistent/token' does not have a readable token",
            ),
            ({"ROLE_ID": "a", "AUTH_MOUNT": "../sys"}, "VAULT_AUTH_MOUNT is not a valid path of a mount"),
            ({"ROLE_ID": "a", "AUTH_MOUNT": "a//b"}, "VAULT_AUTH_MOUNT is not a valid path of a mount"),
        ],
    )
    def test_logins_that_lack_something(
        self, variables: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(f"VAULT_{name}", value)
        with pytest.raises(ProviderError) as caught:
            Login.from_environment()
        assert (caught.value.fault, caught.value.message) == (Fault.NOT_SIGNED_IN, message)

    @pytest.mark.parametrize(
        ("variables", "mount", "body"),
        [
            ({"ROLE_ID": "a", "SECRET_ID": "b"}, "approle", {"role_id": "a", "secret_id": "b"}),
            ({"ROLE_ID": "a"}, "approle", {"role_id": "a"}),
            ({"AUTH_METHOD": "jwt", "JWT": "a", "AUTH_MOUNT": "/ci/gitlab/"}, "ci/gitlab", {"jwt": "a"}),
            ({"AUTH_METHOD": "jwt", "JWT": "a", "ROLE": "b"}, "jwt", {"jwt": "a", "role": "b"}),
            ({"AUTH_METHOD": "kubernetes", "JWT": "a", "ROLE": "b"}, "kubernetes", {"jwt": "a", "role": "b"}),
        ],
    )
    def test_logins(
        self, variables: dict[str, str], mount: str, body: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(f"VAULT_{name}", value)
        login = Login.from_environment()
        assert login
        assert ("/".join(login.mount), dict(login.body)) == (mount, body)

    @pytest.mark.parametrize("method", ["token", ""])
    def test_no_login(self, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VAULT_AUTH_METHOD", method)
        assert Login.from_environment() is None

    def test_a_login_does_not_show_what_it_sends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VAULT_ROLE_ID", "a")
        monkeypatch.setenv("VAULT_SECRET_ID", CANARY)
        assert CANARY not in repr(Login.from_environment())


class TestFilesOfCertificates:
    @pytest.mark.parametrize("variable", ["VAULT_CACERT", "VAULT_CAPATH"])
    @pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\xff"])
    def test_nothing_to_trust(
        self, variable: str, content: bytes | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        pytest.importorskip("urllib3")
        folder = tmp_path / "trusted"
        if content is not None:
            folder.mkdir()
            (folder / "a.pem").write_bytes(content)
        monkeypatch.setenv(variable, str(folder / "a.pem" if variable == "VAULT_CACERT" else folder))
        assert "VAULT_CACERT, VAULT_CACERT_BYTES or VAULT_CAPATH" in fetch().message

    def test_no_certificate_to_show(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        pytest.importorskip("urllib3")
        monkeypatch.setenv("VAULT_CLIENT_CERT", str(tmp_path / "none"))
        assert "VAULT_CLIENT_CERT and VAULT_CLIENT_KEY" in fetch().message

    def test_an_encrypted_key_asks_nobody(self, tmp_path: Path) -> None:
        certificate, key = Authority(tmp_path).issue("client.example")
        tls_context(("", "", ""), (str(certificate), str(key)))
        opened = serialization.load_pem_private_key(key.read_bytes(), None)
        key.write_bytes(
            opened.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(CANARY.encode()),
            )
        )
        with pytest.raises(ProviderError, match="VAULT_CLIENT_CERT and VAULT_CLIENT_KEY cannot be read"):
            tls_context(("", "", ""), (str(certificate), str(key)))

    def test_a_proxy_that_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("urllib3")
        monkeypatch.setenv("VAULT_ADDR", "https://vault.example")
        monkeypatch.setenv("HTTPS_PROXY", f"gopher://user:{CANARY}@proxy")
        assert fetch().message == "HTTPS_PROXY is not a valid proxy"


def test_the_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "urllib3", None)
    error = fetch()
    assert error.message == "references to Vault need an extra of pprotect that is not installed"
    assert error.hint == "pip install 'pprotect[vault]'"


def test_checking_imports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "urllib3"]:
        monkeypatch.delitem(sys.modules, name)
    Vault().check(Reference("vault://kv/a#b"))
    assert "urllib3" not in sys.modules
