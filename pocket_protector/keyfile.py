"""`KeyFile`: the library's face."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from pocket_protector import files
from pocket_protector.credentials import Creds
from pocket_protector.crypto.identity import Identity
from pocket_protector.crypto.kdf import cost_from_limits, parse_raw_key
from pocket_protector.errors import MergeConflictError, StoreError
from pocket_protector.format.file import MAX_FILE_BYTES, LoadedFile, dump, load, load_text
from pocket_protector.lineage import Version
from pocket_protector.model.document import Document, truncate_audit_log
from pocket_protector.view import View, now

if TYPE_CHECKING:
    from pocket_protector.model.policy import Policy


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class KeyFile(View):
    """A protected file. Immutable: every change returns a new one, and `write` puts it on disk.

    Wherever credentials are asked for, an `Identity` from `unlock` does as well, without another key derivation.
    All errors are `PPError`s: `AccessError` for credentials, `PPKeyError` for names that are not there, `StoreError`
    for what contradicts the file, `FormatError` and `IntegrityError` for a file that is not what it should be.
    """

    _version: Version = field(default_factory=lambda: Version(None, None))

    # Making, reading and writing

    @classmethod
    def create(cls, path: str | os.PathLike[str]) -> Self:
        """A new file, on disk after `write`, where it may take the place of an absent or empty one only."""
        return cls(os.fspath(path), None, Document.create(now()))

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
        return cls(path, file, file.document, Version(None, file.document))

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

    def joined(
        self, base: KeyFile, theirs: KeyFile, conflicted: bytes, creds: Creds | Identity | None = None
    ) -> KeyFile:
        """This file, one side of a git merge, with what `theirs` changed since `base`. `write` may put it in the place
        of `conflicted`, which git left on disk.

        MergeConflictError names what both changed; with an owner's credentials, that both rotated a domain's key, or
        changed its policy, is no conflict.
        """
        from pocket_protector.model.merge import merge

        sides = base._document, theirs._document, self._document.changeable()
        try:
            if creds is None:
                document = merge(*sides)
            else:
                from pocket_protector.model.joining import join

                document = join(*sides, self.unlock(creds), now())
        except MergeConflictError as error:
            rotated = creds is None and any(name.startswith("domain/") for name in error.objects)
            what_to_do = "an owner runs: pprotect join"
            if not rotated:
                what_to_do = "take one side (git checkout --ours, or --theirs), and redo the other's change"
            error.hint = f"nothing was written: {what_to_do}"
            raise
        return KeyFile(self.path, self._file, document, Version(self._version, None, conflicted))

    def joinable(self, base: KeyFile, theirs: KeyFile) -> list[str]:
        """The domains whose key or policy this file, one side of a git merge, and `theirs` changed since `base`."""
        from pocket_protector.model.joining import joinable

        return joinable(base._document, self._document, theirs._document)

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

        return self._changed(upgrade, now())

    # Secrets: no credentials are needed; with some, their custodian signs the value

    def add_secret(self, domain_name: str, name: str, value: str, *, creds: Creds | Identity | None = None) -> KeyFile:
        """StoreError if the secret exists."""
        from pocket_protector.model import secret_changes

        return self._changed(secret_changes.add_secret, domain_name, name, value, now(), self._signer(creds))

    def update_secret(
        self, domain_name: str, name: str, value: str, *, creds: Creds | Identity | None = None
    ) -> KeyFile:
        """PPKeyError if the secret does not exist."""
        from pocket_protector.model import secret_changes

        return self._changed(secret_changes.update_secret, domain_name, name, value, now(), self._signer(creds))

    def set_secret(self, domain_name: str, name: str, value: str, *, creds: Creds | Identity | None = None) -> KeyFile:
        """Add or update."""
        from pocket_protector.model import secret_changes

        return self._changed(secret_changes.set_secret, domain_name, name, value, now(), self._signer(creds))

    def sign_secrets(self, domain_name: str, names: Iterable[str], creds: Creds | Identity) -> KeyFile:
        """Sign values as they are. The credentials are an owner's, who has looked at them."""
        from pocket_protector.model import secret_changes

        identity = self._unlock_owner(domain_name, creds)
        return self._changed(secret_changes.sign_secrets, domain_name, names, identity, now())

    def rm_secret(self, domain_name: str, name: str) -> KeyFile:
        from pocket_protector.model import secret_changes

        return self._changed(secret_changes.rm_secret, domain_name, name, now())

    # Domains and their owners

    def add_domain(
        self, domain_name: str, key_custodian_name: str, *, creds: Creds | Identity | None = None
    ) -> KeyFile:
        """A new, empty domain that the custodian owns; signed, with the custodian's credentials."""
        from pocket_protector.model import domain_changes

        if creds is not None and creds.name != key_custodian_name:
            raise StoreError(f"the credentials are of {creds.name!r}, not of {key_custodian_name!r}")
        return self._changed(domain_changes.add_domain, domain_name, key_custodian_name, now(), self._signer(creds))

    def rm_domain(self, domain_name: str) -> KeyFile:
        """Take the domain out, with its secrets."""
        from pocket_protector.model import domain_changes

        return self._changed(domain_changes.rm_domain, domain_name, now())

    def add_owner(self, domain_name: str, key_custodian_name: str, creds: Creds | Identity) -> KeyFile:
        """Let one more custodian read the domain. The credentials are an owner's."""
        from pocket_protector.model import domain_changes

        self._document.changeable().custodian(key_custodian_name)
        identity = self._unlock_owner(domain_name, creds)
        return self._changed(domain_changes.add_owner, domain_name, key_custodian_name, identity, now())

    def rm_owner(self, domain_name: str, key_custodian_name: str, creds: Creds | Identity | None = None) -> KeyFile:
        """Take an owner out. With an owner's credentials the domain's key is rotated in the same step, which ends
        the access; without, the former owner can still read the domain until it is rotated."""
        from pocket_protector.model import domain_changes

        if creds is None:
            return self._changed(domain_changes.rm_owner, domain_name, key_custodian_name, now())
        with self._locating():
            domain_changes.check_removable(self._document, domain_name, key_custodian_name)
        identity = self._unlock_owner(domain_name, creds)
        return self._changed(domain_changes.rm_owner_and_rotate, domain_name, key_custodian_name, identity, now())

    def migrate_owner(
        self, new_custodian_name: str, creds: Creds | Identity, domain_names: Iterable[str] | None = None
    ) -> KeyFile:
        """Add a custodian to all domains, or the named ones, that the credentials' custodian owns."""
        from pocket_protector.model import domain_changes

        self._document.changeable().custodian(new_custodian_name)
        identity = self.unlock(creds)
        return self._changed(domain_changes.migrate_owner, new_custodian_name, identity, domain_names, now())

    def rotate_domain_key(self, domain_name: str, creds: Creds | Identity, *, history: bool = True) -> KeyFile:
        """A new key for the domain, every value re-sealed to it, the key wrapped for the present owners.

        With `history` the retired key is kept, sealed to the new one, so that a value which another branch adds
        under it still opens.
        """
        from pocket_protector.model import domain_changes

        self._document.changeable()
        identity = self._unlock_owner(domain_name, creds)
        return self._changed(domain_changes.rotate, domain_name, identity, history, now())

    def set_policy(self, domain_name: str, policy: Policy, creds: Creds | Identity) -> KeyFile:
        """Demand of the domain what the policy says. The credentials are an owner's."""
        from pocket_protector.model import domain_changes

        self._document.changeable()
        identity = self._unlock_owner(domain_name, creds)
        return self._changed(domain_changes.set_policy, domain_name, policy, identity, now())

    # Key custodians

    def add_key_custodian(self, creds: Creds, opslimit: int | None = None, memlimit: int | None = None) -> KeyFile:
        """A custodian with a new identity under the passphrase. The limits are Argon2id's passes and bytes, such as
        `*KDF_INTERACTIVE`; `KDF_SENSITIVE` if not given."""
        from pocket_protector.model import custodian_changes

        cost = cost_from_limits(opslimit, memlimit)
        return self._changed(custodian_changes.add_key_custodian, creds.name, creds.passphrase, cost, now())

    def add_raw_key_custodian(self, creds: Creds) -> KeyFile:
        """A custodian whose passphrase is a raw key `P<64 hex>P`, which needs no stretching."""
        from pocket_protector.model import custodian_changes

        parse_raw_key(creds.passphrase)
        return self._changed(custodian_changes.add_key_custodian, creds.name, creds.passphrase, None, now())

    def rm_key_custodian(self, key_custodian_name: str) -> KeyFile:
        """Take a custodian out, and every grant to them; see `rm_owner` for what that is worth."""
        from pocket_protector.model import custodian_changes

        return self._changed(custodian_changes.rm_key_custodian, key_custodian_name, now())

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
        from pocket_protector.model import custodian_changes

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
        from pocket_protector.model import custodian_changes

        if creds.name != new_creds.name:
            raise StoreError(f"the new credentials are of {new_creds.name!r}, not of {creds.name!r}")
        return self._rewrapped(
            custodian_changes.rekey_custodian, creds, new_creds.passphrase, None if raw_key else (opslimit, memlimit)
        )

    def truncate_audit_log(self, max_keep: int) -> KeyFile:
        """Keep the newest `max_keep` entries, and note how many went."""
        return self._changed(truncate_audit_log, int(max_keep), now())

    # Inside

    def _changed(self, change: Callable[..., Document], *arguments: Any) -> KeyFile:
        with self._locating():
            document = change(self._document, *arguments)
        return KeyFile(self.path, self._file, document, Version(self._version, None))

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
        return self._changed(change, self.unlock(creds), passphrase, cost, now())

    def _signer(self, creds: Creds | Identity | None) -> Identity | None:
        return None if creds is None else self.unlock(creds)

    def _rendered(self) -> LoadedFile:
        return dump(self._document) if self._file is None else self._file.with_document(self._document)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, KeyFile):
            return NotImplemented
        return (self.path, self._document) == (other.path, other._document)

    def __hash__(self) -> int:
        return hash(self.path)
