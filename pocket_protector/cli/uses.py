"""A command's use of the values of a domain: the use from its options, and the progress of fetching references."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from pocket_protector.cli import output
from pocket_protector.cli.parameters import ResolveOptions
from pocket_protector.cli.session import Session
from pocket_protector.keyfile.credentials import PREFIX_VARIABLE
from pocket_protector.user.domain_access import Use

_QUIET_SECONDS = 1.0


def printing(session: Session, using: ResolveOptions, *, reveal: bool) -> Use:
    """Return the use of a command that prints values on stdout."""
    return Use(
        prints=True,
        on_terminal=sys.stdout is not None and sys.stdout.isatty(),
        reveal=reveal,
        require_signed=using.require_signed,
        resolve=not using.no_resolve,
        skip_unresolved=using.skip_unresolved,
        progress=resolving(session),
    )


def for_program(session: Session, using: ResolveOptions) -> Use:
    """Return the use of a command that gives the values to a program."""
    return Use(
        require_signed=using.require_signed,
        resolve=not using.no_resolve,
        skip_unresolved=using.skip_unresolved,
        progress=resolving(session),
    )


def resolving(session: Session) -> Callable[[int, int], None]:
    """Prepare the process for fetching references, and return a function that shows the progress on a terminal."""
    if session.options.env_prefix:
        # No reference may lead to credentials, even if --env-prefix renames their variables.
        os.environ[PREFIX_VARIABLE] = session.options.env_prefix
    begun = time.monotonic()

    def progress(done: int, number: int) -> None:
        if time.monotonic() > begun + _QUIET_SECONDS:
            output.progress(f"fetched {done} of {number} references", last=done == number)

    return progress
