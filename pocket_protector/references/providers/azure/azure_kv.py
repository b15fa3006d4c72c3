"""`azure-kv://`: Azure Key Vault, through its SDK and whatever azure-identity finds to sign in with.

Names are those of the Azure documentation, "About keys, secrets, and certificates"; the request is "Get Secret" of its
REST API.
"""

from __future__ import annotations

import json
import os
import re
import time
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from pocket_protector.document.reference import Reference
from pocket_protector.errors import Fault, FormatError, ProviderError
from pocket_protector.plugins.source import MAX_FETCHED_BYTES, MOST_THREADS
from pocket_protector.references.json_fragment import json_member
from pocket_protector.references.providers.azure.azure_errors import (
    NOT_AN_ANSWER,
    answered_error,
    provider_error,
    sorted_error,
)
from pocket_protector.references.providers.azure.azure_sign_in import DEADLINE, AzureSignIn
from pocket_protector.references.providers.unlogged import unlogged

# 3 to 24 characters: a letter first, no hyphen last and no two of them in a row.
_VAULT = r"(?!.*--)[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]"
_SECRET = r"[A-Za-z0-9-]{1,127}"  # noqa: S105
_VERSION = r"[A-Za-z0-9]{32}"

# What azure-identity takes for AZURE_AUTHORITY_HOST, and where the vaults of that cloud are.
_PUBLIC = "login.microsoftonline.com"
_SUFFIXES = {
    _PUBLIC: "vault.azure.net",
    "login.microsoft.com": "vault.azure.net",
    "login.windows.net": "vault.azure.net",
    "login.chinacloudapi.cn": "vault.azure.cn",
    "login.partner.microsoftonline.cn": "vault.azure.cn",
    "login.microsoftonline.us": "vault.usgovcloudapi.net",
    "login.usgovcloudapi.net": "vault.usgovcloudapi.net",
    "login.sovcloud-identity.fr": "vault.sovcloud-api.fr",
    "login.sovcloud-identity.de": "vault.sovcloud-api.de",
}

_CONNECT_SECONDS = 5
# A value in JSON may take six characters for each of its own, and its attributes and tags stand beside it.
_MOST_READ = 6 * MAX_FETCHED_BYTES + 64 * 1024
# When signing in fails, each quotes what was answered, one of them at ERROR; that may be half of a token.
_LOGGERS = (
    "azure.identity._credentials.chained",
    "azure.identity._internal.decorators",
    "azure.identity._internal.get_token_mixin",
    "azure.identity._internal.interactive",
    "azure.identity._internal.msal_managed_identity_client",
    "msal.application",
    "msal.cloudshell",
    "msal.managed_identity",
    "msal.oauth2cli.oauth2",
)


class AzureKeyVault:
    """A secret by the name of its vault and its own, in the cloud that AZURE_AUTHORITY_HOST names: the latest version,
    or the one that the reference names."""

    form = "azure-kv://VAULT/SECRET[/VERSION][#JSON.KEY]"
    local = False

    def __init__(self) -> None:
        self._lock = Lock()
        self._sign_in = AzureSignIn()
        self._transport: Any = None

    def check(self, reference: Reference) -> None:
        _parse(reference)

    def fetch(self, reference: Reference, deadline: float) -> bytes:
        vault, path = _parse(reference)
        host = f"{vault.lower()}.{_suffix()}"
        token = DEADLINE.set(deadline)
        try:
            with unlogged(*_LOGGERS):
                status, headers, body = _exchange(self._client(host), path, deadline)
        except ProviderError:
            raise
        # Any type: an SDK's error may hold the answer, and no traceback of ours shall lead to it.
        except Exception as error:
            ours = sorted_error(error)
        else:
            return _value(status, headers, body)
        finally:
            DEADLINE.reset(token)
        raise ours

    def select(self, raw: bytes, fragment: str | None) -> bytes:
        return json_member(raw, fragment)

    def _client(self, host: str) -> Any:
        """A client of its own for each fetch: they share connections, tokens, and what vaults asked for. One that is
        shared forgets its token in one thread when another needs it: the SDK's policy does that whenever a vault
        answers 401, which each does at first."""
        with self._lock:
            if self._transport is None:
                self._transport = _new_transport()
        from azure.keyvault.secrets import SecretClient

        # It gives tokens in one of the two ways that the SDK knows; the types ask for the other.
        sign_in: Any = self._sign_in
        return SecretClient(
            f"https://{host}",
            sign_in,
            transport=self._transport,
            retry_total=0,
            permit_redirects=False,
            verify_challenge_resource=True,
        )


