"""Commands about references."""

from __future__ import annotations

import typer

from pocket_protector.cli import output
from pocket_protector.cli.parameters import AnyDomain, Json, RequiredDomain, RequiredName
from pocket_protector.cli.session import Session, session_of
from pocket_protector.cli.uses import resolving
from pocket_protector.errors import IntegrityError, PolicyError
from pocket_protector.user.guarded_key_file import GuardedKeyFile

_CHECK_FAILED = 1
_OK = "ok"

Place = tuple[str, str]


def check_references(ctx: typer.Context, domain: AnyDomain = None, json: Json = False) -> None:
    """Check that every reference can be resolved, in one key domain or in all. Prints no values.

    Needs no credentials for the file. The exit status is 1 if one cannot be resolved.
    """
    session = session_of(ctx)
    guarded = session.open()
    store = guarded.key_file
    domains = store.get_domain_names() if domain is None else [domain]
    references = {(place, name): r for place in domains for name, r in sorted(store.get_references(place).items())}
    guarded.give_notices(domains, first_contact=session.prompts.terminal)
    outcomes = dict.fromkeys(references, _OK)
    withheld = {(place, name) for place in domains for name in store.get_withheld_references(place)}
    outcomes |= dict.fromkeys(withheld, "its domain's policy requires an owner's signature")
    outcomes |= _outcomes(session, guarded, [place for place in references if place not in withheld])
    if json:
        content = [
            {"domain": place[0], "secret": place[1], "reference": references[place].text, "outcome": outcome}
            for place, outcome in outcomes.items()
        ]
        output.listing("references", content)
    elif references:
        output.table([("/".join(place), references[place].text, outcome) for place, outcome in outcomes.items()])
    else:
        output.note(f"(No references in protected at {store.path})")
    if any(outcome != _OK for outcome in outcomes.values()):
        raise typer.Exit(_CHECK_FAILED)


def _outcomes(session: Session, guarded: GuardedKeyFile, places: list[Place]) -> dict[Place, str]:
    """Return the problem of each unresolvable reference.

    A refused domain does not hide the others. Raises IntegrityError or PolicyError if it is the only one.
    """
    domains = sorted({domain for domain, _ in places})
    try:
        failures = guarded.resolve(places, resolving(session), partly=True).failures
        return {place: failure.brief for place, failure in failures.items()}
    except (IntegrityError, PolicyError):
        if len(domains) == 1:
            raise
    outcomes: dict[Place, str] = {}
    for domain in domains:
        within = [place for place in places if place[0] == domain]
        try:
            outcomes |= _outcomes(session, guarded, within)
        except (IntegrityError, PolicyError) as error:
            outcomes |= dict.fromkeys(within, error.message)
    return outcomes


def import_reference(ctx: typer.Context, domain: RequiredDomain, name: RequiredName) -> None:
    """Replace a reference by its present value, sealed. The value is unsigned until an owner reviews it."""
    session = session_of(ctx)
    guarded = session.open_to_change()
    guarded.check_sealing(domain)
    resolved = guarded.resolve([(domain, name)], resolving(session))
    changed = guarded.key_file.import_reference(domain, name, resolved)
    session.write(guarded, changed, f"secret {name} in {domain} now holds the value itself")
