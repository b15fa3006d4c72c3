"""Reading the private key and the token for a package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pocket_protector import files
from pocket_protector.cli.session import Session
from pocket_protector.crypto.keys import PrivateKey
from pocket_protector.errors import AccessError, FormatError, StoreError
from pocket_protector.keyfile.credentials import RECIPIENT_KEY_VARIABLE, TOKEN_VARIABLE, read_variable
from pocket_protector.keyfile.key_file import KeyFile
from pocket_protector.packages.keys.private_key import MAX_IDENTITY_BYTES, parse_identity
from pocket_protector.packages.token import MAX_TOKEN_BYTES, Token

STDIN = "-"


@dataclass(frozen=True, slots=True, repr=False)
class RecipientKey:
    """The private key for a package. `retyped` asks for its passphrase again, and is None if it has none."""

    private: PrivateKey
    retyped: Callable[[], bool] | None


def recipient_key(session: Session, store: KeyFile | None, name: str | None, path: str | None) -> RecipientKey:
    """Return the private key of the file at `path`, of the custodian `name`, of the variable, or of the user.

    The first given source counts. Raises AccessError if there is none.
    """
    if path is not None:
        return _of_file(session, files.read(path, MAX_IDENTITY_BYTES), path)
    variable = None if session.options.ignore_env else read_variable(RECIPIENT_KEY_VARIABLE)
    if variable and name is None and session.options.user is None:
        return _of_file(session, variable.encode(errors="replace"), RECIPIENT_KEY_VARIABLE)
    if store is None:
        raise AccessError(
            "no key to open the package is given", hint=f"--identity-file PATH, or {RECIPIENT_KEY_VARIABLE}"
        )
    return RecipientKey(session.identity(store, name).exchange, session.retyped)


def given_token(session: Session, path: str | None) -> Token | None:
    """Return the token from the file, stdin or the variable; None if there is none. Raises FormatError for an invalid
    one.
    """
    if path is not None:
        if path == STDIN and session.prompts.terminal:
            return Token.parse(session.prompts.hidden("Token", "--token PATH"))
        return Token.parse(read_input(session, path, MAX_TOKEN_BYTES, "--token").decode("ascii", errors="replace"))
    variable = None if session.options.ignore_env else read_variable(TOKEN_VARIABLE)
    return Token.parse(variable) if variable else None


def read_input(session: Session, path: str, most: int, option: str) -> bytes:
    """Return the bytes of a file, or of stdin if `path` is "-". Raises StoreError for more than `most` bytes."""
    if path != STDIN:
        return files.read(path, most)
    raw = session.prompts.rest(most, option)
    if len(raw) > most:
        raise StoreError(f"stdin has more than {most} bytes")
    return raw


def _of_file(session: Session, raw: bytes, source: str) -> RecipientKey:
    given: list[str] = []

    def passphrase() -> str:
        given.append(session.file_passphrase(source))
        return given[-1]

    try:
        private = parse_identity(raw, passphrase)
    except FormatError as error:
        raise FormatError(f"{source}: {error.message}", hint=error.hint) from None
    return RecipientKey(private, (lambda: session.retyped(given[0])) if given else None)
