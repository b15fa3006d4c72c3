"""TLS to a Vault server: trusted certificates, and the client's own."""

from __future__ import annotations

import ssl
from pathlib import Path

from pocket_protector.errors import Fault, ProviderError


def tls_context(authority: tuple[str, str, str], certificate: tuple[str, str]) -> ssl.SSLContext:
    """Return a context that verifies the certificate and name of the server.

    `authority` is a file, a folder of files, and a text of PEM certificates; if all are empty, the certificates of the
    system count. `certificate` is the client's own file and that of its key, or empty. Raises ProviderError if one
    cannot be read.
    """
    try:
        context = ssl.create_default_context(cadata=_trusted(*authority))
    except (OSError, ValueError):
        raise _unusable("the certificates of VAULT_CACERT, VAULT_CACERT_BYTES or VAULT_CAPATH") from None
    if any(certificate):
        try:
            # An empty password, so that OpenSSL does not prompt for one: encrypted keys are not supported.
            context.load_cert_chain(certificate[0], certificate[1] or None, password="")
        except (OSError, ValueError):
            raise _unusable("the certificate and key of VAULT_CLIENT_CERT and VAULT_CLIENT_KEY") from None
    return context


def _trusted(file: str, folder: str, text: str) -> str | None:
    # Vault's own order of precedence. Its folder has files of any names, not OpenSSL's hashes.
    if file:
        text = Path(file).read_text("ascii")
    elif folder and not text:
        text = "\n".join(path.read_text("ascii") for path in sorted(Path(folder).iterdir()) if path.is_file())
    if not (file or folder or text):
        return None
    # OpenSSL would use the system's certificates instead of an empty text.
    if not text.strip():
        raise ValueError
    return text


def _unusable(certificates: str) -> ProviderError:
    return ProviderError(Fault.OTHER, f"{certificates} cannot be read")
