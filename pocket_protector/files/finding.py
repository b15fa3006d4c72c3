"""Find the protected file, and the git repository of a file, without calling git."""

from __future__ import annotations

import os

from pocket_protector.errors import StoreError
from pocket_protector.files.bounded_read import read_start

FILE_NAME = "protected.yaml"
_LONGEST_PATH = 4096


def discover(directory: str) -> str:
    """Return the path of the nearest `protected.yaml`, from `directory` up to the root of the git work tree.

    Outside git, and if no folder has one, the result is the path in `directory`, where the file need not exist.
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
    """Return whether `path` exists and belongs to this user or root.

    In a folder that others can write to, such as /tmp, anybody could create a `.git` and a protected file of their
    own beside it. git's safe.directory guards against the same attack.
    """
    try:
        return os.lstat(path).st_uid in (os.geteuid(), 0)
    except OSError:
        return False


def place_in_git(path: str) -> tuple[str, str]:
    """Return the common directory of the file's git repository, and the file's path in the work tree.

    All work trees of a repository share the common directory. Outside git the result is "" and the absolute path.
    Every read comes through here, so git itself is not called.
    """
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
    """Return the common directory for a `.git`: itself, or for a linked work tree the one that its `gitdir` and
    `commondir` files name (gitrepository-layout(5))."""
    try:
        if os.path.isfile(git):
            line = read_start(git, _LONGEST_PATH).decode(errors="surrogateescape").strip()
            git = os.path.join(os.path.dirname(git), line.removeprefix("gitdir: "))
            common = os.path.join(git, "commondir")
            if os.path.isfile(common):
                git = os.path.join(git, read_start(common, _LONGEST_PATH).decode(errors="surrogateescape").strip())
        return os.path.realpath(git)
    except (OSError, ValueError, StoreError):
        # git would not use this repository either. It is enough that the answer is the same every time.
        return git
