"""Who is asking: a custodian's name and passphrase, and where they came from."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Self

from pocket_protector.crypto.identity import Identity
from pocket_protector.errors import AccessError
from pocket_protector.model.custodian import AnyCustodian

DEFAULT_PREFIX = "PPROTECT"
PREFIX_VARIABLE = "PPROTECT_ENV_PREFIX"


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
        return cls(os.getenv(user, ""), os.getenv(passphrase, ""), f"env var: {user}", f"env var: {passphrase}")

    def unlock(self, custodian: AnyCustodian) -> Identity:
        """The custodian's identity: one key derivation, the first time. AccessError for a wrong passphrase."""
        identity = self._unlocked.get(custodian)
        if identity is None:
            try:
                identity = self._unlocked[custodian] = custodian.unlock(self.passphrase)
            except AccessError as error:
                error.message += f" (from {self.passphrase_source})" if self.passphrase_source else ""
                raise
        return identity

    def require(self) -> None:
        """AccessError, naming where it was looked for, if the name or the passphrase is empty."""
        for what, value, source in (
            ("user", self.name, self.name_source),
            ("passphrase", self.passphrase, self.passphrase_source),
        ):
            if not value:
                place = f" ({source} is empty or not set)" if source else ""
                raise AccessError(
                    f"no {what} is given{place}", hint="set PPROTECT_USER and PPROTECT_PASSPHRASE, or pass credentials"
                )

    def __repr__(self) -> str:
        return f"<Creds of {self.name!r}>"


def variable_names(prefix: str | None) -> tuple[str, str]:
    """The names of the variables that hold the user and the passphrase."""
    chosen = os.getenv(PREFIX_VARIABLE, DEFAULT_PREFIX) if prefix is None else prefix
    return f"{chosen}_USER", f"{chosen}_PASSPHRASE"
