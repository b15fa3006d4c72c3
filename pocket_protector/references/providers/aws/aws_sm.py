"""`aws-sm://`: AWS Secrets Manager, with boto3 and the credentials that it finds.

Names, versions and errors follow the AWS Secrets Manager API Reference, "GetSecretValue" and "CreateSecret".
"""

from __future__ import annotations

import math
import re
import time
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from threading import Lock
from typing import Any, NoReturn

from pocket_protector.document.reference import Reference
from pocket_protector.errors import Fault, FormatError, ProviderError
from pocket_protector.plugins.source import FETCH_SECONDS, MAX_FETCHED_BYTES, MOST_THREADS
from pocket_protector.references.json_fragment import json_member
from pocket_protector.references.providers.aws.aws_errors import sdk_error
from pocket_protector.references.providers.loopback import is_loopback
from pocket_protector.references.providers.unlogged import unlogged

REGION = r"(?:[a-z]{2}|eusc)(?:-[a-z]{2,4})?-(?:central|east|west|(?:north|south)(?:east|west)?)-[0-9]{1,2}"
_NAME = r"[A-Za-z0-9/_+=.@!-]"
_ARN = re.compile(rf"arn:aws(?:-[a-z]{{1,4}}){{0,2}}:secretsmanager:({REGION}):[0-9]{{12}}:secret:{_NAME}{{1,519}}")
_VERSIONS = {"version-id": ("VersionId", r"[!-~]{32,64}"), "version-stage": ("VersionStage", r"[!-~]{1,256}")}

_CONNECT_SECONDS = 5

# These log the answer and the session token at DEBUG, and a traceback of a failed sign-in at WARNING.
_LOGGERS = ("botocore.auth", "botocore.credentials", "botocore.endpoint", "botocore.parsers", "botocore.tokens")


@dataclass(frozen=True)
class _AwsSecret:
    region: str | None
    identifier: str
    version: dict[str, str]


class AwsSecretsManager:
    """Fetch a secret by its name or ARN, from the region of the reference, of the ARN, or of the environment.

    The first of several segments is a region if and only if it has the form of one: two letters or `eusc`, at most
    one part of up to four letters such as `gov` or `isob`, a compass point or `central`, and a number. If the name
    itself begins so, leave the first segment empty.
    """

    form = "aws-sm://[REGION/]NAME-OR-ARN[?version-id=ID|?version-stage=STAGE][#JSON.KEY]"
    local = False

    def __init__(self) -> None:
        self._lock = Lock()
        self._session: Any = None
        self._created_at = 0.0
        self._refusal: ProviderError | None = None
        self._refused = False
        self._clients: dict[tuple[str, int], Any] = {}

    def check(self, reference: Reference) -> None:
        """Check region, name or ARN, and version. Raises FormatError."""
        _parse(reference)

    def fetch(self, reference: Reference, deadline: float) -> bytes:
        """Fetch the secret's string as UTF-8, or its binary. Raises ProviderError."""
        wanted = _parse(reference)
        with unlogged(*_LOGGERS):
            try:
                client = self._client(wanted.region, deadline)
                found = client.get_secret_value(SecretId=wanted.identifier, **wanted.version)
            except ProviderError:
                raise
            # Any type: an SDK's error may hold the answer, so it must not be in our traceback.
            except Exception as error:
                ours = sdk_error(error)
            else:
                return _value(found)
        if ours.fault is Fault.NOT_SIGNED_IN:
            self._refused = True
        raise ours

    def select(self, raw: bytes, fragment: str | None) -> bytes:
        """Select the member of a JSON value that the fragment names."""
        return json_member(raw, fragment)

    def _client(self, region: str | None, deadline: float) -> Any:
        """Return a client whose reads time out at about the deadline. Raises ProviderError.

        botocore has a timeout per client only. So there is one client for each whole number of remaining seconds,
        usually one in all.
        """
        # Clients are thread-safe, but sessions, and the construction of clients, are not.
        if not self._lock.acquire(timeout=max(deadline - time.monotonic(), 0)):
            raise _timeout_error()
        try:
            session = self._current_session()
            seconds = math.ceil(min(deadline - time.monotonic(), FETCH_SECONDS))
            if seconds <= 0:
                raise _timeout_error()
            region = region or session.region_name
            if not region:
                raise ProviderError(
                    Fault.OTHER,
                    "neither the reference nor the AWS configuration names a region",
                    hint="write it in the reference, aws-sm://REGION/NAME, or set AWS_DEFAULT_REGION",
                )
            if (region, seconds) not in self._clients:
                self._clients[region, seconds] = _new_client(session, region, seconds)
            return self._clients[region, seconds]
        finally:
            self._lock.release()

    def _current_session(self) -> Any:
        """Return the session for new clients. Raises ProviderError if there are no credentials.

        The search for credentials may take seconds if there are none. So one thread searches for all that wait, and
        the search is repeated only later, when somebody may have signed in.
        """
        if self._session is None or (self._refused and time.monotonic() > self._created_at + FETCH_SECONDS):
            self._session, self._refusal = _new_session()
            self._created_at, self._refused, self._clients = time.monotonic(), self._refusal is not None, {}
        if self._refusal:
            raise copy(self._refusal)
        return self._session


