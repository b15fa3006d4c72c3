"""`vault://`: a field of a secret in a KV secrets engine of HashiCorp Vault or OpenBao.

Paths and answers follow "KV secrets engine", versions 1 and 2, in Vault's API documentation. `sys/internal/ui/mounts`
answers where the mount ends and which version it has; `vault kv get` asks the same way.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from threading import Lock
from typing import Any

from pocket_protector.document.reference import Reference, decode_part
from pocket_protector.errors import Fault, FormatError, ProviderError
from pocket_protector.plugins.source import MAX_FETCHED_BYTES
from pocket_protector.references.json_fragment import json_at
from pocket_protector.references.providers.vault.vault_login import VaultSignIn
from pocket_protector.references.providers.vault.vault_server import Answer, Server
from pocket_protector.references.providers.vault.vault_settings import Settings

_ENGINES = ("kv", "generic")
_MOUNTS = ["sys", "internal", "ui", "mounts"]
_LOOK_UP_SECONDS = 3


@dataclass(frozen=True)
class _VaultSecret:
    path: list[str]
    version: str | None


class Vault:
    """Fetch a field of a secret. The mount may have several segments; the server says how many.

    Only KV engines are read: a request to another engine may create new credentials, or return the caller's own.
    """

    form = "vault://MOUNT/PATH[?version=NUMBER]#FIELD"
    local = False

    def __init__(self) -> None:
        self._lock = Lock()
        self._servers: dict[Settings, Server] = {}
        self._sign_in = VaultSignIn()

    def check(self, reference: Reference) -> None:
        """Check path, version and field. Raises FormatError."""
        _parse(reference)
        if reference.fragment is None:
            raise _form_error("the reference does not name a field of the secret")

    def fetch(self, reference: Reference, deadline: float) -> bytes:
        """Fetch the secret's fields, as a JSON object with numbers as texts. Raises ProviderError."""
        wanted = _parse(reference)
        settings = Settings.from_environment()
        server = self._server(settings)
        token = self._sign_in.token(server, settings, deadline)
        try:
            fields = _fields(server, token, wanted, deadline)
        except ProviderError as error:
            if error.fault is Fault.NOT_SIGNED_IN:
                self._sign_in.forget(token)
            raise
        # JSON can hold half of a surrogate pair; `select` refuses it.
        raw = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        if len(raw) > MAX_FETCHED_BYTES:
            raise ProviderError(
                Fault.OTHER, f"the fields of the secret are larger than {MAX_FETCHED_BYTES // 1024} KiB"
            )
        return raw

    def select(self, raw: bytes, fragment: str | None) -> bytes:
        """Select the field that the fragment names. Raises ProviderError."""
        fields = json.loads(raw)
        name = decode_part(fragment or "")
        if name not in fields:
            raise ProviderError(
                Fault.NOT_FOUND,
                f"the secret does not have a field {name!r}",
                hint="write the name of one field after #; a dot in it is part of the name",
            )
        if not isinstance(fields[name], str | bool):
            raise ProviderError(Fault.OTHER, f"the field {name!r} is not a text, a number or a truth value")
        return json_at(raw, [fragment or ""])

    def _server(self, settings: Settings) -> Server:
        with self._lock:
            if settings not in self._servers:
                self._servers[settings] = Server(settings)
            return self._servers[settings]


def _parse(reference: Reference) -> _VaultSecret:
    path = list(reference.segments)
    if len(path) < 2:
        raise _form_error("the reference does not name a mount and a secret in it")
    if any(segment in ("", ".", "..") or "/" in segment or "\\" in segment for segment in path):
        raise _form_error("a segment of the path must not be empty, . or .., or contain a slash")
    query = reference.query
    version = query.pop("version", None)
    if query or (version is not None and not re.fullmatch("[1-9][0-9]{0,8}", version)):
        raise _form_error("the query must be a version, a number from 1 on")
    return _VaultSecret(path, version)


