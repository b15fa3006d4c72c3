"""Judge the owners of a domain and the grants between them (docs/format.md, section 12.4, steps 7 to 9)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import cache

from pocket_protector.document.custodian import LegacyCustodian
from pocket_protector.document.domain import Domain, Grant
from pocket_protector.document.statements import Keys, Signed, Signer
from pocket_protector.errors import command
from pocket_protector.trust.authority import GrantStatus, sealed_to, vouched_for
from pocket_protector.trust.findings import NEWEST, Finding, Severity
from pocket_protector.trust.judge.state import State
from pocket_protector.trust.judge.step import Step
from pocket_protector.trust.key_history import named_keys
from pocket_protector.trust.memory_hashes import grant_hash, listed_hash


def judge_owners(step: Step, name: str, *, anew: bool = False) -> Iterator[Finding]:
    """Yield the findings about a domain's owners.

    With `anew`, judge them as if the trusted document did not have the domain.
    """
    state, after = step.before, step.after
    new, old = after.document.domains[name], None if anew else state.document.domains.get(name)
    statuses = after.authorities[name].owners.status
    before = state.authorities[name].owners.status if old else {}
    for owner in sorted(old.owners.keys() - new.owners.keys() if old else ()):
        yield _removed(step, new, owner, rotated=old is not None and old.key != new.key, status=before.get(owner))

    @cache
    def reached() -> Collection[str]:
        return _reached(step, new)

    for owner, status in sorted(statuses.items()):
        grant, was = new.owners[owner], old.owners.get(owner) if old else None
        if status is GrantStatus.COUNTS:
            yield from _judge_counting(step, new, old, owner, before.get(owner) is status, reached)
        elif status is not before.get(owner) or was is None or was.signed != grant.signed:
            yield _judge_other(step, new, owner, status, was)


def _removed(step: Step, new: Domain, owner: str, *, rotated: bool, status: GrantStatus | None) -> Finding:
    """Judge the removal of an owner by step 7: an owner leaves a signed domain by a rotation.

    Files from before this rule have other removals.
    """
    where = ("owner", new.name, owner)
    if rotated:
        return Finding(Severity.INFO, "owner-removed", where, "the owner was removed")
    text = "the owner was removed, and the key was not rotated"
    if new.epoch is None or status is not GrantStatus.COUNTS or not step.follows:
        return Finding(Severity.INFO, "owner-removed", where, text)
    again = command("add-owner", new.name, owner)
    hint = f"an owner runs: {command('rotate-domain-keys', new.name)}; if nobody meant it: {again}"
    return Finding(Severity.ATTENTION, "owner-removed", where, f"{text}: they still know it", hint)


def _judge_counting(
    step: Step, new: Domain, old: Domain | None, owner: str, counted: bool, reached: Callable[[], Collection[str]]
) -> Iterator[Finding]:
    state, after = step.before, step.after
    where = ("owner", new.name, owner)
    grant, custodian = new.owners[owner], after.document.custodians[owner]
    was = old.owners.get(owner) if old else None
    again = command("add-owner", new.name, owner)
    # An owner who begins to count now is judged as if the grant were new, regardless of its age.
    same = counted and was is not None and was.signed == grant.signed and old is not None and old.key == new.key
    if not same and grant.signed is not None and new.epoch is not None:
        if grant_hash(grant.signed) in state.memory.gone and not step.follows:
            text = f"removed or given access anew since, and here is an older grant by {grant.signed.by.name}"
            yield Finding(Severity.VIOLATION, "owner-behind", where, text, NEWEST)
            return
        if grant_hash(grant.signed) in state.memory.gone:
            text = f"a grant by {grant.signed.by.name} that was taken out is back: the removal was undone"
            remove = command("rm-owner", new.name, owner)
            yield Finding(Severity.VIOLATION, "owner-returned", where, text, f"{remove}; to give it anew, then {again}")
            return
        if _is_same_key(step, old, new) and owner not in reached():
            text = f"given access by {grant.signed.by.name}, whom nobody who counted under this key vouches for"
            hint = f"take it out ({command('rm-owner', new.name, owner)}), and rotate: they know the key"
            yield Finding(Severity.VIOLATION, "owner-injected", where, text, hint)
            return
    if was is None:
        yield _added(step, new, old, owner)
    before = state.document.custodians.get(owner)
    touched = was != grant or before is None or before.keys != custodian.keys
    if was is not None and touched and not sealed_to(grant.wrapped_key, custodian.public_key):
        text = "the domain's key is wrapped for earlier keys of the owner, and does not open with the present ones"
        yield Finding(Severity.ATTENTION, "grant-unusable", where, text, f"an owner runs: {again}")


def _is_same_key(step: Step, old: Domain | None, new: Domain) -> bool:
    """Return whether the signers who counted under the domain's key are known."""
    if step.follows:
        return old is not None and old.key == new.key
    memory = step.before.memory
    return new.name in memory.epochs and new.key in memory.keys.get(new.name, frozenset())


