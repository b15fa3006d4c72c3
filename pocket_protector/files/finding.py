"""Where the protected file is, and which git repository a file belongs to. git itself is not asked."""

from __future__ import annotations

import os

from pocket_protector.errors import StoreError
from pocket_protector.files.bounded_read import read_start

FILE_NAME = "protected.yaml"
_LONGEST_PATH = 4096


def discover(directory: str) -> str:
    """The `protected.yaml` of `directory` or of the nearest folder above it, up to the root of the git work tree.

    Outside git, and where there is none, the one in `directory`, there or not.
    """
    here = os.path.abspath(directory)
    folder = here
    candidates = []
    while True:
        candidates.append(os.path.join(folder, FILE_NAME))
        if _is_trusted(os.path.join(folder, ".git")):
            return next(filter(os.path.lexists, candidates), candidates[0])
        parent = os.path.dirname(folder)
        if parent == folder:
            return candidates[0]
        folder = parent


def _is_trusted(path: str) -> bool:
    """Whether something is there that this user or root made. In a folder that others can write to, such as /tmp,
    anybody could put a `.git`, and a protected file of their own beside it (git's safe.directory is for the same)."""
    try:
        return os.lstat(path).st_uid in (os.geteuid(), 0)
    except OSError:
        return False


def place_in_git(path: str) -> tuple[str, str]:
    """The folder that all work trees of the file's git repository share (its common directory), and the path in the
    work tree; outside git "", and the whole path. git itself is not asked: this is on the way of every read."""
    real = os.path.realpath(path)
    folder = os.path.dirname(real)
    while True:
        git = os.path.join(folder, ".git")
        if os.path.lexists(git):
            return _common_folder(git), os.path.relpath(real, folder)
        parent = os.path.dirname(folder)
        if parent == folder:
            return "", real
        folder = parent


def _common_folder(git: str) -> str:
    """What `.git` leads to: itself, or in a further work tree what the files there say (gitrepository-layout(5))."""
    try:
        if os.path.isfile(git):
            line = read_start(git, _LONGEST_PATH).decode(errors="surrogateescape").strip()
            git = os.path.join(os.path.dirname(git), line.removeprefix("gitdir: "))
            common = os.path.join(git, "commondir")
            if os.path.isfile(common):
                git = os.path.join(git, read_start(common, _LONGEST_PATH).decode(errors="surrogateescape").strip())
        return os.path.realpath(git)
    except (OSError, ValueError, StoreError):
        # Not a repository that git would use either: what matters is that the answer stays the same.
        return git
