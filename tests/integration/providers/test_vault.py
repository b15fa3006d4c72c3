"""Vault: a real server, of the version from which OpenBao was forked (servers/real_vault.py), and servers that fail."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from certificates import Authority
from faulty import (
    Behaviour,
    Faulty,
    answer,
    closed_port,
    dead,
    oversized,
    redirect,
    slow,
    status,
    trickle,
    truncated,
    wrong_type,
)
from followed import given, not_given
from real_vault import RealVault
from signed_tokens import Signer
from tunnel import Tunnel

from pocket_protector.document.reference import Reference
from pocket_protector.errors import Fault, ProviderError, ThrottledError
from pocket_protector.plugins.contract import SecretSourceContract
from pocket_protector.references.providers.vault.vault import Vault

# Read here: later, tests see no variables of ours.
_REQUIRED = os.environ.get("PPROTECT_TEST_REQUIRE_ALL") == "1"

if not _REQUIRED and not importlib.util.find_spec("urllib3"):
    pytest.skip("no urllib3: install the extra vault", allow_module_level=True)

CANARY = "canary-5b1e77"
VALUES = {
    "lines": "one\r\ntwo\n",
    "nul": "a\0b",
    "long": "é" * 32768,
    "markup": "<a href='b'>&</a>" * 1000,
    "dotted.name": "dotted",
    "sign #?/%": "sign",
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def vault(authority: Authority) -> Iterator[RealVault]:
    with RealVault((*authority.issue("127.0.0.1", "vault.example"), authority.bundle)) as vault:
        vault.mount("team/kv", 2)
        vault.mount("old", 1)
        vault.call("POST", "team/kv/data/app/db", {"data": {"password": "first"}})
        vault.call("POST", "team/kv/data/app/db", {"data": {"password": "second"}})
        vault.call("POST", "team/kv/data/app/values", {"data": VALUES})
        vault.call("POST", "old/app/db", {"password": "unversioned", "number": 1.25, "yes": True, "list": [1]})
        for name in ("approle", "jwt", "kubernetes"):
            vault.call("POST", f"sys/auth/{name}", {"type": name})
        vault.call("PUT", "sys/policies/acl/reader", {"policy": 'path "team/kv/*" { capabilities = ["read"] }'})
        yield vault


@pytest.fixture(autouse=True)
def caller(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Somebody who has nothing yet to sign in with; their home."""
    for name in os.environ:
        if name.startswith(("VAULT_", "BAO_")) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def there(vault: RealVault, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> RealVault:
    monkeypatch.setenv("VAULT_ADDR", vault.address)
    monkeypatch.setenv("VAULT_CACERT", str(authority.bundle))
    return vault


@pytest.fixture
def root(there: RealVault, monkeypatch: pytest.MonkeyPatch) -> RealVault:
    monkeypatch.setenv("VAULT_TOKEN", there.token)
    return there


def fetch(text: str, source: Vault | None = None, seconds: float = 15) -> bytes:
    source, reference = source or Vault(), Reference(text)
    source.check(reference)
    raw = source.fetch(reference.without_fragment(), time.monotonic() + seconds)
    return source.select(raw, reference.fragment)


def refusal(text: str, source: Vault | None = None, seconds: float = 15) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        fetch(text, source, seconds)
    return caught.value


@pytest.mark.usefixtures("root")
class TestContract(SecretSourceContract):
    good = ("vault://kv/a#b",)
    bad = ("vault://kv/a", "vault://kv#b", "vault://kv/../sys#b")

    def source(self) -> Vault:
        return Vault()

    def stored(self) -> tuple[str, bytes]:
        return "vault://team/kv/app/db#password", b"second"

    def missing(self) -> str:
        return "vault://team/kv/app/none#password"


@pytest.mark.usefixtures("root")
class TestWhatIsThere:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("vault://team/kv/app/db?version=1#password", b"first"),
            ("vault://team/kv/app/db?version=2#password", b"second"),
            ("vault://old/app/db#password", b"unversioned"),
            ("vault://old/app/db#number", b"1.25"),
            ("vault://old/app/db#yes", b"true"),
            ("vault://team/kv/app/values#dotted.name", b"dotted"),
            ("vault://team/kv/app/values#sign%20%23%3F%2F%25", b"sign"),
            *(
                (f"vault://team/kv/app/values#{name}", VALUES[name].encode())
                for name in ("lines", "nul", "long", "markup")
            ),
        ],
    )
    def test_value(self, text: str, value: bytes) -> None:
        assert fetch(text) == value

    def test_odd_paths(self, root: RealVault) -> None:
        root.call("POST", "team/kv/data/a%20b/%3Fversion=1/100%25", {"data": {"x": "odd"}})
        assert fetch("vault://team/kv/a%20b/%3Fversion=1/100%25#x") == b"odd"

    @pytest.mark.parametrize(
        ("text", "fault", "message"),
        [
            ("vault://team/kv/app/db?version=9#password", Fault.NOT_FOUND, "there is no such secret, or no version 9"),
            ("vault://team/kv/app/db#user", Fault.NOT_FOUND, "the secret does not have a field 'user'"),
            ("vault://old/app/none#password", Fault.NOT_FOUND, "there is no such secret"),
            ("vault://team/kv#password", Fault.NOT_FOUND, "the path is a mount, not a secret in it"),
            ("vault://nothing/here#password", Fault.DENIED, "the mount does not exist, or you may not read from it"),
            ("vault://old/app/db#list", Fault.OTHER, "the field 'list' is not a text, a number or a truth value"),
            (
                "vault://old/app/db?version=1#password",
                Fault.OTHER,
                "the mount has no versions: it is KV version 1",
            ),
            *(
                (text, Fault.OTHER, "the mount is not a KV secrets engine")
                # What would hand out the caller's own token, or what only they may see.
                for text in (
                    "vault://auth/token/lookup-self#id",
                    "vault://cubbyhole/a#b",
                    "vault://sys/seal-status#type",
                )
            ),
        ],
    )
    def test_nothing_to_give(self, text: str, fault: Fault, message: str) -> None:
        error = refusal(text)
        assert (error.fault, error.message) == (fault, message)

    def test_a_deleted_and_a_destroyed_version(self, root: RealVault) -> None:
        root.call("POST", "team/kv/data/gone", {"data": {"a": "b"}})
        root.call("POST", "team/kv/data/gone", {"data": {"a": "c"}})
        root.call("DELETE", "team/kv/data/gone")
        root.call("PUT", "team/kv/destroy/gone", {"versions": [1]})
        gone = {text: refusal(text) for text in ("vault://team/kv/gone#a", "vault://team/kv/gone?version=1#a")}
        assert [error.fault for error in gone.values()] == [Fault.NOT_FOUND] * 2
        assert [error.message for error in gone.values()] == [
            "the newest version of the secret is deleted",
            "version 1 of the secret is destroyed",
        ]

    def test_too_much_in_one_secret(self, root: RealVault) -> None:
        root.call("POST", "old/large", {"a": "b" * 200_000, "c": "d" * 100_000})
        assert refusal("vault://old/large#a").message == "the fields of the secret are larger than 256 KiB"


