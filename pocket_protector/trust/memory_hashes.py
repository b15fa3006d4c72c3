"""Hashes (32 bytes) of what was seen, as the memory keeps them."""

from __future__ import annotations

from pocket_protector.crypto.encoding import lp
from pocket_protector.crypto.keys import digest
from pocket_protector.document.domain import Domain, Secret
from pocket_protector.document.reference import Reference
from pocket_protector.document.statements import Signed, Signer


def secret_hash(domain: str, name: str, secret: Secret) -> bytes:
    """Of a sealed value in its place, whoever signed it, and whatever time stands beside it; or of a reference."""
    return digest(lp(b"entry", domain.encode(), name.encode(), secret.version))


def level_hash(domain: str, name: str, secret: Secret) -> bytes:
    """Of the fact that the entry had this sensitivity, as long as it held the same: the same pointer too, whenever it
    was set."""
    held = secret.value.text.encode() if isinstance(secret.value, Reference) else secret.value
    return digest(lp(b"level", domain.encode(), name.encode(), held, secret.sensitivity.encode()))


def listed_hash(domain: Domain, owner: str) -> bytes:
    """Of the fact that this grant stood in a domain that nobody has signed, under this key."""
    return digest(
        lp(b"listed", domain.name.encode(), domain.public_key, owner.encode(), domain.owners[owner].wrapped_key)
    )


def key_hash(domain: Domain) -> bytes:
    """Of the fact that a domain that nobody has signed had this key."""
    return digest(lp(b"key", domain.name.encode(), domain.key))


def grant_hash(signed: Signed) -> bytes:
    """Of a signed grant. Nobody but the signer can make another signature of the same statement."""
    return digest(lp(b"grant", signed.signature))


def owner_hash(domain: str, public_key: bytes, signer: Signer) -> bytes:
    """Of the fact that somebody was an owner of the domain under that key."""
    return digest(lp(b"owner", domain.encode(), public_key, signer.name.encode(), signer.verify_key))
