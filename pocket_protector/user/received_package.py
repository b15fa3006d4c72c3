"""Open a package that somebody sent to this user, without asking anybody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from pocket_protector.crypto.identity import Identity
from pocket_protector.crypto.keys import PrivateKey
from pocket_protector.packages.keys.public_key import PublicKey
from pocket_protector.packages.package_opening import OpenedPackage, SealedPackage
from pocket_protector.user.package_senders import judge_sender


def open_package(
    package: bytes,
    key: Identity | PrivateKey,
    *,
    sender: str | PublicKey | None = None,
    trust: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> OpenedPackage:
    """Open a sealed package; its gated entries stay closed until `OpenedPackage.opened_with(token)`.

    `package` is in binary form or as text. `key` is a recipient's: an identity from `KeyFile.unlock`, or a private key
    from `parse_identity`. `now` is the time at which the package must be valid (the clock, if None).

    The sender must be `sender`, if given: a fingerprint (64 digits or eight words) or a public key. Otherwise it must
    be somebody in `trust`, name → fingerprint, or else the sender of an earlier package whom `pprotect unpack`
    remembered in the user's folder.

    Raises FormatError if `package` is not a package; PolicyError for an unknown sender, an expired package, or a
    package of a production domain; IntegrityError for another sender, a sender who had other keys before, an invalid
    signature, or invalid content; AccessError if the package is not for this key. See docs/format.md, section 13.
    """
    sealed = SealedPackage.parse(package)
    checked = sealed.check(
        lambda header: judge_sender(header, named=sender, trust=trust).check(), now or datetime.now(UTC)
    )
    return checked.open(key.exchange if isinstance(key, Identity) else key)
