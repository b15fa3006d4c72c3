"""What `decrypt_domain` returns."""

from __future__ import annotations

from typing import NoReturn

from pocket_protector.crypto.keys import PrivateKey
from pocket_protector.errors import IntegrityError, PPKeyError
from pocket_protector.model.domain import Domain, open_values


class DecryptedDomain(dict[str, str]):
    """A domain's values by name: a dict, equal to a plain one, whose repr shows names only.

    A missing name raises PPKeyError. `unbound` names legacy values, which are not bound to their place;
    `under_retired_key` names those that another branch sealed to an earlier key. Rotation mends both.
    """

    def __init__(self, name: str, values: dict[str, str], unbound: list[str], under_retired_key: list[str]) -> None:
        super().__init__(values)
        self.name = name
        self.unbound = tuple(unbound)
        self.under_retired_key = tuple(under_retired_key)

    def __missing__(self, key: str) -> NoReturn:
        raise PPKeyError(f"secret in {self.name!r}", key, self)

    def __repr__(self) -> str:
        return f"<DecryptedDomain {self.name!r}: {', '.join(self)}>"


def decrypt(domain: Domain, private: PrivateKey) -> DecryptedDomain:
    """Open every value; IntegrityError for one that is not in its place or is not UTF-8 text."""
    values = {}
    for name, value in open_values(domain, private).items():
        try:
            values[name] = value.decode()
        except UnicodeDecodeError:
            raise IntegrityError("the value is not UTF-8 text", keys=(domain.name, f"secret-{name}")) from None
    return DecryptedDomain(domain.name, values, domain.unbound_names(), domain.names_under_retired_key())
