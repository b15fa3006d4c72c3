"""Reading a command line with options before or after the command. The words after `--` stay as they are."""

from __future__ import annotations

from collections.abc import Sequence

from pocket_protector.cli.command_table import OPTION_WITH_LENGTH, OPTIONS_WITH_VALUE
from pocket_protector.cli.usage import UsageError

_OF_THE_GROUP = frozenset({"-h", "--help", "--version", "--install-completion", "--show-completion"})

DEFAULT_GENERATED_LENGTH = "32"


def normalise(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the command line in typer's order, and the words after `--`.

    The command comes first, with dashes in its name, and `--generate` has its length. Raises UsageError if there is
    no command.
    """
    words = list(arguments)
    end = words.index("--") if "--" in words else len(words)
    ours, rest = _spelled([*words[:end]]), words[end:]
    at = _command_at(ours)
    of_the_group = [word for word in ours[:at] if word.partition("=")[0] in _OF_THE_GROUP]
    if of_the_group:
        return of_the_group[:1], []
    if at is not None:
        return [ours[at].replace("_", "-"), *ours[:at], *ours[at + 1 :], *rest], rest[1:]
    if not words:
        return [], []
    raise UsageError("no command is given", hint="pprotect --help lists them")


def _command_at(words: list[str]) -> int | None:
    at = 0
    while at < len(words):
        if not words[at].startswith("-"):
            return at
        at += 2 if words[at] in OPTIONS_WITH_VALUE else 1
    return None


def _spelled(words: list[str]) -> list[str]:
    spelled = []
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            word = name.replace("_", "-") + equals + value
        if word == OPTION_WITH_LENGTH:
            word += "=" + (words.pop(0) if words and words[0].isdecimal() else DEFAULT_GENERATED_LENGTH)
        spelled.append(word)
        if word in OPTIONS_WITH_VALUE and words:
            spelled.append(words.pop(0))
    return spelled
