"""The commands' entry point, and the one place where errors become messages and exit codes.

Nothing is imported before `_check_installation` that an older package in the same place could lack or replace.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from typing import NoReturn

from pocket_protector.cli import output
from pocket_protector.cli.argv import normalise
from pocket_protector.cli.usage import UsageError
from pocket_protector.errors import PocketProtectorError, StoreError

_INTERRUPTED = 130
_INSTALLED = (".dist-info", ".egg-info")
_TRUE = ("1", "true", "yes")


def main() -> NoReturn:
    """Run the command line of this process, and end it with the exit code."""
    # The process ends before a collection could give anything back; searching for garbage costs up to a tenth.
    gc.disable()
    sys.exit(_guarded(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line; returns its exit code. Raises what `_guarded` turns into messages."""
    _check_installation()
    from pocket_protector.cli.app import app, print_version

    words, behind_dashes = normalise(arguments)
    if words == ["--version"]:
        print_version()
        return 0
    result = app(words, prog_name=_program_name(), standalone_mode=False, obj=behind_dashes)
    return result if isinstance(result, int) else 0


def _guarded(arguments: list[str]) -> int:
    try:
        status = run(arguments)
        output.flush()
    except PocketProtectorError as error:
        output.failure(str(error), error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        output.note("")
        return _INTERRUPTED
    except OSError as error:
        return _unwritable(error) if isinstance(error, output.UnwritableError) else _system(error)
    except Exception as error:
        return _foreign(error)
    return status


def _foreign(error: Exception) -> int:
    """typer's own errors are about usage; anything else is a bug, which Python may report as it does."""
    from typer.exceptions import TyperException

    if not isinstance(error, TyperException):
        raise error
    message = error.format_message().rstrip(".")
    if "unexpected extra argument" in message:
        # What is left over may be a value that was meant to be typed elsewhere.
        message = "too many arguments"
    context = getattr(error, "ctx", None)
    if message:  # else it was the help page, which typer has printed
        output.failure(
            message[:1].lower() + message[1:], f"{context.command_path if context else _program_name()} --help"
        )
    return UsageError.exit_code


def _system(error: OSError) -> int:
    """Something about this machine that no layer below knows more about."""
    try:
        output.flush()
    except output.UnwritableError as unwritable:
        return _unwritable(unwritable)
    place = f"{error.filename}: " if isinstance(error.filename, str) else ""
    output.failure(f"{place}{(error.strerror or str(error)).lower()}")
    return StoreError.exit_code


def _unwritable(error: OSError) -> int:
    """stdout is closed, gone or full."""
    if sys.stdout is not None:
        output.discard(1)
    if error.errno == errno.EPIPE:
        return 1
    output.failure(f"cannot write the output: {(error.strerror or str(error)).lower()}")
    return StoreError.exit_code


def _check_installation() -> None:
    """Refuse what would make this program another than its user thinks it is."""
    site = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    if any(name.startswith("pocket_protector-") and name.endswith(_INSTALLED) for name in _listed(site)):
        raise UsageError(
            "pprotect and the older pocket_protector are both installed here, and own the same files",
            hint="pip uninstall -y pocket_protector && pip install --force-reinstall --no-deps pprotect",
        )
    if os.environ.get("PPROTECT_TRUST_KDF_PARAMS", "").strip().lower() in _TRUE:
        raise UsageError(
            "the variable PPROTECT_TRUST_KDF_PARAMS is not obeyed: no variable lifts the caps on key derivation",
            hint="unset PPROTECT_TRUST_KDF_PARAMS",
        )


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _program_name() -> str:
    name = os.path.basename(sys.argv[0])
    return name if name in ("pprotect", "pocket_protector") else "pprotect"
