"""How typer reads the options that every command has."""

from __future__ import annotations

from typing import Annotated

import typer

from pocket_protector.cli.completion import custodians

_PANEL = "Options of every command"


def global_parameters(
    file: Annotated[
        str | None,
        typer.Option("-f", "--file", metavar="PATH", rich_help_panel=_PANEL, help="The protected file; PPROTECT_FILE."),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            "-u",
            "--user",
            metavar="NAME",
            rich_help_panel=_PANEL,
            help="Who you are; PPROTECT_USER.",
            autocompletion=custodians,
        ),
    ] = None,
    passphrase_file: Annotated[
        str | None,
        typer.Option(metavar="PATH", rich_help_panel=_PANEL, help="A file with your passphrase; PPROTECT_PASSPHRASE."),
    ] = None,
    env_prefix: Annotated[
        str | None,
        typer.Option(
            metavar="PREFIX",
            rich_help_panel=_PANEL,
            help="Read PREFIX_USER and PREFIX_PASSPHRASE instead; PPROTECT_ENV_PREFIX.",
        ),
    ] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", rich_help_panel=_PANEL, help="Show the diff, and ask, before writing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", rich_help_panel=_PANEL, help="Answer yes to every question.")] = False,
    non_interactive: Annotated[
        bool,
        typer.Option("--non-interactive", rich_help_panel=_PANEL, help="Ask nothing; say what is missing."),
    ] = False,
    ignore_env: Annotated[
        bool, typer.Option("--ignore-env", rich_help_panel=_PANEL, help="Take no credentials from variables.")
    ] = False,
    trust: Annotated[
        list[str] | None,
        typer.Option(
            "--trust",
            metavar="NAME=FINGERPRINT",
            rich_help_panel=_PANEL,
            help="Whom to trust, in the place of what you have seen; repeatable; PPROTECT_TRUST.",
        ),
    ] = None,
    behind: Annotated[
        bool,
        typer.Option(
            "--behind",
            rich_help_panel=_PANEL,
            help="Write, and follow references, although the file is older than one seen.",
        ),
    ] = False,
) -> None:
    """Declare the options that every command has: a parameter for each field of `GlobalOptions`."""
