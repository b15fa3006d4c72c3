"""Arguments and options shared by several commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from pocket_protector.cli.completion import completer, custodians
from pocket_protector.cli.usage import UsageError
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import FormatError

_MOST_DIGITS = 18

_domains = completer(lambda store, _: store.get_domain_names())
secret_names = completer(
    lambda store, given: store.get_domain_secret_names(given.get("domain") or given.get("domain_option") or "")
)

Domain = Annotated[
    str | None,
    typer.Argument(metavar="DOMAIN", help="The key domain; prompted for if omitted.", autocompletion=_domains),
]
AnyDomain = Annotated[
    str | None,
    typer.Argument(metavar="DOMAIN", help="Only this key domain; all if omitted.", autocompletion=_domains),
]
RequiredDomain = Annotated[str, typer.Argument(metavar="DOMAIN", help="The key domain.", autocompletion=_domains)]
Custodian = Annotated[
    str | None,
    typer.Argument(metavar="CUSTODIAN", help="The key custodian; prompted for if omitted.", autocompletion=custodians),
]
RequiredCustodian = Annotated[
    str, typer.Argument(metavar="CUSTODIAN", help="The key custodian.", autocompletion=custodians)
]
NewCustodian = Annotated[
    str | None, typer.Argument(metavar="NAME", help="The key custodian, as an email address; prompted for if omitted.")
]
Name = Annotated[
    str | None,
    typer.Argument(metavar="NAME", help="The secret's name; prompted for if omitted.", autocompletion=secret_names),
]
RequiredName = Annotated[str, typer.Argument(metavar="NAME", help="The secret's name.", autocompletion=secret_names)]
Secrets = Annotated[
    list[str] | None,
    typer.Option("--secret", metavar="NAME", help="Only this secret; repeatable.", autocompletion=secret_names),
]
DomainOption = Annotated[
    str | None, typer.Option("--domain", metavar="DOMAIN", help="The key domain.", autocompletion=_domains)
]
Into = Annotated[
    str | None, typer.Option("--into", metavar="DOMAIN", help="Import into this key domain.", autocompletion=_domains)
]
NameOption = Annotated[
    str | None, typer.Option("--secret-name", metavar="NAME", help="The secret's name.", autocompletion=secret_names)
]
KeyTypeOption = Annotated[
    str | None,
    typer.Option(
        "--key-type",
        metavar="hard|fast|raw",
        help="How a passphrase becomes a key: hard (the default), fast, or raw (a random key instead of a passphrase).",
    ),
]
NewPassphraseFile = Annotated[
    str | None,
    typer.Option("--new-passphrase-file", metavar="PATH", help="A file that holds the new passphrase or raw key."),
]
RequireSigned = Annotated[
    bool,
    typer.Option(
        "--require-signed",
        help="Refuse unless owners signed every value and the domain's key leads back to someone you trust.",
    ),
]
SensitivityOption = Annotated[
    str | None,
    typer.Option(
        "--sensitivity",
        metavar="low|medium|high|inject-only",
        help="How sensitive the value is: terminals show high values only with --reveal; inject-only is for programs.",
    ),
]
NoResolve = Annotated[bool, typer.Option("--no-resolve", help="Use references as they are; do not fetch their values.")]
SkipUnresolved = Annotated[
    bool, typer.Option("--skip-unresolved", help="Leave out references that cannot be resolved.")
]
Production = Annotated[
    bool | None,
    typer.Option(
        "--production/--no-production",
        help="Treat every value as highly sensitive, and resolve only references that an owner has signed.",
    ),
]
Reveal = Annotated[bool, typer.Option("--reveal", help="Print values of high sensitivity even on a terminal.")]
Sign = Annotated[bool, typer.Option("--sign", help="Sign the value with your credentials.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON with a schema number.")]


@dataclass(frozen=True, slots=True)
class ResolveOptions:
    """The options for a command's use of a domain's values."""

    no_resolve: NoResolve = False
    skip_unresolved: SkipUnresolved = False
    require_signed: RequireSigned = False


def format_names(incomplete: str) -> list[str]:
    """Return the export formats that begin with `incomplete`, for completion."""
    from pocket_protector.plugins.registry import export_formats

    return [name for name in export_formats() if name.startswith(incomplete)]


def parse_sensitivity(text: str) -> Sensitivity:
    """Return the sensitivity of this name. Raises UsageError if there is none."""
    try:
        return Sensitivity.parse(text)
    except FormatError:
        words = "|".join(known.word for known in Sensitivity)
        raise UsageError(f"{text[:80]!r} is not a sensitivity", hint=f"--sensitivity {words}") from None


def parse_number(text: str, what: str, hint: str) -> int:
    """Return the number from a text of at most 18 decimal digits. Raises UsageError for any other text."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise UsageError(f"{text[:80]!r} is not a valid {what}", hint=hint)
    return int(text)


def one_of(argument: str | None, option: str | None, name: str) -> str | None:
    """Return a value that the user may give as an argument or an option. Raises UsageError if both differ."""
    if argument is not None and option is not None and argument != option:
        raise UsageError(
            f"two values for {name}: {argument!r} and {option!r}",
            hint="arguments are taken in their order: leave out the option, or give all values as options",
        )
    return argument if option is None else option
