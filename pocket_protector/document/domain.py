"""Key domains: a public key that anyone can seal to, its private key wrapped for each owner, and the secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from pocket_protector.crypto.identity import Identity
from pocket_protector.crypto.keys import KEY_BYTES, KEY_ID_BYTES, PrivateKey, digest, key_id
from pocket_protector.crypto.sealing import DOMAIN_KEY, RETIRED_KEY, SECRET, open_sealed, open_unbound, seal
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import AccessError, IntegrityError, StoreError, command

if TYPE_CHECKING:  # imported late: a file that nobody has signed needs none of it
    from pocket_protector.document.epoch import Epoch, PastEpoch
    from pocket_protector.document.policy import Policy
    from pocket_protector.document.statements import Signed

MAX_VALUE_BYTES = 1024 * 1024

LEGACY = b"\0"
BOUND = b"\1"


@dataclass(frozen=True, slots=True)
class Secret:
    """A sealed value (a scalar with its version byte), or a reference to one.

    `updated` is the time when it was last set, "" in a legacy file. `signed` is None if nobody has signed it.
    """

    value: bytes | Reference
    updated: str
    signed: Signed | None = None
    sensitivity: Sensitivity = Sensitivity.MEDIUM

    @property
    def bound(self) -> bool:
        """Whether the value opens in its own place only; a legacy value opens anywhere."""
        return isinstance(self.value, Reference) or self.value.startswith(BOUND)

    @property
    def sealed_for(self) -> bytes | None:
        """The id (8 bytes) of the domain key that the value is sealed to; None for a reference and a legacy value."""
        if isinstance(self.value, Reference) or not self.bound:
            return None
        return self.value[1 : 1 + KEY_ID_BYTES]

    @property
    def version(self) -> bytes:
        """Bytes that differ for every version of the entry.

        Sealed bytes always differ. A reference may return to an earlier target, so its time is added.
        """
        if isinstance(self.value, Reference):
            return f"{self.value} {self.updated}".encode()
        return self.value

    def said(self) -> tuple[bytes, bytes, bytes, bytes]:
        """Return the fields that a signature of the entry covers, besides its place (docs/format.md, section 4.8).

        They are the kind of entry, the digest of the sealed bytes (32 bytes) or the reference, the sensitivity, and the
        time.
        """
        reference = isinstance(self.value, Reference)
        content = self.value.text.encode() if isinstance(self.value, Reference) else digest(self.value)
        return (b"reference" if reference else b"value", content, self.sensitivity.encode(), self.updated.encode())


@dataclass(frozen=True, slots=True)
class Grant:
    """The domain's private key wrapped for one owner (a scalar with its version byte), and the time of the grant.

    `signed` has the granter's signature; None if nobody has signed it.
    """

    wrapped_key: bytes
    granted: str
    signed: Signed | None = None


@dataclass(frozen=True, slots=True)
class Domain:
    """A key domain. `key` is the public key's scalar (33 bytes); version byte 1 says that the domain is bound.

    `retired` maps key ids (8 bytes) of earlier keys to their private keys, sealed to the present one. `epoch` states
    the present key and policy, and `past` has the earlier epochs by their hashes (32 bytes); a domain that nobody has
    signed has neither. Raises IntegrityError for a legacy value or grant in a bound domain.
    """

    name: str
    key: bytes
    owners: Mapping[str, Grant]
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    retired: Mapping[bytes, bytes] = field(default_factory=dict)
    epoch: Epoch | None = None
    past: Mapping[bytes, PastEpoch] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.bound:
            for name, secret in self.secrets.items():
                if not secret.bound:
                    raise _unbound("value").under(f"secret-{name}")
            for name, grant in self.owners.items():
                if not grant.wrapped_key.startswith(BOUND):
                    raise _unbound("wrapped key").under("meta", "owners", name)

    @property
    def bound(self) -> bool:
        """Whether every value and grant of the domain opens in its own place only."""
        return self.key.startswith(BOUND)

    @property
    def public_key(self) -> bytes:
        """The X25519 public key (32 bytes), without its version byte."""
        return self.key[1:]

    def as_signed(self) -> SignedDomain | None:
        """Return this domain as one that has an epoch; None if nobody has signed it."""
        return None if self.epoch is None else cast("SignedDomain", self)

    @property
    def policy(self) -> Policy:
        """The owners' policy; an empty one in a domain that nobody has signed."""
        from pocket_protector.document.policy import Policy

        return self.epoch.policy if self.epoch else Policy()

    @property
    def demands(self) -> bool:
        """Whether the policy demands anything."""
        return self.epoch is not None and bool(self.epoch.policy.items())

    def check_owner(self, name: str) -> None:
        """Check that the custodian is listed as an owner; AccessError if not."""
        if name not in self.owners:
            raise AccessError(
                f"{name!r} is not an owner of {self.name!r} (owners: {', '.join(sorted(self.owners))})",
                hint=f"an owner runs: {command('add-owner', self.name, name)}",
            )

    def references(self) -> dict[str, Reference]:
        """Return the references by the names of their entries."""
        return {name: s.value for name, s in self.secrets.items() if isinstance(s.value, Reference)}

    def sensitivity(self, name: str) -> Sensitivity:
        """Return the entry's own sensitivity, at least high if the policy says that the domain is production."""
        least = Sensitivity.HIGH if self.demands and self.policy.production else Sensitivity.LOW
        return max(self.secrets[name].sensitivity, least)

    def unbound_names(self) -> list[str]:
        """Return the names of legacy values: nobody would notice if two of these were swapped."""
        return [name for name, secret in self.secrets.items() if not secret.bound]

    def names_under_retired_key(self) -> list[str]:
        """Return the names of values that a branch without the latest rotation sealed to an earlier key."""
        current = key_id(self.public_key)
        return [name for name, secret in self.secrets.items() if secret.sealed_for not in (None, current)]


