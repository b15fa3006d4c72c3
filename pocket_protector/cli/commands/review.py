"""The command for reviewing values."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pocket_protector.changes.signing import require_signing
from pocket_protector.cli import output
from pocket_protector.cli.parameters import RequiredDomain
from pocket_protector.cli.session import session_of
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.keyfile.key_file import KeyFile
from pocket_protector.repository.blame import Blame, blame_secrets

_MASK = "********"


def review(
    ctx: typer.Context,
    domain: RequiredDomain,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the values.")] = False,
) -> None:
    """Go through the values that no owner has signed since they changed, and sign those that you accept.

    Shows the author and time of each change, according to git.
    """
    session = session_of(ctx)
    guarded = session.open_to_change()
    store = guarded.key_file
    guarded.check_sealing(domain)
    names = store.authority(domain).unreviewed
    if not names:
        output.note(f"owners have signed every value in {domain}")
        return
    identity = session.identity(store)
    require_signing(identity)
    values, references = store.decrypt_values(domain, identity), store.get_references(domain)
    floors = guarded.judged.sensitivity_floors(domain)
    changes = blame_secrets(store.path, store.get_contents(), domain, names)
    accepted = []
    for name in names:
        _describe(store, domain, name, changes.get(name))
        if name in references:
            output.note(f"  {references[name]}")
        else:
            level = store.get_secret_sensitivity(domain, name)
            inject_only = max(level, floors.get(name, level)) is Sensitivity.INJECT_ONLY
            _show(values[name], reveal=reveal, inject_only=inject_only)
        if session.prompts.agreed(f"Sign {name}?"):
            accepted.append(name)
    if accepted:
        done = f"signed {len(accepted)} of {len(names)} values in {domain}: {', '.join(accepted)}"
        session.write(guarded, store.sign_secrets(domain, accepted, identity), done)
    else:
        output.note("nothing was signed")


def _describe(store: KeyFile, domain: str, name: str, change: Blame | None) -> None:
    who = (
        f"by {change.author}, according to git, at {change.time}, in {change.commit}" if change else "not committed yet"
    )
    level = store.get_secret_sensitivity(domain, name)
    sensitivity = "" if level is Sensitivity.MEDIUM else f", of {level.word} sensitivity"
    output.note(f"{name}: set {store.get_secret_time(domain, name)}{sensitivity}; {who}")


def _show(value: str, *, reveal: bool, inject_only: bool) -> None:
    if inject_only:
        output.note(f"  {_MASK} (inject-only: never shown)")
    elif reveal and sys.stdout is not None and sys.stdout.isatty():
        # Terminal escapes must not make one value look like another.
        output.data(f"{output.printable(value)}\n")
        output.flush()
        if output.printable(value) != value:
            output.note("  (each \ufffd is a character that the terminal cannot show)")
    elif reveal:
        output.data(f"{value}\n")
        output.flush()
    else:
        output.note(f"  {_MASK} (--reveal shows it)")
