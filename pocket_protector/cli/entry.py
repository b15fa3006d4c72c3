"""The commands' entry point, and the only place for turning errors into messages and exit codes.

An older package in the same folder could lack or replace some modules: these are imported after `_check_installation`.
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
    """Run the command line of this process, and exit with its status."""
    # The process ends before a collection could free anything; collecting costs up to a tenth of the time.
    gc.disable()
    sys.exit(_guarded(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line, and return its exit code. Errors are raised; `_guarded` turns them into messages."""
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
    """Report an error of typer's own as a usage error. Any other is a bug: raise it again, for a traceback."""
    from typer.exceptions import TyperException

    if not isinstance(error, TyperException):
        raise error
    message = error.format_message().rstrip(".")
    if "unexpected extra argument" in message:
        # Do not print the extra argument: it may be a secret typed in the wrong place.
        message = "too many arguments"
    context = getattr(error, "ctx", None)
    if message:  # else it was the help page, which typer has printed
        output.failure(
            message[:1].lower() + message[1:], f"{context.command_path if context else _program_name()} --help"
        )
    return UsageError.exit_code


def _system(error: OSError) -> int:
    """Report an operating-system error that no lower layer has handled."""
    try:
        output.flush()
    except output.UnwritableError as unwritable:
        return _unwritable(unwritable)
    place = f"{error.filename}: " if isinstance(error.filename, str) else ""
    output.failure(f"{place}{(error.strerror or str(error)).lower()}")
    return StoreError.exit_code


def _unwritable(error: OSError) -> int:
    """Report that stdout is closed or full; silently with status 1 if its reader is gone."""
    if sys.stdout is not None:
        output.discard(1)
    if error.errno == errno.EPIPE:
        return 1
    output.failure(f"cannot write the output: {(error.strerror or str(error)).lower()}")
    return StoreError.exit_code


def _check_installation() -> None:
    """Check the installation: no older package shares our files, and the environment asks for nothing unsafe."""
    site = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    if any(name.startswith("pocket_protector-") and name.endswith(_INSTALLED) for name in _listed(site)):
        raise UsageError(
            "pprotect and the older pocket_protector are both installed here, and share the same files",
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
