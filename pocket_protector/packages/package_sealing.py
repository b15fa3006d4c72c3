"""Seal a package (docs/format.md, section 13)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta

from pocket_protector.changes.signing import require_signing
from pocket_protector.crypto.aead import derive_key, encrypt
from pocket_protector.crypto.encoding import LABEL_PREFIX, lp
from pocket_protector.crypto.identity import Identity, SigningIdentity
from pocket_protector.crypto.keys import KEY_BYTES, digest
from pocket_protector.crypto.sealing import seal
from pocket_protector.document.exported import ExportedDomain
from pocket_protector.document.names import looks_like_production, parse_secret_name
from pocket_protector.document.statements import Keys
from pocket_protector.document.times import format_time
from pocket_protector.errors import PolicyError, StoreError, command
from pocket_protector.packages.contents import encode_gated, encode_open, is_gated
from pocket_protector.packages.header import LONGEST_LIFE, MOST_RECIPIENTS, Gate, Header
from pocket_protector.packages.token import Token

MAGIC = b"pprotect-package"
MAX_PACKAGE_BYTES = 16 * 1024 * 1024

SIGNATURE = b"package"
RECIPIENT = LABEL_PREFIX + b"package-recipient"
HUMAN = LABEL_PREFIX + b"package-human"
OPEN = LABEL_PREFIX + b"package-open"
GATED = LABEL_PREFIX + b"package-gated"
TOKEN = LABEL_PREFIX + b"package-token"


@dataclass(frozen=True, slots=True, repr=False)
class PackageRequest:
    """How to seal a domain.

    `sender` signs, and needs keys that can sign. `recipients` are 1 to 64 X25519 public keys (32 bytes each), checked,
    such as `Recipient.public_key`. The package can be opened from `now` on, for `life` (1 second to 30 days). `token`
    is a new one, from `Token.generate`. `gate` decides whether a person can open the gated entries without the token.
    """

    sender: Identity
    recipients: tuple[bytes, ...]
    now: datetime
    life: timedelta
    token: Token
    gate: Gate = Gate.TOKEN


def seal_package(domain: ExportedDomain, request: PackageRequest) -> bytes:
    """Seal a domain's entries to the recipients; return the package in its binary form (at most 16 MiB).

    Entries of high or inject-only sensitivity are gated: the recipient needs the token too, which travels another way.
    References are sealed as they are. Raise PolicyError for a production domain; StoreError for a name that no reader
    accepts, for recipients or a life out of bounds, and for a package that is too large; AccessError for a sender
    whose keys cannot sign.
    """
    sender = require_signing(request.sender)
    check_not_production(domain.name, domain.production)
    for entry in domain.entries:
        # Pocket Protector allowed names that no reader of packages accepts.
        parse_secret_name(entry.name)
    header = _header(domain, request, sender)
    bound, key, gate_key, token = header.hash(), os.urandom(KEY_BYTES), os.urandom(KEY_BYTES), request.token
    ordinary = [entry for entry in domain.entries if not is_gated(entry)]
    gated = [entry for entry in domain.entries if is_gated(entry)]
    human = header.recipients if request.gate is Gate.TOKEN_OR_HUMAN else ()
    body = lp(
        *(seal(to, RECIPIENT, place(bound, index), key) for index, to in enumerate(header.recipients)),
        encrypt(derive_key(key, lp(OPEN, bound)), encode_open(ordinary, gated), lp(OPEN, bound)),
        encrypt(gate_key, encode_gated(gated), lp(GATED, bound)),
        encrypt(derive_key(key, lp(TOKEN, token.secret, bound)), gate_key, lp(TOKEN, bound)),
        *(seal(to, HUMAN, place(bound, index), gate_key) for index, to in enumerate(human)),
    )
    package = MAGIC + lp(header.encode()) + body + sender.signing.sign(SIGNATURE, bound, digest(body))
    if len(package) > MAX_PACKAGE_BYTES:
        raise StoreError(
            f"the package would have more than {MAX_PACKAGE_BYTES} bytes", hint="--secret NAME takes a part"
        )
    return package


def place(bound: bytes, index: int) -> tuple[bytes, bytes]:
    """Return the context of a box for one recipient: the header's hash (32 bytes), and the recipient's index (u32)."""
    return bound, index.to_bytes(4, "big")


def check_not_production(domain: str, production: bool | None) -> None:
    """Check that a domain may leave in a package. Raise PolicyError if its policy says that it is production, or if the
    policy says nothing and its name looks like production."""
    if production or (production is None and looks_like_production(domain)):
        raise PolicyError(
            f"{domain!r} is production, and no package may hold that",
            hint=f"if it is not one, its sender can say so: {command('set-policy', domain, '--no-production')}",
        )


def _header(domain: ExportedDomain, request: PackageRequest, sender: SigningIdentity) -> Header:
    number = len(request.recipients)
    if not 1 <= number <= MOST_RECIPIENTS or len({*request.recipients}) < number:
        raise StoreError(f"a package has 1 to {MOST_RECIPIENTS} recipients, none of them twice")
    if not timedelta(seconds=1) <= request.life <= LONGEST_LIFE:
        raise StoreError(f"a package lives for up to {LONGEST_LIFE.days} days", hint="--ttl 24h, or --ttl 30d")
    return Header(
        package_id=request.token.package_id,
        file_id=domain.file_id,
        sender=sender.name,
        keys=Keys(sender.public_key, sender.verify_key),
        domain=domain.name,
        production=domain.production,
        created=format_time(request.now),
        expires=format_time(request.now + request.life),
        gate=request.gate,
        recipients=request.recipients,
    )
