"""Sign in to Azure once for all waiting threads, and respect the deadline of each."""

from __future__ import annotations

import time
from concurrent.futures import Future
from contextvars import ContextVar, copy_context
from copy import copy
from threading import Lock, Thread
from typing import Any

from pocket_protector.errors import Fault, ProviderError
from pocket_protector.plugins.source import FETCH_SECONDS

DEADLINE: ContextVar[float] = ContextVar("deadline")
"""The end of the wait of the calling thread, in seconds of `time.monotonic()`."""

_CONNECT_SECONDS = 5
_REFRESH_SECONDS = 300


class AzureSignIn:
    """A credential for the clients of the Azure SDK: azure-identity's DefaultAzureCredential without a browser.

    Some of its sources do not cache tokens; it starts the Azure CLI for each. So one thread asks it for all callers.
    A token stays in memory until it expires, and a refusal for the time of one fetch.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._credential: Any = None
        self._attempts: dict[tuple[object, ...], _Attempt] = {}

    def get_token_info(self, *scopes: str, options: Any = None) -> Any:
        """Return an `azure.core.credentials.AccessTokenInfo` for the scopes.

        Raises ProviderError if the sign-in fails, or exceeds `DEADLINE`.
        """
        wanted = {name: value for name, value in (options or {}).items() if value is not None}
        key = (scopes, *sorted(wanted.items()))
        with self._lock:
            attempt = self._attempts.get(key)
            if attempt is None or attempt.is_over():
                attempt = self._attempts[key] = _Attempt()
                # Not a thread of a pool: the interpreter waits for those at exit.
                Thread(target=copy_context().run, args=(self._ask, attempt, scopes, wanted), daemon=True).start()
        try:
            return attempt.future.result(max(DEADLINE.get() - time.monotonic(), 0))
        except TimeoutError:
            refused = ProviderError(Fault.UNREACHABLE, "the sign-in to Azure takes too long")
        except ProviderError as error:
            # A copy for each thread, because raising changes an exception.
            refused = copy(error)
        raise refused

    def _ask(self, attempt: _Attempt, scopes: tuple[str, ...], options: dict[str, Any]) -> None:
        try:
            token = self._default_credential().get_token_info(*scopes, options=options)
        # Any type, because threads wait for the result. Its text may quote an answer.
        except Exception as error:
            refusal = _refusal(error)
        else:
            attempt.future.set_result(token)
            return
        attempt.future.set_exception(refusal)

    def _default_credential(self) -> Any:
        from azure.identity import DefaultAzureCredential

        if self._credential is None:
            self._credential = DefaultAzureCredential(
                exclude_interactive_browser_credential=True,
                retry_total=0,
                connection_timeout=_CONNECT_SECONDS,
                read_timeout=FETCH_SECONDS,
            )
        return self._credential


class _Attempt:
    def __init__(self) -> None:
        self.future: Future[Any] = Future()
        self._started = time.monotonic()

    def is_over(self) -> bool:
        """Return whether a new attempt is due: the token expires soon, or the refusal is old."""
        if not self.future.done():
            return False
        if self.future.exception():
            return time.monotonic() > self._started + FETCH_SECONDS
        token = self.future.result()
        until: float = getattr(token, "refresh_on", None) or token.expires_on - _REFRESH_SECONDS
        return time.time() > until


def _refusal(error: Exception) -> ProviderError:
    if isinstance(error, ValueError):
        return ProviderError(
            Fault.NOT_SIGNED_IN,
            "the variables of Azure are not valid credentials",
            hint="check AZURE_TOKEN_CREDENTIALS, AZURE_AUTHORITY_HOST, and the variables of the chosen identity",
        )
    return ProviderError(
        Fault.NOT_SIGNED_IN,
        "no Azure sign-in gives a token for the vault",
        hint="run: az login; or set the variables of a service principal; check that AZURE_AUTHORITY_HOST is right",
    )
