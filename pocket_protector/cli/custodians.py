"""Commands about key custodians."""

from __future__ import annotations

import typer

from pocket_protector.cli import output
from pocket_protector.cli.new_keys import new_passphrase, passphrase_in
from pocket_protector.cli.parameters import (
    KEY_TYPES,
    Custodian,
    Json,
    KeyType,
    NewCustodian,
    NewPassphraseFile,
    one_of,
    parse_key_type,
)
from pocket_protector.cli.session import Session, read_passphrase, session_of
from pocket_protector.cli.store import with_custodian
from pocket_protector.cli.usage import UsageError
from pocket_protector.credentials import Creds
from pocket_protector.crypto.identity import Identity
from pocket_protector.keyfile import KeyFile


def add_key_custodian(
    ctx: typer.Context,
    name: NewCustodian = None,
    key_type: KeyType = None,
    new_passphrase_file: NewPassphraseFile = None,
) -> None:
    """Add a key custodian: a person or machine that can be made an owner of key domains."""
    session, kind = session_of(ctx), parse_key_type(key_type)
    if session.options.passphrase_file is not None and new_passphrase_file is None:
        raise UsageError(
            "--passphrase-file has your own passphrase, not a new key custodian's", hint="--new-passphrase-file PATH"
        )
    store = session.read_to_change()
    output.note("Adding new key custodian.")
    chosen = one_of(name, session.options.user, "the key custodian")
    chosen = session.asked(chosen, "User email", "NAME")
    given = passphrase_in(new_passphrase_file)
    passphrase = new_passphrase(session, kind, given, "Passphrase", "--new-passphrase-file PATH")
    if passphrase is not None:
        session.write(store, with_custodian(store, chosen, passphrase, kind))


def rm_key_custodian(ctx: typer.Context, custodian: Custodian = None) -> None:
    """Remove a key custodian, and their ownership of every key domain."""
    session = session_of(ctx)
    store = session.read_to_change()
    name = session.asked(custodian, "Key custodian email", "CUSTODIAN")
    owned = store.get_custodian_domains(name)
    if session.write(store, store.rm_key_custodian(name)):
        for domain in owned:
            could_read(store, domain, name)
            output.note(f"  their key still opens {domain} until an owner runs: pprotect rotate-domain-keys {domain}")


def could_read(store: KeyFile, domain: str, name: str) -> None:
    """Say what a former owner knows, and what only new values can mend."""
    values = ", ".join(store.get_domain_secret_names(domain)) or "no secrets"
    output.note(f"{name} could read {domain}: {values}")
    output.note(f"  and keeps what git's history holds: change these values (pprotect update-secret {domain} NAME)")


def list_user_secrets(ctx: typer.Context, json: Json = False) -> None:
    """Print the key domains that you own, with their secrets' names."""
    session = session_of(ctx)
    store = session.read()
    name = session.identity(store).name
    owned = {domain: store.get_domain_secret_names(domain) for domain in store.get_custodian_domains(name)}
    if json:
        output.listing("domains", owned)
    elif not owned:
        output.note(f"User {name} does not own any domains.")
    else:
        output.lines(f"{domain}: {', '.join(names) or '(no secrets)'}" for domain, names in owned.items())


def set_key_custodian_passphrase(
    ctx: typer.Context, name: Custodian = None, key_type: KeyType = None, new_passphrase_file: NewPassphraseFile = None
) -> None:
    """Change a key custodian's passphrase. The keys stay, so no key domain changes."""
    session, kind = session_of(ctx), parse_key_type(key_type)
    store = session.read_to_change()
    identity = _current(session, store, name)
    passphrase = new_passphrase(
        session, kind, passphrase_in(new_passphrase_file), "New passphrase", "--new-passphrase-file PATH"
    )
    if passphrase is None:
        return
    limits = KEY_TYPES[kind] or (None, None)
    changed = store.set_key_custodian_passphrase(identity, passphrase, *limits, raw_key=kind == "raw")
    if session.write(store, changed):
        output.note(
            "the old passphrase still opens the versions in git's history; if it may be known:"
            f" pprotect rekey-custodian {identity.name}, then rotate-domain-keys for each of their domains"
        )


def rekey_custodian(
    ctx: typer.Context, name: Custodian = None, key_type: KeyType = None, new_passphrase_file: NewPassphraseFile = None
) -> None:
    """Give a key custodian new keys and a new passphrase, and wrap the keys of their domains for them."""
    session, kind = session_of(ctx), parse_key_type(key_type)
    store = session.read_to_change()
    identity = _current(session, store, name)
    passphrase = new_passphrase(
        session, kind, passphrase_in(new_passphrase_file), "New passphrase", "--new-passphrase-file PATH"
    )
    if passphrase is None:
        return
    limits = KEY_TYPES[kind] or (None, None)
    new = Creds(identity.name, passphrase)
    if session.write(store, store.rekey_custodian(identity, new, kind == "raw", *limits)):
        output.note("the old key still opens the versions in git's history, and these domains until they are rotated:")
        for domain in store.get_custodian_domains(identity.name):
            output.note(f"  pprotect rotate-domain-keys {domain}")


def _current(session: Session, store: KeyFile, name: str | None) -> Identity:
    """The identity that is to change: from options or questions only, never from the environment."""
    options = session.options
    user = session.asked(one_of(name, options.user, "the key custodian"), "User email", "CUSTODIAN")
    if options.passphrase_file is not None:
        source = f"passphrase file: {options.passphrase_file}"
        return store.unlock(Creds(user, read_passphrase(options.passphrase_file), "argument", source))
    passphrase = session.prompts.hidden("Current passphrase", "--passphrase-file PATH")
    return store.unlock(Creds(user, passphrase, "argument", "prompt"))
