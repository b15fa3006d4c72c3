"""Questions: asked on the terminal, or answered by the lines of stdin in the same order."""

from __future__ import annotations

import sys
from io import FileIO

from pocket_protector.cli import output
from pocket_protector.cli.usage import UsageError
from pocket_protector.document.domain import MAX_VALUE_BYTES

_LONGEST_ANSWER = MAX_VALUE_BYTES + 2


class NoAnswerError(UsageError):
    """A question has no answer."""


class Prompts:
    """Asks for missing arguments and options. Errors name `option` as the way to give it."""

    def __init__(self, *, silent: bool, yes: bool) -> None:
        self.terminal = sys.stdin is not None and sys.stdin.isatty()
        # Unbuffered: a program started by `run` can then read the lines after the answers.
        self._stdin = None if sys.stdin is None else FileIO(sys.stdin.fileno(), closefd=False)
        self._silent = silent
        self._yes = yes
        self._must_be_last = False

    def line(self, label: str, option: str) -> str:
        """Return one answer; the terminal shows it."""
        if self.terminal:
            self._refuse_if_silent(label, option)
            show(f"{label}: ")
        return self._next_line(label, option)

    def hidden(self, label: str, option: str, *, confirm: bool = False) -> str:
        """Return one answer without showing it on the terminal. With `confirm`, the user must type it twice."""
        answer = self._hidden(label, option)
        if confirm and self._hidden(f"Retype {label.lower()}", option) != answer:
            raise UsageError("the two do not match", hint="nothing was written; repeat the command")
        return answer

    def value(self, label: str, option: str) -> str:
        """Return a secret's value. On stdin it must be one line, and the last."""
        self._must_be_last = not self.terminal
        return self._hidden(label, option)

    def rest(self, most: int, option: str) -> bytes:
        """Return the rest of stdin: at most `most` + 1 bytes, so the caller can tell if there is more."""
        if self._stdin is None:
            raise UsageError(f"stdin is closed, and {option} - reads from it", hint=f"{option} PATH")
        read = bytearray()
        while len(read) <= most and (part := self._stdin.read(most + 1 - len(read))):
            read += part
        return bytes(read)

    def agreed(self, question: str) -> bool:
        """Return whether the answer is yes. `--yes` answers yes."""
        return self._yes or self.line(f"{question} [y/N]", "--yes").strip().lower().startswith("y")

    def confirmed(self, question: str, option: str) -> bool:
        """Return whether a person at the terminal answers yes. `--yes` does not count."""
        return self.terminal and self.line(f"{question} [y/N]", option).strip().lower() in ("y", "yes")

    def finish(self) -> None:
        """End the questions. Raises UsageError if a value came from stdin and another line follows it."""
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
    """Write to the terminal itself, wherever stdout and stderr go."""
    try:
        with open("/dev/tty", "w", encoding="utf-8") as terminal:
            terminal.write(output.printable(text))
    except OSError:
        output.note(text, end="")


def _not_text(label: str) -> UsageError:
    return UsageError(f"the answer to {label!r} is not UTF-8 text")
