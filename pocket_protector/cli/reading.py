"""Commands that print values."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from pocket_protector.cli import output
from pocket_protector.cli.parameters import RequiredDomain, RequiredName, RequireSigned, secret_names
from pocket_protector.cli.session import Session, session_of
from pocket_protector.cli.usage import UsageError
from pocket_protector.cli.warning import warn
from pocket_protector.environment import check_name, is_shell_name
from pocket_protector.errors import PPKeyError, StoreError, command
from pocket_protector.keyfile import KeyFile
from pocket_protector.model.decrypted import DecryptedDomain

if TYPE_CHECKING:  # imported late: most commands ask for nothing of it
    from pocket_protector.cli.watching import Watch
    from pocket_protector.trust.reading import Trust

_FORMATS = ("json", "env", "shell")


def get(ctx: typer.Context, domain: RequiredDomain, name: RequiredName, require_signed: RequireSigned = False) -> None:
    """Print one value. Nothing is added to it where stdout is no terminal."""
    value = decrypted(session_of(ctx), domain, name, require_signed=require_signed)[name]
    output.data(value)
    if sys.stdout.isatty():
        output.data("\n")


def decrypt_domain(
    ctx: typer.Context,
    domain: RequiredDomain,
    output_format: Annotated[
        str | None, typer.Option("--output-format", metavar="json|env|shell", help="How to print; json if not given.")
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option("--secret", metavar="NAME", help="Print this secret only.", autocompletion=secret_names),
    ] = None,
    require_signed: RequireSigned = False,
) -> None:
    """Print all values of a key domain, or with --secret one of them: bare, if no format is given."""
    if output_format is not None and output_format not in _FORMATS:
        raise UsageError(f"{output_format!r} is no output format", hint=f"--output-format {'|'.join(_FORMATS)}")
    values = decrypted(session_of(ctx), domain, secret, require_signed=require_signed)
    chosen = dict(values) if secret is None else {secret: values[secret]}
    if secret is not None and output_format is None:
        output.data(f"{values[secret]}\n")
    elif output_format in ("env", "shell"):
        output.data(_assignments(chosen, "export " if output_format == "shell" else ""))
    else:
        output.data(json.dumps(chosen, indent=2, sort_keys=True) + "\n")


def decrypted(
    session: Session, domain: str, name: str | None = None, *, require_signed: bool = False
) -> DecryptedDomain:
    """Unlock a domain, and say what of it is not as it should be. PPKeyError, first, if `name` is no secret of it;
    PolicyError if the domain's policy, or what was asked for, refuses."""
    store = session.read()
    known = store.get_domain_secret_names(domain)
    if name is not None and name not in known:
        raise PPKeyError(f"secret in {domain!r}", name, known)
    watch = session.watch(store)
    warn(watch, [domain], interactive=session.prompts.terminal)
    identity = session.identity(store)
    # Whoever replaces a domain replaces its policy too: what the one that was seen demanded still counts.
    _check_use(session, store, watch, domain, require_signed=require_signed or watch.demanded_signed(domain))
    values = store.decrypt_values(domain, identity)
    watch.seen() if session.prompts.terminal else watch.looked_at()
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
    return values


def _check_use(session: Session, store: KeyFile, watch: Watch, domain: str, *, require_signed: bool) -> None:
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


def _changeable(store: KeyFile) -> bool:
    try:
        store.check_changeable()
    except StoreError:
        return False
    return True


def _assignments(values: dict[str, str], before: str) -> str:
    """One shell assignment a line; StoreError for a name that a shell cannot address, or that changes how programs
    run: a shell evaluates this."""
    for name in values:
        if not is_shell_name(name):
            raise StoreError(f"no shell can address a variable {name!r}", hint="--output-format json, or --secret NAME")
        check_name(name, name)
    return "".join(f"{before}{name}={shlex.quote(value)}\n" for name, value in sorted(values.items()))
