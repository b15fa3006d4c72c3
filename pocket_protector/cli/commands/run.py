"""Commands for running a program with a domain's values in its environment."""

from __future__ import annotations

from typing import NoReturn

import typer

from pocket_protector.cli.parameters import DomainOption, RequiredDomain, ResolveOptions
from pocket_protector.cli.programs import ProgramOptions, run_program
from pocket_protector.cli.session import session_of
from pocket_protector.cli.usage import UsageError
from pocket_protector.cli.uses import for_program
from pocket_protector.keyfile.credentials import credential_variables


def run(ctx: typer.Context, domain: RequiredDomain, program: ProgramOptions, using: ResolveOptions) -> None:
    """Run a program with a key domain's values as environment variables: pprotect run DOMAIN -- COMMAND.

    The program replaces pprotect: it receives the signals, and its exit status is the exit status.
    """
    _run(ctx, domain, program, using, "DOMAIN")


def exec_(ctx: typer.Context, *, domain: DomainOption = None, program: ProgramOptions, using: ResolveOptions) -> None:
    """Run a program with a key domain's values, like `run`: pprotect exec --domain DOMAIN -- COMMAND."""
    if domain is None:
        raise UsageError("no --domain is given", hint="pprotect exec --domain DOMAIN -- COMMAND")
    _run(ctx, domain, program, using, "--domain DOMAIN")


def _run(ctx: typer.Context, domain: str, program: ProgramOptions, using: ResolveOptions, how: str) -> NoReturn:
    session = session_of(ctx)
    program.check(session.behind_dashes, f"pprotect {ctx.info_name} {how} -- COMMAND", required=True)
    # Before `for_program`, which may set the prefix in the environment for the sources of references.
    credentials = credential_variables(session.options.env_prefix)
    use = for_program(session, using)
    run_program(session.opened(session.open(), domain, use).values, program, credentials)
