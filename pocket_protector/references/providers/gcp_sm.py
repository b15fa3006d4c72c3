"""`gcp-sm://`: Google Cloud Secret Manager, with its gRPC client and Application Default Credentials.

Names follow the Secret Manager API (v1: "AccessSecretVersion", "CreateSecret", "Secret.version_aliases") and Resource
Manager ("Project.project_id"); the codes are those of gRPC, as Google's API design guide uses them.
"""

from __future__ import annotations

import os
import re
import time
from copy import copy
from threading import Lock
from typing import Any

from pocket_protector.document.reference import Reference
from pocket_protector.errors import Fault, FormatError, ProviderError, ThrottledError
from pocket_protector.plugins.source import FETCH_SECONDS, MAX_FETCHED_BYTES
from pocket_protector.references.json_fragment import json_member
from pocket_protector.references.providers.unlogged import unlogged

_PROJECT = re.compile(r"(?:[a-z0-9][a-z0-9.-]{0,62}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]|[0-9]{1,19}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,255}")
_VERSION = re.compile(r"[1-9][0-9]{0,18}|[A-Za-z][A-Za-z0-9_-]{0,62}")

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
# The room for the rest of an answer: the version's name, a checksum, and the framing of the fields.
_ENVELOPE_BYTES = 4096
_CLIENT = "google.cloud.secretmanager_v1.services.secret_manager_service"
# These log the answer and the caller's sign-in at DEBUG, and the lack of a Google metadata server at WARNING.
_LOGGERS = (
    *(f"{_CLIENT}.client", f"{_CLIENT}.transports.grpc", "google.auth._default", "google.auth.transport.requests"),
    *("google.auth.compute_engine._metadata", "google.auth.transport._http_client"),
)
_SIGN_IN = "run: gcloud auth application-default login; or set GOOGLE_APPLICATION_CREDENTIALS"
# The names of gRPC's codes.
_CODES = {
    "UNAUTHENTICATED": (Fault.NOT_SIGNED_IN, "Google Cloud refuses the credentials", _SIGN_IN),
    "PERMISSION_DENIED": (
        Fault.DENIED,
        "Google Cloud denies access to the secret",
        "grant the caller the role Secret Manager Secret Accessor on the secret, and check the project's name",
    ),
    "NOT_FOUND": (
        Fault.NOT_FOUND,
        "there is no such secret, or no such version of it",
        "list the versions with: gcloud secrets versions list",
    ),
    "FAILED_PRECONDITION": (
        Fault.OTHER,
        "the version cannot be read in its present state",
        "check the state of the version with: gcloud secrets versions list",
    ),
    "UNAVAILABLE": (Fault.UNREACHABLE, "Google Cloud cannot be reached, or is not available", ""),
}


