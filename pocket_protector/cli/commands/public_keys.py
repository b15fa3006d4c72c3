"""Commands about public keys, which people pass on so others can seal packages to them."""

from __future__ import annotations

from typing import Annotated

import typer

from pocket_protector import files
from pocket_protector.cli import output
from pocket_protector.cli.credential_prompts import passphrase_in
from pocket_protector.cli.new_keys import KeyType, new_slot
from pocket_protector.cli.parameters import Custodian, KeyTypeOption, NewPassphraseFile
from pocket_protector.cli.session import session_of
from pocket_protector.cli.usage import UsageError
from pocket_protector.crypto.identity import Identity
from pocket_protector.document.names import parse_custodian_name
from pocket_protector.packages.keys.private_key import MAX_IDENTITY_BYTES, identity_line, parse_own_identity
from pocket_protector.packages.keys.public_key import PublicKey, recipient_of


def pubkey(
    ctx: typer.Context,
    custodian: Custodian = None,
    identity_file: Annotated[
        str | None, typer.Option("--identity-file", metavar="PATH", help="That of a file of keygen, again.")
    ] = None,
) -> None:
    """Print a key custodian's public key, for others to seal packages to, or to know their sender by.

    Needs no credentials. Without a name it is yours.
    """
    session = session_of(ctx)
    if identity_file is not None:
        if custodian is not None:
            raise UsageError("a key custodian and --identity-file name two keys", hint="give one of them")
        text = files.read(identity_file, MAX_IDENTITY_BYTES).decode(errors="replace")
        _tell(PublicKey.from_identity(parse_own_identity(text, lambda: session.file_passphrase(identity_file))))
        return
    store = session.read()
    name = session.asked(custodian or session.user(), "Key custodian email", "CUSTODIAN")
    _tell(PublicKey(name, *store.get_signed_keys(name)))


def keygen(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Your name, such as your email address.")],
    out: Annotated[
        str | None,
        typer.Option("--out", metavar="PATH", help="The new file for your private key."),
    ] = None,
    with_passphrase: Annotated[
        bool, typer.Option("--with-passphrase", help="Ask for a passphrase, which the file opens with.")
    ] = False,
    new_passphrase_file: NewPassphraseFile = None,
    key_type: KeyTypeOption = None,
) -> None:
    """Make a key for somebody who is in no protected file yet; print the public half, for whoever seals a package.

    The private half goes to a new file, under a passphrase if one is asked for or given.
    """
    session, kind = session_of(ctx), KeyType.parse(key_type)
    if out is None:
        raise UsageError("no file for the private key is named", hint="--out PATH")
    if kind is KeyType.RAW:
        raise UsageError("a key of keygen is under a passphrase or none", hint="leave --key-type out, or hard, or fast")
    identity = Identity.generate(parse_custodian_name(name))
    slot = None
    if with_passphrase or new_passphrase_file is not None:
        given = passphrase_in(new_passphrase_file)
        slot = new_slot(session, kind, given, "New passphrase", "--new-passphrase-file PATH").slot
    line = identity_line(identity, slot)
    files.create_private(out, line.encode())
    output.note(f"the private key of {name} is in {out}" + ("" if slot else ", which no passphrase protects"))
    _tell(PublicKey.from_identity(identity))


def _tell(key: PublicKey) -> None:
    """Print the line, and tell the person at the terminal to compare the fingerprint."""
    output.data(key.text)
    output.note(f"fingerprint: {recipient_of(key.name, key.keys).fingerprint}")
