"""The owners' part of a judgement: who gave whom access (docs/format.md, section 12, rules 3, 5 and 6)."""

from __future__ import annotations

from collections.abc import Iterator

from pocket_protector.errors import command
from pocket_protector.model.custodian import LegacyCustodian, key_chain
from pocket_protector.model.domain import Domain, Grant
from pocket_protector.model.standing import GrantStatus, earlier_keys, named_keys, sealed_to
from pocket_protector.trust.findings import Finding, Severity
from pocket_protector.trust.state import State, grant_hash, owner_hash


def judge_owners(state: State, after: State, name: str) -> Iterator[Finding]:
    new, old = after.document.domains[name], state.document.domains.get(name)
    statuses = after.standings[name].owners.status
    before = state.standings[name].owners.status if old else {}
    for owner in sorted(old.owners.keys() - new.owners.keys() if old else ()):
        text = "the owner was removed" + ("" if old and old.key != new.key else ", and the key was not rotated")
        yield Finding(Severity.INFO, "owner-removed", ("owner", name, owner), text)
    for owner, status in sorted(statuses.items()):
        grant, was = new.owners[owner], old.owners.get(owner) if old else None
        if status is GrantStatus.COUNTS:
            yield from _judge_counting(state, after, new, owner, grant, was)
        elif status is not before.get(owner) or was is None or was.signed != grant.signed:
            yield _judge_other(state, after, new, owner, status, was)


def _judge_counting(
    state: State, after: State, new: Domain, owner: str, grant: Grant, was: Grant | None
) -> Iterator[Finding]:
    where = ("owner", new.name, owner)
    custodian = after.document.custodians[owner]
    again = command("add-owner", new.name, owner)
    old = state.document.domains.get(new.name)
    same = was is not None and was.signed == grant.signed and old is not None and old.key == new.key
    if not same and grant.signed is not None and new.epoch is not None:
        chain = key_chain(custodian, after.document.file_id)
        named = named_keys(after.document, new, owner, grant, new.public_key, chain)
        if named is not None and grant_hash(after.document, new, owner, grant, named) in state.memory.gone:
            text = f"a grant by {grant.signed.by.name} that was taken out is back: the removal was undone"
            yield Finding(Severity.VIOLATION, "owner-returned", where, text, f"take it out, or give it anew: {again}")
            return
    if was is None:
        by = f"given access by {grant.signed.by.name}" if grant.signed else "listed as an owner; nobody signed that"
        yield Finding(Severity.INFO, "owner-added", where, by)
    before = state.document.custodians.get(owner)
    touched = was != grant or before is None or before.keys != custodian.keys
    if touched and not sealed_to(grant.wrapped_key, custodian.public_key):
        text = "the domain's key is wrapped for earlier keys of the owner, who cannot open it"
        yield Finding(Severity.ATTENTION, "grant-unusable", where, text, f"an owner runs: {again}")


def _judge_other(
    state: State, after: State, new: Domain, owner: str, status: GrantStatus, was: Grant | None
) -> Finding:
    """An owner who does not count."""
    where = ("owner", new.name, owner)
    grant = new.owners[owner]
    again = f"an owner runs: {command('add-owner', new.name, owner)}"
    by = f" (signed as {grant.signed.by.name})" if grant.signed else ""
    text = f"listed as an owner, and does not count: {status.value}{by}"
    if status is GrantStatus.NO_CUSTODIAN:
        remove = command("rm-owner", new.name, owner)
        return Finding(Severity.ATTENTION, "grant-without-custodian", where, text, remove)
    stale = status is GrantStatus.STALE or (status is GrantStatus.INVALID and _was_given(after, new, owner))
    if stale:
        text = f"listed as an owner, and does not count: {GrantStatus.STALE.value}{by}"
    if (stale or status is GrantStatus.UNVOUCHED) and _was_owner(state, after, new, grant):
        return Finding(Severity.ATTENTION, "grant-stale" if stale else "grant-of-former-owner", where, text, again)
    before = state.document.custodians.get(owner)
    if isinstance(before, LegacyCustodian) and was is not None and was.signed == grant.signed:
        # The grant names keys that Pocket Protector made, and the new ones cannot prove that they are the same owner's.
        return Finding(Severity.ATTENTION, "grant-stale", where, text, again)
    stripped = was is not None and was.signed is not None and grant.signed is None
    remove = command("rm-owner", new.name, owner)
    hint = f"nobody with access put it there: take it out ({remove}); if it was honest, {again}"
    return Finding(Severity.VIOLATION, "owner-stripped" if stripped else "owner-injected", where, text, hint)


def _was_given(after: State, new: Domain, owner: str) -> bool:
    """Whether the grant is one for a key that the domain was seen to have."""
    grant, document = new.owners[owner], after.document
    chain = key_chain(document.custodians[owner], document.file_id)
    keys = _earlier_keys(after, new)
    return any(named_keys(document, new, owner, grant, key, chain) is not None for key in keys)


def _was_owner(state: State, after: State, new: Domain, grant: Grant) -> bool:
    """Whether the signer is an owner, or was one that was seen: on another branch they gave what they could give."""
    assert grant.signed is not None
    known = state.standings.get(new.name)
    if after.standings[new.name].owners.vouched(grant.signed) or (known and known.owners.vouched(grant.signed)):
        return True
    keys = {new.public_key} | _earlier_keys(after, new)
    return any(owner_hash(new.name, key, grant.signed.by) in state.memory.gone for key in keys)


def _earlier_keys(after: State, new: Domain) -> set[bytes]:
    """The public keys that the domain had: what its epochs tell, and what was seen of one that nobody had signed."""
    seen = {key[1:] for key in after.memory.keys.get(new.name, frozenset())}
    return (seen | earlier_keys(after.document, new)) - {new.public_key}
