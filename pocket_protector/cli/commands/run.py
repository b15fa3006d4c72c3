"""Commands that run a program with a domain's values in its environment."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from typing import Annotated, Any, NoReturn

import typer

from pocket_protector.cli import output
from pocket_protector.cli.parameters import DomainOption, NoResolve, RequiredDomain, RequireSigned, SkipUnresolved
from pocket_protector.cli.session import session_of
from pocket_protector.cli.usage import UsageError
from pocket_protector.cli.uses import for_program
from pocket_protector.exports.variables import is_shell_name, program_variables, variable_name
from pocket_protector.keyfile.credentials import credential_variables

_NOT_EXECUTABLE = 126
_NOT_FOUND = 127
_WHERE = "the program to run, and nothing else, stands behind `--`"

Program = Annotated[
    list[str] | None, typer.Argument(metavar="-- COMMAND...", help="The program and its arguments, behind `--`.")
]
Prefix = Annotated[
    str | None, typer.Option("--prefix", metavar="PREFIX", help="Put PREFIX_ before each variable's name.")
]
Uppercase = Annotated[bool, typer.Option("--uppercase", help="Spell db-password as DB_PASSWORD.")]
NoPassthrough = Annotated[
    bool, typer.Option("--no-passthrough", help="Give the program the secrets, PATH, HOME and a few others only.")
]


def run(
    ctx: typer.Context,
    domain: RequiredDomain,
    command: Program = None,
    prefix: Prefix = None,
    uppercase: Uppercase = False,
    no_passthrough: NoPassthrough = False,
    no_resolve: NoResolve = False,
    skip_unresolved: SkipUnresolved = False,
    require_signed: RequireSigned = False,
) -> None:
    """Run a program with a key domain's values as environment variables: pprotect run DOMAIN -- COMMAND.

    The program takes this one's place: it gets its signals, and its exit status is the status.
    """
    _run(ctx, domain, command, "DOMAIN")


def exec_(
    ctx: typer.Context,
    command: Program = None,
    domain: DomainOption = None,
    prefix: Prefix = None,
    uppercase: Uppercase = False,
    no_passthrough: NoPassthrough = False,
    no_resolve: NoResolve = False,
    skip_unresolved: SkipUnresolved = False,
    require_signed: RequireSigned = False,
) -> None:
    """Run a program with a key domain's values, as `run`: pprotect exec --domain DOMAIN -- COMMAND."""
    if domain is None:
        raise UsageError("no --domain is given", hint="pprotect exec --domain DOMAIN -- COMMAND")
    _run(ctx, domain, command, "--domain DOMAIN")


def check_prefix(prefix: str | None) -> None:
    if prefix and not is_shell_name(prefix):
        raise UsageError(f"{prefix!r} cannot begin a variable's name", hint="--prefix APP")


def _run(ctx: typer.Context, domain: str, command: list[str] | None, how: str) -> NoReturn:
    session, given = session_of(ctx), ctx.params
    if not command or command != session.behind_dashes:
        raise UsageError(_WHERE, hint=f"pprotect {ctx.info_name} {how} -- COMMAND")
    check_prefix(given["prefix"])
    # Before references are resolved: that sets the prefix for their sources, whatever it was.
    credentials = credential_variables(session.options.env_prefix)
    use = for_program(
        session,
        require_signed=given["require_signed"],
        no_resolve=given["no_resolve"],
        skip_unresolved=given["skip_unresolved"],
    )
    run_with(session.opened(session.open(), domain, use).values, given, credentials)


def run_with(raw: Mapping[str, bytes], given: Mapping[str, Any], credentials: set[str]) -> NoReturn:
    """Become the program that the command line gives, with these values as its variables and without the `credentials`;
    `given` has the options of `run`."""
    # As Python has variables: bytes that are not UTF-8 stand as surrogates.
    values = {name: value.decode(errors="surrogateescape") for name, value in raw.items()}
    variables = program_variables(
        values,
        os.environ,
        credentials=credentials,
        prefix=given["prefix"],
        uppercase=given["uppercase"],
        passthrough=not given["no_passthrough"],
    )
    names = {secret: variable_name(secret, given["prefix"], given["uppercase"]) for secret in values}
    for secret, name in names.items():
        if not is_shell_name(name):
            output.note(
                f"note: {secret} is the variable {name}, which no shell can address; --uppercase spells it otherwise"
            )
    _replace_process(list(given["command"]), variables, set(names.values()))


def _replace_process(command: list[str], variables: dict[str, str], ours: set[str]) -> NoReturn:
    """Become the program. Python ignores these two signals, and a program would inherit that. The variables that are
    `ours` are UTF-8, whatever the locale; the others stay the bytes that they were."""
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
        # Not the error's own text: one of encoding holds a part of what it could not encode.
        output.failure(f"cannot run {command[0]}: {(getattr(error, 'strerror', None) or type(error).__name__).lower()}")
        raise typer.Exit(_NOT_EXECUTABLE) from None
