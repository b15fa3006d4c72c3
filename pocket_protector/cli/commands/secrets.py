"""Commands that change secrets. None of them needs credentials, but --sign, and to lower a sensitivity."""

from __future__ import annotations

import string
from collections.abc import Mapping
from secrets import choice
from typing import Annotated, Any

import typer

from pocket_protector import files
from pocket_protector.changes.signing import require_signing
from pocket_protector.cli import output
from pocket_protector.cli.parameters import (
    Domain,
    DomainOption,
    Name,
    NameOption,
    RequiredDomain,
    RequiredName,
    SensitivityOption,
    Sign,
    one_of,
    parse_number,
    parse_sensitivity,
)
from pocket_protector.cli.session import Session, session_of
from pocket_protector.cli.usage import UsageError
from pocket_protector.document.domain import MAX_VALUE_BYTES
from pocket_protector.document.new_secret import NewSecret, SetMode
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import FormatError, StoreError, command

_GENERATED_FROM = string.ascii_letters + string.digits
_MOST_GENERATED = 4096

FromFile = Annotated[
    str | None,
    typer.Option("--from-file", metavar="PATH|-", help="Take the value from a file, or all of stdin, as it is."),
]
ReferenceOption = Annotated[
    str | None,
    typer.Option(
        "--reference", metavar="URI", help="Point to a value in a secret manager, such as azure-kv://vault/secret."
    ),
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
    reference: ReferenceOption = None,
    sensitivity: SensitivityOption = None,
    sign: Sign = False,
) -> None:
    """Add a secret to a key domain."""
    output.note("Adding secret value.")
    place = one_of(domain, domain_option, "DOMAIN"), one_of(name, name_option, "NAME")
    _change(ctx, SetMode.ADD, *place, "added secret {} to {}")


def update_secret(
    ctx: typer.Context,
    domain: Domain = None,
    name: Name = None,
    domain_option: DomainOption = None,
    name_option: NameOption = None,
    from_file: FromFile = None,
    generate: Generate = None,
    reference: ReferenceOption = None,
    sensitivity: SensitivityOption = None,
    sign: Sign = False,
) -> None:
    """Change the value of a secret."""
    output.note("Updating secret value.")
    place = one_of(domain, domain_option, "DOMAIN"), one_of(name, name_option, "NAME")
    _change(ctx, SetMode.UPDATE, *place, "updated secret {} in {}")


def set_secret(
    ctx: typer.Context,
    domain: Domain = None,
    name: Name = None,
    domain_option: DomainOption = None,
    name_option: NameOption = None,
    from_file: FromFile = None,
    generate: Generate = None,
    reference: ReferenceOption = None,
    sensitivity: SensitivityOption = None,
    sign: Sign = False,
) -> None:
    """Add a secret, or change its value if it exists."""
    output.note("Setting secret value.")
    place = one_of(domain, domain_option, "DOMAIN"), one_of(name, name_option, "NAME")
    _change(ctx, SetMode.ADD_OR_UPDATE, *place, "set secret {} in {}")


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


def set_sensitivity(
    ctx: typer.Context,
    domain: RequiredDomain,
    name: RequiredName,
    sensitivity: Annotated[
        str, typer.Argument(metavar="low|medium|high|inject-only", help="How carefully to handle the value.")
    ],
) -> None:
    """Have a value, as it is, handled otherwise. To lower a sensitivity takes an owner; so does any change of a signed
    value's, which is signed anew."""
    session = session_of(ctx)
    store = session.read_to_change()
    level = parse_sensitivity(sensitivity)
    session.guard(store, domain, wraps=False)
    lowers = store.lowers_sensitivity(domain, name, level)
    if lowers:
        _agree_to_lower(session, domain, name, level)
    signs = lowers or store.is_signed_secret(domain, name)
    identity = session.identity(store) if signs else None
    changed = store.set_sensitivity(domain, name, level, creds=identity)
    if signs and name in store.authority(domain).unreviewed:
        raise StoreError(
            f"no owner vouches for {name!r} in {domain!r}, and its new sensitivity would be signed with it",
            hint=f"look at it first: {command('review', domain)}",
        )
    session.write(store, changed, f"the sensitivity of secret {name} in {domain} is now {level.word}")


def _change(
    ctx: typer.Context,
    mode: SetMode,
    domain: str | None,
    name: str | None,
    done: str,
) -> None:
    session, given = session_of(ctx), ctx.params
    reference = _reference(given)
    level = None if given["sensitivity"] is None else parse_sensitivity(given["sensitivity"])
    store = session.read_to_change()
    place = _place(session, domain, name)
    store.change_secret(
        mode, NewSecret(*place, reference or "")
    )  # a place that will not do is refused before its value is asked for
    session.guard(store, place[0], wraps=False)
    lowers = level is not None and store.lowers_sensitivity(*place, level)
    if level is not None and lowers:
        _agree_to_lower(session, *place, level)
    identity = session.identity(store) if given["sign"] or lowers else None
    if identity is not None:
        require_signing(identity)
        if identity.name not in store.authority(place[0]).owners.counting:
            output.note(f"note: {identity.name} is no owner of {place[0]}: an owner has yet to review the value")
    if identity is None and store.get_policy(place[0]).require_signed:
        output.note(f"note: {place[0]} demands signed values: nobody can use them until an owner has reviewed this one")
    elif identity is None and reference and store.get_policy(place[0]).production:
        output.note(f"note: {place[0]} is production: nobody can resolve this reference until an owner has reviewed it")
    value = reference or _value(session, given["from_file"], given["generate"])
    changed = store.change_secret(mode, NewSecret(*place, value, level), identity)
    session.write(store, changed, done.format(place[1], place[0]))


def _reference(given: Mapping[str, Any]) -> Reference | None:
    """What --reference gives, which must be one that something installed can resolve."""
    text = given["reference"]
    if text is None:
        return None
    if given["from_file"] is not None or given["generate"] is not None:
        raise UsageError("--reference stands in the place of a value: --from-file and --generate contradict it")
    from pocket_protector.plugins.registry import check_reference  # it takes long to import

    try:
        reference = Reference(text)
        check_reference(reference)
    except FormatError as error:
        raise UsageError(f"--reference: {error.message}", hint=error.hint) from None
    return reference


def _agree_to_lower(session: Session, domain: str, name: str, level: Sensitivity) -> None:
    """Ask, where somebody can answer. In a script, giving an owner's credentials is the answer."""
    question = f"Lower the sensitivity of {name} in {domain} to {level.word}?"
    if session.prompts.terminal and not session.prompts.agreed(question):
        raise StoreError("nothing was written: the sensitivity stays")


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
    raw = session.prompts.rest(MAX_VALUE_BYTES, "--from-file")
    if len(raw) > MAX_VALUE_BYTES:
        raise StoreError(f"the value on stdin has more than {MAX_VALUE_BYTES} bytes")
    return raw
