"""A step that is judged."""

from __future__ import annotations

from dataclasses import dataclass

from pocket_protector.trust.judge.state import State
from pocket_protector.trust.key_history import KeyHistory


@dataclass(frozen=True, slots=True)
class Step:
    """From one state to another. `earlier` and `proofs` are those of the two documents.

    `follows` says that the new document is known to come after the other one, as in git's history. Else it may be
    older, or another branch's: what it does not have was not taken out as far as anybody can tell.
    """

    before: State
    after: State
    earlier: KeyHistory
    proofs: KeyHistory
    follows: bool
