"""A secret that is to be set, before it is sealed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity


class SetMode(Enum):
    """Whether a secret that is set must be new, must exist, or may be either."""

    ADD = "add"
    UPDATE = "update"
    ADD_OR_UPDATE = "set"


@dataclass(frozen=True, slots=True, repr=False)
class NewSecret:
    """A value, or a reference to one, and its place. Without a sensitivity it keeps its own, or gets the medium one."""

    domain: str
    name: str
    content: str | Reference
    sensitivity: Sensitivity | None = None

    def __repr__(self) -> str:
        return f"<NewSecret {self.name!r} of {self.domain!r}>"
