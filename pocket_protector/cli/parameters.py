"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from pocket_protector.cli.completion import completer, custodians
from pocket_protector.cli.usage import UsageError
from pocket_protector.crypto.kdf import KDF_INTERACTIVE, KDF_SENSITIVE
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import FormatError

KEY_TYPES = {"hard": KDF_SENSITIVE, "fast": KDF_INTERACTIVE, "raw": None}
"""Key type → libsodium's limits, which select our profiles; None for a raw key."""


_MOST_DIGITS = 18

_domains = completer(lambda store, _: store.get_domain_names())
secret_names = completer(
    lambda store, given: store.get_domain_secret_names(given.get("domain") or given.get("domain_option") or "")
)

Domain = Annotated[
    str | None,
    typer.Argument(metavar="DOMAIN", help="The key domain; asked for if not given.", autocompletion=_domains),
]
RequiredDomain = Annotated[str, typer.Argument(metavar="DOMAIN", help="The key domain.", autocompletion=_domains)]
Custodian = Annotated[
    str | None,
    typer.Argument(metavar="CUSTODIAN", help="The key custodian; asked for if not given.", autocompletion=custodians),
]
RequiredCustodian = Annotated[
    str, typer.Argument(metavar="CUSTODIAN", help="The key custodian.", autocompletion=custodians)
]
NewCustodian = Annotated[
    str | None, typer.Argument(metavar="NAME", help="The key custodian, as an email address; asked for if not given.")
]
Name = Annotated[
    str | None,
    typer.Argument(metavar="NAME", help="The secret's name; asked for if not given.", autocompletion=secret_names),
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
KeyType = Annotated[
    str | None,
    typer.Option(
        "--key-type",
        metavar="hard|fast|raw",
        help="Stretch the passphrase well (hard, the default), less (fast), or use a generated key (raw).",
    ),
]
NewPassphraseFile = Annotated[
    str | None, typer.Option("--new-passphrase-file", metavar="PATH", help="A file with the new passphrase or raw key.")
]
RequireSigned = Annotated[
    bool,
    typer.Option(
        "--require-signed", help="Only if owners signed every value, and the domain leads back to one whom you trust."
    ),
]
SensitivityOption = Annotated[
    str | None,
    typer.Option(
        "--sensitivity",
        metavar="low|medium|high|inject-only",
        help="How carefully to handle the value: high is shown on request only, inject-only is for programs.",
    ),
]
NoResolve = Annotated[
    bool, typer.Option("--no-resolve", help="Take references as they are, and fetch nothing that they lead to.")
]
SkipUnresolved = Annotated[
    bool, typer.Option("--skip-unresolved", help="Go on without references whose values cannot be had.")
]
Production = Annotated[
    bool | None,
    typer.Option(
        "--production/--no-production",
        help="Handle every value as highly sensitive, and resolve no reference that no owner vouches for.",
    ),
]
Reveal = Annotated[bool, typer.Option("--reveal", help="Print values of high sensitivity on a terminal too.")]
Sign = Annotated[bool, typer.Option("--sign", help="Sign the value, with your credentials.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON with a schema number.")]


def format_names(incomplete: str) -> list[str]:
    """Completion of export formats."""
    from pocket_protector.plugins.registry import export_formats

    return [name for name in export_formats() if name.startswith(incomplete)]


def parse_sensitivity(text: str) -> Sensitivity:
    """UsageError for unknown ones."""
    try:
        return Sensitivity.parse(text)
    except FormatError:
        words = "|".join(known.word for known in Sensitivity)
        raise UsageError(f"{text[:80]!r} is no sensitivity", hint=f"--sensitivity {words}") from None


def parse_key_type(text: str | None) -> str:
    """`hard` if none is given; UsageError for unknown ones."""
    if text is not None and text not in KEY_TYPES:
        raise UsageError(f"{text!r} is no key type", hint=f"--key-type {'|'.join(KEY_TYPES)}")
    return text or "hard"


def parse_number(text: str, what: str, hint: str) -> int:
    """A number of a few decimal digits; UsageError for anything else."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise UsageError(f"{text[:80]!r} is no {what}", hint=hint)
    return int(text)


def one_of(argument: str | None, option: str | None, name: str) -> str | None:
    """An argument that may be given as an option; UsageError if both are given and differ."""
    if argument is not None and option is not None and argument != option:
        raise UsageError(
            f"two values for {name}: {argument!r} and {option!r}",
            hint="arguments are taken in their order: leave out the option, or give all as options",
        )
    return argument if option is None else option
