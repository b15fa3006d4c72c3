"""Completion of names from the file, without unlocking it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

from pocket_protector import files
from pocket_protector.errors import PocketProtectorError
from pocket_protector.keyfile.key_file import KeyFile

FILE_VARIABLE = "PPROTECT_FILE"

# Shells evaluate completions, and anybody may have written the file: names with other characters are left out.
_HARMLESS = re.compile(r"[\w@%+,./][\w@%+,./-]*")


def given_path(option: str | None) -> str | None:
    """Return the path from the option, else from PPROTECT_FILE, else None."""
    return option if option is not None else os.environ.get(FILE_VARIABLE) or None


def completer(names: Callable[[KeyFile, dict[str, Any]], list[str]]) -> Callable[[Any, str], list[str]]:
    """Return a completion function for typer that offers the results of `names`.

    `names` gets the file, and the options and arguments typed so far, including those before the command. Errors are
    ignored: nothing is offered.
    """

    def complete(ctx: Any, incomplete: str) -> list[str]:
        given = _given(ctx)
        if ctx.args:  # arguments before an unfinished option, as click leaves them
            given.setdefault("domain", ctx.args[0])
        try:
            path = given_path(given.get("file"))
            store = KeyFile.from_file(files.discover(".") if path is None else path)
            return [name for name in names(store, given) if name.startswith(incomplete) and _HARMLESS.fullmatch(name)]
        except (PocketProtectorError, OSError):
            return []

    return complete


def _given(ctx: Any) -> dict[str, Any]:
    before = _given(ctx.parent) if ctx.parent is not None else {}
    return before | {name: value for name, value in ctx.params.items() if value is not None}


custodians = completer(lambda store, _: store.get_key_custodian_names())