def _new_transport() -> Any:
    try:
        import azure.identity
        import azure.keyvault.secrets  # noqa: F401
        from azure.core.pipeline.transport import RequestsTransport
        from requests import Session
        from requests.adapters import HTTPAdapter
    except ImportError:
        raise ProviderError(
            Fault.OTHER,
            "references to Azure Key Vault need an extra of pprotect that is not installed",
            hint="pip install 'pprotect[azure]'",
        ) from None
    session = Session()
    session.mount("https://", HTTPAdapter(pool_maxsize=MOST_THREADS))
    # Otherwise an entry of ~/.netrc would take the place of the token.
    session.auth = lambda request: request
    return RequestsTransport(session=session)


def _exchange(client: Any, path: str, deadline: float) -> tuple[int, Any, bytes]:
    """Status, headers and body, cut off after `_MOST_READ`. As `SecretClient.get_secret`, which would read whatever
    comes."""
    from azure.core.rest import HttpRequest

    left = deadline - time.monotonic()
    if left <= 0:
        raise _late()
    request = HttpRequest("GET", path, headers={"Accept": "application/json", "Accept-Encoding": "identity"})
    answer = client.send_request(
        request, stream=True, connection_timeout=min(left, _CONNECT_SECONDS), read_timeout=left
    )
    body = bytearray()
    try:
        for part in answer.iter_bytes():
            body += part
            if len(body) > _MOST_READ:
                raise _too_large()
            if time.monotonic() > deadline:
                raise _late()
    finally:
        answer.close()
    return answer.status_code, answer.headers, bytes(body)


def _value(status: int, headers: Any, body: bytes) -> bytes:
    if status != 200:
        raise answered_error(status, headers, body)
    found: Any = None
    if (headers.get("Content-Type") or "").partition(";")[0].strip().lower() == "application/json":
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = None
    if not isinstance(found, dict) or "value" not in found:
        raise provider_error(NOT_AN_ANSWER)
    if not isinstance(found["value"], str):
        raise ProviderError(Fault.OTHER, "the secret has no value")
    try:
        raw = found["value"].encode()
    except UnicodeEncodeError:
        raise ProviderError(Fault.OTHER, "what is kept there is not valid text") from None
    if len(raw) > MAX_FETCHED_BYTES:
        raise _too_large()
    return raw


def _parse(reference: Reference) -> tuple[str, str]:
    """The name of the vault, and the path of the request."""
    vault, *names = reference.segments
    if not re.fullmatch(_VAULT, vault):
        raise _form_error("a vault has a name of 3 to 24 letters, digits and single hyphens")
    if reference.query:
        raise _form_error("it has no query")
    if len(names) not in (1, 2) or not re.fullmatch(_SECRET, names[0]):
        raise _form_error("after the vault comes the name of a secret: 1 to 127 letters, digits and hyphens")
    if len(names) == 2 and not re.fullmatch(_VERSION, names[1]):
        raise _form_error("a version is 32 letters and digits")
    return vault, f"/secrets/{names[0]}/{names[1] if names[1:] else ''}"


def _suffix() -> str:
    authority = os.environ.get("AZURE_AUTHORITY_HOST") or _PUBLIC
    host = urlsplit(authority if "://" in authority else f"https://{authority}").hostname
    if host not in _SUFFIXES:
        raise ProviderError(
            Fault.OTHER,
            "AZURE_AUTHORITY_HOST names no cloud whose vaults are known here",
            hint=f"known are {', '.join(_SUFFIXES)}",
        )
    return _SUFFIXES[host]


def _form_error(message: str) -> FormatError:
    return FormatError(message, hint=f"it looks like {AzureKeyVault.form}")


def _late() -> ProviderError:
    return ProviderError(Fault.UNREACHABLE, "the vault did not answer in time")


def _too_large() -> ProviderError:
    return ProviderError(Fault.OTHER, f"what is kept there is larger than {MAX_FETCHED_BYTES // 1024} KiB")
