"""stdout is data, stderr is everything else; names are shown with control characters replaced."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterable, Sequence

from pocket_protector.user.notices import Notice

SCHEMA = 1


class UnwritableError(OSError):
    """stdout is closed, full or gone."""


def printable(text: str) -> str:
    """`text` with every character that a terminal might act on replaced by U+FFFD; line ends stay."""
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)


def data(content: str | bytes) -> None:
    """Write to stdout as it is: no markup, no wrapping, no translation of line ends."""
    if sys.stdout is None:
        raise UnwritableError(errno.EBADF, "stdout is closed")
    try:
        sys.stdout.buffer.write(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        raise UnwritableError(error.errno, error.strerror) from None


def flush() -> None:
    """See that what was written has arrived."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        raise UnwritableError(error.errno, error.strerror) from None


def lines(items: Iterable[str]) -> None:
    """One item a line: a line end inside an item is replaced too, so that none can pass for two."""
    data("".join(printable(item).replace("\n", "\ufffd") + "\n" for item in items))


def table(rows: Sequence[Sequence[str]]) -> None:
    """One row a line, its cells in columns that are as wide as the widest cell."""
    shown = [[printable(cell).replace("\n", "\ufffd") for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in shown)
    data("".join(line.rstrip() + "\n" for line in padded))


def listing(name: str, content: object) -> None:
    """One JSON object with a `schema` number."""
    data(json.dumps({"schema": SCHEMA, name: content}, indent=2) + "\n")


def note(text: str, end: str = "\n") -> None:
    """One line or more for the person at the terminal; nothing, if nobody can read it."""
    try:
        if sys.stderr is not None:
            sys.stderr.write(printable(text) + end)
            sys.stderr.flush()
    except OSError:
        discard(2)


def notice(notice: Notice) -> None:
    """Print a notice of a guarded file."""
    note(str(notice))


def progress(text: str, *, last: bool) -> None:
    """One line that takes the place of the one before, on a terminal only."""
    try:
        if sys.stderr is not None and sys.stderr.isatty():
            sys.stderr.write(f"\r{printable(text)}" + ("\n" if last else ""))
            sys.stderr.flush()
    except OSError:
        discard(2)


def discard(descriptor: int) -> None:
    """What Python still buffers for stdout (1) or stderr (2), and all that follows, goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def failure(message: str, hint: str = "") -> None:
    """One line each: names may hold line ends."""
    note("error: " + message.replace("\n", "\ufffd"))
    if hint:
        note("hint: " + hint.replace("\n", "\ufffd"))


def show_diff(diff: Iterable[str]) -> None:
    """A unified diff on stderr, coloured on a terminal that wants it."""
    from rich.console import Console
    from rich.text import Text

    styles = {"+": "green", "-": "red", "@": "cyan"}
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for line in diff:
        console.print(Text(printable(line), style=styles.get(line[:1], "")))
