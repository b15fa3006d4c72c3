"""Sensitivities: how carefully to handle a value (docs/format.md, section 4.11)."""

from __future__ import annotations

from enum import IntEnum

from pocket_protector.errors import FormatError


class Sensitivity(IntEnum):
    """A value's sensitivity, from the least to the most.

    LOW and MEDIUM values may be printed. HIGH ones are printed on a terminal only on request. INJECT_ONLY ones reach
    programs only.
    """

    LOW = 0
    MEDIUM = 1
    HIGH = 2
    INJECT_ONLY = 3

    @property
    def word(self) -> str:
        """The word that people and the file use."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def parse(cls, text: str) -> Sensitivity:
        """Parse one of the four words; FormatError for any other."""
        for sensitivity in cls:
            if text == sensitivity.word:
                return sensitivity
        raise FormatError(f"one of {', '.join(known.word for known in cls)} belongs here")

    def encode(self) -> bytes:
        """Encode as a field of a statement: empty for MEDIUM, which the file does not write either."""
        return b"" if self is Sensitivity.MEDIUM else self.word.encode()
