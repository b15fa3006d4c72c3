"""`aws-sm://`: AWS Secrets Manager, through boto3 and whatever it finds to sign in with.

Names, versions and errors are those of the AWS Secrets Manager API Reference, "GetSecretValue" and "CreateSecret".
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
from pocket_protector.references.providers.aws.aws_errors import sorted_error
from pocket_protector.references.providers.loopback import is_loopback
from pocket_protector.references.providers.unlogged import unlogged

REGION = r"(?:[a-z]{2}|eusc)(?:-[a-z]{2,4})?-(?:central|east|west|(?:north|south)(?:east|west)?)-[0-9]{1,2}"
_NAME = r"[A-Za-z0-9/_+=.@!-]"
_ARN = re.compile(rf"arn:aws(?:-[a-z]{{1,4}}){{0,2}}:secretsmanager:({REGION}):[0-9]{{12}}:secret:{_NAME}{{1,519}}")
_VERSIONS = {"version-id": ("VersionId", r"[!-~]{32,64}"), "version-stage": ("VersionStage", r"[!-~]{1,256}")}

_CONNECT_SECONDS = 5

# At DEBUG, the answer, and the request with its session token; at WARNING, a traceback when signing in fails.
_LOGGERS = ("botocore.auth", "botocore.credentials", "botocore.endpoint", "botocore.parsers", "botocore.tokens")


@dataclass(frozen=True)
class _AwsSecret:
    region: str | None
    identifier: str
    version: dict[str, str]


class AwsSecretsManager:
    """A secret by its name or ARN, in the region that the reference, the ARN, or else the environment names.

    The first of several segments is a region exactly when it looks like one: two letters or `eusc`, at most one part
    of up to four letters such as `gov` or `isob`, a point of the compass or `central`, and a number. For a name that
    begins like that, the segment stays empty.
    """

    form = "aws-sm://[REGION/]NAME-OR-ARN[?version-id=ID|?version-stage=STAGE][#JSON.KEY]"
    local = False

    def __init__(self) -> None:
        self._lock = Lock()
        self._session: Any = None
        self._made = 0.0
        self._refusal: ProviderError | None = None
        self._refused = False
        self._clients: dict[tuple[str, int], Any] = {}

    def check(self, reference: Reference) -> None:
        _parse(reference)

    def fetch(self, reference: Reference, deadline: float) -> bytes:
        wanted = _parse(reference)
        with unlogged(*_LOGGERS):
            try:
                client = self._client(wanted.region, deadline)
                found = client.get_secret_value(SecretId=wanted.identifier, **wanted.version)
            except ProviderError:
                raise
            # Any type: an SDK's error may hold the answer, and no traceback of ours shall lead to it.
            except Exception as error:
                ours = sorted_error(error)
            else:
                return _value(found)
        if ours.fault is Fault.NOT_SIGNED_IN:
            self._refused = True
        raise ours

    def select(self, raw: bytes, fragment: str | None) -> bytes:
        return json_member(raw, fragment)

    def _client(self, region: str | None, deadline: float) -> Any:
        """A client whose single reads end about with the deadline. botocore takes timeouts per client only, so that
        there is one for each whole number of seconds that is left: as a rule one in all."""
        # Neither a session nor the making of a client may be shared by threads; a client may be.
        if not self._lock.acquire(timeout=max(deadline - time.monotonic(), 0)):
            raise _late()
        try:
            session = self._signed_in()
            seconds = math.ceil(min(deadline - time.monotonic(), FETCH_SECONDS))
            if seconds <= 0:
                raise _late()
            region = region or session.region_name
            if not region:
                raise ProviderError(
                    Fault.OTHER,
                    "no region is named in the reference or configured for the AWS SDK",
                    hint="write it in the reference, aws-sm://REGION/NAME, or set AWS_DEFAULT_REGION",
                )
            if (region, seconds) not in self._clients:
                self._clients[region, seconds] = _new_client(session, region, seconds)
            return self._clients[region, seconds]
        finally:
            self._lock.release()

    def _signed_in(self) -> Any:
        """The session that clients are made of. Looking for credentials may take seconds where there are none: that is
        done once for all threads that wait, and again only later, since somebody may have signed in meanwhile."""
        if self._session is None or (self._refused and time.monotonic() > self._made + FETCH_SECONDS):
            self._session, self._refusal = _new_session()
            self._made, self._refused, self._clients = time.monotonic(), self._refusal is not None, {}
        if self._refusal:
            raise copy(self._refusal)
        return self._session


def _new_session() -> tuple[Any, ProviderError | None]:
    """A session with its credentials, or what keeps it from having any."""
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
    # Signing in sends requests too, whose endpoints are configured like those of other services.
    base.register("before-send", _check_request)
    try:
        # For a role with MFA botocore asks on the terminal, which a wait that is given up would leave without echo.
        base.get_component("credential_provider").get_provider("assume-role")._prompter = _refuse_prompt
        session = Session(botocore_session=base)
        return session, None if session.get_credentials() else sorted_error(NoCredentialsError())
    except Exception as error:
        return base, sorted_error(error)


def _new_client(session: Any, region: str, seconds: int) -> Any:
    from botocore.config import Config

    # "standard" is named, since AWS_RETRY_MODE=adaptive would wait before it sends.
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
            raise _form_error(f"the ARN is of another region than {named}")
        named = arn[1]
    elif not re.fullmatch(rf"{_NAME}{{1,512}}", identifier):
        raise _form_error("this is no name or ARN of a secret")
    version = {}
    for key, value in reference.query.items():
        parameter, pattern = _VERSIONS.get(key, ("", ""))
        if not parameter or not re.fullmatch(pattern, value):
            raise _form_error("its query is a version-id of 32 to 64 characters, or a version-stage of at most 256")
        version[parameter] = value
    if len(version) > 1:
        raise _form_error("its query is either a version-id or a version-stage")
    return _AwsSecret(named, identifier, version)


def _late() -> ProviderError:
    return ProviderError(Fault.UNREACHABLE, "AWS did not answer in time")


def _form_error(message: str) -> FormatError:
    return FormatError(message, hint=f"it looks like {AwsSecretsManager.form}")


def _refuse_prompt(_: str) -> NoReturn:
    raise ProviderError(
        Fault.NOT_SIGNED_IN,
        "the role of the AWS profile asks for an MFA code, which is not asked for here",
        hint='eval "$(aws configure export-credentials --format env)"',
    )


def _check_request(request: Any, **_: Any) -> None:
    """What botocore calls before each request of the session; an error keeps it from being sent."""
    from urllib.parse import urlsplit

    from botocore.utils import get_environ_proxies

    parts = urlsplit(request.url)
    if parts.scheme == "https":
        return
    if parts.scheme != "http" or not is_loopback(parts.hostname or ""):
        raise ProviderError(
            Fault.OTHER,
            "an endpoint that is configured for AWS is not https",
            hint="see endpoint_url in the AWS configuration, AWS_ENDPOINT_URL and what begins like it, such as"
            " AWS_ENDPOINT_URL_STS",
        )
    if "http" in get_environ_proxies(request.url):
        raise ProviderError(
            Fault.OTHER,
            "a request to this machine in plain http would go through the proxy",
            hint=f"name it in NO_PROXY, beside what is there: NO_PROXY={parts.hostname}",
        )


def _value(found: dict[str, Any]) -> bytes:
    text, raw = found.get("SecretString"), found.get("SecretBinary")
    if isinstance(text, str):
        # Half of a surrogate pair, which JSON can hold, is no text.
        with suppress(UnicodeEncodeError):
            raw = text.encode()
    if not isinstance(raw, bytes):
        raise ProviderError(Fault.OTHER, "the answer is not one of AWS Secrets Manager")
    if len(raw) > MAX_FETCHED_BYTES:
        raise ProviderError(Fault.OTHER, f"what is kept there is larger than {MAX_FETCHED_BYTES // 1024} KiB")
    return raw
