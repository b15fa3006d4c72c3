"""A step that is judged."""

from __future__ import annotations

from dataclasses import dataclass

from pocket_protector.document.audit_log import section
from pocket_protector.document.document import LEGACY_FORMAT
from pocket_protector.trust.judge.judge_log import LogStep
from pocket_protector.trust.judge.state import State
from pocket_protector.trust.key_history import KeyHistory


@dataclass(frozen=True, slots=True)
class Step:
    """From one state to another. `earlier` and `proofs` are those of the two documents. `log` is None where the new
    document is known to follow the other one, as in git's history; else it may be older, or another branch's."""

    before: State
    after: State
    earlier: KeyHistory
    proofs: KeyHistory
    log: LogStep | None

    @property
    def is_behind(self) -> bool:
        """Whether the document does not know all that was done before."""
        return self.log is not None and bool(self.log.missed)

    def is_noted(self, *where: str) -> bool:
        """Whether something was done with the object, as far as the log tells; of Pocket Protector's files it does not.
        What is not there without that, is there on another branch."""
        if self.log is None or self.before.document.format == LEGACY_FORMAT:
            return True
        return section(*where) in self.log.told
