"""What every command shares: the file, the credentials, the questions, and the write at the end."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated

import typer

from pocket_protector import files
from pocket_protector.cli import output
from pocket_protector.cli.completion import FILE_VARIABLE, custodians, given_path
from pocket_protector.cli.prompts import Prompts
from pocket_protector.cli.usage import UsageError
from pocket_protector.credentials import DEFAULT_PREFIX, PREFIX_VARIABLE, Creds, variable_names
from pocket_protector.crypto.identity import Identity
from pocket_protector.errors import AccessError, StoreError
from pocket_protector.keyfile import KeyFile

_MOST_PASSPHRASE_BYTES = 64 * 1024
_PANEL = "Options of every command"


def global_options(
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
        named = given_path(self.options.file)
        return files.discover(_current_folder()) if named is None else named

    def new_path(self) -> str:
        """Where `init` makes a file."""
        named = given_path(self.options.file)
        return os.path.join(_current_folder(), files.FILE_NAME) if named is None else named

    def read(self) -> KeyFile:
        return KeyFile.from_file(self.path())

    def read_to_change(self) -> KeyFile:
        """As `read`; a file that cannot be changed is refused before anything is asked."""
        store = self.read()
        store.check_changeable()
        return store

    def write(self, before: KeyFile | None, after: KeyFile) -> KeyFile | None:
        """Write, with the diff and a question first if asked for; None if the answer was no."""
        if self.options.confirm and not self._agreed(before, after):
            output.note("aborted: nothing was written")
            return None
        self.prompts.finish()
        return after.write()

    def _agreed(self, before: KeyFile | None, after: KeyFile) -> bool:
        from difflib import unified_diff

        old, new = before.get_contents().splitlines() if before else [], after.get_contents().splitlines()
        output.show_diff(unified_diff(old, new, f"{after.path}.old", f"{after.path}.new", lineterm=""))
        return self.prompts.agreed("Write changes?")

    def asked(self, given: str | None, label: str, option: str) -> str:
        """What the command line gave, even if it is empty, else the answer to a question."""
        return self.prompts.line(label, option) if given is None else given

    # Credentials

    def identity(self, store: KeyFile) -> Identity:
        """Who is asking: from options, else the environment, else asked for. A wrong one is never tried elsewhere."""
        options = self.options
        incomplete = None in (options.user, options.passphrase_file)
        if options.non_interactive and options.ignore_env and incomplete:
            raise UsageError(
                "--non-interactive with --ignore-env needs the credentials as options",
                hint="-u NAME --passphrase-file PATH",
            )
        user, passphrase, user_source, passphrase_source = self._given()
        user_option, passphrase_option = self._options()
        if not options.non_interactive:
            if user is None:
                output.note(f"Verify credentials for {store.path}")
                user, user_source = self.prompts.line("User email", user_option), "prompt"
            elif passphrase is None:
                output.note(f"Verify passphrase for {store.path} (using user {user} from {user_source})")
            if passphrase is None:
                passphrase, passphrase_source = self.prompts.hidden("Passphrase", passphrase_option), "prompt"
        if not user:
            raise AccessError(f"no user is given ({user_source} is empty or not set)", hint=f"give {user_option}")
        if not passphrase:
            raise AccessError(
                f"no passphrase is given ({passphrase_source} is empty or not set)", hint=f"give {passphrase_option}"
            )
        return store.unlock(Creds(user, passphrase, user_source, passphrase_source))

    def given_identity(self, store: KeyFile) -> Identity | None:
        """As `identity`, but nothing is asked for: None unless options or the environment give name and passphrase.

        UsageError if an option gives one of the two, and nothing the other.
        """
        user, passphrase, user_source, passphrase_source = self._given()
        if user is not None and passphrase is not None:
            return store.unlock(Creds(user, passphrase, user_source, passphrase_source))
        user_option, passphrase_option = self._options()
        if self.options.user is not None:
            raise UsageError("--user is given, and no passphrase", hint=f"give {passphrase_option}")
        if self.options.passphrase_file is not None:
            raise UsageError("--passphrase-file is given, and no user", hint=f"give {user_option}")
        return None

    def variables(self) -> tuple[str, str]:
        return variable_names(self.options.env_prefix)

    def _options(self) -> tuple[str, str]:
        """What to give for the user and for the passphrase, for hints."""
        user_variable, passphrase_variable = self.variables()
        return f"-u NAME, or set {user_variable}", f"--passphrase-file PATH, or set {passphrase_variable}"

    def _given(self) -> tuple[str | None, str | None, str, str]:
        """User and passphrase that need no question, and where each came from or would have."""
        user_variable, passphrase_variable = self.variables()
        user, user_source = self.options.user, "argument"
        passphrase, passphrase_source = None, f"passphrase file: {self.options.passphrase_file}"
        if self.options.passphrase_file is not None:
            passphrase = read_passphrase(self.options.passphrase_file)
        if user is None and not self.options.ignore_env:
            user, user_source = os.environ.get(user_variable), f"env var: {user_variable}"
        if passphrase is None:
            passphrase_source = f"env var: {passphrase_variable}"
            if not self.options.ignore_env:
                passphrase = os.environ.get(passphrase_variable)
        return user, passphrase, user_source, passphrase_source


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
        raise StoreError("the current folder is gone", hint=f"-f FILE or {FILE_VARIABLE} names the file") from None
