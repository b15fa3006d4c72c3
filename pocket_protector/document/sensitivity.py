"""How carefully a value is to be handled, as its setters say (docs/format.md, section 4.11)."""

from __future__ import annotations

from enum import IntEnum

from pocket_protector.errors import FormatError


class Sensitivity(IntEnum):
    """From the least to the most: values may be printed (LOW and MEDIUM), are printed on a terminal only if that is
    asked for (HIGH), or reach a program and nothing else (INJECT_ONLY)."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2
    INJECT_ONLY = 3

    @property
    def word(self) -> str:
        """As people and the file write it."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def parse(cls, text: str) -> Sensitivity:
        """FormatError for another word than the four."""
        for sensitivity in cls:
            if text == sensitivity.word:
                return sensitivity
        raise FormatError(f"one of {', '.join(known.word for known in cls)} belongs here")

    def encode(self) -> bytes:
        """As a field of a statement: nothing for MEDIUM, which the file does not write either."""
        return b"" if self is Sensitivity.MEDIUM else self.word.encode()
