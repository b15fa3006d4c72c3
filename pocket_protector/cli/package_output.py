"""Printing of an opened package: its entries, or a list of them."""

from __future__ import annotations

import json
import sys

from pocket_protector.cli import output
from pocket_protector.document.exported import ExportedEntry
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import PolicyError
from pocket_protector.packages.package_opening import OpenedPackage


def print_entries(entries: list[ExportedEntry], *, reveal: bool) -> None:
    """Print the entries as JSON: name → value, or the text of the reference.

    Raises PolicyError if one is inject-only, or if one is of high sensitivity, stdout is a terminal and `reveal` is
    not set.
    """
    for_programs = [entry.name for entry in entries if entry.sensitivity is Sensitivity.INJECT_ONLY]
    if for_programs:
        raise PolicyError(
            f"these values are inject-only, and are not printed: {', '.join(for_programs)}",
            hint="--into DOMAIN imports them, and a program gets them: -- COMMAND",
        )
    high = [entry.name for entry in entries if entry.sensitivity is Sensitivity.HIGH]
    if high and not reveal and sys.stdout is not None and sys.stdout.isatty():
        raise PolicyError(
            f"these values are of high sensitivity, and stdout is a terminal: {', '.join(high)}",
            hint="--reveal prints them anyway",
        )
    output.data(json.dumps({entry.name: _shown(entry.content) for entry in entries}, indent=2, sort_keys=True) + "\n")
    output.flush()


def _shown(content: bytes | Reference) -> str:
    return content.text if isinstance(content, Reference) else content.decode()


def print_contents(opened: OpenedPackage, *, as_json: bool) -> None:
    """Print the contents of a package, without its values: sender, domain, times, and each entry's name and kind."""
    header = opened.package.header
    rows = [(entry.name, isinstance(entry.content, Reference), entry.sensitivity, False) for entry in opened.entries]
    rows += [(*told, True) for told in opened.gated]
    if as_json:
        content = {
            "sender": header.sender,
            "domain": header.domain,
            "created": header.created,
            "expires": header.expires,
            "gate": header.gate.value,
            "entries": [
                {
                    "name": name,
                    "kind": "reference" if pointer else "value",
                    "sensitivity": level.word,
                    "gated": gated,
                }
                for name, pointer, level, gated in sorted(rows)
            ],
        }
        output.listing("package", content)
        return
    output.note(f"secrets of {header.domain}, from {header.sender}, until {header.expires}")
    output.table(
        [
            (name, "reference" if pointer else "value", level.word, f"behind the {header.gate.value}" if gated else "")
            for name, pointer, level, gated in sorted(rows)
        ]
    )
