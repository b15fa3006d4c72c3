"""`gcp-sm://`: Google Cloud Secret Manager, through its client over gRPC, and Application Default Credentials.

Names are those of the Secret Manager API (v1: "AccessSecretVersion", "CreateSecret", "Secret.version_aliases") and of
Resource Manager ("Project.project_id"); the codes are gRPC's, as Google's API design guide uses them.
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
# What stands around the value in an answer: its version's name, a checksum, and the fields' own bytes.
_ENVELOPE_BYTES = 4096
_CLIENT = "google.cloud.secretmanager_v1.services.secret_manager_service"
# At DEBUG the answer, and how the caller signs in; at WARNING, that a laptop is no machine of Google's.
_LOGGERS = (
    *(f"{_CLIENT}.client", f"{_CLIENT}.transports.grpc", "google.auth._default", "google.auth.transport.requests"),
    *("google.auth.compute_engine._metadata", "google.auth.transport._http_client"),
)
_SIGN_IN = "gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS"
# By the names of gRPC's codes.
_CODES = {
    "UNAUTHENTICATED": (Fault.NOT_SIGNED_IN, "Google Cloud does not take the credentials", _SIGN_IN),
    "PERMISSION_DENIED": (
        Fault.DENIED,
        "Google Cloud does not allow it",
        "the caller needs the role Secret Manager Secret Accessor for the secret; see the project's name, too",
    ),
    "NOT_FOUND": (
        Fault.NOT_FOUND,
        "there is no such secret, or no such version of it",
        "gcloud secrets versions list shows the versions of a secret",
    ),
    "FAILED_PRECONDITION": (
        Fault.OTHER,
        "the version cannot be read as it is now",
        "gcloud secrets versions list shows whether it is disabled or destroyed",
    ),
    "UNAVAILABLE": (Fault.UNREACHABLE, "Google Cloud cannot be reached, or is not available", ""),
}


class GcpSecretManager:
    """A version of a secret in a project, which is given by its id or number. Without a version it is `latest`; an
    alias that the secret has is a version too."""

    form = "gcp-sm://PROJECT/SECRET[/VERSION][#JSON.KEY]"
    local = False

    def __init__(self) -> None:
        self._lock = Lock()
        self._client: Any = None
        self._credentials: Any = None
        self._refused = False
        self._refusal: ProviderError | None = None
        self._made = 0.0

    def check(self, reference: Reference) -> None:
        _resource(reference)

    def fetch(self, reference: Reference, deadline: float) -> bytes:
        name = _resource(reference)
        with unlogged(*_LOGGERS):
            try:
                client = self._signed_in(deadline)
                left = deadline - time.monotonic()
                if left <= 0:
                    raise _late()
                payload = client.access_secret_version(name=name, retry=None, timeout=left).payload
            except ProviderError:
                raise
            # Any type: an SDK's error may hold the answer, and no traceback of ours shall lead to it.
            except Exception as error:
                ours = _sorted(error)
            else:
                return _value(payload)
        if ours.fault is Fault.NOT_SIGNED_IN:
            # Other credentials may be there the next time.
            self._refused = True
        raise ours

    def select(self, raw: bytes, fragment: str | None) -> bytes:
        return json_member(raw, fragment)

    def _signed_in(self, deadline: float) -> Any:
        """The client, with credentials that are fresh: where gRPC itself asks for some, it only says that the service
        is unavailable if there are none."""
        if not self._lock.acquire(timeout=max(deadline - time.monotonic(), 0)):
            raise _late()
        try:
            # Looking for credentials may take seconds where there are none: that is done once for all threads that
            # wait, and again only later, since somebody may have signed in meanwhile.
            if self._refusal and time.monotonic() < self._made + FETCH_SECONDS:
                raise copy(self._refusal)
            ours = self._renewed(deadline)
            if ours is None:
                return self._client
            if ours.fault is Fault.NOT_SIGNED_IN:
                self._refusal, self._made = ours, time.monotonic()
            raise copy(ours)
        finally:
            self._lock.release()

    def _renewed(self, deadline: float) -> ProviderError | None:
        """What keeps the client, made if need be, from having a fresh token."""
        try:
            if self._client is None or self._refused:
                self._client, self._refusal, self._refused = None, None, False
                self._client, self._credentials = _new_client()
            _refresh(self._credentials, deadline)
        except ProviderError as error:
            return error
        except Exception as error:
            self._client = None
            return _sorted(error)
        return None


def _new_client() -> tuple[Any, Any]:
    """A client, and the credentials that it uses."""
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
    """The proxy that gRPC would not find: it reads variables in lower case only, where others know HTTPS_PROXY too."""
    from urllib.request import getproxies_environment, proxy_bypass

    proxy = getproxies_environment().get("https")
    its_own = any(map(os.environ.get, ("grpc_proxy", "https_proxy", "http_proxy")))
    return [("grpc.http_proxy", proxy)] if proxy and not its_own and not proxy_bypass(host) else []


def _refresh(credentials: Any, deadline: float) -> None:
    from google.oauth2.service_account import Credentials
    from requests import Session

    # A service account signs its own tokens, without asking anybody.
    if isinstance(credentials, Credentials) or credentials.valid:
        return
    with Session() as session:
        session.max_redirects = 0
        credentials.refresh(_Bounded(session, deadline))


class _Bounded:
    """A `google.auth.transport.Request` that ends about with the deadline, where google-auth's waits two minutes."""

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
    fitting = len(others) in (1, 2) and _PROJECT.fullmatch(project)
    if not fitting or not _SECRET.fullmatch(secret) or not _VERSION.fullmatch(version):
        raise FormatError("this is no project, secret and version", hint=f"it looks like {GcpSecretManager.form}")
    if reference.query:
        raise FormatError("it has no query", hint=f"it looks like {GcpSecretManager.form}")
    return f"projects/{project}/secrets/{secret}/versions/{version}"


