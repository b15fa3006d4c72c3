"""Public-key encryption that is bound to a place: a box opens only with the right key, label and context
(docs/format.md, section 4)."""

from __future__ import annotations

from collections.abc import Mapping

from nacl import bindings, exceptions

from pocket_protector.crypto.encoding import LABEL_PREFIX, PADDING_BLOCK, lp, pad, unpad
from pocket_protector.crypto.keys import KEY_ID_BYTES, PrivateKey, key_id
from pocket_protector.errors import IntegrityError

SECRET = LABEL_PREFIX + b"sealed-secret"
DOMAIN_KEY = LABEL_PREFIX + b"wrapped-domain-key"
RETIRED_KEY = LABEL_PREFIX + b"retired-domain-key"

SEALED_BOX_OVERHEAD = bindings.crypto_box_SEALBYTES
MIN_SEALED_BYTES = KEY_ID_BYTES + SEALED_BOX_OVERHEAD + PADDING_BLOCK
"""Key id (8), ephemeral public key (32), tag (16) and at least one padded block (32), without the context."""


def seal(recipient: bytes, label: bytes, context: tuple[bytes, ...], payload: bytes) -> bytes:
    """Seal the payload to a checked X25519 public key (32 bytes).

    Returns the key id (8 bytes), then a libsodium sealed box of LP(label, context…) and the padded payload.
    """
    return key_id(recipient) + bindings.crypto_box_seal(lp(label, *context) + pad(payload), recipient)


def open_sealed(sealed: bytes, keys: Mapping[bytes, PrivateKey], label: bytes, context: tuple[bytes, ...]) -> bytes:
    """Return the payload of `seal`. Only the key that the id names is tried.

    Raises IntegrityError for an unknown key id, a box that does not open, another label or context, and inexact
    padding.
    """
    key = keys.get(sealed[:KEY_ID_BYTES])
    if key is None:
        raise IntegrityError("it is sealed to a key that is not at hand")
    plain = _open_box(sealed[KEY_ID_BYTES:], key)
    place = lp(label, *context)
    if not plain.startswith(place):
        raise IntegrityError("it belongs to another place")
    payload = unpad(plain[len(place) :])
    if payload is None:
        raise IntegrityError("its padding is damaged")
    return payload


def open_unbound(box: bytes, key: PrivateKey) -> bytes:
    """Open a sealed box of Pocket Protector's version 0, which carries neither label nor context."""
    return _open_box(box, key)


def _open_box(box: bytes, key: PrivateKey) -> bytes:
    try:
        return bindings.crypto_box_seal_open(box, key.public, key.raw)
    except (exceptions.CryptoError, TypeError, ValueError):
        raise IntegrityError("it does not open: it was damaged, or sealed to another key") from None
