"""TLS to a Vault server: who is trusted, and what is shown to it."""

from __future__ import annotations

import ssl
from pathlib import Path

from pocket_protector.errors import Fault, ProviderError


def tls_context(authority: tuple[str, str, str], certificate: tuple[str, str]) -> ssl.SSLContext:
    """Certificates and names are always verified: against a file, a folder of files, or a text of PEM certificates, or
    else what the system trusts. `certificate` is the client's own file and that of its key. ProviderError if one cannot
    be used."""
    try:
        context = ssl.create_default_context(cadata=_trusted(*authority))
    except (OSError, ValueError):
        raise _unusable("the certificates that VAULT_CACERT, VAULT_CACERT_BYTES or VAULT_CAPATH names") from None
    if any(certificate):
        try:
            # A password, so that nobody is asked for one on the terminal: an encrypted key is not read.
            context.load_cert_chain(certificate[0], certificate[1] or None, password="")
        except (OSError, ValueError):
            raise _unusable("the certificate and key that VAULT_CLIENT_CERT and VAULT_CLIENT_KEY name") from None
    return context


def _trusted(file: str, folder: str, text: str) -> str | None:
    # In Vault's own order. Its folder is one of any files, not of OpenSSL's names.
    if file:
        text = Path(file).read_text("ascii")
    elif folder and not text:
        text = "\n".join(path.read_text("ascii") for path in sorted(Path(folder).iterdir()) if path.is_file())
    if not (file or folder or text):
        return None
    # With nothing in it, the system would be trusted instead.
    if not text.strip():
        raise ValueError
    return text


def _unusable(what: str) -> ProviderError:
    return ProviderError(Fault.OTHER, f"{what} cannot be read")
