"""Send requests to a Vault or OpenBao server within the limits of a fetch, and interpret its answers.

Only this module imports urllib3. hvac, Vault's Python client, puts whole answers into its errors, ignores Retry-After,
follows redirects, and reads a body of any length; the rest of hvac is not needed here.

The meanings of a status are in Vault's documentation, "HTTP API", "HTTP status codes", and `sys/health`.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pocket_protector.errors import Fault, ProviderError, ThrottledError
from pocket_protector.plugins.source import MAX_FETCHED_BYTES, MOST_THREADS
from pocket_protector.references.json_fragment import parse_json
from pocket_protector.references.providers.vault.vault_settings import Settings, variable
from pocket_protector.references.providers.vault.vault_tls import tls_context

_CHUNK = 64 * 1024
# The room for metadata, at most 64 keys of 128 with values of 512 bytes, and for `<`, which JSON escapes as six.
_MAX_BODY_BYTES = 2 * MAX_FETCHED_BYTES
_LATE = "the server did not answer in time"
_STATUSES = {
    472: "the server is a disaster recovery secondary and cannot answer",
    473: "the server is a performance standby and cannot answer",
    501: "the server is not initialized",
    502: "a server behind this one did not answer",
    504: "a server behind this one did not answer in time",
}


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """An answer with status 200, 204 or 4xx. `fields` are those of its JSON object, or empty if it is not one."""

    status: int
    fields: dict[str, Any]

    def says(self, words: str) -> bool:
        """Return whether one of the server's errors contains these words. The errors themselves are never shown."""
        errors = self.fields.get("errors")
        return isinstance(errors, list) and any(words in error for error in errors if isinstance(error, str))


