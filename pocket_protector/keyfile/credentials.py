"""Who is asking: a custodian's name and passphrase, and where they came from."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Self

from pocket_protector.crypto.identity import Identity
from pocket_protector.document.custodian import AnyCustodian
from pocket_protector.errors import AccessError

DEFAULT_PREFIX = "PPROTECT"
PREFIX_VARIABLE = "PPROTECT_ENV_PREFIX"
TRUST_VARIABLE = "PPROTECT_TRUST"
RECIPIENT_KEY_VARIABLE = "PPROTECT_RECIPIENT_KEY"
TOKEN_VARIABLE = "PPROTECT_PACKAGE_TOKEN"  # noqa: S105

_ENVIRONMENT = "env var: "

# How errors begin that another passphrase would mend; a derivation that finds no memory is not one of them.
_OF_THE_PASSPHRASE = ("wrong passphrase", "a raw key has", "the passphrase is")


@dataclass(frozen=True, slots=True, repr=False)
class Creds:
    """A custodian's name and passphrase; the repr shows the name only.

    The sources say where each came from, such as `env var: PPROTECT_USER`, for messages. An identity that these
    credentials unlocked is kept with them, so that a passphrase is stretched once.
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
        """From `<prefix>_USER` and `<prefix>_PASSPHRASE`; the prefix is that of PPROTECT_ENV_PREFIX, else PPROTECT.

        Never raises: a variable that is not set gives "", which unlocking then names.
        """
        user, passphrase = variable_names(prefix)
        name, secret = read_variable(user) or "", read_variable(passphrase) or ""
        return cls(name, secret, variable_source(user), variable_source(passphrase))

    def unlock(self, custodian: AnyCustodian) -> Identity:
        """The custodian's identity: one key derivation, the first time. AccessError for a wrong passphrase."""
        identity = self._unlocked.get(custodian)
        if identity is None:
            try:
                identity = self._unlocked[custodian] = custodian.unlock(self.passphrase)
            except AccessError as error:
                if self.passphrase_source and error.message.startswith(_OF_THE_PASSPHRASE):
                    error.message += f" (from {self.passphrase_source})"
                raise
        return identity

    def require(self, user_way: str = "", passphrase_way: str = "") -> None:
        """AccessError, naming where it was looked for, if the name or the passphrase is empty.

        The ways say how each can be given, such as `-u NAME`; without, that follows from where it was looked for.
        """
        for what, value, source, way in (
            ("user", self.name, self.name_source, user_way),
            ("passphrase", self.passphrase, self.passphrase_source, passphrase_way),
        ):
            if not value:
                place = f" ({source} is empty or not set)" if source else ""
                raise AccessError(f"no {what} is given{place}", hint=f"give {way}" if way else _way(source))

    def __repr__(self) -> str:
        return f"<Creds of {self.name!r}>"


def read_variable(name: str) -> str | None:
    """A variable of the environment as UTF-8, whatever the locale: the key must not depend on it."""
    value = os.environ.get(name)
    return None if value is None else os.fsencode(value).decode(errors="surrogateescape")


def variable_names(prefix: str | None) -> tuple[str, str]:
    """The names of the variables that hold the user and the passphrase."""
    chosen = os.getenv(PREFIX_VARIABLE, DEFAULT_PREFIX) if prefix is None else prefix
    return f"{chosen}_USER", f"{chosen}_PASSPHRASE"


def variable_source(name: str) -> str:
    """A variable as the source of credentials."""
    return _ENVIRONMENT + name


def credential_variables(prefix: str | None) -> set[str]:
    """Every variable that may hold credentials, where they were looked for with this prefix."""
    of_packages = RECIPIENT_KEY_VARIABLE, TOKEN_VARIABLE
    of_files = *variable_names(prefix), *variable_names(None), *variable_names(DEFAULT_PREFIX)
    return {*of_files, *of_packages, PREFIX_VARIABLE}


def _way(source: str | None) -> str:
    if source and source.startswith(_ENVIRONMENT):
        return f"set {source.removeprefix(_ENVIRONMENT)}"
    return "give credentials that have a name and a passphrase"
