"""What this user has seen of protected files, kept in the user's own folder (docs/trust.md).

`pins/<file id in hex>` has what was judged last; `places/<hash>` says which file id was seen at a place, which is the
path in a git repository, whichever of its work trees, so that another file in the place of one is noticed.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from pocket_protector import files
from pocket_protector.crypto.encoding import lp
from pocket_protector.crypto.keys import digest
from pocket_protector.errors import StoreError
from pocket_protector.trust.pins import HEAD_BYTES, MAX_PIN_BYTES, decode_pin, encode_pin, head
from pocket_protector.trust.state import State

STATE_VARIABLE = "PPROTECT_STATE_DIR"

_FORGET = "compare the fingerprints with their owners again, then: pprotect trust accept"


def state_folder() -> str:
    """PPROTECT_STATE_DIR, else `pprotect` in XDG_STATE_HOME, else in ~/.local/state (XDG Base Directory, 0.8)."""
    chosen = os.environ.get(STATE_VARIABLE)
    if chosen:
        return chosen
    base = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(base, "pprotect")


class Pin:
    """The pin of the file at a path."""

    def __init__(self, path: str, folder: str | None = None) -> None:
        self._folder = folder or state_folder()
        place = files.place_in_git(path)
        self._place = os.path.join(self._folder, "places", digest(lp(*map(os.fsencode, place))).hex())
        self._seen: bytes | None = None

    def file_id(self) -> bytes | None:
        """The id of the file that was seen at this place; None if none was."""
        if not os.path.lexists(self._place):
            return None
        try:
            return bytes.fromhex(files.read(self._place, 64).decode().strip())
        except ValueError:
            raise _damaged(self._place) from None

    def is_current(self, file_id: bytes, text: str) -> bool:
        """Whether the file is, to the byte, the one that was pinned."""
        path = self._path(file_id)
        return os.path.lexists(path) and files.read_start(path, HEAD_BYTES) == head(text)

    def read(self, file_id: bytes) -> State | None:
        """What was judged last; None for a file that was not seen. StoreError for a pin that is damaged."""
        path = self._path(file_id)
        if not os.path.lexists(path):
            return None
        self._seen = files.read(path, MAX_PIN_BYTES)
        try:
            return decode_pin(self._seen)
        except StoreError:
            raise _damaged(path) from None

    def write(self, file_id: bytes, text: str, state: State, *, over_damage: bool = False) -> None:
        """Keep what was judged of the file with this text. If another process moved the pin since `read`, that stays:
        the next command judges again."""
        self._replace(self._path(file_id), encode_pin(text, state.memory), lambda old: over_damage or old == self._seen)
        self._replace(self._place, file_id.hex().encode() + b"\n", lambda _: True)

    def _replace(self, path: str, raw: bytes, wanted: Callable[[bytes | None], bool]) -> None:
        files.make_private_folder(os.path.dirname(path))
        with files.replacing(path) as target:
            old = target.read(MAX_PIN_BYTES)
            if old != raw and wanted(old):
                target.replace(raw)

    def _path(self, file_id: bytes) -> str:
        return os.path.join(self._folder, "pins", file_id.hex())


def _damaged(path: str) -> StoreError:
    return StoreError(f"{path} is damaged: what was seen of this file before cannot be told", hint=_FORGET)
