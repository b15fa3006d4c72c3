"""Signing in to Azure once, for all threads that wait for it, and no longer than each of them may wait."""

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
"""Until when the caller's thread waits: a `time.monotonic()`."""

_CONNECT_SECONDS = 5
_REFRESH_SECONDS = 300


class AzureSignIn:
    """A credential for the clients of the Azure SDK: azure-identity's DefaultAzureCredential without a browser.

    Some of what that tries keeps no token: the Azure CLI is started for each. So it is asked in a thread of its own,
    once for everybody; tokens are kept in memory while they last, and a refusal for as long as a fetch may take.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._credential: Any = None
        self._attempts: dict[tuple[object, ...], _Attempt] = {}

    def get_token_info(self, *scopes: str, options: Any = None) -> Any:
        """An `azure.core.credentials.AccessTokenInfo`. ProviderError if nobody is signed in, or it takes too long."""
        wanted = {name: value for name, value in (options or {}).items() if value is not None}
        key = (scopes, *sorted(wanted.items()))
        with self._lock:
            attempt = self._attempts.get(key)
            if attempt is None or attempt.is_over():
                attempt = self._attempts[key] = _Attempt()
                # Not a pool's: at its end the program waits for those.
                Thread(target=copy_context().run, args=(self._ask, attempt, scopes, wanted), daemon=True).start()
        try:
            return attempt.future.result(max(DEADLINE.get() - time.monotonic(), 0))
        except TimeoutError:
            refused = ProviderError(Fault.UNREACHABLE, "signing in to Azure takes too long")
        except ProviderError as error:
            # One of its own for each thread: they are changed when they are raised.
            refused = copy(error)
        raise refused

    def _ask(self, attempt: _Attempt, scopes: tuple[str, ...], options: dict[str, Any]) -> None:
        try:
            token = self._made().get_token_info(*scopes, options=options)
        # Any type, since somebody waits; and what it says may quote an answer.
        except Exception as error:
            refusal = _refusal(error)
        else:
            attempt.future.set_result(token)
            return
        attempt.future.set_exception(refusal)

    def _made(self) -> Any:
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
        """Whether to ask anew: the token is about to end, or the refusal is an old one."""
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
            "Azure's variables make no credential",
            hint="see AZURE_TOKEN_CREDENTIALS, AZURE_AUTHORITY_HOST, and the variables of the identity that is set",
        )
    return ProviderError(
        Fault.NOT_SIGNED_IN,
        "none of the ways to sign in to Azure gives a token for the vault",
        hint="az login, or set the variables of a service principal; AZURE_AUTHORITY_HOST must be reachable",
    )
