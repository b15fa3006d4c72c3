"""Find the parts of a change that seal, sign or wrap something, for the guards of a write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pocket_protector.document.document import Document
from pocket_protector.document.domain import Domain, Secret


@dataclass(frozen=True, slots=True)
class SealedChange:
    """One domain of a changed document in which something was sealed, signed or wrapped.

    `wraps` is set if the domain's key was wrapped for somebody or its epoch was signed. `wrapped_for` names the
    custodians, `added` those of them who were not owners before, and `removed` the owners who are gone.
    """

    domain: str
    is_new_domain: bool = False
    wraps: bool = False
    wrapped_for: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def sealed_changes(before: Document, after: Document) -> Iterator[SealedChange]:
    """Yield each domain to which `after` seals, signs or wraps something new since `before`."""
    for name, new in sorted(after.domains.items()):
        old = before.domains.get(name)
        if old is None:
            yield SealedChange(name, is_new_domain=True, wraps=True, wrapped_for=tuple(new.owners))
        elif old is not new:
            yield from _of_domain(old, new)


def departures(before: Document, after: Document) -> Iterator[tuple[str, str]]:
    """Yield domain and owner for each owner who leaves a signed domain under the key that it keeps."""
    for name, old in sorted(before.domains.items()):
        new = after.domains.get(name)
        if new is not None and old.as_signed() is not None and new.key == old.key:
            yield from ((name, owner) for owner in old.owners if owner not in new.owners)


def _of_domain(old: Domain, new: Domain) -> Iterator[SealedChange]:
    wrapped = tuple(
        owner
        for owner, grant in new.owners.items()
        if owner not in old.owners or old.owners[owner].wrapped_key != grant.wrapped_key
    )
    if wrapped or old.key != new.key or old.epoch != new.epoch:
        added = tuple(owner for owner in wrapped if owner not in old.owners)
        removed = tuple(owner for owner in old.owners if owner not in new.owners)
        yield SealedChange(new.name, wraps=True, wrapped_for=wrapped, added=added, removed=removed)
        return
    if any(_is_sealed_anew(old.secrets.get(name), secret) for name, secret in new.secrets.items()):
        yield SealedChange(new.name)


def _is_sealed_anew(old: Secret | None, new: Secret) -> bool:
    return old is None or (old.version, old.signed, old.sensitivity) != (new.version, new.signed, new.sensitivity)
