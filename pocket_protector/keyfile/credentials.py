"""Credentials: a custodian's name and passphrase, and the source of each."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Self

from pocket_protector.crypto.identity import Identity
from pocket_protector.document.custodian import AnyCustodian
from pocket_protector.errors import AccessError, PassphraseError

DEFAULT_PREFIX = "PPROTECT"
PREFIX_VARIABLE = "PPROTECT_ENV_PREFIX"
TRUST_VARIABLE = "PPROTECT_TRUST"
RECIPIENT_KEY_VARIABLE = "PPROTECT_RECIPIENT_KEY"
TOKEN_VARIABLE = "PPROTECT_PACKAGE_TOKEN"  # noqa: S105


class VariableSource(str):
    """An environment variable as the source of a credential: reads `env var: NAME`; `variable` is the name."""

    __slots__ = ("variable",)

    variable: str

    def __new__(cls, variable: str) -> Self:
        source = super().__new__(cls, f"env var: {variable}")
        source.variable = variable
        return source

    def __getnewargs__(self) -> tuple[str]:
        return (self.variable,)


@dataclass(frozen=True, slots=True, repr=False)
class Creds:
    """A custodian's name and passphrase; the repr shows the name only.

    Messages state the source of each, such as `env var: PPROTECT_USER`. The object keeps each identity after unlocking
    it, so a passphrase is stretched once.
    """

    name: str
    passphrase: str
    name_source: str | None = None
    passphrase_source: str | None = None
    _unlocked: dict[AnyCustodian, Identity] = field(default_factory=dict, init=False, compare=False)

    def __post_init__(self) -> None:
        for value in (self.name, self.passphrase):
            if not isinstance(value, str):
                raise TypeError(f"a name and a passphrase are str, not {type(value).__name__}")

    @classmethod
    def from_env(cls, prefix: str | None = None) -> Self:
        """Read `<prefix>_USER` and `<prefix>_PASSPHRASE`; the prefix defaults to PPROTECT_ENV_PREFIX, else PPROTECT.

        Never raises: a variable that is not set gives "", and `KeyFile.unlock` then names the variable.
        """
        user, passphrase = variable_names(prefix)
        name, secret = read_variable(user) or "", read_variable(passphrase) or ""
        return cls(name, secret, VariableSource(user), VariableSource(passphrase))

    def unlock(self, custodian: AnyCustodian) -> Identity:
        """Return the custodian's identity, after one key derivation the first time.

        Raises PassphraseError for a wrong passphrase, and AccessError if the derivation fails.
        """
        identity = self._unlocked.get(custodian)
        if identity is None:
            try:
                identity = self._unlocked[custodian] = custodian.unlock(self.passphrase)
            except PassphraseError as error:
                if self.passphrase_source:
                    error.message += f" (from {self.passphrase_source})"
                raise
        return identity

    def require(self, user_way: str = "", passphrase_way: str = "") -> None:
        """Check that neither the name nor the passphrase is empty.

        The ways say how to give each, such as `-u NAME`; by default the hint follows from the source. Raises
        AccessError, which names the source, if one is empty.
        """
        for part, value, source, way in (
            ("user", self.name, self.name_source, user_way),
            ("passphrase", self.passphrase, self.passphrase_source, passphrase_way),
        ):
            if not value:
                place = f" ({source} is empty or not set)" if source else ""
                raise AccessError(f"no {part} is given{place}", hint=f"give {way}" if way else _way(source))

    def __repr__(self) -> str:
        return f"<Creds of {self.name!r}>"


def read_variable(name: str) -> str | None:
    """Return an environment variable as UTF-8, whatever the locale, because the key must not depend on the locale."""
    value = os.environ.get(name)
    return None if value is None else os.fsencode(value).decode(errors="surrogateescape")


def variable_names(prefix: str | None) -> tuple[str, str]:
    """Return the names of the variables for the user and the passphrase."""
    chosen = os.getenv(PREFIX_VARIABLE, DEFAULT_PREFIX) if prefix is None else prefix
    return f"{chosen}_USER", f"{chosen}_PASSPHRASE"


def credential_variables(prefix: str | None) -> set[str]:
    """Return every variable that may hold credentials, for a command that uses this prefix."""
    of_packages = RECIPIENT_KEY_VARIABLE, TOKEN_VARIABLE
    of_files = *variable_names(prefix), *variable_names(None), *variable_names(DEFAULT_PREFIX)
    return {*of_files, *of_packages, PREFIX_VARIABLE}


def _way(source: str | None) -> str:
    if isinstance(source, VariableSource):
        return f"set {source.variable}"
    return "give credentials that have a name and a passphrase"
