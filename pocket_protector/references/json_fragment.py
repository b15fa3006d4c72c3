"""Select the value that the fragment of a reference names in a JSON document."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from pocket_protector.document.reference import decode_part
from pocket_protector.errors import Fault, ProviderError


def json_member(raw: bytes, fragment: str | None) -> bytes:
    """Return the member of a JSON document that the fragment names; without a fragment, return `raw`.

    In a fragment such as `db.password`, dots join the keys of the path, and a dot in a key is written `%2E`. Raises
    ProviderError if there is no such member.
    """
    return raw if fragment is None else json_at(raw, fragment.split("."))


def json_at(raw: bytes, path: list[str]) -> bytes:
    """Return the text, number or truth value at a path of percent-encoded keys in a JSON document, as UTF-8.

    A number keeps its spelling. Raises ProviderError if `raw` is not JSON, or has nothing of these types there.
    """
    try:
        found = parse_json(raw)
    except ValueError:
        raise _error("the value is not JSON, so a fragment cannot select a part of it") from None
    for key in map(decode_part, path):
        if not isinstance(found, dict) or key not in found:
            raise _error(
                f"the JSON value has no key {key!r} at the place that the fragment names",
                hint="separate keys by dots, and write a dot in a key as %2E",
            )
        found = found[key]
    if isinstance(found, bool):
        return b"true" if found else b"false"
    if not isinstance(found, str):
        raise _error("the fragment does not name a text, number or truth value", hint="name a key inside it")
    try:
        return found.encode()
    except UnicodeEncodeError:
        raise _error("the text that the fragment names is not valid Unicode") from None


def parse_json(raw: bytes) -> Any:
    """Parse JSON (RFC 8259) and return each number as its source text: 1.10 is not 1.1.

    Raises ValueError for invalid JSON, a duplicate key in an object, and too deep nesting.
    """
    try:
        return json.loads(raw, object_pairs_hook=_unique, parse_int=str, parse_float=str, parse_constant=_refuse)
    except RecursionError:
        raise ValueError from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _refuse(_: str) -> NoReturn:
    raise ValueError


def _error(message: str, hint: str = "") -> ProviderError:
    return ProviderError(Fault.OTHER, message, hint=hint)
