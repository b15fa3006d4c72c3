"""The credentials of a command: from options, else from the environment, else from a prompt."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from pocket_protector import files
from pocket_protector.cli import output
from pocket_protector.cli.options import GlobalOptions
from pocket_protector.cli.prompts import NoAnswerError, Prompts
from pocket_protector.cli.usage import UsageError
from pocket_protector.crypto.identity import Identity
from pocket_protector.errors import AccessError, UnknownCustodianError
from pocket_protector.keyfile.credentials import Creds, VariableSource, read_variable, variable_names
from pocket_protector.keyfile.key_file import KeyFile

_MOST_PASSPHRASE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, repr=False)
class Given:
    """A name or a passphrase, or None if it must be asked for, and its source for error messages."""

    text: str | None
    source: str | None


class CredentialPrompts:
    """Finds the credentials of one run of one command, and asks for the missing ones."""

    def __init__(self, options: GlobalOptions) -> None:
        self.options = options
        self.prompts = Prompts(silent=options.non_interactive, yes=options.yes)
        self._passphrase = ""

    def identity(self, store: KeyFile, name: str | None = None) -> Identity:
        """Return the unlocked identity of `name`, or of the user from options, the environment or a prompt.

        The first source with a name or a passphrase counts: a wrong one never falls through to the next. Raises
        AccessError, naming the source, if it is missing or wrong.
        """
        options = self.options
        incomplete = None in (options.user or name, options.passphrase_file)
        if options.non_interactive and options.ignore_env and incomplete:
            raise UsageError(
                "--non-interactive with --ignore-env needs the credentials as options",
                hint="-u NAME --passphrase-file PATH",
            )
        user, passphrase = self._given()
        user = user if name is None else Given(name, "argument")
        user_way, passphrase_way = self._ways()
        if not options.non_interactive:
            if user.text is None:
                output.note(f"Verify credentials for {store.path}")
            elif passphrase.text is None:
                output.note(f"Verify passphrase for {store.path} (using user {user.text} from {user.source})")
            user = self.credential(user, self.prompts.line, "User email", user_way)
            passphrase = self.credential(passphrase, self.prompts.hidden, "Passphrase", passphrase_way)
        self._passphrase = passphrase.text or ""
        return unlocked(store, user, passphrase, user_way, passphrase_way)

    def retyped(self, passphrase: str | None = None) -> bool:
        """Ask for a passphrase again, and return whether it is the given one, or else the one from `identity`."""
        typed = self.prompts.hidden("Passphrase again", "--token PATH")
        expected = self._passphrase if passphrase is None else passphrase
        return hmac.compare_digest(typed.encode(errors="replace"), expected.encode(errors="replace"))

    def file_passphrase(self, source: str) -> str:
        """Return the passphrase of a private key in a file: from --passphrase-file, or a prompt."""
        given = passphrase_in(self.options.passphrase_file)
        return (
            self.credential(given, self.prompts.hidden, f"Passphrase for {source}", "--passphrase-file PATH").text or ""
        )

    def user(self) -> str | None:
        """Return the user's name from options or the environment, or None."""
        return self._given_user().text

    def given_identity(self, store: KeyFile) -> Identity | None:
        """Return the identity from options or the environment, or None; never ask.

        Raises AccessError if there is a passphrase file but no name.
        """
        user, passphrase = self._given()
        if passphrase.text is None or (user.text is None and self.options.passphrase_file is None):
            return None
        return unlocked(store, user, passphrase, *self._ways())

    def credential(self, given: Given, ask: Callable[[str, str], str], label: str, way: str) -> Given:
        """Return `given`, or the answer of `ask` if its text is None. Raises AccessError if there is no answer."""
        if given.text is not None:
            return given
        try:
            return Given(ask(label, way), "prompt")
        except NoAnswerError as error:
            raise AccessError(error.message, hint=error.hint) from None

    def passphrase_variable(self) -> Given:
        """Return the passphrase in the environment; none with --ignore-env."""
        return self._variable(variable_names(self.options.env_prefix)[1])

    def _given(self) -> tuple[Given, Given]:
        """Return the user and the passphrase from options or the environment."""
        passphrase = passphrase_in(self.options.passphrase_file)
        return self._given_user(), self.passphrase_variable() if passphrase.text is None else passphrase

    def _given_user(self) -> Given:
        user = Given(self.options.user, "argument")
        return self._variable(variable_names(self.options.env_prefix)[0]) if user.text is None else user

    def _variable(self, name: str) -> Given:
        return Given(None, None) if self.options.ignore_env else Given(read_variable(name), VariableSource(name))

    def _ways(self) -> tuple[str, str]:
        """Return the ways to give the user and the passphrase, for hints."""
        ways = "-u NAME", "--passphrase-file PATH"
        if self.options.ignore_env:
            return ways
        variables = variable_names(self.options.env_prefix)
        return f"{ways[0]}, or set {variables[0]}", f"{ways[1]}, or set {variables[1]}"


def unlocked(store: KeyFile, user: Given, passphrase: Given, user_way: str, passphrase_way: str) -> Identity:
    """Return the identity of these credentials; raises AccessError, naming their source, if one is missing or wrong."""
    creds = Creds(user.text or "", passphrase.text or "", user.source, passphrase.source)
    creds.require(user_way, passphrase_way)
    try:
        return store.unlock(creds)
    except UnknownCustodianError as error:
        error.add_source(f"{creds.name_source}")
        raise


def passphrase_in(path: str | None) -> Given:
    """Return the text of a passphrase file without white space at its ends, as Pocket Protector reads it."""
    if path is None:
        return Given(None, None)
    raw = files.read(path, _MOST_PASSPHRASE_BYTES)
    try:
        return Given(raw.decode().strip(), f"passphrase file: {path}")
    except UnicodeDecodeError:
        raise UsageError(f"the passphrase in {path} is not UTF-8 text") from None
