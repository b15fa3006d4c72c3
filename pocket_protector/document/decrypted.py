"""The values of a domain, as `decrypt_domain` returns them."""

from __future__ import annotations

from typing import NoReturn

from pocket_protector.crypto.keys import PrivateKey
from pocket_protector.document.domain import Domain, open_values
from pocket_protector.errors import IntegrityError, PPKeyError, StoreError, command


class DecryptedDomain(dict[str, str]):
    """A domain's values by name: a dict, equal to a plain one, whose repr shows names only.

    A missing name raises PPKeyError. `unbound` names legacy values, which are not bound to their place;
    `under_retired_key` names those that another branch sealed to an earlier key. Rotation mends both. `unresolved`
    names those that stand as references, in the place of the values that these lead to.
    """

    def __init__(self, name: str, values: dict[str, str], unbound: list[str], under_retired_key: list[str]) -> None:
        super().__init__(values)
        self.name = name
        self.unbound = tuple(unbound)
        self.under_retired_key = tuple(under_retired_key)
        self.unresolved: tuple[str, ...] = ()

    def __missing__(self, key: str) -> NoReturn:
        raise PPKeyError(f"secret in {self.name!r}", key, self)

    def __repr__(self) -> str:
        return f"<DecryptedDomain {self.name!r}: {', '.join(self)}>"


def decoded(domain: str, name: str, value: bytes) -> str:
    """Decode the value that a reference resolved to; StoreError if it is not UTF-8 text."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise StoreError(
            f"what the reference {name!r} in {domain!r} leads to is not UTF-8 text",
            hint=f"the bytes as they are: {command('get', domain, name)}",
        ) from None


def decrypt(domain: Domain, private: PrivateKey) -> DecryptedDomain:
    """Open every sealed value; IntegrityError for one that is not in its place or is not UTF-8 text."""
    values = {}
    for name, value in open_values(domain, private).items():
        try:
            values[name] = value.decode()
        except UnicodeDecodeError:
            raise IntegrityError("the value is not UTF-8 text", keys=(domain.name, f"secret-{name}")) from None
    return DecryptedDomain(domain.name, values, domain.unbound_names(), domain.names_under_retired_key())
