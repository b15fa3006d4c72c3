"""The values' part of a judgement: who vouches for what (docs/format.md, section 12, rules 6 and 7)."""

from __future__ import annotations

from collections.abc import Iterator

from pocket_protector.errors import command
from pocket_protector.model.domain import Domain, Secret
from pocket_protector.model.standing import EntryStatus
from pocket_protector.trust.findings import Finding, Severity
from pocket_protector.trust.hashes import secret_hash
from pocket_protector.trust.state import State, differing

_WHO = "see in git's history who did it"


def judge_entries(state: State, after: State, name: str) -> Iterator[Finding]:
    new, old = after.document.domains[name], state.document.domains.get(name)
    now = after.standings[name].entries
    before = state.standings[name].entries if old else {}
    if old is not None and now is before:
        return
    was = old.secrets if old else {}
    for key in differing(was, new.secrets):
        if key not in new.secrets:
            yield Finding(Severity.INFO, "secret-removed", ("secret", name, key), "the secret was removed")
        else:
            rotated = old is not None and old.key != new.key
            yield _judge_entry(state, new, key, was.get(key), before.get(key), now[key], rotated=rotated)


def _judge_entry(
    state: State,
    new: Domain,
    key: str,
    earlier: Secret | None,
    before: EntryStatus | None,
    now: EntryStatus,
    *,
    rotated: bool,
) -> Finding:
    secret = new.secrets[key]
    where = ("secret", new.name, key)
    # Of another status the signature was not verified, or did not match.
    checked = secret.signed is not None and now in (EntryStatus.REVIEWED, EntryStatus.UNVOUCHED)
    by = f" (signed by {secret.signed.by.name})" if secret.signed and checked else ""
    if now is EntryStatus.INVALID:
        text = "the signature beside the value is not one of it: one of them was put there by hand"
        return Finding(Severity.VIOLATION, "signature-invalid", where, text, _WHO)
    same = earlier is not None and earlier.value == secret.value
    if same and before is EntryStatus.REVIEWED and now is not EntryStatus.REVIEWED:
        text = "an owner had signed exactly this value, and the signature is gone"
        return Finding(Severity.VIOLATION, "signature-stripped", where, text, _WHO)
    older = not same and secret_hash(new.name, key, secret) in state.memory.gone
    what = "an older value is back" if older else _what(earlier, secret, rotated=rotated)
    if now is not EntryStatus.REVIEWED and new.policy.require_signed:
        text = f"{what}, and no owner vouches for it: {now.value}{by}; the policy demands that one does"
        hint = f"an owner runs: {command('review', new.name)}"
        return Finding(Severity.VIOLATION, "secret-unreviewed", where, text, hint)
    if older:
        return Finding(Severity.ATTENTION, "secret-rolled-back", where, f"{what}{by}", f"if nobody meant it: {_WHO}")
    if same:
        return _judge_same(where, earlier, secret, by)
    vouched = "an owner vouches for it" if now is EntryStatus.REVIEWED else f"no owner vouches for it: {now.value}"
    return Finding(Severity.INFO, "secret-changed", where, f"{what}, and {vouched}{by}")


def _judge_same(where: tuple[str, ...], earlier: Secret | None, secret: Secret, by: str) -> Finding:
    if earlier is not None and earlier.updated != secret.updated:
        text = f"the value is as it was, and the time beside it was changed by hand{by}"
        return Finding(Severity.ATTENTION, "secret-retimed", where, text, _WHO)
    signed = "signed" if secret.signed else "no longer signed"
    return Finding(Severity.INFO, "secret-reviewed", where, f"the value is as it was, and is now {signed}{by}")


def _what(earlier: Secret | None, secret: Secret, *, rotated: bool) -> str:
    if earlier is None:
        return "a new value"
    return "re-sealed" if rotated and earlier.updated == secret.updated else "a value changed"
