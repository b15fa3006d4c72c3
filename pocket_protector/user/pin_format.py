"""A pin: what a user has seen of a file, as bytes to be kept in the user's own folder.

JSON with the text of the file and the memory. Hashes and keys are base64.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pocket_protector.crypto.keys import DIGEST_BYTES, KEY_BYTES
from pocket_protector.document.document import Document
from pocket_protector.document.statements import Keys
from pocket_protector.errors import PocketProtectorError, StoreError
from pocket_protector.format.loaded_file import dump, load_text
from pocket_protector.trust.judge.state import Memory, State


def encode_pin(text: str, memory: Memory) -> bytes:
    """The pin of a file with this text, which was judged with this memory as a result."""
    content = {
        "gone": _texts(memory.gone),
        "epochs": {name: _texts(hashes) for name, hashes in sorted(memory.epochs.items())},
        "custodians": {
            name: _texts(keys.public_key + keys.verify_key for keys in known)
            for name, known in sorted(memory.custodians.items())
        },
        "keys": {name: _texts(keys) for name, keys in sorted(memory.keys.items())},
        "missed": _texts(memory.missed),
        "truncated": _texts(memory.truncated),
        "elsewhere": {name: dump(document).text for name, document in sorted(memory.elsewhere.items())},
        "text": text,
    }
    return json.dumps(content).encode() + b"\n"


def decode_pin(raw: bytes) -> tuple[str, State]:
    """The file's text, and what was judged of it; StoreError for anything that `encode_pin` did not make."""
    try:
        content = json.loads(raw)
        text = content["text"]
        memory = Memory(
            frozenset(_sized(_bytes(content["gone"]), DIGEST_BYTES)),
            {name: frozenset(_sized(hashes, DIGEST_BYTES)) for name, hashes in _sets(content["epochs"]).items()},
            {name: frozenset(map(_keys, raws)) for name, raws in _sets(content["custodians"]).items()},
            {name: frozenset(_sized(keys, 1 + KEY_BYTES)) for name, keys in _sets(content["keys"]).items()},
            frozenset(_sized(_bytes(content["missed"]), DIGEST_BYTES)),
            frozenset(_sized(_bytes(content["truncated"]), DIGEST_BYTES)),
            {name: _alone(name, text) for name, text in content["elsewhere"].items()},
        )
        return text, State.of(load_text(text).document, memory)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, PocketProtectorError):
        raise StoreError("the pin is damaged") from None


def _keys(raw: bytes) -> Keys:
    if len(raw) not in (KEY_BYTES, 2 * KEY_BYTES):
        raise ValueError
    return Keys(raw[:KEY_BYTES], raw[KEY_BYTES:])


def _sized(items: Iterable[bytes], length: int) -> list[bytes]:
    found = list(items)
    if any(len(item) != length for item in found):
        raise ValueError
    return found


def _alone(name: str, text: str) -> Document:
    document = load_text(text).document
    if [*document.domains] != [name]:
        raise ValueError
    return document


def _texts(items: Iterable[bytes]) -> list[str]:
    return [base64.b64encode(item).decode() for item in sorted(items)]


def _bytes(texts: Any) -> list[bytes]:
    return [base64.b64decode(text, validate=True) for text in texts]


def _sets(content: Mapping[str, Any]) -> dict[str, frozenset[bytes]]:
    return {name: frozenset(_bytes(texts)) for name, texts in content.items()}
