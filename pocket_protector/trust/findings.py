"""What a judgement of a file says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How much a finding matters: a violation was not authorised, and blocks writing; to one that needs attention
    somebody should look; the rest is information."""

    INFO = 1
    ATTENTION = 2
    VIOLATION = 3

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a judgement says.

    `code` names the kind, such as `domain-key-replaced`. `where` is the object: its kind, then its names, such as
    `("secret", "dev", "db-password")`; kinds and names are those of the audit log's sections. `text` says what
    changed, who signed it, and why that is or is not allowed; `hint` what to do.
    """

    severity: Severity
    code: str
    where: tuple[str, ...]
    text: str
    hint: str = ""