class SignedDomain(Domain):
    """A domain that has an epoch, from `Domain.as_signed`.

    This is a type for the type checker: at run time it is the same `Domain`, so that a domain stays equal to itself and
    identical wherever it is compared.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        epoch: Epoch


def epoch_hash(domain: SignedDomain, file_id: bytes) -> bytes:
    """Return the hash (32 bytes) of the domain's epoch, which following epochs name."""
    return domain.epoch.hash(file_id, domain.name, domain.public_key)


def create(name: str, owner: str, owner_key: bytes, now: str) -> Domain:
    """Make an empty domain with one owner; `owner_key` is the owner's public key (32 bytes)."""
    private = PrivateKey.generate()
    key = BOUND + private.public
    return Domain(name, key, {owner: wrap_for(name, key, private, owner, owner_key, now)})


def wrap_for(domain: str, key: bytes, private: PrivateKey, owner: str, owner_key: bytes, now: str) -> Grant:
    """Wrap the domain's private key for an owner; `key` is the domain's scalar, `owner_key` has 32 bytes."""
    context = (domain.encode(), owner.encode(), key)
    return Grant(BOUND + seal(owner_key, DOMAIN_KEY, context, private.raw), now)


def seal_value(domain: Domain, name: str, value: str) -> bytes:
    """Seal a value to the domain's public key, bound to its place; returns a scalar. Needs no credentials."""
    return _seal(domain.name, domain.public_key, name, _encode_value(value))


def open_key(domain: Domain, identity: Identity) -> PrivateKey:
    """Unwrap the domain's private key.

    Raises AccessError if the identity is not an owner's, and IntegrityError if the grant belongs to another domain,
    owner or key.
    """
    domain.check_owner(identity.name)
    grant = domain.owners[identity.name]
    try:
        if grant.wrapped_key.startswith(LEGACY):
            raw = open_unbound(grant.wrapped_key[1:], identity.exchange)
        else:
            context = (domain.name.encode(), identity.name.encode(), domain.key)
            keys = {key_id(identity.public_key): identity.exchange}
            raw = open_sealed(grant.wrapped_key[1:], keys, DOMAIN_KEY, context)
        private = _private_key(raw)
        if private.public != domain.public_key:
            raise IntegrityError("the wrapped private key does not belong to the domain's public key")
    except IntegrityError as error:
        error.hint = (
            "see in git's history who changed it; if that was honest, an owner gives access again:"
            f" {command('add-owner', domain.name, identity.name)}"
        )
        raise error.under(domain.name, "meta", "owners", identity.name) from None
    return private


def open_values(domain: Domain, private: PrivateKey) -> dict[str, bytes]:
    """Open every sealed value of the domain; IntegrityError with the entry's path if one belongs to another place."""
    current = key_id(domain.public_key)
    keys = {current: private}
    if domain.names_under_retired_key():
        keys |= open_retired(domain, private)
    opened = {}
    domain_name = domain.name.encode()
    for name, secret in domain.secrets.items():
        if isinstance(secret.value, Reference):
            continue
        try:
            if secret.bound:
                opened[name] = open_sealed(secret.value[1:], keys, SECRET, (domain_name, name.encode()))
            else:
                opened[name] = open_unbound(secret.value[1:], private)
        except IntegrityError as error:
            raise error.under(domain.name, f"secret-{name}") from None
    return opened


