"""Who committed each value of a file, as git's history has it."""

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
    """Who committed a value, when, and in which commit (its id, abbreviated)."""

    author: str
    time: str
    commit: str


def blame_secrets(path: str, text: str, domain: str, names: Iterable[str]) -> dict[str, Blame]:
    """For each secret of the file with this text that is so in git's history: the commit that put it there. A rotation,
    which re-seals every value, is none that did. Nothing outside git."""
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
    """The commits that have the file, the last first, with the domain as it was there."""
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
