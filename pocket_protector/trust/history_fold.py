"""Judge a history of a file step by step, each merge from each of its parents (docs/format.md, section 12.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pocket_protector.document.document import Document
from pocket_protector.trust.findings import Finding, Severity
from pocket_protector.trust.judge.authorize import authorize
from pocket_protector.trust.judge.state import State, joined_states


class Fold:
    """Follow the states of a history, from parents to children.

    `steps` names every step to come, with its parents. The fold keeps a state only as long as a child of its step is to
    come, and the last one as `state`. If several branches end without the file, `state` is None and `is_parted` is
    true.
    """

    def __init__(self, steps: Iterable[tuple[str, Sequence[str]]]) -> None:
        self._states: dict[str, tuple[State, ...]] = {}
        self._children = Counter(parent for _, parents in steps for parent in parents)
        self._told: set[tuple[str, tuple[str, ...], str]] = set()
        self.state: State | None = None
        self.is_parted = False

    def step(
        self, name: str, parents: Sequence[str], document: Document | None, *, broken: bool = False
    ) -> list[Finding]:
        """Judge one step, and set `state` to the one after it.

        `document` is None if the file is absent or `broken`.
        """
        known = list({id(state): state for parent in parents for state in self._states.get(parent, ())}.values())
        found: list[Finding] = []
        if document is None:
            # The next step is judged from all the states before this one.
            after = tuple(known)
            if known and not broken:
                found = [Finding(Severity.ATTENTION, "file-removed", ("file",), "the file was removed, or moved away")]
        elif not known:
            found, state = authorize(None, document, follows=True)
            after = (state,)
        else:
            judged = [authorize(state, document, follows=True) for state in known]
            found = judged[0][0] if len(judged) == 1 else self._of_merge([findings for findings, _ in judged])
            after = (joined_states(state for _, state in judged),)
        self.state = after[0] if len(after) == 1 else None
        self.is_parted = len(after) > 1
        self._told.update(map(_identity, found))
        self._keep(name, parents, after)
        return found

    def skip(self, name: str, parents: Sequence[str]) -> None:
        """Skip a step nobody can judge: the known states stay as they were."""
        self.step(name, parents, None, broken=True)

    def _keep(self, name: str, parents: Sequence[str], after: tuple[State, ...]) -> None:
        self._states[name] = after
        for parent in parents:
            self._children[parent] -= 1
            if not self._children[parent]:
                del self._states[parent]

    def _of_merge(self, judged: list[list[Finding]]) -> list[Finding]:
        """Return every violation from every parent.

        Add any other finding if the merge itself caused it and no branch reported it already.
        """
        merged: dict[tuple[str, tuple[str, ...], str], Finding] = {}
        for findings in judged:
            for finding in findings:
                told = _identity(finding) in self._told and finding.severity is not Severity.VIOLATION
                everywhere = all(finding in other for other in judged)
                if not told and (everywhere or finding.severity is not Severity.INFO):
                    merged[_identity(finding)] = finding
        return list(merged.values())


def _identity(finding: Finding) -> tuple[str, tuple[str, ...], str]:
    return finding.code, finding.where, finding.text
