"""The package tokens already used by this user, in the user's own folder (docs/packages.md).

`used-tokens/` has an empty file for each token. The file's name is a digest and reveals nothing about the token.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from pocket_protector import files
from pocket_protector.crypto.encoding import LABEL_PREFIX, lp
from pocket_protector.crypto.keys import digest
from pocket_protector.errors import PolicyError
from pocket_protector.packages.token import Token

_MOST_BYTES = 1024
_LABEL = LABEL_PREFIX + b"used-token"


class TokenUse:
    """A token while it is in use.

    It counts as used once `finish` has run. If the process dies earlier, the token can be used again.
    """

    def __init__(self, path: str, target: files.Target) -> None:
        self._path = path
        self._target = target

    def finish(self) -> None:
        """Mark the token as used, on this machine."""
        self._target.replace(b"")

    def undo(self) -> None:
        """Undo `finish`, because the use failed after all."""
        files.remove(self._path)


@contextmanager
def using(token: Token) -> Iterator[TokenUse]:
    """Hold the token for one use; another process that wants it waits.

    Raises PolicyError if the token was used before.
    """
    name = digest(lp(_LABEL, token.package_id, token.secret)).hex()
    path = os.path.join(files.state_folder(), "used-tokens", name)
    files.make_private_folder(os.path.dirname(path))
    with files.replacing(path) as target:
        if target.read(_MOST_BYTES) is not None:
            raise PolicyError(
                "the token was used before, and is good for once", hint="ask the sender for another package"
            )
        yield TokenUse(path, target)
