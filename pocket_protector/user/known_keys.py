"""The keys that this user knows, in the user's own folder (docs/packages.md).

The files `known-senders` and `known-recipients` have a line `FINGERPRINT NAME` for each key.
"""

from __future__ import annotations

import os

from pocket_protector import files
from pocket_protector.errors import StoreError

SENDERS, RECIPIENTS = "known-senders", "known-recipients"

_MOST_BYTES = 1024 * 1024


class KnownKeys:
    """The fingerprint that the user knows for each name. `kind` is SENDERS or RECIPIENTS."""

    def __init__(self, kind: str) -> None:
        self._path = os.path.join(files.state_folder(), kind)

    def fingerprint_of(self, name: str) -> str | None:
        """Return the remembered fingerprint for a name, or None.

        Raises StoreError if the file is damaged.
        """
        if not os.path.lexists(self._path):
            return None
        return self._parse(files.read(self._path, _MOST_BYTES)).get(name)

    def remember(self, name: str, fingerprint: str) -> None:
        """Remember a fingerprint, a text without white space, in place of an earlier one.

        Raises StoreError if the file cannot be written.
        """
        if self.fingerprint_of(name) == fingerprint:
            return
        files.make_private_folder(os.path.dirname(self._path))
        with files.replacing(self._path) as target:
            keys = self._parse(target.read(_MOST_BYTES) or b"") | {name: fingerprint}
            raw = "".join(f"{known} {name}\n" for name, known in keys.items()).encode()
            if len(raw) > _MOST_BYTES:
                raise StoreError(f"{self._path} would have more than {_MOST_BYTES} bytes", hint="remove some lines")
            target.replace(raw)

    def _parse(self, raw: bytes) -> dict[str, str]:
        pairs = [line.partition(" ") for line in raw.decode(errors="replace").splitlines()]
        if not all(fingerprint and name for fingerprint, _, name in pairs):
            raise StoreError(f"{self._path} is damaged", hint="remove it: fingerprints are asked for again")
        return {name: fingerprint for fingerprint, _, name in pairs}
