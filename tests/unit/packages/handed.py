"""A package of Alice's for Bob and Carol, and what an attacker makes of one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from pocket_protector import Reference, Sensitivity
from pocket_protector.crypto.aead import derive_key, encrypt
from pocket_protector.crypto.encoding import lp
from pocket_protector.crypto.identity import Identity
from pocket_protector.crypto.keys import digest
from pocket_protector.crypto.sealing import seal
from pocket_protector.document.exported import ExportedDomain, ExportedEntry
from pocket_protector.packages import package_sealing
from pocket_protector.packages.contents import encode_gated, encode_open
from pocket_protector.packages.header import Gate, Header
from pocket_protector.packages.package_opening import OpenedPackage, SealedPackage
from pocket_protector.packages.package_sealing import MAGIC, PackageRequest, seal_package
from pocket_protector.packages.token import Token

ALICE, BOB, CAROL, MALLORY = (
    Identity.from_seed(f"{name}@example.com", bytes([seed]) * 32)
    for name, seed in (("alice", 0xA1), ("bob", 0xB2), ("carol", 0xC3), ("mallory", 0x66))
)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FILE_ID = bytes(range(16))

API = ExportedEntry("API_KEY", b"tulip-api", Sensitivity.MEDIUM)
POINTER = ExportedEntry("db-url", Reference("azure-kv://my-keyvault/db-url"), Sensitivity.LOW)
HIGH = ExportedEntry("db-password", "tulip-db ☃".encode(), Sensitivity.HIGH)
NEVER = ExportedEntry("signing-key", b"tulip-key", Sensitivity.INJECT_ONLY)
ENTRIES = (API, HIGH, POINTER, NEVER)
GATED = (HIGH, NEVER)
DEV = ExportedDomain(FILE_ID, "dev", None, ENTRIES)


def request(gate: Gate = Gate.TOKEN, token: Token | None = None, **parts: object) -> PackageRequest:
    made = PackageRequest(ALICE, (BOB.public_key, CAROL.public_key), NOW, DAY, token or Token.generate(), gate)
    return replace(made, **parts)  # type: ignore[arg-type]


def sealed(domain: ExportedDomain = DEV, gate: Gate = Gate.TOKEN, **parts: object) -> tuple[bytes, Token]:
    wanted = request(gate, **parts)
    return seal_package(domain, wanted), wanted.token


def anybody(_: Header) -> None:
    """Whoever the sender is, they are known."""


def opened(package: bytes, reader: Identity = BOB, now: datetime = NOW) -> OpenedPackage:
    return SealedPackage.parse(package).check(anybody, now).open(reader.exchange)


@dataclass
class Forged:
    """What a sender with a client of their own can make: every part as they like, signed as it should be."""

    header: Header
    entries: tuple[ExportedEntry, ...] = (API,)
    gated: tuple[ExportedEntry, ...] = GATED
    told: tuple[ExportedEntry, ...] = GATED
    signer: Identity = ALICE
    open_part: bytes | None = None
    recipient_key: bytes = b"k" * 32

    def package(self) -> bytes:
        bound, key, gate_key = self.header.hash(), self.recipient_key, b"g" * 32
        inside = encode_open(self.entries, self.told) if self.open_part is None else self.open_part
        body = lp(
            *(
                seal(to, package_sealing.RECIPIENT, package_sealing.place(bound, index), key)
                for index, to in enumerate(self.header.recipients)
            ),
            encrypt(
                derive_key(key[:32].ljust(32), lp(package_sealing.OPEN, bound)), inside, lp(package_sealing.OPEN, bound)
            ),
            encrypt(gate_key, encode_gated(self.gated), lp(package_sealing.GATED, bound)),
            encrypt(
                derive_key(key[:32].ljust(32), lp(package_sealing.TOKEN, b"t" * 16, bound)),
                gate_key,
                lp(package_sealing.TOKEN, bound),
            ),
        )
        return signed(self.header.encode(), body, self.signer)


def signed(header: bytes, body: bytes, signer: Identity) -> bytes:
    """A package of these parts, with a signature of the signer's over them."""
    assert signer.signing is not None
    return MAGIC + lp(header) + body + signer.signing.sign(package_sealing.SIGNATURE, digest(header), digest(body))


def taken_apart(package: bytes) -> tuple[bytes, bytes, bytes]:
    """Header, body and signature of a package."""
    start = len(MAGIC) + 4
    end = start + int.from_bytes(package[len(MAGIC) : start], "big")
    return package[start:end], package[end:-64], package[-64:]
