"""The guards of a write: a change is checked by its result, and only a checked change is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pocket_protector.document.statements import Signer
from pocket_protector.errors import AccessError, IntegrityError, StoreError, command
from pocket_protector.user import notices
from pocket_protector.user.judged_file import JudgedFile, judge_as_new, place_and_text
from pocket_protector.user.sealed_changes import departures, sealed_changes

if TYPE_CHECKING:
    from pocket_protector.keyfile.key_file import KeyFile
    from pocket_protector.trust.judge.state import State
    from pocket_protector.user.guarded_key_file import GuardedKeyFile


class CheckedWrite:
    """A change that the guards have accepted. `GuardedKeyFile.check_write` makes it; `write` puts it on disk."""

    __slots__ = ("_changed", "_file")

    def __init__(self, file: GuardedKeyFile, changed: KeyFile) -> None:
        self._file = file
        self._changed = changed

    def write(self) -> GuardedKeyFile:
        """Write the change, and pin the result. Returns the file now on disk. Raises as `KeyFile.write`."""
        file = self._file
        judged = file.judged
        written = self._changed.write()
        if file.is_new or not file.key_file.file_id:
            # This is the first version of a file that this user made, whatever stood at the path earlier.
            new = judge_as_new(written)
            new.pin_written(written, file.tell)
            new.confirm()
        else:
            file.give_pending()
            _pin_written(file, judged, written)
        return type(file)(written, file.options, file.tell)


def check_write(file: GuardedKeyFile, changed: KeyFile, *, removing: str | None) -> CheckedWrite:
    """Return the checked change; raises as `GuardedKeyFile.check_write`."""
    if not changed.is_made_from(file.key_file):
        raise StoreError(
            "the changed file was not made from the guarded one", hint="make every change from its `key_file`"
        )
    before, after = file.key_file.document, changed.document
    if before.file_id != after.file_id and not file.options.behind:
        for finding in file.judged.violations:
            raise IntegrityError(f"nothing was written: {finding.text}", hint=finding.hint)
    for domain, owner in departures(before, after):
        _check_departure(file, domain, owner)
    for change in sealed_changes(before, after):
        if change.is_new_domain:
            file.check_new_domain(change.domain, change.wrapped_for)
        elif change.wraps:
            # A finding goes with an owner only where the owner really goes.
            leaving = removing if removing in change.removed else None
            file.check_wrapping(change.domain, *change.wrapped_for, removing=leaving)
            for owner in change.added:
                file.check_new_owner(owner)
        else:
            file.check_sealing(change.domain)
    return CheckedWrite(file, changed)


def write_joined(file: GuardedKeyFile, joined: KeyFile) -> GuardedKeyFile:
    """Write the join of two branches, in which others may have sealed anything, and pin the result.

    Gives a warning about every domain of the written file that contradicts the pin. Raises as `KeyFile.write`.
    """
    written = joined.write()
    result = type(file)(written, file.options, file.tell)
    result.give_notices(written.get_domain_names(), first_contact=False)
    _pin_written(result, result.judged, written)
    return result


def _check_departure(file: GuardedKeyFile, domain: str, owner: str) -> None:
    """Refuse to remove an owner of a signed domain under the present key, if the pin knows that they counted.

    The document may deny that: whoever edits the file can damage a grant first (docs/format.md, section 12).
    """
    state = file.judged.trusted()
    if state is not None and _counted(state, file.key_file.document.domain(domain).public_key, domain, owner):
        raise AccessError(
            f"{domain!r} is signed, and {owner!r} knows its key: owners leave it only by a rotation",
            hint=f"{command('rm-owner', domain, owner)} -u NAME --passphrase-file PATH",
        )


def _counted(state: State, public_key: bytes, domain: str, owner: str) -> bool:
    known = state.memory.custodians.get(owner, frozenset())
    signers = (Signer(owner, keys.verify_key) for keys in known)
    return any(state.memory.counted(domain, public_key, signer) for signer in signers)


def _pin_written(file: GuardedKeyFile, judged: JudgedFile, written: KeyFile) -> None:
    hint = "you saw another one before; if you threw that away yourself: pprotect trust accept"
    for finding in judged.pin_written(written, file.tell):
        file.tell(notices.warning(place_and_text(finding), hint))