def test_through_the_command(root: RealVault, tmp_path: Path) -> None:
    assert given(tmp_path, "vault://team/kv/app/db?version=1#password") == b"first"
    not_given(tmp_path, "vault://team/kv/app/db#user", Fault.NOT_FOUND)


class TestSigningIn:
    text = "vault://team/kv/app/db#password"

    def test_no_token_at_all(self, there: RealVault) -> None:
        error = refusal(self.text)
        assert (error.fault, error.message) == (Fault.NOT_SIGNED_IN, "neither a token nor a login is configured")

    def test_the_file_of_vault_login(self, there: RealVault, caller: Path) -> None:
        (caller / ".vault-token").write_text(there.token + "\n")
        assert fetch(self.text) == b"second"

    def test_openbao_s_variables_go_first(self, there: RealVault, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VAULT_ADDR", "https://elsewhere.example")
        monkeypatch.setenv("BAO_ADDR", there.address)
        monkeypatch.setenv("VAULT_TOKEN", "another")
        monkeypatch.setenv("BAO_TOKEN", there.token)
        assert fetch(self.text) == b"second"

    def test_a_token_that_may_not(self, there: RealVault, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VAULT_TOKEN", there.new_token('path "team/kv/data/other" { capabilities = ["read"] }'))
        error = refusal(self.text)
        assert (error.fault, error.message) == (Fault.DENIED, "you may not read the secret")
        error = refusal("vault://old/app/db#password")
        assert (error.fault, error.message) == (Fault.DENIED, "the mount does not exist, or you may not read from it")

    def test_a_token_that_is_revoked(self, there: RealVault, monkeypatch: pytest.MonkeyPatch) -> None:
        token = there.new_token('path "team/kv/*" { capabilities = ["read"] }')
        monkeypatch.setenv("VAULT_TOKEN", token)
        source = Vault()
        assert fetch(self.text, source) == b"second"
        there.call("POST", "auth/token/revoke-self", {}, token)
        error = refusal(self.text, source)
        assert (error.fault, error.message) == (
            Fault.NOT_SIGNED_IN,
            "the server refuses the token; it may have expired",
        )

    def test_app_role_once_for_all_threads(self, there: RealVault, monkeypatch: pytest.MonkeyPatch) -> None:
        role_id, secret_id = new_app_role(there, uses=1)
        monkeypatch.setenv("VAULT_ROLE_ID", role_id)
        monkeypatch.setenv("VAULT_SECRET_ID", secret_id)
        source = Vault()
        with ThreadPoolExecutor(20) as threads:
            assert set(threads.map(lambda _: fetch(self.text, source), range(20))) == {b"second"}

    def test_app_role_anew_after_its_token_ended(self, there: RealVault, monkeypatch: pytest.MonkeyPatch) -> None:
        role_id, secret_id = new_app_role(there, uses=2)
        monkeypatch.setenv("VAULT_ROLE_ID", role_id)
        monkeypatch.setenv("VAULT_SECRET_ID", secret_id)
        source = Vault()
        assert fetch(self.text, source) == b"second"
        there.call("PUT", "sys/leases/revoke-prefix/auth/approle", {})
        assert refusal(self.text, source).fault is Fault.NOT_SIGNED_IN
        assert fetch(self.text, source) == b"second"

    def test_a_wrong_secret_id_is_tried_once(self, there: RealVault, monkeypatch: pytest.MonkeyPatch) -> None:
        role_id, secret_id = new_app_role(there, uses=1)
        monkeypatch.setenv("VAULT_ROLE_ID", role_id)
        monkeypatch.setenv("VAULT_SECRET_ID", CANARY)
        source = Vault()
        with ThreadPoolExecutor(20) as threads:
            errors = list(threads.map(lambda _: refusal(self.text, source), range(20)))
        assert {(error.fault, error.message) for error in errors} == {
            (Fault.NOT_SIGNED_IN, "the server refuses the approle login")
        }
        # More than a few would have locked the role out.
        monkeypatch.setenv("VAULT_SECRET_ID", secret_id)
        assert fetch(self.text, source) == b"second"

    def test_jwt(self, there: RealVault, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        signer = Signer()
        there.call("POST", "auth/jwt/config", {"jwt_validation_pubkeys": [signer.public]})
        role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["pprotect"], "token_policies": ["reader"]}
        there.call("POST", "auth/jwt/role/app", role)
        monkeypatch.setenv("VAULT_AUTH_METHOD", "jwt")
        monkeypatch.setenv("VAULT_ROLE", "app")
        monkeypatch.setenv("VAULT_JWT", signer.token(sub="app", aud="pprotect"))
        assert fetch(self.text) == b"second"
        monkeypatch.setenv("VAULT_JWT", Signer().token(sub="app", aud="pprotect"))
        assert refusal(self.text).message == "the server refuses the jwt login"
        monkeypatch.delenv("VAULT_JWT")
        (tmp_path / "token").write_text(signer.token(sub="app", aud="pprotect") + "\n")
        monkeypatch.setenv("VAULT_JWT_FILE", str(tmp_path / "token"))
        assert fetch(self.text) == b"second"

    def test_kubernetes(
        self, there: RealVault, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """The real login of the server; the cluster that it asks about the token is a stand-in."""
        account = {"namespace": "shop", "serviceaccount": {"name": "app", "uid": "1234"}}
        user = {"username": "system:serviceaccount:shop:app", "uid": "1234"}
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}
        good = answer(json.dumps({**review, "status": {"authenticated": True, "user": user}}).encode())
        with Faulty(otherwise=good, tls=authority.issue("127.0.0.1")) as cluster:
            config = {"kubernetes_host": cluster.url, "kubernetes_ca_cert": authority.bundle.read_text()}
            reviewer = {"token_reviewer_jwt": Signer().token(), "disable_local_ca_jwt": True}
            there.call("POST", "auth/kubernetes/config", config | reviewer)
            bound = {"bound_service_account_names": "app", "bound_service_account_namespaces": "shop"}
            there.call("POST", "auth/kubernetes/role/app", {**bound, "token_policies": ["reader"]})
            token = Signer().token(iss="kubernetes/serviceaccount", **{"kubernetes.io": account})
            (tmp_path / "token").write_text(token)
            monkeypatch.setenv("VAULT_AUTH_METHOD", "kubernetes")
            monkeypatch.setenv("VAULT_ROLE", "app")
            monkeypatch.setenv("VAULT_JWT_FILE", str(tmp_path / "token"))
            assert fetch(self.text) == b"second"
            assert [json.loads(request.body)["spec"]["token"] for request in cluster.requests] == [token]
            monkeypatch.setenv("VAULT_ROLE", "other")
            assert refusal(self.text).message == "the server refuses the kubernetes login"


def new_app_role(vault: RealVault, uses: int) -> tuple[str, str]:
    """A role's id, and a secret id that signs in so many times."""
    vault.call("POST", "auth/approle/role/app", {"token_policies": ["reader"], "secret_id_num_uses": uses})
    role = vault.call("GET", "auth/approle/role/app/role-id")["data"]["role_id"]
    return role, vault.call("POST", "auth/approle/role/app/secret-id", {})["data"]["secret_id"]


class TestConnections:
    text = "vault://team/kv/app/db#password"

    def test_nobody_trusts_the_server(self, root: RealVault, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("VAULT_CACERT")
        error = refusal(self.text)
        assert error.fault is Fault.UNREACHABLE
        assert error.message == "no encrypted connection to a server that can be trusted"
        monkeypatch.setenv("VAULT_SKIP_VERIFY", "1")
        error = refusal(self.text)
        assert error.message == "no encrypted connection to a server that can be trusted (VAULT_SKIP_VERIFY is ignored)"

    def test_the_name_is_verified(self, root: RealVault, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VAULT_TLS_SERVER_NAME", "vault.example")
        assert fetch(self.text) == b"second"
        monkeypatch.setenv("VAULT_TLS_SERVER_NAME", "other.example")
        assert refusal(self.text).message == "no encrypted connection to a server that can be trusted"

    @pytest.mark.parametrize("variable", ["VAULT_CAPATH", "VAULT_CACERT_BYTES"])
    def test_other_ways_to_say_whom_to_trust(
        self, variable: str, root: RealVault, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.delenv("VAULT_CACERT")
        folder = tmp_path / "trusted"
        folder.mkdir()
        (folder / "any name").write_bytes(authority.bundle.read_bytes())
        monkeypatch.setenv(variable, str(folder) if variable == "VAULT_CAPATH" else authority.bundle.read_text())
        assert fetch(self.text) == b"second"

    def test_through_a_proxy(self, root: RealVault, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VAULT_ADDR", "https://vault.example:8200")
        with Tunnel({"vault.example:8200": root.port}) as tunnel:
            monkeypatch.setenv("HTTPS_PROXY", tunnel.url)
            assert fetch(self.text) == b"second"
            assert tunnel.asked == ["vault.example:8200"]
            tunnel.targets.clear()
            error = refusal(self.text)
        assert (error.fault, error.message) == (Fault.UNREACHABLE, "the proxy cannot reach the server")

    def test_a_sealed_server(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with RealVault() as vault:
            monkeypatch.setenv("VAULT_ADDR", vault.address)
            monkeypatch.setenv("VAULT_TOKEN", vault.token)
            vault.call("PUT", "sys/seal", {})
            error = refusal(self.text)
        assert (error.fault, error.message) == (Fault.UNREACHABLE, "the server is sealed")

    @pytest.mark.parametrize("address", ["https://127.0.0.1:{}", "http://127.0.0.1:{}"])
    def test_nobody_listens(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        kept, port = closed_port()
        with kept:
            monkeypatch.setenv("VAULT_ADDR", address.format(port))
            monkeypatch.setenv("VAULT_TOKEN", "a")
            error = refusal(self.text)
        assert (error.fault, error.message) == (Fault.UNREACHABLE, "the server cannot be reached")

    def test_a_server_without_tls(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with Faulty() as server:
            monkeypatch.setenv("VAULT_ADDR", server.url.replace("http:", "https:"))
            monkeypatch.setenv("VAULT_TOKEN", "a")
            error = refusal(self.text)
        assert (error.fault, server.requests) == (Fault.UNREACHABLE, [])


MOUNT = "/v1/sys/internal/ui/mounts/kv/a"
SECRET = "/v1/kv/data/a"
LOGIN = "/v1/auth/approle/login"
KV = answer(json.dumps({"data": {"type": "kv", "path": "kv/", "options": {"version": "2"}}}).encode())
LEAK = {"X-Leak": CANARY, "WWW-Authenticate": CANARY}
BODY = json.dumps({"errors": [CANARY], "data": {"data": {"b": CANARY}}}).encode()
NO_JSON = "the server is not a Vault server: its answer is not JSON"
LATE = "the server did not answer in time"
BROKEN = "the connection was lost, or the server does not speak HTTP"
BEHIND = "a server behind this one did not answer"
NOT_KV = "the answer does not have the format of a KV secrets engine"

FAULTS: dict[str, tuple[Behaviour, Fault, str]] = {
    "slow": (slow(), Fault.UNREACHABLE, LATE),
    "trickle": (trickle(BODY, 0.3), Fault.UNREACHABLE, LATE),
    "dead": (dead, Fault.UNREACHABLE, BROKEN),
    "truncated": (truncated(BODY), Fault.UNREACHABLE, "the answer ended too early"),
    "oversized": (
        oversized(50_000_000, b'{"data": "'),
        Fault.OTHER,
        "the answer is far larger than a secret of 256 KiB",
    ),
    "page": (wrong_type(CANARY.encode()), Fault.OTHER, NO_JSON),
    "page of JSON": (wrong_type(BODY), Fault.OTHER, NO_JSON),
    "half of JSON": (answer(BODY[:-1]), Fault.OTHER, NO_JSON),
    "a list": (answer(f'["{CANARY}"]'.encode()), Fault.OTHER, NO_JSON),
    "deep": (answer(b"[" * 200_000), Fault.OTHER, NO_JSON),
    "twice": (answer(b'{"data": {}, "data": {}}'), Fault.OTHER, NO_JSON),
    "another answer": (answer(f'{{"auth": "{CANARY}"}}'.encode()), Fault.OTHER, NOT_KV),
    "403": (status(403, BODY, LEAK), Fault.DENIED, "you may not read the secret"),
    "403, token": (
        status(403, json.dumps({"errors": [f"permission denied\n* invalid token {CANARY}"]}).encode()),
        Fault.NOT_SIGNED_IN,
        "the server refuses the token; it may have expired",
    ),
    "404": (status(404, b'{"errors": []}', LEAK), Fault.NOT_FOUND, "there is no such secret"),
    "404, page": (status(404, BODY, {"Content-Type": "text/html"}), Fault.NOT_FOUND, "there is no such secret"),
    "400": (status(400, BODY, LEAK), Fault.OTHER, "the server refuses the request: status 400"),
    "412": (status(412, BODY, LEAK), Fault.OTHER, "the server refuses the request: status 412"),
    "204": (status(204), Fault.OTHER, "the server refuses the request: status 204"),
    "472": (
        status(472, BODY, LEAK),
        Fault.UNREACHABLE,
        "the server is a disaster recovery secondary and cannot answer",
    ),
    "473": (status(473, BODY, LEAK), Fault.UNREACHABLE, "the server is a performance standby and cannot answer"),
    "500": (status(500, BODY, LEAK), Fault.OTHER, "the server answered with status 500"),
    "501": (status(501, BODY, LEAK), Fault.UNREACHABLE, "the server is not initialized"),
    "502": (status(502, BODY, LEAK), Fault.UNREACHABLE, BEHIND),
    "503": (status(503, BODY, LEAK), Fault.UNREACHABLE, "the server is not available now"),
    "504": (status(504, BODY, LEAK), Fault.UNREACHABLE, f"{BEHIND} in time"),
}


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Faulty]:
    with Faulty({MOUNT: KV}) as server:
        monkeypatch.setenv("VAULT_ADDR", server.url)
        monkeypatch.setenv("VAULT_TOKEN", CANARY)
        yield server


def assert_quiet(error: ProviderError, log: str) -> None:
    """Neither the token nor anything of an answer is in what is told."""
    for text in (str(error), error.hint, repr(error), log, "".join(traceback.format_exception(error))):
        assert CANARY not in text


class TestFaults:
    text = "vault://kv/a#b"

    @pytest.mark.parametrize("name", FAULTS)
    def test_the_secret(self, name: str, faulty: Faulty, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        behaviour, fault, message = FAULTS[name]
        faulty.paths |= {SECRET: behaviour, "/v1/auth/token/lookup-self": answer(BODY)}
        started = time.monotonic()
        error = refusal(self.text, seconds=1.5)
        assert (error.fault, error.message) == (fault, message)
        assert_quiet(error, caplog.text)
        assert time.monotonic() - started < 6

    def test_one_through_the_command(self, faulty: Faulty, tmp_path: Path) -> None:
        faulty.paths |= {SECRET: status(403, BODY, LEAK), "/v1/auth/token/lookup-self": answer(BODY)}
        not_given(tmp_path, self.text, Fault.DENIED)

    @pytest.mark.parametrize("name", ["slow", "dead", "truncated", "oversized", "page", "403, token", "500", "503"])
    def test_the_mount(self, name: str, faulty: Faulty, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        behaviour, fault, message = FAULTS[name]
        faulty.paths[MOUNT] = behaviour
        error = refusal(self.text, seconds=1.5)
        assert (error.fault, error.message) == (fault, message)
        assert_quiet(error, caplog.text)
        assert SECRET not in {request.path for request in faulty.requests}

    @pytest.mark.parametrize("name", ["slow", "dead", "truncated", "oversized", "page", "500", "503"])
    def test_the_login(
        self, name: str, faulty: Faulty, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        caplog.set_level(logging.DEBUG)
        monkeypatch.delenv("VAULT_TOKEN")
        monkeypatch.setenv("VAULT_ROLE_ID", "role")
        monkeypatch.setenv("VAULT_SECRET_ID", CANARY)
        behaviour, fault, message = FAULTS[name]
        faulty.paths[LOGIN] = behaviour
        error = refusal(self.text, seconds=1.5)
        assert (error.fault, error.message) == (fault, message)
        assert_quiet(error, caplog.text)
        assert [request.path for request in faulty.requests] == [LOGIN]

    @pytest.mark.parametrize(
        "body",
        [
            {"auth": None},
            {"auth": {"client_token": ""}},
            {"auth": {"client_token": f"{CANARY}\nX-Other: 1"}},
            {"auth": [1]},
        ],
    )
    def test_a_login_that_gives_no_token(
        self, body: dict[str, object], faulty: Faulty, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("VAULT_TOKEN")
        monkeypatch.setenv("VAULT_ROLE_ID", "role")
        faulty.paths[LOGIN] = answer(json.dumps(body).encode())
        error = refusal(self.text)
        assert (error.fault, error.message) == (Fault.NOT_SIGNED_IN, "the login did not return a token")
        assert_quiet(error, "")

    @pytest.mark.parametrize(("sent", "after"), [("7", 7.0), ("", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)])
    def test_throttling(self, sent: str, after: float | None, faulty: Faulty) -> None:
        faulty.paths[SECRET] = status(429, BODY, {"Retry-After": sent, **LEAK})
        error = refusal(self.text)
        assert isinstance(error, ThrottledError)
        assert error.after == after
        assert_quiet(error, "")

    @pytest.mark.parametrize(
        ("code", "fault", "message"),
        [
            (301, Fault.OTHER, "the server redirects, and redirects are not followed"),
            (302, Fault.OTHER, "the server redirects, and redirects are not followed"),
            (307, Fault.UNREACHABLE, "a standby server redirects to another one, and redirects are not followed"),
            (308, Fault.OTHER, "the server redirects, and redirects are not followed"),
        ],
    )
    @pytest.mark.parametrize("path", [MOUNT, SECRET])
    def test_redirects(self, path: str, code: int, fault: Fault, message: str, faulty: Faulty) -> None:
        with Faulty(otherwise=answer(BODY)) as elsewhere:
            for target in (f"{elsewhere.url}{path}?token={CANARY}", f"{faulty.url}/other"):
                faulty.paths[path] = redirect(target, code, BODY)
                error = refusal(self.text)
                assert (error.fault, error.message) == (fault, message)
                assert_quiet(error, "")
            assert elsewhere.requests == []
        assert "/other" not in {request.path for request in faulty.requests}

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            ({"type": "pki", "path": "kv/"}, "the mount is not a KV secrets engine"),
            ({"type": "kv"}, "the mount is not a KV secrets engine"),
            (None, "the mount is not a KV secrets engine"),
            ({"type": "kv", "path": "../other/"}, "the path does not begin with the mount that the server names"),
            ({"type": "kv", "path": ""}, "the path does not begin with the mount that the server names"),
        ],
    )
    def test_a_mount_that_cannot_be(self, data: object, message: str, faulty: Faulty) -> None:
        faulty.paths[MOUNT] = answer(json.dumps({"data": data}).encode())
        assert refusal(self.text).message == message
        assert [request.path for request in faulty.requests] == [MOUNT]

    def test_a_server_that_knows_no_mounts(self, faulty: Faulty) -> None:
        faulty.paths[MOUNT] = status(404, b'{"errors": []}')
        error = refusal(self.text)
        assert (error.fault, error.message) == (Fault.OTHER, "the server does not answer which mounts it has")

    def test_numbers_and_halves_of_characters(self, faulty: Faulty) -> None:
        faulty.paths[SECRET] = answer(rb'{"data": {"data": {"b": 1.10, "c": "\ud800"}}}')
        assert fetch(self.text) == b"1.10"
        assert refusal("vault://kv/a#c").message == "the text that the fragment names is not valid Unicode"

    def test_an_old_server_does_not_say_what_is_wrong_with_a_token(self, faulty: Faulty) -> None:
        faulty.paths |= {SECRET: status(403, b'{"errors": ["permission denied"]}')}
        for known, fault in ((answer(BODY), Fault.DENIED), (status(403, BODY), Fault.NOT_SIGNED_IN)):
            faulty.paths["/v1/auth/token/lookup-self"] = known
            assert refusal(self.text).fault is fault

    def test_what_is_sent(self, faulty: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VAULT_ADDR", f"{faulty.url}/behind/")
        monkeypatch.setenv("VAULT_NAMESPACE", "org/team")
        # A namespace that only a variable names is in the path of the mount.
        mount = {"data": {"type": "kv", "path": "org/team/kv/", "options": {"version": "2"}}}
        faulty.paths |= {
            f"/behind{MOUNT}": answer(json.dumps(mount).encode()),
            f"/behind{SECRET}": answer(b'{"data": {"data": {"b": "c"}}}'),
        }
        assert fetch("vault://kv/a?version=3#b") == b"c"
        assert [request.path for request in faulty.requests] == [f"/behind{MOUNT}", f"/behind{SECRET}?version=3"]
        for request in faulty.requests:
            assert request.method == "GET"
            assert request.headers["x-vault-token"] == CANARY
            assert request.headers["x-vault-namespace"] == "org/team"
            assert request.headers["x-vault-request"] == "true"
            assert "accept-encoding" not in request.headers or request.headers["accept-encoding"] == "identity"

    def test_a_proxy_is_not_told_of_loopback(self, faulty: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
        faulty.paths[SECRET] = answer(b'{"data": {"data": {"b": "c"}}}')
        with Faulty(otherwise=answer(BODY)) as proxy:
            for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
                monkeypatch.setenv(name, proxy.url)
            assert fetch(self.text) == b"c"
            assert proxy.requests == []

    def test_nothing_waits_for_a_deadline_that_is_over(self, faulty: Faulty) -> None:
        assert refusal(self.text, seconds=-1).message == LATE
        assert faulty.requests == []
