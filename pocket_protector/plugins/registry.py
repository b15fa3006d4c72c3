"""Find plugins by their entry points, ours among them, and call them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import EntryPoint, EntryPoints, distributions, entry_points
from threading import RLock
from typing import Any

from pocket_protector.document.exported import ExportedDomain
from pocket_protector.document.reference import Reference
from pocket_protector.errors import Fault, PocketProtectorError, ProviderError
from pocket_protector.plugins.exporter import DomainExporter
from pocket_protector.plugins.source import SecretSource

SOURCES = "pocket_protector.sources"
"""The group of entry points for `SecretSource`s: an entry point's name is the scheme, its value makes the source."""

EXPORTERS = "pocket_protector.exporters"
"""The group of entry points for `DomainExporter`s: an entry point's name is the format."""

PACKAGE = "package"
"""Not an export format, and reserved: `pprotect package` seals a domain, and no plugin may claim to."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """The plugins of one group.

    It has the required attributes of each plugin, the reserved names, and the words for a plugin and its name in
    errors.
    """

    group: str
    what: str
    parts: Mapping[str, Any]
    claimed: str
    shown: str
    reserved: frozenset[str] = frozenset()


_SOURCE = _Kind(
    SOURCES,
    "source of references",
    {"form": str, "local": bool, "check": Callable, "fetch": Callable, "select": Callable},
    "references of the scheme",
    "{}://",
)
_EXPORTER = _Kind(EXPORTERS, "exporter", {"export": Callable}, "the export format", "{}", frozenset({PACKAGE}))

_making = RLock()
_made: dict[tuple[str, str], Any] = {}


def source_of(scheme: str) -> SecretSource:
    """Return the source of a scheme's references, made once in a process. No other plugin is loaded.

    Raises ProviderError, which names the plugin, if none or more than one claims the scheme, or it cannot be loaded.
    """
    source: SecretSource = _plugin(_SOURCE, scheme)
    return source


def schemes() -> list[str]:
    """Return the schemes of the installed plugins, sorted."""
    return _names(_SOURCE)


def check_reference(reference: Reference) -> None:
    """Check that a reference has the form of its scheme.

    Raises FormatError if it has not, and ProviderError as `source_of`, or if the plugin fails.
    """
    source = source_of(reference.scheme)
    with _calling(reference.scheme):
        source.check(reference)


def exporter_of(name: str) -> DomainExporter:
    """Return the exporter of a format, made once in a process.

    Raises ProviderError as `source_of`, and for the reserved name `package`.
    """
    exporter: DomainExporter = _plugin(_EXPORTER, name)
    return exporter


def export_formats() -> list[str]:
    """Return the formats for `export_as`, sorted: ours and those of installed plugins."""
    return _names(_EXPORTER)


def export_as(name: str, domain: ExportedDomain) -> bytes:
    """Return a domain in the format of this name, such as `json`; references stand in it as their text.

    Raises PolicyError for an inject-only value, StoreError for an entry that the format cannot hold, and ProviderError
    as `exporter_of`, or if the plugin fails.
    """
    exporter = exporter_of(name)
    shown = domain.for_text()
    with _calling(name):
        made: object = exporter.export(shown)
    if not isinstance(made, bytes):
        raise _error(f"the plugin {name!r} gave {type(made).__name__}, where bytes belong", "upgrade or uninstall it")
    return made


def _names(kind: _Kind) -> list[str]:
    return sorted(_installed(kind.group).names - kind.reserved)


def _plugin(kind: _Kind, name: str) -> Any:
    with _making:
        if (kind.group, name) not in _made:
            _made[kind.group, name] = _loaded(kind, _only(kind, name))
        return _made[kind.group, name]


def _only(kind: _Kind, name: str) -> EntryPoint:
    if name in kind.reserved:
        raise _error(f"{kind.claimed} {name!r} is reserved, and no plugin makes it", "pprotect package seals a package")
    installed = _installed(kind.group)
    # A distribution may be found twice, for example if one is installed over the other.
    found = {(point.value, _distribution(point)): point for point in installed.select(name=name)}
    if not found:
        known = ", ".join(kind.shown.format(known) for known in _names(kind))
        raise _error(f"no installed plugin knows {kind.claimed} {name!r}", f"known are: {known}")
    if len(found) > 1:
        claiming = " and ".join(sorted({distribution for _, distribution in found}))
        raise _error(f"several plugins claim {kind.claimed} {name!r}: {claiming}", "uninstall all but one")
    return next(iter(found.values()))


def _installed(group: str) -> EntryPoints:
    try:
        return entry_points(group=group)
    # importlib.metadata raises errors of any type, and returns nothing, if one distribution's list is damaged.
    except Exception:
        readable: list[EntryPoint] = []
        for distribution in distributions():
            with suppress(Exception):
                readable += distribution.entry_points.select(group=group)
        return EntryPoints(readable)


def _loaded(kind: _Kind, point: EntryPoint) -> Any:
    name = f"the plugin {point.name!r} of {_distribution(point)}"
    try:
        made = point.load()()
        wrong = [part for part, type_ in kind.parts.items() if not isinstance(getattr(made, part, None), type_)]
    # A plugin that fails during loading stops only the command that needs it.
    except (Exception, SystemExit) as error:
        raise _error(f"{name} cannot be loaded: {type(error).__name__}", "upgrade or uninstall it") from error
    if wrong:
        text = f"{name} is not a valid {kind.what}: {', '.join(wrong)} missing or of another type"
        raise _error(text, "upgrade or uninstall it")
    if getattr(made, "seals", False):
        # Such a plugin expects inject-only values and unresolved references, and these are not for a text format.
        raise _error(f"{name} seals what it makes, and an export format does not", "upgrade or uninstall it")
    return made


@contextmanager
def _calling(name: str) -> Iterator[None]:
    """Turn each exception that a plugin must not raise into a ProviderError."""
    try:
        yield
    except (PocketProtectorError, KeyboardInterrupt):
        raise
    # The exception's text may hold a value, so only its type is shown.
    except BaseException as error:
        text = f"the plugin {name!r} ended with {type(error).__name__}"
        raise _error(text, "upgrade or uninstall it") from None


def _distribution(point: EntryPoint) -> str:
    # A half uninstalled distribution has no name.
    metadata = point.dist.metadata if point.dist else None
    return metadata["Name"] if metadata and "Name" in metadata else "an unknown package"


def _error(message: str, hint: str) -> ProviderError:
    return ProviderError(Fault.OTHER, message, hint=hint)
