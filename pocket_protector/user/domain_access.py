"""Values of one domain, opened for one use: printing, a program, or a package."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pocket_protector.crypto.identity import Identity
from pocket_protector.document.decrypted import DecryptedDomain, decoded
from pocket_protector.document.exported import ExportedDomain
from pocket_protector.document.sensitivity import Sensitivity
from pocket_protector.errors import PolicyError, StoreError, command
from pocket_protector.keyfile.credentials import Creds
from pocket_protector.keyfile.exported_domain import check_names, with_contents
from pocket_protector.user import notices

if TYPE_CHECKING:
    from pocket_protector.errors import ProviderError
    from pocket_protector.references.resolve import Progress
    from pocket_protector.user.guarded_key_file import GuardedKeyFile


@dataclass(frozen=True, slots=True)
class Use:
    """The use that a caller has for the values.

    If `prints` is set, people may see the values. Then inject-only values are refused, and on a terminal
    (`on_terminal`) so are values of high sensitivity, unless the user asks to see them (`reveal`). `require_signed`
    refuses values without a trusted owner's signature. Without `resolve` references stay references. `skip_unresolved`
    leaves out the references whose values cannot be fetched. `progress` is called with the number of fetched references
    and the total.
    """

    prints: bool = False
    on_terminal: bool = False
    reveal: bool = False
    require_signed: bool = False
    resolve: bool = True
    skip_unresolved: bool = False
    progress: Progress | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, repr=False)
class OpenedDomain:
    """The opened values of a domain: `values` has the bytes of each value, or the text of an unresolved reference.

    `failures` has the references that could not be resolved and were skipped. `unbound` and `under_retired_key` name
    values as in `DecryptedDomain`.
    """

    name: str
    values: Mapping[str, bytes]
    failures: Mapping[str, ProviderError]
    unresolved: tuple[str, ...]
    unbound: tuple[str, ...]
    under_retired_key: tuple[str, ...]

    def texts(self) -> DecryptedDomain:
        """Return the values as text.

        Raises StoreError for a reference to a value that is not UTF-8 text.
        """
        texts = {name: decoded(self.name, name, value) for name, value in self.values.items()}
        decrypted = DecryptedDomain(self.name, texts, list(self.unbound), list(self.under_retired_key))
        decrypted.unresolved = self.unresolved
        return decrypted


class DomainAccess:
    """The checked permission to open values of one domain; `open` takes the credentials."""

    __slots__ = ("_chosen", "_domain", "_file", "_names", "_use")

    def __init__(self, file: GuardedKeyFile, domain: str, use: Use, names: list[str], chosen: bool) -> None:
        self._file = file
        self._domain = domain
        self._use = use
        self._names = names
        self._chosen = chosen

    def open(self, creds: Creds | Identity) -> OpenedDomain:
        """Unlock the domain, open the values, and pin the file.

        Raises AccessError unless the credentials belong to an owner, PolicyError if the domain may not be used,
        IntegrityError for a value outside its place, and ProviderError for a reference that cannot be resolved.
        """
        file, domain, use = self._file, self._domain, self._use
        file.check_use(domain, require_signed=use.require_signed)
        sealed = file.key_file.decrypt_values(domain, creds)
        values = {name: value.encode() for name, value in sealed.items()}
        failures: dict[str, ProviderError] = {}
        pointers = {name: r for name, r in file.key_file.get_references(domain).items() if name in self._names}
        if not use.resolve:
            values |= {name: pointer.text.encode() for name, pointer in pointers.items()}
        elif pointers:
            # The user asked for these values by name, so none may be left out.
            partly = use.skip_unresolved and not self._chosen
            resolved = file.resolve([(domain, name) for name in pointers], use.progress, partly=partly)
            failures = {name: failure for (_, name), failure in resolved.failures.items()}
            values |= {name: value for (_, name), value in resolved.values.items()}
        for name, failure in failures.items():
            file.tell(notices.warning(f"{name} is left out: {failure}"))
        file.pin_as_used()
        tell_of_rotation(file, sealed)
        held = {name: values[name] for name in self._names if name in values}
        unresolved = () if use.resolve else tuple(pointers)
        return OpenedDomain(domain, held, failures, unresolved, sealed.unbound, sealed.under_retired_key)

    def export(self, identity: Identity, *custodian_names: str) -> ExportedDomain:
        """Open the values for a package that custodians of the file, or others, receive.

        References stay references. No entry becomes less sensitive than it was when the user last saw it, and a
        production domain stays one. Raises as `open`, and as `GuardedKeyFile.check_wrapping` for the custodians.
        """
        file, domain = self._file, self._domain
        file.check_wrapping(domain, *custodian_names)
        opened = self.open(identity)
        references = file.key_file.get_references(domain)
        contents = {name: references.get(name, opened.values[name]) for name in self._names}
        exported = with_contents(file.key_file, domain, contents, file.judged.sensitivity_floors(domain))
        return replace(exported, production=True) if file.judged.was_production(domain) else exported


def grant_access(
    file: GuardedKeyFile, domain: str, use: Use | None = None, chosen: Collection[str] | None = None
) -> DomainAccess:
    """Return access to all values of a domain, or to the `chosen` ones.

    Raises as `GuardedKeyFile.access`.
    """
    use = use or Use()
    check_names(file.key_file, domain, chosen or ())
    names = [name for name in file.key_file.get_domain_secret_names(domain) if chosen is None or name in chosen]
    file.give_notices([domain], first_contact=file.options.attended)
    if use.prints:
        references = file.key_file.get_references(domain)
        shown = [name for name in names if use.resolve or name not in references]
        try:
            check_printable(file, domain, shown, use)
        except PolicyError:
            # The pin keeps the present sensitivity. Otherwise somebody could lower it next and get the values.
            file.pin_as_used()
            raise
    return DomainAccess(file, domain, use, names, chosen is not None)


def check_printable(file: GuardedKeyFile, domain: str, names: Collection[str], use: Use) -> None:
    """Check that the caller may print these values.

    Raises PolicyError for an inject-only value, and on a terminal for a value of high sensitivity unless the user asked
    to see it.
    """
    floors = file.judged.sensitivity_floors(domain)
    written = {name: file.key_file.get_secret_sensitivity(domain, name) for name in names}
    levels = {name: max(level, floors.get(name, level)) for name, level in written.items()}
    for_programs = sorted(name for name, level in levels.items() if level is Sensitivity.INJECT_ONLY)
    if for_programs:
        raise PolicyError(
            f"these values in {domain!r} are inject-only, and are not printed: {', '.join(for_programs)}",
            hint=f"a program gets them: {command('run', domain)} -- COMMAND",
        )
    sensitive = sorted(name for name, level in levels.items() if level is Sensitivity.HIGH)
    if sensitive and use.on_terminal and not use.reveal:
        raise PolicyError(
            f"these values in {domain!r} are of high sensitivity, and stdout is a terminal: {', '.join(sensitive)}",
            hint="--reveal prints them all the same",
        )


def tell_of_rotation(file: GuardedKeyFile, values: DecryptedDomain) -> None:
    """Give a notice about values that a rotation would bind to their places or seal to the present key."""
    domain = values.name
    rotate = command("rotate-domain-keys", domain)
    if values.unbound:
        bind = rotate if _is_changeable(file) else f"pprotect upgrade, then {rotate}"
        file.tell(
            notices.note(
                f"{len(values.unbound)} of {len(values)} values in {domain} are of Pocket Protector's format: a swap of"
                f" two would not be noticed; to bind them: {bind}"
            )
        )
    if values.under_retired_key:
        names = ", ".join(values.under_retired_key)
        file.tell(notices.note(f"sealed to an earlier key of {domain}: {names}; to re-seal them: {rotate}"))


def _is_changeable(file: GuardedKeyFile) -> bool:
    try:
        file.key_file.check_changeable()
    except StoreError:
        return False
    return True
