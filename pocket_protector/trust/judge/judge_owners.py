"""The owners' part of a judgement: who gave whom access (docs/format.md, section 12, rules 3, 5 and 6)."""

from __future__ import annotations

from collections.abc import Iterator

from pocket_protector.document.custodian import LegacyCustodian
from pocket_protector.document.domain import Domain, Grant
from pocket_protector.document.statements import Keys, Signed
from pocket_protector.errors import command
from pocket_protector.trust.authority import GrantStatus, sealed_to, vouched_for
from pocket_protector.trust.findings import NEWEST, Finding, Severity
from pocket_protector.trust.judge.state import State
from pocket_protector.trust.judge.step import Step
from pocket_protector.trust.key_history import named_keys
from pocket_protector.trust.memory_hashes import grant_hash, listed_hash, owner_hash


def judge_owners(step: Step, name: str, *, anew: bool = False) -> Iterator[Finding]:
    """The findings about a domain's owners; `anew` judges them as if the domain had not been seen."""
    state, after = step.before, step.after
    new, old = after.document.domains[name], None if anew else state.document.domains.get(name)
    statuses = after.authorities[name].owners.status
    before = state.authorities[name].owners.status if old else {}
    for owner in sorted(old.owners.keys() - new.owners.keys() if old else ()):
        text = "the owner was removed" + ("" if old and old.key != new.key else ", and the key was not rotated")
        yield Finding(Severity.INFO, "owner-removed", ("owner", name, owner), text)
    for owner, status in sorted(statuses.items()):
        grant, was = new.owners[owner], old.owners.get(owner) if old else None
        if status is GrantStatus.COUNTS:
            yield from _judge_counting(step, new, old, owner)
        elif status is not before.get(owner) or was is None or was.signed != grant.signed:
            yield _judge_other(step, new, owner, status, was)


def _judge_counting(step: Step, new: Domain, old: Domain | None, owner: str) -> Iterator[Finding]:
    state, after = step.before, step.after
    where = ("owner", new.name, owner)
    grant, custodian = new.owners[owner], after.document.custodians[owner]
    was = old.owners.get(owner) if old else None
    again = command("add-owner", new.name, owner)
    same = was is not None and was.signed == grant.signed and old is not None and old.key == new.key
    if not same and grant.signed is not None and new.epoch is not None:
        if grant_hash(grant.signed) in state.memory.gone and step.is_behind:
            text = f"was removed, or given access anew, and here is the grant of before, by {grant.signed.by.name}"
            yield Finding(Severity.VIOLATION, "owner-behind", where, text, NEWEST)
            return
        if grant_hash(grant.signed) in state.memory.gone:
            text = f"a grant by {grant.signed.by.name} that was taken out is back: the removal was undone"
            remove = command("rm-owner", new.name, owner)
            yield Finding(Severity.VIOLATION, "owner-returned", where, text, f"{remove}; to give it anew, then {again}")
            return
        if old is not None and old.key == new.key and not _reached(step, new, owner):
            text = f"given access by {grant.signed.by.name}, who was an owner once, and was removed"
            if step.is_behind:
                yield Finding(Severity.VIOLATION, "owner-behind", where, text, NEWEST)
                return
            hint = f"take it out ({command('rm-owner', new.name, owner)}), and rotate: they know the key"
            yield Finding(Severity.VIOLATION, "owner-injected", where, text, hint)
            return
    if was is None:
        yield _added(step, new, old, owner)
    before = state.document.custodians.get(owner)
    touched = was != grant or before is None or before.keys != custodian.keys
    if was is not None and touched and not sealed_to(grant.wrapped_key, custodian.public_key):
        text = "the domain's key is wrapped for earlier keys of the owner, who cannot open it"
        yield Finding(Severity.ATTENTION, "grant-unusable", where, text, f"an owner runs: {again}")


def _reached(step: Step, new: Domain, owner: str) -> bool:
    """Whether those who counted before this step vouch for the owner, in one step or more: a maker of the key who was
    removed could otherwise come back by a signature of their own."""
    before = step.before.authorities[new.name].owners.keys
    known = {name: keys | _later(step, name, keys) for name, keys in before.items()}
    valid = {
        name: (signed, keys)
        for name, keys in step.after.authorities[new.name].owners.keys.items()
        if (signed := new.owners[name].signed) is not None
    }
    return owner in known or owner in vouched_for(known, valid)


def _later(step: Step, name: str, keys: frozenset[bytes]) -> frozenset[bytes]:
    """The verify keys that a custodian took in the place of these, signing that with the one before."""
    chain = [known.verify_key for known in step.proofs.chain(name)]
    first = next((at for at, key in enumerate(chain) if key in keys), len(chain))
    return frozenset(key for key in chain[first:] if key)


