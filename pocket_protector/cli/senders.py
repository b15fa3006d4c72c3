"""Whether the sender of a package is somebody whom the user knows."""

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
    """Call it with a package's header: it raises unless the sender is the one who was named, an owner in the user's own
    file or whom --trust names, somebody who was known before, or one whose fingerprint a person confirms now."""

    def __init__(self, session: Session, guarded: GuardedKeyFile | None, named: str | None) -> None:
        self._session = session
        self._guarded = guarded
        self._named = named
        self._new: tuple[str, str] | None = None

    def __call__(self, header: Header) -> None:
        """IntegrityError for another than was named, and one who had other keys before; PolicyError for a stranger."""
        found = fingerprint(header.sender, header.keys)
        if self._named is not None:
            if not _is_named(self._named, header, found):
                raise IntegrityError(f"the package is not from whom --sender names, but from {header.sender!r}")
            self._new = header.sender, found.hex()
        elif not self._is_trusted(header, found):
            before = KnownKeys(SENDERS).fingerprint_of(header.sender)
            if before is None:
                self._ask(header, to_words(found))
                self._new = header.sender, found.hex()
            elif before != found.hex():
                raise _others(header, found)

    def remember(self) -> None:
        """The package is the sender's, and somebody said who that is: from now on they are known."""
        if self._new is not None:
            remember(SENDERS, *self._new)

    def _is_trusted(self, header: Header, found: bytes) -> bool:
        """Whether --trust or PPROTECT_TRUST names the sender; or the reader's own file, which they accepted or made,
        has them with these keys among those who count as owners of a signed domain, which nobody becomes by writing the
        file. IntegrityError if it has them with other keys."""
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
            f"nobody whom you know sent the package: it says {header.sender!r}, {words}",
            hint="compare the fingerprint with theirs, by another way than the package; then: --sender FINGERPRINT",
        )
        # Unattended nobody new becomes known: --yes is no look at a fingerprint.
        if not session.prompts.terminal or session.options.non_interactive:
            raise stranger
        output.note(f"The package says that it is from {header.sender}, whom you do not know. Their fingerprint:")
        output.note(f"  {words}")
        output.note("Compare it with theirs, such as by telephone (pprotect fingerprint NAME, on their side).")
        if not session.prompts.confirmed("Is it the same?", "--sender FINGERPRINT"):
            raise stranger


def _others(header: Header, found: bytes) -> IntegrityError:
    return IntegrityError(
        f"{header.sender!r} had other keys before; now the package says {to_words(found)}",
        hint="if they say that these are theirs, by another way than the package: --sender FINGERPRINT",
    )


def remember(kind: str, name: str, fingerprint: str) -> None:
    """Keep whose key that is, where the user has a folder that can be written."""
    try:
        KnownKeys(kind).remember(name, fingerprint)
    except StoreError as error:
        output.note(f"note: the key of {name} is not remembered: {error.message}")


def _is_named(named: str, header: Header, found: bytes) -> bool:
    """Whether --sender names the sender: by the fingerprint, or by a file with the public key. What is a fingerprint is
    no file: somebody else may have put one there."""
    try:
        return is_fingerprint(named, found)
    except StoreError:
        if not os.path.lexists(named):
            raise
    try:
        key = PublicKey.parse(files.read(named, MAX_KEY_FILE_BYTES).decode())
    except UnicodeDecodeError:
        raise StoreError(f"{named} is no public key", hint="give what pprotect pubkey printed") from None
    return (key.name, key.keys) == (header.sender, header.keys)