def _new_session() -> tuple[Any, ProviderError | None]:
    """Return a new session, and the error if it has no credentials."""
    try:
        from boto3.session import Session
        from botocore.exceptions import NoCredentialsError
        from botocore.session import get_session
    except ImportError:
        raise ProviderError(
            Fault.OTHER,
            "references to AWS Secrets Manager need an extra of pprotect that is not installed",
            hint="pip install 'pprotect[aws]'",
        ) from None
    base = get_session()
    # Sign-in sends requests too, and its endpoints are configurable as well.
    base.register("before-send", _check_request)
    try:
        # For a role with MFA botocore would prompt on the terminal, and an abandoned prompt leaves it without echo.
        base.get_component("credential_provider").get_provider("assume-role")._prompter = _refuse_prompt
        session = Session(botocore_session=base)
        return session, None if session.get_credentials() else sdk_error(NoCredentialsError())
    except Exception as error:
        return base, sdk_error(error)


def _new_client(session: Any, region: str, seconds: int) -> Any:
    from botocore.config import Config

    # "standard" overrides AWS_RETRY_MODE=adaptive, which would wait before a request.
    config = Config(
        connect_timeout=min(seconds, _CONNECT_SECONDS),
        read_timeout=seconds,
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=MOST_THREADS,
    )
    return session.client("secretsmanager", region_name=region, config=config)


def _parse(reference: Reference) -> _AwsSecret:
    first, *others = reference.segments
    named = first if others and re.fullmatch(REGION, first) else None
    identifier = "/".join(others if named or (others and not first) else (first, *others))
    if arn := _ARN.fullmatch(identifier):
        if named not in (None, arn[1]):
            raise _form_error(f"the ARN has another region than {named}")
        named = arn[1]
    elif not re.fullmatch(rf"{_NAME}{{1,512}}", identifier):
        raise _form_error("this is not a valid name or ARN of a secret")
    version = {}
    for key, value in reference.query.items():
        parameter, pattern = _VERSIONS.get(key, ("", ""))
        if not parameter or not re.fullmatch(pattern, value):
            raise _form_error(
                "the query must be a version-id of 32 to 64 characters, or a version-stage of at most 256"
            )
        version[parameter] = value
    if len(version) > 1:
        raise _form_error("the query must have either a version-id or a version-stage")
    return _AwsSecret(named, identifier, version)


def _timeout_error() -> ProviderError:
    return ProviderError(Fault.UNREACHABLE, "AWS did not answer in time")


def _form_error(message: str) -> FormatError:
    return FormatError(message, hint=f"use the form {AwsSecretsManager.form}")


def _refuse_prompt(_: str) -> NoReturn:
    raise ProviderError(
        Fault.NOT_SIGNED_IN,
        "the role of the AWS profile needs an MFA code, and pprotect does not ask for one",
        hint='run: eval "$(aws configure export-credentials --format env)"',
    )


def _check_request(request: Any, **_: Any) -> None:
    """Refuse a request over plain HTTP, except to this machine. botocore calls this before each request."""
    from urllib.parse import urlsplit

    from botocore.utils import get_environ_proxies

    parts = urlsplit(request.url)
    if parts.scheme == "https":
        return
    if parts.scheme != "http" or not is_loopback(parts.hostname or ""):
        raise ProviderError(
            Fault.OTHER,
            "a configured endpoint of AWS does not use https",
            hint="use https in endpoint_url of the AWS configuration, AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_STS",
        )
    if "http" in get_environ_proxies(request.url):
        raise ProviderError(
            Fault.OTHER,
            "a plain http request to this machine would go through the proxy",
            hint=f"add this host to NO_PROXY: NO_PROXY={parts.hostname}",
        )


def _value(found: dict[str, Any]) -> bytes:
    text, raw = found.get("SecretString"), found.get("SecretBinary")
    if isinstance(text, str):
        # JSON can hold half of a surrogate pair, which is not valid text.
        with suppress(UnicodeEncodeError):
            raw = text.encode()
    if not isinstance(raw, bytes):
        raise ProviderError(Fault.OTHER, "the answer does not have the format of AWS Secrets Manager")
    if len(raw) > MAX_FETCHED_BYTES:
        raise ProviderError(Fault.OTHER, f"the value is larger than {MAX_FETCHED_BYTES // 1024} KiB")
    return raw
