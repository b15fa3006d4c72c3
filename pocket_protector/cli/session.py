"""What every command shares: the file, the credentials, the questions, and the write at the end."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from pocket_protector import files
from pocket_protector.cli import output
from pocket_protector.cli.completion import FILE_VARIABLE, given_path
from pocket_protector.cli.options import GlobalOptions
from pocket_protector.cli.prompts import NoAnswerError, Prompts
from pocket_protector.cli.usage import UsageError
from pocket_protector.crypto.identity import Identity
from pocket_protector.errors import AccessError, StoreError, UnknownCustodianError
from pocket_protector.keyfile.credentials import TRUST_VARIABLE, Creds, read_variable, variable_names, variable_source
from pocket_protector.keyfile.key_file import KeyFile
from pocket_protector.user.guarded_key_file import GuardedKeyFile, GuardOptions

if TYPE_CHECKING:
    from pocket_protector.user.domain_access import OpenedDomain, Use
    from pocket_protector.user.guarded_merge import GuardedMerge

_MOST_PASSPHRASE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, repr=False)
class Given:
    """A name or a passphrase that need not be asked for, or None; and where it came from, or would have."""

    text: str | None
    source: str | None


class Session:
    """One run of one command. `behind_dashes` is what stands behind `--`."""

    def __init__(self, options: GlobalOptions, behind_dashes: list[str]) -> None:
        self.options = options
        self.behind_dashes = behind_dashes
        self.prompts = Prompts(silent=options.non_interactive, yes=options.yes)
        self._passphrase = ""

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
        """Read the file for a command that only lists names."""
        return KeyFile.from_file(self.path())

    def open(self) -> GuardedKeyFile:
        """Open the file under the guards of this user."""
        return GuardedKeyFile.from_file(self.path(), self.guard_options(), output.notice)

    def open_if_there(self) -> GuardedKeyFile | None:
        """Open the file; None if there is none, unless the user named it."""
        path = self.path()
        return self.open() if given_path(self.options.file) or os.path.lexists(path) else None

    def open_to_change(self) -> GuardedKeyFile:
        """Open the file, and refuse one that cannot be changed, or whose pin is damaged, before any question."""
        guarded = self.open()
        guarded.check_changeable()
        return guarded

    def opened(
        self, guarded: GuardedKeyFile, domain: str, use: Use, names: Collection[str] | None = None
    ) -> OpenedDomain:
        """Open values of a domain with the user's credentials, which are asked for after the checks that need none."""
        access = guarded.access(domain, use, names)
        return access.open(self.identity(guarded.key_file))

    def guard_options(self) -> GuardOptions:
        """Return what the user decided in advance, by options and variables."""
        return GuardOptions(self.anchors(), self.options.behind, self.prompts.terminal)

    def anchors(self) -> dict[str, str] | None:
        """Return the custodians that --trust or PPROTECT_TRUST names, with their fingerprints."""
        variable = read_variable(TRUST_VARIABLE)
        if not self.options.trust and not variable:
            return None
        from pocket_protector.trust.anchors import anchors_of_variable, parse_anchors

        try:
            return parse_anchors(self.options.trust) if self.options.trust else anchors_of_variable(variable)
        except StoreError as error:
            source = "--trust" if self.options.trust else variable_source(TRUST_VARIABLE)
            raise UsageError(f"{error.message} (from {source})", hint=error.hint) from None

    def write(
        self,
        guarded: GuardedKeyFile,
        changed: KeyFile,
        done: str,
        last: Callable[[], bool] | None = None,
        *,
        removing: str | None = None,
    ) -> GuardedKeyFile | None:
        """Write `changed`, after the guards and with the diff and a question if --confirm asks for them.

        `done` is the message afterwards. `last` is called when only the write is left to do, and allows it. Returns the
        written file; None if the user or `last` said no.
        """
        guarded.check_write(changed, removing=removing)
        if not self._may_write(guarded.key_file, changed, last):
            return None
        written = guarded.write_checked(changed)
        output.note(done)
        return written

    def write_joined(self, merge: GuardedMerge, joined: KeyFile, done: str) -> None:
        """Write the join of two branches as `write` does."""
        if self._may_write(merge.ours, joined, None):
            merge.write(joined)
            output.note(done)

    def _may_write(self, before: KeyFile, after: KeyFile, last: Callable[[], bool] | None) -> bool:
        if self.options.confirm and not self._agreed(before, after):
            output.note("aborted: nothing was written")
            return False
        self.prompts.finish()
        return last is None or last()

    def _agreed(self, before: KeyFile, after: KeyFile) -> bool:
        from difflib import unified_diff

        old, new = before.get_contents().splitlines(), after.get_contents().splitlines()
        output.show_diff(unified_diff(old, new, f"{after.path}.old", f"{after.path}.new", lineterm=""))
        return self.prompts.agreed("Write changes?")

    def asked(self, given: str | None, label: str, option: str) -> str:
        """What the command line gave, even if it is empty, else the answer to a question."""
        return self.prompts.line(label, option) if given is None else given

    # Credentials

    def identity(self, store: KeyFile, name: str | None = None) -> Identity:
        """Who is asking: `name`, or from options, else the environment, else asked for. A wrong one is never tried
        elsewhere."""
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
        """Whether a passphrase, or else the one that `identity` was given, is typed afresh on the terminal."""
        typed = self.prompts.hidden("Passphrase again", "--token PATH")
        expected = self._passphrase if passphrase is None else passphrase
        return hmac.compare_digest(typed.encode(errors="replace"), expected.encode(errors="replace"))

    def file_passphrase(self, source: str) -> str:
        """The passphrase of a private key that is in a file: from --passphrase-file, or asked for."""
        given = passphrase_in(self.options.passphrase_file)
        return (
            self.credential(given, self.prompts.hidden, f"Passphrase for {source}", "--passphrase-file PATH").text or ""
        )

    def user(self) -> str | None:
        """Who is asking, as far as options or the environment tell."""
        return self._given_user().text

    def given_identity(self, store: KeyFile) -> Identity | None:
        """As `identity`, but nothing is asked for: None unless options or the environment give name and passphrase.

        AccessError for a passphrase file, and no name.
        """
        user, passphrase = self._given()
        if passphrase.text is None or (user.text is None and self.options.passphrase_file is None):
            return None
        return unlocked(store, user, passphrase, *self._ways())

    def credential(self, given: Given, ask: Callable[[str, str], str], label: str, way: str) -> Given:
        """What was given, else the answer to a question; AccessError if there is none."""
        if given.text is not None:
            return given
        try:
            return Given(ask(label, way), "prompt")
        except NoAnswerError as error:
            raise AccessError(error.message, hint=error.hint) from None

    def passphrase_variable(self) -> Given:
        """The passphrase that the environment gives, unless --ignore-env forbids it."""
        return self._variable(variable_names(self.options.env_prefix)[1])

    def _given(self) -> tuple[Given, Given]:
        """User and passphrase that need no question."""
        passphrase = passphrase_in(self.options.passphrase_file)
        return self._given_user(), self.passphrase_variable() if passphrase.text is None else passphrase

    def _given_user(self) -> Given:
        user = Given(self.options.user, "argument")
        return self._variable(variable_names(self.options.env_prefix)[0]) if user.text is None else user

    def _variable(self, name: str) -> Given:
        return Given(None, None) if self.options.ignore_env else Given(read_variable(name), variable_source(name))

    def _ways(self) -> tuple[str, str]:
        """How to give the user and the passphrase, for hints."""
        ways = "-u NAME", "--passphrase-file PATH"
        if self.options.ignore_env:
            return ways
        variables = variable_names(self.options.env_prefix)
        return f"{ways[0]}, or set {variables[0]}", f"{ways[1]}, or set {variables[1]}"


def unlocked(store: KeyFile, user: Given, passphrase: Given, user_way: str, passphrase_way: str) -> Identity:
    """The identity of these credentials. AccessError, naming where they came from, for missing and wrong ones."""
    creds = Creds(user.text or "", passphrase.text or "", user.source, passphrase.source)
    creds.require(user_way, passphrase_way)
    try:
        return store.unlock(creds)
    except UnknownCustodianError as error:
        unknown = f"no key custodian named {creds.name!r}"
        error.message = f"{unknown} (from {creds.name_source})" + error.message.removeprefix(unknown)
        raise


def session_of(context: typer.Context) -> Session:
    session = context.obj
    assert isinstance(session, Session)
    return session


def passphrase_in(path: str | None) -> Given:
    """A passphrase file's text without white space at its ends, as Pocket Protector reads it."""
    if path is None:
        return Given(None, None)
    raw = files.read(path, _MOST_PASSPHRASE_BYTES)
    try:
        return Given(raw.decode().strip(), f"passphrase file: {path}")
    except UnicodeDecodeError:
        raise UsageError(f"the passphrase in {path} is not UTF-8 text") from None


def _current_folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        raise StoreError("the current folder is gone", hint=f"-f FILE or {FILE_VARIABLE} names the file") from None
