"""A small team's file, somebody who writes to it without having been given the right, and the tools for that.

The attacker writes any bytes, has custodians of their own (Mallory's, who is listed and owns nothing), and may have
been an owner (Bob, removed by a rotation). What they do not have is the key of a present owner, unless an attack says
so: then that owner has just left, or has given up that key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from samples import ALICE, BOB, DAVE, Creds, KeyFile, parse, raw_key

from pocket_protector.changes import signing
from pocket_protector.changes.domain_changes import rotate_for
from pocket_protector.crypto.identity import Identity, SigningIdentity
from pocket_protector.crypto.key_slots import RawKeySlot
from pocket_protector.crypto.keys import PrivateKey
from pocket_protector.document.audit_log import section
from pocket_protector.document.custodian import Custodian
from pocket_protector.document.document import Document, without
from pocket_protector.document.domain import BOUND, Domain, Grant, Secret, seal_value, wrap_for
from pocket_protector.document.epoch import DomainKey, Epoch, PastEpoch, PastGrant, make_epoch
from pocket_protector.document.policy import Policy
from pocket_protector.document.statements import GRANT, Keys, grant_fields, sign
from pocket_protector.document.times import format_time
from pocket_protector.format.loaded_file import dump
from pocket_protector.trust.findings import Finding, Severity
from pocket_protector.trust.history_fold import Fold
from pocket_protector.trust.judge.state import State

ERIN = Creds("erin@example.com", raw_key(0xE5))
MALLORY = Creds("mallory@example.com", raw_key(0x66))
A, B, D, E, M = (creds.name for creds in (ALICE, BOB, DAVE, ERIN, MALLORY))
ALICE2, DAVE2, DAVE3 = Creds(A, raw_key(0xA2)), Creds(D, raw_key(0xD5)), Creds(D, raw_key(0xD6))

DEV, PROD, OPEN = "dev", "prod", "open"
WHERE = ("domain", DEV)
LATER = format_time(datetime.now(UTC) + timedelta(hours=1))


# The honest file


def load(document: Document) -> KeyFile:
    """The document as a file that was really written and read."""
    return parse(dump(document).text)


def saved(file: KeyFile) -> KeyFile:
    return parse(file.get_contents())


@dataclass(frozen=True, eq=False)
class World:
    """`versions` is the honest history, `file` the newest of it, and `state` what the victim saw: all of that."""

    versions: tuple[KeyFile, ...]
    state: State

    @property
    def file(self) -> KeyFile:
        return self.versions[-1]

    @property
    def document(self) -> Document:
        return self.file.document

    @property
    def dev(self) -> Domain:
        return self.document.domains[DEV]

    def who(self, creds: Creds) -> Identity:
        return self.file.unlock(creds)

    @property
    def with_bob(self) -> KeyFile:
        """The last version of which Bob was an owner."""
        return next(file for file in reversed(self.versions) if B in file.document.domains[DEV].owners)

    @property
    def anchor(self) -> dict[str, str]:
        return {A: self.versions[0].get_fingerprint(A).hex()}

    def with_dev(self, **changes: object) -> KeyFile:
        return load(self.document.with_domain(replace(self.dev, **changes)))  # type: ignore[arg-type]

    def with_secret(self, name: str, secret: Secret) -> KeyFile:
        return self.with_dev(secrets={**self.dev.secrets, name: secret})

    def with_owner(self, name: str, grant: Grant) -> KeyFile:
        return self.with_dev(owners={**self.dev.owners, name: grant})

    def with_custodian(self, custodian: object) -> KeyFile:
        return load(self.document.with_custodian(custodian))  # type: ignore[arg-type]

    def after(self, *files: KeyFile) -> World:
        """The world after more honest versions."""
        return World((*self.versions, *files), see(self.state, *files))


@cache
def world() -> World:
    """Alice made dev and prod, and an unsigned domain; Bob was an owner of dev and is removed; Dave is one, and set its
    policy. Erin and Mallory own nothing."""
    file = KeyFile.create("protected.yaml")
    for creds in (ALICE, BOB, DAVE, ERIN, MALLORY):
        file = file.add_raw_key_custodian(creds)
    versions = [saved(file.add_domain(DEV, A, creds=ALICE).add_domain(PROD, A, creds=ALICE).add_domain(OPEN, A))]

    def then(change: Callable[[KeyFile], KeyFile]) -> None:
        versions.append(saved(change(versions[-1])))

    then(lambda f: f.add_secret(DEV, "api", "first", creds=ALICE).add_secret(PROD, "api", "prod", creds=ALICE))
    then(lambda f: f.add_secret(DEV, "db", "base", creds=ALICE).add_secret(OPEN, "api", "open"))
    then(lambda f: f.add_owner(DEV, B, ALICE).add_owner(DEV, D, ALICE).add_owner(PROD, D, ALICE))
    then(lambda f: f.update_secret(DEV, "api", "bob's", creds=BOB))
    then(lambda f: f.rm_owner(DEV, B, ALICE))
    then(lambda f: f.update_secret(DEV, "api", "second", creds=ALICE))
    then(lambda f: f.set_policy(DEV, Policy(max_age=90, min_owners=2), DAVE))
    then(lambda f: f.update_secret(DEV, "api", "third", creds=DAVE).sign_secrets(DEV, ["db"], ALICE))
    return World(tuple(versions), see(None, *versions))


def see(state: State | None, *files: KeyFile, follows: bool = False) -> State:
    """The state after honest files; a pin's, or with `follows` that of a history."""
    for file in files:
        found, state = file.authorize(state, follows=follows)
        assert not violations(found)
    assert state is not None
    return state


