"""Derive the custodians' keys from the signatures of one document, and look at each signature once."""

from __future__ import annotations

from collections.abc import Iterable

from pocket_protector.crypto.keys import key_id
from pocket_protector.document.custodian import key_chain
from pocket_protector.document.document import Document
from pocket_protector.document.domain import Domain, Grant
from pocket_protector.document.statements import ENTRY, GRANT, Keys, entry_fields, grant_fields

_MOST_FAILURES = 10_000
"""The limit takes about a second to reach. A hostile file may hold far more signatures without a match."""


class KeyHistory:
    """Find the keys of each custodian.

    After very many grants without a match, the search no longer tries all possible keys for a grant. An owner does not
    count if the search misses the right key.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._chains: dict[str, tuple[Keys, ...]] = {}
        self._failures = 0

    def chain(self, name: str) -> tuple[Keys, ...]:
        """Return the custodian's keys, oldest first. Return no keys if the custodian does not exist."""
        chain = self._chains.get(name)
        if chain is None:
            custodian = self._document.custodians.get(name)
            chain = self._chains[name] = key_chain(custodian, self._document.file_id) if custodian else ()
        return chain

    def named(self, domain: Domain, owner: str, grant: Grant) -> Keys | None:
        """Return the owner's keys named by the signed grant, if it is for the domain's present public key."""
        chain = self.chain(owner)
        return self._named(domain, owner, grant, domain.public_key, chain[-1:] if self._is_tired() else chain)

    def earlier_key(self, domain: Domain, owner: str, grant: Grant, candidates: Iterable[bytes]) -> bytes | None:
        """Return the earlier public key of the domain named by the signed grant, out of `candidates`.

        Return None if the grant does not match any of them, or after too many failures.
        """
        for key in candidates:
            if self._is_tired():
                return None
            if key != domain.public_key and self._named(domain, owner, grant, key, self.chain(owner)):
                return key
        return None

    def is_signed_for_any(self, domain: Domain, name: str, candidates: Iterable[bytes]) -> bool:
        """Return whether the entry's signature is for one of these public keys of the domain."""
        for key in candidates:
            if self._is_tired():
                return False
            if is_signed_for(self._document, domain, name, key):
                return True
            self._failures += 1
        return False

    def _named(
        self, domain: Domain, owner: str, grant: Grant, public_key: bytes, chain: tuple[Keys, ...]
    ) -> Keys | None:
        found = named_keys(self._document, domain, owner, grant, public_key, chain)
        self._failures += len(chain) if found is None else 0
        return found

    def _is_tired(self) -> bool:
        return self._failures > _MOST_FAILURES


def is_signed_for(document: Document, domain: Domain, name: str, public_key: bytes) -> bool:
    """Return whether the entry's signature is for this public key of the domain.

    The key must be the present one, or an earlier one to which the value is sealed.
    """
    secret = domain.secrets[name]
    if secret.signed is None:
        return False
    if public_key != domain.public_key and secret.sealed_for not in (None, key_id(public_key)):
        return False
    fields = entry_fields(document.file_id, domain.name, public_key, name, secret.said())
    return secret.signed.matches(ENTRY, fields)


def named_keys(
    document: Document, domain: Domain, name: str, grant: Grant, public_key: bytes, chain: tuple[Keys, ...]
) -> Keys | None:
    """Return the keys of `chain` named by the signed grant, or None if its signature matches for none of them."""
    assert grant.signed is not None
    for keys in reversed(chain):
        fields = grant_fields(document.file_id, domain.name, public_key, name, keys, grant.granted)
        if grant.signed.matches(GRANT, fields):
            return keys
    return None
