"""Finding plugins by their entry points, ours among them."""

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
"""The group of entry points whose names are schemes, and which lead to what makes a `SecretSource`."""

EXPORTERS = "pocket_protector.exporters"
"""The group whose names are formats, and which lead to what makes a `DomainExporter`."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """The plugins of one group: what they are and have, and how errors speak of what their names claim."""

    group: str
    what: str
    parts: Mapping[str, Any]
    claimed: str
    shown: str


_SOURCE = _Kind(
    SOURCES,
    "source of references",
    {"form": str, "local": bool, "check": Callable, "fetch": Callable, "select": Callable},
    "references of the scheme",
    "{}://",
)
_EXPORTER = _Kind(EXPORTERS, "exporter", {"seals": bool, "export": Callable}, "the export format", "{}")

_making = RLock()
_made: dict[tuple[str, str], Any] = {}


def source_of(scheme: str) -> SecretSource:
    """The source of a scheme's references, made once. ProviderError, naming the plugin, if none is installed, if two
    claim the scheme, and for one that cannot be loaded. No other plugin is loaded."""
    source: SecretSource = _plugin(_SOURCE, scheme)
    return source


def schemes() -> list[str]:
    """The schemes that installed plugins claim."""
    return sorted(_installed(SOURCES).names)


def check_reference(reference: Reference) -> None:
    """FormatError if the reference is not of its scheme's form; ProviderError as `source_of`, and if the plugin cannot
    tell."""
    source = source_of(reference.scheme)
    with _calling(reference.scheme):
        source.check(reference)


def exporter_of(name: str) -> DomainExporter:
    """What exports in the format, made once. ProviderError as `source_of`."""
    exporter: DomainExporter = _plugin(_EXPORTER, name)
    return exporter


def export_formats() -> list[str]:
    """The formats that installed plugins claim."""
    return sorted(_installed(EXPORTERS).names)


def export_as(name: str, domain: ExportedDomain, request: Any = None) -> bytes:
    """What the exporter of the format makes of the domain. ProviderError as `exporter_of`, and if the plugin fails."""
    exporter = exporter_of(name)
    with _calling(name):
        made: object = exporter.export(domain, request)
    if not isinstance(made, bytes):
        raise _error(f"the plugin {name!r} gave {type(made).__name__}, where bytes belong", "upgrade or uninstall it")
    return made


def _plugin(kind: _Kind, name: str) -> Any:
    with _making:
        if (kind.group, name) not in _made:
            _made[kind.group, name] = _loaded(kind, _only(kind, name))
        return _made[kind.group, name]


def _only(kind: _Kind, name: str) -> EntryPoint:
    installed = _installed(kind.group)
    # A distribution may be found twice, as where one is installed over the other.
    found = {(point.value, _distribution(point)): point for point in installed.select(name=name)}
    if not found:
        known = ", ".join(kind.shown.format(known) for known in sorted(installed.names))
        raise _error(f"no installed plugin knows {kind.claimed} {name!r}", f"known are: {known}")
    if len(found) > 1:
        claiming = " and ".join(sorted({distribution for _, distribution in found}))
        raise _error(f"several plugins claim {kind.claimed} {name!r}: {claiming}", "uninstall all but one")
    return next(iter(found.values()))


def _installed(group: str) -> EntryPoints:
    try:
        return entry_points(group=group)
    # Of any type: the library gives none of all, if one distribution's list of them is damaged.
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
    # Whatever a plugin does when it is loaded, it must stop this command, and nothing else.
    except (Exception, SystemExit) as error:
        raise _error(f"{name} cannot be loaded: {type(error).__name__}", "upgrade or uninstall it") from error
    if wrong:
        raise _error(
            f"{name} is no {kind.what}: {', '.join(wrong)} missing or of another type", "upgrade or uninstall it"
        )
    return made


@contextmanager
def _calling(name: str) -> Iterator[None]:
    """ProviderError for what no plugin may raise."""
    try:
        yield
    except (PocketProtectorError, KeyboardInterrupt):
        raise
    # Its text may hold anything.
    except BaseException as error:
        text = f"the plugin {name!r} ended with {type(error).__name__}"
        raise _error(text, "upgrade or uninstall it") from None


def _distribution(point: EntryPoint) -> str:
    # What is half uninstalled has no name.
    metadata = point.dist.metadata if point.dist else None
    return metadata["Name"] if metadata and "Name" in metadata else "an unknown package"


def _error(message: str, hint: str) -> ProviderError:
    return ProviderError(Fault.OTHER, message, hint=hint)
