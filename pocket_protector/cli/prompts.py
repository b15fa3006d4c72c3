"""Questions: on the terminal, or answered by the lines of stdin in the same order."""

from __future__ import annotations

import sys
from io import FileIO

from pocket_protector.cli import output
from pocket_protector.cli.usage import UsageError
from pocket_protector.document.domain import MAX_VALUE_BYTES

_LONGEST_ANSWER = MAX_VALUE_BYTES + 2


class NoAnswerError(UsageError):
    """A question that had to be answered was not."""


class Prompts:
    """Asks for what the command line did not give. `option` names what to give instead, for the error."""

    def __init__(self, *, silent: bool, yes: bool) -> None:
        self.terminal = sys.stdin is not None and sys.stdin.isatty()
        # Without a buffer, so that a program which is run finds everything behind the answers.
        self._stdin = None if sys.stdin is None else FileIO(sys.stdin.fileno(), closefd=False)
        self._silent = silent
        self._yes = yes
        self._must_be_last = False

    def line(self, label: str, option: str) -> str:
        """One visible answer."""
        if self.terminal:
            self._refuse_if_silent(label, option)
            show(f"{label}: ")
        return self._next_line(label, option)

    def hidden(self, label: str, option: str, *, confirm: bool = False) -> str:
        """One answer that the terminal does not show; with `confirm`, typed twice."""
        answer = self._hidden(label, option)
        if confirm and self._hidden(f"Retype {label.lower()}", option) != answer:
            raise UsageError("the two do not match", hint="nothing was written; repeat the command")
        return answer

    def value(self, label: str, option: str) -> str:
        """A secret's value. From stdin it is one line, and nothing may be left after the last answer."""
        self._must_be_last = not self.terminal
        return self._hidden(label, option)

    def rest(self, most: int, option: str) -> bytes:
        """What is left of stdin, up to `most` bytes and one more."""
        if self._stdin is None:
            raise UsageError(f"stdin is closed, and {option} - reads from it", hint=f"{option} PATH")
        read = bytearray()
        while len(read) <= most and (part := self._stdin.read(most + 1 - len(read))):
            read += part
        return bytes(read)

    def agreed(self, question: str) -> bool:
        """Whether the answer is yes; `--yes` gives it."""
        return self._yes or self.line(f"{question} [y/N]", "--yes").strip().lower().startswith("y")

    def confirmed(self, question: str, option: str) -> bool:
        """Whether a person at the terminal says yes now; `--yes` does not."""
        return self.terminal and self.line(f"{question} [y/N]", option).strip().lower() in ("y", "yes")

    def finish(self) -> None:
        """All questions are asked. UsageError if a value came from stdin and something stands behind it."""
        if self._must_be_last and self._stdin is not None and self._stdin.read(1):
            raise UsageError(
                "more than one line on stdin: the value would be cut", hint="--from-file - takes all of it"
            )

    def _hidden(self, label: str, option: str) -> str:
        if not self.terminal:
            return self._next_line(label, option)
        self._refuse_if_silent(label, option)
        from getpass import getpass

        try:
            return getpass(f"{label}: ")
        except EOFError:
            raise NoAnswerError(f"no answer to {label!r}", hint=f"give {option}") from None
        except UnicodeDecodeError:
            raise _not_text(label) from None

    def _next_line(self, label: str, option: str) -> str:
        raw = self._stdin.readline(_LONGEST_ANSWER) if self._stdin is not None else b""
        if not raw:
            if self.terminal:
                show("\n")
                raise NoAnswerError(f"no answer to {label!r}", hint=f"give {option}")
            raise NoAnswerError(f"stdin ended before the answer to {label!r}", hint=f"give {option}")
        try:
            return raw.decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            raise _not_text(label) from None

    def _refuse_if_silent(self, label: str, option: str) -> None:
        if self._silent:
            raise NoAnswerError(
                f"{label!r} is missing, and --non-interactive allows no question", hint=f"give {option}"
            )


def show(text: str) -> None:
    """On the terminal itself, wherever stdout and stderr go."""
    try:
        with open("/dev/tty", "w", encoding="utf-8") as terminal:
            terminal.write(output.printable(text))
    except OSError:
        output.note(text, end="")


def _not_text(label: str) -> UsageError:
    return UsageError(f"the answer to {label!r} is not UTF-8 text")
