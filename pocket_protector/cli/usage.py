"""What is wrong with a command line."""

from __future__ import annotations

from pocket_protector.errors import PocketProtectorError


class UsageError(PocketProtectorError):
    """The words of the command, or the answers to its questions, are off."""

    exit_code = 2
