"""Commands about trust: the user's record of the file, and fingerprints."""

from __future__ import annotations

from typing import Annotated

import typer

from pocket_protector.cli import output
from pocket_protector.cli.parameters import Json, RequiredCustodian
from pocket_protector.cli.session import session_of
from pocket_protector.cli.usage import UsageError
from pocket_protector.errors import StoreError
from pocket_protector.keyfile.key_file import KeyFile
from pocket_protector.trust.fingerprints import to_hex, to_words
from pocket_protector.user.guarded_key_file import GuardedKeyFile
from pocket_protector.user.judged_file import JudgedFile

_FOUND = 1


def trust(
    ctx: typer.Context,
    accept: Annotated[
        str | None, typer.Argument(metavar="[accept]", help="Trust the file as it is now; asks first.")
    ] = None,
    json: Json = False,
) -> None:
    """Show your own record of the file, and the unauthorized changes since.

    `pprotect trust accept` trusts the file as it is now. First compare the fingerprints with their owners, over another
    channel than the repository.
    """
    if accept not in (None, "accept"):
        raise UsageError(
            f"trust takes no argument but accept, not {accept!r}", hint="pprotect trust, or pprotect trust accept"
        )
    session = session_of(ctx)
    guarded = session.open()
    store = guarded.key_file
    store.check_changeable()
    judged = _judged(guarded, repair=accept is not None)
    output.listing("trust", _content(store, judged)) if json else output.lines(_lines(store, judged))
    if accept is None:
        if judged.before is None:
            judged.pin_as_read(output.notice)
        if judged.violations:
            raise typer.Exit(_FOUND)
    elif session.prompts.agreed("Trust the file as it is now?"):
        session.prompts.finish()
        guarded.accept()
        output.note(f"{store.path} is trusted as it is now")
    else:
        output.note("aborted: nothing was accepted")


def fingerprint(ctx: typer.Context, custodian: RequiredCustodian, json: Json = False) -> None:
    """Print a key custodian's fingerprint, as eight words to read aloud and as hexadecimal digits."""
    raw = session_of(ctx).read().get_fingerprint(custodian)
    if json:
        output.listing("fingerprint", {"custodian": custodian, "words": to_words(raw), "hex": to_hex(raw)})
    else:
        output.lines([to_words(raw), to_hex(raw)])


def _judged(guarded: GuardedKeyFile, *, repair: bool) -> JudgedFile:
    """Return the file judged against the pin. With `repair`, a damaged pin counts as a missing one."""
    try:
        return guarded.judged.judged()
    except StoreError as error:
        if not repair:
            raise
        output.note(f"note: {error.message}")
        guarded.forget_damaged_pin()
        return guarded.judged


def _seen(judged: JudgedFile) -> str:
    if judged.before is None:
        return "never: this is the first contact; compare the fingerprints with their owners"
    return "as it is now" if not judged.findings else "before it changed as below"


def _lines(store: KeyFile, judged: JudgedFile) -> list[str]:
    lines = [f"file: {store.path}", f"file id: {store.file_id.hex()}", f"seen: {_seen(judged)}", "key custodians:"]
    lines += [f"  - {name}: {to_words(store.get_fingerprint(name))}" for name in store.get_key_custodian_names()]
    lines.append("key domains:")
    for name in store.get_domain_names():
        owners = store.authority(name).owners
        maker = store.get_epoch_maker(name)
        signed = f"signed by {maker}; " if maker else "nobody signed its key and owners; "
        lines.append(f"  - {name}: {signed}owners who count: {', '.join(owners.counting) or 'none'}")
    for finding in judged.findings:
        if not finding.kind.is_first_contact:
            lines.append(f"{finding.severity.label}: {'/'.join(finding.where)}: {finding.text} [{finding.code}]")
            lines += [f"  {finding.hint}"] if finding.hint else []
    lines += [f"before: {line.removeprefix('note: ')}" for line in _pending(judged)]
    return lines


def _pending(judged: JudgedFile) -> list[str]:
    """Return the pending notices, which perhaps nobody has read."""
    return judged.pin.pending(judged.key_file.file_id) if judged.pin is not None else []


def _content(store: KeyFile, judged: JudgedFile) -> dict[str, object]:
    return {
        "file": store.path,
        "file_id": store.file_id.hex(),
        "first_contact": judged.before is None,
        "untold": _pending(judged),
        "key_custodians": {name: to_hex(store.get_fingerprint(name)) for name in store.get_key_custodian_names()},
        "domains": {
            name: {"signed_by": store.get_epoch_maker(name), "owners": store.authority(name).owners.counting}
            for name in store.get_domain_names()
        },
        "findings": [
            {
                "severity": finding.severity.label,
                "code": finding.code,
                "object": "/".join(finding.where),
                "text": finding.text,
                "hint": finding.hint,
            }
            for finding in judged.findings
        ],
    }
