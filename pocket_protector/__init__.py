"""Pocket Protector: a team's secrets, encrypted in one YAML file, in git, beside the code.

>>> from pocket_protector import Creds, KeyFile
>>> secrets = KeyFile.from_file("protected.yaml").decrypt_domain("prod", Creds.from_env())  # doctest: +SKIP
"""

from pocket_protector.crypto.identity import Identity
from pocket_protector.crypto.kdf import KDF_INTERACTIVE, KDF_SENSITIVE
from pocket_protector.document.decrypted import DecryptedDomain
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
from pocket_protector.keyfile.key_file import KeyFile

__all__ = [
    "KDF_INTERACTIVE",
    "KDF_SENSITIVE",
    "AccessError",
    "Creds",
    "DecryptedDomain",
    "Fault",
    "FormatError",
    "Identity",
    "IntegrityError",
    "KeyFile",
    "MergeConflictError",
    "NameFormatError",
    "PPError",
    "PPKeyError",
    "PassphraseError",
    "PocketProtectorError",
    "PolicyError",
    "ProviderError",
    "Reference",
    "Sensitivity",
    "StoreError",
    "UnknownCustodianError",
    "__version__",
]

__version__ = "26.11.0"
