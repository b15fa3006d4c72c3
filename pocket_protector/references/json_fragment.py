"""Values inside JSON: what the fragment of a reference names."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from pocket_protector.document.reference import decode_part
from pocket_protector.errors import Fault, ProviderError


def json_member(raw: bytes, fragment: str | None) -> bytes:
    """`raw` itself without a fragment. With one, such as `db.password`, the member of that path: its keys are joined by
    dots, and a dot in a key is written `%2E`. ProviderError if there is none."""
    return raw if fragment is None else json_at(raw, fragment.split("."))


def json_at(raw: bytes, path: list[str]) -> bytes:
    """The text, number or truth value at a path of percent-encoded keys in JSON, a number as it is written there.
    ProviderError if there is none."""
    try:
        found = parse_json(raw)
    except ValueError:
        raise _error("what is kept there is not JSON, so that no fragment names a part of it") from None
    for key in map(decode_part, path):
        if not isinstance(found, dict) or key not in found:
            raise _error(
                f"what is kept there has no {key!r} where the fragment names one",
                hint="in a fragment a dot stands between keys; one in a key is written %2E",
            )
        found = found[key]
    if isinstance(found, bool):
        return b"true" if found else b"false"
    if not isinstance(found, str):
        raise _error("what the fragment names is no text, number or truth value: name a key inside it")
    try:
        return found.encode()
    except UnicodeEncodeError:
        raise _error("what the fragment names is not valid text") from None


def parse_json(raw: bytes) -> Any:
    """What the JSON says, each number as the text that it is written as: 1.10 is no 1.1. ValueError for what is no JSON
    of RFC 8259, for a key that stands twice in one object, and for what is nested too deeply."""
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
