"""Typer's parameters for the options of every command."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from pocket_protector.cli.completion import custodians

_option = partial(typer.Option, rich_help_panel="Options of every command")


def global_parameters(
    file: Annotated[
        str | None,
        _option("-f", "--file", metavar="PATH", help="The protected file (variable: PPROTECT_FILE)."),
    ] = None,
    user: Annotated[
        str | None,
        _option(
            "-u",
            "--user",
            metavar="NAME",
            help="Your name as a key custodian (variable: PPROTECT_USER).",
            autocompletion=custodians,
        ),
    ] = None,
    passphrase_file: Annotated[
        str | None,
        _option(
            metavar="PATH",
            help="A file that holds your passphrase (PPROTECT_PASSPHRASE holds the passphrase itself).",
        ),
    ] = None,
    env_prefix: Annotated[
        str | None,
        _option(
            metavar="PREFIX",
            help="Read PREFIX_USER and PREFIX_PASSPHRASE instead (variable: PPROTECT_ENV_PREFIX).",
        ),
    ] = None,
    confirm: Annotated[bool, _option("--confirm", help="Show the diff and ask before writing.")] = False,
    yes: Annotated[bool, _option("--yes", help="Answer yes to every question.")] = False,
    non_interactive: Annotated[
        bool,
        _option("--non-interactive", help="Never ask; fail and name the missing option."),
    ] = False,
    ignore_env: Annotated[bool, _option("--ignore-env", help="Ignore credentials in environment variables.")] = False,
    trust: Annotated[
        list[str] | None,
        _option(
            "--trust",
            metavar="NAME=FINGERPRINT",
            help="Trust this custodian instead of your own record of the file; repeatable (variable: PPROTECT_TRUST).",
        ),
    ] = None,
    behind: Annotated[
        bool,
        _option(
            "--behind",
            help="Write and resolve references even if the file is older than one you have used.",
        ),
    ] = False,
) -> None:
    """Declare the options of every command: a parameter for each field of `GlobalOptions`."""
