"""Commands about the file as a whole."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from pocket_protector.cli import output
from pocket_protector.cli.app import print_version
from pocket_protector.cli.credential_prompts import passphrase_in
from pocket_protector.cli.new_keys import KeyType, new_slot
from pocket_protector.cli.parameters import Json, KeyTypeOption, parse_number
from pocket_protector.cli.session import session_of
from pocket_protector.crypto.key_slots import RawKeySlot
from pocket_protector.errors import StoreError, command
from pocket_protector.keyfile.key_file import KeyFile
from pocket_protector.user.guarded_key_file import GuardedKeyFile


def init(ctx: typer.Context, key_type: KeyTypeOption = None) -> None:
    """Make a protected file here, with its first key custodian.

    With --user, the passphrase is that of --passphrase-file, else of PPROTECT_PASSPHRASE, else asked for.
    """
    session, kind = session_of(ctx), KeyType.parse(key_type)
    options, path = session.options, session.new_path()
    if os.path.exists(path) and os.path.getsize(path):
        raise StoreError(f"{path} exists already", hint="-f FILE makes one elsewhere")
    output.note("Adding new key custodian.")
    name = session.asked(options.user, "User email", "--user NAME")
    guarded = GuardedKeyFile.create(path, session.guard_options(), output.notice)
    store = guarded.key_file
    check_new_custodian(store, name)
    given = passphrase_in(options.passphrase_file)
    if given.text is None and options.user is not None:
        given = session.passphrase_variable()
    new = new_slot(session, kind, given, "Passphrase", "--passphrase-file PATH")
    done = f"made {path} with key custodian {name}; next: pprotect add-domain DOMAIN"
    session.write(guarded, store.add_custodian(name, new.slot), done, new.saved)


def check_new_custodian(store: KeyFile, name: str) -> None:
    """Refuse a taken or malformed name before a passphrase is asked for."""
    store.add_custodian(name, RawKeySlot.generate())


def upgrade(ctx: typer.Context) -> None:
    """Rewrite a file of Pocket Protector's (20.0.1 to 26.4.3) in format 1, with every entry and the old log.

    Needs no credentials. Older versions cannot read the file afterwards. Owners then rotate each domain, which
    binds its values to their places.
    """
    session = session_of(ctx)
    guarded = session.open()
    store = guarded.key_file
    names = store.get_domain_names()
    done = f"upgraded {store.path} to format 1" + ("; an owner of each key domain now runs:" if names else "")
    if session.write(guarded, store.upgrade(), done):
        for name in names:
            output.note(f"  {command('rotate-domain-keys', name)}")


def list_audit_log(ctx: typer.Context, json: Json = False) -> None:
    """Print what was done to the file, one entry a line. Git's history is the authoritative record."""
    entries = session_of(ctx).read().get_audit_log()
    output.listing("audit_log", entries) if json else output.lines(entries)


def truncate_audit_log(
    ctx: typer.Context,
    keep: Annotated[str, typer.Argument(metavar="KEEP", help="How many of the newest entries to keep.")],
) -> None:
    """Drop all but the newest entries of the audit log, and note how many went."""
    number = parse_number(keep, "number of entries", "pprotect truncate-audit-log 100")
    session = session_of(ctx)
    guarded = session.open_to_change()
    changed = guarded.key_file.truncate_audit_log(number)
    session.write(guarded, changed, f"kept the newest {number} entries of the audit log")


def version(ctx: typer.Context) -> None:
    """Print the version."""
    print_version()
