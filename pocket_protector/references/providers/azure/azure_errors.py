"""Translate errors of the Azure SDK and answers of Key Vault into our errors, because their texts may quote anything.

Statuses and codes follow the Azure documentation, "Azure Key Vault REST API Error Codes".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pocket_protector.errors import Fault, ProviderError, ThrottledError

_ErrorFields = tuple[Fault, str, str]
_LATE: _ErrorFields = (Fault.UNREACHABLE, "the vault did not answer in time", "")
_NO_CONNECTION: _ErrorFields = (
    Fault.UNREACHABLE,
    "the vault cannot be reached, or the connection was lost",
    "check its name, and AZURE_AUTHORITY_HOST for clouds other than the public one",
)
_BROKEN: _ErrorFields = (Fault.UNREACHABLE, "the answer of the vault was cut off", "")
NOT_AN_ANSWER: _ErrorFields = (Fault.OTHER, "the answer does not have the format of Azure Key Vault", "")

# Classes of azure.core.exceptions by name, so that nothing is imported. The nearest ancestor of an error counts.
_CLASSES: dict[str, _ErrorFields] = {
    "ServiceRequestTimeoutError": _LATE,
    "ServiceResponseTimeoutError": _LATE,
    "ServiceRequestError": _NO_CONNECTION,
    "ServiceResponseError": _NO_CONNECTION,
    "IncompleteReadError": _BROKEN,
    "DecodeError": NOT_AN_ANSWER,
    "HttpResponseError": _BROKEN,
    "ValueError": (Fault.OTHER, "the vault asks for a sign-in to another resource, which is refused", ""),
}

_STATUSES: dict[int, _ErrorFields] = {
    HTTPStatus.UNAUTHORIZED: (
        Fault.NOT_SIGNED_IN,
        "the vault refuses the token",
        "sign in to the tenant of the vault with: az login --tenant TENANT",
    ),
    HTTPStatus.FORBIDDEN: (
        Fault.DENIED,
        "the vault denies access to the secret",
        "grant the caller the role Key Vault Secrets User, or the permission Get for secrets in an access policy",
    ),
    HTTPStatus.NOT_FOUND: (Fault.NOT_FOUND, "the vault has no such secret, or no such version of it", ""),
}
# The inner codes of status 403 whose cause is not a missing permission.
_FORBIDDING: dict[str, _ErrorFields] = {
    "SecretDisabled": (Fault.DENIED, "the secret, or this version of it, is disabled", ""),
    "ForbiddenByFirewall": (Fault.DENIED, "the firewall of the vault refuses this network", ""),
    "ForbiddenByConnection": (Fault.DENIED, "the vault refuses the public network", ""),
}


def provider_error(found: _ErrorFields, detail: str = "") -> ProviderError:
    """Return the error for a table entry; `detail` is a status or a code, in parentheses after the message."""
    fault, message, hint = found
    return ProviderError(fault, f"{message} ({detail})" if detail else message, hint=hint)


def sdk_error(error: Exception) -> ProviderError:
    """Return our error for any exception of the SDK."""
    for kind in type(error).__mro__:
        if found := _CLASSES.get(kind.__name__):
            return provider_error(found)
    return ProviderError(Fault.OTHER, f"the Azure SDK gave up ({type(error).__name__})")


def answer_error(status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
    """Return our error for an answer other than 200. Of the body, only a known code is used."""
    code = _inner_code(body)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        after = headers.get("Retry-After") or ""
        seconds = float(after) if re.fullmatch(r"[0-9]{1,6}", after) else None
        return ThrottledError("the vault asks for fewer requests", after=seconds)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return ProviderError(Fault.OTHER, "the server redirects, and redirects are not followed")
    if status == HTTPStatus.FORBIDDEN and code in _FORBIDDING:
        return provider_error(_FORBIDDING[code], code)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return provider_error((Fault.UNREACHABLE, "the vault is not available", ""), f"status {status}")
    found = _STATUSES.get(status, (Fault.OTHER, "the vault answered with an error", ""))
    return provider_error(found, f"status {status}")


def _inner_code(body: bytes) -> str:
    found: Any
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    for key in ("error", "innererror", "code"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""
