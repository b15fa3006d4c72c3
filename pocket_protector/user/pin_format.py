"""A pin as bytes: the text of the trusted file, and the facts about the versions that the user saw.

The format is JSON, with hashes and keys in base64. Pins of version 1 are read, and become version 2 when they move.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pocket_protector.crypto.keys import DIGEST_BYTES, KEY_BYTES
from pocket_protector.document.document import Document
from pocket_protector.document.statements import Keys
from pocket_protector.errors import PocketProtectorError, StoreError
from pocket_protector.format.loaded_file import load_text
from pocket_protector.trust.judge.state import Memory, State


def encode_pin(text: str, memory: Memory) -> bytes:
    """Return the pin of a file with this text, for the memory that resulted from judging the file."""
    content = {
        "custodians": {
            name: _texts(keys.public_key + keys.verify_key for keys in known)
            for name, known in sorted(memory.custodians.items())
        },
        "epochs": {name: _texts(hashes) for name, hashes in sorted(memory.epochs.items())},
        "keys": {name: _texts(keys) for name, keys in sorted(memory.keys.items())},
        "owners": _texts(memory.owners),
        "seen": _texts(memory.seen),
        "gone": _texts(memory.gone),
        "text": text,
    }
    return json.dumps(content).encode() + b"\n"


def decode_pin(raw: bytes, version: int = 2) -> tuple[str, State]:
    """Return the file's text, and the state of somebody who trusts it and knows the pin's facts.

    Raises StoreError for bytes that no version of this program wrote.
    """
    try:
        content = json.loads(raw)
        text = content["text"]
        document = load_text(text).document
        memory = _facts(content)
        if version == 1:
            memory = _of_version_1(memory, content["elsewhere"], document)
        else:
            memory = replace(memory, owners=_hashes(content["owners"]), seen=_hashes(content["seen"]))
        return text, State.trusting(document, memory)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, PocketProtectorError):
        raise StoreError("the pin is damaged") from None


def _facts(content: Mapping[str, Any]) -> Memory:
    """Return the facts that pins of both versions have."""
    return Memory(
        {name: frozenset(map(_keys, raws)) for name, raws in _sets(content["custodians"]).items()},
        {name: frozenset(_sized(hashes, DIGEST_BYTES)) for name, hashes in _sets(content["epochs"]).items()},
        {name: frozenset(_sized(keys, 1 + KEY_BYTES)) for name, keys in _sets(content["keys"]).items()},
        gone=_hashes(content["gone"]),
    )


def _of_version_1(memory: Memory, elsewhere: Mapping[str, str], document: Document) -> Memory:
    """Return the facts of a version 1 pin as a memory for the present judge.

    Such a pin had the keys of removed custodians, the removals recorded in its log, and the domains of other branches,
    each alone in a document. The trusted document decides about its own custodians and domains: for those the pin may
    know keys and epochs that the user gave up.
    """
    for name, text in elsewhere.items():
        other = load_text(text).document
        if [*other.domains] != [name]:
            raise ValueError
        memory = memory.joined(State.trusting(other).memory)
    return replace(
        memory,
        custodians={name: keys for name, keys in memory.custodians.items() if name not in document.custodians},
        epochs={name: hashes for name, hashes in memory.epochs.items() if name not in document.domains},
    )


def _keys(raw: bytes) -> Keys:
    if len(raw) not in (KEY_BYTES, 2 * KEY_BYTES):
        raise ValueError
    return Keys(raw[:KEY_BYTES], raw[KEY_BYTES:])


def _sized(items: Iterable[bytes], length: int) -> list[bytes]:
    found = list(items)
    if any(len(item) != length for item in found):
        raise ValueError
    return found


def _hashes(texts: Any) -> frozenset[bytes]:
    return frozenset(_sized(_bytes(texts), DIGEST_BYTES))


def _texts(items: Iterable[bytes]) -> list[str]:
    return [base64.b64encode(item).decode() for item in sorted(items)]


def _bytes(texts: Any) -> list[bytes]:
    return [base64.b64decode(text, validate=True) for text in texts]


def _sets(content: Mapping[str, Any]) -> dict[str, frozenset[bytes]]:
    return {name: frozenset(_bytes(texts)) for name, texts in content.items()}
