"""What a policy demands, asked of a domain at some time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from samples import ALICE, BOB, KeyFile

from pocket_protector.document.policy import Policy
from pocket_protector.document.times import format_time
from pocket_protector.trust.judge.state import authority_of
from pocket_protector.trust.policy_checks import judge_policy

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def domain_of(policy: Policy, **ages: timedelta) -> tuple[KeyFile, set[str]]:
    """A domain with values of these ages, and what is found of it."""
    file = KeyFile.create("protected.yaml").add_raw_key_custodian(ALICE).add_raw_key_custodian(BOB)
    file = file.add_domain("dev", ALICE.name, creds=ALICE).add_owner("dev", BOB.name, ALICE)
    for name in ages:
        file = file.add_secret("dev", name, "value")
    file = file.set_policy("dev", policy, ALICE)
    domain = file.document.domains["dev"]
    secrets = {name: replace(s, updated=format_time(NOW - ages[name])) for name, s in domain.secrets.items()}
    found = judge_policy(replace(domain, secrets=secrets), file.authority("dev"), NOW)
    assert all(finding.is_violation and finding.where == ("domain", "dev") for finding in found)
    return file, {finding.text for finding in found}


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(0), None),
        (timedelta(days=30), None),
        (timedelta(days=30, seconds=1), "values that are older than 30 days: a"),
        (timedelta(hours=-23), None),
        (timedelta(days=-1, seconds=-1), "values whose time is yet to come, so that they would never be too old: a"),
        (timedelta(days=-20000), "values whose time is yet to come, so that they would never be too old: a"),
    ],
)
def test_max_age(age: timedelta, said: str | None) -> None:
    assert domain_of(Policy(max_age=30), a=age, b=timedelta(days=1))[1] == ({said} if said else set())


def test_min_owners() -> None:
    file, found = domain_of(Policy(min_owners=2))
    assert found == set()
    domain = file.document.domains["dev"]
    alone = replace(domain, owners={ALICE.name: domain.owners[ALICE.name]})
    (finding,) = judge_policy(alone, authority_of(file.document.with_domain(alone), "dev"), NOW)
    assert finding.text == "the policy demands 2 owners, and so many count: 1"


def test_require_signed() -> None:
    assert domain_of(Policy(require_signed=True), a=timedelta(0))[1] == {"values that no owner vouches for: a"}