def _added(step: Step, new: Domain, old: Domain | None, owner: str) -> Finding:
    where, signed = ("owner", new.name, owner), new.owners[owner].signed
    if new.epoch is not None and signed is not None:
        return Finding(Severity.INFO, "owner-added", where, f"given access by {signed.by.name}")
    if listed_hash(new.name, owner, new.owners[owner]) in step.before.memory.gone:
        return Finding(Severity.INFO, "owner-added", where, "an owner as on another branch, where nobody signed it")
    if old is None:
        return Finding(Severity.INFO, "owner-added", where, "an owner of a domain that nobody has signed")
    listed = step.before.authorities[new.name].owners
    returned = signed is not None and grant_hash(signed) in step.before.memory.gone
    if signed and not returned and listed.vouched(signed) and step.proofs.named(new, owner, new.owners[owner]):
        return Finding(Severity.INFO, "owner-added", where, f"given access by {signed.by.name}")
    text = "listed as an owner, in a domain that nobody has signed; nor did an owner sign this"
    hint = (
        "see who did it (git log -p): the next rotation wraps the key for them; if it was honest: pprotect trust accept"
    )
    return Finding(Severity.ATTENTION, "unsigned-owner-added", where, text, hint)


def _judge_other(step: Step, new: Domain, owner: str, status: GrantStatus, was: Grant | None) -> Finding:
    """An owner who does not count."""
    state, after = step.before, step.after
    where = ("owner", new.name, owner)
    grant = new.owners[owner]
    again = f"an owner runs: {command('add-owner', new.name, owner)}"
    by = f" (signed as {grant.signed.by.name})" if grant.signed else ""
    text = f"listed as an owner, and does not count: {status.value}{by}"
    if status is GrantStatus.NO_CUSTODIAN:
        remove = command("rm-owner", new.name, owner)
        return Finding(Severity.ATTENTION, "grant-without-custodian", where, text, remove)
    key = _key_of(step, new, owner) if status in (GrantStatus.STALE, GrantStatus.INVALID) else new.public_key
    stale = key is not None and key != new.public_key
    if stale:
        text = f"listed as an owner, and does not count: {GrantStatus.STALE.value}{by}"
    if key is not None and grant.signed and _was_owner(step, new, key, grant.signed):
        return Finding(Severity.ATTENTION, "grant-stale" if stale else "grant-of-former-owner", where, text, again)
    before = state.document.custodians.get(owner)
    if isinstance(before, LegacyCustodian) and _names(after, new, owner, before.keys):
        # The grant names keys that Pocket Protector made, and the new ones cannot prove that they are the same owner's.
        return Finding(Severity.ATTENTION, "grant-stale", where, text, again)
    custodian = after.document.custodians.get(owner)
    if status is GrantStatus.INVALID and before is not None and custodian and before.keys != custodian.keys:
        # The keys that the grant names were replaced in the same step, which another finding is about.
        text = f"listed as an owner, and the grant is not for the keys that stand under {owner} now{by}"
        hint = f"ask {owner} by another way for their fingerprint; if these are their keys: pprotect trust accept"
        return Finding(Severity.VIOLATION, "owner-injected", where, text, hint)
    stripped = was is not None and was.signed is not None and grant.signed is None
    remove = command("rm-owner", new.name, owner)
    hint = f"nobody with access put it there: {remove}; if it was honest, then {again}"
    return Finding(Severity.VIOLATION, "owner-stripped" if stripped else "owner-injected", where, text, hint)


def _names(after: State, new: Domain, owner: str, keys: Keys) -> bool:
    """Whether the grant names these keys, and an owner who counts gave it."""
    grant = new.owners[owner]
    vouched = grant.signed is not None and after.authorities[new.name].owners.vouched(grant.signed)
    return vouched and named_keys(after.document, new, owner, grant, new.public_key, (keys,)) is not None


def _key_of(step: Step, new: Domain, owner: str) -> bytes | None:
    """The earlier public key that the grant is for; None if it is for none that the domain was seen to have."""
    earlier = step.after.authorities[new.name].owners.earlier
    seen = (key[1:] for key in step.after.memory.keys.get(new.name, frozenset()))
    return step.proofs.earlier_key(new, owner, new.owners[owner], dict.fromkeys((*earlier.values(), *seen)))


def _was_owner(step: Step, new: Domain, key: bytes, signed: Signed) -> bool:
    """Whether the signer was an owner while the domain had that key, as far as was seen: on another branch they gave
    what they could give. An owner of today is taken for one of then."""
    state, after = step.before, step.after
    old = state.document.domains.get(new.name)
    standing = state.authorities.get(new.name)
    if old is not None and standing is not None and old.public_key == key and standing.owners.vouched(signed):
        return True
    if owner_hash(new.name, key, signed.by) in state.memory.gone:
        return True
    owners = after.authorities[new.name].owners
    if key != new.public_key and owners.vouched(signed):
        return True
    # An owner who has other keys by now, and signed with the earlier ones on a branch that had not seen that.
    chain = step.proofs.chain(signed.by.name) if owners.counts(signed.by.name) else ()
    return any(keys.verify_key == signed.by.verify_key for keys in chain)