def fold(files: Sequence[KeyFile]) -> list[list[Finding]]:
    """What a history in one line says, step by step."""
    names = [str(at) for at in range(len(files))]
    steps = [(name, names[at - 1 : at] if at else []) for at, name in enumerate(names)]
    folding = Fold(steps)
    return [folding.step(name, parents, file.document) for (name, parents), file in zip(steps, files, strict=True)]


def violations(findings: Iterable[Finding]) -> set[tuple[str, tuple[str, ...]]]:
    return {(finding.code, finding.where) for finding in findings if finding.severity is Severity.VIOLATION}


# Removals without a rotation, as versions made them before an owner left only by one; by hand anybody still can


def taken_out(file: KeyFile, owner: str, domain: str = DEV) -> KeyFile:
    found = file.document.domains[domain]
    document = file.document.with_domain(replace(found, owners=without(found.owners, owner)))
    where = section("owner", domain, owner)
    return load(document.log_entry(where, datetime.now(UTC), f"removed owner {owner} from {domain}"))


def custodian_taken_out(file: KeyFile, name: str) -> KeyFile:
    """With every grant to them."""
    document = replace(file.document, custodians=without(file.document.custodians, name))
    for found in file.document.domains.values():
        document = document.with_domain(replace(found, owners=without(found.owners, name)))
    return load(document.log_entry(section("custodian", name), datetime.now(UTC), f"removed key custodian {name}"))


# The attacker's tools


def keys_of(identity: Identity) -> Keys:
    assert identity.verify_key is not None
    return Keys(identity.public_key, identity.verify_key)


def posing(identity: SigningIdentity, name: str) -> SigningIdentity:
    """The attacker's keys under another's name."""
    return SigningIdentity(name, identity.exchange, identity.signing, identity.seed)


def custodian_of(identity: SigningIdentity, **fields: object) -> Custodian:
    """A well-formed custodian with these keys; the attacker can make one for every name."""
    assert identity.signing is not None
    keys = keys_of(identity)
    own = identity.signing.sign(b"custodian", identity.name.encode(), keys.public_key, keys.verify_key)
    wrapped = RawKeySlot.parse(MALLORY.passphrase).wrap(identity)
    return Custodian(identity.name, *keys_tuple(keys), wrapped, own, **fields)  # type: ignore[arg-type]


def keys_tuple(keys: Keys) -> tuple[bytes, bytes]:
    return keys.public_key, keys.verify_key


def hash_of(document: Document, domain: Domain) -> bytes:
    assert domain.epoch is not None
    return domain.epoch.hash(document.file_id, domain.name, domain.public_key)


def blind_grant(domain: Domain, identity: Identity) -> Grant:
    """As good as a grant can be made without knowing the domain's private key."""
    return wrap_for(domain.name, domain.key, PrivateKey.generate(), identity.name, identity.public_key, LATER)


def past_grant(document: Document, domain: str, public_key: bytes, to: Identity, by: Identity) -> PastGrant:
    fields = grant_fields(document.file_id, domain, public_key, to.name, keys_of(to), LATER)
    return PastGrant(keys_of(to), (), LATER, sign(by, GRANT, fields))


