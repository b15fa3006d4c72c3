"""What this user fetched from where, one JSON object a line, in the user's own folder (docs/references.md)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from pocket_protector import files
from pocket_protector.errors import StoreError
from pocket_protector.model.reference import Reference
from pocket_protector.model.times import format_time

if TYPE_CHECKING:
    from pocket_protector.resolving import Resolved

FILE_NAME = "access.log"
MOST_BYTES = 10 * 1024 * 1024
"""Beyond that the log becomes `access.log.1`, in the place of the one before."""


def record(path: str, references: Mapping[tuple[str, str], Reference], resolved: Resolved, now: datetime) -> bool:
    """One line for each reference of a protected file that was to be resolved: its name and scheme, never its value.
    Whether they were written: a program must start where the user has no folder that can be written, too."""
    failures = resolved.failures
    events = [
        {
            "time": format_time(now),
            "file": os.path.abspath(path),
            "domain": domain,
            "secret": name,
            "scheme": reference.scheme,
            "outcome": failures[domain, name].fault.value if (domain, name) in failures else "resolved",
        }
        for (domain, name), reference in references.items()
        if (domain, name) in failures or (domain, name) in resolved.values
    ]
    if not events:
        return True
    lines = "".join(json.dumps(event) + "\n" for event in events)
    try:
        files.append_private(os.path.join(files.state_folder(), FILE_NAME), lines.encode(), MOST_BYTES)
    except StoreError:
        return False
    return True
