"""Commands about key custodians."""

from __future__ import annotations

import typer

from pocket_protector.cli import output
from pocket_protector.cli.commands.file import check_new_custodian
from pocket_protector.cli.credential_prompts import Given, passphrase_in, unlocked
from pocket_protector.cli.new_keys import KeyType, NewKeySlot, new_slot
from pocket_protector.cli.parameters import (
    Custodian,
    Json,
    KeyTypeOption,
    NewCustodian,
    NewPassphraseFile,
    one_of,
)
from pocket_protector.cli.session import Session, session_of
from pocket_protector.cli.usage import UsageError
from pocket_protector.crypto.identity import Identity, SigningIdentity
from pocket_protector.errors import command
from pocket_protector.keyfile.key_file import KeyFile
from pocket_protector.user.guarded_key_file import GuardedKeyFile


def add_key_custodian(
    ctx: typer.Context,
    name: NewCustodian = None,
    key_type: KeyTypeOption = None,
    new_passphrase_file: NewPassphraseFile = None,
) -> None:
    """Add a key custodian: a person or machine that can be made an owner of key domains."""
    session, kind = session_of(ctx), KeyType.parse(key_type)
    if session.options.passphrase_file is not None and new_passphrase_file is None:
        raise UsageError(
            "--passphrase-file has your own passphrase, not a new key custodian's", hint="--new-passphrase-file PATH"
        )
    guarded = session.open_to_change()
    store = guarded.key_file
    output.note("Adding new key custodian.")
    chosen = one_of(name, session.options.user, "the key custodian")
    chosen = session.asked(chosen, "User email", "NAME")
    check_new_custodian(store, chosen)
    new = new_slot(session, kind, passphrase_in(new_passphrase_file), "Passphrase", "--new-passphrase-file PATH")
    done = f"added key custodian {chosen}; an owner runs: {command('add-owner', 'DOMAIN', chosen)}"
    session.write(guarded, store.add_custodian(chosen, new.slot), done, new.saved)


def rm_key_custodian(ctx: typer.Context, custodian: Custodian = None) -> None:
    """Remove a key custodian, and their ownership of every key domain."""
    session = session_of(ctx)
    guarded = session.open_to_change()
    store = guarded.key_file
    name = session.asked(custodian, "Key custodian email", "CUSTODIAN")
    owned = store.get_custodian_domains(name)
    if session.write(guarded, store.rm_key_custodian(name), f"removed key custodian {name}"):
        for domain in owned:
            could_read(store, domain, name, rotated=False)


def could_read(store: KeyFile, domain: str, name: str, *, rotated: bool) -> None:
    """Print the values that a former owner knows; only new values can make this knowledge useless."""
    values = ", ".join(store.get_domain_secret_names(domain)) or "no secrets"
    update, rotate = command("update-secret", domain, "NAME"), command("rotate-domain-keys", domain)
    output.note(f"{name} could read {domain}: {values}")
    output.note(f"  and keeps what git's history holds; change each of these values: {update}")
    if rotated:
        output.note(f"  the key of {domain} is rotated: they cannot read values that are set from now on")
    else:
        output.note(f"  their key still opens {domain} until an owner runs: {rotate}")


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
    ctx: typer.Context,
    name: Custodian = None,
    key_type: KeyTypeOption = None,
    new_passphrase_file: NewPassphraseFile = None,
) -> None:
    """Change a key custodian's passphrase. The keys stay, so no key domain changes.

    The exception: whose keys Pocket Protector made gets new ones, as from rekey-custodian.
    """
    session, kind = session_of(ctx), KeyType.parse(key_type)
    guarded = session.open_to_change()
    store = guarded.key_file
    identity = _current(session, store, name)
    if not isinstance(identity, SigningIdentity):
        for domain in store.get_custodian_domains(identity.name):
            guarded.check_wrapping(domain, identity.name)
    new = _new(session, kind, new_passphrase_file)
    changed = store.rewrap_custodian(identity, new.slot)
    if not isinstance(identity, SigningIdentity):
        _write_rekeyed(session, guarded, changed, identity.name, new)
    elif session.write(guarded, changed, f"changed the passphrase of {identity.name}", new.saved):
        output.note(
            "the old passphrase still opens the versions in git's history; if it may be known:"
            f" {command('rekey-custodian', identity.name)}, then rotate-domain-keys for each of their domains"
        )


def rekey_custodian(
    ctx: typer.Context,
    name: Custodian = None,
    key_type: KeyTypeOption = None,
    new_passphrase_file: NewPassphraseFile = None,
) -> None:
    """Give a key custodian new keys and a new passphrase, and wrap the keys of their domains for them."""
    session, kind = session_of(ctx), KeyType.parse(key_type)
    guarded = session.open_to_change()
    store = guarded.key_file
    identity = _current(session, store, name)
    for domain in store.get_custodian_domains(identity.name):
        guarded.check_wrapping(domain, identity.name)
    new = _new(session, kind, new_passphrase_file)
    changed = store.rekey_with_slot(identity, new.slot)
    _write_rekeyed(session, guarded, changed, identity.name, new)


def _current(session: Session, store: KeyFile, name: str | None) -> Identity:
    """Return the identity to change: from options or questions only, never from the environment."""
    ways = "CUSTODIAN", "--passphrase-file PATH"
    user = Given(one_of(name, session.options.user, "the key custodian"), "argument")
    user = session.credential(user, session.prompts.line, "User email", ways[0])
    passphrase = passphrase_in(session.options.passphrase_file)
    passphrase = session.credential(passphrase, session.prompts.hidden, "Current passphrase", ways[1])
    return unlocked(store, user, passphrase, *ways)


def _new(session: Session, kind: KeyType, path: str | None) -> NewKeySlot:
    return new_slot(session, kind, passphrase_in(path), "New passphrase", "--new-passphrase-file PATH")


def _write_rekeyed(session: Session, guarded: GuardedKeyFile, changed: KeyFile, name: str, new: NewKeySlot) -> None:
    owned = guarded.key_file.get_custodian_domains(name)
    if not session.write(guarded, changed, f"gave {name} new keys", new.saved):
        return
    if owned:
        output.note("the old key still opens the versions in git's history, and these domains until they are rotated:")
    for domain in owned:
        output.note(f"  {command('rotate-domain-keys', domain)}")
