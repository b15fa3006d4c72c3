"""The options of every command, as values. The module imports no typer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """The options of every command, as the user gave them."""

    file: str | None
    user: str | None
    passphrase_file: str | None
    env_prefix: str | None
    confirm: bool
    yes: bool
    non_interactive: bool
    ignore_env: bool
    trust: list[str] | None
    behind: bool
