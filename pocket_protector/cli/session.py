"""The state of one command: the file, the credentials, the prompts, and the write at the end."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from pocket_protector import files
from pocket_protector.cli import output
from pocket_protector.cli.completion import FILE_VARIABLE, given_path
from pocket_protector.cli.credential_prompts import CredentialPrompts
from pocket_protector.cli.options import GlobalOptions
from pocket_protector.cli.usage import UsageError
from pocket_protector.cli.warning import show_new_owners, warn, warn_of_all
from pocket_protector.cli.watching import Watch, look, look_anew
from pocket_protector.errors import IntegrityError, StoreError
from pocket_protector.keyfile.credentials import TRUST_VARIABLE, read_variable, variable_source
from pocket_protector.keyfile.key_file import KeyFile

if TYPE_CHECKING:  # a session needs no typer
    import typer


class Session(CredentialPrompts):
    """One run of one command. `behind_dashes` holds the words after `--`."""

    def __init__(self, options: GlobalOptions, behind_dashes: list[str]) -> None:
        super().__init__(options)
        self.behind_dashes = behind_dashes
        self._watch: Watch | None = None
        self._guarded: set[str] = set()

    def path(self) -> str:
        """Return the path of the file that the user named, or else of the nearest one from here upwards."""
        named = given_path(self.options.file)
        return files.discover(_current_folder()) if named is None else named

    def new_path(self) -> str:
        """Return the path where `init` makes a file."""
        named = given_path(self.options.file)
        return os.path.join(_current_folder(), files.FILE_NAME) if named is None else named

    def read_if_there(self) -> KeyFile | None:
        """Return the file, or None if there is none. A file that the user named must exist."""
        path = self.path()
        return self.read() if given_path(self.options.file) or os.path.lexists(path) else None

    def read(self) -> KeyFile:
        """Read the file."""
        return KeyFile.from_file(self.path())

    def read_to_change(self) -> KeyFile:
        """Read the file for a change; refuse one that cannot be changed, before any question."""
        store = self.read()
        store.check_changeable()
        self._watch = look(store)
        return store

    def watch(self, store: KeyFile) -> Watch:
        """What was seen of the file before."""
        if self._watch is None:
            self._watch = look(store)
        return self._watch

    def guard(
        self, store: KeyFile, domain: str, *custodians: str, wraps: bool = True, removing: str | None = None
    ) -> None:
        """IntegrityError if the domain that is to be changed, or a custodian whom its key is to be wrapped for, is not
        what it should be; PolicyError if it does not lead back to whom the user trusts. Says what else deserves a look,
        and whom the key will be wrapped for who was not its owner when the user looked last."""
        watch = self.watch(store)
        owners = store.get_domain_owner_names(domain)
        if watch.findings:
            from pocket_protector.trust.gates import check_change

            concerned, behind = {*owners, *custodians}, self.options.behind
            check_change(watch.findings, domain, concerned, wraps=wraps, behind=behind, removing=removing)
        anchors = self.anchors()
        if anchors is not None:
            store.check_anchored(domain, anchors)
        warn(watch, [domain], interactive=True, terminal=self.prompts.terminal)
        older = watch.withheld(domain) if wraps and not self.options.behind else []
        if older:
            raise IntegrityError(
                f"nothing was written: in {domain!r} older references are back, and a rotation would sign them anew:"
                f" {', '.join(older)}",
                hint="set them again, or if somebody meant it: pprotect trust accept",
            )
        if wraps:
            show_new_owners(watch, domain, [owner for owner in owners if owner != removing])
        self._guarded.add(domain)

    def anchors(self) -> dict[str, str] | None:
        """Return custodian → fingerprint from --trust or PPROTECT_TRUST, or None if neither is given."""
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
        before: KeyFile | None,
        after: KeyFile,
        done: str,
        last: Callable[[], bool] | None = None,
        *,
        merges: bool = False,
    ) -> KeyFile | None:
        """Write, and say what is done; with the diff and a question first if asked for. None if the answer was no.

        Every domain that something is sealed or wrapped for is guarded, unless it was, or this `merges` what others
        sealed. `last` is called when nothing but the write is left to do: writing goes on if it returns True.
        """
        if before is not None and not merges:
            for domain in set(after.sealed_since(before)) - self._guarded:
                self.guard(before, domain)
        if self.options.confirm and not self._agreed(before, after):
            output.note("aborted: nothing was written")
            return None
        self.prompts.finish()
        if last is not None and not last():
            return None
        written = after.write()
        output.note(done)
        if before is None or not before.file_id:
            # A file of one's own making, whatever stood here.
            watch = look_anew(written)
            watch.wrote(written)
            watch.made()
        else:
            self._move_pin(written, merges=merges)
        return written

    def _move_pin(self, written: KeyFile, *, merges: bool) -> None:
        watch = self._watch or look(written)
        if merges:
            warn(watch, written.get_domain_names(), interactive=False, terminal=self.prompts.terminal)
        elif not self._guarded:
            warn_of_all(watch, terminal=self.prompts.terminal)
        for finding in watch.wrote(written):
            output.note(f"warning: {'/'.join(finding.where)}: {finding.text}")
            output.note("  you saw another one before; if you threw that away yourself: pprotect trust accept")

    def _agreed(self, before: KeyFile | None, after: KeyFile) -> bool:
        from difflib import unified_diff

        old, new = before.get_contents().splitlines() if before else [], after.get_contents().splitlines()
        output.show_diff(unified_diff(old, new, f"{after.path}.old", f"{after.path}.new", lineterm=""))
        return self.prompts.agreed("Write changes?")

    def asked(self, given: str | None, label: str, option: str) -> str:
        """Return what the command line gave, even if it is empty, or else the answer to a question."""
        return self.prompts.line(label, option) if given is None else given


def session_of(context: typer.Context) -> Session:
    """Return the session of the command that typer runs."""
    session = context.obj
    assert isinstance(session, Session)
    return session


def _current_folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        raise StoreError("the current folder is gone", hint=f"-f FILE or {FILE_VARIABLE} names the file") from None
