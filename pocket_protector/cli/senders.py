"""Checking that the user knows the sender of a package."""

from __future__ import annotations

import os

from pocket_protector import files
from pocket_protector.cli import output
from pocket_protector.cli.session import Session
from pocket_protector.errors import IntegrityError, PolicyError, StoreError
from pocket_protector.packages.header import Header
from pocket_protector.packages.keys.public_key import MAX_KEY_FILE_BYTES, PublicKey
from pocket_protector.trust.fingerprints import fingerprint, is_fingerprint, to_words
from pocket_protector.user.guarded_key_file import GuardedKeyFile
from pocket_protector.user.known_keys import SENDERS, KnownKeys


class SenderCheck:
    """Checks the sender in a package's header when called.

    Accepted are the sender that --sender names, one that --trust names, an owner in the user's own file, one that is
    known from an earlier package, and one whose fingerprint the user confirms now.
    """

    def __init__(self, session: Session, guarded: GuardedKeyFile | None, named: str | None) -> None:
        self._session = session
        self._guarded = guarded
        self._named = named
        self._new: tuple[str, str] | None = None

    def __call__(self, header: Header) -> None:
        """Raise IntegrityError for the wrong sender or changed keys, PolicyError for an unknown sender."""
        found = fingerprint(header.sender, header.keys)
        if self._named is not None:
            if not _is_named(self._named, header, found):
                raise IntegrityError(f"the package is from {header.sender!r}, not from the sender that --sender names")
            self._new = header.sender, found.hex()
        elif not self._is_trusted(header, found):
            before = KnownKeys(SENDERS).fingerprint_of(header.sender)
            if before is None:
                self._ask(header, to_words(found))
                self._new = header.sender, found.hex()
            elif before != found.hex():
                raise _others(header, found)

    def remember(self) -> None:
        """Remember a sender that --sender or the user confirmed, once the package has been opened."""
        if self._new is not None:
            remember(SENDERS, *self._new)

    def _is_trusted(self, header: Header, found: bytes) -> bool:
        """Return whether --trust, PPROTECT_TRUST or the user's own file vouches for the sender.

        A file does if the user made or accepted it, and the sender is an authorized owner of a signed domain there:
        nobody becomes one by merely writing the file. Raises IntegrityError if the file holds other keys.
        """
        anchor = (self._session.anchors() or {}).get(header.sender)
        if anchor is not None:
            return is_fingerprint(anchor, found)
        if self._guarded is None or not self._guarded.key_file.file_id:
            return False
        watch = self._guarded.judged
        state = watch.trusted()
        custodian = state.document.custodians.get(header.sender) if state else None
        if state is None or custodian is None:
            return False
        if custodian.keys != header.keys:
            raise _others(header, found)
        signed = [name for name, domain in state.document.domains.items() if domain.epoch is not None]
        counts = any(header.sender in state.authorities[name].owners.counting for name in signed)
        return counts and watch.is_confirmed()

    def _ask(self, header: Header, words: str) -> None:
        session = self._session
        stranger = PolicyError(
            f"the sender of the package is unknown: it says {header.sender!r}, {words}",
            hint="compare the fingerprint with theirs over another channel, then give --sender FINGERPRINT",
        )
        # --yes does not count: nobody has looked at the fingerprint.
        if not session.prompts.terminal or session.options.non_interactive:
            raise stranger
        output.note(f"The package says that it is from {header.sender}, an unknown sender. Their fingerprint:")
        output.note(f"  {words}")
        output.note("Compare it with theirs, for example by telephone (they run: pprotect fingerprint NAME).")
        if not session.prompts.confirmed("Is it the same?", "--sender FINGERPRINT"):
            raise stranger


def _others(header: Header, found: bytes) -> IntegrityError:
    return IntegrityError(
        f"{header.sender!r} had other keys before; now the package says {to_words(found)}",
        hint="if they confirm these over another channel: --sender FINGERPRINT",
    )


def remember(kind: str, name: str, fingerprint: str) -> None:
    """Remember the key in the user's own folder, or print a note if that cannot be written."""
    try:
        KnownKeys(kind).remember(name, fingerprint)
    except StoreError as error:
        output.note(f"note: the key of {name} is not remembered: {error.message}")


def _is_named(named: str, header: Header, found: bytes) -> bool:
    """Return whether --sender, a fingerprint or the path of a public key, is the sender's.

    A text that is a fingerprint is never taken for a path: somebody else may have put a file there.
    """
    try:
        return is_fingerprint(named, found)
    except StoreError:
        if not os.path.lexists(named):
            raise
    try:
        key = PublicKey.parse(files.read(named, MAX_KEY_FILE_BYTES).decode())
    except UnicodeDecodeError:
        raise StoreError(f"{named} is not a valid public key", hint="give what pprotect pubkey printed") from None
    return (key.name, key.keys) == (header.sender, header.keys)
