"""`keyring://`: the keyring of the operating system, with the library `keyring` and the backend that it chooses."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any

from pocket_protector.document.reference import Reference
from pocket_protector.errors import Fault, FormatError, ProviderError
from pocket_protector.plugins.source import MAX_FETCHED_BYTES
from pocket_protector.references.providers.local import plain_segments

_RECOMMENDED = 1
"""The threshold of keyring itself: a backend of lower priority is a dummy, or stores passwords readably."""

_UNLOCK = "unlock it, for example with your desktop's password manager, and repeat the command"


class SystemKeyring:
    """Fetch a password by its service and user name, as UTF-8."""

    form = "keyring://SERVICE/NAME"
    local = True

    def __init__(self) -> None:
        # One request at a time: a locked keyring asks its user once, and some backends are not thread-safe.
        self._asking = Lock()

    def check(self, reference: Reference) -> None:
        """Check service and name. Raises FormatError."""
        self._parts(reference)

    def fetch(self, reference: Reference, deadline: float) -> bytes:
        """Return the password as UTF-8. Raises ProviderError."""
        service, name = self._parts(reference)
        if not self._asking.acquire(timeout=max(deadline - time.monotonic(), 0)):
            raise _timeout_error()
        answers: SimpleQueue[bytes | ProviderError] = SimpleQueue()

        def ask() -> None:
            try:
                answers.put(_get_password(service, name))
            except Exception as error:
                answers.put(_keyring_error(error))
            finally:
                self._asking.release()

        # The library waits for the user without a limit, and nothing can interrupt it.
        Thread(target=ask, daemon=True).start()
        try:
            answer = answers.get(timeout=max(deadline - time.monotonic(), 0))
        except Empty:
            raise _timeout_error() from None
        if isinstance(answer, ProviderError):
            raise answer
        return answer

    def select(self, raw: bytes, fragment: str | None) -> bytes:  # noqa: ARG002 (it has none)
        """Return `raw`: these references have no fragment."""
        return raw

    def _parts(self, reference: Reference) -> tuple[str, str]:
        segments = plain_segments(reference, self.form)
        if len(segments) != 2 or reference.query:
            raise FormatError("not a valid reference to a password of the keyring", hint=self.form)
        return segments[0], segments[1]


def _get_password(service: str, name: str) -> bytes:
    """Return the password. Raises ProviderError, and any error of a backend."""
    try:
        import keyring
        from keyring.backends import fail
    except ImportError:
        raise ProviderError(
            Fault.OTHER,
            "references to the keyring need an extra of pprotect that is not installed",
            hint="pip install 'pprotect[keyring]'",
        ) from None
    chosen = keyring.get_keyring()
    if isinstance(chosen, fail.Keyring):
        raise ProviderError(
            Fault.UNREACHABLE,
            "no keyring runs for this session",
            hint="list the backends with: keyring --list-backends",
        )
    for backend in _safe_backends(chosen):
        password: str | None = backend.get_password(service, name)
        if password is not None:
            raw = password.encode()
            if len(raw) > MAX_FETCHED_BYTES:
                raise ProviderError(Fault.OTHER, f"the password has more than {MAX_FETCHED_BYTES} bytes")
            return raw
    hint = "add one with: keyring set SERVICE NAME"
    raise ProviderError(Fault.NOT_FOUND, "the keyring does not have this password", hint=hint)


def _safe_backends(chosen: Any) -> list[Any]:
    """Return the safe ones of the chosen backend or chain of backends. Raises ProviderError if there are none."""
    from keyring.backends.chainer import ChainerBackend

    several = chosen.backends if isinstance(chosen, ChainerBackend) else [chosen]
    safe = [backend for backend in several if backend.priority >= _RECOMMENDED]
    if not safe:
        raise ProviderError(
            Fault.OTHER,
            "the chosen keyring does not protect its passwords",
            hint="choose another with PYTHON_KEYRING_BACKEND; list them with: keyring --list-backends",
        )
    return safe


def _keyring_error(error: Exception) -> ProviderError:
    """Return our error for one of any type, since anybody may have written the backend.

    The text of a UnicodeError contains the password, and is dropped.
    """
    if isinstance(error, ProviderError):
        return error
    if isinstance(error, UnicodeError):
        return ProviderError(Fault.OTHER, "the password is not UTF-8 text")
    from keyring import errors

    if isinstance(error, errors.KeyringLocked):
        return ProviderError(Fault.NOT_SIGNED_IN, "the keyring is locked", hint=_UNLOCK)
    if isinstance(error, errors.InitError):
        return ProviderError(Fault.UNREACHABLE, "the keyring cannot be opened")
    return ProviderError(Fault.OTHER, f"the keyring failed with {type(error).__name__}")


def _timeout_error() -> ProviderError:
    return ProviderError(
        Fault.UNREACHABLE, "the keyring did not answer in time; it may have waited to be unlocked", hint=_UNLOCK
    )
