"""Pocket Protector: a team's secrets, encrypted in one YAML file, in git, beside the code.

>>> from pocket_protector import Creds, KeyFile
>>> secrets = KeyFile.from_file("protected.yaml").decrypt_domain("prod", Creds.from_env())  # doctest: +SKIP

docs/library.md describes each name. The first use of a name imports its module (PEP 562), so that a program waits for
the modules that it uses and no others.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pocket_protector.crypto.identity import Identity
    from pocket_protector.crypto.kdf import KDF_INTERACTIVE, KDF_SENSITIVE
    from pocket_protector.document.decrypted import DecryptedDomain
    from pocket_protector.document.exported import ExportedDomain, ExportedEntry
    from pocket_protector.document.policy import Policy
    from pocket_protector.document.reference import Reference
    from pocket_protector.document.sensitivity import Sensitivity
    from pocket_protector.errors import (
        AccessError,
        Fault,
        FormatError,
        IntegrityError,
        MergeConflictError,
        NameFormatError,
        PassphraseError,
        PocketProtectorError,
        PolicyError,
        PPError,
        PPKeyError,
        ProviderError,
        StoreError,
        UnknownCustodianError,
    )
    from pocket_protector.keyfile.credentials import Creds
    from pocket_protector.keyfile.exported_domain import exported_domain
    from pocket_protector.keyfile.file_status import DomainStatus, FileStatus, status_of
    from pocket_protector.keyfile.key_file import KeyFile
    from pocket_protector.packages.header import Gate
    from pocket_protector.packages.keys.private_key import parse_identity
    from pocket_protector.packages.keys.public_key import PublicKey, Recipient, parse_recipient
    from pocket_protector.packages.package_opening import OpenedPackage
    from pocket_protector.packages.package_sealing import PackageRequest, seal_package
    from pocket_protector.packages.token import Token
    from pocket_protector.plugins.registry import export_as, export_formats
    from pocket_protector.repository.verification import DomainCounts, Report, ReportStep, verify_history
    from pocket_protector.trust.findings import Finding, Severity
    from pocket_protector.user.domain_access import DomainAccess, OpenedDomain, Use
    from pocket_protector.user.guarded_key_file import GuardedKeyFile, GuardOptions
    from pocket_protector.user.notices import Level, Notice
    from pocket_protector.user.received_package import open_package

__all__ = [
    "KDF_INTERACTIVE",
    "KDF_SENSITIVE",
    "AccessError",
    "Creds",
    "DecryptedDomain",
    "DomainAccess",
    "DomainCounts",
    "DomainStatus",
    "ExportedDomain",
    "ExportedEntry",
    "Fault",
    "FileStatus",
    "Finding",
    "FormatError",
    "Gate",
    "GuardOptions",
    "GuardedKeyFile",
    "Identity",
    "IntegrityError",
    "KeyFile",
    "Level",
    "MergeConflictError",
    "NameFormatError",
    "Notice",
    "OpenedDomain",
    "OpenedPackage",
    "PPError",
    "PPKeyError",
    "PackageRequest",
    "PassphraseError",
    "PocketProtectorError",
    "Policy",
    "PolicyError",
    "ProviderError",
    "PublicKey",
    "Recipient",
    "Reference",
    "Report",
    "ReportStep",
    "Sensitivity",
    "Severity",
    "StoreError",
    "Token",
    "UnknownCustodianError",
    "Use",
    "__version__",
    "export_as",
    "export_formats",
    "exported_domain",
    "open_package",
    "parse_identity",
    "parse_recipient",
    "seal_package",
    "status_of",
    "verify_history",
]

__version__ = "26.11.0"

_HOMES = {
    "KDF_INTERACTIVE": "crypto.kdf",
    "KDF_SENSITIVE": "crypto.kdf",
    "AccessError": "errors",
    "Creds": "keyfile.credentials",
    "DecryptedDomain": "document.decrypted",
    "DomainCounts": "repository.verification",
    "DomainStatus": "keyfile.file_status",
    "ExportedDomain": "document.exported",
    "ExportedEntry": "document.exported",
    "Fault": "errors",
    "FileStatus": "keyfile.file_status",
    "Finding": "trust.findings",
    "FormatError": "errors",
    "Gate": "packages.header",
    "Identity": "crypto.identity",
    "IntegrityError": "errors",
    "KeyFile": "keyfile.key_file",
    "MergeConflictError": "errors",
    "NameFormatError": "errors",
    "OpenedPackage": "packages.package_opening",
    "PPError": "errors",
    "PPKeyError": "errors",
    "PackageRequest": "packages.package_sealing",
    "PassphraseError": "errors",
    "PocketProtectorError": "errors",
    "Policy": "document.policy",
    "PolicyError": "errors",
    "ProviderError": "errors",
    "PublicKey": "packages.keys.public_key",
    "Recipient": "packages.keys.public_key",
    "Reference": "document.reference",
    "Report": "repository.verification",
    "ReportStep": "repository.verification",
    "Sensitivity": "document.sensitivity",
    "Severity": "trust.findings",
    "StoreError": "errors",
    "Token": "packages.token",
    "UnknownCustodianError": "errors",
    "export_as": "plugins.registry",
    "export_formats": "plugins.registry",
    "exported_domain": "keyfile.exported_domain",
    "open_package": "user.received_package",
    "parse_identity": "packages.keys.private_key",
    "parse_recipient": "packages.keys.public_key",
    "seal_package": "packages.package_sealing",
    "status_of": "keyfile.file_status",
    "verify_history": "repository.verification",
    "DomainAccess": "user.domain_access",
    "OpenedDomain": "user.domain_access",
    "Use": "user.domain_access",
    "GuardedKeyFile": "user.guarded_key_file",
    "GuardOptions": "user.guarded_key_file",
    "Level": "user.notices",
    "Notice": "user.notices",
}
"""Public name → the module that has it."""

if not TYPE_CHECKING:  # type checkers would take every name for one of this module

    def __getattr__(name: str) -> object:
        """Import the module of a public name, and keep the name here."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """Return the names of this module, with the public names that are not imported yet."""
    return sorted({*globals(), *__all__})
