"""The command that seals a package."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from typing import Annotated

import typer

from pocket_protector import files
from pocket_protector.changes.signing import check_can_sign
from pocket_protector.cli import output
from pocket_protector.cli.completion import custodians
from pocket_protector.cli.opening import check_use, keep, tell
from pocket_protector.cli.parameters import RequiredDomain, Secrets
from pocket_protector.cli.senders import remember
from pocket_protector.cli.session import Session, session_of
from pocket_protector.cli.usage import UsageError
from pocket_protector.crypto.identity import Identity
from pocket_protector.document.exported import ExportedDomain
from pocket_protector.document.reference import Reference
from pocket_protector.document.times import format_time
from pocket_protector.errors import FormatError, PPKeyError, StoreError
from pocket_protector.keyfile.exported_domain import check_names, with_contents
from pocket_protector.keyfile.key_file import KeyFile
from pocket_protector.keyfile.reading import now
from pocket_protector.packages.armour import to_text
from pocket_protector.packages.contents import is_gated
from pocket_protector.packages.header import LONGEST_LIFE, Gate
from pocket_protector.packages.keys.public_key import MAX_KEY_FILE_BYTES, Recipient, parse_recipient, recipient_of
from pocket_protector.packages.package_sealing import PackageRequest, check_not_production, seal_package
from pocket_protector.packages.token import Token
from pocket_protector.user.known_keys import RECIPIENTS, KnownKeys

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def package(
    ctx: typer.Context,
    domain: RequiredDomain,
    recipient: Annotated[
        list[str] | None,
        typer.Option(
            "--recipient",
            metavar="FILE|CUSTODIAN",
            help="Who can open it: a key custodian, or a file with a public key of ours, ssh or age; repeatable.",
            autocompletion=custodians,
        ),
    ] = None,
    out: Annotated[str | None, typer.Option("--out", metavar="PATH", help="The new file for the package.")] = None,
    token_out: Annotated[
        str | None, typer.Option("--token-out", metavar="PATH", help="The new file for the token.")
    ] = None,
    ttl: Annotated[str, typer.Option("--ttl", metavar="24h", help="How long it can be opened: 30m, 24h, 30d.")] = "24h",
    secret: Secrets = None,
    gate: Annotated[
        str,
        typer.Option(
            "--gate", metavar="token|token-or-human", help="What opens sensitive values, or a person in its place."
        ),
    ] = "token",
    binary: Annotated[bool, typer.Option("--binary", help="Write bytes, in the place of text to paste.")] = False,
) -> None:
    """Seal a domain's secrets in a package that only its recipients can open, and only for a while.

    High and inject-only values are behind a second factor: a token, which you send them another way. References go as
    they are. A production domain is refused.
    """
    if not recipient or out is None:
        raise UsageError("a package needs recipients and a file", hint="--recipient FILE|CUSTODIAN --out PATH")
    session, life, chosen = session_of(ctx), parse_life(ttl), parse_gate(gate)
    store = session.read_to_change()
    check_not_production(domain, store.get_policy(domain).production)
    people = [_recipient(store, given) for given in recipient]
    session.guard(store, domain, *(given for given in recipient if given in store.get_key_custodian_names()))
    _meet(session, people)
    identity = session.identity(store)
    check_can_sign(identity)
    exported = _exported(session, store, domain, identity, secret)
    gated = [entry.name for entry in exported.entries if is_gated(entry)]
    if gated and token_out is None and chosen is Gate.TOKEN:
        raise UsageError(f"sensitive values need a token: {', '.join(gated)}", hint="--token-out PATH")
    token = Token.generate()
    keys = tuple(person.public_key for person in people)
    request = PackageRequest(identity, keys, now(), life, token, chosen)
    sealed = seal_package(exported, request)
    _write(out, sealed if binary else to_text(sealed).encode(), token_out if gated else None, token)
    for person in people:
        remember(RECIPIENTS, person.name, person.fingerprint)
    _summary(exported, people, request, out, token_out if gated else None)


def parse_life(text: str) -> timedelta:
    """UsageError for what is no number of minutes, hours or days."""
    match = re.fullmatch(r"([1-9][0-9]{0,5})([mhd])", text)
    if match is None:
        raise UsageError(f"{text[:80]!r} is no time that a package lives", hint="--ttl 30m, --ttl 24h, or --ttl 30d")
    life = int(match[1]) * _UNITS[match[2]]
    if life > LONGEST_LIFE:
        raise UsageError(f"a package lives for up to {LONGEST_LIFE.days} days", hint="--ttl 30d")
    return life


def parse_gate(text: str) -> Gate:
    """UsageError for unknown ones."""
    try:
        return Gate(text)
    except ValueError:
        raise UsageError(f"{text[:80]!r} is no gate", hint="--gate token|token-or-human") from None


def _recipient(store: KeyFile, given: str) -> Recipient:
    """A custodian of the file, else whose public key is in the file of that name."""
    names = store.get_key_custodian_names()
    if given in names and os.path.lexists(given):
        # Anybody may add a custodian of that name.
        raise UsageError(f"{given!r} is both a key custodian and a file", hint="move the file, and name it otherwise")
    if given in names:
        keys, _ = store.get_signed_keys(given)
        return recipient_of(given, keys)
    if not os.path.lexists(given):
        raise PPKeyError("key custodian or file", given, names)
    try:
        return parse_recipient(files.read(given, MAX_KEY_FILE_BYTES).decode())
    except UnicodeDecodeError:
        raise FormatError(f"{given}: this is no public key") from None
    except FormatError as error:
        raise FormatError(f"{given}: {error.message}", hint=error.hint) from None


def _meet(session: Session, people: list[Recipient]) -> None:
    """Show each recipient's fingerprint, and ask about one whose key is another than before. StoreError if the answer
    is no."""
    known = KnownKeys(RECIPIENTS)
    for person in people:
        before = known.fingerprint_of(person.name)
        output.note(f"recipient: {person.name}")
        # On a line of its own: whoever makes a key chooses the name that stands beside it.
        output.note(f"  {person.fingerprint}{'' if before else ' (for the first time: compare it with theirs)'}")
        if before not in (None, person.fingerprint):
            output.note(f"warning: {person.name} had another key before:\n  {before}")
            if not session.prompts.confirmed("Seal to the new key?", "an answer at a terminal"):
                raise StoreError(
                    "nothing was sealed: the recipient's key is another than before",
                    hint="compare the fingerprint with theirs; then repeat this at a terminal",
                )


def _exported(
    session: Session, store: KeyFile, domain: str, identity: Identity, secrets: list[str] | None
) -> ExportedDomain:
    """Decrypt the domain's entries; references stay references. Each is at least as sensitive as the user saw it, if
    somebody lowered that without authorization."""
    names = secrets or store.get_domain_secret_names(domain)
    check_names(store, domain, names)
    watch = session.watch(store)
    check_use(session, store, watch, domain, require_signed=watch.demanded_signed(domain))
    values, references = store.decrypt_values(domain, identity), store.get_references(domain)
    contents = {name: references[name] if name in references else values[name].encode() for name in names}
    exported = with_contents(store, domain, contents, watch.kept(domain))
    keep(session, watch)
    tell(store, domain, values)
    return exported


def _write(out: str, sealed: bytes, token_out: str | None, token: Token) -> None:
    """Both files or none."""
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
        output.note(f"  open to them: {', '.join(ordinary)}")
    if gated:
        output.note(f"  behind the {request.gate.value.replace('-', ' ')}: {', '.join(gated)}")
    if pointers:
        output.note(f"  as references, which lead where they led: {', '.join(pointers)}")
    output.note(f"  until {format_time(request.now + request.life)}")
    output.note(f"send {out} by mail or chat")
    if not gated:
        output.note("nothing in it is sensitive, so that it needs no token")
    if token_out is not None:
        output.note(f"send {token_out} another way, such as by telephone: who has both and a recipient's key has all")
