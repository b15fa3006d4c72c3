"""What a protected file shows, opens and says of itself: the part of `KeyFile` that changes nothing."""

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

if TYPE_CHECKING:  # imported late: most programs ask for nothing of it
    from pocket_protector.document.policy import Policy
    from pocket_protector.document.statements import Keys
    from pocket_protector.references.resolve import Progress, Resolved
    from pocket_protector.trust.findings import Finding
    from pocket_protector.trust.gates import Trust
    from pocket_protector.trust.judge.state import DomainAuthority, State


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class View:
    """A protected file, to look at and to open."""

    path: str
    _file: LoadedFile | None
    _document: Document

    # Looking, without credentials

    @property
    def document(self) -> Document:
        """What the file holds, as frozen objects (`pocket_protector.document`). Read it; change it by methods only."""
        return self._document

    @property
    def file_id(self) -> bytes:
        """16 bytes that the file was made with; none in a file of Pocket Protector's."""
        return self._document.file_id

    def get_domain_names(self) -> list[str]:
        return sorted(self._document.domains)

    def get_domain_secret_names(self, domain_name: str) -> list[str]:
        return sorted(self._document.domain(domain_name).secrets)

    def get_secret_time(self, domain_name: str, name: str) -> str:
        """When the secret was last set, as the file says it; "" in a file of Pocket Protector's."""
        return self._document.secret(domain_name, name).updated

    def is_signed_secret(self, domain_name: str, name: str) -> bool:
        """Whether a signature stands beside the secret, whosever it is."""
        return self._document.secret(domain_name, name).signed is not None

    def lowers_sensitivity(self, domain_name: str, name: str, sensitivity: Sensitivity) -> bool:
        """Whether this is less than what is written of the secret; False for one that is not there yet."""
        secret = self._document.domain(domain_name).secrets.get(name)
        return secret is not None and sensitivity < secret.sensitivity

    def get_secret_sensitivity(self, domain_name: str, name: str) -> Sensitivity:
        """How carefully the value is to be handled: what its setter said, and in a production domain at least high."""
        self._document.secret(domain_name, name)
        return self._document.domain(domain_name).sensitivity(name)

    def get_references(self, domain_name: str) -> dict[str, Reference]:
        """Secret name → the reference that stands in the place of its value, for those that have one."""
        return self._document.domain(domain_name).references()

    def get_withheld_references(self, domain_name: str) -> list[str]:
        """The references that are not resolved, since no owner vouches for them and the domain is one of production."""
        if not self.has_demands(domain_name):
            return []
        from pocket_protector.trust.policy_checks import unreviewed_references

        domain = self._document.domain(domain_name)
        return unreviewed_references(domain, self.authority(domain_name), domain.references())

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

    def decrypt_domain(
        self,
        domain_name: str,
        creds: Creds | Identity,
        *,
        require_signed: bool = False,
        trust: Trust | None = None,
        resolve: bool = True,
    ) -> DecryptedDomain:
        """All values of a domain by name. AccessError unless the custodian is an owner; PolicyError if the domain's
        policy refuses.

        What references lead to is fetched, as whom the provider takes this program for: ProviderError, and nothing is
        returned, if one cannot be had or is not UTF-8 text. Without `resolve` the references themselves are returned.

        With `require_signed`, PolicyError too unless owners vouch for every value, and the domain leads back to
        somebody in `trust`: names with fingerprints, else what PPROTECT_TRUST has.
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
        """What references, given by their domains and names, lead to; that is noted in the user's own log of accesses.

        StoreError for one that is none; PolicyError for one that the domain's policy wants an owner to vouch for, and
        none does; IntegrityError for one that somebody without the right to it changed, as the file shows, or the
        `findings` of a step to it, unless it may be `behind`. After a failure nothing more is begun, unless what can be
        had will do (`partly`).
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
        """The sealed values, whatever the domain's policy says: for an owner who is to review what it refuses."""
        with self._locating():
            domain = self._document.domain(domain_name)
            return decrypt(domain, open_key(domain, self._unlock_owner(domain_name, creds)))

    # Trust: whose changes these are

    def check_use(
        self, domain_name: str, *, require_signed: bool = False, trust: Trust | None = None, behind: bool = False
    ) -> None:
        """As `decrypt_domain` refuses before it unlocks anything. `trust` may be a state that was judged before; then
        the domain may be `behind` it, or not."""
        from pocket_protector.trust.anchors import anchors_of_variable
        from pocket_protector.trust.gates import check_use

        if trust is None and require_signed:
            trust = anchors_of_variable(read_variable(TRUST_VARIABLE))
        check_use(self._document, domain_name, now(), require_signed=require_signed, trust=trust, behind=behind)

    def check_anchored(self, domain_name: str, anchors: Mapping[str, str]) -> None:
        """PolicyError unless the domain leads back to one of these custodians, given with their fingerprints."""
        from pocket_protector.trust.gates import check_anchored

        check_anchored(self._document, domain_name, anchors)

    def authorize(self, state: State | None, *, follows: bool = False) -> tuple[list[Finding], State]:
        """What the step from a trusted state to this file says, and the state with this file in it; None at first.
        With `follows` the file is known to come after that of the state; else it may be another branch's, or older."""
        from pocket_protector.trust.judge.authorize import authorize

        return authorize(state, self._document, follows=follows)

    def authority(self, domain_name: str) -> DomainAuthority:
        """Which owners of the domain count, and which values they vouch for, going by the file alone."""
        from pocket_protector.trust.judge.state import authority_of

        self._document.domain(domain_name)
        return authority_of(self._document, domain_name)

    def get_policy(self, domain_name: str) -> Policy:
        """What the domain's owners demand of it; nothing, in a domain that nobody has signed."""
        return self._document.domain(domain_name).policy

    def has_demands(self, domain_name: str) -> bool:
        """Whether the domain has a policy that demands anything."""
        return self._document.domain(domain_name).demands

    def is_signed(self, domain_name: str) -> bool:
        """Whether the domain's key and owners are signed."""
        return self._document.domain(domain_name).epoch is not None

    def get_epoch_maker(self, domain_name: str) -> str | None:
        """Who signed the domain's key and policy last; None in a domain that nobody has signed."""
        epoch = self._document.domain(domain_name).epoch
        return epoch.signed.by.name if epoch else None

    def get_fingerprint(self, key_custodian_name: str) -> bytes:
        """The custodian's fingerprint (32 bytes), of the name and both public keys."""
        from pocket_protector.trust.fingerprints import fingerprint

        return fingerprint(key_custodian_name, self._document.custodian(key_custodian_name).keys)

    def get_signed_keys(self, key_custodian_name: str) -> tuple[Keys, bytes]:
        """The custodian's public keys, and their own signature (64 bytes) of the name and both. StoreError for a
        custodian whose keys Pocket Protector made, which cannot sign."""
        custodian = self._document.custodian(key_custodian_name)
        if not isinstance(custodian, Custodian):
            raise StoreError(
                f"the keys of {key_custodian_name!r} are Pocket Protector's, and cannot sign",
                hint=command("set-key-custodian-passphrase", key_custodian_name),
            )
        return custodian.keys, custodian.signature

    def line_of(self, where: tuple[str, ...]) -> int:
        """The line, from 1, at which the object of a finding stands, as far as it does; 1 if it does not."""
        from pocket_protector.format.patches import keys_of

        error = LocatedError("", keys=keys_of(where))
        if self._file is not None:
            self._file.locate(error)
        return error.line or 1

    # Inside

    def _unlock_owner(self, domain_name: str, creds: Creds | Identity) -> Identity:
        """As `unlock`, but no key is derived for one who is not an owner."""
        if isinstance(creds, Creds):
            creds.require()
        self._document.domain(domain_name)
        self._document.custodian_of_credentials(creds.name)
        self._document.domain(domain_name).check_owner(creds.name)
        return self.unlock(creds)

    @contextmanager
    def _locating(self) -> Iterator[None]:
        """Give an error of a place in the file the line of that place."""
        try:
            yield
        except LocatedError as error:
            if self._file is not None and error.keys:
                self._file.locate(error)
            raise

    def __repr__(self) -> str:
        return f"<KeyFile {self.path!r}: domains {', '.join(self.get_domain_names()) or 'none'}>"


def now() -> datetime:
    return datetime.now(UTC)
