"""Running a program with secrets in its environment."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, NoReturn

import typer

from pocket_protector.cli import output
from pocket_protector.cli.usage import UsageError
from pocket_protector.exports.variables import is_shell_name, program_variables, variable_name

_NOT_EXECUTABLE = 126
_NOT_FOUND = 127

Uppercase = Annotated[bool, typer.Option("--uppercase", help="Spell db-password as DB_PASSWORD.")]


@dataclass(frozen=True, slots=True)
class ProgramOptions:
    """The program to run, and the names of its variables."""

    command: Annotated[
        list[str] | None, typer.Argument(metavar="-- COMMAND...", help="The program and its arguments, after `--`.")
    ] = None
    prefix: Annotated[
        str | None, typer.Option("--prefix", metavar="PREFIX", help="Put PREFIX_ before each variable's name.")
    ] = None
    uppercase: Uppercase = False
    no_passthrough: Annotated[
        bool,
        typer.Option(
            "--no-passthrough", help="Pass only the secrets, PATH, HOME and a few other variables to the program."
        ),
    ] = False

    def check(self, behind_dashes: list[str], hint: str, *, required: bool) -> None:
        """Check the program and the prefix: the program must be exactly the words after `--`.

        The prefix must be able to begin a variable's name. Raises UsageError, with `hint` if the program is missing or
        elsewhere.
        """
        if (self.command or []) != behind_dashes or (required and not self.command):
            raise UsageError("put the program to run, and nothing else, after `--`", hint=hint)
        if self.prefix and not is_shell_name(self.prefix):
            raise UsageError(f"{self.prefix!r} cannot begin a variable's name", hint="--prefix APP")


def run_program(raw: Mapping[str, bytes], options: ProgramOptions, credentials: set[str]) -> NoReturn:
    """Replace this process by the program, with these values as its variables.

    `raw` maps the names of secrets to their bytes. The variables named in `credentials` are taken out of the
    environment.
    """
    assert options.command
    # Python represents variables as text, with surrogates for bytes that are not UTF-8.
    values = {name: value.decode(errors="surrogateescape") for name, value in raw.items()}
    variables = program_variables(
        values,
        os.environ,
        credentials=credentials,
        prefix=options.prefix,
        uppercase=options.uppercase,
        passthrough=not options.no_passthrough,
    )
    names = {secret: variable_name(secret, options.prefix, options.uppercase) for secret in values}
    for secret, name in names.items():
        if not is_shell_name(name):
            output.note(f"note: {secret} is in the variable {name}, which no shell can use; try --uppercase")
    _replace_process(options.command, variables, set(names.values()))


def _replace_process(command: list[str], variables: dict[str, str], ours: set[str]) -> NoReturn:
    """Replace this process by the program.

    The variables named in `ours` are encoded as UTF-8, whatever the locale; the others keep their bytes.
    """
    # Python ignores these two signals, and the program would inherit that.
    for name in ("SIGPIPE", "SIGXFSZ"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    if os.name == "nt":  # pragma: no cover
        import subprocess

        raise typer.Exit(subprocess.run(command, env=variables, check=False).returncode)  # noqa: S603
    try:
        encoded = {
            os.fsencode(name): value.encode(errors="surrogateescape") if name in ours else os.fsencode(value)
            for name, value in variables.items()
        }
        os.execvpe(command[0], command, encoded)  # noqa: S606 (no shell is meant)
    except (FileNotFoundError, NotADirectoryError):
        output.failure(f"cannot run {command[0]}: not found")
        raise typer.Exit(_NOT_FOUND) from None
    except (OSError, ValueError) as error:
        # The text of an encoding error would show a part of the value.
        output.failure(f"cannot run {command[0]}: {(getattr(error, 'strerror', None) or type(error).__name__).lower()}")
        raise typer.Exit(_NOT_EXECUTABLE) from None
