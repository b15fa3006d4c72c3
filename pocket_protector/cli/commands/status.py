"""The command that sums up a file."""

from __future__ import annotations

import typer

from pocket_protector.cli import output
from pocket_protector.cli.commands.policies import demands
from pocket_protector.cli.parameters import Json
from pocket_protector.cli.session import session_of
from pocket_protector.errors import StoreError
from pocket_protector.keyfile.key_file import KeyFile
from pocket_protector.user.guarded_key_file import GuardedKeyFile


def status(ctx: typer.Context, json: Json = False) -> None:
    """Print a summary: your name, the key custodians, and the owners, values and policy of each key domain."""
    session = session_of(ctx)
    guarded = session.open()
    store = guarded.key_file
    user = session.user()
    content = {name: _standing(store, name, user) for name in store.get_domain_names()}
    if json:
        output.listing("status", {"file": store.path, "user": user, "domains": content})
        return
    lines = [f"file: {store.path}", f"you: {user or 'unknown (give -u NAME, or set PPROTECT_USER)'}"]
    lines.append(f"key custodians: {', '.join(store.get_key_custodian_names()) or 'none'}")
    lines += [f"key domain {name}: {_described(store, name, found)}" for name, found in content.items()]
    lines += _distrusted(guarded)
    output.lines(lines)


def _standing(store: KeyFile, name: str, user: str | None) -> dict[str, object]:
    found = store.authority(name)
    return {
        "signed_by": store.get_epoch_maker(name),
        "owners": store.get_domain_owner_names(name),
        "owners_who_count": found.owners.counting,
        "yours": user in found.owners.counting,
        "reviewed": found.reviewed,
        "unreviewed": len(found.unreviewed),
        "references": len(store.get_references(name)),
        "policy": store.get_policy(name).items(),
    }


def _distrusted(guarded: GuardedKeyFile) -> list[str]:
    """Return a line if the file has unauthorized changes."""
    try:
        wrong = len(guarded.judged.violations)
    except StoreError as error:
        return [f"trust: {error.message}"]
    changes = "a change" if wrong == 1 else f"{wrong} changes"
    return [f"trust: {changes} by somebody without the right: pprotect trust"] if wrong else []


def _described(store: KeyFile, name: str, found: dict[str, object]) -> str:
    counting = store.authority(name).owners.counting
    listed = store.get_domain_owner_names(name)
    owners = ", ".join(owner if owner in counting else f"{owner} (does not count)" for owner in listed)
    signed = "" if found["signed_by"] else "; nobody signed its key and owners"
    mine = "" if found["yours"] else "; not yours"
    policy = f"; demands {demands(store.get_policy(name))}" if found["policy"] else ""
    counts = f"values: {found['reviewed']} reviewed, {found['unreviewed']} unreviewed"
    if found["references"]:
        counts += f" (references among them: {found['references']})"
    return f"{counts}; owners: {owners}{mine}{signed}{policy}"
