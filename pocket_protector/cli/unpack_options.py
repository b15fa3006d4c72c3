"""The options of `unpack`, and the rules for combining them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from pocket_protector.cli.completion import custodians
from pocket_protector.cli.package_keys import STDIN
from pocket_protector.cli.parameters import Into, Json, Reveal
from pocket_protector.cli.programs import ProgramOptions
from pocket_protector.cli.usage import UsageError
from pocket_protector.keyfile.credentials import RECIPIENT_KEY_VARIABLE, TOKEN_VARIABLE


@dataclass(frozen=True, slots=True)
class UnpackOptions:
    """The package, the key and token for it, and the use of its entries."""

    package: Annotated[str | None, typer.Option("--in", metavar="PATH|-", help="The package.")] = None
    identity: Annotated[
        str | None,
        typer.Option(
            "--identity", metavar="NAME", help="Open it as this key custodian; same as -u.", autocompletion=custodians
        ),
    ] = None
    identity_file: Annotated[
        str | None,
        typer.Option(
            "--identity-file",
            metavar="PATH",
            help=f"Open it with this keygen, SSH or age key ({RECIPIENT_KEY_VARIABLE} holds the key itself).",
        ),
    ] = None
    token: Annotated[
        str | None,
        typer.Option(
            "--token", metavar="PATH|-", help=f"A file that holds the token ({TOKEN_VARIABLE} holds the token itself)."
        ),
    ] = None
    sender: Annotated[
        str | None,
        typer.Option(
            "--sender",
            metavar="PATH|FINGERPRINT",
            help="Refuse every other sender: the public key or fingerprint of the one you expect.",
        ),
    ] = None
    into: Into = None
    overwrite: Annotated[bool, typer.Option("--overwrite", help="With --into, overwrite secrets that exist.")] = False
    list_only: Annotated[bool, typer.Option("--list", help="List the contents and the sender.")] = False
    json: Json = False
    reveal: Reveal = False

    def check(self, behind_dashes: list[str], program: ProgramOptions) -> str:
        """Return the place of the package. Raises UsageError if there is none, or for contradictory options."""
        if self.package is None:
            raise UsageError("no package is named", hint="--in PATH, or --in - for stdin")
        program.check(behind_dashes, "unpack --in PATH -- COMMAND", required=False)
        ends = [bool(self.into), self.list_only, bool(program.command)]
        if sum(ends) > 1:
            raise UsageError("--into, --list and a program to run contradict each other", hint="give one of them")
        if not program.command and (program.prefix or program.uppercase or program.no_passthrough):
            raise UsageError("--prefix, --uppercase and --no-passthrough are for a program", hint="-- COMMAND")
        if self.reveal and any(ends):
            raise UsageError("--reveal is for values that are printed")
        if self.overwrite and not self.into:
            raise UsageError("--overwrite is for --into DOMAIN")
        if self.json and not self.list_only:
            raise UsageError("--json is for --list: values are always printed as JSON")
        if self.identity is not None and self.identity_file is not None:
            raise UsageError(
                "--identity and --identity-file both say which key opens the package", hint="give one of them"
            )
        if self.package == self.token == STDIN:
            raise UsageError("the package and the token cannot both come from stdin", hint="--token PATH")
        return self.package
