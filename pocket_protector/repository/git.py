"""Running git: for a short answer, or for as long as it has something to say."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from pocket_protector.errors import StoreError

_SECONDS = 30

# Whoever can write refs must not be able to hide a commit or what it changed, nor may a graft. The rest is for answers
# that can be read: `:(top,literal)` is taken for what it is, and complaints are in English.
_VARIABLES = {
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_LITERAL_PATHSPECS": "0",
    "LC_ALL": "C",
}


def output(folder: str, *arguments: str) -> bytes:
    """What git answers; StoreError with git's reason if it fails."""
    done = finished(folder, *arguments)
    if done.returncode:
        raise _failure(arguments, done.stderr)
    return done.stdout


def finished(folder: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """git after it has run, in whatever way it ended."""
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
    """git while it runs, without a limit of time; with `talks` it has a pipe to read from.

    Whoever is done with it early, by an error too, leaves no process behind. StoreError if git itself fails.
    """
    # A pipe for the complaints would have to be emptied while the other pipes are in use.
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
    """What made git end, of what it wrote to its standard error: warnings and advice may come before."""
    lines = complaints.decode(errors="replace").strip().splitlines()
    return next((line for line in lines if line.startswith("fatal: ")), "".join(lines[:1]))


def _words(arguments: tuple[str, ...]) -> list[str]:
    # git is found as the user's shell finds it.
    return ["git", "-c", "core.fsmonitor=false", *arguments]


def _environment() -> dict[str, str]:
    # Programs that the repository's configuration names are not for our credentials.
    return {name: value for name, value in os.environ.items() if "PASSPHRASE" not in name} | _VARIABLES


def _cannot_run(error: Exception) -> StoreError:
    return StoreError(f"cannot run git: {type(error).__name__}", hint="is git installed?")


def _failure(arguments: tuple[str, ...], complaints: bytes) -> StoreError:
    return StoreError(f"git {arguments[0]} failed: {reason(complaints)}")
