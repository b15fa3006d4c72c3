"""Writing to stdout, for data, and to stderr, for everything else."""

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
    """Return the text with every character that a terminal might act on, except line ends, replaced by U+FFFD."""
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)


def data(content: str | bytes) -> None:
    """Write to stdout unchanged: no markup, no wrapping, no translation of line ends."""
    if sys.stdout is None:
        raise UnwritableError(errno.EBADF, "stdout is closed")
    try:
        sys.stdout.buffer.write(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        raise UnwritableError(error.errno, error.strerror) from None


def flush() -> None:
    """Flush stdout. Raises UnwritableError on failure."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        raise UnwritableError(error.errno, error.strerror) from None


def lines(items: Iterable[str]) -> None:
    """Print one item per line. A line end inside an item is replaced, so no item looks like two."""
    data("".join(printable(item).replace("\n", "\ufffd") + "\n" for item in items))


def table(rows: Sequence[Sequence[str]]) -> None:
    """Print one row per line, in aligned columns."""
    shown = [[printable(cell).replace("\n", "\ufffd") for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in shown)
    data("".join(line.rstrip() + "\n" for line in padded))


def listing(name: str, content: object) -> None:
    """Print one JSON object: the `schema` number, and `content` under `name`."""
    data(json.dumps({"schema": SCHEMA, name: content}, indent=2) + "\n")


def note(text: str, end: str = "\n") -> None:
    """Write a message to stderr; discard it on failure."""
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
    """Overwrite the progress line on stderr; do nothing unless stderr is a terminal."""
    try:
        if sys.stderr is not None and sys.stderr.isatty():
            sys.stderr.write(f"\r{printable(text)}" + ("\n" if last else ""))
            sys.stderr.flush()
    except OSError:
        discard(2)


def discard(descriptor: int) -> None:
    """Drop all buffered and later output for stdout (1) or stderr (2)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def failure(message: str, hint: str = "") -> None:
    """Print an error and its hint, each on one line, even if a name contains a line end."""
    note("error: " + message.replace("\n", "\ufffd"))
    if hint:
        note("hint: " + hint.replace("\n", "\ufffd"))


def show_diff(diff: Iterable[str]) -> None:
    """Print a unified diff on stderr, coloured if it is a terminal and NO_COLOR is not set."""
    from rich.console import Console
    from rich.text import Text

    styles = {"+": "green", "-": "red", "@": "cyan"}
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for line in diff:
        console.print(Text(printable(line), style=styles.get(line[:1], "")))
