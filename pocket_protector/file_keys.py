"""Where Pocket Protector kept its library: programs written for 20.0.1 import from here."""

from pocket_protector import KDF_INTERACTIVE, KDF_SENSITIVE, Creds, KeyFile, PPError, PPKeyError

__all__ = ["KDF_INTERACTIVE", "KDF_SENSITIVE", "Creds", "KeyFile", "PPError", "PPKeyError"]
