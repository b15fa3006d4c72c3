"""Describe the step to judge."""

from __future__ import annotations

from dataclasses import dataclass

from pocket_protector.trust.judge.state import State
from pocket_protector.trust.key_history import KeyHistory


@dataclass(frozen=True, slots=True)
class Step:
    """Record a step from one state to another.

    `earlier` and `proofs` are the key histories of the old and the new document. `follows` says whether the new
    document is known to come after the old one, as in git's history. If not, it may be older or from another branch. An
    absent object then does not prove a removal.
    """

    before: State
    after: State
    earlier: KeyHistory
    proofs: KeyHistory
    follows: bool
