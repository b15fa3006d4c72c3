"""The command that opens a package."""

from __future__ import annotations

import json as jsons
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from pocket_protector.cli import output
from pocket_protector.cli.commands.run import NoPassthrough, Prefix, Program, Uppercase, check_prefix, run_with
from pocket_protector.cli.completion import custodians
from pocket_protector.cli.package_keys import (
    STDIN,
    RecipientKey,
    given_token,
    read_input,
    recipient_key,
)
from pocket_protector.cli.parameters import Into, Json, Reveal
from pocket_protector.cli.senders import SenderCheck
from pocket_protector.cli.session import Session, session_of
from pocket_protector.cli.usage import UsageError
from pocket_protector.document.exported import ExportedEntry
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import AccessError, PolicyError, StoreError
from pocket_protector.keyfile.credentials import RECIPIENT_KEY_VARIABLE, TOKEN_VARIABLE, credential_variables
from pocket_protector.keyfile.reading import now
from pocket_protector.packages.armour import MAX_TEXT_BYTES
from pocket_protector.packages.header import Gate
from pocket_protector.packages.package_opening import OpenedPackage, SealedPackage
from pocket_protector.user.used_tokens import TokenUse, using

Entries = list[ExportedEntry]


def unpack(
    ctx: typer.Context,
    command: Program = None,
    package: Annotated[str | None, typer.Option("--in", metavar="PATH|-", help="The package.")] = None,
    identity: Annotated[
        str | None,
        typer.Option(
            "--identity", metavar="NAME", help="Open it as this key custodian; as -u.", autocompletion=custodians
        ),
    ] = None,
    identity_file: Annotated[
        str | None,
        typer.Option(
            "--identity-file",
            metavar="PATH",
            help=f"Open it with this key, of keygen, ssh or age; {RECIPIENT_KEY_VARIABLE}.",
        ),
    ] = None,
    token: Annotated[
        str | None, typer.Option("--token", metavar="PATH|-", help=f"A file with the token; {TOKEN_VARIABLE}.")
    ] = None,
    sender: Annotated[
        str | None,
        typer.Option("--sender", metavar="PATH|FINGERPRINT", help="Whom it has to be from: their public key."),
    ] = None,
    into: Into = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="With --into: change what exists, too.")] = False,
    list_only: Annotated[bool, typer.Option("--list", help="Say what is in it, and from whom.")] = False,
    json: Json = False,
    reveal: Reveal = False,
    prefix: Prefix = None,
    uppercase: Uppercase = False,
    no_passthrough: NoPassthrough = False,
) -> None:
    """Open a package: import it (--into), run a program with it (-- COMMAND), or print what may be printed.

    What is gated takes the token, or a person where the sender allows that; else it is left out, and the status is 8.
    """
    session = session_of(ctx)
    _check_usage(session, ctx.params)
    opened, key = _opened(session, ctx.params)
    if list_only:
        _list(opened, as_json=json)
        return
    token_given = given_token(session, token)
    if token_given is not None:
        opened.check_token(token_given)
    if token_given is None or not opened.gated:
        _deliver(session, opened, [*opened.entries, *_agreed(session, opened, key)], ctx.params)
        return
    gated = opened.opened_with(token_given)
    with using(token_given) as use:
        if _deliver(session, opened, [*opened.entries, *gated], ctx.params, use):
            use.finish()


def _check_usage(session: Session, given: Mapping[str, Any]) -> None:
    """UsageError for options that contradict each other."""
    if given["package"] is None:
        raise UsageError("no package is named", hint="--in PATH, or --in - for stdin")
    if list(given["command"] or ()) != session.behind_dashes:
        raise UsageError("the program to run, and nothing else, stands behind `--`", hint="unpack --in PATH -- COMMAND")
    ends = [name for name in ("into", "list_only", "command") if given[name]]
    if len(ends) > 1:
        raise UsageError("--into, --list and a program to run contradict each other", hint="give one of them")
    if not given["command"] and (given["prefix"] or given["uppercase"] or given["no_passthrough"]):
        raise UsageError("--prefix, --uppercase and --no-passthrough are for a program", hint="-- COMMAND")
    if given["reveal"] and ends:
        raise UsageError("--reveal is for values that are printed")
    if given["overwrite"] and not given["into"]:
        raise UsageError("--overwrite is for --into DOMAIN")
    if given["json"] and not given["list_only"]:
        raise UsageError("--json is for --list: values are printed as JSON anyway")
    if given["identity"] is not None and given["identity_file"] is not None:
        raise UsageError("--identity and --identity-file both say which key opens the package", hint="give one of them")
    if [given["package"], given["token"]].count(STDIN) > 1:
        raise UsageError("the package and the token cannot both come from stdin", hint="--token PATH")


