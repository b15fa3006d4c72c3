"""The command for the summary of a file."""

from __future__ import annotations

import typer

from pocket_protector.cli import output
from pocket_protector.cli.commands.policies import demands
from pocket_protector.cli.parameters import Json
from pocket_protector.cli.session import session_of
from pocket_protector.errors import StoreError
from pocket_protector.keyfile.file_status import FileStatus, status_of
from pocket_protector.user.guarded_key_file import GuardedKeyFile


def status(ctx: typer.Context, json: Json = False) -> None:
    """Print a summary: your name, the key custodians, and the owners, values and policy of each key domain."""
    session = session_of(ctx)
    guarded = session.open()
    found = status_of(guarded.key_file, session.user())
    if json:
        content = {name: _listed(found, name) for name in found.domains}
        output.listing("status", {"file": found.path, "user": found.user, "domains": content})
        return
    lines = [f"file: {found.path}", f"you: {found.user or 'unknown (give -u NAME, or set PPROTECT_USER)'}"]
    lines.append(f"key custodians: {', '.join(found.custodians) or 'none'}")
    lines += [f"key domain {name}: {_described(found, name)}" for name in found.domains]
    lines += _distrusted(guarded)
    output.lines(lines)


def _listed(found: FileStatus, name: str) -> dict[str, object]:
    domain = found.domains[name]
    return {
        "signed_by": domain.signed_by,
        "owners": domain.owners,
        "owners_who_count": domain.owners_who_count,
        "yours": found.is_owned(name),
        "reviewed": domain.reviewed,
        "unreviewed": len(domain.unreviewed),
        "references": len(domain.references),
        "policy": domain.policy.items(),
    }


def _distrusted(guarded: GuardedKeyFile) -> list[str]:
    """Return a line if the file has unauthorized changes."""
    try:
        wrong = len(guarded.judged.violations)
    except StoreError as error:
        return [f"trust: {error.message}"]
    changes = "a change" if wrong == 1 else f"{wrong} changes"
    return [f"trust: {changes} by somebody without the right: pprotect trust"] if wrong else []


def _described(found: FileStatus, name: str) -> str:
    domain = found.domains[name]
    counting = domain.owners_who_count
    owners = ", ".join(owner if owner in counting else f"{owner} (does not count)" for owner in domain.owners)
    signed = "" if domain.signed_by else "; nobody signed its key and owners"
    mine = "" if found.is_owned(name) else "; not yours"
    policy = f"; demands {demands(domain.policy)}" if domain.policy.items() else ""
    counts = f"values: {domain.reviewed} reviewed, {len(domain.unreviewed)} unreviewed"
    if domain.references:
        counts += f" (references among them: {len(domain.references)})"
    return f"{counts}; owners: {owners}{mine}{signed}{policy}"
