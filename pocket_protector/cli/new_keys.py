"""A new passphrase or raw key for a custodian: from a file, made, or asked for."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from pocket_protector.cli import output
from pocket_protector.cli.credential_prompts import Given
from pocket_protector.cli.prompts import NoAnswerError, show
from pocket_protector.cli.session import Session
from pocket_protector.cli.usage import UsageError
from pocket_protector.crypto.kdf import is_raw_key

_RULE = "=" * 72
_QUESTION = "Have you saved the key? Type YES to confirm"


@dataclass(frozen=True, slots=True, repr=False)
class NewPassphrase:
    """A passphrase or raw key that is to be a custodian's; `made` if nobody has seen it yet."""

    text: str
    made: bool
    session: Session

    def saved(self) -> bool:
        """Show a made key, once, as the last thing before the file is written: on stdout for a program, in a frame
        for a person, who confirms that it is saved."""
        options, prompts = self.session.options, self.session.prompts
        if not self.made:
            return True
        if options.yes or options.non_interactive or not prompts.terminal:
            if not (options.yes or options.non_interactive):
                _check_confirmed(self.session)
            output.data(f"{self.text}\n")
            output.flush()
            return True
        show(f"{_RULE}\n  GENERATED RAW KEY (it is your passphrase, and is not shown again):\n\n")
        show(f"  {self.text}\n\n{_RULE}\n")
        if prompts.line(_QUESTION, "--yes").strip() == "YES":
            return True
        output.note("aborted: the key was not confirmed, and nothing was written")
        return False


def new_passphrase(session: Session, key_type: str, given: Given, label: str, option: str) -> NewPassphrase:
    """What is given, or a raw key that is made, or an answer typed twice."""
    if given.text is not None:
        if key_type == "raw" and not is_raw_key(given.text):
            raise _not_raw(given)
        return NewPassphrase(given.text, False, session)
    if key_type != "raw":
        return NewPassphrase(session.prompts.hidden(label, option, confirm=True), False, session)
    return NewPassphrase(made_raw_key(), True, session)


def made_raw_key() -> str:
    return f"P{secrets.token_hex(32)}P"


def _not_raw(given: Given) -> UsageError:
    environment = given.source is not None and given.source.startswith("env var: ")
    return UsageError(
        f"the given raw key has not the form P<64 lower-case hex digits>P (from {given.source})",
        hint=f"{'--ignore-env leaves it out' if environment else 'give none'}, and one is made",
    )


def _check_confirmed(session: Session) -> None:
    """Where no person sees the key, the line `YES` comes before it, or nothing is printed."""
    try:
        confirmed = session.prompts.line(_QUESTION, "--yes").strip() == "YES"
    except NoAnswerError:
        confirmed = False
    if not confirmed:
        raise UsageError("a key would be made and printed, and the next line of stdin is not YES", hint="give --yes")
