"""Arguments and options that several commands share, with their completion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from pocket_protector.cli.usage import UsageError
from pocket_protector.crypto.kdf import KDF_INTERACTIVE, KDF_SENSITIVE
from pocket_protector.keyfile import KeyFile

KEY_TYPES = {"hard": KDF_SENSITIVE, "fast": KDF_INTERACTIVE, "raw": None}
"""Key type → libsodium's limits, which select our profiles; None for a raw key."""


def _completer(names: Callable[[KeyFile, dict[str, Any]], list[str]]) -> Callable[[typer.Context, str], list[str]]:
    """Completion from what the file shows without unlocking it; silent where there is none."""

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        from pocket_protector import files
        from pocket_protector.cli.session import given_path
        from pocket_protector.errors import PocketProtectorError

        try:
            store = KeyFile.from_file(given_path(ctx.params.get("file")) or files.discover("."))
            return [name for name in names(store, ctx.params) if name.startswith(incomplete) and name.isprintable()]
        except (PocketProtectorError, OSError):
            return []

    return complete


_domains = _completer(lambda store, _: store.get_domain_names())
_custodians = _completer(lambda store, _: store.get_key_custodian_names())
_secrets = _completer(lambda store, given: store.get_domain_secret_names(given.get("domain") or ""))

Domain = Annotated[
    str | None,
    typer.Argument(metavar="DOMAIN", help="The key domain; asked for if not given.", autocompletion=_domains),
]
RequiredDomain = Annotated[str, typer.Argument(metavar="DOMAIN", help="The key domain.", autocompletion=_domains)]
Custodian = Annotated[
    str | None,
    typer.Argument(metavar="CUSTODIAN", help="The key custodian; asked for if not given.", autocompletion=_custodians),
]
NewCustodian = Annotated[
    str | None, typer.Argument(metavar="NAME", help="The key custodian, as an email address; asked for if not given.")
]
Name = Annotated[
    str | None,
    typer.Argument(metavar="NAME", help="The secret's name; asked for if not given.", autocompletion=_secrets),
]
RequiredName = Annotated[str, typer.Argument(metavar="NAME", help="The secret's name.", autocompletion=_secrets)]
DomainOption = Annotated[
    str | None, typer.Option("--domain", metavar="DOMAIN", help="The key domain.", autocompletion=_domains)
]
NameOption = Annotated[
    str | None, typer.Option("--secret-name", metavar="NAME", help="The secret's name.", autocompletion=_secrets)
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
Json = Annotated[bool, typer.Option("--json", help="Print JSON with a schema number.")]


def parse_key_type(text: str | None) -> str:
    """`hard` if none is given; UsageError for unknown ones."""
    if text is not None and text not in KEY_TYPES:
        raise UsageError(f"{text!r} is no key type", hint=f"--key-type {'|'.join(KEY_TYPES)}")
    return text or "hard"


def one_of(argument: str | None, option: str | None, name: str) -> str | None:
    """An argument that may be given as an option; UsageError if both are given and differ."""
    if argument is not None and option is not None and argument != option:
        raise UsageError(f"{name} is given twice: {argument!r} and {option!r}")
    return argument if option is None else option
