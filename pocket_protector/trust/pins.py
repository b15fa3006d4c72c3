"""A pin: what a user has seen of a file, as bytes to be kept in the user's own folder.

One line, `pprotect-pin 1 <BLAKE2b-256 of the file's text in hex>`, so that a file which did not change is recognised
without reading more; then JSON with the text of the file and the memory. Hashes and keys are base64.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pocket_protector.crypto.keys import KEY_BYTES, digest
from pocket_protector.errors import PocketProtectorError, StoreError
from pocket_protector.format.file import MAX_FILE_BYTES, load_text
from pocket_protector.model.statements import Keys
from pocket_protector.trust.state import Memory, State

MAX_PIN_BYTES = 8 * MAX_FILE_BYTES
"""The text may grow in JSON, and the memory with the file's age."""

_HEAD = "pprotect-pin 1 "
HEAD_BYTES = len(_HEAD) + 64 + 1


def head(text: str) -> bytes:
    """The first line of the pin of a file with this text."""
    return f"{_HEAD}{digest(text.encode()).hex()}\n".encode()


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
        "text": text,
    }
    return head(text) + json.dumps(content).encode() + b"\n"


def decode_pin(raw: bytes) -> State:
    """The inverse of `encode_pin`; StoreError for anything else."""
    try:
        first, _, rest = raw.partition(b"\n")
        content = json.loads(rest)
        text = content["text"]
        if first + b"\n" != head(text):
            raise ValueError
        memory = Memory(
            frozenset(_bytes(content["gone"])),
            _sets(content["epochs"]),
            {
                name: frozenset(map(_keys, raws))
                for name, raws in _sets(content["custodians"]).items()
            },
            _sets(content["keys"]),
        )
        return State.of(load_text(text).document, memory)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, PocketProtectorError):
        raise StoreError("the pin is damaged") from None


def _keys(raw: bytes) -> Keys:
    if len(raw) not in (KEY_BYTES, 2 * KEY_BYTES):
        raise ValueError
    return Keys(raw[:KEY_BYTES], raw[KEY_BYTES:])


def _texts(items: Iterable[bytes]) -> list[str]:
    return [base64.b64encode(item).decode() for item in sorted(items)]


def _bytes(texts: Any) -> list[bytes]:
    return [base64.b64decode(text, validate=True) for text in texts]


def _sets(content: Mapping[str, Any]) -> dict[str, frozenset[bytes]]:
    return {name: frozenset(_bytes(texts)) for name, texts in content.items()}
