"""Read the three versions of a file that git could not merge."""

from __future__ import annotations

import os

from pocket_protector.errors import StoreError
from pocket_protector.repository.git import output


def conflict_stages(path: str, most: int) -> tuple[bytes, bytes, bytes]:
    """Return the file's base, ours and theirs from git's index (gitrevisions(7), `:<n>:<path>`).

    Raise StoreError if git is missing, the file has no conflict or no base (both branches made it, or one removed it),
    or a version has more than `most` bytes.
    """
    folder, name = os.path.split(os.path.realpath(path))
    unmerged = output(folder, "ls-files", "-u", "-z", "--", f":(literal){name}")
    if not unmerged:
        raise StoreError(f"git has no merge conflict in {path}", hint="git status shows where one is")
    numbers = [entry.split(b"\t")[0].split(b" ")[-1] for entry in unmerged.split(b"\0") if entry]
    if numbers != [b"1", b"2", b"3"]:
        raise StoreError(
            f"the two branches have no common version of {path}: one of them made or removed it",
            hint="keep one side: git checkout --ours, or --theirs",
        )
    versions = tuple(output(folder, "cat-file", "blob", f":{stage}:./{name}") for stage in (1, 2, 3))
    if max(map(len, versions)) > most:
        raise StoreError(f"a version of {path} has more than {most} bytes")
    return versions[0], versions[1], versions[2]


def check_untouched(conflicted: bytes, stages: tuple[bytes, bytes, bytes]) -> None:
    """Check that `conflicted` is what git left of a merge of `stages`. Raise StoreError if not, since somebody's edits
    would be lost."""
    markers = (b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>")
    lines = {line for line in conflicted.splitlines() if not line.startswith(markers)}
    base, ours, theirs = (set(stage.splitlines()) for stage in stages)
    if lines - base - ours - theirs or (ours & theirs) - lines:
        raise StoreError(
            "the file was edited since git stopped at it",
            hint="finish it by hand and git add it; or git checkout -m brings the conflict back, without the edits",
        )
