"""A whole protected file as one frozen object, and how names are looked up in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from pocket_protector.document.audit_log import FILE, AuditLog
from pocket_protector.document.custodian import AnyCustodian
from pocket_protector.document.domain import Domain, Secret
from pocket_protector.document.times import format_time
from pocket_protector.errors import PPKeyError, StoreError, UnknownCustodianError

FILE_ID_BYTES = 16
LEGACY_FORMAT = 0
FORMAT = 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Document:
    """`format` is 1, or 0 for a file of Pocket Protector's; `file_id` has 16 random bytes, or none in format 0."""

    format: int
    file_id: bytes
    domains: Mapping[str, Domain] = field(default_factory=dict)
    custodians: Mapping[str, AnyCustodian] = field(default_factory=dict)
    log: AuditLog = field(default_factory=AuditLog)

    @classmethod
    def create(cls, now: datetime) -> Document:
        """Make an empty document with a random file id."""
        return cls(FORMAT, os.urandom(FILE_ID_BYTES), log=AuditLog().add(FILE, format_time(now), "created"))

    def domain(self, name: str) -> Domain:
        """Return a domain; PPKeyError if there is none of this name."""
        found = self.domains.get(name)
        if found is None:
            raise PPKeyError("key domain", name, self.domains)
        return found

    def custodian(self, name: str) -> AnyCustodian:
        """Return a custodian; PPKeyError if there is none of this name."""
        found = self.custodians.get(name)
        if found is None:
            raise PPKeyError("key custodian", name, self.custodians)
        return found

    def custodian_of_credentials(self, name: str) -> AnyCustodian:
        """Return a custodian as `custodian` does; UnknownCustodianError if there is none of this name."""
        found = self.custodians.get(name)
        if found is None:
            raise UnknownCustodianError("key custodian", name, self.custodians)
        return found

    def secret(self, domain: str, name: str) -> Secret:
        """Return a secret; PPKeyError if the domain, or the secret in it, does not exist."""
        found = self.domain(domain).secrets.get(name)
        if found is None:
            raise PPKeyError(f"secret in {domain!r}", name, self.domain(domain).secrets)
        return found

    def owned_by(self, custodian: str) -> list[str]:
        """Return the names of the domains that list the custodian as an owner."""
        return [name for name, domain in self.domains.items() if custodian in domain.owners]

    def log_entry(self, where: str, now: datetime, text: str) -> Document:
        """Add an entry to a section of the audit log."""
        return replace(self, log=self.log.add(where, format_time(now), text))

    def with_domain(self, domain: Domain) -> Document:
        """Add the domain, or replace the one of its name."""
        return replace(self, domains={**self.domains, domain.name: domain})

    def with_custodian(self, custodian: AnyCustodian) -> Document:
        """Add the custodian, or replace the one of its name."""
        return replace(self, custodians={**self.custodians, custodian.name: custodian})

    def changeable(self) -> Document:
        """Return this document; StoreError for a legacy one, which only `upgrade` rewrites."""
        if self.format == LEGACY_FORMAT:
            raise StoreError(
                "this file is of Pocket Protector's own format, which is read but not written", hint="pprotect upgrade"
            )
        return self


def truncate_audit_log(document: Document, keep: int, now: datetime) -> Document:
    """Keep the newest `keep` entries of the audit log."""
    return replace(document, log=document.changeable().log.truncate(keep, format_time(now)))


def without(mapping: Mapping[str, T], name: str) -> dict[str, T]:
    """Return a copy of the mapping without one name."""
    return {key: value for key, value in mapping.items() if key != name}