class GcpSecretManager:
    """Fetch a version of a secret in a project.

    The project is an id or a number. The version is a number or an alias of the secret; the default is `latest`.
    """

    form = "gcp-sm://PROJECT/SECRET[/VERSION][#JSON.KEY]"
    local = False

    def __init__(self) -> None:
        self._lock = Lock()
        self._client: Any = None
        self._credentials: Any = None
        self._refused = False
        self._refusal: ProviderError | None = None
        self._refused_at = 0.0

    def check(self, reference: Reference) -> None:
        """Check project, secret and version. Raises FormatError."""
        _resource(reference)

    def fetch(self, reference: Reference, deadline: float) -> bytes:
        """Fetch the payload of the version, and verify its checksum. Raises ProviderError."""
        name = _resource(reference)
        with unlogged(*_LOGGERS):
            try:
                client = self._fresh_client(deadline)
                left = deadline - time.monotonic()
                if left <= 0:
                    raise _timeout_error()
                payload = client.access_secret_version(name=name, retry=None, timeout=left).payload
            except ProviderError:
                raise
            # Any type: an SDK's error may hold the answer, so it must not be in our traceback.
            except Exception as error:
                ours = _sdk_error(error)
            else:
                return _value(payload)
        if ours.fault is Fault.NOT_SIGNED_IN:
            # The next fetch may find other credentials.
            self._refused = True
        raise ours

    def select(self, raw: bytes, fragment: str | None) -> bytes:
        """Select the member of a JSON value that the fragment names."""
        return json_member(raw, fragment)

    def _fresh_client(self, deadline: float) -> Any:
        """Return the client, with a fresh token. Raises ProviderError if there are no credentials.

        gRPC could fetch the token itself, but reports missing credentials as an unavailable service.
        """
        if not self._lock.acquire(timeout=max(deadline - time.monotonic(), 0)):
            raise _timeout_error()
        try:
            # The search for credentials may take seconds if there are none. So one thread searches for all that wait,
            # and the search is repeated only later, when somebody may have signed in.
            if self._refusal and time.monotonic() < self._refused_at + FETCH_SECONDS:
                raise copy(self._refusal)
            ours = self._renew(deadline)
            if ours is None:
                return self._client
            if ours.fault is Fault.NOT_SIGNED_IN:
                self._refusal, self._refused_at = ours, time.monotonic()
            raise copy(ours)
        finally:
            self._lock.release()

    def _renew(self, deadline: float) -> ProviderError | None:
        """Create the client if necessary, and refresh its token. Return the error if that fails."""
        try:
            if self._client is None or self._refused:
                self._client, self._refusal, self._refused = None, None, False
                self._client, self._credentials = _new_client()
            _refresh(self._credentials, deadline)
        except ProviderError as error:
            return error
        except Exception as error:
            self._client = None
            return _sdk_error(error)
        return None


def _new_client() -> tuple[Any, Any]:
    """Return a new client and its credentials."""
    try:
        import google.auth
        from google.cloud.secretmanager_v1 import SecretManagerServiceClient
        from google.cloud.secretmanager_v1.services.secret_manager_service import transports
    except ImportError:
        raise ProviderError(
            Fault.OTHER,
            "references to Google Cloud Secret Manager need an extra of pprotect that is not installed",
            hint="pip install 'pprotect[gcp]'",
        ) from None

    def channel(host: str, **settings: Any) -> Any:
        settings["options"] = [
            ("grpc.max_receive_message_length", MAX_FETCHED_BYTES + _ENVELOPE_BYTES),
            ("grpc.enable_retries", 0),
            ("grpc.max_reconnect_backoff_ms", 5000),
            *_proxy(host),
        ]
        return transports.SecretManagerServiceGrpcTransport.create_channel(host, **settings)

    def transport(**settings: Any) -> Any:
        return transports.SecretManagerServiceGrpcTransport(channel=channel, **settings)

    credentials, _ = google.auth.default(default_scopes=[_SCOPE])
    return SecretManagerServiceClient(credentials=credentials, transport=transport), credentials


def _proxy(host: str) -> list[tuple[str, str]]:
    """Return the option for a proxy from HTTPS_PROXY, because gRPC reads only the variables in lower case."""
    from urllib.request import getproxies_environment, proxy_bypass

    proxy = getproxies_environment().get("https")
    grpc_finds_one = any(map(os.environ.get, ("grpc_proxy", "https_proxy", "http_proxy")))
    return [("grpc.http_proxy", proxy)] if proxy and not grpc_finds_one and not proxy_bypass(host) else []


def _refresh(credentials: Any, deadline: float) -> None:
    from google.oauth2.service_account import Credentials
    from requests import Session

    # A service account signs its own tokens, without a request.
    if isinstance(credentials, Credentials) or credentials.valid:
        return
    with Session() as session:
        session.max_redirects = 0
        credentials.refresh(_Bounded(session, deadline))


class _Bounded:
    """A `google.auth.transport.Request` that respects the deadline; google-auth's own waits for two minutes."""

    def __init__(self, session: Any, deadline: float) -> None:
        from google.auth.transport.requests import Request

        self.session = session
        self._deadline = deadline
        self._request: Any = Request(session)

    def __call__(self, *args: Any, timeout: float | None = None, **settings: Any) -> Any:
        left = max(self._deadline - time.monotonic(), 0.1)
        return self._request(*args, timeout=min(timeout or left, left), **settings)


