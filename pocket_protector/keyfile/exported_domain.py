"""Entries of a domain, decrypted, for an export format or a sealed package."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pocket_protector.crypto.identity import Identity
from pocket_protector.document.exported import ExportedDomain, ExportedEntry
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import PPKeyError
from pocket_protector.keyfile.credentials import Creds
from pocket_protector.keyfile.reading import View


def exported_domain(
    key_file: View, domain_name: str, creds: Creds | Identity, names: Iterable[str] | None = None, *, resolve: bool
) -> ExportedDomain:
    """Decrypt a domain's secrets, or only the named ones, for `export_as` or `seal_package`.

    With `resolve` the values of references are fetched, as export formats need. Without it references stay references,
    as sealed packages need.

    Raises PPKeyError for an unknown domain or secret, AccessError unless the custodian is an owner, PolicyError if the
    domain's policy refuses, and ProviderError if a reference cannot be resolved.
    """
    chosen = sorted({*names}) if names is not None else key_file.get_domain_secret_names(domain_name)
    check_names(key_file, domain_name, chosen)
    values = key_file.decrypt_domain(domain_name, creds, resolve=False)
    references = key_file.get_references(domain_name)
    contents: dict[str, bytes | Reference] = {name: value.encode() for name, value in values.items()}
    contents |= references
    wanted = [(domain_name, name) for name in chosen if name in references]
    if resolve and wanted:
        resolved = key_file.resolve(wanted)
        resolved.require_all()
        contents |= {name: value for (_, name), value in resolved.values.items()}
    return with_contents(key_file, domain_name, {name: contents[name] for name in chosen})


def with_contents(
    key_file: View,
    domain_name: str,
    contents: Mapping[str, bytes | Reference],
    least: Mapping[str, Sensitivity] | None = None,
) -> ExportedDomain:
    """Return the domain with these contents by name.

    Each entry is as sensitive as the file says, and at least as sensitive as `least` says.
    """
    entries = []
    for name in sorted(contents):
        level = key_file.get_secret_sensitivity(domain_name, name)
        entries.append(ExportedEntry(name, contents[name], max(level, (least or {}).get(name, level))))
    production = key_file.get_policy(domain_name).production
    return ExportedDomain(key_file.file_id, domain_name, production, tuple(entries))


def check_names(key_file: View, domain_name: str, names: Iterable[str]) -> None:
    """Check that the domain has these secrets.

    Raises PPKeyError for the first missing secret; the error names the known ones.
    """
    known = key_file.get_domain_secret_names(domain_name)
    for name in names:
        if name not in known:
            raise PPKeyError(f"secret in {domain_name!r}", name, known)
