"""Judge one domain (docs/format.md, section 12.4, steps 3 to 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from pocket_protector.document.custodian import LegacyCustodian
from pocket_protector.document.document import Document
from pocket_protector.document.domain import Domain
from pocket_protector.document.statements import Signed
from pocket_protector.errors import command
from pocket_protector.trust import epoch_chain
from pocket_protector.trust.authority import ancestors
from pocket_protector.trust.epoch_chain import ChainFault
from pocket_protector.trust.findings import NEWEST, Finding, Severity
from pocket_protector.trust.judge.judge_entries import judge_entries
from pocket_protector.trust.judge.judge_owners import judge_owners
from pocket_protector.trust.judge.state import State, epoch_hashes
from pocket_protector.trust.judge.step import Step
from pocket_protector.trust.memory_hashes import key_hash

_BEFORE = "see who did it (git log -p), and revert that; if it was honest: pprotect trust accept"


def judge_domain(step: Step, name: str) -> Iterator[Finding]:
    """Yield the findings about one domain."""
    state, after = step.before, step.after
    old, new = state.document.domains.get(name), after.document.domains.get(name)
    where = ("domain", name)
    if new is None:
        text = "the key domain was removed" if step.follows else "the key domain is not in this version"
        yield Finding(Severity.INFO, "domain-removed", where, text)
        return
    if old is new and state.authorities[name] is after.authorities[name]:
        return
    refused = None
    if old is None:
        found = _judge_new(step, new)
    elif old.epoch is None:
        found = _judge_unsigned(step, old, new)
    else:
        found = _judge_signed(step, old, new)
    for finding in found:
        refused = refused or finding.severity is Severity.VIOLATION
        yield finding
    # Without a genuine epoch, nothing else in the block means anything.
    if not refused:
        yield from judge_owners(step, name)
        yield from judge_entries(step, name)
    elif new.epoch is not None:
        # If the user allows the older version, they must still see an owner nobody vouches for.
        yield from judge_owners(replace(step, before=State(state.document, state.memory, {})), name, anew=True)


def _judge_new(step: Step, new: Domain) -> Iterator[Finding]:
    """Judge a domain absent from the trusted document: a new one, a removed one, or one of other branches."""
    where, memory = ("domain", new.name), step.before.memory
    known = memory.epochs.get(new.name)
    if known is None and new.name not in memory.keys:
        yield from _judge_first_seen(step, new)
    elif known is not None and (new.epoch is None or not step.follows):
        yield from _judge_signed(step, None, new)
    elif step.follows:
        text = "a key domain of this name was there before, and was removed; now one stands there again"
        severity = Severity.VIOLATION if known is not None else Severity.ATTENTION
        yield Finding(severity, "domain-returned", where, text, _BEFORE)
        yield from _judge_first_seen(step, new)
    elif new.epoch is not None:
        yield from _judge_first_epoch(step, new, _was_listed(step, new.name))
    elif new.key not in memory.keys[new.name] or key_hash(new) in memory.gone:
        text = "a key domain of this name is there again, with another key; nobody has signed it"
        yield Finding(Severity.ATTENTION, "domain-returned", where, text, _BEFORE)
    else:
        yield Finding(Severity.INFO, "domain-added", where, "a domain that you saw before is there again")


def _judge_first_seen(step: Step, new: Domain) -> Iterator[Finding]:
    where = ("domain", new.name)
    if new.epoch is None:
        yield Finding(Severity.INFO, "domain-added", where, "a new key domain, which nobody has signed")
        return
    fault = epoch_chain.begins(step.after.document, new, _first_by_custodian(step)) or _made_up(step.after, new)
    if fault is not None:
        yield Finding(Severity.VIOLATION, "domain-forged", where, f"a new key domain: {fault.value}", _BEFORE)
    else:
        yield Finding(Severity.INFO, "domain-added", where, f"a new key domain, made by {new.epoch.signed.by.name}")


def _hash(document: Document, domain: Domain) -> bytes:
    assert domain.epoch is not None
    return domain.epoch.hash(document.file_id, domain.name, domain.public_key)


def _judge_unsigned(step: Step, old: Domain, new: Domain) -> Iterator[Finding]:
    """Judge an unsigned domain by step 4: nothing tells who changes it, and an owner may make it a signed one."""
    where = ("domain", new.name)
    if new.epoch is None:
        if new.key != old.key:
            text = "the public key was replaced, in a domain that nobody has signed: nothing tells who did it"
            yield Finding(Severity.ATTENTION, "unsigned-key-replaced", where, text, _BEFORE)
        return
    yield from _judge_first_epoch(step, new, _listed(step, old))
    maker = new.epoch.signed.by.name
    if new.key != old.key and isinstance(step.before.document.custodians.get(maker), LegacyCustodian):
        text = f"the public key was replaced by {maker}, whose keys gave way to others in the same step"
        yield Finding(Severity.ATTENTION, "unsigned-key-replaced", where, text, _BEFORE)


def _judge_first_epoch(step: Step, new: Domain, listed: Callable[[Signed], bool]) -> Iterator[Finding]:
    where = ("domain", new.name)
    fault = epoch_chain.begins(step.after.document, new, _first_by(listed)) or _made_up(step.after, new)
    assert new.epoch is not None
    maker = new.epoch.signed.by.name
    if fault is None:
        text = f"its first statement, by {maker}, who was listed as an owner: from now on its key and owners are signed"
        yield Finding(Severity.ATTENTION, "first-epoch", where, text, f"ask {maker} whether they did this")
    else:
        text = f"its first statement, by {maker}, does not come from an owner who was listed: {fault.value}"
        yield Finding(Severity.VIOLATION, "first-epoch-forged", where, text, _BEFORE)


def _judge_signed(step: Step, old: Domain | None, new: Domain) -> Iterator[Finding]:
    """Judge a signed domain by step 5: an epoch follows the newest known one, and each maker counted one step before.

    `old` is the trusted document's domain. A pin may know the domain though its document does not have it.
    """
    where, document = ("domain", new.name), step.after.document
    if new.epoch is None:
        yield _unsigned(where)
        return
    known, line = step.before.memory.epochs.get(new.name, frozenset()), epoch_hashes(document, new.name)
    now, missing = _hash(document, new), frozenset() if step.follows else known - line
    parted = False
    if old is not None and now == _hash(step.before.document, old):
        fault = _past_fault(step.after, old, new) or _signature_fault(step.after, old, new)
    elif now in known and (missing or old is not None):
        yield _behind(where, new)
        return
    elif now in known:
        fault = _made_up(step.after, new) or _signature_fault(step.after, None, new)
    else:
        fault = _line_fault(step, old, new, line)
        parted = bool(missing) if fault is None else step.follows and fault is ChainFault.APART and bool(known & line)
        fault = fault or (_past_fault(step.after, old, new) if old and not missing else _made_up(step.after, new))
    if parted and fault in (None, ChainFault.APART):
        yield _forked(where, new)
    elif fault is ChainFault.APART and old is None:
        text = f"a key domain of this name is there again, and does not follow the one that you saw: {fault.value}"
        yield Finding(Severity.VIOLATION, "domain-returned", where, text, _BEFORE)
    elif fault is not None:
        yield _replaced(where, new, fault)
    elif old is not None:
        yield from _judge_policy(old, new)
    else:
        yield Finding(Severity.INFO, "domain-added", where, "a domain that you saw before is there again")


def _line_fault(step: Step, old: Domain | None, new: Domain, line: frozenset[bytes]) -> ChainFault | None:
    """Return the fault of the line from the newest known epoch to this one. `line` has the hashes of its epochs."""
    state, document = step.before, step.after.document
    if step.follows and old is not None:
        counting = state.authorities[new.name].owners.keys
        return epoch_chain.follows(document, new, _hash(state.document, old), counting, state.memory.gone)
    known = state.memory.epochs[new.name]
    if not known <= line and known & line:
        # Two branches rotated the key: it is enough if each epoch is authorised by the one before.
        return epoch_chain.begins(document, new, lambda epoch: not epoch.previous, state.memory.gone)
    return epoch_chain.continues(document, new, known, partial(state.memory.counted, new.name))


def _signature_fault(after: State, old: Domain | None, new: Domain) -> ChainFault | None:
    """Return FORGED if the signature beside a known epoch is another, and does not match."""
    assert new.epoch is not None
    same = old is not None and old.epoch is not None and old.epoch.signed == new.epoch.signed
    return ChainFault.FORGED if not same and epoch_chain.forged(after.document, new) else None


def _past_fault(after: State, old: Domain, new: Domain) -> ChainFault | None:
    """Return the fault of the earlier epochs kept by the domain.

    None of them may go or change, except for grants added in a join of two branches.
    """
    if old.past is new.past or old.past == new.past:
        return None
    for identifier, was in old.past.items():
        now = new.past.get(identifier)
        if now is None or (now.public_key, now.epoch) != (was.public_key, was.epoch):
            return ChainFault.BROKEN
        if any(now.grants.get(name) != grant for name, grant in was.grants.items()):
            return ChainFault.BROKEN
    return _made_up(after, new)


def _made_up(after: State, new: Domain) -> ChainFault | None:
    """Return BROKEN if the domain keeps an earlier epoch the present one does not follow."""
    real = {identifier for identifier, _ in ancestors(after.document, new)}
    return ChainFault.BROKEN if new.past.keys() - real else None


def _judge_policy(old: Domain, new: Domain) -> Iterator[Finding]:
    where = ("domain", new.name)
    assert new.epoch is not None
    maker = new.epoch.signed.by.name
    if new.key != old.key:
        yield Finding(Severity.INFO, "domain-rotated", where, f"{maker} rotated the key")
    if new.policy != old.policy:
        demands = _demands(new)
        weaker = new.policy.weaker_than(old.policy)
        if weaker:
            text = f"{maker} weakened the policy ({', '.join(weaker)}): it now demands {demands}"
            yield Finding(Severity.ATTENTION, "policy-weakened", where, text, f"ask {maker} why")
        else:
            yield Finding(Severity.INFO, "policy-changed", where, f"{maker} set the policy: it now demands {demands}")


def _unsigned(where: tuple[str, ...]) -> Finding:
    text = "its statements are gone: a signed domain does not become an unsigned one"
    return Finding(
        Severity.VIOLATION, "domain-unsigned", where, text, f"if this is an older branch, merge; else {_BEFORE}"
    )


def _behind(where: tuple[str, ...], new: Domain) -> Finding:
    assert new.epoch is not None
    text = f"older than what you saw: the key and policy are of epoch {new.epoch.number}, and a newer one was seen"
    return Finding(Severity.VIOLATION, "domain-behind", where, text, NEWEST)


def _replaced(where: tuple[str, ...], new: Domain, fault: ChainFault) -> Finding:
    assert new.epoch is not None
    text = f"its key or policy was replaced (signed as {new.epoch.signed.by.name}): {fault.value}"
    return Finding(Severity.VIOLATION, "domain-replaced", where, text, _BEFORE)


def _forked(where: tuple[str, ...], new: Domain) -> Finding:
    assert new.epoch is not None
    text = (
        "two branches changed its key or policy, and do not know of each other: here it is epoch"
        f" {new.epoch.number}, by {new.epoch.signed.by.name}, which does not follow what you saw"
    )
    hint = (
        f"merge the two branches, and let an owner run: {command('join')}; if one was given up: pprotect trust accept"
    )
    return Finding(Severity.VIOLATION, "domain-forked", where, text, hint)


def _was_listed(step: Step, name: str) -> Callable[[Signed], bool]:
    """Return a test: was the signer an owner when the domain was last judged, still unsigned?"""
    keys = step.before.memory.keys[name]
    return lambda signed: any(step.before.memory.counted(name, key[1:], signed.by) for key in keys)


def _listed(step: Step, old: Domain) -> Callable[[Signed], bool]:
    """Return a test: was the signer a listed owner, with the keys of then or their successors?

    Another finding judges whether an owner with keys of Pocket Protector's may have these now.
    """

    def accepted(signed: Signed) -> bool:
        name = signed.by.name
        before = step.before.document.custodians.get(name)
        if step.before.authorities[old.name].owners.vouched(signed):
            return True
        if name not in old.owners or before is None:
            return False
        chain = step.proofs.chain(name)
        theirs = before.keys in chain or (isinstance(before, LegacyCustodian) and bool(chain))
        return theirs and any(keys.verify_key == signed.by.verify_key for keys in chain)

    return accepted


def _first_by(accepted: Callable[[Signed], bool]) -> epoch_chain.IsRoot:
    return lambda epoch: not epoch.previous and epoch.number == 1 and accepted(epoch.signed)


def _demands(domain: Domain) -> str:
    return ", ".join(f"{key} {text}" for key, text in domain.policy.items().items()) or "nothing"


def _first_by_custodian(step: Step) -> epoch_chain.IsRoot:
    """Accept a first epoch by any custodian with this verify key, as far as anybody knows."""
    asked: dict[str, frozenset[bytes]] = {}

    def known(name: str) -> frozenset[bytes]:
        keys = {*step.before.memory.custodians.get(name, ()), *step.earlier.chain(name), *step.proofs.chain(name)}
        return frozenset(pair.verify_key for pair in keys)

    def accepted(signed: Signed) -> bool:
        name = signed.by.name
        if name not in asked:
            asked[name] = known(name)
        return not asked[name] or signed.by.verify_key in asked[name]

    return _first_by(accepted)
