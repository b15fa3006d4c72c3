"""Commands about whom the user trusts: what was seen of the file, and fingerprints."""

from __future__ import annotations

from typing import Annotated

import typer

from pocket_protector.cli import output
from pocket_protector.cli.parameters import Json, RequiredCustodian
from pocket_protector.cli.session import Session, session_of
from pocket_protector.cli.usage import UsageError
from pocket_protector.cli.watching import Watch, look_anew
from pocket_protector.errors import StoreError
from pocket_protector.keyfile.key_file import KeyFile
from pocket_protector.trust.fingerprints import to_hex, to_words

_FOUND = 1


def trust(
    ctx: typer.Context,
    accept: Annotated[
        str | None, typer.Argument(metavar="[accept]", help="Trust the file as it is now, after a question.")
    ] = None,
    json: Json = False,
) -> None:
    """Show what you have seen of the file, and what changed since that nobody with the right to it changed.

    `pprotect trust accept` trusts the file as it is now: after you compared the fingerprints with their owners, by
    another way than the repository.
    """
    if accept not in (None, "accept"):
        raise UsageError(f"{accept!r} is nothing that trust does", hint="pprotect trust, or pprotect trust accept")
    session = session_of(ctx)
    store = session.read()
    store.check_changeable()
    watch = _judged(session, store, repair=accept is not None)
    output.listing("trust", _content(store, watch)) if json else output.lines(_lines(store, watch))
    if accept is None:
        if watch.before is None:
            watch.seen()
        if watch.violations:
            raise typer.Exit(_FOUND)
    elif session.prompts.agreed("Trust the file as it is now?"):
        session.prompts.finish()
        watch.accept()
        output.note(f"{store.path} is trusted as it is now")
    else:
        output.note("aborted: nothing is trusted that was not before")


def fingerprint(ctx: typer.Context, custodian: RequiredCustodian, json: Json = False) -> None:
    """Print a key custodian's fingerprint, in eight words to read out and in hexadecimal digits."""
    raw = session_of(ctx).read().get_fingerprint(custodian)
    if json:
        output.listing("fingerprint", {"custodian": custodian, "words": to_words(raw), "hex": to_hex(raw)})
    else:
        output.lines([to_words(raw), to_hex(raw)])


def _judged(session: Session, store: KeyFile, *, repair: bool) -> Watch:
    """The file judged against the pin, changed or not; a pin that is damaged counts as none for `repair`."""
    try:
        return session.watch(store).judged()
    except StoreError as error:
        if not repair:
            raise
        output.note(f"note: {error.message}")
        return look_anew(store)


def _seen(watch: Watch) -> str:
    if watch.before is None:
        return "never: this is the first contact; compare the fingerprints with their owners"
    return "as it is now" if not watch.findings else "before it changed as below"


def _lines(store: KeyFile, watch: Watch) -> list[str]:
    lines = [f"file: {store.path}", f"file id: {store.file_id.hex()}", f"seen: {_seen(watch)}", "key custodians:"]
    lines += [f"  - {name}: {to_words(store.get_fingerprint(name))}" for name in store.get_key_custodian_names()]
    lines.append("key domains:")
    for name in store.get_domain_names():
        owners = store.authority(name).owners
        maker = store.get_epoch_maker(name)
        signed = f"signed by {maker}; " if maker else "nobody signed its key and owners; "
        lines.append(f"  - {name}: {signed}owners who count: {', '.join(owners.counting) or 'none'}")
    for finding in watch.findings:
        if not finding.kind.is_first_contact:
            lines.append(f"{finding.severity.label}: {'/'.join(finding.where)}: {finding.text} [{finding.code}]")
            lines += [f"  {finding.hint}"] if finding.hint else []
    lines += [f"before: {line.removeprefix('note: ')}" for line in _pending(watch)]
    return lines


def _pending(watch: Watch) -> list[str]:
    """What deserved a look since, and nobody may have read."""
    return watch.pin.pending(watch.store.file_id) if watch.pin is not None else []


def _content(store: KeyFile, watch: Watch) -> dict[str, object]:
    return {
        "file": store.path,
        "file_id": store.file_id.hex(),
        "first_contact": watch.before is None,
        "untold": _pending(watch),
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
            for finding in watch.findings
        ],
    }
