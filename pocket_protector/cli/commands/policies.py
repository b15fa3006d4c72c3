"""The command for changing a domain's policy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import typer

from pocket_protector.cli import output
from pocket_protector.cli.commands.domains import is_production
from pocket_protector.cli.parameters import Production, RequiredDomain
from pocket_protector.cli.session import session_of
from pocket_protector.cli.usage import UsageError
from pocket_protector.document.policy import PRODUCTION, Policy, parse_count, parse_days
from pocket_protector.errors import FormatError, StoreError, command


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """The demands of a policy to change; None and False leave one unchanged."""

    require_signed: Annotated[
        bool | None,
        typer.Option(
            "--require-signed/--no-require-signed",
            help="Refuse the domain's values until an owner has signed every one.",
        ),
    ] = None
    max_age: Annotated[
        str | None,
        typer.Option("--max-age", metavar="90d", help="Refuse the domain's values while one was set longer ago."),
    ] = None
    no_max_age: Annotated[bool, typer.Option("--no-max-age", help="Allow values of any age.")] = False
    min_owners: Annotated[
        str | None,
        typer.Option("--min-owners", metavar="N", help="Refuse the domain's values while it has fewer owners."),
    ] = None
    no_min_owners: Annotated[bool, typer.Option("--no-min-owners", help="Allow a single owner.")] = False
    production: Production = None

    def changed(self, old: Policy) -> Policy:
        """Return the policy with the demands from the options. Raises UsageError if they contradict each other."""
        new = old
        if self.require_signed is not None:
            new = replace(new, require_signed=self.require_signed)
        if self.max_age is not None or self.no_max_age:
            new = replace(new, max_age=_one_of(self.max_age, self.no_max_age, "--max-age"))
        if self.min_owners is not None or self.no_min_owners:
            new = replace(new, min_owners=_one_of(self.min_owners, self.no_min_owners, "--min-owners"))
        return new


def set_policy(ctx: typer.Context, domain: RequiredDomain, options: PolicyOptions) -> None:
    """Change the policy of a key domain. Demands that no option names stay unchanged.

    The policy is signed. verify, the library and every command that uses values enforce it.
    """
    session = session_of(ctx)
    guarded = session.open_to_change()
    store = guarded.key_file
    old = store.get_policy(domain)
    policy = options.changed(old)
    if options == PolicyOptions():
        raise UsageError("no demand is given", hint=f"now: {demands(old)}; pprotect set-policy --help")
    guarded.check_wrapping(domain)
    policy = replace(policy, production=is_production(session, domain, options.production, old.production))
    changed = store.set_policy(domain, policy, session.identity(store))
    weaker = policy.weaker_than(old)
    if PRODUCTION in weaker and session.prompts.terminal:
        question = f"Stop treating every value in {domain} as highly sensitive?"
        if not session.prompts.agreed(question):
            raise StoreError("nothing was written: the policy is unchanged")
    if weaker:
        output.note(f"note: the policy is weaker than before ({', '.join(weaker)}); verify will report it")
    unreviewed = changed.authority(domain).unreviewed
    if policy.require_signed and unreviewed:
        review_it = command("review", domain)
        output.note(f"note: nobody can use {domain} until an owner reviews {len(unreviewed)} values: {review_it}")
    session.write(guarded, changed, f"the policy of {domain} now demands {demands(policy)}")


def _one_of(given: str | None, none: bool, option: str) -> int | None:
    if given is None:
        return None
    if none:
        raise UsageError(f"{option} and --no{option[1:]} contradict each other")
    try:
        return parse_days(given) if option == "--max-age" else parse_count(given)
    except FormatError as error:
        raise UsageError(f"{option} {given[:80]!r}: {error.message}") from None


def demands(policy: Policy) -> str:
    """Return the demands of a policy as text, separated by commas; "nothing" if it has none."""
    return ", ".join(f"{key} {text}" for key, text in policy.items().items()) or "nothing"
