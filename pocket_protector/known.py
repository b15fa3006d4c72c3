"""Whom this user handed packages to and took them from, and which tokens were used, kept in the user's own folder
(docs/packages.md).

`known-senders` and `known-recipients` have a line `FINGERPRINT NAME` for each key; `used-tokens/` has an empty file for
each token, whose name tells nothing of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from pocket_protector import files
from pocket_protector.crypto.encoding import LABEL_PREFIX, lp
from pocket_protector.crypto.keys import digest
from pocket_protector.errors import PolicyError, StoreError
from pocket_protector.packages.token import Token

SENDERS, RECIPIENTS = "known-senders", "known-recipients"

_MOST_BYTES = 1024 * 1024
_LABEL = LABEL_PREFIX + b"used-token"


class KnownKeys:
    """The fingerprint that belongs to a name, as text without white space: SENDERS or RECIPIENTS."""

    def __init__(self, kind: str) -> None:
        self._path = os.path.join(files.state_folder(), kind)

    def of(self, name: str) -> str | None:
        """The one that was remembered for a name."""
        if not os.path.lexists(self._path):
            return None
        return self._parse(files.read(self._path, _MOST_BYTES)).get(name)

    def remember(self, name: str, fingerprint: str) -> None:
        """From now on, in the place of another; StoreError if it cannot be kept."""
        if self.of(name) == fingerprint:
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


class TokenUse:
    """A token that is about to be used. It counts as used from `finish` on: whoever is killed before has it still."""

    def __init__(self, path: str, target: files.Target) -> None:
        self._path = path
        self._target = target

    def finish(self) -> None:
        """On this machine nobody uses it again."""
        self._target.replace(b"")

    def undo(self) -> None:
        """Nothing came of it after all."""
        files.remove(self._path)


@contextmanager
def using(token: Token) -> Iterator[TokenUse]:
    """While this lasts nobody else uses the token; of two at the same time one waits. PolicyError if it was used."""
    name = digest(lp(_LABEL, token.package_id, token.secret)).hex()
    path = os.path.join(files.state_folder(), "used-tokens", name)
    files.make_private_folder(os.path.dirname(path))
    with files.replacing(path) as target:
        if target.read(_MOST_BYTES) is not None:
            raise PolicyError(
                "the token was used before, and is good for once", hint="ask the sender for another package"
            )
        yield TokenUse(path, target)
