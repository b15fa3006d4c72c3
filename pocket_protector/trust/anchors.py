"""Start a reader without a history from anchors: custodians with known fingerprints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pocket_protector.document.custodian import key_chain
from pocket_protector.document.document import Document
from pocket_protector.document.domain import Domain
from pocket_protector.document.epoch import Epoch
from pocket_protector.document.statements import Keys
from pocket_protector.errors import StoreError
from pocket_protector.trust.authority import ancestors
from pocket_protector.trust.epoch_chain import begins
from pocket_protector.trust.fingerprints import fingerprint, is_fingerprint, parse_fingerprint


def parse_anchors(texts: Iterable[str]) -> dict[str, str]:
    """Parse `NAME=FINGERPRINT` texts into a mapping.

    Raise StoreError for another form, and for two fingerprints of one name.
    """
    anchors: dict[str, str] = {}
    for text in texts:
        name, equals, given = text.rpartition("=")
        if not (equals and name):
            raise StoreError(f"{text[:100]!a} is not NAME=FINGERPRINT", hint="--trust alice@example.com=FINGERPRINT")
        if anchors.setdefault(name, parse_fingerprint(given)) != parse_fingerprint(given):
            raise StoreError(f"two fingerprints for {name!r}")
    return anchors


def anchors_of_variable(text: str | None) -> dict[str, str] | None:
    """Parse the anchors of a variable, separated by `;` or line ends. Return None if it is not set or empty."""
    parts = [part.strip() for part in re.split(r"[;\n]", text or "") if part.strip()]
    return parse_anchors(parts) if parts else None


def is_anchored(document: Document, domain: Domain, anchors: Mapping[str, str]) -> bool:
    """Return whether the domain leads back to an anchor (step 16).

    An anchor's key, or a later key of the same custodian, must have made an epoch of the domain. An unbroken line must
    lead from there to the present epoch.
    """
    if domain.epoch is None:
        return False
    allowed = {name: _verify_keys(document, domain, name, given) for name, given in anchors.items()}

    def is_root(epoch: Epoch) -> bool:
        return epoch.signed.by.verify_key in allowed.get(epoch.signed.by.name, frozenset())

    return begins(document, domain, is_root) is None


def _verify_keys(document: Document, domain: Domain, name: str, given: str) -> frozenset[bytes]:
    """Return the custodian's verify keys, from the keys with this fingerprint onwards."""
    for chain in _chains(document, domain, name):
        for at, keys in enumerate(chain):
            if is_fingerprint(given, fingerprint(name, keys)):
                return frozenset(later.verify_key for later in chain[at:])
    return frozenset()


def _chains(document: Document, domain: Domain, name: str) -> Iterable[tuple[Keys, ...]]:
    """Yield the keys of the custodian, then those in the domain's earlier epochs, for a removed custodian."""
    custodian = document.custodians.get(name)
    if custodian is not None:
        yield key_chain(custodian, document.file_id)
    for _, past in ancestors(document, domain):
        grant = past.grants.get(name)
        if grant is not None:
            yield grant.chain(document.file_id, name)
