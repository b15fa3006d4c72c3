"""Judge a file as it is now, regardless of its history."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pocket_protector.trust.anchors import is_anchored
from pocket_protector.trust.findings import Finding, Severity
from pocket_protector.trust.judge.state import State
from pocket_protector.trust.policy_checks import judge_policy, judge_production


def current_findings(state: State, anchors: Mapping[str, str] | None, now: datetime) -> list[Finding]:
    """Return a violation for each unmet demand of the domains' policies.

    With anchors, add one for each domain that does not lead back to an anchor. An unsigned domain leads nowhere.
    """
    found = []
    for name, domain in sorted(state.document.domains.items()):
        if anchors is not None and not is_anchored(state.document, domain, anchors):
            text = f"its key and owners do not lead back to {' or '.join(sorted(anchors))}"
            hint = "pprotect trust names who signed it last; after a rekey the fingerprint of before is the right one"
            found.append(Finding(Severity.VIOLATION, "untrusted", ("domain", name), text, hint))
        found.extend(judge_policy(domain, state.authorities[name], now))
        found.extend(judge_production(domain, state.authorities[name]))
    return found
