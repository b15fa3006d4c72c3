"""Notices: the messages of a guarded file to its user, besides results and errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """The importance of a notice: a warning reports a change that nobody authorized."""

    NOTE = "note"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Notice:
    """One text for the user, with a hint about the next step, or "".

    A notice names objects, and never holds a value.
    """

    level: Level
    text: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.level.value}: {self.text}" + (f"\n  {self.hint}" if self.hint else "")

    @classmethod
    def parse(cls, text: str) -> Notice:
        """Return the notice from the text that its `str` made; any other text becomes a note."""
        first, _, hint = text.partition("\n  ")
        for level in Level:
            if first.startswith(f"{level.value}: "):
                return cls(level, first.removeprefix(f"{level.value}: "), hint)
        return cls(Level.NOTE, text)


Tell = Callable[[Notice], None]
"""Takes a notice when it arises: the command line prints it, a program may collect it (`notices.append`)."""


def note(text: str, hint: str = "") -> Notice:
    """Return a notice for the user's information."""
    return Notice(Level.NOTE, text, hint)


def warning(text: str, hint: str = "") -> Notice:
    """Return a notice of an unauthorized change."""
    return Notice(Level.WARNING, text, hint)


def ignore(_: Notice) -> None:
    """Drop a notice."""
