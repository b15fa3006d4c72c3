"""What the user has seen of the file before, and what the commands make of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pocket_protector.cli import output
from pocket_protector.errors import StoreError
from pocket_protector.keyfile import KeyFile

if TYPE_CHECKING:  # imported late: a file that did not change is recognised without
    from pocket_protector.pins import Pin
    from pocket_protector.trust.findings import Finding
    from pocket_protector.trust.state import State

_MOST_LINES = 8


class Watch:
    """A file judged against its pin. `state` is what was pinned, None at the first contact; `after` is it with the file
    as it is now, None where nothing changed."""

    def __init__(self, store: KeyFile) -> None:
        self.findings: list[Finding] = []
        self.state: State | None = None
        self.after: State | None = None
        self.pin: Pin | None = None
        self._told = False
        from pocket_protector.pins import Pin

        self._store = store
        pin = Pin(store.path)
        seen = pin.file_id()
        if not store.file_id:
            # Pocket Protector's files have no id: nothing is pinned, but that one stands in the place of another.
            if seen is not None:
                self.findings, self.state = [_in_another_s_place()], pin.read(seen)
            return
        self.pin = pin
        if seen in (None, store.file_id) and self.pin.is_current(store.file_id, store.get_contents()):
            return
        self.judge(seen or store.file_id)

    @classmethod
    def at_first(cls, store: KeyFile) -> Watch:
        """As if nothing had been seen of the file."""
        from pocket_protector.pins import Pin

        watch = cls.__new__(cls)
        watch._store, watch.pin, watch.state, watch._told = store, Pin(store.path), None, True
        watch.findings, watch.after = store.authorize(None)
        return watch

    def judge(self, file_id: bytes) -> None:
        """Load the pin, and judge the file against it."""
        assert self.pin is not None
        self.state = self.pin.read(file_id)
        self.findings, self.after = self._store.authorize(self.state)

    def trusted(self) -> State | None:
        """What was pinned before."""
        if self.pin is None or self.after is not None:
            return self.state
        return self.pin.read(self._store.file_id)

    def demanded_signed(self, domain: str) -> bool:
        """Whether the domain, as it was seen before it changed, demanded signed values."""
        seen = self.state.document.domains.get(domain) if self.state else None
        return seen is not None and seen.policy.require_signed

    @property
    def violations(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity.label == "violation"]

    def check_change(
        self, domain: str, custodians: Iterable[str], *, wraps: bool, behind: bool, removing: str | None
    ) -> None:
        """IntegrityError if what is to be changed is not what it should be."""
        if self.findings:
            from pocket_protector.trust.reading import check_change

            check_change(self.findings, domain, set(custodians), wraps=wraps, behind=behind, removing=removing)

    def tell(self, domains: Iterable[str], *, interactive: bool) -> None:
        """Warn of violations in these domains; say what else deserves a look, if anything in the file is signed."""
        if not self.findings:
            return
        chosen = set(domains)
        owners = {owner for name in chosen for owner in self._store.get_domain_owner_names(name)}
        from pocket_protector.trust.reading import about

        told = {id(f): f for name in sorted(chosen) for f in about(self.findings, name, owners)}
        for finding in [*told.values()][:_MOST_LINES]:
            output.note(f"warning: {'/'.join(finding.where)}: {finding.text}")
            output.note(f"  {finding.hint}")
        elsewhere = len(self.violations) - min(len(told), _MOST_LINES)
        if elsewhere:
            changes = "a change" if elsewhere == 1 else f"{elsewhere} changes"
            output.note(f"warning: {changes} elsewhere in the file by somebody without the right: pprotect trust")
        self._tell_attention(interactive=interactive)

    def tell_recipients(self, domain: str, owners: Iterable[str]) -> None:
        """Show the fingerprints of those who were no owners of the domain when the user looked last."""
        from pocket_protector.trust.fingerprints import to_words

        state = self.trusted()
        seen = state.document.domains.get(domain) if state else None
        for owner in owners:
            if (seen is None or owner not in seen.owners) and owner in self._store.get_key_custodian_names():
                words = to_words(self._store.get_fingerprint(owner))
                output.note(f"note: {owner} was not seen as an owner of {domain} before; their fingerprint: {words}")

    def settle(self, *, told: bool) -> None:
        """Pin the file as it is now, unless something in it is not what it should be, or deserves a look by somebody
        who was not `told`."""
        if self.after is None or self.violations or self._waits() or len(self._noted()) > _MOST_LINES:
            return
        if told or all(finding.severity.label == "info" for finding in self.findings):
            self._keep_quietly(self._store, self.after)

    def moved(self, written: KeyFile) -> None:
        """This user wrote the file: pin it, unless it was not what it should be before."""
        if self.pin is None or self.violations or self._waits():
            return
        if not self._told:
            self._tell_attention(interactive=False)
        if len(self._noted()) > _MOST_LINES:
            return
        try:
            found, after = written.authorize(self.after or self.trusted())
        except StoreError as error:
            output.note(f"note: what was seen of the file is not kept: {error.message}")
            return
        if not any(finding.severity.label == "violation" for finding in found):
            self._keep_quietly(written, after)

    def keep(self, store: KeyFile, state: State, *, over_damage: bool = False) -> None:
        """Pin the file; StoreError if that cannot be."""
        assert self.pin is not None
        self.pin.write(store.file_id, store.get_contents(), state, over_damage=over_damage)

    def _keep_quietly(self, store: KeyFile, state: State) -> None:
        try:
            self.keep(store, state)
        except StoreError as error:
            if self._is_signed():
                output.note(f"note: what was seen of the file is not kept: {error.message}")

    def _waits(self) -> bool:
        """Whether something is there that the user has yet to accept."""
        return bool(self.findings) and any(finding.code in _until_accepted() for finding in self.findings)

    def _is_signed(self) -> bool:
        return any(map(self._store.is_signed, self._store.get_domain_names()))

    def _noted(self) -> list[Finding]:
        """What deserves a look: keys, owners and policies before values and the log. In a file that nobody has signed
        only what waits to be accepted."""
        if not self.findings:
            return []
        signed, always = self._is_signed(), _until_accepted()
        found = [f for f in self.findings if f.severity.label == "attention" and (signed or f.code in always)]
        return sorted(found, key=lambda finding: finding.where[0] in ("secret", "file"))

    def _tell_attention(self, *, interactive: bool) -> None:
        self._told = True
        noted = self._noted()
        for finding in noted[:_MOST_LINES]:
            output.note(f"note: {'/'.join(finding.where)}: {finding.text}")
            if finding.code in _until_accepted():
                output.note(f"  {finding.hint}")
        if len(noted) > _MOST_LINES:
            more = len(noted) - _MOST_LINES
            output.note(f"note: and {more} more (pprotect trust), told until they are accepted: pprotect trust accept")
        if self.state is None and self._is_signed() and not self.violations and interactive:
            output.note("note: first contact with this file: compare its custodians' fingerprints (pprotect trust)")


def _in_another_s_place() -> Finding:
    from pocket_protector.trust.findings import Finding, Severity

    text = "a file of Pocket Protector's stands where one was that pprotect made"
    hint = "see who put it there (git log -p), and revert that; or --behind, if it is meant to be the older file"
    return Finding(Severity.VIOLATION, "file-replaced", ("file",), text, hint)


def _until_accepted() -> frozenset[str]:
    from pocket_protector.trust.reading import UNTIL_ACCEPTED

    return UNTIL_ACCEPTED
