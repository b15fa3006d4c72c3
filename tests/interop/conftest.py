"""Fixtures: the installed versions of Pocket Protector."""

from __future__ import annotations

import pytest
from upstream import NEW, OLD, VERSIONS, Upstream, installed


@pytest.fixture(scope="session")
def old() -> Upstream:
    return installed(OLD)


@pytest.fixture(scope="session")
def new() -> Upstream:
    return installed(NEW)


@pytest.fixture(scope="session", params=VERSIONS)
def either(request: pytest.FixtureRequest) -> Upstream:
    """Each of the versions in turn."""
    return installed(request.param)
