"""A new passphrase or raw key for a custodian: from a file, made, or asked for."""

from __future__ import annotations

import secrets

from pocket_protector.cli import output
from pocket_protector.cli.prompts import show
from pocket_protector.cli.session import Session, read_passphrase
from pocket_protector.cli.usage import UsageError
from pocket_protector.crypto.kdf import is_raw_key

_RULE = "=" * 72


def new_passphrase(session: Session, key_type: str, given: str | None, label: str, option: str) -> str | None:
    """`given`, or a raw key that is made and shown once, or an answer typed twice. None: the key was not saved."""
    if given is not None:
        if key_type == "raw" and not is_raw_key(given):
            raise UsageError(
                "the given raw key has not the form P<64 lower-case hex digits>P", hint="give none, and one is made"
            )
        return given
    if key_type != "raw":
        return session.prompts.hidden(label, option, confirm=True)
    key = f"P{secrets.token_hex(32)}P"
    return key if _shown_and_saved(session, key) else None


def passphrase_in(path: str | None) -> str | None:
    return None if path is None else read_passphrase(path)


def _shown_and_saved(session: Session, key: str) -> bool:
    """Show a made key once: on stdout for a program, in a frame for a person, who confirms that it is saved."""
    unasked = session.options.yes or session.options.non_interactive
    if unasked or not session.prompts.terminal:
        output.data(f"{key}\n")
        output.flush()
    else:
        show(f"{_RULE}\n  GENERATED RAW KEY (it is your passphrase, and is not shown again):\n\n  {key}\n\n{_RULE}\n")
    if unasked:
        return True
    if session.prompts.line("Have you saved the key? Type YES to confirm", "--yes").strip() == "YES":
        return True
    output.note("aborted: the key was not confirmed, and nothing was written")
    return False
