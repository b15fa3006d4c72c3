"""Run git, for a short answer or as a stream."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from pocket_protector.errors import StoreError

_SECONDS = 30

# Replace refs and grafts can hide a commit or its changes, so git ignores them. The other variables make git's answers
# readable: it takes `:(top,literal)` as pathspec magic, and writes errors in English.
_VARIABLES = {
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_LITERAL_PATHSPECS": "0",
    "LC_ALL": "C",
}


def output(folder: str, *arguments: str) -> bytes:
    """Run git and return its standard output. Raise StoreError with git's reason if it fails."""
    done = finished(folder, *arguments)
    if done.returncode:
        raise _failure(arguments, done.stderr)
    return done.stdout


def finished(folder: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run git to its end, and return the result, whatever its exit status. Raise StoreError if git cannot run, or takes
    more than 30 seconds."""
    try:
        return subprocess.run(  # noqa: S603 (no shell; the arguments are ours)
            _words(arguments),
            cwd=folder,
            env=_environment(),
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_SECONDS,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise _cannot_run(error) from None


@contextmanager
def running(folder: str, *arguments: str, talks: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    """Run git while the context lasts, with no time limit; with `talks`, git's standard input is a pipe.

    The process is gone when the context ends, early or by an error too. Raise StoreError if git itself fails.
    """
    # A pipe for standard error could fill up while the other pipes are in use; a file cannot.
    with tempfile.TemporaryFile() as complaints:
        try:
            process = subprocess.Popen(  # noqa: S603 (no shell; the arguments are ours)
                _words(arguments),
                cwd=folder,
                env=_environment(),
                stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
            )
        except (OSError, ValueError) as error:
            raise _cannot_run(error) from None
        with process:
            yield process
        if process.returncode:
            complaints.seek(0)
            raise _failure(arguments, complaints.read())


def reason(complaints: bytes) -> str:
    """Return the line of git's standard error that says why it ended; warnings and advice may stand before it."""
    lines = complaints.decode(errors="replace").strip().splitlines()
    return next((line for line in lines if line.startswith("fatal: ")), "".join(lines[:1]))


def _words(arguments: tuple[str, ...]) -> list[str]:
    # Find git on PATH, as the user's shell does.
    return ["git", "-c", "core.fsmonitor=false", *arguments]


def _environment() -> dict[str, str]:
    # The repository's configuration can name programs that git runs; they must not see our credentials.
    return {name: value for name, value in os.environ.items() if "PASSPHRASE" not in name} | _VARIABLES


def _cannot_run(error: Exception) -> StoreError:
    return StoreError(f"cannot run git: {type(error).__name__}", hint="is git installed?")


def _failure(arguments: tuple[str, ...], complaints: bytes) -> StoreError:
    return StoreError(f"git {arguments[0]} failed: {reason(complaints)}")
