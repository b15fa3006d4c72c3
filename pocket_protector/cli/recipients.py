"""The recipients of a package: finding their keys, and showing their fingerprints."""

from __future__ import annotations

import os

from pocket_protector import files
from pocket_protector.cli import output
from pocket_protector.cli.session import Session
from pocket_protector.cli.usage import UsageError
from pocket_protector.errors import FormatError, PPKeyError, StoreError
from pocket_protector.keyfile.key_file import KeyFile
from pocket_protector.packages.keys.public_key import MAX_KEY_FILE_BYTES, Recipient, parse_recipient, recipient_of
from pocket_protector.user.known_keys import RECIPIENTS, KnownKeys


def recipient_named(store: KeyFile, name: str) -> Recipient:
    """Return the recipient from --recipient: a custodian of `store`, or the owner of a file's public key.

    Raises UsageError if both exist, PPKeyError if neither does, and FormatError for a file without a public key.
    """
    names = store.get_key_custodian_names()
    if name in names and os.path.lexists(name):
        # Anyone can add a custodian with the name of a file.
        raise UsageError(f"{name!r} is both a key custodian and a file", hint="move the file, and name it otherwise")
    if name in names:
        keys, _ = store.get_signed_keys(name)
        return recipient_of(name, keys)
    if not os.path.lexists(name):
        raise PPKeyError("key custodian or file", name, names)
    try:
        return parse_recipient(files.read(name, MAX_KEY_FILE_BYTES).decode())
    except UnicodeDecodeError:
        raise FormatError(f"{name}: this is not a valid public key") from None
    except FormatError as error:
        raise FormatError(f"{name}: {error.message}", hint=error.hint) from None


def meet_recipients(session: Session, people: list[Recipient]) -> None:
    """Show each recipient's fingerprint, and ask before sealing to a changed key.

    Raises StoreError if the answer is no.
    """
    known = KnownKeys(RECIPIENTS)
    for person in people:
        before = known.fingerprint_of(person.name)
        output.note(f"recipient: {person.name}")
        # On its own line: the maker of a key chooses the name, and could make it imitate a fingerprint.
        output.note(f"  {person.fingerprint}{'' if before else ' (first use: compare it with theirs)'}")
        if before not in (None, person.fingerprint):
            output.note(f"warning: the key of {person.name} has changed; the previous one:\n  {before}")
            if not session.prompts.confirmed("Seal to the new key?", "an answer at a terminal"):
                raise StoreError(
                    "nothing was sealed: the recipient's key has changed",
                    hint="compare the fingerprint with theirs; then repeat this at a terminal",
                )