def _reached(step: Step, new: Domain) -> Collection[str]:
    """Return the signers known to have counted, and the owners they vouch for, in one step or more.

    Without this check, a removed maker of the key could come back by a signature of their own.
    """
    now = step.after.authorities[new.name].owners.keys
    if step.follows:
        known = dict(step.before.authorities[new.name].owners.keys)
    else:
        known = {name: keys for name in now if (keys := _seen_keys(step, new, name))}
    known = {name: keys | _later(step, name, keys) for name, keys in known.items()}
    valid = {name: (signed, keys) for name, keys in now.items() if (signed := new.owners[name].signed) is not None}
    return known.keys() | vouched_for(known, valid).keys()


def _seen_keys(step: Step, new: Domain, name: str) -> frozenset[bytes]:
    """Return the custodian's verify keys known to have counted under the domain's key."""
    chain = (keys.verify_key for keys in step.proofs.chain(name))
    counted = step.before.memory.counted
    return frozenset(key for key in chain if counted(new.name, new.public_key, Signer(name, key)))


def _later(step: Step, name: str, keys: frozenset[bytes]) -> frozenset[bytes]:
    """Return these verify keys of a custodian and their successors, each signed with the one before."""
    chain = [known.verify_key for known in step.proofs.chain(name)]
    first = next((at for at, key in enumerate(chain) if key in keys), len(chain))
    return frozenset(key for key in chain[first:] if key)


def _added(step: Step, new: Domain, old: Domain | None, owner: str) -> Finding:
    where, signed = ("owner", new.name, owner), new.owners[owner].signed
    if new.epoch is not None and signed is not None:
        return Finding(Severity.INFO, "owner-added", where, f"given access by {signed.by.name}")
    memory = step.before.memory
    if not step.follows and new.epoch is None and listed_hash(new, owner) in memory.owners:
        return Finding(Severity.INFO, "owner-added", where, "an owner whom you saw before; nobody signed that")
    if old is None and (step.follows or new.name not in memory.keys):
        return Finding(Severity.INFO, "owner-added", where, "an owner of a domain that nobody has signed")
    listed = step.before.authorities[new.name].owners if old else None
    returned = signed is not None and grant_hash(signed) in memory.gone
    vouched = signed is not None and not returned and listed is not None and listed.vouched(signed)
    if signed is not None and vouched and step.proofs.named(new, owner, new.owners[owner]):
        return Finding(Severity.INFO, "owner-added", where, f"given access by {signed.by.name}")
    text = "listed as an owner, in a domain that nobody has signed; nor did an owner sign this"
    hint = (
        "see who did it (git log -p): the next rotation wraps the key for them; if it was honest: pprotect trust accept"
    )
    return Finding(Severity.ATTENTION, "unsigned-owner-added", where, text, hint)


def _judge_other(step: Step, new: Domain, owner: str, status: GrantStatus, was: Grant | None) -> Finding:
    """Judge an owner who does not count."""
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
        # The grant names keys made by Pocket Protector. The new keys cannot prove they belong to the same owner.
        return Finding(Severity.ATTENTION, "grant-stale", where, text, again)
    custodian = after.document.custodians.get(owner)
    if status is GrantStatus.INVALID and before is not None and custodian and before.keys != custodian.keys:
        # The same step replaced the keys named in the grant. Another finding reports that.
        text = f"listed as an owner, and the grant is not for the keys that stand under {owner} now{by}"
        hint = f"ask {owner} by another way for their fingerprint; if these are their keys: pprotect trust accept"
        return Finding(Severity.VIOLATION, "owner-injected", where, text, hint)
    stripped = was is not None and was.signed is not None and grant.signed is None
    remove = command("rm-owner", new.name, owner)
    hint = f"nobody with access put it there: {remove}; if it was honest, then {again}"
    return Finding(Severity.VIOLATION, "owner-stripped" if stripped else "owner-injected", where, text, hint)


def _names(after: State, new: Domain, owner: str, keys: Keys) -> bool:
    """Return whether the grant names these keys, and a counting owner gave it."""
    grant = new.owners[owner]
    vouched = grant.signed is not None and after.authorities[new.name].owners.vouched(grant.signed)
    return vouched and named_keys(after.document, new, owner, grant, new.public_key, (keys,)) is not None


def _key_of(step: Step, new: Domain, owner: str) -> bytes | None:
    """Return the earlier public key the grant is for, or None if the domain is not known to have had it."""
    earlier = step.after.authorities[new.name].owners.earlier
    seen = (key[1:] for key in step.after.memory.keys.get(new.name, frozenset()))
    return step.proofs.earlier_key(new, owner, new.owners[owner], dict.fromkeys((*earlier.values(), *seen)))


def _was_owner(step: Step, new: Domain, key: bytes, signed: Signed) -> bool:
    """Return whether the signer is known as an owner from the time of this key of the domain.

    On another branch they gave the access they could give. An owner of today passes for an owner of then.
    """
    if step.before.memory.was_owner(new.name, key, signed.by):
        return True
    owners = step.after.authorities[new.name].owners
    if key != new.public_key and owners.vouched(signed):
        return True
    # An owner with other keys by now may have signed with the earlier ones, on a branch without the change of keys.
    chain = step.proofs.chain(signed.by.name) if owners.counts(signed.by.name) else ()
    return any(keys.verify_key == signed.by.verify_key for keys in chain)
