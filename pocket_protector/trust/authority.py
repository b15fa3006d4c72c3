"""Judge the statements of one domain: find the counting owners and the values they vouch for.

The judgement uses a document alone, as if the domain's epoch were genuine. The earlier versions show whether the epoch
is genuine (trust/). docs/format.md, section 12.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from pocket_protector.crypto.keys import KEY_BYTES, KEY_ID_BYTES, key_id
from pocket_protector.document.document import Document
from pocket_protector.document.domain import Domain, SignedDomain
from pocket_protector.document.epoch import Epoch, PastEpoch
from pocket_protector.document.statements import Keys, Signed, Signer
from pocket_protector.trust.key_history import KeyHistory, is_signed_for

Allowed = dict[str, frozenset[bytes]]
"""The counting signers, each with their own verify keys."""


class GrantStatus(Enum):
    """State whether an owner counts, and if not, why."""

    COUNTS = "counts"
    UNSIGNED = "nobody signed it"
    INVALID = "its signature does not match"
    STALE = "it was given for an earlier key of the domain"
    UNVOUCHED = "it was given by somebody who is not an owner"
    NO_CUSTODIAN = "there is no such key custodian"


class EntryStatus(Enum):
    """State whether a counting owner vouches for a value, and if not, why."""

    REVIEWED = "reviewed"
    UNSIGNED = "nobody signed it"
    INVALID = "its signature does not match"
    STALE = "it was signed for an earlier key of the domain"
    UNVOUCHED = "it was signed by somebody who is not an owner"


@dataclass(frozen=True, slots=True)
class Owners:
    """Record the owners of a domain, and whether each counts.

    `keys` has the verify keys of each counting owner. `makers` are the signers accepted as makers of the epochs with
    the present key, whether they are owners or not. `earlier` maps the ids (8 bytes) of the domain's earlier public
    keys to these keys (32 bytes), the latest first, as far as the epochs tell.
    """

    status: Mapping[str, GrantStatus]
    keys: Mapping[str, frozenset[bytes]]
    makers: Mapping[str, frozenset[bytes]]
    earlier: Mapping[bytes, bytes]

    def counts(self, name: str) -> bool:
        return self.status.get(name) is GrantStatus.COUNTS

    @property
    def counting(self) -> list[str]:
        return sorted(name for name in self.status if self.counts(name))

    def vouched(self, signed: Signed | None) -> bool:
        """Return whether the signer is a counting owner."""
        return signed is not None and signed.by.verify_key in self.keys.get(signed.by.name, frozenset())


def owners_of(document: Document, domain: Domain, proofs: KeyHistory | None = None) -> Owners:
    """Judge each owner of the domain by section 12.1.

    An owner counts if the grant is for the present key, and if a counting owner or the epoch's maker gave it. In a
    domain without an epoch, every listed owner counts if they are a custodian.
    """
    proofs = proofs or KeyHistory(document)
    signed_domain = domain.as_signed()
    if signed_domain is None:
        keys = {name: _verify_keys(proofs.chain(name)) for name in domain.owners if name in document.custodians}
        status = {name: GrantStatus.COUNTS if name in keys else GrantStatus.NO_CUSTODIAN for name in domain.owners}
        return Owners(status, keys, {}, {})
    before = dict(ancestors(document, domain))
    makers = _makers(proofs, signed_domain, before)
    status = {}
    valid: dict[str, tuple[Signed, frozenset[bytes]]] = {}
    for name, grant in domain.owners.items():
        if name not in document.custodians:
            status[name] = GrantStatus.NO_CUSTODIAN
        elif grant.signed is None:
            status[name] = GrantStatus.UNSIGNED
        else:
            named = proofs.named(domain, name, grant)
            status[name] = GrantStatus.INVALID if named is None else GrantStatus.UNVOUCHED
            if named is not None:
                chain = proofs.chain(name)
                valid[name] = grant.signed, _verify_keys(chain[chain.index(named) :])
    counting = vouched_for(makers, valid)
    status |= dict.fromkeys(counting, GrantStatus.COUNTS)
    earlier = {key_id(past.public_key): past.public_key for past in before.values()}
    earlier.pop(key_id(domain.public_key), None)
    for name, found in status.items():
        if found is GrantStatus.INVALID and proofs.earlier_key(domain, name, domain.owners[name], earlier.values()):
            status[name] = GrantStatus.STALE
    return Owners(status, counting, makers, earlier)


def sealed_to(scalar: bytes, public_key: bytes) -> bool:
    """Return whether a sealed scalar (version byte, key id, box) names this key.

    A scalar of version 0 does not name a key, and passes.
    """
    return scalar[0] == 0 or scalar[1 : 1 + KEY_ID_BYTES] == key_id(public_key)


def entry_status(
    document: Document, domain: Domain, owners: Owners, name: str, proofs: KeyHistory | None = None
) -> EntryStatus:
    """Judge a value by section 12.1: it is reviewed if a counting owner signed exactly it, for the present key."""
    secret = domain.secrets[name]
    if secret.signed is None:
        return EntryStatus.UNSIGNED
    if is_signed_for(document, domain, name, domain.public_key):
        return EntryStatus.REVIEWED if owners.vouched(secret.signed) else EntryStatus.UNVOUCHED
    if not secret.bound or secret.sealed_for == key_id(domain.public_key):
        return EntryStatus.INVALID
    # Another branch signs a value for the earlier key it seals it to. A reference does not name a key. A key from the
    # time without epochs is known by its id only, so nobody can verify the signature.
    if secret.sealed_for is None:
        stale = bool(domain.retired.keys() - owners.earlier.keys())
        stale = stale or (proofs or KeyHistory(document)).is_signed_for_any(domain, name, owners.earlier.values())
    elif secret.sealed_for in owners.earlier:
        stale = is_signed_for(document, domain, name, owners.earlier[secret.sealed_for])
    else:
        stale = secret.sealed_for in domain.retired
    return EntryStatus.STALE if stale else EntryStatus.INVALID


def reviewed_names(document: Document, domain: Domain, owners: Owners | None = None) -> list[str]:
    """Return the names of the values vouched for by a counting owner."""
    owners = owners or owners_of(document, domain)
    return [
        name
        for name, secret in domain.secrets.items()
        if owners.vouched(secret.signed) and is_signed_for(document, domain, name, domain.public_key)
    ]


def _makers(proofs: KeyHistory, domain: SignedDomain, before: Mapping[bytes, PastEpoch]) -> Allowed:
    """Return the makers of the epochs with the present key, each with the verify key of then and its successors.

    A maker vouches for nobody after leaving the listed owners or the custodians.
    """
    makers: Allowed = {}
    for by in makers_of_key(before, domain.public_key, domain.epoch):
        chain = proofs.chain(by.name)
        if by.name in domain.owners and chain:
            at = next((at for at, keys in enumerate(chain) if keys.verify_key == by.verify_key), None)
            later = frozenset({by.verify_key}) if at is None else _verify_keys(chain[at:])
            makers[by.name] = makers.get(by.name, frozenset()) | later
    return makers


def ancestors(document: Document, domain: Domain) -> Iterator[tuple[bytes, PastEpoch]]:
    """Yield the epochs before the domain's present epoch by their hashes, as far as the domain keeps them.

    Leave out an epoch filed under a wrong hash. A later signed statement names each hash, so nobody can make one up.
    """
    following, done = list(domain.epoch.previous if domain.epoch else ()), set[bytes]()
    while following:
        identifier = following.pop()
        past = domain.past.get(identifier)
        if past is None or identifier in done:
            continue
        done.add(identifier)
        if past.epoch.hash(document.file_id, domain.name, past.public_key) == identifier:
            yield identifier, past
            following.extend(past.epoch.previous)


def makers_of_key(earlier: Mapping[bytes, PastEpoch], public_key: bytes, epoch: Epoch) -> set[Signer]:
    """Return the makers of the epoch and of the `earlier` epochs right before it with the same public key.

    Under these epochs only the policy changed.
    """
    makers = {epoch.signed.by}
    following, done = list(epoch.previous), set[bytes]()
    while following:
        identifier = following.pop()
        past = earlier.get(identifier)
        if past is not None and past.public_key == public_key and identifier not in done:
            done.add(identifier)
            makers.add(past.epoch.signed.by)
            following.extend(past.epoch.previous)
    return makers


def vouched_for(
    makers: Mapping[str, frozenset[bytes]], valid: Mapping[str, tuple[Signed, frozenset[bytes]]]
) -> Allowed:
    """Return the owners vouched for by the makers, in one step or more."""
    counting: Allowed = {}
    waiting = dict(valid)
    while True:
        found = [
            name
            for name, (signed, _) in waiting.items()
            if signed.by.verify_key
            in makers.get(signed.by.name, frozenset()) | counting.get(signed.by.name, frozenset())
        ]
        if not found:
            return counting
        for name in found:
            counting[name] = waiting.pop(name)[1]


def _verify_keys(chain: tuple[Keys, ...]) -> frozenset[bytes]:
    return frozenset(keys.verify_key for keys in chain if len(keys.verify_key) == KEY_BYTES)
