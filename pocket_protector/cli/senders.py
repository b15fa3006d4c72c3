"""The sender of a package on the command line: ask the user about a stranger, and remember the answer."""

from __future__ import annotations

from pocket_protector.cli import output
from pocket_protector.cli.session import Session
from pocket_protector.errors import StoreError
from pocket_protector.packages.header import Header
from pocket_protector.user.guarded_key_file import GuardedKeyFile
from pocket_protector.user.known_keys import SENDERS, KnownKeys
from pocket_protector.user.package_senders import Acquaintance, Sender, judge_sender, parse_sender


class SenderCheck:
    """Checks the sender in a package's header, and remembers a new one.

    These senders are accepted: the sender from --sender (`named`), a sender from --trust, an owner in the user's own
    file (`guarded`), the sender of an earlier package, and a sender whose fingerprint the user confirms now.
    """

    def __init__(self, session: Session, guarded: GuardedKeyFile | None, named: str | None) -> None:
        self._session = session
        self._guarded = guarded
        self._named = named
        self._new: Sender | None = None

    def __call__(self, header: Header) -> None:
        """Check the sender.

        Raises IntegrityError for another sender than the named one, and for a sender who had other keys before;
        PolicyError for a stranger.
        """
        sender = self._judged(header)
        if sender.acquaintance is not Acquaintance.STRANGER or not self._is_confirmed(sender):
            sender.check()
        if sender.is_new:
            self._new = sender

    def remember(self) -> None:
        """Remember a sender that --sender or the user confirmed, once the package has been opened."""
        if self._new is not None:
            remember(SENDERS, self._new.name, self._new.fingerprint.hex())

    def _judged(self, header: Header) -> Sender:
        if self._named is not None:
            return judge_sender(header, named=parse_sender(self._named))
        trust = self._session.anchors() or {}
        if header.sender in trust or self._guarded is None or not self._guarded.key_file.file_id:
            return judge_sender(header, trust=trust)
        judged = self._guarded.judged
        return judge_sender(header, seen=judged.trusted(), confirmed=judged.is_confirmed())

    def _is_confirmed(self, sender: Sender) -> bool:
        """Ask whether a stranger's fingerprint is right, if a person is there to answer."""
        session = self._session
        # Unattended runs accept no new sender: with --yes nobody compares a fingerprint.
        if not session.prompts.terminal or session.options.non_interactive:
            return False
        output.note(f"The package says that it is from {sender.name}, an unknown sender. Their fingerprint:")
        output.note(f"  {sender.words}")
        output.note("Compare it with theirs, for example by telephone (they run: pprotect fingerprint NAME).")
        return session.prompts.confirmed("Is it the same?", "--sender FINGERPRINT")


def remember(kind: str, name: str, fingerprint: str) -> None:
    """Remember the owner of this key. If the user's folder cannot be written, print a note and raise no error."""
    try:
        KnownKeys(kind).remember(name, fingerprint)
    except StoreError as error:
        output.note(f"note: the key of {name} is not remembered: {error.message}")
