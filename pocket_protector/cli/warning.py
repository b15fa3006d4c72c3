"""What a command says of the file that it reads or changes, before it does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pocket_protector.cli import output
from pocket_protector.cli.watching import MOST_LINES, Watch

if TYPE_CHECKING:  # imported late: a file that did not change is recognised without
    from pocket_protector.trust.findings import Finding


def warn(watch: Watch, domains: Iterable[str], *, interactive: bool, terminal: bool) -> None:
    """Warn of violations in these domains; say what else deserves a look, if anything in the file is signed."""
    if not watch.findings:
        warn_of_all(watch, terminal=terminal)
        return
    from pocket_protector.trust.gates import about

    chosen = set(domains)
    owners = {owner for name in chosen for owner in watch.store.get_domain_owner_names(name)}
    told = {id(f): f for name in sorted(chosen) for f in about(watch.findings, name, owners)}
    for finding in [*told.values()][:MOST_LINES]:
        output.note(f"warning: {'/'.join(finding.where)}: {finding.text}")
        output.note(f"  {finding.hint}")
    shown = [*told.values()][:MOST_LINES]
    others = [finding for finding in watch.violations if finding not in shown]
    _warn_of_others([f for f in others if not (f.kind.is_older or f.kind.is_parallel)], len(others))
    warn_of_all(watch, terminal=terminal)
    if watch.before is None and watch.is_signed() and not watch.violations and interactive:
        output.note("note: first contact with this file: compare its custodians' fingerprints (pprotect trust)")


def _warn_of_others(unauthorized: list[Finding], number: int) -> None:
    """Say how many violations there are in the rest of the file, and accuse nobody of what an older branch shows."""
    if unauthorized:
        changes = "unauthorized change" if len(unauthorized) == 1 else f"{len(unauthorized)} unauthorized changes"
        output.note(f"warning: {changes} elsewhere in the file; run: pprotect trust")
    elif number:
        output.note("note: other parts of the file are older than what you saw; run: pprotect trust")


def warn_of_all(watch: Watch, *, terminal: bool) -> None:
    """Say what deserves a look, anywhere in the file; at a terminal, what did before and nobody may have read, too."""
    told = watch.to_tell() if terminal else watch.to_tell_now()
    for text in told[:MOST_LINES]:
        output.note(text)
    if len(told) > MOST_LINES:
        output.note(f"note: and {len(told) - MOST_LINES} more (pprotect trust)")


def show_new_owners(watch: Watch, domain: str, owners: Iterable[str]) -> None:
    """Show the fingerprints of those who were no owners of the domain when the user looked last."""
    from pocket_protector.trust.fingerprints import to_words

    state = watch.trusted()
    seen = state.document.domains.get(domain) if state else None
    for owner in owners:
        if (seen is None or owner not in seen.owners) and owner in watch.store.get_key_custodian_names():
            words = to_words(watch.store.get_fingerprint(owner))
            output.note(f"note: {owner} was not seen as an owner of {domain} before; their fingerprint: {words}")
