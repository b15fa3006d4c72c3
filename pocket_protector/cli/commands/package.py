"""The command for sealing a package."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import typer

from pocket_protector import files
from pocket_protector.changes.signing import require_signing
from pocket_protector.cli import output
from pocket_protector.cli.completion import custodians
from pocket_protector.cli.parameters import RequiredDomain, Secrets
from pocket_protector.cli.recipients import meet_recipients, recipient_named
from pocket_protector.cli.senders import remember
from pocket_protector.cli.session import session_of
from pocket_protector.cli.usage import UsageError
from pocket_protector.document.exported import ExportedDomain
from pocket_protector.document.reference import Reference
from pocket_protector.document.times import format_time
from pocket_protector.keyfile.reading import now
from pocket_protector.packages.armour import to_text
from pocket_protector.packages.contents import is_gated
from pocket_protector.packages.header import LONGEST_LIFE, Gate
from pocket_protector.packages.keys.public_key import Recipient
from pocket_protector.packages.package_sealing import PackageRequest, check_not_production, seal_package
from pocket_protector.packages.token import Token
from pocket_protector.user.domain_access import Use
from pocket_protector.user.known_keys import RECIPIENTS

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class PackageOptions:
    """The recipients of a package, its secrets, its gate and its files."""

    recipient: Annotated[
        list[str] | None,
        typer.Option(
            "--recipient",
            metavar="FILE|CUSTODIAN",
            help="A recipient: a key custodian, or a file with a pprotect, SSH or age public key; repeatable.",
            autocompletion=custodians,
        ),
    ] = None
    out: Annotated[str | None, typer.Option("--out", metavar="PATH", help="The new file for the package.")] = None
    token_out: Annotated[
        str | None, typer.Option("--token-out", metavar="PATH", help="The new file for the token.")
    ] = None
    ttl: Annotated[
        str, typer.Option("--ttl", metavar="24h", help="How long the package can be opened: 30m, 24h, 30d.")
    ] = "24h"
    secret: Secrets = None
    gate: Annotated[
        str,
        typer.Option(
            "--gate",
            metavar="token|token-or-human",
            help="Open sensitive values by the token only, or also by a person who confirms.",
        ),
    ] = "token"
    binary: Annotated[bool, typer.Option("--binary", help="Write bytes instead of text.")] = False


def package(ctx: typer.Context, domain: RequiredDomain, options: PackageOptions) -> None:
    """Seal a domain's secrets in a package that only its recipients can open, for a limited time.

    Values of high or inject-only sensitivity need a second factor: a token, which you send over another channel.
    References are included as they are. A production domain is refused.
    """
    if not options.recipient or options.out is None:
        raise UsageError("a package needs recipients and a file", hint="--recipient FILE|CUSTODIAN --out PATH")
    session, life, gate = session_of(ctx), parse_life(options.ttl), parse_gate(options.gate)
    guarded = session.open_to_change()
    store = guarded.key_file
    check_not_production(domain, store.get_policy(domain).production)
    people = [recipient_named(store, name) for name in options.recipient]
    custodians_named = [name for name in options.recipient if name in store.get_key_custodian_names()]
    guarded.check_wrapping(domain, *custodians_named)
    meet_recipients(session, people)
    identity = session.identity(store)
    require_signing(identity)
    exported = guarded.access(domain, Use(resolve=False), options.secret or None).export(identity, *custodians_named)
    gated = [entry.name for entry in exported.entries if is_gated(entry)]
    if gated and options.token_out is None and gate is Gate.TOKEN:
        raise UsageError(f"sensitive values need a token: {', '.join(gated)}", hint="--token-out PATH")
    token = Token.generate()
    keys = tuple(person.public_key for person in people)
    request = PackageRequest(identity, keys, now(), life, token, gate)
    sealed = seal_package(exported, request)
    token_out = options.token_out if gated else None
    _write(options.out, sealed if options.binary else to_text(sealed).encode(), token_out, token)
    for person in people:
        remember(RECIPIENTS, person.name, person.fingerprint)
    _summary(exported, people, request, options.out, token_out)


def parse_life(text: str) -> timedelta:
    """Return the time from a text such as 30m, 24h or 30d. Raises UsageError for any other text."""
    match = re.fullmatch(r"([1-9][0-9]{0,5})([mhd])", text)
    if match is None:
        raise UsageError(f"{text[:80]!r} is not a valid lifetime", hint="--ttl 30m, --ttl 24h, or --ttl 30d")
    life = int(match[1]) * _UNITS[match[2]]
    if life > LONGEST_LIFE:
        raise UsageError(f"a package lives for up to {LONGEST_LIFE.days} days", hint="--ttl 30d")
    return life


def parse_gate(text: str) -> Gate:
    """Return the gate of this name. Raises UsageError if there is none."""
    try:
        return Gate(text)
    except ValueError:
        raise UsageError(f"{text[:80]!r} is not a gate", hint="--gate token|token-or-human") from None


def _write(out: str, sealed: bytes, token_out: str | None, token: Token) -> None:
    """Write the token and the package, or neither."""
    if token_out is not None:
        files.create_private(token_out, f"{token.text}\n".encode())
    try:
        files.create_private(out, sealed)
    except BaseException:
        if token_out is not None:
            files.remove(token_out)
        raise


def _summary(
    exported: ExportedDomain, people: list[Recipient], request: PackageRequest, out: str, token_out: str | None
) -> None:
    gated = [entry.name for entry in exported.entries if is_gated(entry)]
    ordinary = [entry.name for entry in exported.entries if not is_gated(entry)]
    pointers = [entry.name for entry in exported.entries if isinstance(entry.content, Reference)]
    names = ", ".join(person.name for person in people)
    output.note(f"sealed {len(exported.entries)} secrets of {exported.name} for {names}")
    if ordinary:
        output.note(f"  open without a token: {', '.join(ordinary)}")
    if gated:
        output.note(f"  behind the {request.gate.value.replace('-', ' ')}: {', '.join(gated)}")
    if pointers:
        output.note(f"  as references, unchanged: {', '.join(pointers)}")
    output.note(f"  until {format_time(request.now + request.life)}")
    output.note(f"send {out} by mail or chat")
    if not gated:
        output.note("nothing in it is sensitive, so it needs no token")
    if token_out is not None:
        output.note(f"send {token_out} over another channel: both files and a recipient's key open everything")
