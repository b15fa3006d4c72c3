"""What every command shares: the file, the credentials, the questions, and the write at the end."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated

import typer

from pocket_protector import files
from pocket_protector.cli import output
from pocket_protector.cli.prompts import Prompts
from pocket_protector.cli.usage import UsageError
from pocket_protector.credentials import DEFAULT_PREFIX, PREFIX_VARIABLE, Creds, variable_names
from pocket_protector.crypto.identity import Identity
from pocket_protector.errors import StoreError
from pocket_protector.keyfile import KeyFile

FILE_VARIABLE = "PPROTECT_FILE"

_MOST_PASSPHRASE_BYTES = 64 * 1024
_PANEL = "Options of every command"


def global_options(
    file: Annotated[
        str | None,
        typer.Option("-f", "--file", metavar="PATH", rich_help_panel=_PANEL, help="The protected file; PPROTECT_FILE."),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option("-u", "--user", metavar="NAME", rich_help_panel=_PANEL, help="Who you are; PPROTECT_USER."),
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
        bool, typer.Option("--non-interactive", rich_help_panel=_PANEL, help="Never ask for credentials.")
    ] = False,
    ignore_env: Annotated[
        bool, typer.Option("--ignore-env", rich_help_panel=_PANEL, help="Take no credentials from variables.")
    ] = False,
) -> None:
    """The options that every command has."""


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """What `global_options` were given."""

    file: str | None
    user: str | None
    passphrase_file: str | None
    env_prefix: str | None
    confirm: bool
    yes: bool
    non_interactive: bool
    ignore_env: bool


class Session:
    """One run of one command."""

    def __init__(self, options: GlobalOptions) -> None:
        self.options = options
        self.prompts = Prompts(silent=options.non_interactive, yes=options.yes)

    # The file

    def path(self) -> str:
        """The file that was named, or the one found from here upwards."""
        return given_path(self.options.file) or files.discover(_current_folder())

    def new_path(self) -> str:
        """Where `init` makes a file."""
        return given_path(self.options.file) or os.path.join(_current_folder(), files.FILE_NAME)

    def read(self) -> KeyFile:
        return KeyFile.from_file(self.path())

    def write(self, before: KeyFile | None, after: KeyFile) -> KeyFile | None:
        """Write, with the diff and a question first if asked for; None if the answer was no."""
        if self.options.confirm and not self._agreed(before.get_contents() if before else "", after.get_contents()):
            output.note("aborted: nothing was written")
            return None
        self.prompts.finish()
        return after.write()

    def _agreed(self, old: str, new: str) -> bool:
        from difflib import unified_diff

        path = self.path()
        output.show_diff(unified_diff(old.splitlines(), new.splitlines(), f"{path}.old", f"{path}.new", lineterm=""))
        return self.prompts.agreed("Write changes?")

    # Credentials

    def identity(self, store: KeyFile) -> Identity:
        """Who is asking: from options, else the environment, else asked for. A wrong one is never tried elsewhere."""
        options = self.options
        if options.non_interactive and options.ignore_env and not options.passphrase_file:
            raise UsageError(
                "--non-interactive with --ignore-env leaves no credentials", hint="give --user and --passphrase-file"
            )
        user, passphrase, user_source, passphrase_source = self._given()
        if not options.non_interactive:
            user_variable, passphrase_variable = self.variables()
            if user is None:
                output.note(f"Verify credentials for {store.path}")
                user, user_source = self.prompts.line("User email", f"-u NAME, or set {user_variable}"), "prompt"
            elif passphrase is None:
                output.note(f"Verify passphrase for {store.path} (using user {user} from {user_source})")
            if passphrase is None:
                option = f"--passphrase-file PATH, or set {passphrase_variable}"
                passphrase, passphrase_source = self.prompts.hidden("Passphrase", option), "prompt"
        return store.unlock(Creds(user or "", passphrase or "", user_source, passphrase_source))

    def given_identity(self, store: KeyFile) -> Identity | None:
        """As `identity`, but only if options or the environment give both name and passphrase."""
        user, passphrase, user_source, passphrase_source = self._given()
        if user is None or passphrase is None:
            return None
        return store.unlock(Creds(user, passphrase, user_source, passphrase_source))

    def variables(self) -> tuple[str, str]:
        return variable_names(self.options.env_prefix)

    def _given(self) -> tuple[str | None, str | None, str, str]:
        """User and passphrase that need no question, and where each came from or would have."""
        user_variable, passphrase_variable = self.variables()
        user, user_source = self.options.user, "argument"
        passphrase, passphrase_source = None, f"passphrase file: {self.options.passphrase_file}"
        if self.options.passphrase_file:
            passphrase = read_passphrase(self.options.passphrase_file)
        if user is None and not self.options.ignore_env:
            user, user_source = os.environ.get(user_variable), f"env var: {user_variable}"
        if passphrase is None:
            passphrase_source = f"env var: {passphrase_variable}"
            if not self.options.ignore_env:
                passphrase = os.environ.get(passphrase_variable)
        return user, passphrase, user_source, passphrase_source


def given_path(option: str | None) -> str | None:
    """The file that an option or the environment names."""
    return option or os.environ.get(FILE_VARIABLE) or None


def session_of(context: typer.Context) -> Session:
    session = context.obj
    assert isinstance(session, Session)
    return session


def read_passphrase(path: str) -> str:
    """A passphrase file's text without white space at its ends, as Pocket Protector reads it."""
    raw = files.read(path, _MOST_PASSPHRASE_BYTES)
    try:
        return raw.decode().strip()
    except UnicodeDecodeError:
        raise UsageError(f"the passphrase in {path} is not UTF-8 text") from None


def credential_variables(prefix: str | None) -> set[str]:
    """Every variable that may hold credentials of this run."""
    names = {*variable_names(prefix), *variable_names(DEFAULT_PREFIX), PREFIX_VARIABLE}
    return names | set(variable_names(os.environ.get(PREFIX_VARIABLE, DEFAULT_PREFIX)))


def _current_folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        raise StoreError("the current folder is gone", hint="-f FILE or PPROTECT_FILE names the file") from None
