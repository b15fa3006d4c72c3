"""What every command shares: the file, the credentials, the questions, and the write at the end."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass

import typer

from pocket_protector import files
from pocket_protector.cli import output
from pocket_protector.cli.completion import FILE_VARIABLE, given_path
from pocket_protector.cli.options import GlobalOptions
from pocket_protector.cli.prompts import NoAnswerError, Prompts
from pocket_protector.cli.usage import UsageError
from pocket_protector.cli.warning import show_new_owners, warn, warn_of_all
from pocket_protector.cli.watching import Watch, look, look_anew
from pocket_protector.crypto.identity import Identity
from pocket_protector.errors import AccessError, IntegrityError, StoreError, UnknownCustodianError
from pocket_protector.keyfile.credentials import TRUST_VARIABLE, Creds, VariableSource, read_variable, variable_names
from pocket_protector.keyfile.key_file import KeyFile

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
        self._watch: Watch | None = None
        self._passphrase = ""
        self._guarded: set[str] = set()

    # The file

    def path(self) -> str:
        """The file that was named, or the one found from here upwards."""
        named = given_path(self.options.file)
        return files.discover(_current_folder()) if named is None else named

    def new_path(self) -> str:
        """Where `init` makes a file."""
        named = given_path(self.options.file)
        return os.path.join(_current_folder(), files.FILE_NAME) if named is None else named

    def read_if_there(self) -> KeyFile | None:
        """None where there is no file; one that was named has to be there."""
        path = self.path()
        return self.read() if given_path(self.options.file) or os.path.lexists(path) else None

    def read(self) -> KeyFile:
        return KeyFile.from_file(self.path())

    def read_to_change(self) -> KeyFile:
        """As `read`; a file that cannot be changed is refused before anything is asked."""
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
        """The custodians whom --trust or PPROTECT_TRUST names, with their fingerprints."""
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
        return Given(None, None) if self.options.ignore_env else Given(read_variable(name), VariableSource(name))

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
        error.add_source(f"{creds.name_source}")
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