def _resource(reference: Reference) -> str:
    project, *others = reference.segments
    secret, version = (*others, "latest")[:2] if others else ("", "")
    has_parts = len(others) in (1, 2) and _PROJECT.fullmatch(project)
    if not has_parts or not _SECRET.fullmatch(secret) or not _VERSION.fullmatch(version):
        raise FormatError(
            "this is not a valid project, secret and version", hint=f"use the form {GcpSecretManager.form}"
        )
    if reference.query:
        raise FormatError("a reference to Google Cloud has no query", hint=f"use the form {GcpSecretManager.form}")
    return f"projects/{project}/secrets/{secret}/versions/{version}"


def _value(payload: Any) -> bytes:
    data = bytes(payload.data)
    if len(data) > MAX_FETCHED_BYTES:
        raise _too_large()
    if "data_crc32c" in payload and payload.data_crc32c != _crc32c(data):
        raise ProviderError(Fault.OTHER, "the checksum of the value does not match")
    return data


def _crc32c(data: bytes) -> int:
    """Return the CRC-32C (RFC 3720, appendix B.4) of the data; the standard library does not have it."""
    remainder = 0xFFFFFFFF
    for byte in data:
        remainder = _CRC_TABLE[(remainder ^ byte) & 0xFF] ^ (remainder >> 8)
    return remainder ^ 0xFFFFFFFF


def _crc_of_byte(remainder: int) -> int:
    for _ in range(8):
        remainder = (remainder >> 1) ^ (0x82F63B78 if remainder & 1 else 0)
    return remainder


_CRC_TABLE = tuple(map(_crc_of_byte, range(256)))


def _timeout_error() -> ProviderError:
    return ProviderError(Fault.UNREACHABLE, "Google Cloud did not answer in time")


def _too_large() -> ProviderError:
    return ProviderError(Fault.OTHER, f"the value is larger than {MAX_FETCHED_BYTES // 1024} KiB")


def _sdk_error(error: Exception) -> ProviderError:
    """Return our error for one of the SDK, whose text may quote an answer."""
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError, TransportError

    if isinstance(error, GoogleAPICallError):
        return _answer_error(error)
    # A retryable error means that the service is in trouble; the SDK has retried already.
    if isinstance(error, TransportError) or (isinstance(error, GoogleAuthError) and error.retryable):
        return ProviderError(Fault.UNREACHABLE, "the sign-in service of Google Cloud cannot be reached")
    if isinstance(error, GoogleAuthError):
        message = "the Google Cloud SDK finds no valid credentials"
        return ProviderError(Fault.NOT_SIGNED_IN, message, hint=_SIGN_IN)
    return ProviderError(Fault.OTHER, f"the Google Cloud SDK gave up ({type(error).__name__})")


def _answer_error(error: Any) -> ProviderError:
    """Return our error for a `GoogleAPICallError`, from the service or from gRPC."""
    code = error.grpc_status_code.name if error.grpc_status_code else "UNKNOWN"
    if code == "DEADLINE_EXCEEDED":
        return _timeout_error()
    if code == "RESOURCE_EXHAUSTED":
        # gRPC uses this code for an answer over the size limit too.
        return _too_large() if "larger than max" in str(error.message) else _throttled(error)
    fault, message, hint = _CODES.get(code) or (Fault.OTHER, "Google Cloud answered with an error", "")
    return ProviderError(fault, f"{message} ({code})", hint=hint)


def _throttled(error: Any) -> ThrottledError:
    delays = [detail.retry_delay for detail in error.details if type(detail).__name__ == "RetryInfo"]
    after = delays[0].seconds + delays[0].nanos / 1e9 if delays else None
    return ThrottledError("Google Cloud asks for fewer requests (RESOURCE_EXHAUSTED)", after=after)
