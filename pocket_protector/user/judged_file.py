"""A file judged against this user's pin of it, and the rules for moving that pin."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from pocket_protector.errors import StoreError
from pocket_protector.keyfile.key_file import KeyFile
from pocket_protector.user.notices import Notice, Tell, note, warning

if TYPE_CHECKING:  # imported late: an unchanged file is recognised without it
    from pocket_protector.document.sensitivity import Sensitivity
    from pocket_protector.trust.findings import Finding
    from pocket_protector.trust.judge.state import State
    from pocket_protector.user.pins import Pin

MOST_NOTICES = 8
"""How many notices one command gives; the next command gives the others."""


class JudgedFile(NamedTuple):
    """A file beside this user's pin of it.

    | the file | `pin` | `before` | `after` | `findings` |
    |---|---|---|---|---|
    | is the pinned file | yes | None, until `judged` | None | none |
    | is new to this user | yes | None | with the file | of a first contact |
    | differs from the pinned file | yes | the pinned state | with the file | of the step |
    | is a legacy file, without an id | None | None | None | none |
    | is a legacy file, in the place of a pinned file | None | the pinned state | None | of this replacement |
    """

    key_file: KeyFile
    pin: Pin | None
    before: State | None = None
    after: State | None = None
    findings: tuple[Finding, ...] = ()

    def judged(self) -> JudgedFile:
        """Return the file judged against the pin, whether it changed or not."""
        if self.pin is None or self.after is not None:
            return self
        return _judged(self.key_file, self.pin, self.pin.read(self.key_file.file_id))

    def trusted(self) -> State | None:
        """Return the pinned state, or None at a first contact."""
        return self.judged().before

    def demanded_signed(self, domain: str) -> bool:
        """Return whether the domain in the pinned file demanded signed values, before it changed without authorization.

        If a signed domain is not in the pinned file, its policy is not known and counts as strict.
        """
        if self.before is None:
            return False
        pinned = self.before.document.domains.get(domain)
        if pinned is not None:
            return pinned.policy.require_signed
        return self.before.knows_domain(domain) and ("domain", domain) in {f.where for f in self.violations}

    def was_production(self, domain: str) -> bool:
        """Return whether the pinned file, before it changed, has the domain as one of production."""
        pinned = self.before.document.domains.get(domain) if self.before else None
        return pinned is not None and bool(pinned.policy.production) and bool(self.violations)

    def sensitivity_floors(self, domain: str) -> dict[str, Sensitivity]:
        """Return the lowest permitted sensitivity by secret name.

        The result has the pinned sensitivity of each secret that changed without authorization since, or whose domain
        did. An older entry that has come back counts as inject-only.
        """
        changed = {finding.where for finding in self.findings if finding.kind.lowers or finding.is_violation}
        if self.before is None or not changed:
            return {}
        from pocket_protector.document.sensitivity import Sensitivity

        whole = ("domain", domain) in changed
        levels = self._pinned_levels(domain, self.before)
        older = {f.where for f in self.findings if f.kind.lowers or f.kind.is_older}
        back = {where[2]: Sensitivity.INJECT_ONLY for where in older if where[:2] == ("secret", domain)}
        return back | {n: level for n, level in levels.items() if whole or ("secret", domain, n) in changed}

    def _pinned_levels(self, domain: str, before: State) -> dict[str, Sensitivity]:
        """Return the sensitivities in the pinned file.

        If the domain is not in that file, return the highest sensitivity that the pin knows for each entry's present
        content.
        """
        pinned = before.document.domains.get(domain)
        if pinned is not None:
            return {name: pinned.sensitivity(name) for name in pinned.secrets}
        from pocket_protector.document.sensitivity import Sensitivity
        from pocket_protector.trust.memory_hashes import level_hash

        levels: dict[str, Sensitivity] = {}
        for name, secret in self.key_file.document.domain(domain).secrets.items():
            for level in Sensitivity:
                if level_hash(domain, name, replace(secret, sensitivity=level)) in before.memory.seen:
                    levels[name] = max(level, levels.get(name, level))
        return levels

    @property
    def violations(self) -> list[Finding]:
        """Return the findings that are violations."""
        return [finding for finding in self.findings if finding.is_violation]

    @property
    def notable(self) -> list[Finding]:
        """Return the findings that deserve a look: keys, owners and policies before values and the log.

        For a file without any signature, return only findings that wait to be accepted, and lowered sensitivities.
        """
        signed = self.is_signed()
        found = [f for f in self.findings if f.needs_attention and (signed or f.waits or f.kind.lowers)]
        return sorted(found, key=lambda finding: finding.where[0] in ("secret", "file"))

    def is_signed(self) -> bool:
        """Return whether any domain of the file is signed."""
        return any(map(self.key_file.is_signed, self.key_file.get_domain_names()))

    def pin_as_read(self, tell: Tell) -> None:
        """Pin the present file, unless something waits for a decision; the user has read the notices."""
        self._move(self.pending()[MOST_NOTICES:], tell)

    def pin_as_unread(self, tell: Tell) -> None:
        """Pin the file as `pin_as_read` does, and keep the notices, because perhaps nobody has read them."""
        self._move(self.pending(), tell)

    def pending(self) -> list[Notice]:
        """Return the notices of this judgement, and the earlier ones that perhaps nobody has read."""
        now = notices_of(self)
        kept = map(Notice.parse, self.pin.pending(self.key_file.file_id)) if self.pin is not None else ()
        return [*now, *(notice for notice in kept if notice not in now)]

    def _move(self, left: list[Notice], tell: Tell) -> None:
        if self.pin is None or (self.after is not None and not self._may_move()):
            return
        try:
            texts = list(map(str, left))
            if texts != self.pin.pending(self.key_file.file_id):
                self.pin.set_pending(self.key_file.file_id, texts)
        except StoreError as error:
            # The pin stays too, so the next command gives these notices again.
            tell(_not_kept(error))
            return
        if self.after is not None:
            _keep(self, self.after, tell)

    def pin_written(self, written: KeyFile, tell: Tell) -> list[Finding]:
        """Pin the file that this user wrote, unless something waited for a decision before the write.

        Returns the violations that the pin finds in the written file; if there are any, the pin does not move.
        """
        if self.pin is None or not self._may_move():
            return []
        try:
            found, after = written.authorize(self.after or self.trusted())
        except StoreError as error:
            tell(_not_kept(error))
            return []
        contradicted = [finding for finding in found if finding.is_violation]
        if not contradicted:
            _keep(self._replace(key_file=written), after, tell)
        return contradicted

    def accept(self) -> None:
        """Pin the present file, whatever the findings are, and even if the pin is damaged.

        Raises StoreError if the pin cannot be written.
        """
        assert self.pin is not None
        assert self.after is not None
        self.pin.write(
            self.key_file.file_id, self.key_file.get_contents(), self.after.accepting_document(), over_damage=True
        )
        self.pin.set_pending(self.key_file.file_id, [])
        self.pin.confirm(self.key_file.file_id)

    def confirm(self) -> None:
        """Record that the user made the file themselves."""
        if self.pin is not None:
            with suppress(StoreError):
                self.pin.confirm(self.key_file.file_id)

    def is_confirmed(self) -> bool:
        """Return whether the user accepted the file once, or made it."""
        return self.pin is not None and self.pin.is_confirmed(self.key_file.file_id)

    def _withholds(self, finding: Finding) -> bool:
        """Return whether the finding reports a restored earlier reference in a production domain."""
        if not finding.kind.restores:
            return False
        _, domain, name = finding.where
        return bool(self.key_file.get_policy(domain).production) and name in self.key_file.get_references(domain)

    def withheld(self, domain: str) -> list[str]:
        """Return the references of a production domain that are restored earlier ones."""
        return [
            finding.where[2] for finding in self.findings if self._withholds(finding) and finding.where[1] == domain
        ]

    def _may_move(self) -> bool:
        """Return whether the pin may move: there is no violation, and nothing waits to be accepted.

        A finding that stops values from being printed or resolved counts as waiting too. Otherwise the next look at
        something else would end the refusal.
        """
        waits = any(finding.waits or finding.kind.lowers or self._withholds(finding) for finding in self.findings)
        return not self.violations and not waits


def judge_against_pin(key_file: KeyFile) -> JudgedFile:
    """Return the file beside its pin, judged only if it differs from the pinned file."""
    from pocket_protector.user.pins import Pin

    pin = Pin(key_file.path)
    pinned_id = pin.file_id()
    if not key_file.file_id:
        if pinned_id is None:
            return JudgedFile(key_file, None)
        return JudgedFile(key_file, None, pin.read(pinned_id), None, (_in_anothers_place(),))
    if pinned_id in (None, key_file.file_id) and pin.is_current(key_file.file_id, key_file.get_contents()):
        return JudgedFile(key_file, pin)
    return _judged(key_file, pin, pin.read(pinned_id or key_file.file_id))


def judge_as_new(key_file: KeyFile) -> JudgedFile:
    """Return the file, judged as at a first contact."""
    from pocket_protector.user.pins import Pin

    return _judged(key_file, Pin(key_file.path), None)


def notices_of(judged: JudgedFile) -> list[Notice]:
    """Return a notice for each notable finding, but only one for all older values of a domain."""
    found: dict[tuple[str, ...], Notice] = {}
    older: dict[str, list[str]] = {}
    for finding in judged.notable:
        if finding.kind.restores and not finding.kind.lowers:
            names = older.setdefault(finding.where[1], [])
            names.append(finding.where[2])
            text = f"domain/{finding.where[1]}: older values are back: {', '.join(names)}"
            found[finding.code, finding.where[1]] = note(text)
        else:
            hinted = finding.waits or finding.kind.lowers
            found[finding.code, *finding.where] = note(place_and_text(finding), finding.hint if hinted else "")
    return list(found.values())


def place_and_text(finding: Finding) -> str:
    """Return a finding's text after the object of the finding."""
    return f"{'/'.join(finding.where)}: {finding.text}"


def warning_of(finding: Finding) -> Notice:
    """Return the warning about a violation."""
    return warning(place_and_text(finding), finding.hint)


def _judged(key_file: KeyFile, pin: Pin, before: State | None) -> JudgedFile:
    found, after = key_file.authorize(before)
    return JudgedFile(key_file, pin, before, after, tuple(found))


def _keep(judged: JudgedFile, state: State, tell: Tell) -> None:
    assert judged.pin is not None
    try:
        judged.pin.write(judged.key_file.file_id, judged.key_file.get_contents(), state)
    except StoreError as error:
        if judged.is_signed():
            tell(_not_kept(error))


def _not_kept(error: StoreError) -> Notice:
    return note(f"your record of the file is not kept: {error.message}")


def _in_anothers_place() -> Finding:
    from pocket_protector.trust.findings import Finding, Severity

    text = "a file of Pocket Protector's stands where one was that pprotect made"
    hint = "see who put it there (git log -p), and revert that; or --behind, if it is meant to be the older file"
    return Finding(Severity.VIOLATION, "file-replaced", ("file",), text, hint)