def _fields(server: Server, token: str, wanted: _VaultSecret, deadline: float) -> dict[str, Any]:
    """Return the fields of a secret. This takes two requests, one for its mount and one for the secret."""
    answer = server.ask([*_MOUNTS, *wanted.path], deadline, token=token)
    if answer.status == 403:
        raise _refused(server, token, answer, deadline, "the mount does not exist, or you may not read from it")
    if answer.status != 200:
        raise _other(answer, "the server does not answer which mounts it has")
    mount, versioned = _mount(answer, wanted.path)
    if not versioned:
        if wanted.version:
            raise ProviderError(Fault.OTHER, "the mount has no versions: it is KV version 1")
        path, query = wanted.path, ""
    else:
        path = [*mount, "data", *wanted.path[len(mount) :]]
        query = f"?version={wanted.version}" if wanted.version else ""
    answer = server.ask(path, deadline, token=token, query=query)
    if answer.status == 403:
        raise _refused(server, token, answer, deadline, "you may not read the secret")
    if answer.status == 404:
        raise _not_found(answer, wanted)
    if answer.status != 200:
        raise _other(answer, "the server refuses the request")
    found = answer.fields.get("data")
    if versioned and isinstance(found, dict):
        found = found.get("data")
    if not isinstance(found, dict):
        raise ProviderError(Fault.OTHER, "the answer does not have the format of a KV secrets engine")
    return found


def _mount(answer: Answer, path: list[str]) -> tuple[list[str], bool]:
    """Return the leading segments of the path that are the mount, and whether it has versions (KV version 2)."""
    found = answer.fields.get("data")
    data: dict[str, Any] = found if isinstance(found, dict) else {}
    named, options = data.get("path"), data.get("options")
    if data.get("type") not in _ENGINES or not isinstance(named, str):
        raise ProviderError(Fault.OTHER, "the mount is not a KV secrets engine")
    mount = named.strip("/").split("/")
    # The server may put the namespace from VAULT_NAMESPACE in front of the mount.
    while mount and path[: len(mount)] != mount:
        mount = mount[1:]
    if not mount:
        raise ProviderError(Fault.OTHER, "the path does not begin with the mount that the server names")
    if len(mount) == len(path):
        raise ProviderError(Fault.NOT_FOUND, "the path is a mount, not a secret in it")
    return mount, isinstance(options, dict) and options.get("version") == "2"


def _refused(server: Server, token: str, answer: Answer, deadline: float, message: str) -> ProviderError:
    """Return the error for status 403, which means that access is denied or that the token is not valid.

    Vault says which since 1.17. An older server is asked for the token itself, which the default policy permits.
    """
    valid = not answer.says("invalid token")
    if valid:
        try:
            asked = server.ask(
                ["auth", "token", "lookup-self"], min(deadline, time.monotonic() + _LOOK_UP_SECONDS), token=token
            )
            valid = asked.status != 403
        except ProviderError:
            pass
    if valid:
        return ProviderError(Fault.DENIED, message, hint="check the policies of your token, and VAULT_NAMESPACE")
    return ProviderError(
        Fault.NOT_SIGNED_IN,
        "the server refuses the token; it may have expired",
        hint="run: vault login; or set VAULT_TOKEN",
    )


def _not_found(answer: Answer, wanted: _VaultSecret) -> ProviderError:
    found = answer.fields.get("data")
    metadata = found.get("metadata") if isinstance(found, dict) else None
    which = f"version {wanted.version}" if wanted.version else "the newest version"
    if isinstance(metadata, dict):
        state = "destroyed" if metadata.get("destroyed") is True else "deleted"
        return ProviderError(Fault.NOT_FOUND, f"{which} of the secret is {state}")
    return ProviderError(Fault.NOT_FOUND, "there is no such secret" + (f", or no {which}" if wanted.version else ""))


def _other(answer: Answer, message: str) -> ProviderError:
    if answer.status == 404:
        return ProviderError(Fault.OTHER, message, hint="check VAULT_ADDR and VAULT_NAMESPACE")
    return ProviderError(Fault.OTHER, f"{message}: status {answer.status}")


def _form_error(message: str) -> FormatError:
    return FormatError(message, hint=f"use the form {Vault.form}")
