"""Settings of the whole test suite."""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("pprotect", deadline=None, database=None, print_blob=True)
settings.load_profile("pprotect")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of whoever runs the tests do not reach them."""
    import os

    for name in [name for name in os.environ if name.startswith("PPROTECT_")]:
        monkeypatch.delenv(name)
