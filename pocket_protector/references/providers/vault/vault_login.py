"""Sign in to Vault or OpenBao, with the caller's token or with one from a login.

The logins follow "AppRole", "Kubernetes" and "JWT/OIDC" in Vault's API documentation. Their parameters come from
variables with the prefix `VAULT_` or `BAO_` (vault_settings.py). Vault's own client has no variables for logins, so
these names are ours.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from pocket_protector.errors import Fault, ProviderError
from pocket_protector.plugins.source import FETCH_SECONDS
from pocket_protector.references.providers.vault.vault_server import Answer, Server
from pocket_protector.references.providers.vault.vault_settings import Settings, variable

_SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/token"
_MAX_FILE_BYTES = 64 * 1024
_METHODS = ("token", "approle", "kubernetes", "jwt")
# A token counts as expired some seconds early, because two clocks differ and a request takes time.
_SPARE_SECONDS = 10


@dataclass(frozen=True, slots=True, repr=False)
class Login:
    """A login from the variables: its method, the segments of its mount, and the body of its request."""

    method: str
    mount: tuple[str, ...]
    body: tuple[tuple[str, str], ...]

    @classmethod
    def from_environment(cls) -> Login | None:
        """Return the login that the variables ask for, or None. Raises ProviderError if it is incomplete."""
        method = variable("AUTH_METHOD") or ("approle" if variable("ROLE_ID") else "token")
        if method not in _METHODS:
            raise _not_signed_in("VAULT_AUTH_METHOD is not a known login method", f"use one of: {', '.join(_METHODS)}")
        if method == "token":
            return None
        mount = tuple((variable("AUTH_MOUNT") or method).strip("/").split("/"))
        if any(segment in ("", ".", "..") for segment in mount):
            raise _not_signed_in(
                "VAULT_AUTH_MOUNT is not a valid path of a mount", "unset it if the mount has the name of the method"
            )
        return cls(method, mount, tuple(_body(method).items()))


class VaultSignIn:
    """The tokens of logins, by server and login. They stay in memory only, and threads share them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._granted: dict[tuple[Settings, Login], tuple[str, float]] = {}
        self._refused: dict[tuple[Settings, Login], float] = {}

    def token(self, server: Server, settings: Settings, deadline: float) -> str:
        """Return VAULT_TOKEN, or the token of the login from the variables, or the content of ~/.vault-token.

        The token of a login is reused while it is valid. Raises ProviderError if there is none, or the login fails.
        """
        if token := variable("TOKEN"):
            return _checked(token, "VAULT_TOKEN")
        login = Login.from_environment()
        if login is None:
            return _token_from_file()
        if not self._lock.acquire(timeout=max(deadline - time.monotonic(), 0)):
            raise ProviderError(Fault.UNREACHABLE, "the server did not answer a login in time")
        try:
            return self._log_in(server, settings, login, deadline)
        finally:
            self._lock.release()

    def forget(self, token: str) -> None:
        """Drop a token that the server refuses, so that the next fetch signs in again."""
        with self._lock:
            self._granted = {key: grant for key, grant in self._granted.items() if grant[0] != token}

    def _log_in(self, server: Server, settings: Settings, login: Login, deadline: float) -> str:
        key = settings, login
        token, until = self._granted.get(key, ("", 0.0))
        if token and time.monotonic() < until:
            return token
        # One attempt for all threads: Vault locks a role out after a few failed logins.
        if time.monotonic() < self._refused.get(key, 0.0):
            raise _login_refused(login)
        answer = server.ask(["auth", *login.mount, "login"], deadline, body=dict(login.body))
        if answer.status != 200:
            self._refused[key] = time.monotonic() + FETCH_SECONDS
            raise _login_refused(login)
        token, seconds = _grant(answer)
        self._granted[key] = token, time.monotonic() + seconds - _SPARE_SECONDS if seconds else float("inf")
        return token


def _body(method: str) -> dict[str, str]:
    role = variable("ROLE")
    if method == "approle":
        secret = {"secret_id": variable("SECRET_ID")} if variable("SECRET_ID") else {}
        return {"role_id": _required("ROLE_ID"), **secret}
    if method == "kubernetes":
        return {"role": _required("ROLE"), "jwt": variable("JWT") or _file("JWT_FILE", _SERVICE_ACCOUNT)}
    # The server has a default role.
    return {**({"role": role} if role else {}), "jwt": variable("JWT") or _file("JWT_FILE")}


def _required(name: str) -> str:
    if value := variable(name):
        return value
    raise _not_signed_in(f"the login that VAULT_AUTH_METHOD names needs VAULT_{name}")


def _file(name: str, default: str = "") -> str:
    path = variable(name) or default
    if not path:
        raise _not_signed_in(f"the login that VAULT_AUTH_METHOD names needs VAULT_JWT or VAULT_{name}")
    text = _read(Path(path))
    if not text:
        raise _not_signed_in(f"the file {path!r} does not have a readable token", f"set VAULT_{name} to another file")
    return text


def _token_from_file() -> str:
    text = _read(Path(os.path.expanduser(variable("TOKEN_PATH") or "~/.vault-token")))
    if not text:
        raise _not_signed_in("neither a token nor a login is configured", "run: vault login; or set VAULT_TOKEN")
    return _checked(text, "~/.vault-token")


def _read(path: Path) -> str:
    """Return the text of a file, or "" if it does not exist, is too large or is not ASCII."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_FILE_BYTES + 1)
        return raw.decode("ascii").strip() if len(raw) <= _MAX_FILE_BYTES else ""
    except (OSError, ValueError):
        return ""


def _checked(token: str, where: str) -> str:
    # The token goes into a header, so it must not contain a line end.
    if not re.fullmatch(r"[!-~]{1,65536}", token):
        raise _not_signed_in(f"{where} is not a valid token: it has characters that no token has")
    return token


def _grant(answer: Answer) -> tuple[str, float]:
    auth = answer.fields.get("auth")
    token = auth.get("client_token") if isinstance(auth, dict) else None
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]{1,65536}", token):
        raise _not_signed_in("the login did not return a token", "set VAULT_TOKEN if the login needs a second factor")
    seconds = auth.get("lease_duration") if isinstance(auth, dict) else None
    return token, float(seconds) if isinstance(seconds, str) and re.fullmatch("[0-9]{1,12}", seconds) else 0.0


def _login_refused(login: Login) -> ProviderError:
    names = {"approle": "VAULT_ROLE_ID, VAULT_SECRET_ID", "kubernetes": "VAULT_ROLE", "jwt": "VAULT_ROLE, VAULT_JWT"}
    return _not_signed_in(
        f"the server refuses the {login.method} login",
        f"check {names[login.method]}, VAULT_AUTH_MOUNT, VAULT_NAMESPACE",
    )


def _not_signed_in(message: str, hint: str = "") -> ProviderError:
    return ProviderError(Fault.NOT_SIGNED_IN, message, hint=hint)
