"""Running git: for a short answer, or for as long as it has something to say."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pocket_protector.errors import StoreError

_SECONDS = 30
_NONE: Mapping[str, str] = {}


def output(folder: str, *arguments: str, variables: Mapping[str, str] = _NONE) -> bytes:
    """What git answers; StoreError with git's reason if it fails. `variables` are added to the environment."""
    done = finished(folder, *arguments, variables=variables)
    if done.returncode:
        raise _failure(arguments, done.stderr)
    return done.stdout


def finished(folder: str, *arguments: str, variables: Mapping[str, str] = _NONE) -> subprocess.CompletedProcess[bytes]:
    """git after it has run, in whatever way it ended."""
    try:
        return subprocess.run(  # noqa: S603 (no shell; the arguments are ours)
            _words(arguments),
            cwd=folder,
            env=_environment(variables),
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_SECONDS,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise _cannot_run(error) from None


@contextmanager
def running(
    folder: str, *arguments: str, talks: bool = False, variables: Mapping[str, str] = _NONE
) -> Iterator[subprocess.Popen[bytes]]:
    """git while it runs, without a limit of time; with `talks` it has a pipe to read from.

    Whoever is done with it early, by an error too, leaves no process behind. StoreError if git itself fails.
    """
    # A pipe for the complaints would have to be emptied while the other pipes are in use.
    with tempfile.TemporaryFile() as complaints:
        try:
            process = subprocess.Popen(  # noqa: S603 (no shell; the arguments are ours)
                _words(arguments),
                cwd=folder,
                env=_environment(variables),
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


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    # Programs that the repository's configuration names are not for our credentials.
    return {name: value for name, value in os.environ.items() if "PASSPHRASE" not in name} | dict(variables)


def _cannot_run(error: Exception) -> StoreError:
    return StoreError(f"cannot run git: {type(error).__name__}", hint="is git installed?")


def _failure(arguments: tuple[str, ...], complaints: bytes) -> StoreError:
    return StoreError(f"git {arguments[0]} failed: {reason(complaints)}")
