"""A new passphrase or raw key for a custodian: from a file, made, or asked for."""

from __future__ import annotations

import secrets
import sys

from pocket_protector.cli import output
from pocket_protector.cli.session import Session, read_passphrase
from pocket_protector.cli.usage import UsageError

_RULE = "=" * 72


def new_passphrase(session: Session, key_type: str, given: str | None, label: str, option: str) -> str | None:
    """`given`, or a raw key that is made and shown once, or an answer typed twice. None: the key was not saved."""
    if given is not None:
        return given
    if key_type != "raw":
        return session.prompts.hidden(label, option, confirm=True)
    key = f"P{secrets.token_hex(32)}P"
    return key if _shown_and_saved(session, key) else None


def passphrase_in(path: str | None) -> str | None:
    return read_passphrase(path) if path else None


def _shown_and_saved(session: Session, key: str) -> bool:
    """Show a made key once: on stdout for a program, in a frame for a person, who confirms that it is saved."""
    if session.options.yes or not session.prompts.terminal:
        output.data(f"{key}\n")
        sys.stdout.flush()
    else:
        output.note(
            f"{_RULE}\n  GENERATED RAW KEY (it is your passphrase, and is not shown again):\n\n  {key}\n\n{_RULE}"
        )
    if session.options.yes:
        return True
    if session.options.non_interactive:
        raise UsageError("--non-interactive cannot ask whether the key is saved", hint="give --yes")
    if session.prompts.line("Have you saved the key? Type YES to confirm", "--yes").strip() == "YES":
        return True
    output.note("aborted: the key was not confirmed, and nothing was written")
    return False
