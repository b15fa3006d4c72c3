"""The part of `KeyFile` that changes nothing: it shows the file's contents, opens values and judges changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pocket_protector.crypto.identity import Identity
from pocket_protector.document.custodian import Custodian, check_identity
from pocket_protector.document.decrypted import DecryptedDomain, decrypt
from pocket_protector.document.document import Document
from pocket_protector.document.domain import open_key
from pocket_protector.document.reference import Reference
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import AccessError, LocatedError, StoreError, command
from pocket_protector.format.loaded_file import LoadedFile
from pocket_protector.keyfile.credentials import TRUST_VARIABLE, Creds, read_variable

if TYPE_CHECKING:  # imported late: most programs do not need it
    from pocket_protector.document.policy import Policy
    from pocket_protector.document.statements import Keys
    from pocket_protector.references.resolve import Progress, Resolved
    from pocket_protector.trust.findings import Finding
    from pocket_protector.trust.gates import Trust
    from pocket_protector.trust.judge.state import DomainAuthority, State


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class View:
    """A protected file, for looking at it and opening its values."""

    path: str
    _file: LoadedFile | None
    _document: Document

    # Looking, without credentials

    @property
    def document(self) -> Document:
        """Return the contents of the file as frozen objects (`pocket_protector.document`).

        Only read it; change the file through the methods.
        """
        return self._document

    @property
    def file_id(self) -> bytes:
        """Return the 16 bytes that the file was made with; none in a file of Pocket Protector's."""
        return self._document.file_id

    def get_domain_names(self) -> list[str]:
        """Return the names of all domains, sorted."""
        return sorted(self._document.domains)

    def get_domain_secret_names(self, domain_name: str) -> list[str]:
        """Return the names of the domain's secrets, sorted; raises PPKeyError for an unknown domain."""
        return sorted(self._document.domain(domain_name).secrets)

    def get_secret_time(self, domain_name: str, name: str) -> str:
        """Return the time when the secret was last set, according to the file; "" in a file of Pocket Protector's."""
        return self._document.secret(domain_name, name).updated

    def is_signed_secret(self, domain_name: str, name: str) -> bool:
        """Return whether the secret has a signature, by anybody."""
        return self._document.secret(domain_name, name).signed is not None

    def lowers_sensitivity(self, domain_name: str, name: str, sensitivity: Sensitivity) -> bool:
        """Return whether this sensitivity is lower than the secret's own; False for a secret that does not exist."""
        secret = self._document.domain(domain_name).secrets.get(name)
        return secret is not None and sensitivity < secret.sensitivity

    def get_secret_sensitivity(self, domain_name: str, name: str) -> Sensitivity:
        """Return the sensitivity of the value: the one from its setter, and in a production domain at least high."""
        self._document.secret(domain_name, name)
        return self._document.domain(domain_name).sensitivity(name)

    def get_references(self, domain_name: str) -> dict[str, Reference]:
        """Return the references in the domain by secret name."""
        return self._document.domain(domain_name).references()

    def get_withheld_references(self, domain_name: str) -> list[str]:
        """Return the unresolved references of a production domain: no owner vouches for them."""
        if not self.has_demands(domain_name):
            return []
        from pocket_protector.trust.policy_checks import unreviewed_references

        domain = self._document.domain(domain_name)
        return unreviewed_references(domain, self.authority(domain_name), domain.references())

    def get_domain_owner_names(self, domain_name: str) -> list[str]:
        """Return the names of the domain's owners, sorted; raises PPKeyError for an unknown domain."""
        return sorted(self._document.domain(domain_name).owners)

    def get_all_secret_names(self) -> dict[str, list[str]]:
        """Return the names of the domains that have a secret of each name, by secret name."""
        found: dict[str, list[str]] = {}
        for domain in self.get_domain_names():
            for name in self.get_domain_secret_names(domain):
                found.setdefault(name, []).append(domain)
        return found

    def get_key_custodian_names(self) -> list[str]:
        """Return the names of all key custodians, sorted."""
        return sorted(self._document.custodians)

    def get_custodian_domains(self, key_custodian_name: str) -> list[str]:
        """Return the names of the domains that list the custodian as an owner."""
        return sorted(self._document.owned_by(key_custodian_name))

    def get_audit_log(self) -> list[str]:
        """Return the audit log: an upgraded file's old entries, then the others by time."""
        return self._document.log.entries()

    # Unlocking and reading

    def unlock(self, creds: Creds | Identity) -> Identity:
        """Return the custodian's private half.

        Raises AccessError for missing or wrong credentials, and for an unknown custodian.
        """
        if isinstance(creds, Creds):
            creds.require()
        custodian = self._document.custodian_of_credentials(creds.name)
        if isinstance(creds, Creds):
            return creds.unlock(custodian)
        check_identity(custodian, creds)
        return creds

    def check_creds(self, creds: Creds | Identity) -> bool:
        """Return whether `unlock` would succeed."""
        try:
            self.unlock(creds)
        except AccessError:
            return False
        return True

    def decrypt_domain(
        self,
        domain_name: str,
        creds: Creds | Identity,
        *,
        require_signed: bool = False,
        trust: Trust | None = None,
        resolve: bool = True,
    ) -> DecryptedDomain:
        """Return all values of a domain by name.

        The values of references are fetched, with the identity that this program has at the provider. Without
        `resolve` the references themselves are returned. With `require_signed`, owners must vouch for every value, and
        the domain must lead back to somebody in `trust`: names with fingerprints, by default those in PPROTECT_TRUST.

        Raises AccessError unless the custodian is an owner; PolicyError if the domain's policy or `require_signed`
        refuses; and ProviderError, without any result, if a reference's value cannot be fetched or is not UTF-8 text.
        """
        with self._locating():
            domain = self._document.domain(domain_name)
            if require_signed or trust is not None or domain.demands:
                self.check_use(domain_name, require_signed=require_signed, trust=trust)
        decrypted = self.decrypt_values(domain_name, creds)
        references = domain.references()
        if not resolve:
            decrypted.update({name: reference.text for name, reference in references.items()})
            decrypted.unresolved = tuple(references)
        elif references:
            from pocket_protector.document.decrypted import decoded

            resolved = self.resolve((domain_name, name) for name in references)
            resolved.require_all()
            decrypted.update({name: decoded(place, name, value) for (place, name), value in resolved.values.items()})
        return decrypted

    def resolve(
        self,
        places: Iterable[tuple[str, str]],
        told: Progress | None = None,
        *,
        partly: bool = False,
        findings: Collection[Finding] = (),
        behind: bool = False,
    ) -> Resolved:
        """Fetch the values of references, given by their domains and names.

        The user's own access log records this. `findings` are those of a step to this file; `behind` accepts the ones
        that show only an older version or another branch. After a failure no further fetch begins, unless `partly`
        permits a result without the failed references.

        Raises StoreError for a name without a reference; PolicyError if the domain's policy demands that an owner vouch
        for a reference, and none does; IntegrityError for a reference that somebody changed without authorization,
        according to the file or the other `findings`; and ProviderError unless `partly` is set.
        """
        from pocket_protector.references.access_log import AccessLog
        from pocket_protector.references.resolve import resolve
        from pocket_protector.trust.gates import check_resolvable

        names: dict[str, list[str]] = {}
        for domain, name in places:
            names.setdefault(domain, []).append(name)
        alone = self.authorize(None)[0] if any(map(self.is_signed, names)) else []
        chosen: dict[tuple[str, str], Reference] = {}
        for domain, wanted in names.items():
            references = self.get_references(domain)
            for name in wanted:
                if name not in references:
                    self._document.secret(domain, name)
                    long = command("list-domain-secrets", domain, "--long")
                    raise StoreError(f"{name!r} in {domain!r} is no reference", hint=long)
                chosen[domain, name] = references[name]
            check_resolvable(self._document, alone, findings, domain, wanted, behind)
        log = AccessLog(self.path, now)
        resolved = resolve(chosen, told, log.note, partly=partly)
        return replace(resolved, recorded=log.complete)

    def decrypt_values(self, domain_name: str, creds: Creds | Identity) -> DecryptedDomain:
        """Return the sealed values, even those that the domain's policy refuses, for an owner's review."""
        with self._locating():
            domain = self._document.domain(domain_name)
            return decrypt(domain, open_key(domain, self._unlock_owner(domain_name, creds)))

    # Trust: the authors of changes, and their authority

    def check_use(
        self, domain_name: str, *, require_signed: bool = False, trust: Trust | None = None, behind: bool = False
    ) -> None:
        """Check that the domain may be used, with the refusals of `decrypt_domain` before it unlocks anything.

        `trust` may also be an earlier judged state. With `behind`, the domain may be older than in that state.
        """
        from pocket_protector.trust.anchors import anchors_of_variable
        from pocket_protector.trust.gates import check_use

        if trust is None and require_signed:
            trust = anchors_of_variable(read_variable(TRUST_VARIABLE))
        check_use(self._document, domain_name, now(), require_signed=require_signed, trust=trust, behind=behind)

    def check_anchored(self, domain_name: str, anchors: Mapping[str, str]) -> None:
        """Check that the domain leads back to one of these custodians, given with their fingerprints.

        Raises PolicyError if it does not.
        """
        from pocket_protector.trust.gates import check_anchored

        check_anchored(self._document, domain_name, anchors)

    def authorize(self, state: State | None, *, follows: bool = False) -> tuple[list[Finding], State]:
        """Return the findings of the step from a trusted state to this file, and the state with this file in it.

        `state` is None at the first contact. With `follows` the file is known to come after the file of the state;
        otherwise it may be older, or from another branch.
        """
        from pocket_protector.trust.judge.authorize import authorize

        return authorize(state, self._document, follows=follows)

    def authority(self, domain_name: str) -> DomainAuthority:
        """Return the owners of the domain who count, and the values they vouch for, according to the file alone."""
        from pocket_protector.trust.judge.state import authority_of

        self._document.domain(domain_name)
        return authority_of(self._document, domain_name)

    def get_policy(self, domain_name: str) -> Policy:
        """Return the policy that the domain's owners demand; an empty one if the domain is not signed."""
        return self._document.domain(domain_name).policy

    def has_demands(self, domain_name: str) -> bool:
        """Return whether the domain has a policy with any demand."""
        return self._document.domain(domain_name).demands

    def is_signed(self, domain_name: str) -> bool:
        """Return whether the domain's key and owners are signed."""
        return self._document.domain(domain_name).epoch is not None

    def get_epoch_maker(self, domain_name: str) -> str | None:
        """Return the last signer of the domain's key and policy; None if the domain is not signed."""
        epoch = self._document.domain(domain_name).epoch
        return epoch.signed.by.name if epoch else None

    def get_fingerprint(self, key_custodian_name: str) -> bytes:
        """Return the custodian's fingerprint (32 bytes), of the name and both public keys."""
        from pocket_protector.trust.fingerprints import fingerprint

        return fingerprint(key_custodian_name, self._document.custodian(key_custodian_name).keys)

    def get_signed_keys(self, key_custodian_name: str) -> tuple[Keys, bytes]:
        """Return the custodian's public keys, and their own signature (64 bytes) of the name and both keys.

        Raises StoreError if Pocket Protector made the custodian's keys, because these cannot sign.
        """
        custodian = self._document.custodian(key_custodian_name)
        if not isinstance(custodian, Custodian):
            raise StoreError(
                f"the keys of {key_custodian_name!r} are Pocket Protector's, and cannot sign",
                hint=command("set-key-custodian-passphrase", key_custodian_name),
            )
        return custodian.keys, custodian.signature

    def line_of(self, where: tuple[str, ...]) -> int:
        """Return the line, from 1, of a finding's object or its deepest existing parent; 1 if there is none."""
        from pocket_protector.format.patches import keys_of

        error = LocatedError("", keys=keys_of(where))
        if self._file is not None:
            self._file.locate(error)
        return error.line or 1

    # Inside

    def _unlock_owner(self, domain_name: str, creds: Creds | Identity) -> Identity:
        """Unlock the identity of an owner as `unlock` does, but derive no key for a custodian who is not an owner."""
        if isinstance(creds, Creds):
            creds.require()
        self._document.domain(domain_name)
        self._document.custodian_of_credentials(creds.name)
        self._document.domain(domain_name).check_owner(creds.name)
        return self.unlock(creds)

    @contextmanager
    def _locating(self) -> Iterator[None]:
        """Add the line to an error that has a place in the file."""
        try:
            yield
        except LocatedError as error:
            if self._file is not None and error.keys:
                self._file.locate(error)
            raise

    def __repr__(self) -> str:
        return f"<KeyFile {self.path!r}: domains {', '.join(self.get_domain_names()) or 'none'}>"


def now() -> datetime:
    """Return the present time, in UTC."""
    return datetime.now(UTC)
