"""A stand-in for Azure, as far as reading a secret goes: its vaults, Microsoft Entra ID, and a managed identity.

It is ours, and no emulator of Microsoft's: it follows the Azure documentation ("Authentication, requests and responses"
of Key Vault, "Get Secret", "Azure Key Vault REST API Error Codes", "Managed identities for App Service", "OAuth 2.0
client credentials flow"), and takes what the official SDK sends. A vault gives nothing without a token that the sign-in
issued for vaults, and names the tenant in its challenge.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from faulty import Behaviour, Exchange, status

TENANT = "11111111-2222-4333-8444-555555555555"
CLIENT = "66666666-7777-4888-9999-000000000000"
ENTRA = "login.microsoftonline.com"

_LIFE_SECONDS = 3600


@dataclass
class Cloud:
    """What there is, and what to do otherwise. Its behaviours are for `Faulty(otherwise=…)`."""

    client_secret: str = field(default_factory=secrets.token_hex)
    identity_header: str = field(default_factory=secrets.token_hex)
    resource: str = "https://vault.azure.net"
    """What a vault says that it wants a token for, and the sign-in gives one for."""
    values: dict[str, dict[str, str | None]] = field(default_factory=dict)
    """By the name of the secret: by version, oldest first."""
    disabled: set[str] = field(default_factory=set)
    """Versions."""
    faults: dict[str, Behaviour] = field(default_factory=dict)
    """By the name of the secret: what is done once the caller has shown a token."""
    tokens: list[str] = field(default_factory=list)
    signing_in: Behaviour | None = None
    """What is done in place of issuing a token."""
    said: str = ""
    """Part of what the sign-in says when it refuses a client secret."""

    def keep(self, name: str, value: str | None) -> str:
        """A new version of a secret; its name."""
        version = secrets.token_hex(16)
        self.values.setdefault(name, {})[version] = value
        return version

    def vault(self, exchange: Exchange) -> None:
        """GET https://VAULT.vault.azure.net/secrets/NAME/[VERSION]"""
        parts = urlsplit(exchange.path)
        if exchange.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            challenge = f'Bearer authorization="https://{ENTRA}/{TENANT}", resource="{self.resource}"'
            _refuse(exchange, 401, "Unauthorized", headers={"WWW-Authenticate": challenge})
            return
        _, kind, name, version = [*parts.path.split("/"), ""][:4]
        if "api-version" not in parse_qs(parts.query) or kind != "secrets":
            _refuse(exchange, 400, "BadParameter")
        elif name in self.faults:
            self.faults[name](exchange)
        elif name not in self.values or (version and version not in self.values[name]):
            _refuse(exchange, 404, "SecretNotFound")
        else:
            version = version or list(self.values[name])[-1]
            if version in self.disabled:
                _refuse(exchange, 403, "Forbidden", inner="SecretDisabled")
                return
            bundle = {
                "value": self.values[name][version],
                "id": f"https://{exchange.headers['Host']}/secrets/{name}/{version}",
                "attributes": {"enabled": True, "created": int(time.time()), "recoveryLevel": "Recoverable"},
            }
            body = json.dumps(bundle).encode()
            exchange.reply(200, body, {"Content-Type": "application/json; charset=utf-8"})

    def managed_identity(self, exchange: Exchange) -> None:
        """GET IDENTITY_ENDPOINT?resource=…&api-version=2019-08-01, with IDENTITY_HEADER."""
        asked = parse_qs(urlsplit(exchange.path).query)
        known = exchange.headers.get("X-IDENTITY-HEADER") == self.identity_header
        if not known or asked.get("resource") != [self.resource]:
            exchange.reply(400, b'{"error": "bad request"}')
        else:
            until = str(int(time.time()) + _LIFE_SECONDS)
            self._sign_in(exchange, {"expires_on": until, "resource": self.resource})

    def entra(self, exchange: Exchange) -> None:
        """What a client looks up of a tenant, and POST https://login.microsoftonline.com/TENANT/oauth2/v2.0/token"""
        path = urlsplit(exchange.path).path
        authority = f"https://{ENTRA}/{TENANT}"
        if path.endswith("/openid-configuration"):
            found = {"issuer": f"{authority}/v2.0", "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize"}
            exchange.reply(200, json.dumps(found | {"token_endpoint": f"{authority}/oauth2/v2.0/token"}).encode())
        elif path == "/common/discovery/instance":
            cloud = {"preferred_network": ENTRA, "preferred_cache": ENTRA, "aliases": [ENTRA]}
            where = f"{authority}/v2.0/.well-known/openid-configuration"
            exchange.reply(200, json.dumps({"tenant_discovery_endpoint": where, "metadata": [cloud]}).encode())
        elif path == f"/{TENANT}/oauth2/v2.0/token":
            form = parse_qs(exchange.request_seen.body.decode())
            known = form.get("client_secret") == [self.client_secret]
            if not known or form.get("scope") != [f"{self.resource}/.default"]:
                said = {
                    "error": "invalid_client",
                    "error_description": f"AADSTS7000215: {self.said}",
                    "error_codes": [],
                }
                exchange.reply(401, json.dumps(said).encode())
            else:
                self._sign_in(exchange, {"expires_in": _LIFE_SECONDS})
        else:
            exchange.reply(404)

    def token(self) -> str:
        """One that the vaults take."""
        self.tokens.append(secrets.token_hex())
        return self.tokens[-1]

    def _sign_in(self, exchange: Exchange, more: dict[str, object]) -> None:
        if self.signing_in:
            self.signing_in(exchange)
        else:
            answer = {"access_token": self.token(), "token_type": "Bearer", **more}
            exchange.reply(200, json.dumps(answer).encode())


def refusal(code: int, inner: str, said: str) -> Behaviour:
    """An error as Key Vault words it, and what it says."""
    error = {"code": "Forbidden", "message": said, "innererror": {"code": inner}}
    return status(code, json.dumps({"error": error}).encode())


def _refuse(
    exchange: Exchange, code: int, name: str, *, inner: str = "", headers: dict[str, str] | None = None
) -> None:
    error: dict[str, object] = {"code": name, "message": f"{name}: {exchange.path}"}
    if inner:
        error["innererror"] = {"code": inner}
    exchange.reply(code, json.dumps({"error": error}).encode(), headers)
