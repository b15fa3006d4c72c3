"""Upgrade from Pocket Protector's own format to format 1. This needs no credentials."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from pocket_protector.document.audit_log import FILE, LEGACY
from pocket_protector.document.document import FILE_ID_BYTES, FORMAT, LEGACY_FORMAT, Document
from pocket_protector.document.domain import Domain
from pocket_protector.document.names import EXTENSION_PREFIX
from pocket_protector.document.times import format_time, parse_time
from pocket_protector.errors import FormatError, StoreError


def upgrade(document: Document, now: datetime) -> Document:
    """Return the document in format 1, with the same custodians, domains, values, grants and log.

    Values and grants stay unbound. An entry's time is its last time in the old log, else `now`. Raises StoreError if
    the file has format 1 already, or an object that format 1 cannot hold.
    """
    if document.format != LEGACY_FORMAT:
        raise StoreError(f"the file is of format {document.format} already")
    taken = [name for name in document.domains if name.startswith(EXTENSION_PREFIX)]
    if taken:
        raise StoreError(
            f"format 1 cannot hold a key domain {taken[0]!r}: format 1 reserves such keys at the top for extensions",
            hint="move its secrets to a domain of another name with Pocket Protector, then upgrade",
        )
    deserted = [name for name, domain in document.domains.items() if not domain.owners]
    if deserted:
        raise StoreError(
            f"key domain {deserted[0]!r} has no owner: nobody can read it", hint="remove it from the file, then upgrade"
        )
    times = _last_times(document.log.lists.get(LEGACY, ()))
    upgraded = replace(
        document,
        format=FORMAT,
        file_id=os.urandom(FILE_ID_BYTES),
        domains={name: _timed(domain, times, format_time(now)) for name, domain in document.domains.items()},
    )
    return upgraded.log_entry(FILE, now, "upgraded from the format of Pocket Protector")


def _timed(domain: Domain, times: Mapping[str, str], now: str) -> Domain:
    secrets = {}
    for name, secret in domain.secrets.items():
        texts = [f"{verb} secret {name} in {domain.name}" for verb in ("added", "updated", "set")]
        secrets[name] = replace(secret, updated=max(times.get(text, "") for text in texts) or now)
    owners = {}
    for name, grant in domain.owners.items():
        created = times.get(f"created domain {domain.name} with owner {name}", "")
        added = times.get(f"added owner {name} to {domain.name}", "")
        owners[name] = replace(grant, granted=max(created, added) or now)
    return replace(domain, secrets=secrets, owners=owners)


def _last_times(entries: tuple[str, ...]) -> dict[str, str]:
    """Return text → latest time. The text `X added owner Y to D` is indexed without its X."""
    times: dict[str, str] = {}
    for entry in entries:
        time, _, text = entry.partition(" -- ")
        try:
            parse_time(time)
        except FormatError:
            continue
        _, found, rest = text.partition(" added owner ")
        key = f"added owner {rest}" if found else text
        times[key] = max(time, times.get(key, ""))
    return times
