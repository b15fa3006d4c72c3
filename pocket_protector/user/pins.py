"""Pins: this user's memory of protected files, in the user's own folder (docs/trust.md).

`pins/<file id in hex>` has the last judgement. Its first line is `pprotect-pin 2 <BLAKE2b-256 of the file's text in
hex>`, so an unchanged file is recognised without reading more. The output of `user.pin_format` follows.

`pending/<file id>` has the notices that no terminal has shown yet, a JSON list of texts (earlier versions: `untold`).

`confirmed/<file id>` exists if the user accepted the file, or made it.

`places/<hash>` has the file id for a place, so a replaced file is noticed. A place is a path in a git repository, the
same in all of its work trees.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from pocket_protector import files
from pocket_protector.crypto.encoding import lp
from pocket_protector.crypto.keys import DIGEST_BYTES, digest
from pocket_protector.document.document import FILE_ID_BYTES
from pocket_protector.errors import StoreError
from pocket_protector.format.loaded_file import MAX_FILE_BYTES

if TYPE_CHECKING:  # imported late: an unchanged file is recognised without it
    from pocket_protector.trust.judge.state import State

MAX_PIN_BYTES = 8 * MAX_FILE_BYTES
"""The text may grow in JSON, and the memory with the file's age."""

_MAX_PENDING_BYTES = 64 * 1024
# Together they stay below that: names may be long, and there may be thousands of them in one text.
_MOST_NOTICES, _MOST_NOTICE_CHARACTERS = 30, 500

_HEAD = "pprotect-pin 2 "
_HEAD_1 = "pprotect-pin 1 "
_HEAD_BYTES = len(_HEAD) + 2 * DIGEST_BYTES + 1

_FORGET = "compare the fingerprints with their owners again, then: pprotect trust accept"


class Pin:
    """The pin of the file at a path."""

    def __init__(self, path: str, folder: str | None = None) -> None:
        self._folder = folder or files.state_folder()
        place = files.place_in_git(path)
        self._place = os.path.join(self._folder, "places", digest(lp(*map(os.fsencode, place))).hex())
        self._seen: bytes | None = None

    def file_id(self) -> bytes | None:
        """Return the id of the file that this user saw at this place, or None."""
        if not os.path.lexists(self._place):
            return None
        text = files.read(self._place, 64).decode(errors="replace").strip()
        if not re.fullmatch(rf"[0-9a-f]{{{2 * FILE_ID_BYTES}}}", text):
            raise _damaged(self._place)
        return bytes.fromhex(text)

    def is_current(self, file_id: bytes, text: str) -> bool:
        """Return whether the file is the pinned one, byte for byte."""
        path = self._path(file_id)
        return os.path.lexists(path) and files.read_start(path, _HEAD_BYTES) == _head(text)

    def read(self, file_id: bytes) -> State | None:
        """Return the last judged state, or None for a file that is new to this user.

        Raises StoreError if the pin is damaged.
        """
        path = self._path(file_id)
        if not os.path.lexists(path):
            return None
        from pocket_protector.user.pin_format import decode_pin

        self._seen = files.read(path, MAX_PIN_BYTES)
        first, _, rest = self._seen.partition(b"\n")
        try:
            version = 1 if first.startswith(_HEAD_1.encode()) else 2
            text, state = decode_pin(rest, version)
        except StoreError:
            raise _damaged(path) from None
        if first + b"\n" != _head(text, _HEAD_1 if version == 1 else _HEAD):
            raise _damaged(path)
        return state

    def write(self, file_id: bytes, text: str, state: State, *, over_damage: bool = False) -> None:
        """Pin the judged state of the file with this text.

        If another process moved the pin since `read`, that pin stays, and the next command judges again.
        """
        from pocket_protector.user.pin_format import encode_pin

        pin = _head(text) + encode_pin(text, state.memory)
        if len(pin) > MAX_PIN_BYTES:
            raise StoreError(f"your record of this file takes more than {MAX_PIN_BYTES} bytes", hint=_FORGET)
        self._replace(self._path(file_id), pin, lambda old: over_damage or old == self._seen)
        self._replace(self._place, file_id.hex().encode() + b"\n", lambda _: True)

    def is_confirmed(self, file_id: bytes) -> bool:
        """Return whether the user accepted or made the file, and did not only come across it."""
        return os.path.lexists(os.path.join(self._folder, "confirmed", file_id.hex()))

    def confirm(self, file_id: bytes) -> None:
        """Record that the user accepted or made the file."""
        self._replace(os.path.join(self._folder, "confirmed", file_id.hex()), b"\n", lambda _: True)

    def pending(self, file_id: bytes) -> list[str]:
        """Return the notices that perhaps nobody has read yet; for a damaged list, a notice about the damage."""
        path = self._pending_path(file_id)
        if not os.path.lexists(path):
            path = os.path.join(self._folder, "untold", file_id.hex())
        if not os.path.lexists(path):
            return []
        try:
            found = json.loads(files.read(path, _MAX_PENDING_BYTES))
        except (ValueError, RecursionError, StoreError):
            found = None
        if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
            return [f"note: {path} is damaged: pending notices were lost"]
        return found

    def set_pending(self, file_id: bytes, texts: list[str]) -> None:
        """Keep these notices as the pending ones, as many as fit; keep none if the list is empty."""
        path = self._pending_path(file_id)
        if texts:
            kept = [text[:_MOST_NOTICE_CHARACTERS] for text in texts[:_MOST_NOTICES]]
            more = [f"note: and {len(texts) - len(kept)} more"] if len(texts) > len(kept) else []
            self._replace(path, json.dumps([*kept, *more], ensure_ascii=False).encode(), lambda _: True)
        else:
            files.remove(path)
        files.remove(os.path.join(self._folder, "untold", file_id.hex()))

    def _replace(self, path: str, raw: bytes, wanted: Callable[[bytes | None], bool]) -> None:
        files.make_private_folder(os.path.dirname(path))
        with files.replacing(path) as target:
            old = target.read(MAX_PIN_BYTES)
            if old != raw and wanted(old):
                target.replace(raw)

    def _pending_path(self, file_id: bytes) -> str:
        return os.path.join(self._folder, "pending", file_id.hex())

    def _path(self, file_id: bytes) -> str:
        return os.path.join(self._folder, "pins", file_id.hex())


def _head(text: str, start: str = _HEAD) -> bytes:
    """Return the first line of the pin of a file with this text."""
    return f"{start}{digest(text.encode()).hex()}\n".encode()


def _damaged(path: str) -> StoreError:
    return StoreError(f"{path} is damaged: your record of this file cannot be read", hint=_FORGET)
