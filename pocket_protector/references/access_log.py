"""Log each reference that this user follows, one JSON object per line, in the user's folder (docs/references.md)."""

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
"""The limit of the log. A log that reaches it is renamed to `access.log.1` and replaces the previous one."""


class AccessLog:
    """The access log for the references of one protected file.

    A line is written before its value is fetched, so that a killed process leaves it too. `complete` is False once a
    line could not be written: a program must start even where the user's folder is read-only.
    """

    def __init__(self, path: str, now: Callable[[], datetime]) -> None:
        self._path = path
        self._now = now
        self.complete = True

    def note(self, references: Mapping[tuple[str, str], Reference]) -> None:
        """Log the names and schemes of entries whose references are about to be followed.

        Beyond 100 entries of one URI the last line has the number of the others, so that no file can fill the log.
        """
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
