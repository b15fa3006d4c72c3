"""How typer reads the options that every command has."""

from __future__ import annotations

from typing import Annotated

import typer

from pocket_protector.cli.completion import custodians

_PANEL = "Options of every command"


def global_parameters(
    file: Annotated[
        str | None,
        typer.Option(
            "-f", "--file", metavar="PATH", rich_help_panel=_PANEL, help="The protected file (variable: PPROTECT_FILE)."
        ),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            "-u",
            "--user",
            metavar="NAME",
            rich_help_panel=_PANEL,
            help="Your name as a key custodian (variable: PPROTECT_USER).",
            autocompletion=custodians,
        ),
    ] = None,
    passphrase_file: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            rich_help_panel=_PANEL,
            help="A file that holds your passphrase (PPROTECT_PASSPHRASE holds the passphrase itself).",
        ),
    ] = None,
    env_prefix: Annotated[
        str | None,
        typer.Option(
            metavar="PREFIX",
            rich_help_panel=_PANEL,
            help="Read PREFIX_USER and PREFIX_PASSPHRASE instead (variable: PPROTECT_ENV_PREFIX).",
        ),
    ] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", rich_help_panel=_PANEL, help="Show the diff and ask before writing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", rich_help_panel=_PANEL, help="Answer yes to every question.")] = False,
    non_interactive: Annotated[
        bool,
        typer.Option("--non-interactive", rich_help_panel=_PANEL, help="Never ask; fail and name the missing option."),
    ] = False,
    ignore_env: Annotated[
        bool, typer.Option("--ignore-env", rich_help_panel=_PANEL, help="Ignore credentials in environment variables.")
    ] = False,
    trust: Annotated[
        list[str] | None,
        typer.Option(
            "--trust",
            metavar="NAME=FINGERPRINT",
            rich_help_panel=_PANEL,
            help="Trust this custodian instead of your own record of the file; repeatable (variable: PPROTECT_TRUST).",
        ),
    ] = None,
    behind: Annotated[
        bool,
        typer.Option(
            "--behind",
            rich_help_panel=_PANEL,
            help="Write and resolve references even if the file is older than one you have used.",
        ),
    ] = False,
) -> None:
    """Declare the options that every command has: a parameter for each field of `GlobalOptions`."""
