"""A new key slot for a custodian: a passphrase or raw key from a file or a question, or a generated raw key."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pocket_protector.cli import output
from pocket_protector.cli.credential_prompts import Given
from pocket_protector.cli.prompts import NoAnswerError, show
from pocket_protector.cli.session import Session
from pocket_protector.cli.usage import UsageError
from pocket_protector.crypto.kdf import FAST, HARD
from pocket_protector.crypto.key_slots import KeySlot, PassphraseSlot, RawKeySlot
from pocket_protector.errors import PassphraseError
from pocket_protector.keyfile.credentials import VariableSource

_RULE = "=" * 72
_QUESTION = "Have you saved the key? Type YES to confirm"


class KeyType(Enum):
    """The choice of `--key-type`: the way to make a slot from a text that then opens it."""

    HARD = "hard"
    FAST = "fast"
    RAW = "raw"

    @classmethod
    def parse(cls, text: str | None) -> KeyType:
        """Parse the option; without it, `hard`. Raises UsageError for an unknown type."""
        known = {kind.value: kind for kind in cls}
        if text is not None and text not in known:
            raise UsageError(f"{text!r} is not a key type", hint=f"--key-type {'|'.join(known)}")
        return cls.HARD if text is None else known[text]

    def slot(self, text: str) -> KeySlot:
        """Return a new slot that `text` opens.

        Raises PassphraseError for a malformed raw key, and StoreError for "".
        """
        if self is KeyType.RAW:
            return RawKeySlot.parse(text)
        return PassphraseSlot(text, HARD if self is KeyType.HARD else FAST)


@dataclass(frozen=True, slots=True, repr=False)
class NewKeySlot:
    """A slot for a custodian; `generated` is the raw key for it, if nobody has seen this key yet."""

    slot: KeySlot
    generated: str | None
    session: Session

    def saved(self) -> bool:
        """Show a generated key once, as the last step before the file is written, and return whether to go on.

        A program gets the key on stdout. A person sees it in a frame, and confirms having saved it.
        """
        options, prompts = self.session.options, self.session.prompts
        if self.generated is None:
            return True
        if options.yes or options.non_interactive or not prompts.terminal:
            if not (options.yes or options.non_interactive):
                _check_confirmed(self.session)
            output.data(f"{self.generated}\n")
            output.flush()
            return True
        show(f"{_RULE}\n  GENERATED RAW KEY (it is your passphrase, and is not shown again):\n\n")
        show(f"  {self.generated}\n\n{_RULE}\n")
        if prompts.line(_QUESTION, "--yes").strip() == "YES":
            return True
        output.note("aborted: the key was not confirmed, and nothing was written")
        return False


def new_slot(session: Session, kind: KeyType, given: Given, label: str, option: str) -> NewKeySlot:
    """Make a slot from the given text, else from a generated raw key, or from an answer typed twice."""
    if given.text is not None:
        try:
            return NewKeySlot(kind.slot(given.text), None, session)
        except PassphraseError:
            raise _malformed(given) from None
    if kind is not KeyType.RAW:
        return NewKeySlot(kind.slot(session.prompts.hidden(label, option, confirm=True)), None, session)
    generated = RawKeySlot.generate()
    return NewKeySlot(generated, generated.text, session)


def _malformed(given: Given) -> UsageError:
    leave_out = "--ignore-env leaves it out" if isinstance(given.source, VariableSource) else "give none"
    return UsageError(
        f"the given raw key has not the form P<64 lower-case hex digits>P (from {given.source})",
        hint=f"{leave_out}, and one is made",
    )


def _check_confirmed(session: Session) -> None:
    """Check that stdin holds the line `YES`, and raise UsageError if not: no key is printed unless a person asked for
    it.
    """
    try:
        confirmed = session.prompts.line(_QUESTION, "--yes").strip() == "YES"
    except NoAnswerError:
        confirmed = False
    if not confirmed:
        raise UsageError("a key would be made and printed, and the next line of stdin is not YES", hint="give --yes")
