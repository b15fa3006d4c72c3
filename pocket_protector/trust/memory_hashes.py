"""Hash (32 bytes) the facts about judged versions, as the memory keeps them."""

from __future__ import annotations

from pocket_protector.crypto.encoding import lp
from pocket_protector.crypto.keys import digest
from pocket_protector.document.domain import Domain, Secret
from pocket_protector.document.reference import Reference
from pocket_protector.document.statements import Signed, Signer


def secret_hash(domain: str, name: str, secret: Secret) -> bytes:
    """Hash a sealed value in its place, regardless of its signer and of the time beside it; or hash a reference."""
    return digest(lp(b"entry", domain.encode(), name.encode(), secret.version))


def level_hash(domain: str, name: str, secret: Secret) -> bytes:
    """Hash the sensitivity of an entry together with its content.

    The content of a reference is its pointer, regardless of the time.
    """
    held = secret.value.text.encode() if isinstance(secret.value, Reference) else secret.value
    return digest(lp(b"level", domain.encode(), name.encode(), held, secret.sensitivity.encode()))


def listed_hash(domain: Domain, owner: str) -> bytes:
    """Hash the presence of this grant in an unsigned domain, under this key."""
    return digest(
        lp(b"listed", domain.name.encode(), domain.public_key, owner.encode(), domain.owners[owner].wrapped_key)
    )


def key_hash(domain: Domain) -> bytes:
    """Hash the key of an unsigned domain."""
    return digest(lp(b"key", domain.name.encode(), domain.key))


def grant_hash(signed: Signed) -> bytes:
    """Hash a signed grant. Nobody but the signer can make another signature of the same statement."""
    return digest(lp(b"grant", signed.signature))


def owner_hash(domain: str, public_key: bytes, signer: Signer) -> bytes:
    """Hash the fact that the signer was an owner of the domain under this key."""
    return digest(lp(b"owner", domain.encode(), public_key, signer.name.encode(), signer.verify_key))
