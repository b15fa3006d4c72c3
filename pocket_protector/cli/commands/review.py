"""Commands about what owners vouch for, and what they demand."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Annotated

import typer

from pocket_protector.changes.signing import check_can_sign
from pocket_protector.cli import output
from pocket_protector.cli.commands.domains import is_production
from pocket_protector.cli.parameters import Json, Production, RequiredDomain
from pocket_protector.cli.session import Session, session_of
from pocket_protector.cli.usage import UsageError
from pocket_protector.document.policy import PRODUCTION, Policy, parse_count, parse_days
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import FormatError, StoreError, command
from pocket_protector.keyfile.key_file import KeyFile
from pocket_protector.keyfile.status import FileStatus, status_of
from pocket_protector.repository.blame import Blame, blame_secrets

_MASK = "********"


def status(ctx: typer.Context, json: Json = False) -> None:
    """Print what the file holds, who you are, and how many values owners vouch for."""
    session = session_of(ctx)
    store = session.read()
    found = status_of(store, session.user())
    if json:
        content = {name: _listed(found, name) for name in found.domains}
        output.listing("status", {"file": found.path, "user": found.user, "domains": content})
        return
    lines = [f"file: {found.path}", f"you: {found.user or 'not known (-u NAME, or PPROTECT_USER)'}"]
    lines.append(f"key custodians: {', '.join(found.custodians) or 'none'}")
    lines += [f"key domain {name}: {_described(found, name)}" for name in found.domains]
    lines += _distrusted(session, store)
    output.lines(lines)


def review(
    ctx: typer.Context,
    domain: RequiredDomain,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the values.")] = False,
) -> None:
    """Go through the values that no owner vouches for since they changed, and sign those that you accept.

    Each is shown with who changed it last and when, as git has it.
    """
    session = session_of(ctx)
    store = session.read_to_change()
    session.guard(store, domain, wraps=False)
    names = store.authority(domain).unreviewed
    if not names:
        output.note(f"owners vouch for every value in {domain}")
        return
    identity = session.identity(store)
    check_can_sign(identity)
    values, references = store.decrypt_values(domain, identity), store.get_references(domain)
    kept = session.watch(store).kept(domain)
    changes = blame_secrets(store.path, store.get_contents(), domain, names)
    accepted = []
    for name in names:
        _describe(store, domain, name, changes.get(name))
        if name in references:
            output.note(f"  {references[name]}")
        else:
            level = store.get_secret_sensitivity(domain, name)
            inject_only = max(level, kept.get(name, level)) is Sensitivity.INJECT_ONLY
            _show(values[name], reveal=reveal, inject_only=inject_only)
        if session.prompts.agreed(f"Sign {name}?"):
            accepted.append(name)
    if accepted:
        done = f"signed {len(accepted)} of {len(names)} values in {domain}: {', '.join(accepted)}"
        session.write(store, store.sign_secrets(domain, accepted, identity), done)
    else:
        output.note("nothing was signed")


def set_policy(
    ctx: typer.Context,
    domain: RequiredDomain,
    require_signed: Annotated[
        bool | None,
        typer.Option("--require-signed/--no-require-signed", help="Use no value that no owner vouches for."),
    ] = None,
    max_age: Annotated[
        str | None, typer.Option("--max-age", metavar="90d", help="Use no value that was set longer ago.")
    ] = None,
    no_max_age: Annotated[bool, typer.Option("--no-max-age", help="Let values be of any age.")] = False,
    min_owners: Annotated[
        str | None, typer.Option("--min-owners", metavar="N", help="Use no value while there are fewer owners.")
    ] = None,
    no_min_owners: Annotated[bool, typer.Option("--no-min-owners", help="Let there be one owner.")] = False,
    production: Production = None,
) -> None:
    """Demand of a key domain what the options say; what they do not name stays. The policy is signed, and is asked
    for by verify, run, decrypt-domain, get and the library."""
    session = session_of(ctx)
    store = session.read_to_change()
    old = store.get_policy(domain)
    policy = old
    if require_signed is not None:
        policy = replace(policy, require_signed=require_signed)
    if max_age is not None or no_max_age:
        policy = replace(policy, max_age=_one_of(max_age, no_max_age, "--max-age"))
    if min_owners is not None or no_min_owners:
        policy = replace(policy, min_owners=_one_of(min_owners, no_min_owners, "--min-owners"))
    if {require_signed, max_age, min_owners, production} == {None} and not (no_max_age or no_min_owners):
        raise UsageError("no demand is given", hint=f"now: {_demands(old)}; pprotect set-policy --help")
    policy = replace(policy, production=is_production(session, domain, production, old.production))
    session.guard(store, domain)
    changed = store.set_policy(domain, policy, session.identity(store))
    weaker = policy.weaker_than(old)
    if PRODUCTION in weaker and session.prompts.terminal:
        question = f"Let every value in {domain} be as sensitive as is written beside it, and no more?"
        if not session.prompts.agreed(question):
            raise StoreError("nothing was written: the policy stays")
    if weaker:
        output.note(f"note: this demands less than before ({', '.join(weaker)}), and verify will say so")
    unreviewed = changed.authority(domain).unreviewed
    if policy.require_signed and unreviewed:
        review_it = command("review", domain)
        output.note(f"note: nobody can use {domain} until an owner has reviewed {len(unreviewed)} values: {review_it}")
    session.write(store, changed, f"the policy of {domain} now demands {_demands(policy)}")


def _one_of(given: str | None, none: bool, option: str) -> int | None:
    if given is None:
        return None
    if none:
        raise UsageError(f"{option} and --no{option[1:]} contradict each other")
    try:
        return parse_days(given) if option == "--max-age" else parse_count(given)
    except FormatError as error:
        raise UsageError(f"{option} {given[:80]!r}: {error.message}") from None


def _demands(policy: Policy) -> str:
    return ", ".join(f"{key} {text}" for key, text in policy.items().items()) or "nothing"


def _listed(found: FileStatus, name: str) -> dict[str, object]:
    domain = found.domains[name]
    return {
        "signed_by": domain.signed_by,
        "owners": domain.owners,
        "owners_who_count": domain.owners_who_count,
        "yours": found.is_owned(name),
        "reviewed": domain.reviewed,
        "unreviewed": len(domain.unreviewed),
        "references": len(domain.references),
        "policy": domain.policy.items(),
    }


def _distrusted(session: Session, store: KeyFile) -> list[str]:
    """A line if something is wrong with the file, as far as was seen."""
    try:
        wrong = len(session.watch(store).violations)
    except StoreError as error:
        return [f"trust: {error.message}"]
    changes = "a change" if wrong == 1 else f"{wrong} changes"
    return [f"trust: {changes} by somebody without the right: pprotect trust"] if wrong else []


def _described(found: FileStatus, name: str) -> str:
    domain = found.domains[name]
    counting = domain.owners_who_count
    owners = ", ".join(owner if owner in counting else f"{owner} (does not count)" for owner in domain.owners)
    signed = "" if domain.signed_by else "; nobody signed its key and owners"
    mine = "" if found.is_owned(name) else "; not yours"
    demands = f"; demands {_demands(domain.policy)}" if domain.policy.items() else ""
    counts = f"values: {domain.reviewed} reviewed, {len(domain.unreviewed)} unreviewed"
    if domain.references:
        counts += f" (references among them: {len(domain.references)})"
    return f"{counts}; owners: {owners}{mine}{signed}{demands}"


def _describe(store: KeyFile, domain: str, name: str, change: Blame | None) -> None:
    who = f"by {change.author}, as git says, at {change.time}, in {change.commit}" if change else "not committed yet"
    level = store.get_secret_sensitivity(domain, name)
    sensitivity = "" if level is Sensitivity.MEDIUM else f", of {level.word} sensitivity"
    output.note(f"{name}: set {store.get_secret_time(domain, name)}{sensitivity}; {who}")


def _show(value: str, *, reveal: bool, inject_only: bool) -> None:
    if inject_only:
        output.note(f"  {_MASK} (it is inject-only, and never shown)")
    elif reveal and sys.stdout is not None and sys.stdout.isatty():
        # What acts on a terminal must not make one value look like another.
        output.data(f"{output.printable(value)}\n")
        output.flush()
        if output.printable(value) != value:
            output.note("  (it has characters that do not show; they stand as \ufffd)")
    elif reveal:
        output.data(f"{value}\n")
        output.flush()
    else:
        output.note(f"  {_MASK} (--reveal shows it)")