def open_retired(domain: Domain, private: PrivateKey) -> dict[bytes, PrivateKey]:
    """Open the domain's earlier private keys; returns them by key id (8 bytes)."""
    keys = {key_id(domain.public_key): private}
    opened = {}
    for identifier, sealed in domain.retired.items():
        try:
            raw = open_sealed(sealed[1:], keys, RETIRED_KEY, (domain.name.encode(), identifier))
            private_key = _private_key(raw)
            if key_id(private_key.public) != identifier:
                raise IntegrityError("a retired private key does not belong to the key id that it is filed under")
        except IntegrityError as error:
            error.hint = f"{command('rotate-domain-keys', '--no-history', domain.name)} leaves earlier keys out"
            raise error.under(domain.name, "meta", "retired") from None
        opened[identifier] = private_key
    return opened


def rotate(domain: Domain, private: PrivateKey, owner_keys: Mapping[str, bytes], history: bool) -> Domain:
    """Give the domain a new key: seal every value to it, and wrap it for `owner_keys` (name → public key).

    Times stay, and nothing of the result is signed. With `history`, the domain keeps its retired private keys, sealed
    to the new one, so that a value still opens if another branch adds it under an old key.
    """
    owners = {name: (owner_key, domain.owners[name].granted) for name, owner_key in owner_keys.items()}
    earlier = [*open_retired(domain, private).values(), private] if history else []
    return under_new_key(domain.name, open_contents(domain, private), owners, earlier)


def open_contents(domain: Domain, private: PrivateKey) -> dict[str, tuple[bytes | Reference, Secret]]:
    """Return every entry by name, each with its opened value or its reference."""
    held: dict[str, bytes | Reference] = {**open_values(domain, private), **domain.references()}
    return {name: (held[name], secret) for name, secret in domain.secrets.items()}


def under_new_key(
    name: str,
    contents: Mapping[str, tuple[bytes | Reference, Secret]],
    owners: Mapping[str, tuple[bytes, str]],
    earlier: Iterable[PrivateKey],
) -> Domain:
    """Make a domain with a new key, and nothing signed.

    The values of `contents` are sealed to the key; references stay. The key is wrapped for `owners` (name → public key
    and time of the grant). The private keys in `earlier` are sealed to it.
    """
    fresh = PrivateKey.generate()
    key = BOUND + fresh.public
    secrets = {
        entry: replace(
            secret,
            value=held if isinstance(held, Reference) else _seal(name, fresh.public, entry, held),
            signed=None,
        )
        for entry, (held, secret) in contents.items()
    }
    grants = {
        owner: wrap_for(name, key, fresh, owner, owner_key, granted) for owner, (owner_key, granted) in owners.items()
    }
    retired = {key_id(private.public): seal_retired(name, fresh.public, private) for private in earlier}
    return Domain(name, key, grants, secrets, retired)


def seal_retired(domain: str, public_key: bytes, private: PrivateKey) -> bytes:
    """Seal an earlier private key of the domain to the present public key; returns a scalar."""
    context = (domain.encode(), key_id(private.public))
    return BOUND + seal(public_key, RETIRED_KEY, context, private.raw)


def _unbound(what: str) -> IntegrityError:
    return IntegrityError(f"a {what} of version 0 under a domain key of version 1: it was put there by hand")


def _seal(domain: str, public_key: bytes, name: str, value: bytes) -> bytes:
    return BOUND + seal(public_key, SECRET, (domain.encode(), name.encode()), value)


def _encode_value(value: str) -> bytes:
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        raise StoreError(
            "the value is not valid UTF-8 text", hint="encode binary values, for example as base64"
        ) from None
    if len(encoded) > MAX_VALUE_BYTES:
        raise StoreError(f"the value has {len(encoded)} bytes; the most that one secret holds is {MAX_VALUE_BYTES}")
    return encoded


def _private_key(raw: bytes) -> PrivateKey:
    if len(raw) != KEY_BYTES:
        raise IntegrityError(f"a private key has {KEY_BYTES} bytes, not {len(raw)}")
    return PrivateKey(raw)
