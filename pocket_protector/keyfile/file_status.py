"""The state of a file in numbers and names: the owners of each domain, and the values that owners have reviewed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pocket_protector.document.policy import Policy
from pocket_protector.keyfile.reading import View


@dataclass(frozen=True, slots=True)
class DomainStatus:
    """One key domain, according to the file alone; names are sorted.

    `signed_by` made the newest statement about the domain's key and policy; None if the domain is not signed. `owners`
    are all custodians in the domain's list; `owners_who_count` are those with a valid grant (docs/format.md, section
    12.1). `reviewed` is the number of values with the signature of an owner who counts; `unreviewed` names the others.
    `references` names the secrets that are references; they count as values here too.
    """

    signed_by: str | None
    owners: tuple[str, ...]
    owners_who_count: tuple[str, ...]
    reviewed: int
    unreviewed: tuple[str, ...]
    references: tuple[str, ...]
    policy: Policy


@dataclass(frozen=True, slots=True)
class FileStatus:
    """A file: its key custodians (sorted), and its domains by name. `user` is the custodian who asked, if known."""

    path: str
    user: str | None
    custodians: tuple[str, ...]
    domains: Mapping[str, DomainStatus]

    def is_owned(self, domain_name: str) -> bool:
        """Return whether `user` is an owner of the domain who counts."""
        return self.user in self.domains[domain_name].owners_who_count


def status_of(key_file: View, user: str | None = None) -> FileStatus:
    """Return the status of a file. This needs no credentials, and decrypts and fetches nothing.

    `user` is the name of a custodian, or None; it need not be in the file. The file vouches for itself here: use
    `verify_history` to find out whether each change was authorized.
    """
    domains = {name: _domain_status(key_file, name) for name in key_file.get_domain_names()}
    return FileStatus(key_file.path, user, tuple(key_file.get_key_custodian_names()), domains)


def _domain_status(key_file: View, name: str) -> DomainStatus:
    authority = key_file.authority(name)
    return DomainStatus(
        signed_by=key_file.get_epoch_maker(name),
        owners=tuple(key_file.get_domain_owner_names(name)),
        owners_who_count=tuple(authority.owners.counting),
        reviewed=authority.reviewed,
        unreviewed=tuple(authority.unreviewed),
        references=tuple(sorted(key_file.get_references(name))),
        policy=key_file.get_policy(name),
    )
