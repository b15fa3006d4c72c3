"""The error for a wrong command line."""

from __future__ import annotations

from pocket_protector.errors import PocketProtectorError


class UsageError(PocketProtectorError):
    """The arguments, the options or the answers to questions are wrong."""

    exit_code = 2
