"""The options of the commands for setting a secret, and reading its new value."""

from __future__ import annotations

import string
from dataclasses import dataclass
from secrets import choice
from typing import Annotated

import typer

from pocket_protector import files
from pocket_protector.cli.parameters import (
    Domain,
    DomainOption,
    Name,
    NameOption,
    SensitivityOption,
    Sign,
    parse_number,
)
from pocket_protector.cli.session import Session
from pocket_protector.cli.usage import UsageError
from pocket_protector.document.domain import MAX_VALUE_BYTES
from pocket_protector.document.reference import Reference
from pocket_protector.errors import FormatError, StoreError

_GENERATED_FROM = string.ascii_letters + string.digits
_MOST_GENERATED = 4096


@dataclass(frozen=True, slots=True)
class SecretOptions:
    """The secret to set, and the source of its value."""

    domain: Domain = None
    name: Name = None
    domain_option: DomainOption = None
    name_option: NameOption = None
    from_file: Annotated[
        str | None,
        typer.Option(
            "--from-file", metavar="PATH|-", help="Read the value, unchanged, from a file, or from stdin if - is given."
        ),
    ] = None
    generate: Annotated[
        str | None,
        typer.Option(
            "--generate", metavar="[LENGTH]", help="Generate a value of LENGTH letters and digits; 32 if omitted."
        ),
    ] = None
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference", metavar="URI", help="Point to a value in a secret manager, such as azure-kv://vault/secret."
        ),
    ] = None
    sensitivity: SensitivityOption = None
    sign: Sign = False


def reference_in(options: SecretOptions) -> Reference | None:
    """Return the reference from --reference. Raises UsageError unless an installed provider can resolve it."""
    if options.reference is None:
        return None
    if options.from_file is not None or options.generate is not None:
        raise UsageError("--reference replaces the value: leave out --from-file and --generate")
    from pocket_protector.plugins.registry import check_reference  # slow to import

    try:
        reference = Reference(options.reference)
        check_reference(reference)
    except FormatError as error:
        raise UsageError(f"--reference: {error.message}", hint=error.hint) from None
    return reference


def value_of(session: Session, options: SecretOptions) -> str:
    """Return the value: from a file, from stdin, generated, or typed by the user.

    Raises UsageError for contradictory options, and StoreError for bytes that are not UTF-8 text.
    """
    from_file, generate = options.from_file, options.generate
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
        raise UsageError(f"{length} is not a valid length for a value", hint=hint)
    return "".join(choice(_GENERATED_FROM) for _ in range(number))


def _stdin(session: Session) -> bytes:
    raw = session.prompts.rest(MAX_VALUE_BYTES, "--from-file")
    if len(raw) > MAX_VALUE_BYTES:
        raise StoreError(f"the value on stdin has more than {MAX_VALUE_BYTES} bytes")
    return raw
