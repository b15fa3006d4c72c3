"""Judge the line of a domain's epochs (docs/format.md, section 12.2).

The line must lead back to a known epoch, and each maker must have counted one step before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum

from pocket_protector.document.document import Document
from pocket_protector.document.domain import Domain
from pocket_protector.document.epoch import Epoch, PastEpoch
from pocket_protector.document.statements import Signer
from pocket_protector.trust.authority import Allowed, ancestors, makers_of_key, vouched_for
from pocket_protector.trust.memory_hashes import grant_hash

IsRoot = Callable[[Epoch], bool]
Counting = Mapping[str, frozenset[bytes]]


class ChainFault(Enum):
    """Name the reason why a line does not hold."""

    FORGED = "the maker's signature of an epoch does not match"
    UNCOUNTED = "an epoch was made by somebody who was not an owner before"
    MISNUMBERED = "an epoch has another number than follows from the one before"
    BROKEN = "an earlier epoch is missing"
    APART = "it does not follow the epoch that is known"


def forged(document: Document, domain: Domain) -> bool:
    """Return whether the present epoch lacks its maker's signature for this domain and key."""
    assert domain.epoch is not None
    return not domain.epoch.matches(document.file_id, domain.name, domain.public_key)


def follows(
    document: Document, domain: Domain, target: bytes, counting: Counting, gone: frozenset[bytes]
) -> ChainFault | None:
    """Judge whether the domain's epoch leads back to `target`; return None if it does, else the fault.

    `counting` are the signers known to have counted under the target, with their verify keys. Nobody else counted
    there, except the signers they vouch for. Grants in `gone` prove nothing.
    """
    return _walk(document, domain, {target: counting}, lambda _: False, gone)


def continues(
    document: Document, domain: Domain, known: frozenset[bytes], counted: Callable[[bytes, Signer], bool]
) -> ChainFault | None:
    """Judge whether the domain's epoch leads back to the newest of the `known` ones (hashes).

    Return None if it does, else the fault. `counted` says whether a signer is known to have counted under a public key
    (32 bytes).
    """
    assert domain.epoch is not None
    earlier = dict(ancestors(document, domain))
    followed = {previous for hash_ in known & earlier.keys() for previous in earlier[hash_].epoch.previous}
    newest = (known & earlier.keys()) - followed
    if not newest:
        return ChainFault.APART
    makers = {domain.epoch.signed.by, *(past.epoch.signed.by for past in earlier.values())}
    for identifier in sorted(newest):
        past = earlier[identifier]
        # Only these can matter: the makers of epochs, and the givers and holders of grants kept with the known epoch.
        asked = makers | {grant.signed.by for grant in past.grants.values()}
        asked |= {Signer(name, grant.keys.verify_key) for name, grant in past.grants.items()}
        counting: dict[str, frozenset[bytes]] = {}
        for signer in asked:
            if counted(past.public_key, signer):
                counting[signer.name] = counting.get(signer.name, frozenset()) | {signer.verify_key}
        fault = follows(document, domain, identifier, counting, frozenset())
        if fault is not None:
            return fault
    return None


def begins(
    document: Document, domain: Domain, is_root: IsRoot, gone: frozenset[bytes] = frozenset()
) -> ChainFault | None:
    """Judge whether the domain's epoch leads back to one accepted by `is_root`; return None if it does, else the fault.

    Grants in `gone` prove nothing.
    """
    return _walk(document, domain, {}, is_root, gone)


def _walk(
    document: Document, domain: Domain, targets: Mapping[bytes, Counting], is_root: IsRoot, gone: frozenset[bytes]
) -> ChainFault | None:
    """Walk depth first from the present epoch to an accepted end; else return the fault of the last way tried."""
    assert domain.epoch is not None
    earlier = dict(ancestors(document, domain))
    counted: dict[bytes, Counting] = {}
    fault, seen, waiting = ChainFault.APART, set[bytes](), [(domain.epoch, domain.public_key)]
    while waiting:
        epoch, public_key = waiting.pop()
        wrong = _fault(epoch, earlier, genuine=epoch.matches(document.file_id, domain.name, public_key))
        if wrong is not None:
            fault = wrong
            continue
        if is_root(epoch):
            return None
        for identifier in epoch.previous:
            past, known = earlier[identifier], targets.get(identifier)
            if identifier not in counted:
                counted[identifier] = _counted(document, domain, earlier, past, known, gone)
            if not _has(counted[identifier], epoch.signed.by):
                fault = ChainFault.UNCOUNTED
            elif known is not None:
                return None
            elif identifier not in seen:
                seen.add(identifier)
                waiting.append((past.epoch, past.public_key))
    return fault


def _has(signers: Counting, signer: Signer) -> bool:
    return signer.verify_key in signers.get(signer.name, frozenset())


def _fault(epoch: Epoch, earlier: Mapping[bytes, PastEpoch], *, genuine: bool) -> ChainFault | None:
    """Return the fault of one epoch: it must be signed, its previous epochs present, and its number the next one."""
    if not genuine:
        return ChainFault.FORGED
    if not earlier.keys() >= set(epoch.previous):
        return ChainFault.BROKEN
    numbers = [earlier[identifier].epoch.number for identifier in epoch.previous]
    return None if epoch.number == 1 + max(numbers, default=0) else ChainFault.MISNUMBERED


def _makers(document: Document, earlier: Mapping[bytes, PastEpoch], past: PastEpoch) -> Allowed:
    """Return the makers of the earlier epoch's key, each with their verify key of then and its successors."""
    makers: Allowed = {}
    for maker in makers_of_key(earlier, past.public_key, past.epoch):
        grant = past.grants.get(maker.name)
        keys = [pair.verify_key for pair in grant.chain(document.file_id, maker.name)] if grant else []
        later = keys[keys.index(maker.verify_key) :] if maker.verify_key in keys else []
        makers[maker.name] = makers.get(maker.name, frozenset()) | {maker.verify_key, *later}
    return makers


def _counted(
    document: Document,
    domain: Domain,
    earlier: Mapping[bytes, PastEpoch],
    past: PastEpoch,
    known: Counting | None,
    gone: frozenset[bytes],
) -> Counting:
    """Return the signers who counted under an earlier epoch, by the grants kept with it.

    These are the `known` signers and the owners they vouch for. Without `known`, they are the owners the key's makers
    vouch for.
    """
    valid = {}
    for name, grant in past.grants.items():
        named = grant.named(document.file_id, domain.name, past.public_key, name)
        if named and grant_hash(grant.signed) not in gone:
            valid[name] = grant.signed, frozenset(pair.verify_key for pair in named if pair.verify_key)
    if known is None:
        return vouched_for(_makers(document, earlier, past), valid)
    counted = vouched_for(known, valid)
    return {name: known.get(name, frozenset()) | counted.get(name, frozenset()) for name in known.keys() | counted}
