"""`azure-kv://`: Azure Key Vault, with its SDK and the credentials that azure-identity finds.

Names follow the Azure documentation, "About keys, secrets, and certificates"; the request is "Get Secret" of its
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
    answer_error,
    provider_error,
    sdk_error,
)
from pocket_protector.references.providers.azure.azure_sign_in import DEADLINE, AzureSignIn
from pocket_protector.references.providers.unlogged import unlogged

# 3 to 24 characters: the first is a letter, the last is not a hyphen, and hyphens are single.
_VAULT = r"(?!.*--)[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]"
_SECRET = r"[A-Za-z0-9-]{1,127}"  # noqa: S105
_VERSION = r"[A-Za-z0-9]{32}"

# Values of AZURE_AUTHORITY_HOST for azure-identity → the domain of that cloud's vaults.
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
# JSON may escape each character as six; the rest is room for attributes and tags.
_MOST_READ = 6 * MAX_FETCHED_BYTES + 64 * 1024
# After a failed sign-in these quote the answer, one of them at ERROR; it may contain half of a token.
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
    """Fetch a secret by the names of its vault and of the secret, in the cloud of AZURE_AUTHORITY_HOST.

    Without a version in the reference it is the latest.
    """

    form = "azure-kv://VAULT/SECRET[/VERSION][#JSON.KEY]"
    local = False

    def __init__(self) -> None:
        self._lock = Lock()
        self._sign_in = AzureSignIn()
        self._transport: Any = None

    def check(self, reference: Reference) -> None:
        """Check vault, secret and version. Raises FormatError."""
        _parse(reference)

    def fetch(self, reference: Reference, deadline: float) -> bytes:
        """Fetch the secret's value as UTF-8. Raises ProviderError."""
        vault, path = _parse(reference)
        host = f"{vault.lower()}.{_suffix()}"
        token = DEADLINE.set(deadline)
        try:
            with unlogged(*_LOGGERS):
                status, headers, body = _exchange(self._client(host), path, deadline)
        except ProviderError:
            raise
        # Any type: an SDK's error may hold the answer, so it must not be in our traceback.
        except Exception as error:
            ours = sdk_error(error)
        else:
            return _value(status, headers, body)
        finally:
            DEADLINE.reset(token)
        raise ours

    def select(self, raw: bytes, fragment: str | None) -> bytes:
        """Select the member of a JSON value that the fragment names."""
        return json_member(raw, fragment)

    def _client(self, host: str) -> Any:
        """Return a new client for one fetch. Clients share connections, tokens and the challenges of vaults.

        A client shared by threads would lose its token: the SDK's policy drops it at each 401, and every vault answers
        401 at first.
        """
        with self._lock:
            if self._transport is None:
                self._transport = _new_transport()
        from azure.keyvault.secrets import SecretClient

        # It implements one of the SDK's two token protocols, and the types of the SDK require the other.
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
    # Without this, an entry of ~/.netrc would replace the token.
    session.auth = lambda request: request
    return RequestsTransport(session=session)


def _exchange(client: Any, path: str, deadline: float) -> tuple[int, Any, bytes]:
    """Send "Get Secret", and return status, headers and body. Raises ProviderError for too long a body.

    `SecretClient.get_secret` would read a body of any length.
    """
    from azure.core.rest import HttpRequest

    left = deadline - time.monotonic()
    if left <= 0:
        raise _timeout_error()
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
                raise _timeout_error()
    finally:
        answer.close()
    return answer.status_code, answer.headers, bytes(body)


def _value(status: int, headers: Any, body: bytes) -> bytes:
    if status != 200:
        raise answer_error(status, headers, body)
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
        raise ProviderError(Fault.OTHER, "the value is not valid Unicode text") from None
    if len(raw) > MAX_FETCHED_BYTES:
        raise _too_large()
    return raw


def _parse(reference: Reference) -> tuple[str, str]:
    """Return the name of the vault and the path of the request. Raises FormatError."""
    vault, *names = reference.segments
    if not re.fullmatch(_VAULT, vault):
        raise _form_error("the name of a vault must have 3 to 24 letters, digits and single hyphens")
    if reference.query:
        raise _form_error("a reference to Azure Key Vault has no query")
    if len(names) not in (1, 2) or not re.fullmatch(_SECRET, names[0]):
        raise _form_error("the name of a secret, 1 to 127 letters, digits and hyphens, must follow the vault")
    if len(names) == 2 and not re.fullmatch(_VERSION, names[1]):
        raise _form_error("a version must have 32 letters and digits")
    return vault, f"/secrets/{names[0]}/{names[1] if names[1:] else ''}"


def _suffix() -> str:
    authority = os.environ.get("AZURE_AUTHORITY_HOST") or _PUBLIC
    host = urlsplit(authority if "://" in authority else f"https://{authority}").hostname
    if host not in _SUFFIXES:
        raise ProviderError(
            Fault.OTHER,
            "AZURE_AUTHORITY_HOST does not name a known cloud",
            hint=f"use one of {', '.join(_SUFFIXES)}",
        )
    return _SUFFIXES[host]


def _form_error(message: str) -> FormatError:
    return FormatError(message, hint=f"use the form {AzureKeyVault.form}")


def _timeout_error() -> ProviderError:
    return ProviderError(Fault.UNREACHABLE, "the vault did not answer in time")


def _too_large() -> ProviderError:
    return ProviderError(Fault.OTHER, f"the value is larger than {MAX_FETCHED_BYTES // 1024} KiB")
