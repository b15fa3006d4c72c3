"""Commands about secrets. None of them needs credentials, but --sign."""

from __future__ import annotations

import string
from collections.abc import Callable
from secrets import choice
from typing import Annotated

import typer

from pocket_protector import files
from pocket_protector.cli import output
from pocket_protector.cli.parameters import (
    Domain,
    DomainOption,
    Json,
    Name,
    NameOption,
    RequiredDomain,
    Sign,
    one_of,
    parse_number,
)
from pocket_protector.cli.session import Session, session_of
from pocket_protector.cli.usage import UsageError
from pocket_protector.errors import StoreError
from pocket_protector.keyfile import KeyFile
from pocket_protector.model.domain import MAX_VALUE_BYTES
from pocket_protector.model.signing import check_can_sign

_GENERATED_FROM = string.ascii_letters + string.digits
_MOST_GENERATED = 4096

FromFile = Annotated[
    str | None,
    typer.Option("--from-file", metavar="PATH|-", help="Take the value from a file, or all of stdin, as it is."),
]
Generate = Annotated[
    str | None,
    typer.Option("--generate", metavar="[LENGTH]", help="Make a value of 32 letters and digits, or as many as given."),
]


def add_secret(
    ctx: typer.Context,
    domain: Domain = None,
    name: Name = None,
    domain_option: DomainOption = None,
    name_option: NameOption = None,
    from_file: FromFile = None,
    generate: Generate = None,
    sign: Sign = False,
) -> None:
    """Add a secret to a key domain."""
    output.note("Adding secret value.")
    place = one_of(domain, domain_option, "DOMAIN"), one_of(name, name_option, "NAME")
    _change(ctx, KeyFile.add_secret, *place, "added secret {} to {}")


def update_secret(
    ctx: typer.Context,
    domain: Domain = None,
    name: Name = None,
    domain_option: DomainOption = None,
    name_option: NameOption = None,
    from_file: FromFile = None,
    generate: Generate = None,
    sign: Sign = False,
) -> None:
    """Change the value of a secret."""
    output.note("Updating secret value.")
    place = one_of(domain, domain_option, "DOMAIN"), one_of(name, name_option, "NAME")
    _change(ctx, KeyFile.update_secret, *place, "updated secret {} in {}")


def set_secret(
    ctx: typer.Context,
    domain: Domain = None,
    name: Name = None,
    domain_option: DomainOption = None,
    name_option: NameOption = None,
    from_file: FromFile = None,
    generate: Generate = None,
    sign: Sign = False,
) -> None:
    """Add a secret, or change its value if it exists."""
    output.note("Setting secret value.")
    place = one_of(domain, domain_option, "DOMAIN"), one_of(name, name_option, "NAME")
    _change(ctx, KeyFile.set_secret, *place, "set secret {} in {}")


def rm_secret(
    ctx: typer.Context,
    domain: Domain = None,
    name: Name = None,
    domain_option: DomainOption = None,
    name_option: NameOption = None,
) -> None:
    """Remove a secret from a key domain. Git's history keeps it."""
    session = session_of(ctx)
    store = session.read_to_change()
    output.note("Removing secret.")
    place = _place(session, one_of(domain, domain_option, "DOMAIN"), one_of(name, name_option, "NAME"))
    session.write(store, store.rm_secret(*place), f"removed secret {place[1]} from {place[0]}")


def list_domain_secrets(ctx: typer.Context, domain: RequiredDomain, json: Json = False) -> None:
    """Print the names of a key domain's secrets."""
    store = session_of(ctx).read()
    names = store.get_domain_secret_names(domain)
    if json:
        output.listing("secrets", names)
    elif names:
        output.lines(names)
    else:
        output.note(f"(No secrets in domain {domain!r} of protected at {store.path})")


def list_all_secrets(ctx: typer.Context, json: Json = False) -> None:
    """Print every secret's name, with the key domains that have it."""
    store = session_of(ctx).read()
    found = dict(sorted(store.get_all_secret_names().items()))
    if json:
        output.listing("secrets", found)
    elif found:
        output.lines(f"{name}: {', '.join(domains)}" for name, domains in found.items())
    else:
        output.note(f"(No secrets in protected at {store.path})")


def _change(
    ctx: typer.Context,
    change: Callable[..., KeyFile],
    domain: str | None,
    name: str | None,
    done: str,
) -> None:
    session = session_of(ctx)
    store = session.read_to_change()
    place = _place(session, domain, name)
    change(store, *place, "")  # a place that will not do is refused before its value is asked for
    session.guard(store, place[0], wraps=False)
    identity = session.identity(store) if ctx.params["sign"] else None
    if identity is not None:
        check_can_sign(identity)
        if identity.name not in store.standing(place[0]).owners.counting:
            output.note(f"note: {identity.name} is no owner of {place[0]}: an owner has yet to review the value")
    if identity is None and store.get_policy(place[0]).require_signed:
        output.note(f"note: {place[0]} demands signed values: nobody can use them until an owner has reviewed this one")
    value = _value(session, ctx.params["from_file"], ctx.params["generate"])
    session.write(store, change(store, *place, value, creds=identity), done.format(place[1], place[0]))


def _place(session: Session, domain: str | None, name: str | None) -> tuple[str, str]:
    chosen = session.asked(domain, "Domain name", "DOMAIN")
    return chosen, session.asked(name, "Secret name", "NAME")


def _value(session: Session, from_file: str | None, generate: str | None) -> str:
    if from_file is not None and generate is not None:
        raise UsageError("--from-file and --generate both give the value")
    if generate is not None:
        return _generated(generate)
    if from_file is None:
        return session.prompts.value("Secret value", "--from-file PATH|-")
    raw = _stdin(session) if from_file == "-" else files.read(from_file, MAX_VALUE_BYTES)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise StoreError(
            f"the value in {from_file} is not UTF-8 text", hint="encode binary values, for example as base64"
        ) from None


def _generated(length: str) -> str:
    hint = f"--generate takes 1 to {_MOST_GENERATED}"
    number = parse_number(length, "length for a value", hint)
    if not 1 <= number <= _MOST_GENERATED:
        raise UsageError(f"{length} is no length for a value", hint=hint)
    return "".join(choice(_GENERATED_FROM) for _ in range(number))


def _stdin(session: Session) -> bytes:
    raw = session.prompts.rest(MAX_VALUE_BYTES)
    if len(raw) > MAX_VALUE_BYTES:
        raise StoreError(f"the value on stdin has more than {MAX_VALUE_BYTES} bytes")
    return raw
