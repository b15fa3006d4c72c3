"""Opening a key domain for a command: its values, and what its references lead to."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pocket_protector.cli import output
from pocket_protector.cli.session import Session
from pocket_protector.cli.warning import warn
from pocket_protector.document.decrypted import DecryptedDomain
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import PolicyError, PPKeyError, StoreError, command
from pocket_protector.keyfile.credentials import PREFIX_VARIABLE
from pocket_protector.keyfile.key_file import KeyFile

if TYPE_CHECKING:  # imported late: most commands ask for nothing of it
    from pocket_protector.cli.watching import Watch
    from pocket_protector.references.resolve import Resolved
    from pocket_protector.trust.gates import Trust

_QUIET_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Use:
    """What a command does with the values that it opens, as its options say. `prints` is whether people may see them;
    then `reveal` shows on a terminal what is of high sensitivity."""

    prints: bool
    require_signed: bool
    no_resolve: bool
    skip_unresolved: bool = False
    reveal: bool = False


def opened(
    session: Session, store: KeyFile, domain: str, use: Use, chosen: Collection[str] | None = None
) -> dict[str, bytes]:
    """Unlock a domain, and say what of it is not as it should be; the values of all its secrets, less those that cannot
    be had and need not be, or of those that are `chosen`.

    PPKeyError, first, if one of these is no secret of it; PolicyError if the domain's policy, what was asked for, or
    the sensitivity of what would be printed refuses.
    """
    known = store.get_domain_secret_names(domain)
    for name in chosen or ():
        if name not in known:
            raise PPKeyError(f"secret in {domain!r}", name, known)
    names = [name for name in known if chosen is None or name in chosen]
    references = {name: pointer for name, pointer in store.get_references(domain).items() if name in names}
    watch = session.watch(store)
    warn(watch, [domain], interactive=session.prompts.terminal, terminal=session.prompts.terminal)
    if use.prints:
        shown = [name for name in names if not (name in references and use.no_resolve)]
        try:
            _check_printable(watch, domain, shown, reveal=use.reveal)
        except PolicyError:
            # What is refused now is not to be had by whoever lowers it next.
            keep(session, watch)
            raise
    identity = session.identity(store)
    # Whoever replaces a domain replaces its policy too: what the one that was seen demanded still counts.
    required = use.require_signed or watch.demanded_signed(domain)
    check_use(session, store, watch, domain, require_signed=required)
    values = store.decrypt_values(domain, identity)
    held = {name: value.encode() for name, value in values.items()}
    if use.no_resolve:
        held |= {name: pointer.text.encode() for name, pointer in references.items()}
    elif references:
        partly = use.skip_unresolved and chosen is None
        resolved = fetched(session, store, [(domain, name) for name in references], partly=partly)
        for (_, left_out), failure in resolved.failures.items():
            output.note(f"warning: {left_out} is left out: {failure}")
        held |= {name: value for (_, name), value in resolved.values.items()}
    keep(session, watch)
    tell(store, domain, values)
    return {name: held[name] for name in names if name in held}


def fetched(session: Session, store: KeyFile, places: list[tuple[str, str]], *, partly: bool = False) -> Resolved:
    """What references lead to; ProviderError if one cannot be had, unless what there is will do (`partly`).

    IntegrityError for what somebody without the right to it changed since the user looked last; PolicyError for a
    domain that does not lead back to whom the user trusts.
    """
    anchors = session.anchors()
    if anchors is not None:
        for domain in sorted({domain for domain, _ in places}):
            store.check_anchored(domain, anchors)
    if session.options.env_prefix:
        # No reference leads to credentials, whatever the variables that hold them are called.
        os.environ[PREFIX_VARIABLE] = session.options.env_prefix
    begun = time.monotonic()

    def told(done: int, number: int) -> None:
        if time.monotonic() > begun + _QUIET_SECONDS:
            output.progress(f"fetched {done} of {number} references", last=done == number)

    findings, behind = session.watch(store).findings, session.options.behind
    resolved = store.resolve(places, told, partly=partly, findings=findings, behind=behind)
    if not resolved.recorded:
        output.note("note: your log of accesses cannot be written: nothing there tells that references were resolved")
    if not partly:
        resolved.require_all()
    return resolved


def keep(session: Session, watch: Watch) -> None:
    watch.seen() if session.prompts.terminal else watch.looked_at()


def _check_printable(watch: Watch, domain: str, names: Iterable[str], *, reveal: bool) -> None:
    """PolicyError for values that are for programs only, and on a terminal for those that nobody asked to see there."""
    kept = watch.kept(domain)
    written = {name: watch.store.get_secret_sensitivity(domain, name) for name in names}
    levels = {name: max(level, kept.get(name, level)) for name, level in written.items()}
    for_programs = sorted(name for name, level in levels.items() if level is Sensitivity.INJECT_ONLY)
    if for_programs:
        raise PolicyError(
            f"these values in {domain!r} are inject-only, and are not printed: {', '.join(for_programs)}",
            hint=f"a program gets them: {command('run', domain)} -- COMMAND",
        )
    sensitive = sorted(name for name, level in levels.items() if level is Sensitivity.HIGH)
    if sensitive and not reveal and sys.stdout is not None and sys.stdout.isatty():
        raise PolicyError(
            f"these values in {domain!r} are of high sensitivity, and stdout is a terminal: {', '.join(sensitive)}",
            hint="--reveal prints them all the same",
        )


def check_use(session: Session, store: KeyFile, watch: Watch, domain: str, *, require_signed: bool) -> None:
    """PolicyError if the domain may not be used: signed values are required of it, an anchor is given that it does not
    lead back to, or its own policy refuses."""
    anchors = session.anchors()
    strict = require_signed or anchors is not None
    if not strict and not store.has_demands(domain):
        return
    trust: Trust | None = anchors
    if anchors is None and (strict or store.get_policy(domain).require_signed):
        trust = watch.trusted()
    # An older branch is refused only to those who require signed values.
    behind = session.options.behind or not strict
    store.check_use(domain, require_signed=require_signed, trust=trust, behind=behind)


def tell(store: KeyFile, domain: str, values: DecryptedDomain) -> None:
    """What of the values is not as it should be, and a rotation mends."""
    rotate = command("rotate-domain-keys", domain)
    bind = rotate if _changeable(store) else f"pprotect upgrade, then {rotate}"
    if values.unbound:
        output.note(
            f"note: {len(values.unbound)} of {len(values)} values in {domain} are of Pocket Protector's format: a swap"
            f" of two would not be noticed; to bind them: {bind}"
        )
    if values.under_retired_key:
        output.note(
            f"note: sealed to an earlier key of {domain}: {', '.join(values.under_retired_key)};"
            f" to re-seal them: {rotate}"
        )


def _changeable(store: KeyFile) -> bool:
    try:
        store.check_changeable()
    except StoreError:
        return False
    return True
