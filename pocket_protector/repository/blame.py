"""Find the commit that each value of a file came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pocket_protector.document.domain import Domain, Secret
from pocket_protector.errors import PocketProtectorError, StoreError
from pocket_protector.format.fields import Memo
from pocket_protector.format.loaded_file import MAX_FILE_BYTES, load_text
from pocket_protector.repository.judged_history import load_version
from pocket_protector.repository.log import Commit, blobs, check_complete, commits, parse_revision

_SHORT_ID = 12


@dataclass(frozen=True, slots=True)
class Blame:
    """The commit that a value came from: its author, its time in UTC, and the first 12 digits of its id."""

    author: str
    time: str
    commit: str


def blame_secrets(path: str, text: str, domain: str, names: Iterable[str]) -> dict[str, Blame]:
    """Return secret name → the commit that set its present value, for the file at `path` with this text.

    A rotation re-seals each value, and does not count as setting it. Values that are not committed are left out, and
    all are left out where git does not have the file's whole history.
    """
    document = load_text(text).document
    try:
        check_complete(path)
        listed = commits(path, [parse_revision(path, "HEAD")])
    except StoreError:
        return {}
    newer = {name: (document.domain(domain).key, document.secret(domain, name)) for name in names}
    found: dict[str, Blame] = {}
    for commit, held in _newest_first(path, listed, domain):
        newer = {
            name: (held.key, held.secrets[name])
            for name, (key, secret) in newer.items()
            if held is not None and name in held.secrets and _same(held.secrets[name], secret, rotated=held.key != key)
        }
        if not newer:
            break
        found |= dict.fromkeys(newer, Blame(commit.author, commit.time, commit.id[:_SHORT_ID]))
    return found


def _same(older: Secret, newer: Secret, *, rotated: bool) -> bool:
    if older.sensitivity is not newer.sensitivity:
        return False
    return older.version == newer.version or (rotated and older.updated == newer.updated)


def _newest_first(path: str, listed: list[Commit], domain: str) -> Iterator[tuple[Commit, Domain | None]]:
    """Yield the commits of the file, newest first, each with the domain as of then."""
    ids = [commit.blob for commit in reversed(listed) if commit.blob]
    contents = blobs(path, ids, MAX_FILE_BYTES)
    memo: Memo = {}
    known: dict[str, Domain | None] = {}
    for commit in reversed(listed):
        if commit.blob and commit.blob not in known:
            version = load_version(next(contents)[1], memo)
            known[commit.blob] = (
                None if isinstance(version, PocketProtectorError) else version.document.domains.get(domain)
            )
        yield commit, known[commit.blob] if commit.blob else None
