"""`KeyFile`: the library's face."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from pocket_protector import files
from pocket_protector.credentials import Creds
from pocket_protector.crypto.identity import Identity
from pocket_protector.crypto.kdf import cost_from_limits, parse_raw_key
from pocket_protector.errors import AccessError, LocatedError, MergeConflictError, StoreError
from pocket_protector.format.file import MAX_FILE_BYTES, LoadedFile, dump, load, load_text
from pocket_protector.model import custodian_changes, domain_changes, secret_changes
from pocket_protector.model.custodian import check_identity
from pocket_protector.model.decrypted import DecryptedDomain, decrypt
from pocket_protector.model.document import Document, truncate_audit_log
from pocket_protector.model.domain import open_key


class _Version:
    """One object of a lineage: `synced` is its document once that was read from disk or written there; `resolves` are
    bytes, which cannot be read, that it may take the place of."""

    __slots__ = ("parent", "resolves", "synced")

    def __init__(self, parent: _Version | None, synced: Document | None, resolves: bytes | None = None) -> None:
        self.parent = parent
        self.synced = synced
        self.resolves: bytes | None = resolves if resolves is not None or parent is None else parent.resolves

    def base(self) -> Document | None:
        """What the next write starts from: the newest version on the way back that was on disk."""
        version: _Version | None = self
        while version is not None and version.synced is None:
            version = version.parent
        return version.synced if version is not None else None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class KeyFile:
    """A protected file. Immutable: every change returns a new one, and `write` puts it on disk.

    Wherever credentials are asked for, an `Identity` from `unlock` does as well, without another key derivation.
    All errors are `PPError`s: `AccessError` for credentials, `PPKeyError` for names that are not there, `StoreError`
    for what contradicts the file, `FormatError` and `IntegrityError` for a file that is not what it should be.
    """

    path: str
    _file: LoadedFile | None
    _document: Document
    _version: _Version = field(default_factory=lambda: _Version(None, None))

    # Making, reading and writing

    @classmethod
    def create(cls, path: str | os.PathLike[str]) -> Self:
        """A new file, on disk after `write`, where it may take the place of an absent or empty one only."""
        return cls(os.fspath(path), None, Document.create(_now()))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file of format 1, or of Pocket Protector 20.0.1 to 26.4.3, whole or not at all."""
        name = os.fspath(path)
        hint = "pprotect init makes one here; -f FILE or PPROTECT_FILE names another"
        return cls.from_bytes(files.read(name, MAX_FILE_BYTES, hint=hint), name)

    @classmethod
    def from_bytes(cls, raw: bytes, path: str | os.PathLike[str]) -> Self:
        """As `from_file`, for bytes that were read from `path`."""
        return cls._loaded(load(raw), os.fspath(path))

    @classmethod
    def from_contents_and_path(cls, contents: str, path: str | os.PathLike[str]) -> Self:
        """As `from_file`, for a text that was read from `path`."""
        return cls._loaded(load_text(contents), os.fspath(path))

    @classmethod
    def _loaded(cls, file: LoadedFile, path: str) -> Self:
        return cls(path, file, file.document, _Version(None, file.document))

    def get_contents(self) -> str:
        """The text that `write` puts on disk if the file there is still the one that was read."""
        return self._rendered().text

    def write(self) -> KeyFile:
        """Put this object's changes on disk, atomically and under a lock; returns what is there now.

        If the file changed meanwhile, both changes are joined; MergeConflictError, and nothing written, if they
        touch the same object.
        """
        from pocket_protector.model.merge import merge

        with files.replacing(self.path) as target:
            raw = target.read(MAX_FILE_BYTES)
            base = self._version.base()
            if not raw or raw == self._version.resolves:
                written = self._rendered()
            elif base is None:
                raise StoreError(f"{self.path} exists already", hint="remove it first, or use it as it is")
            else:
                theirs = self._file if self._file and raw == self._file.text.encode() else load(raw)
                written = theirs.with_document(merge(base, self._document, theirs.document))
            new = written.text.encode()
            if new != raw:
                target.replace(new)
        self._version.synced = self._document
        return self._loaded(written, self.path)

    def joined(self, base: KeyFile, theirs: KeyFile, conflicted: bytes) -> KeyFile:
        """This file, one side of a git merge, with what `theirs` changed since `base`. MergeConflictError names what
        both changed. `write` may put it in the place of `conflicted`, which git left on disk."""
        from pocket_protector.model.merge import merge

        try:
            document = merge(base._document, theirs._document, self._document.changeable())
        except MergeConflictError as error:
            error.hint = (
                "nothing was written: take one side (git checkout --ours, or --theirs), and redo the other's change"
            )
            raise
        return KeyFile(self.path, self._file, document, _Version(self._version, None, conflicted))

    def edited_by_hand(self, base: KeyFile) -> bool:
        """Whether more than this file's objects differs from `base`, such as comments and keys that begin with `x-`."""
        assert base._file is not None
        return base._file.with_document(self._document).text != self.get_contents()

    def check_changeable(self) -> None:
        """StoreError for a file of Pocket Protector's own format, which is never rewritten by accident."""
        self._document.changeable()

    def upgrade(self) -> KeyFile:
        """A file of Pocket Protector's as one of format 1, with every entry and the old log. Needs no credentials."""
        from pocket_protector.model.upgrade import upgrade

        return self._changed(upgrade, _now())

    # Looking, without credentials

    def get_domain_names(self) -> list[str]:
        return sorted(self._document.domains)

    def get_domain_secret_names(self, domain_name: str) -> list[str]:
        return sorted(self._document.domain(domain_name).secrets)

    def get_domain_owner_names(self, domain_name: str) -> list[str]:
        return sorted(self._document.domain(domain_name).owners)

    def get_all_secret_names(self) -> dict[str, list[str]]:
        """Secret name → the names of the domains that have one so named."""
        found: dict[str, list[str]] = {}
        for domain in self.get_domain_names():
            for name in self.get_domain_secret_names(domain):
                found.setdefault(name, []).append(domain)
        return found

    def get_key_custodian_names(self) -> list[str]:
        return sorted(self._document.custodians)

    def get_custodian_domains(self, key_custodian_name: str) -> list[str]:
        """The names of the domains that list the custodian as an owner."""
        return sorted(self._document.owned_by(key_custodian_name))

    def get_audit_log(self) -> list[str]:
        """An upgraded file's old entries, then the others by time."""
        return self._document.log.entries()

    # Unlocking and reading

    def unlock(self, creds: Creds | Identity) -> Identity:
        """The custodian's private half. AccessError for missing or wrong credentials and unknown custodians."""
        if isinstance(creds, Creds):
            creds.require()
        custodian = self._document.custodian_of_credentials(creds.name)
        if isinstance(creds, Creds):
            return creds.unlock(custodian)
        check_identity(custodian, creds)
        return creds

    def check_creds(self, creds: Creds | Identity) -> bool:
        """Whether `unlock` would succeed."""
        try:
            self.unlock(creds)
        except AccessError:
            return False
        return True

    def decrypt_domain(self, domain_name: str, creds: Creds | Identity) -> DecryptedDomain:
        """All values of a domain by name. AccessError unless the custodian is an owner."""
        with self._locating():
            domain = self._document.domain(domain_name)
            return decrypt(domain, open_key(domain, self._unlock_owner(domain_name, creds)))

    # Secrets: no credentials are needed

    def add_secret(self, domain_name: str, name: str, value: str) -> KeyFile:
        """StoreError if the secret exists."""
        return self._changed(secret_changes.add_secret, domain_name, name, value, _now())

    def update_secret(self, domain_name: str, name: str, value: str) -> KeyFile:
        """PPKeyError if the secret does not exist."""
        return self._changed(secret_changes.update_secret, domain_name, name, value, _now())

    def set_secret(self, domain_name: str, name: str, value: str) -> KeyFile:
        """Add or update."""
        return self._changed(secret_changes.set_secret, domain_name, name, value, _now())

    def rm_secret(self, domain_name: str, name: str) -> KeyFile:
        return self._changed(secret_changes.rm_secret, domain_name, name, _now())

    # Domains and their owners

    def add_domain(self, domain_name: str, key_custodian_name: str) -> KeyFile:
        """A new, empty domain that the custodian owns."""
        return self._changed(domain_changes.add_domain, domain_name, key_custodian_name, _now())

    def rm_domain(self, domain_name: str) -> KeyFile:
        """Take the domain out, with its secrets."""
        return self._changed(domain_changes.rm_domain, domain_name, _now())

    def add_owner(self, domain_name: str, key_custodian_name: str, creds: Creds | Identity) -> KeyFile:
        """Let one more custodian read the domain. The credentials are an owner's."""
        self._document.changeable().custodian(key_custodian_name)
        identity = self._unlock_owner(domain_name, creds)
        return self._changed(domain_changes.add_owner, domain_name, key_custodian_name, identity, _now())

    def rm_owner(self, domain_name: str, key_custodian_name: str, creds: Creds | Identity | None = None) -> KeyFile:
        """Take an owner out. With an owner's credentials the domain's key is rotated in the same step, which ends
        the access; without, the former owner can still read the domain until it is rotated."""
        removed = self._changed(domain_changes.rm_owner, domain_name, key_custodian_name, _now())
        if creds is None:
            return removed
        identity = self._unlock_owner(domain_name, creds)
        return self._changed(domain_changes.rm_owner_and_rotate, domain_name, key_custodian_name, identity, _now())

    def migrate_owner(
        self, new_custodian_name: str, creds: Creds | Identity, domain_names: Iterable[str] | None = None
    ) -> KeyFile:
        """Add a custodian to all domains, or the named ones, that the credentials' custodian owns."""
        self._document.changeable().custodian(new_custodian_name)
        identity = self.unlock(creds)
        return self._changed(domain_changes.migrate_owner, new_custodian_name, identity, domain_names, _now())

    def rotate_domain_key(self, domain_name: str, creds: Creds | Identity, *, history: bool = True) -> KeyFile:
        """A new key for the domain, every value re-sealed to it, the key wrapped for the present owners.

        With `history` the retired key is kept, sealed to the new one, so that a value which another branch adds
        under it still opens.
        """
        self._document.changeable()
        identity = self._unlock_owner(domain_name, creds)
        return self._changed(domain_changes.rotate, domain_name, identity, history, _now())

    # Key custodians

    def add_key_custodian(self, creds: Creds, opslimit: int | None = None, memlimit: int | None = None) -> KeyFile:
        """A custodian with a new identity under the passphrase. The limits are Argon2id's passes and bytes, such as
        `*KDF_INTERACTIVE`; `KDF_SENSITIVE` if not given."""
        cost = cost_from_limits(opslimit, memlimit)
        return self._changed(custodian_changes.add_key_custodian, creds.name, creds.passphrase, cost, _now())

    def add_raw_key_custodian(self, creds: Creds) -> KeyFile:
        """A custodian whose passphrase is a raw key `P<64 hex>P`, which needs no stretching."""
        parse_raw_key(creds.passphrase)
        return self._changed(custodian_changes.add_key_custodian, creds.name, creds.passphrase, None, _now())

    def rm_key_custodian(self, key_custodian_name: str) -> KeyFile:
        """Take a custodian out, and every grant to them; see `rm_owner` for what that is worth."""
        return self._changed(custodian_changes.rm_key_custodian, key_custodian_name, _now())

    def set_key_custodian_passphrase(
        self,
        creds: Creds | Identity,
        new_passphrase: str,
        opslimit: int | None = None,
        memlimit: int | None = None,
        *,
        raw_key: bool = False,
    ) -> KeyFile:
        """The same keys under a new passphrase. A legacy custodian gets new keys, as from `rekey_custodian`."""
        return self._rewrapped(
            custodian_changes.rewrap_identity, creds, new_passphrase, None if raw_key else (opslimit, memlimit)
        )

    def rekey_custodian(
        self,
        creds: Creds | Identity,
        new_creds: Creds,
        raw_key: bool = False,
        opslimit: int | None = None,
        memlimit: int | None = None,
    ) -> KeyFile:
        """New keys under the new credentials, whose name is the same; each grant is wrapped for them."""
        if creds.name != new_creds.name:
            raise StoreError(f"the new credentials are of {new_creds.name!r}, not of {creds.name!r}")
        return self._rewrapped(
            custodian_changes.rekey_custodian, creds, new_creds.passphrase, None if raw_key else (opslimit, memlimit)
        )

    def truncate_audit_log(self, max_keep: int) -> KeyFile:
        """Keep the newest `max_keep` entries, and note how many went."""
        return self._changed(truncate_audit_log, int(max_keep), _now())

    # Inside

    def _changed(self, change: Callable[..., Document], *arguments: Any) -> KeyFile:
        with self._locating():
            document = change(self._document, *arguments)
        return KeyFile(self.path, self._file, document, _Version(self._version, None))

    def _rewrapped(
        self,
        change: Callable[..., Document],
        creds: Creds | Identity,
        passphrase: str,
        limits: tuple[int | None, int | None] | None,
    ) -> KeyFile:
        self._document.changeable()
        if limits is None:
            parse_raw_key(passphrase)
        cost = None if limits is None else cost_from_limits(*limits)
        return self._changed(change, self.unlock(creds), passphrase, cost, _now())

    def _unlock_owner(self, domain_name: str, creds: Creds | Identity) -> Identity:
        """As `unlock`, but no key is derived for one who is not an owner."""
        if isinstance(creds, Creds):
            creds.require()
        self._document.domain(domain_name)
        self._document.custodian_of_credentials(creds.name)
        self._document.domain(domain_name).check_owner(creds.name)
        return self.unlock(creds)

    def _rendered(self) -> LoadedFile:
        return dump(self._document) if self._file is None else self._file.with_document(self._document)

    @contextmanager
    def _locating(self) -> Iterator[None]:
        """Give an error of a place in the file the line of that place."""
        try:
            yield
        except LocatedError as error:
            if self._file is not None and error.keys:
                self._file.locate(error)
            raise

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, KeyFile):
            return NotImplemented
        return (self.path, self._document) == (other.path, other._document)

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        return f"<KeyFile {self.path!r}: domains {', '.join(self.get_domain_names()) or 'none'}>"


def _now() -> datetime:
    return datetime.now(UTC)
