"""Which tokens of packages this user has used: `used-tokens/` has an empty file for each (docs/packages.md).

The name of such a file is a digest, which tells nothing of the token.
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