def epoch_on(document: Document, domain: Domain, by: Identity, key: bytes, policy: Policy = Policy()) -> Epoch:  # noqa: B008
    """An epoch that follows the domain's present one."""
    assert domain.epoch is not None
    follows = {hash_of(document, domain): domain.epoch.number}
    return make_epoch(by, DomainKey(document.file_id, domain.name, key), follows, policy, LATER)


def seized(
    document: Document,
    by: Identity,
    *,
    follows: Mapping[bytes, int] | None = None,
    past: Mapping[bytes, PastEpoch] | None = None,
    guests: Iterable[Identity] = (),
    name: str = DEV,
    number: int | None = None,
) -> KeyFile:
    """The whole domain in the attacker's hand: their key, which they wrap for themselves and `guests`, their values,
    everything signed by them, on top of the real epoch unless told otherwise."""
    private = PrivateKey.generate()
    old = document.domains[name] if name in document.domains else world().dev
    if follows is None:
        assert old.epoch is not None
        follows = {hash_of(document, old): old.epoch.number}
    epoch = make_epoch(by, DomainKey(document.file_id, name, private.public), follows, Policy(), LATER)
    if number is not None:
        forged = make_epoch(
            by, DomainKey(document.file_id, name, private.public), dict.fromkeys(follows, number - 1), Policy(), LATER
        )
        epoch = forged if follows else replace(forged, number=number)
    key = BOUND + private.public
    owners = {who.name: wrap_for(name, key, private, who.name, who.public_key, LATER) for who in (by, *guests)}
    bare = Domain(name, key, owners, epoch=epoch, past=old.past if past is None else past)
    bare = replace(bare, secrets={secret: Secret(seal_value(bare, secret, "evil"), LATER) for secret in old.secrets})
    known = {who.name: custodian_of(who) for who in (by, *guests)}
    signers = replace(document, custodians={**known, **document.custodians})
    return load(document.with_domain(signing.sign_contents(signers, bare, bare.secrets, by)))


# The table


Build = Callable[[World], KeyFile | Sequence[KeyFile]]


@dataclass(frozen=True)
class Attack:
    """`build` makes the hostile file, or an honest-looking way to it and then that. `code` (any, if None) at `where` is
    what its last step must be told of; `control` is the same done by somebody who may.

    `custodians` are those whom the victim is about to wrap the key for, besides the owners. `anchored`: whether a
    reader sees it who only knows Alice's fingerprint; `used`: whether a reader of the domain is harmed at all;
    `guarded`: whether even a rotation without looking gives the attacker nothing; `pinned`: whether a pin sees it too,
    which is not so of what follows from a removal without a rotation.
    """

    build: Build
    code: str | None
    where: tuple[str, ...]
    control: Callable[[World], KeyFile]
    custodians: tuple[str, ...] = ()
    anchored: bool = True
    used: bool = True
    guarded: bool = True
    pinned: bool = True

    @property
    def name(self) -> str:
        return self.build.__name__


@dataclass(frozen=True, eq=False)
class Trial:
    """What an attack made: the world as it was last honest, and the hostile file."""

    world: World
    hostile: KeyFile


@cache
def trial(attack: Attack) -> Trial:
    built = attack.build(world())
    *steps, hostile = [built] if isinstance(built, KeyFile) else built
    return Trial(world().after(*map(saved, steps)), saved(hostile))


def listed_in(table: list[Attack], **common: object) -> Callable[..., Callable[[Build], Build]]:
    """A decorator that puts an attack into a table."""

    def attack(code: str | None, where: tuple[str, ...] = WHERE, **fields: object) -> Callable[[Build], Build]:
        def put(build: Build) -> Build:
            table.append(Attack(build, code, where, **{**common, **fields}))  # type: ignore[arg-type]
            return build

        return put

    return attack


def rotated_out(file: KeyFile, leaver: Creds) -> KeyFile:
    """As a client does that is not ours: the leaving owner makes the new key."""
    document, identity = file.document, file.unlock(leaver)
    staying = [owner for owner in document.domains[DEV].owners if owner != leaver.name]
    return load(rotate_for(document, DEV, identity, staying, True, datetime.now(UTC)))


def cases(table: Iterable[Attack]) -> list[object]:
    """The table as parameters of a test."""
    return [pytest.param(attack, id=attack.name) for attack in table]
