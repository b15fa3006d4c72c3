"""A team's file to try the command on."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest
from people import Person, founder, signed_file
from shell import ALICE, BOB, CAROL, DEV, PROD, Shell, as_variables, make_shell


@pytest.fixture
def empty(tmp_path: Path) -> Shell:
    """A work tree without a file."""
    return make_shell(tmp_path)


@pytest.fixture(scope="session")
def made_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of three custodians with raw keys: dev is Alice's and Bob's, prod Bob's, Carol owns nothing."""
    shell = make_shell(tmp_path_factory.mktemp("made"))
    shell.done("init", "--key-type", "raw", *shell.as_(ALICE))
    for name in (BOB, CAROL):
        shell.done("add-key-custodian", name, "--key-type", "raw", "--new-passphrase-file", shell.key_file(name))
    shell.done("add-domain", "dev", *shell.as_(ALICE))
    shell.done("add-domain", "prod", *shell.as_(BOB))
    shell.done("add-owner", "dev", BOB, *shell.as_(ALICE))
    for domain, values in (("dev", DEV), ("prod", PROD)):
        for name, value in values.items():
            shell.done("add-secret", domain, name, stdin=value + "\n")
    return shell.file


@pytest.fixture
def team(tmp_path: Path, made_file: Path) -> Shell:
    """A work tree with the team's file."""
    shell = make_shell(tmp_path)
    shutil.copy(made_file, shell.file)
    return shell


@pytest.fixture
def alice(team: Shell) -> Shell:
    """The same, with Alice's credentials in the environment."""
    team.variables |= as_variables(ALICE)
    return team


@pytest.fixture(autouse=True)
def _default_signals() -> None:
    """Children start with the signals that a shell gives them, whatever started the tests."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def someone(tmp_path: Path) -> Person:
    """Alice with a repository that has a signed file; she has seen nothing of it yet."""
    return founder(tmp_path, signed_file())


@pytest.fixture
def pinned(someone: Person) -> Person:
    """The same, after she has looked at it."""
    someone.done("trust", "accept", "--yes")
    return someone
