"""The line of a domain's epochs: whether it leads back to one that is known, each maker having counted one step before
(docs/format.md, section 12, rules 3 and 4)."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from pocket_protector.crypto.keys import digest
from pocket_protector.model.document import Document
from pocket_protector.model.domain import Domain
from pocket_protector.model.epoch import Epoch, PastEpoch
from pocket_protector.model.standing import Allowed, closure, makers_of_key
from pocket_protector.model.statements import GRANT, Signed

Counts = Callable[[Signed], bool]
IsRoot = Callable[[Epoch], bool]


class Fault(Enum):
    """Why a line does not hold."""

    FORGED = "the maker's signature of an epoch does not match"
    UNCOUNTED = "an epoch was made by somebody who was not an owner before"
    MISNUMBERED = "an epoch has another number than follows from the one before"
    BROKEN = "an earlier epoch is missing"
    APART = "it does not follow the epoch that is known"


def forged(document: Document, domain: Domain) -> bool:
    """Whether the present epoch is not signed by its maker for this domain and key."""
    assert domain.epoch is not None
    return not domain.epoch.matches(document.file_id, domain.name, domain.public_key)


def follows(document: Document, domain: Domain, target: bytes, counts: Counts, gone: frozenset[bytes]) -> Fault | None:
    """Whether the domain's epoch leads back to `target`; None if it does. `counts` says who counted there, besides
    those whose grants the domain kept; grants in `gone` prove nothing."""

    def at_target(signed: Signed, identifier: bytes) -> bool | None:
        if identifier != target:
            return None
        past = domain.past.get(identifier)
        return counts(signed) or (past is not None and _counted(document, domain, past, signed, gone))

    return _walk(document, domain, at_target, lambda _: False, gone)


def begins(document: Document, domain: Domain, is_root: IsRoot) -> Fault | None:
    """Whether the domain's epoch leads back to one that `is_root` accepts; None if it does."""
    return _walk(document, domain, lambda *_: None, is_root, frozenset())


def _walk(
    document: Document,
    domain: Domain,
    at_target: Callable[[Signed, bytes], bool | None],
    is_root: IsRoot,
    gone: frozenset[bytes],
) -> Fault | None:
    """Depth first from the present epoch to an accepted end; else the fault of the last way that was tried."""
    assert domain.epoch is not None
    fault = Fault.FORGED if forged(document, domain) else Fault.APART
    waiting: list[Epoch] = [] if fault is Fault.FORGED else [domain.epoch]
    seen: set[bytes] = set()
    while waiting:
        epoch = waiting.pop()
        if is_root(epoch):
            return None
        for identifier in epoch.previous:
            accepted = at_target(epoch.signed, identifier)
            if accepted:
                return None
            past = domain.past.get(identifier)
            if accepted is False:
                fault = Fault.UNCOUNTED
            elif past is None or past.epoch.hash(document.file_id, domain.name, past.public_key) != identifier:
                fault = Fault.BROKEN
            elif identifier not in seen:
                seen.add(identifier)
                found = _step_fault(document, domain, epoch, past, gone)
                if found is None:
                    waiting.append(past.epoch)
                fault = found or fault
    return fault


def _step_fault(
    document: Document, domain: Domain, epoch: Epoch, past: PastEpoch, gone: frozenset[bytes]
) -> Fault | None:
    """What is wrong with one epoch's following another."""
    if not past.epoch.matches(document.file_id, domain.name, past.public_key):
        return Fault.FORGED
    if epoch.number != 1 + max(domain.past[p].epoch.number for p in epoch.previous if p in domain.past):
        return Fault.MISNUMBERED
    return None if _counted(document, domain, past, epoch.signed, gone) else Fault.UNCOUNTED


def _counted(document: Document, domain: Domain, past: PastEpoch, signed: Signed, gone: frozenset[bytes]) -> bool:
    """Whether the signer counted under the earlier epoch, by the grants that were kept with it."""
    makers: Allowed = {}
    for maker in makers_of_key(document, domain, past.public_key, past.epoch):
        grant = past.grants.get(maker.name)
        keys = grant.verify_keys(document.file_id, maker.name) if grant else frozenset()
        own = {maker.verify_key} | (keys if maker.verify_key in keys else set())
        makers[maker.name] = makers.get(maker.name, frozenset()) | own
    valid = {}
    for name, grant in past.grants.items():
        fields = grant.fields(document.file_id, domain.name, past.public_key, name)
        if digest(grant.signed.statement(GRANT, fields)) not in gone and grant.signed.matches(GRANT, fields):
            valid[name] = grant.signed, grant.verify_keys(document.file_id, name)
    return signed.by.verify_key in closure(makers, valid).get(signed.by.name, frozenset())
