"""Whom this user handed packages to and took them from, and which tokens were used, kept in the user's own folder
(docs/packages.md).

`known-senders` and `known-recipients` have a line `FINGERPRINT NAME` for each key; `used-tokens/` has an empty file for
each token, whose name tells nothing of it.
"""

from __future__ import annotations

import os

from pocket_protector import files
from pocket_protector.crypto.encoding import LABEL_PREFIX, lp
from pocket_protector.crypto.keys import digest
from pocket_protector.errors import PolicyError, StoreError
from pocket_protector.packages.token import Token

SENDERS, RECIPIENTS = "known-senders", "known-recipients"

_MOST_BYTES = 1024 * 1024
_LABEL = LABEL_PREFIX + b"used-token"


class KnownKeys:
    """The fingerprints that belong to names, as text without white space: SENDERS or RECIPIENTS."""

    def __init__(self, kind: str) -> None:
        self._path = os.path.join(files.state_folder(), kind)

    def of(self, name: str) -> set[str]:
        """Those that were remembered for a name."""
        return {fingerprint for fingerprint, known in self._read() if known == name}

    def remember(self, name: str, fingerprint: str) -> None:
        """From now on; StoreError if it cannot be kept."""
        if fingerprint in self.of(name):
            return
        files.make_private_folder(os.path.dirname(self._path))
        with files.replacing(self._path) as target:
            target.replace((target.read(_MOST_BYTES) or b"") + f"{fingerprint} {name}\n".encode())

    def _read(self) -> list[tuple[str, str]]:
        if not os.path.lexists(self._path):
            return []
        try:
            lines = files.read(self._path, _MOST_BYTES).decode().splitlines()
        except UnicodeDecodeError:
            lines = [""]
        pairs = [line.partition(" ") for line in lines]
        if not all(fingerprint and name for fingerprint, _, name in pairs):
            raise StoreError(f"{self._path} is damaged", hint="remove it: fingerprints are asked for again")
        return [(fingerprint, name) for fingerprint, _, name in pairs]


class UsedToken:
    """A token that is being used; on this machine nobody uses it again unless it is `released`."""

    def __init__(self, token: Token) -> None:
        name = digest(lp(_LABEL, token.package_id, token.secret)).hex()
        self._path = os.path.join(files.state_folder(), "used-tokens", name)

    def claim(self) -> None:
        """PolicyError if it was used before; of two at the same time one has it."""
        files.make_private_folder(os.path.dirname(self._path))
        if os.path.lexists(self._path):
            raise _used()
        try:
            files.create_private(self._path, b"")
        except StoreError:
            if os.path.lexists(self._path):
                raise _used() from None
            raise

    def release(self) -> None:
        """Nothing came of it."""
        files.remove(self._path)


def _used() -> PolicyError:
    return PolicyError("the token was used before, and is good for once", hint="ask the sender for another package")