class Server:
    """A server, and the connections to it. Threads share them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool = _pool(settings)

    def ask(
        self,
        path: list[str],
        deadline: float,
        *,
        token: str = "",
        query: str = "",
        body: dict[str, str] | None = None,
    ) -> Answer:
        """Send one GET, or a POST if there is a body, below `/v1/`, and return the answer.

        The segments of `path` are not percent-encoded. Raises ProviderError if there is no answer within the deadline,
        for an outage and a redirect, and for an answer that is not from Vault.
        """
        from urllib3.exceptions import HTTPError
        from urllib3.util import Timeout

        left = deadline - time.monotonic()
        if left <= 0:
            raise _timeout_error()
        headers = {"Accept": "application/json", "X-Vault-Request": "true"}
        headers |= {"X-Vault-Token": token} if token else {}
        headers |= {"X-Vault-Namespace": self._settings.namespace} if self._settings.namespace else {}
        try:
            response = self._pool.urlopen(
                "GET" if body is None else "POST",
                f"{self._settings.prefix}/v1/{'/'.join(quote(segment, safe='') for segment in path)}{query}",
                body=None if body is None else json.dumps(body).encode(),
                headers=headers,
                timeout=Timeout(connect=left, read=left),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            try:
                return _answer(response, deadline)
            finally:
                # A connection with an unread answer cannot be reused.
                response.close()
        except (HTTPError, ValueError) as error:
            ours = _unreachable(error)
        # Raised outside of the handler: urllib3's error names the address, and its cause could hold more.
        raise ours


def _answer(response: Any, deadline: float) -> Answer:
    status = response.status
    if 300 <= status < 400:
        raise _redirected(status)
    if status == 429:
        after = response.headers.get("Retry-After", "")
        raise ThrottledError(
            "the server refuses more requests for now",
            after=float(after) if re.fullmatch("[0-9]{1,5}", after) else None,
        )
    if status in _STATUSES:
        raise ProviderError(Fault.UNREACHABLE, _STATUSES[status])
    text = _body(response, deadline)
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    answer = Answer(status, _json_fields(text) if kind == "application/json" else {})
    if status == 503:
        sealed = answer.says("sealed")
        raise ProviderError(Fault.UNREACHABLE, "the server is sealed" if sealed else "the server is not available now")
    if status not in (200, 204) and not 400 <= status < 500:
        raise ProviderError(Fault.OTHER, f"the server answered with status {status}")
    if status == 200 and not answer.fields:
        raise ProviderError(
            Fault.OTHER, "the server is not a Vault server: its answer is not JSON", hint="check VAULT_ADDR"
        )
    return answer


def _body(response: Any, deadline: float) -> bytes:
    parts, size = [], 0
    while part := response.read1(_CHUNK):
        size += len(part)
        if size > _MAX_BODY_BYTES:
            limit = f"{MAX_FETCHED_BYTES // 1024} KiB"
            raise ProviderError(Fault.OTHER, f"the answer is far larger than a secret of {limit}")
        if time.monotonic() > deadline:
            raise _timeout_error()
        parts.append(part)
    return b"".join(parts)


def _json_fields(text: bytes) -> dict[str, Any]:
    try:
        found = parse_json(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _pool(settings: Settings) -> Any:
    try:
        import urllib3
    except ImportError:
        raise ProviderError(
            Fault.OTHER,
            "references to Vault need an extra of pprotect that is not installed",
            hint="pip install 'pprotect[vault]'",
        ) from None
    if not settings.secure:
        return urllib3.HTTPConnectionPool(settings.host, settings.port, maxsize=MOST_THREADS)
    options: dict[str, Any] = {
        "maxsize": MOST_THREADS,
        "ssl_context": tls_context(settings.authority, settings.certificate),
        **({"server_hostname": settings.server_name} if settings.server_name else {}),
    }
    if not settings.proxy:
        return urllib3.HTTPSConnectionPool(settings.host, settings.port, **options)
    try:
        user = urllib3.util.parse_url(settings.proxy).auth
        headers = urllib3.make_headers(proxy_basic_auth=user) if user else None
        manager = urllib3.ProxyManager(settings.proxy, proxy_headers=headers, **options)
        return manager.connection_from_host(settings.host, settings.port, "https")
    except (urllib3.exceptions.HTTPError, ValueError):
        raise ProviderError(Fault.OTHER, "HTTPS_PROXY is not a valid proxy") from None


def _unreachable(error: Exception) -> ProviderError:
    from urllib3 import exceptions

    if isinstance(error, exceptions.SSLError):
        return _untrusted()
    # The order matters: in urllib3 a refused connection is a kind of time-out.
    for kind, message, hint in (
        (exceptions.ProxyError, "the proxy cannot reach the server", "check HTTPS_PROXY and NO_PROXY"),
        (exceptions.NameResolutionError, "the name of the server is not known", "check VAULT_ADDR"),
        (exceptions.NewConnectionError, "the server cannot be reached", "check VAULT_ADDR"),
        (exceptions.TimeoutError, _LATE, ""),
    ):
        if isinstance(error, kind):
            return ProviderError(Fault.UNREACHABLE, message, hint=hint)
    if error.args and isinstance(error.args[-1], exceptions.IncompleteRead):
        return ProviderError(Fault.UNREACHABLE, "the answer ended too early")
    message = "the connection was lost, or the server does not speak HTTP"
    return ProviderError(Fault.UNREACHABLE, message, hint="check VAULT_ADDR")


def _untrusted() -> ProviderError:
    ignored = " (VAULT_SKIP_VERIFY is ignored)" if variable("SKIP_VERIFY") else ""
    return ProviderError(
        Fault.UNREACHABLE,
        f"no encrypted connection to a server that can be trusted{ignored}",
        hint="set VAULT_CACERT to the file of its certificate authority, and VAULT_TLS_SERVER_NAME if its name differs",
    )


def _redirected(status: int) -> ProviderError:
    if status == 307:
        return ProviderError(
            Fault.UNREACHABLE,
            "a standby server redirects to another one, and redirects are not followed",
            hint="set VAULT_ADDR to the active server, or to the load balancer",
        )
    return ProviderError(Fault.OTHER, "the server redirects, and redirects are not followed", hint="check VAULT_ADDR")


def _timeout_error() -> ProviderError:
    return ProviderError(Fault.UNREACHABLE, _LATE)
