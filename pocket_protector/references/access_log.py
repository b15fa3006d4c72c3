"""What this user fetched from where, one JSON object a line, in the user's own folder (docs/references.md)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime

from pocket_protector import files
from pocket_protector.document.reference import Reference
from pocket_protector.document.times import format_time
from pocket_protector.errors import StoreError

FILE_NAME = "access.log"
_MOST_LINES = 100
MOST_BYTES = 10 * 1024 * 1024
"""Beyond that the log becomes `access.log.1`, in the place of the one before."""


class AccessLog:
    """Notes of what is fetched for one protected file, each made before it is fetched: who is killed meanwhile has
    fetched it all the same. `complete` is whether all could be written; a program must start where the user has no
    folder that can be written, too."""

    def __init__(self, path: str, now: Callable[[], datetime]) -> None:
        self._path = path
        self._now = now
        self.complete = True

    def note(self, references: Mapping[tuple[str, str], Reference]) -> None:
        """One line for each entry whose reference is about to be followed: its name and scheme. Of very many with one
        URI the last line says how many more there are: no file shall fill the log."""
        if not self.complete:
            return
        try:
            file, time = os.path.abspath(self._path), format_time(self._now())
            events = [
                {"time": time, "file": file, "domain": domain, "secret": name, "scheme": reference.scheme}
                for (domain, name), reference in list(references.items())[:_MOST_LINES]
            ]
            if len(references) > _MOST_LINES:
                events[-1]["more"] = str(len(references) - _MOST_LINES)
            lines = "".join(json.dumps(event) + "\n" for event in events)
            files.append_private(os.path.join(files.state_folder(), FILE_NAME), lines.encode(), MOST_BYTES)
        except (OSError, StoreError):
            self.complete = False
