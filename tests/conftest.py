"""Settings of the whole test suite."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# Else gRPC starts its threads anew in a child that is about to become a program, and aborts it as its files are closed.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

settings.register_profile("pprotect", deadline=None, database=None, print_blob=True)
settings.load_profile("pprotect")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of whoever runs the tests do not reach them."""
    for name in [name for name in os.environ if name.startswith("PPROTECT_")]:
        monkeypatch.delenv(name)
