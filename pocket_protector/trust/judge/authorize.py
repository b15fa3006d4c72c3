"""One step of a file, judged: the rules of docs/format.md, section 12. Pure: no key, no clock, no disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pocket_protector.document.audit_log import FILE
from pocket_protector.document.custodian import LegacyCustodian
from pocket_protector.document.document import LEGACY_FORMAT, Document
from pocket_protector.document.statements import Keys
from pocket_protector.trust.findings import NEWEST, Finding, Severity
from pocket_protector.trust.fingerprints import fingerprint, to_words
from pocket_protector.trust.judge.judge_domain import judge_domain
from pocket_protector.trust.judge.judge_log import LogStep, judge_log
from pocket_protector.trust.judge.state import Memory, State, authority_of, recalled
from pocket_protector.trust.judge.step import Step
from pocket_protector.trust.judge.step_memory import remembered
from pocket_protector.trust.key_history import KeyHistory

_ACCEPT = "if it was honest: pprotect trust accept"


def authorize(state: State | None, document: Document, *, follows: bool = False) -> tuple[list[Finding], State]:
    """What the step from a trusted state to `document` says, and the state with that document in it.

    With `follows` the document is known to come after that of the state, as a commit comes after its parent. Without,
    it may be older, or of another branch: what it does not have was taken out only if its log says so.

    Without a state this is the first contact: the document is judged by itself. Whoever is not content with the
    findings keeps the old state.
    """
    if state is None:
        found, after = authorize(_nothing(document), document, follows=True)
        text = "nothing was known of this file before: compare the custodians' fingerprints with them"
        first = Finding(Severity.INFO, "first-contact", (FILE,), text, "pprotect fingerprint CUSTODIAN")
        return [first, *found], after
    old = state.document
    # An upgrade gives a file its id; what else became of its domains, each of them is judged for.
    upgraded = old.format == LEGACY_FORMAT and (not old.domains or not old.domains.keys().isdisjoint(document.domains))
    if old.file_id != document.file_id and not upgraded:
        text = "another file stands in the place of this one: its file id is another"
        return [Finding(Severity.VIOLATION, "file-replaced", (FILE,), text, _ACCEPT)], State.of(document)
    proofs = KeyHistory(document)
    authorities = {name: authority_of(document, name, proofs, state) for name in document.domains}
    log = None if follows else LogStep.of(state.memory, old.log, document.log)
    before = recalled(state, document)
    step = Step(before, State(document, state.memory, authorities), KeyHistory(old), proofs, log)
    step = replace(step, after=replace(step.after, memory=remembered(step)))
    found = [*_judge_upgrade(old, document), *_judge_custodians(step)]
    for name in sorted(before.document.domains.keys() | document.domains.keys()):
        found.extend(judge_domain(step, name))
    return [*found, *judge_log(old.log, document.log)], step.after


def _nothing(document: Document) -> State:
    return State(Document(document.format, document.file_id), Memory(), {})


def _judge_upgrade(old: Document, new: Document) -> Iterator[Finding]:
    if old.file_id != new.file_id:
        text = "the file was upgraded from Pocket Protector's format: nobody signed what it held until then"
        yield Finding(Severity.ATTENTION, "file-upgraded", (FILE,), text, "review the step's diff once")


def _judge_custodians(step: Step) -> Iterator[Finding]:
    """Rule 2: keys stay, or change by a statement of the old and of the new."""
    state, old, document = step.before, step.before.document, step.after.document
    if old.custodians is document.custodians:
        return
    for name in sorted(old.custodians.keys() | document.custodians.keys()):
        where = ("custodian", name)
        custodian, before = document.custodians.get(name), old.custodians.get(name)
        known = frozenset({before.keys}) if before else state.memory.custodians.get(name)
        if custodian is None:
            yield Finding(Severity.INFO, "custodian-removed", where, "the key custodian was removed")
        elif known is None:
            words = to_words(fingerprint(name, custodian.keys))
            yield Finding(Severity.INFO, "custodian-added", where, f"a new key custodian, fingerprint {words}")
        elif known != {custodian.keys}:
            yield _judge_keys(name, known, step)


def _judge_keys(name: str, known: frozenset[Keys], step: Step) -> Finding:
    custodian = step.after.document.custodians[name]
    where = ("custodian", name)
    words = to_words(fingerprint(name, custodian.keys))
    if known <= set(step.proofs.chain(name)):
        return Finding(
            Severity.INFO, "custodian-rekeyed", where, f"new keys, which the old ones signed; fingerprint {words}"
        )
    ask = f"ask {name} by another way whether their fingerprint is {words}; {_ACCEPT}"
    if not any(keys.verify_key for keys in known):
        text = "the keys that Pocket Protector made gave way to others, which those cannot sign"
        return Finding(Severity.ATTENTION, "custodian-upgraded", where, text, ask)
    if custodian.keys in step.earlier.chain(name):
        text = "the keys are older than those that were seen"
        return Finding(Severity.VIOLATION, "custodian-behind", where, text, NEWEST)
    if isinstance(custodian, LegacyCustodian):
        text = "keys that can sign gave way to such as Pocket Protector makes, which cannot"
        return Finding(
            Severity.VIOLATION, "custodian-replaced", where, text, f"if this is an older branch, merge; {ask}"
        )
    text = "the keys were replaced, and the old ones did not sign that: whoever did it may be somebody else"
    return Finding(Severity.VIOLATION, "custodian-replaced", where, text, ask)
