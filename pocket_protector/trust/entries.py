"""The values' part of a judgement: who vouches for what (docs/format.md, section 12, rules 6 and 7)."""

from __future__ import annotations

from collections.abc import Iterator

from pocket_protector.errors import command
from pocket_protector.model.domain import Domain, Secret
from pocket_protector.model.standing import EntryStatus
from pocket_protector.trust.findings import Finding, Severity
from pocket_protector.trust.state import State, secret_hash


def judge_entries(state: State, after: State, name: str) -> Iterator[Finding]:
    new, old = after.document.domains[name], state.document.domains.get(name)
    now = after.standings[name].entries
    before = state.standings[name].entries if old else {}
    if old is not None and now is before:
        return
    was = old.secrets if old else {}
    for key in sorted(was.keys() - new.secrets.keys()):
        yield Finding(Severity.INFO, "secret-removed", ("secret", name, key), "the secret was removed")
    for key, secret in sorted(new.secrets.items()):
        earlier = was.get(key)
        if earlier is not secret and earlier != secret:
            yield _judge_entry(
                state, new, key, earlier, before.get(key), now[key], rotated=bool(old and old.key != new.key)
            )


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
    by = f" (signed as {secret.signed.by.name})" if secret.signed else ""
    back = "see in git's history who did it"
    if now is EntryStatus.INVALID:
        text = f"the signature beside the value is not one of it{by}: one of them was put there by hand"
        return Finding(Severity.VIOLATION, "signature-invalid", where, text, back)
    if earlier is not None and (earlier.value, earlier.updated) == (secret.value, secret.updated):
        if before is EntryStatus.REVIEWED and now is not EntryStatus.REVIEWED:
            text = "an owner had signed exactly this value, and the signature is gone"
            return Finding(Severity.VIOLATION, "signature-stripped", where, text, back)
        text = f"the value is as it was, and {'is signed now' if secret.signed else 'is no longer signed'}{by}"
        return Finding(Severity.INFO, "secret-reviewed", where, text)
    if secret_hash(new.name, key, secret) in state.memory.gone:
        text = f"an older value is back{by}"
        return Finding(
            Severity.ATTENTION, "secret-rolled-back", where, text, f"if nobody reverted it on purpose: {back}"
        )
    return _changed(new, key, now, _what(earlier, secret, rotated=rotated), by)


def _changed(new: Domain, key: str, now: EntryStatus, what: str, by: str) -> Finding:
    where = ("secret", new.name, key)
    if now is EntryStatus.REVIEWED:
        return Finding(Severity.INFO, "secret-changed", where, f"{what}, and an owner vouches for it{by}")
    text = f"{what}, and no owner vouches for it: {now.value}{by}"
    if new.policy.require_signed:
        hint = f"an owner runs: {command('review', new.name)}"
        return Finding(
            Severity.VIOLATION, "secret-unreviewed", where, f"{text}; the policy demands that one does", hint
        )
    return Finding(Severity.INFO, "secret-changed", where, text)


def _what(earlier: Secret | None, secret: Secret, *, rotated: bool) -> str:
    if earlier is None:
        return "a new value"
    return "re-sealed" if rotated and earlier.updated == secret.updated else "a value changed"
