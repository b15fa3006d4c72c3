"""The state of one command: the file, the credentials, the prompts, and the write at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from pocket_protector import files
from pocket_protector.cli import output
from pocket_protector.cli.completion import FILE_VARIABLE, given_path
from pocket_protector.cli.credential_prompts import CredentialPrompts
from pocket_protector.cli.options import GlobalOptions
from pocket_protector.cli.usage import UsageError
from pocket_protector.errors import StoreError
from pocket_protector.keyfile.credentials import TRUST_VARIABLE, VariableSource, read_variable
from pocket_protector.keyfile.key_file import KeyFile
from pocket_protector.user.guarded_key_file import GuardedKeyFile, GuardOptions

if TYPE_CHECKING:  # a session needs no typer
    import typer

    from pocket_protector.user.domain_access import OpenedDomain, Use
    from pocket_protector.user.guarded_merge import GuardedMerge


class Session(CredentialPrompts):
    """One run of one command. `behind_dashes` holds the words after `--`."""

    def __init__(self, options: GlobalOptions, behind_dashes: list[str]) -> None:
        super().__init__(options)
        self.behind_dashes = behind_dashes

    def path(self) -> str:
        """Return the path of the file that the user named, or else of the nearest one from here upwards."""
        named = given_path(self.options.file)
        return files.discover(_current_folder()) if named is None else named

    def new_path(self) -> str:
        """Return the path where `init` makes a file."""
        named = given_path(self.options.file)
        return os.path.join(_current_folder(), files.FILE_NAME) if named is None else named

    def read(self) -> KeyFile:
        """Read the file, for a command that only lists names."""
        return KeyFile.from_file(self.path())

    def open(self) -> GuardedKeyFile:
        """Open the file under the guards of this user."""
        return GuardedKeyFile.from_file(self.path(), self.guard_options(), output.notice)

    def open_if_there(self) -> GuardedKeyFile | None:
        """Open the file; return None if there is none, unless the user named it."""
        path = self.path()
        return self.open() if given_path(self.options.file) or os.path.lexists(path) else None

    def open_to_change(self) -> GuardedKeyFile:
        """Open the file for a change.

        A file that cannot be changed, and a file with a damaged pin, are refused before any question.
        """
        guarded = self.open()
        guarded.check_changeable()
        return guarded

    def opened(
        self, guarded: GuardedKeyFile, domain: str, use: Use, names: Collection[str] | None = None
    ) -> OpenedDomain:
        """Open values of a domain with the user's credentials; ask for these after the checks without credentials."""
        access = guarded.access(domain, use, names)
        return access.open(self.identity(guarded.key_file))

    def guard_options(self) -> GuardOptions:
        """Return the user's decisions in advance, from options and variables."""
        return GuardOptions(self.anchors(), self.options.behind, self.prompts.terminal)

    def anchors(self) -> dict[str, str] | None:
        """Return custodian → fingerprint from --trust or PPROTECT_TRUST, or None if neither is given."""
        variable = read_variable(TRUST_VARIABLE)
        if not self.options.trust and not variable:
            return None
        from pocket_protector.trust.anchors import anchors_of_variable, parse_anchors

        try:
            return parse_anchors(self.options.trust) if self.options.trust else anchors_of_variable(variable)
        except StoreError as error:
            source = "--trust" if self.options.trust else VariableSource(TRUST_VARIABLE)
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
        """Write `changed`, after the guards and, with --confirm, after the diff and a question.

        `done` is the message afterwards. `last` is called when only the write is left to do, and allows it. Returns the
        written file; None if the user or `last` said no.
        """
        checked = guarded.check_write(changed, removing=removing)
        if not self._may_write(guarded.key_file, changed, last):
            return None
        written = checked.write()
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
        """Return the value from the command line, even if it is empty, or else the answer to a question."""
        return self.prompts.line(label, option) if given is None else given


def session_of(context: typer.Context) -> Session:
    """Return the session of typer's present command."""
    session = context.obj
    assert isinstance(session, Session)
    return session


def _current_folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        raise StoreError("the current folder is gone", hint=f"-f FILE or {FILE_VARIABLE} names the file") from None