def _value(payload: Any) -> bytes:
    data = bytes(payload.data)
    if len(data) > MAX_FETCHED_BYTES:
        raise _too_large()
    if "data_crc32c" in payload and payload.data_crc32c != _crc32c(data):
        raise ProviderError(Fault.OTHER, "what came is not what is kept there: its checksum differs")
    return data


def _crc32c(data: bytes) -> int:
    """CRC-32C (RFC 3720, appendix B.4), which the standard library lacks."""
    remainder = 0xFFFFFFFF
    for byte in data:
        remainder = _CRC_TABLE[(remainder ^ byte) & 0xFF] ^ (remainder >> 8)
    return remainder ^ 0xFFFFFFFF


def _crc_of_byte(remainder: int) -> int:
    for _ in range(8):
        remainder = (remainder >> 1) ^ (0x82F63B78 if remainder & 1 else 0)
    return remainder


_CRC_TABLE = tuple(map(_crc_of_byte, range(256)))


def _late() -> ProviderError:
    return ProviderError(Fault.UNREACHABLE, "Google Cloud did not answer in time")


def _too_large() -> ProviderError:
    return ProviderError(Fault.OTHER, f"what is kept there is larger than {MAX_FETCHED_BYTES // 1024} KiB")


def _sorted(error: Exception) -> ProviderError:
    """What went wrong, in words of ours: an error of the SDK may quote an answer."""
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError, TransportError

    if isinstance(error, GoogleAPICallError):
        return _answered(error)
    # What may be tried again is an answer of a service that has trouble; the SDK has tried.
    if isinstance(error, TransportError) or (isinstance(error, GoogleAuthError) and error.retryable):
        return ProviderError(Fault.UNREACHABLE, "what signs the caller in to Google Cloud cannot be reached")
    if isinstance(error, GoogleAuthError):
        message = "there are no Google Cloud credentials that can be used, or not any more"
        return ProviderError(Fault.NOT_SIGNED_IN, message, hint=_SIGN_IN)
    return ProviderError(Fault.OTHER, f"the Google Cloud SDK gave up ({type(error).__name__})")


def _answered(error: Any) -> ProviderError:
    """The same for what the service or gRPC says: a `GoogleAPICallError`."""
    code = error.grpc_status_code.name if error.grpc_status_code else "UNKNOWN"
    if code == "DEADLINE_EXCEEDED":
        return _late()
    if code == "RESOURCE_EXHAUSTED":
        # gRPC says so too of what it cut off, without having been asked to wait.
        return _too_large() if "larger than max" in str(error.message) else _throttled(error)
    fault, message, hint = _CODES.get(code) or (Fault.OTHER, "Google Cloud answered with an error", "")
    return ProviderError(fault, f"{message} ({code})", hint=hint)


def _throttled(error: Any) -> ThrottledError:
    delays = [detail.retry_delay for detail in error.details if type(detail).__name__ == "RetryInfo"]
    after = delays[0].seconds + delays[0].nanos / 1e9 if delays else None
    return ThrottledError("Google Cloud asks for fewer requests (RESOURCE_EXHAUSTED)", after=after)
