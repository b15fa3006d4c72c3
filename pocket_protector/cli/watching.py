"""What the user has seen of the file before, and when that moves on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from pocket_protector.cli import output
from pocket_protector.errors import StoreError
from pocket_protector.keyfile.key_file import KeyFile

if TYPE_CHECKING:  # imported late: a file that did not change is recognised without
    from pocket_protector.document.sensitivity import Sensitivity
    from pocket_protector.trust.findings import Finding
    from pocket_protector.trust.judge.state import State
    from pocket_protector.user.pins import Pin

MOST_LINES = 8
"""So much is told at once; what is more, the next time."""


class Watch(NamedTuple):
    """A file beside the pin of it.

    | the file is | `pin` | `before` | `after` | `findings` |
    |---|---|---|---|---|
    | as it was pinned | yes | None, until `judged` | None | none |
    | seen for the first time | yes | None | with the file | of a first contact |
    | another than was pinned | yes | what was pinned | with the file | what the step says |
    | Pocket Protector's, which has no id | None | None | None | none |
    | that, where one of ours was seen | None | what was pinned | None | that it is |
    """

    store: KeyFile
    pin: Pin | None
    before: State | None = None
    after: State | None = None
    findings: tuple[Finding, ...] = ()

    def judged(self) -> Watch:
        """The file judged against the pin, whether it changed or not."""
        if self.pin is None or self.after is not None:
            return self
        return _judged(self.store, self.pin, self.pin.read(self.store.file_id))

    def trusted(self) -> State | None:
        """What was pinned before."""
        return self.judged().before

    def demanded_signed(self, domain: str) -> bool:
        """Whether the domain demanded signed values when it was seen, before somebody changed it without the right to.
        Of one that was signed and is not in the trusted file, the policy is not known: it is taken for strict."""
        if self.before is None:
            return False
        seen = self.before.document.domains.get(domain)
        if seen is not None:
            return seen.policy.require_signed
        return self.before.knows_domain(domain) and ("domain", domain) in {f.where for f in self.violations}

    def kept(self, domain: str) -> dict[str, Sensitivity]:
        """The sensitivities that secrets had when they were seen, of those that somebody without the right to it
        changed since, or whose domain. An entry that was gone in between had a higher one than it has."""
        changed = {finding.where for finding in self.findings if finding.kind.lowers or finding.is_violation}
        if self.before is None or not changed:
            return {}
        from pocket_protector.document.sensitivity import Sensitivity

        whole = ("domain", domain) in changed
        levels = self._seen_levels(domain, self.before)
        older = {f.where for f in self.findings if f.kind.lowers or f.kind.is_older}
        back = {where[2]: Sensitivity.INJECT_ONLY for where in older if where[:2] == ("secret", domain)}
        return back | {n: level for n, level in levels.items() if whole or ("secret", domain, n) in changed}

    def _seen_levels(self, domain: str, before: State) -> dict[str, Sensitivity]:
        """The sensitivities in the trusted file; where that does not have the domain, the highest that was seen of what
        each entry holds now."""
        seen = before.document.domains.get(domain)
        if seen is not None:
            return {name: seen.sensitivity(name) for name in seen.secrets}
        from pocket_protector.document.sensitivity import Sensitivity
        from pocket_protector.trust.memory_hashes import level_hash

        levels: dict[str, Sensitivity] = {}
        for name, secret in self.store.document.domain(domain).secrets.items():
            for level in Sensitivity:
                if level_hash(domain, name, replace(secret, sensitivity=level)) in before.memory.seen:
                    levels[name] = max(level, levels.get(name, level))
        return levels

    @property
    def violations(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.is_violation]

    @property
    def notable(self) -> list[Finding]:
        """What deserves a look: keys, owners and policies before values and the log. In a file that nobody has signed
        only what waits to be accepted, and sensitivities that are lowered."""
        signed = self.is_signed()
        found = [f for f in self.findings if f.needs_attention and (signed or f.waits or f.kind.lowers)]
        return sorted(found, key=lambda finding: finding.where[0] in ("secret", "file"))

    def is_signed(self) -> bool:
        return any(map(self.store.is_signed, self.store.get_domain_names()))

    def seen(self) -> None:
        """The user was told what there is to tell: pin the file as it is now, unless something waits for them."""
        self._move(self.to_tell()[MOST_LINES:])

    def looked_at(self) -> None:
        """As `seen`, where nobody may have read it: that is told again."""
        self._move(self.to_tell())

    def to_tell_now(self) -> list[str]:
        """What deserves a look, a text each."""
        return ["\n".join(lines) for lines in notes(self)]

    def to_tell(self) -> list[str]:
        """What deserves a look, and what did when the pin moved on without anybody who read it."""
        now = self.to_tell_now()
        before = self.pin.pending(self.store.file_id) if self.pin is not None else []
        return [*now, *(text for text in before if text not in now)]

    def _move(self, pending: list[str]) -> None:
        if self.pin is None or (self.after is not None and not self._may_move()):
            return
        try:
            if pending != self.pin.pending(self.store.file_id):
                self.pin.set_pending(self.store.file_id, pending)
        except StoreError as error:
            # The pin stays too: it is told again then.
            output.note(f"note: what was seen of the file is not kept: {error.message}")
            return
        if self.after is not None:
            _keep_quietly(self, self.after)

    def wrote(self, written: KeyFile) -> list[Finding]:
        """This user wrote the file: pin it, unless it was not what it should be before. What of the written file the
        pin contradicts, so that it does not move."""
        if self.pin is None or not self._may_move():
            return []
        try:
            found, after = written.authorize(self.after or self.trusted())
        except StoreError as error:
            output.note(f"note: what was seen of the file is not kept: {error.message}")
            return []
        contradicted = [finding for finding in found if finding.is_violation]
        if not contradicted:
            _keep_quietly(self._replace(store=written), after)
        return contradicted

    def accept(self) -> None:
        """Pin the file as it is now, whatever was found, and if the pin is damaged. StoreError if it cannot be."""
        assert self.pin is not None
        assert self.after is not None
        self.pin.write(self.store.file_id, self.store.get_contents(), self.after.accepting_document(), over_damage=True)
        self.pin.set_pending(self.store.file_id, [])
        self.pin.confirm(self.store.file_id)

    def made(self) -> None:
        """The user made the file themselves."""
        if self.pin is not None:
            with suppress(StoreError):
                self.pin.confirm(self.store.file_id)

    def is_confirmed(self) -> bool:
        """Whether the user accepted the file once, or made it."""
        return self.pin is not None and self.pin.is_confirmed(self.store.file_id)

    def _withholds(self, finding: Finding) -> bool:
        """Whether it says that a reference of production is one of before."""
        if not finding.kind.restores:
            return False
        _, domain, name = finding.where
        return bool(self.store.get_policy(domain).production) and name in self.store.get_references(domain)

    def withheld(self, domain: str) -> list[str]:
        """The references of a production domain that are ones of before."""
        return [
            finding.where[2] for finding in self.findings if self._withholds(finding) and finding.where[1] == domain
        ]

    def _may_move(self) -> bool:
        """Whether nothing is wrong or waits to be accepted. What keeps values from being printed or followed waits too:
        else the next look at something else would end it."""
        waits = any(finding.waits or finding.kind.lowers or self._withholds(finding) for finding in self.findings)
        return not self.violations and not waits


def look(store: KeyFile) -> Watch:
    """The file beside its pin."""
    from pocket_protector.user.pins import Pin

    pin = Pin(store.path)
    seen = pin.file_id()
    if not store.file_id:
        return Watch(store, None) if seen is None else Watch(store, None, pin.read(seen), None, (_in_anothers_place(),))
    if seen in (None, store.file_id) and pin.is_current(store.file_id, store.get_contents()):
        return Watch(store, pin)
    return _judged(store, pin, pin.read(seen or store.file_id))


def look_anew(store: KeyFile) -> Watch:
    """The file as if nothing had been seen of it."""
    from pocket_protector.user.pins import Pin

    return _judged(store, Pin(store.path), None)


def notes(watch: Watch) -> list[list[str]]:
    """What deserves a look, as lines; older values of a domain are one thing."""
    told: dict[tuple[str, ...], list[str]] = {}
    older: dict[str, list[str]] = {}
    for finding in watch.notable:
        if finding.kind.restores and not finding.kind.lowers:
            names = older.setdefault(finding.where[1], [])
            names.append(finding.where[2])
            text = f"note: domain/{finding.where[1]}: older values are back: {', '.join(names)}"
            told[finding.code, finding.where[1]] = [text]
        else:
            lines = [f"note: {'/'.join(finding.where)}: {finding.text}"]
            hinted = finding.waits or finding.kind.lowers
            told[finding.code, *finding.where] = [*lines, f"  {finding.hint}"] if hinted else lines
    return list(told.values())


def _judged(store: KeyFile, pin: Pin, before: State | None) -> Watch:
    found, after = store.authorize(before)
    return Watch(store, pin, before, after, tuple(found))


def _keep_quietly(watch: Watch, state: State) -> None:
    assert watch.pin is not None
    try:
        watch.pin.write(watch.store.file_id, watch.store.get_contents(), state)
    except StoreError as error:
        if watch.is_signed():
            output.note(f"note: what was seen of the file is not kept: {error.message}")


def _in_anothers_place() -> Finding:
    from pocket_protector.trust.findings import Finding, Severity

    text = "a file of Pocket Protector's stands where one was that pprotect made"
    hint = "see who put it there (git log -p), and revert that; or --behind, if it is meant to be the older file"
    return Finding(Severity.VIOLATION, "file-replaced", ("file",), text, hint)
