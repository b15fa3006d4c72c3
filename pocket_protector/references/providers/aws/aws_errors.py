"""Translate the errors of botocore into ours, because its own messages may quote an answer.

The codes are those of the AWS Secrets Manager API Reference ("GetSecretValue", "Common Errors"), of AWS STS, and the
throttling codes of botocore.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from pocket_protector.errors import Fault, ProviderError, ThrottledError

_SIGN_IN = "sign in with aws sso login or aws configure; test it with: aws sts get-caller-identity"
_CONFIGURATION = "check AWS_PROFILE and AWS_CONFIG_FILE; list the profiles with: aws configure list-profiles"
_BUNDLE = "set AWS_CA_BUNDLE to the certificates of your proxy if it intercepts TLS"

_ErrorFields = tuple[Fault, str, str]
_NO_CREDENTIALS: _ErrorFields = (Fault.NOT_SIGNED_IN, "the AWS SDK finds no usable credentials", _SIGN_IN)
_NO_CONFIGURATION: _ErrorFields = (
    Fault.NOT_SIGNED_IN,
    "the AWS configuration is not valid, or does not have the chosen profile",
    _CONFIGURATION,
)
_NO_SSO: _ErrorFields = (
    Fault.NOT_SIGNED_IN,
    "you are not signed in to AWS SSO, or the session has expired",
    "aws sso login",
)
_NO_CONNECTION: _ErrorFields = (Fault.UNREACHABLE, "AWS cannot be reached, or the connection was lost", "")
_NO_TIME: _ErrorFields = (Fault.UNREACHABLE, "AWS did not answer in time", "")

# Classes of botocore.exceptions by name, so that nothing is imported. The nearest ancestor of an error counts.
_CLASSES: dict[str, _ErrorFields] = {
    "NoCredentialsError": _NO_CREDENTIALS,
    "PartialCredentialsError": _NO_CREDENTIALS,
    "CredentialRetrievalError": _NO_CREDENTIALS,
    "MetadataRetrievalError": _NO_CREDENTIALS,
    "NoAuthTokenError": _NO_CREDENTIALS,
    "RefreshWithMFAUnsupportedError": _NO_CREDENTIALS,
    "UnknownCredentialError": _NO_CREDENTIALS,
    "ConfigNotFound": _NO_CONFIGURATION,
    "ConfigParseError": _NO_CONFIGURATION,
    "InvalidConfigError": _NO_CONFIGURATION,
    "ProfileNotFound": _NO_CONFIGURATION,
    "LoginError": (Fault.NOT_SIGNED_IN, "you are not signed in to AWS, or the session has expired", "aws login"),
    "SSOError": _NO_SSO,
    "TokenRetrievalError": _NO_SSO,
    "SSLError": (Fault.UNREACHABLE, "the TLS connection to AWS failed", _BUNDLE),
    "ConnectTimeoutError": _NO_TIME,
    "ReadTimeoutError": _NO_TIME,
    "ConnectionError": _NO_CONNECTION,
    "HTTPClientError": _NO_CONNECTION,
}

_REFUSED: _ErrorFields = (Fault.NOT_SIGNED_IN, "AWS refuses the credentials", _SIGN_IN)
_DENIED: _ErrorFields = (
    Fault.DENIED,
    "AWS denies access to the secret",
    "grant the caller secretsmanager:GetSecretValue, and kms:Decrypt if the secret has its own KMS key",
)
_NOT_FOUND: _ErrorFields = (
    Fault.NOT_FOUND,
    "there is no such secret, or no such version of it",
    "check the region; use the ARN for a secret of another account",
)
_NOT_AVAILABLE: _ErrorFields = (Fault.UNREACHABLE, "AWS is not available", "")
_REFUSING = """AuthFailure ExpiredToken ExpiredTokenException IncompleteSignature IncompleteSignatureException
    InvalidAccessKeyId InvalidClientTokenId InvalidSignatureException InvalidToken MissingAuthenticationToken
    MissingAuthenticationTokenException RequestExpired SignatureDoesNotMatch UnrecognizedClientException"""
_DENYING = "AccessDenied AccessDeniedException NotAuthorized OptInRequired UnauthorizedOperation"
_CODES: dict[str, _ErrorFields] = {
    **dict.fromkeys(_REFUSING.split(), _REFUSED),
    **dict.fromkeys(_DENYING.split(), _DENIED),
    "ResourceNotFoundException": _NOT_FOUND,
    "InvalidRequestException": (
        Fault.OTHER,
        "the secret cannot be read in its present state",
        "check whether it is scheduled for deletion with: aws secretsmanager describe-secret",
    ),
    "DecryptionFailure": (
        Fault.OTHER,
        "AWS cannot decrypt the secret",
        "check that its KMS key exists and is enabled",
    ),
}
_STATUSES: dict[int, _ErrorFields] = {
    HTTPStatus.UNAUTHORIZED: _REFUSED,
    HTTPStatus.FORBIDDEN: _DENIED,
    HTTPStatus.NOT_FOUND: _NOT_FOUND,
    HTTPStatus.BAD_GATEWAY: _NOT_AVAILABLE,
    HTTPStatus.SERVICE_UNAVAILABLE: _NOT_AVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT: _NOT_AVAILABLE,
}
_THROTTLING = frozenset(
    """BandwidthLimitExceeded LimitExceededException RequestLimitExceeded RequestThrottled RequestThrottledException
    SlowDown Throttling ThrottlingException ThrottledException TooManyRequestsException""".split()
)


def sdk_error(error: Exception) -> ProviderError:
    """Return our error for any exception of the SDK."""
    if hasattr(error, "operation_name") and hasattr(error, "response"):
        return _answer_error(error)
    for kind in type(error).__mro__:
        if found := _CLASSES.get(kind.__name__):
            fault, message, hint = found
            return ProviderError(fault, message, hint=hint)
    return ProviderError(Fault.OTHER, f"the AWS SDK gave up ({type(error).__name__})")


def _answer_error(error: Any) -> ProviderError:
    """Return our error for a `botocore.exceptions.ClientError`, an answer of AWS."""
    metadata = error.response.get("ResponseMetadata", {})
    status = metadata.get("HTTPStatusCode", 0)
    code = str(error.response.get("Error", {}).get("Code", ""))
    # Show the code only if it has the form of an error's name: anything else may be part of an answer.
    shown = code if re.fullmatch(r"[A-Z][A-Za-z]{2,60}", code) else f"status {status}"
    if code in _THROTTLING or status == HTTPStatus.TOO_MANY_REQUESTS:
        after = metadata.get("HTTPHeaders", {}).get("retry-after", "")
        seconds = float(after) if re.fullmatch(r"[0-9]{1,6}", after) else None
        return ThrottledError(f"AWS asks for fewer requests ({shown})", after=seconds)
    if error.operation_name != "GetSecretValue":
        message = f"AWS does not give credentials for the configured role or sign-in ({shown})"
        return ProviderError(Fault.NOT_SIGNED_IN, message, hint=_SIGN_IN)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return ProviderError(Fault.OTHER, "the server redirects, and redirects are not followed")
    fault, message, hint = _CODES.get(code) or _STATUSES.get(status) or (Fault.OTHER, "AWS answered with an error", "")
    return ProviderError(fault, f"{message} ({shown})", hint=hint)
