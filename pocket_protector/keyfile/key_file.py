"""`KeyFile`: the public interface of the library."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pocket_protector.crypto.identity import Identity
from pocket_protector.crypto.kdf import cost_from_limits
from pocket_protector.crypto.key_slots import KeySlot, PassphraseSlot, RawKeySlot
from pocket_protector.document.document import truncate_audit_log
from pocket_protector.document.new_secret import NewSecret, SetMode
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import StoreError
from pocket_protector.keyfile.credentials import Creds
from pocket_protector.keyfile.reading import now
from pocket_protector.keyfile.writing import Stored

if TYPE_CHECKING:
    from pocket_protector.document.exported import ExportedEntry
    from pocket_protector.document.policy import Policy
    from pocket_protector.references.resolve import Resolved


class KeyFile(Stored):
    """A protected file. Immutable: every change returns a new one, and `write` puts it on disk.

    It checks that the file is consistent in itself. It does not know earlier versions that its user saw: `write` seals
    to a domain key even if somebody has replaced it since. `GuardedKeyFile` refuses that.

    Every method with credentials as an argument also takes an `Identity` from `unlock`, which saves another key
    derivation. All errors are `PPError`s: `AccessError` for credentials, `PPKeyError` for unknown names, `StoreError`
    for a request in contradiction to the file, `FormatError` for an invalid file, and `IntegrityError` for a forged or
    damaged file.
    """

    __slots__ = ()

    # The file

    def upgrade(self) -> KeyFile:
        """Convert a file of Pocket Protector to format 1, with every entry and the old log, without credentials."""
        from pocket_protector.changes.upgrade import upgrade

        return self._changed(upgrade, now())

    # Secrets: only lowering a sensitivity needs credentials; with credentials, their custodian signs the value

    def add_secret(
        self,
        domain_name: str,
        name: str,
        value: str | Reference,
        *,
        creds: Creds | Identity | None = None,
        sensitivity: Sensitivity | None = None,
    ) -> KeyFile:
        """Add a secret: a value, or a reference to one.

        With credentials, their custodian signs it. The sensitivity is medium by default. Raises StoreError if the
        secret exists, and FormatError or ProviderError for a reference that no installed source can resolve.
        """
        return self.change_secret(SetMode.ADD, NewSecret(domain_name, name, value, sensitivity), creds)

    def update_secret(
        self,
        domain_name: str,
        name: str,
        value: str | Reference,
        *,
        creds: Creds | Identity | None = None,
        sensitivity: Sensitivity | None = None,
    ) -> KeyFile:
        """Update a secret, with the arguments of `add_secret`.

        Without `sensitivity` the sensitivity stays. Raises PPKeyError if the secret does not exist, AccessError if the
        sensitivity is lowered without an owner's credentials, and FormatError or ProviderError as `add_secret`.
        """
        return self.change_secret(SetMode.UPDATE, NewSecret(domain_name, name, value, sensitivity), creds)

    def set_secret(
        self,
        domain_name: str,
        name: str,
        value: str | Reference,
        *,
        creds: Creds | Identity | None = None,
        sensitivity: Sensitivity | None = None,
    ) -> KeyFile:
        """Add the secret, or update it if it exists; raises as `add_secret` and `update_secret`."""
        return self.change_secret(SetMode.ADD_OR_UPDATE, NewSecret(domain_name, name, value, sensitivity), creds)

    def change_secret(self, mode: SetMode, new: NewSecret, creds: Creds | Identity | None = None) -> KeyFile:
        """Add or update a secret, as `mode` says; see `add_secret` and `update_secret`."""
        from pocket_protector.changes import secret_changes

        _check_reference(new.content)
        return self._changed(secret_changes.set_secret, mode, new, now(), self._signer(creds))

    def set_sensitivity(
        self, domain_name: str, name: str, sensitivity: Sensitivity, *, creds: Creds | Identity | None = None
    ) -> KeyFile:
        """Change a secret's sensitivity; its value stays.

        Raises AccessError if the sensitivity is lowered, or the value is signed, and no owner's credentials are given.
        """
        from pocket_protector.changes import secret_changes

        signer = self._signer(creds)
        return self._changed(secret_changes.set_sensitivity, domain_name, name, sensitivity, now(), signer)

    def import_reference(self, domain_name: str, name: str, resolved: Resolved | None = None) -> KeyFile:
        """Seal the value of a reference in the reference's place.

        `resolved` has the value, if it has been fetched already. Raises ProviderError if the value cannot be fetched.
        """
        from pocket_protector.changes import secret_changes
        from pocket_protector.document.decrypted import decoded

        self._document.changeable().secret(domain_name, name)
        resolved = resolved or self.resolve([(domain_name, name)])
        resolved.require_all()
        value = decoded(domain_name, name, resolved.values[domain_name, name])
        return self._changed(secret_changes.import_reference, domain_name, name, value, now())

    def import_entries(
        self, domain_name: str, entries: Iterable[ExportedEntry], sender: str, *, overwrite: bool = False
    ) -> KeyFile:
        """Add the entries of a package from `sender`.

        Without `overwrite` an existing entry stays as it is. The sensitivity of an existing entry is never lowered.
        Raises FormatError or ProviderError for a reference that no installed source can resolve.
        """
        from pocket_protector.changes import secret_changes

        chosen = tuple(entries)
        for entry in chosen:
            _check_reference(entry.content)
        return self._changed(secret_changes.import_entries, domain_name, chosen, sender, now(), overwrite)

    def sign_secrets(self, domain_name: str, names: Iterable[str], creds: Creds | Identity) -> KeyFile:
        """Sign values as they are, after an owner has reviewed them; the credentials are that owner's."""
        from pocket_protector.changes import secret_changes

        identity = self._unlock_owner(domain_name, creds)
        return self._changed(secret_changes.sign_secrets, domain_name, names, identity, now())

    def rm_secret(self, domain_name: str, name: str) -> KeyFile:
        """Remove a secret; raises PPKeyError if it does not exist."""
        from pocket_protector.changes import secret_changes

        return self._changed(secret_changes.rm_secret, domain_name, name, now())

    # Domains and their owners

    def add_domain(
        self,
        domain_name: str,
        key_custodian_name: str,
        *,
        creds: Creds | Identity | None = None,
        policy: Policy | None = None,
    ) -> KeyFile:
        """Add an empty domain with the custodian as its owner.

        With the custodian's credentials the domain is signed. Raises AccessError for a policy without credentials.
        """
        from pocket_protector.changes import domain_changes

        if creds is not None and creds.name != key_custodian_name:
            raise StoreError(f"the credentials are of {creds.name!r}, not of {key_custodian_name!r}")
        signer = self._signer(creds)
        return self._changed(domain_changes.add_domain, domain_name, key_custodian_name, now(), signer, policy)

    def rm_domain(self, domain_name: str) -> KeyFile:
        """Remove the domain with its secrets."""
        from pocket_protector.changes import domain_changes

        return self._changed(domain_changes.rm_domain, domain_name, now())

    def add_owner(self, domain_name: str, key_custodian_name: str, creds: Creds | Identity) -> KeyFile:
        """Give one more custodian access to the domain. The credentials are an owner's."""
        from pocket_protector.changes import domain_changes

        self._document.changeable().custodian(key_custodian_name)
        identity = self._unlock_owner(domain_name, creds)
        return self._changed(domain_changes.add_owner, domain_name, key_custodian_name, identity, now())

    def rm_owner(self, domain_name: str, key_custodian_name: str, creds: Creds | Identity | None = None) -> KeyFile:
        """Remove an owner from the domain.

        With an owner's credentials the domain's key is rotated in the same step, which ends the access. Without
        credentials the former owner can still read the domain until the next rotation.
        """
        from pocket_protector.changes import domain_changes

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
        from pocket_protector.changes import domain_changes

        self._document.changeable().custodian(new_custodian_name)
        identity = self.unlock(creds)
        return self._changed(domain_changes.migrate_owner, new_custodian_name, identity, domain_names, now())

    def rotate_domain_key(self, domain_name: str, creds: Creds | Identity, *, history: bool = True) -> KeyFile:
        """Give the domain a new key, wrap that key for the present owners, and re-seal every value to it.

        With `history` the domain keeps the retired key, sealed to the new one. A value that another branch adds under
        the retired key then still opens.
        """
        from pocket_protector.changes import domain_changes

        self._document.changeable()
        identity = self._unlock_owner(domain_name, creds)
        return self._changed(domain_changes.rotate, domain_name, identity, history, now())

    def set_policy(self, domain_name: str, policy: Policy, creds: Creds | Identity) -> KeyFile:
        """Set the domain's policy. The credentials are an owner's."""
        from pocket_protector.changes import domain_changes

        self._document.changeable()
        identity = self._unlock_owner(domain_name, creds)
        return self._changed(domain_changes.set_policy, domain_name, policy, identity, now())

    # Key custodians

    def add_key_custodian(self, creds: Creds, opslimit: int | None = None, memlimit: int | None = None) -> KeyFile:
        """Add a custodian with a new identity under the passphrase.

        `opslimit` is Argon2id's number of passes, and `memlimit` its memory in bytes, such as `*KDF_INTERACTIVE`;
        `KDF_SENSITIVE` by default. Raises StoreError if the custodian exists.
        """
        return self.add_custodian(creds.name, PassphraseSlot(creds.passphrase, cost_from_limits(opslimit, memlimit)))

    def add_raw_key_custodian(self, creds: Creds) -> KeyFile:
        """Add a custodian whose passphrase is a raw key `P<64 hex>P`, which needs no stretching."""
        return self.add_custodian(creds.name, RawKeySlot.parse(creds.passphrase))

    def add_custodian(self, name: str, slot: KeySlot) -> KeyFile:
        """Add a custodian with a new identity, which the key slot opens. Raises StoreError if the custodian exists."""
        from pocket_protector.changes import custodian_changes

        return self._changed(custodian_changes.add_key_custodian, name, slot, now())

    def rm_key_custodian(self, key_custodian_name: str) -> KeyFile:
        """Remove a custodian and every grant to them. As with `rm_owner`, only rotation ends the access."""
        from pocket_protector.changes import custodian_changes

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
        """Change the passphrase; the keys stay. A legacy custodian gets new keys, as from `rekey_custodian`."""
        self._document.changeable()
        return self.rewrap_custodian(creds, _slot(new_passphrase, opslimit, memlimit, raw_key=raw_key))

    def rewrap_custodian(self, creds: Creds | Identity, slot: KeySlot) -> KeyFile:
        """Wrap the custodian's keys in this slot, in place of the old wrapping; see `set_key_custodian_passphrase`."""
        from pocket_protector.changes import custodian_changes

        self._document.changeable()
        return self._changed(custodian_changes.rewrap_custodian, self.unlock(creds), slot, now())

    def rekey_custodian(
        self,
        creds: Creds | Identity,
        new_creds: Creds,
        raw_key: bool = False,
        opslimit: int | None = None,
        memlimit: int | None = None,
    ) -> KeyFile:
        """Give the custodian new keys under the new credentials, which have the same name.

        Each of the custodian's grants is wrapped for the new keys.
        """
        if creds.name != new_creds.name:
            raise StoreError(f"the new credentials are of {new_creds.name!r}, not of {creds.name!r}")
        self._document.changeable()
        return self.rekey_with_slot(creds, _slot(new_creds.passphrase, opslimit, memlimit, raw_key=raw_key))

    def rekey_with_slot(self, creds: Creds | Identity, slot: KeySlot) -> KeyFile:
        """Give the custodian new keys, which the slot opens; see `rekey_custodian`."""
        from pocket_protector.changes import custodian_changes

        self._document.changeable()
        return self._changed(custodian_changes.rekey_custodian, self.unlock(creds), slot, now())

    def truncate_audit_log(self, max_keep: int) -> KeyFile:
        """Keep the newest `max_keep` entries of the audit log, and note the number of removed ones."""
        return self._changed(truncate_audit_log, int(max_keep), now())

    # Inside

    def _signer(self, creds: Creds | Identity | None) -> Identity | None:
        return None if creds is None else self.unlock(creds)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, KeyFile):
            return NotImplemented
        return (self.path, self._document) == (other.path, other._document)

    def __hash__(self) -> int:
        return hash(self.path)


def _slot(passphrase: str, opslimit: int | None, memlimit: int | None, *, raw_key: bool) -> KeySlot:
    """Make a slot from the parameters of Pocket Protector's methods."""
    if raw_key:
        return RawKeySlot.parse(passphrase)
    return PassphraseSlot(passphrase, cost_from_limits(opslimit, memlimit))


def _check_reference(content: str | bytes | Reference) -> None:
    """Check a reference.

    Raises FormatError or ProviderError if no installed source can resolve it.
    """
    if isinstance(content, Reference):
        from pocket_protector.plugins.registry import check_reference

        check_reference(content)