def _opened(session: Session, given: Mapping[str, Any]) -> tuple[OpenedPackage, RecipientKey]:
    sealed = SealedPackage.parse(read_input(session, given["package"], MAX_TEXT_BYTES, "--in"))
    # What the command line says needs no file of the reader's, which may be damaged.
    alone = given["sender"] is not None and given["identity_file"] is not None
    guarded = None if alone else session.open_if_there()
    store = guarded.key_file if guarded else None
    sender = SenderCheck(session, guarded, given["sender"])
    checked = sealed.check(sender, now())
    key = recipient_key(session, store, given["identity"], given["identity_file"])
    opened = checked.open(key.private)
    sender.remember()
    return opened, key


def _agreed(session: Session, opened: OpenedPackage, key: RecipientKey) -> Entries:
    """The gated entries that a person takes without the token, who has typed their passphrase afresh."""
    asked = opened.gated and opened.package.header.gate is Gate.TOKEN_OR_HUMAN and key.retyped is not None
    if not asked or key.retyped is None or not session.prompts.terminal or session.options.non_interactive:
        return []
    names = ", ".join(told.name for told in opened.gated)
    output.note(f"gated, and the sender lets you do without the token: {names}")
    if not key.retyped():
        raise AccessError("that is not the passphrase which opened the package")
    return [
        entry
        for entry in opened.opened_by_human()
        if session.prompts.confirmed(f"Take {entry.name} ({entry.sensitivity.word})?", "--token PATH")
    ]


def _deliver(
    session: Session, opened: OpenedPackage, entries: Entries, given: Mapping[str, Any], use: TokenUse | None = None
) -> bool:
    """What the command line wants done with the entries, and whether it was. PolicyError for gated ones that are left
    out; a program is not run without them."""
    have = {entry.name for entry in entries}
    missing = [told.name for told in opened.gated if told.name not in have]
    left_out = PolicyError(
        f"left out, opened neither by a token nor by you: {', '.join(missing)}",
        hint=f"--token PATH, or set {TOKEN_VARIABLE}",
    )
    done = True
    if given["into"] is not None:
        done = _import(session, opened, entries, given["into"], overwrite=given["overwrite"])
    elif given["command"]:
        if missing:
            raise left_out
        _run(session, entries, given, use)
    else:
        _print(entries, reveal=given["reveal"])
    if missing:
        raise left_out
    return done


def _import(session: Session, opened: OpenedPackage, entries: Entries, domain: str, *, overwrite: bool) -> bool:
    """Whether there was something to import, and the user wanted it written."""
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


def _run(session: Session, entries: Entries, given: Mapping[str, Any], use: TokenUse | None) -> None:
    check_prefix(given["prefix"])
    pointers = [entry.name for entry in entries if isinstance(entry.content, Reference)]
    if pointers:
        raise StoreError(
            f"references lead to values only from a file of your own: {', '.join(pointers)}",
            hint="--into DOMAIN imports them; then: pprotect run DOMAIN -- COMMAND",
        )
    values = {entry.name: entry.content for entry in entries if isinstance(entry.content, bytes)}
    if use is not None:
        use.finish()  # the program takes this one's place
    try:
        run_with(values, given, credential_variables(session.options.env_prefix))
    except BaseException:
        if use is not None:
            use.undo()
        raise


def _print(entries: Entries, *, reveal: bool) -> None:
    """As JSON, references as they are. PolicyError for what is for programs only, and on a terminal for sensitive
    values that nobody asked to see there."""
    for_programs = [entry.name for entry in entries if entry.sensitivity is Sensitivity.INJECT_ONLY]
    if for_programs:
        raise PolicyError(
            f"these values are inject-only, and are not printed: {', '.join(for_programs)}",
            hint="--into DOMAIN imports them, and a program gets them: -- COMMAND",
        )
    high = [entry.name for entry in entries if entry.sensitivity is Sensitivity.HIGH]
    if high and not reveal and sys.stdout is not None and sys.stdout.isatty():
        raise PolicyError(
            f"these values are of high sensitivity, and stdout is a terminal: {', '.join(high)}",
            hint="--reveal prints them all the same",
        )
    output.data(jsons.dumps({entry.name: _shown(entry.content) for entry in entries}, indent=2, sort_keys=True) + "\n")
    output.flush()


def _shown(content: bytes | Reference) -> str:
    return content.text if isinstance(content, Reference) else content.decode()


def _list(opened: OpenedPackage, *, as_json: bool) -> None:
    header = opened.package.header
    rows = [(entry.name, isinstance(entry.content, Reference), entry.sensitivity, False) for entry in opened.entries]
    rows += [(*told, True) for told in opened.gated]
    if as_json:
        content = {
            "sender": header.sender,
            "domain": header.domain,
            "created": header.created,
            "expires": header.expires,
            "gate": header.gate.value,
            "entries": [
                {
                    "name": name,
                    "kind": "reference" if pointer else "value",
                    "sensitivity": level.word,
                    "gated": gated,
                }
                for name, pointer, level, gated in sorted(rows)
            ],
        }
        output.listing("package", content)
        return
    output.note(f"secrets of {header.domain}, from {header.sender}, until {header.expires}")
    output.table(
        [
            (name, "reference" if pointer else "value", level.word, f"behind the {header.gate.value}" if gated else "")
            for name, pointer, level, gated in sorted(rows)
        ]
    )
