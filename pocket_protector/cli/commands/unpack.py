"""The command for opening a package."""

from __future__ import annotations

import typer

from pocket_protector.cli import output
from pocket_protector.cli.package_keys import (
    RecipientKey,
    given_token,
    read_input,
    recipient_key,
)
from pocket_protector.cli.package_output import print_contents, print_entries
from pocket_protector.cli.programs import ProgramOptions, run_program
from pocket_protector.cli.senders import SenderCheck
from pocket_protector.cli.session import Session, session_of
from pocket_protector.cli.unpack_options import UnpackOptions
from pocket_protector.document.exported import ExportedEntry
from pocket_protector.document.reference import Reference
from pocket_protector.errors import AccessError, PolicyError, StoreError
from pocket_protector.keyfile.credentials import TOKEN_VARIABLE, credential_variables
from pocket_protector.keyfile.reading import now
from pocket_protector.packages.armour import MAX_TEXT_BYTES
from pocket_protector.packages.header import Gate
from pocket_protector.packages.package_opening import OpenedPackage, SealedPackage
from pocket_protector.user.used_tokens import TokenUse, using

Entries = list[ExportedEntry]


def unpack(ctx: typer.Context, options: UnpackOptions, program: ProgramOptions) -> None:
    """Open a package: import it (--into), run a program with it (-- COMMAND), or print its values.

    Gated values need the token, or a person who confirms, if the sender allows that. Without, they are left out, and
    the exit status is 8.
    """
    session = session_of(ctx)
    package = options.check(session.behind_dashes, program)
    opened, key = _opened(session, package, options)
    if options.list_only:
        print_contents(opened, as_json=options.json)
        return
    token = given_token(session, options.token)
    if token is not None:
        opened.check_token(token)
    if token is None or not opened.gated:
        _deliver(session, opened, [*opened.entries, *_agreed(session, opened, key)], options, program)
        return
    gated = opened.opened_with(token)
    with using(token) as use:
        if _deliver(session, opened, [*opened.entries, *gated], options, program, use):
            use.finish()


def _opened(session: Session, package: str, options: UnpackOptions) -> tuple[OpenedPackage, RecipientKey]:
    sealed = SealedPackage.parse(read_input(session, package, MAX_TEXT_BYTES, "--in"))
    # With both on the command line, the reader's own file is not needed, and may be damaged.
    alone = options.sender is not None and options.identity_file is not None
    guarded = None if alone else session.open_if_there()
    store = guarded.key_file if guarded else None
    sender = SenderCheck(session, guarded, options.sender)
    checked = sealed.check(sender, now())
    key = recipient_key(session, store, options.identity, options.identity_file)
    opened = checked.open(key.private)
    sender.remember()
    return opened, key


def _agreed(session: Session, opened: OpenedPackage, key: RecipientKey) -> Entries:
    """Return the gated entries that the user takes without the token, after typing the passphrase again."""
    asked = opened.gated and opened.package.header.gate is Gate.TOKEN_OR_HUMAN and key.retyped is not None
    if not asked or key.retyped is None or not session.prompts.terminal or session.options.non_interactive:
        return []
    names = ", ".join(told.name for told in opened.gated)
    output.note(f"gated, but the sender lets you open them without the token: {names}")
    if not key.retyped():
        raise AccessError("this is not the passphrase that opened the package")
    return [
        entry
        for entry in opened.opened_by_human()
        if session.prompts.confirmed(f"Take {entry.name} ({entry.sensitivity.word})?", "--token PATH")
    ]


def _deliver(
    session: Session,
    opened: OpenedPackage,
    entries: Entries,
    options: UnpackOptions,
    program: ProgramOptions,
    use: TokenUse | None = None,
) -> bool:
    """Import or print the entries, or run the program with them; return whether this succeeded.

    Raises PolicyError if gated entries are missing: before running the program, but after importing or printing the
    other entries.
    """
    have = {entry.name for entry in entries}
    missing = [told.name for told in opened.gated if told.name not in have]
    left_out = PolicyError(
        f"left out, because neither a token nor you opened them: {', '.join(missing)}",
        hint=f"--token PATH, or set {TOKEN_VARIABLE}",
    )
    done = True
    if options.into is not None:
        done = _import(session, opened, entries, options.into, overwrite=options.overwrite)
    elif program.command:
        if missing:
            raise left_out
        _run(session, entries, program, use)
    else:
        print_entries(entries, reveal=options.reveal)
    if missing:
        raise left_out
    return done


def _import(session: Session, opened: OpenedPackage, entries: Entries, domain: str, *, overwrite: bool) -> bool:
    """Import the entries; return False if there was nothing to import, or the user declined."""
    guarded = session.open_to_change()
    store = guarded.key_file
    existing = set(store.get_domain_secret_names(domain))
    guarded.check_sealing(domain)
    sender = opened.package.header.sender
    changed = store.import_entries(domain, entries, sender, overwrite=overwrite)
    taken = [entry.name for entry in entries if overwrite or entry.name not in existing]
    kept = [entry.name for entry in entries if entry.name not in taken]
    if kept:
        output.note(f"kept as they are in {domain}: {', '.join(kept)} (--overwrite changes them)")
    if not taken:
        output.note("nothing was imported")
        return False
    done = f"imported {len(taken)} secrets of {sender} into {domain}: {', '.join(taken)}"
    return session.write(guarded, changed, done) is not None


def _run(session: Session, entries: Entries, program: ProgramOptions, use: TokenUse | None) -> None:
    pointers = [entry.name for entry in entries if isinstance(entry.content, Reference)]
    if pointers:
        raise StoreError(
            f"references can be resolved only from a file of your own: {', '.join(pointers)}",
            hint="--into DOMAIN imports them; then: pprotect run DOMAIN -- COMMAND",
        )
    values = {entry.name: entry.content for entry in entries if isinstance(entry.content, bytes)}
    if use is not None:
        use.finish()  # the program replaces this process
    try:
        run_program(values, program, credential_variables(session.options.env_prefix))
    except BaseException:
        if use is not None:
            use.undo()
        raise
