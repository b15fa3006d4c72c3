"""What botocore raises, in words of ours: its own messages may quote an answer.

Codes are those of the AWS Secrets Manager API Reference ("GetSecretValue", "Common Errors"), of AWS STS, and those that
botocore itself takes for throttling.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from pocket_protector.errors import Fault, ProviderError, ThrottledError

_SIGN_IN = "aws sts get-caller-identity shows whether AWS knows you; aws sso login and aws configure sign in"
_CONFIGURATION = "see AWS_PROFILE, AWS_CONFIG_FILE and aws configure list-profiles"
_BUNDLE = "behind a proxy that opens TLS, AWS_CA_BUNDLE names its certificates"

_Sorted = tuple[Fault, str, str]
_NO_CREDENTIALS: _Sorted = (Fault.NOT_SIGNED_IN, "the AWS SDK finds no credentials that it can use", _SIGN_IN)
_NO_CONFIGURATION: _Sorted = (
    Fault.NOT_SIGNED_IN,
    "the AWS configuration cannot be used, or has no profile of the name that is set",
    _CONFIGURATION,
)
_NO_SSO: _Sorted = (Fault.NOT_SIGNED_IN, "nobody is signed in through AWS SSO, or not any more", "aws sso login")
_NO_CONNECTION: _Sorted = (Fault.UNREACHABLE, "AWS cannot be reached, or the connection broke off", "")
_NO_TIME: _Sorted = (Fault.UNREACHABLE, "AWS did not answer in time", "")

# The classes of botocore.exceptions, by name: nothing is imported here. The first of an error's ancestors counts.
_CLASSES: dict[str, _Sorted] = {
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
    "LoginError": (Fault.NOT_SIGNED_IN, "nobody is signed in to AWS, or not any more", "aws login"),
    "SSOError": _NO_SSO,
    "TokenRetrievalError": _NO_SSO,
    "SSLError": (Fault.UNREACHABLE, "no TLS connection to AWS can be made", _BUNDLE),
    "ConnectTimeoutError": _NO_TIME,
    "ReadTimeoutError": _NO_TIME,
    "ConnectionError": _NO_CONNECTION,
    "HTTPClientError": _NO_CONNECTION,
}

_REFUSED: _Sorted = (Fault.NOT_SIGNED_IN, "AWS does not take the credentials", _SIGN_IN)
_DENIED: _Sorted = (
    Fault.DENIED,
    "AWS does not allow it",
    "the caller needs secretsmanager:GetSecretValue, and kms:Decrypt if the secret has a KMS key of its own",
)
_NOT_FOUND: _Sorted = (
    Fault.NOT_FOUND,
    "there is no such secret, or no such version of it",
    "see the region; a secret of another account is named by its ARN",
)
_NOT_AVAILABLE: _Sorted = (Fault.UNREACHABLE, "AWS is not available", "")
_REFUSING = """AuthFailure ExpiredToken ExpiredTokenException IncompleteSignature IncompleteSignatureException
    InvalidAccessKeyId InvalidClientTokenId InvalidSignatureException InvalidToken MissingAuthenticationToken
    MissingAuthenticationTokenException RequestExpired SignatureDoesNotMatch UnrecognizedClientException"""
_DENYING = "AccessDenied AccessDeniedException NotAuthorized OptInRequired UnauthorizedOperation"
_CODES: dict[str, _Sorted] = {
    **dict.fromkeys(_REFUSING.split(), _REFUSED),
    **dict.fromkeys(_DENYING.split(), _DENIED),
    "ResourceNotFoundException": _NOT_FOUND,
    "InvalidRequestException": (
        Fault.OTHER,
        "the secret cannot be read as it is now",
        "aws secretsmanager describe-secret shows whether it is scheduled for deletion",
    ),
    "DecryptionFailure": (
        Fault.OTHER,
        "AWS cannot decrypt the secret",
        "see that its KMS key exists, and is enabled",
    ),
}
_STATUSES: dict[int, _Sorted] = {
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


def sorted_error(error: Exception) -> ProviderError:
    """What went wrong, whatever the SDK raised."""
    if hasattr(error, "operation_name") and hasattr(error, "response"):
        return _answered(error)
    for kind in type(error).__mro__:
        if found := _CLASSES.get(kind.__name__):
            fault, message, hint = found
            return ProviderError(fault, message, hint=hint)
    return ProviderError(Fault.OTHER, f"the AWS SDK gave up ({type(error).__name__})")


def _answered(error: Any) -> ProviderError:
    """For what AWS answered: a `botocore.exceptions.ClientError`."""
    metadata = error.response.get("ResponseMetadata", {})
    status = metadata.get("HTTPStatusCode", 0)
    code = str(error.response.get("Error", {}).get("Code", ""))
    # No more than the name of an error: anything else that stands there may be part of an answer.
    said = code if re.fullmatch(r"[A-Z][A-Za-z]{2,60}", code) else f"status {status}"
    if code in _THROTTLING or status == HTTPStatus.TOO_MANY_REQUESTS:
        after = metadata.get("HTTPHeaders", {}).get("retry-after", "")
        seconds = float(after) if re.fullmatch(r"[0-9]{1,6}", after) else None
        return ThrottledError(f"AWS asks for fewer requests ({said})", after=seconds)
    if error.operation_name != "GetSecretValue":
        message = f"AWS gives no credentials for the configured role or sign-in ({said})"
        return ProviderError(Fault.NOT_SIGNED_IN, message, hint=_SIGN_IN)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return ProviderError(Fault.OTHER, "the answer leads elsewhere, which is not followed")
    fault, message, hint = _CODES.get(code) or _STATUSES.get(status) or (Fault.OTHER, "AWS answered with an error", "")
    return ProviderError(fault, f"{message} ({said})", hint=hint)
