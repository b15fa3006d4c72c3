"""Read the address of a Vault or OpenBao server from the variables of its own client.

They follow "Vault CLI", "Environment variables". OpenBao's client has the same ones with the prefix `BAO_`, and prefers
a `BAO_` variable, even an empty one, to the `VAULT_` variable of the same name.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from pocket_protector.errors import Fault, ProviderError
from pocket_protector.references.providers.loopback import is_loopback

DEFAULT_ADDRESS = "https://127.0.0.1:8200"


def variable(name: str) -> str:
    """Return BAO_`name` if it is set, else VAULT_`name`, or "" if neither is set."""
    return os.environ.get(f"BAO_{name}", os.environ.get(f"VAULT_{name}", ""))


# No repr: the URL of a proxy may contain a password.
@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """The address of the server and the certificates to verify it with, all from variables."""

    host: str
    port: int
    secure: bool
    prefix: str
    namespace: str
    proxy: str
    server_name: str
    authority: tuple[str, str, str]
    """A file, a folder and a text of PEM certificates; unused ones are empty."""
    certificate: tuple[str, str]

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the variables. Raises ProviderError for an http address outside loopback, and for an invalid value."""
        try:
            parts = urlsplit(variable("ADDR") or DEFAULT_ADDRESS)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            parts, host, port = urlsplit(""), "", None
        secure = parts.scheme == "https"
        if not host or not (secure or (parts.scheme == "http" and is_loopback(host))):
            raise _configuration("VAULT_ADDR is not a valid https address (http is for loopback only)")
        if parts.username is not None or parts.query or parts.fragment or not re.fullmatch(r"[!-~]*", parts.path):
            raise _configuration("VAULT_ADDR must have only a host, a port and a path")
        namespace = variable("NAMESPACE")
        if not re.fullmatch(r"[!-~]*", namespace):
            raise _configuration("VAULT_NAMESPACE must have only printable ASCII characters")
        return cls(
            host=host,
            port=port or (443 if secure else 80),
            secure=secure,
            prefix=parts.path.rstrip("/"),
            namespace=namespace,
            proxy=_proxy(host) if secure else "",
            server_name=variable("TLS_SERVER_NAME"),
            authority=(variable("CACERT"), variable("CAPATH"), variable("CACERT_BYTES")),
            certificate=(variable("CLIENT_CERT"), variable("CLIENT_KEY")),
        )


def _proxy(host: str) -> str:
    """Return the URL of the proxy for the encrypted connection, or "". A server on this machine needs none."""
    from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

    proxies = getproxies_environment()
    if is_loopback(host) or proxy_bypass_environment(host, proxies):
        return ""
    return variable("PROXY_ADDR") or proxies.get("https", "")


def _configuration(message: str) -> ProviderError:
    return ProviderError(Fault.OTHER, message)
