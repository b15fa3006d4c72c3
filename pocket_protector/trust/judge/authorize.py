"""Judge one step of a file by the steps of docs/format.md, section 12.4.

The judgement is pure: it needs no key, no clock and no disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pocket_protector.document.audit_log import FILE
from pocket_protector.document.custodian import AnyCustodian, LegacyCustodian
from pocket_protector.document.document import LEGACY_FORMAT, Document
from pocket_protector.trust.findings import NEWEST, Finding, Severity
from pocket_protector.trust.fingerprints import fingerprint, to_words
from pocket_protector.trust.judge.judge_domain import judge_domain
from pocket_protector.trust.judge.judge_log import judge_log
from pocket_protector.trust.judge.state import Memory, State, authority_of, changed_names
from pocket_protector.trust.judge.step import Step
from pocket_protector.trust.judge.step_memory import remembered
from pocket_protector.trust.key_history import KeyHistory

_ACCEPT = "if it was honest: pprotect trust accept"


def authorize(state: State | None, document: Document, *, follows: bool = False) -> tuple[list[Finding], State]:
    """Judge the step from a trusted state to `document`; return the findings, and the state with this document.

    With `follows`, the document is known to come after the state's document, as a commit comes after its parent.
    Without it, the document may be older or from another branch. An absent object then does not prove a removal.

    Without a state this is the first contact: the document is judged by itself. A caller may refuse the findings and
    keep the old state.
    """
    if state is None:
        found, after = authorize(_nothing(document), document, follows=follows)
        text = "nothing was known of this file before: compare the custodians' fingerprints with them"
        first = Finding(Severity.INFO, "first-contact", (FILE,), text, "pprotect fingerprint CUSTODIAN")
        return [first, *found], after
    old = state.document
    # An upgrade gives a file its id. Any other change to a domain is judged in that domain.
    upgraded = old.format == LEGACY_FORMAT and (not old.domains or not old.domains.keys().isdisjoint(document.domains))
    if old.file_id != document.file_id and not upgraded:
        text = "another file stands in the place of this one: its file id is another"
        return [Finding(Severity.VIOLATION, "file-replaced", (FILE,), text, _ACCEPT)], State.trusting(document)
    proofs = KeyHistory(document)
    authorities = {name: authority_of(document, name, proofs, state) for name in document.domains}
    step = Step(state, State(document, state.memory, authorities), KeyHistory(old), proofs, follows)
    step = replace(step, after=replace(step.after, memory=remembered(step)))
    found = [*_judge_upgrade(old, document), *_judge_custodians(step)]
    for name in sorted(old.domains.keys() | document.domains.keys()):
        found.extend(judge_domain(step, name))
    return [*found, *judge_log(old.log, document.log)], step.after


def _nothing(document: Document) -> State:
    return State(Document(document.format, document.file_id), Memory(), {})


def _judge_upgrade(old: Document, new: Document) -> Iterator[Finding]:
    if old.file_id != new.file_id:
        text = "the file was upgraded from Pocket Protector's format: nobody signed what it held until then"
        yield Finding(Severity.ATTENTION, "file-upgraded", (FILE,), text, "review the step's diff once")


def _judge_custodians(step: Step) -> Iterator[Finding]:
    """Judge the custodians by step 2: keys stay, or change by a statement of the old and of the new."""
    old, document = step.before.document, step.after.document
    for name in changed_names(old.custodians, document.custodians):
        where = ("custodian", name)
        custodian, before = document.custodians.get(name), old.custodians.get(name)
        if custodian is None:
            text = "the key custodian was removed" if step.follows else "the key custodian is not in this version"
            yield Finding(Severity.INFO, "custodian-removed", where, text)
        elif before is not None and before.keys == custodian.keys:
            continue
        elif before is None and name not in step.before.memory.custodians:
            words = to_words(fingerprint(name, custodian.keys))
            yield Finding(Severity.INFO, "custodian-added", where, f"a new key custodian, fingerprint {words}")
        else:
            yield from _judge_keys(step, name, custodian)


def _judge_keys(step: Step, name: str, custodian: AnyCustodian) -> Iterator[Finding]:
    where = ("custodian", name)
    before, seen = step.before.document.custodians.get(name), step.before.memory.custodians.get(name, frozenset())
    # In a history the keys right before must lead here. A pin knows all keys, but not their order.
    known = frozenset({before.keys}) if before and step.follows else seen
    can_sign = frozenset(keys for keys in known if keys.verify_key)
    chain = frozenset(step.proofs.chain(name))
    words = to_words(fingerprint(name, custodian.keys))
    ask = f"ask {name} by another way whether their fingerprint is {words}; {_ACCEPT}"
    if (can_sign or known) <= chain or (not can_sign and custodian.keys in known):
        if custodian.keys not in known:
            text = f"new keys, which the old ones signed; fingerprint {words}"
            yield Finding(Severity.INFO, "custodian-rekeyed", where, text)
    elif not can_sign:
        text = "the keys that Pocket Protector made gave way to others, which those cannot sign"
        yield Finding(Severity.ATTENTION, "custodian-upgraded", where, text, ask)
    elif custodian.keys in step.earlier.chain(name) or (not step.follows and custodian.keys in known):
        text = "the keys are older than those that you saw"
        yield Finding(Severity.VIOLATION, "custodian-behind", where, text, NEWEST)
    elif isinstance(custodian, LegacyCustodian):
        text = "keys that can sign gave way to keys of Pocket Protector's kind, which cannot"
        hint = f"if this is an older branch, merge; {ask}"
        yield Finding(Severity.VIOLATION, "custodian-replaced", where, text, hint)
    else:
        text = "the keys were replaced, and the old ones did not sign that: whoever did it may be somebody else"
        yield Finding(Severity.VIOLATION, "custodian-replaced", where, text, ask)
