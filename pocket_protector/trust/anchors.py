"""What a reader without a history starts from: custodians whose fingerprints are known."""

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
    """`NAME=FINGERPRINT` texts as a mapping; StoreError for another form, and for two fingerprints of one name."""
    anchors: dict[str, str] = {}
    for text in texts:
        name, equals, given = text.rpartition("=")
        if not (equals and name):
            raise StoreError(f"{text[:100]!a} is not NAME=FINGERPRINT", hint="--trust alice@example.com=FINGERPRINT")
        if anchors.setdefault(name, parse_fingerprint(given)) != parse_fingerprint(given):
            raise StoreError(f"two fingerprints for {name!r}")
    return anchors


def anchors_of_variable(text: str | None) -> dict[str, str] | None:
    """The anchors of a variable that has several, separated by `;` or line ends; None if it is not set or empty."""
    parts = [part.strip() for part in re.split(r"[;\n]", text or "") if part.strip()]
    return parse_anchors(parts) if parts else None


def is_anchored(document: Document, domain: Domain, anchors: Mapping[str, str]) -> bool:
    """Whether an epoch of the domain was made by an anchor's key, or one that it changed to, with an unbroken line from
    there to the present epoch (step 16)."""
    if domain.epoch is None:
        return False
    allowed = {name: _verify_keys(document, domain, name, given) for name, given in anchors.items()}

    def is_root(epoch: Epoch) -> bool:
        return epoch.signed.by.verify_key in allowed.get(epoch.signed.by.name, frozenset())

    return begins(document, domain, is_root) is None


def _verify_keys(document: Document, domain: Domain, name: str, given: str) -> frozenset[bytes]:
    """The verify keys of the custodian with that fingerprint, from the keys that it is of onwards."""
    for chain in _chains(document, domain, name):
        for at, keys in enumerate(chain):
            if is_fingerprint(given, fingerprint(name, keys)):
                return frozenset(later.verify_key for later in chain[at:])
    return frozenset()


def _chains(document: Document, domain: Domain, name: str) -> Iterable[tuple[Keys, ...]]:
    """The keys of the custodian, and for one who is gone, those that the domain's earlier epochs kept."""
    custodian = document.custodians.get(name)
    if custodian is not None:
        yield key_chain(custodian, document.file_id)
    for _, past in ancestors(document, domain):
        grant = past.grants.get(name)
        if grant is not None:
            yield grant.chain(document.file_id, name)
