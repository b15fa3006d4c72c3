"""Finding plugins by their entry points, ours among them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import EntryPoint, EntryPoints, distributions, entry_points
from threading import RLock
from typing import Any

from pocket_protector.errors import Fault, PocketProtectorError, ProviderError
from pocket_protector.model.reference import Reference
from pocket_protector.plugins.sources import SecretSource

SOURCES = "pocket_protector.sources"
"""The group of entry points whose names are schemes, and which lead to what makes a `SecretSource`."""

_PARTS: dict[str, Any] = {"form": str, "local": bool, "check": Callable, "fetch": Callable, "select": Callable}

_making = RLock()
_made: dict[str, SecretSource] = {}


def source_of(scheme: str) -> SecretSource:
    """The source of a scheme's references, made once. ProviderError, naming the plugin, if none is installed, if two
    claim the scheme, and for one that cannot be loaded. No other plugin is loaded."""
    with _making:
        if scheme not in _made:
            _made[scheme] = _loaded(_only(scheme))
        return _made[scheme]


def schemes() -> list[str]:
    """The schemes that installed plugins claim."""
    return sorted(_installed().names)


def check_reference(reference: Reference) -> None:
    """FormatError if the reference is not of its scheme's form; ProviderError as `source_of`, and if the plugin cannot
    tell."""
    source = source_of(reference.scheme)
    try:
        source.check(reference)
    except (PocketProtectorError, KeyboardInterrupt):
        raise
    # Its text may hold anything.
    except BaseException as error:
        text = f"the plugin {reference.scheme!r} ended with {type(error).__name__}"
        raise _error(text, "upgrade or uninstall it") from None


def _only(scheme: str) -> EntryPoint:
    # A distribution may be found twice, as where one is installed over the other.
    found = {(point.value, _distribution(point)): point for point in _installed().select(name=scheme)}
    if not found:
        known = ", ".join(f"{name}://" for name in schemes())
        raise _error(f"no installed plugin knows references of the scheme {scheme!r}", f"known are: {known}")
    if len(found) > 1:
        claiming = " and ".join(sorted({name for _, name in found}))
        raise _error(f"several plugins claim references of the scheme {scheme!r}: {claiming}", "uninstall all but one")
    return next(iter(found.values()))


def _installed() -> EntryPoints:
    try:
        return entry_points(group=SOURCES)
    # Of any type: the library gives none of all, if one distribution's list of them is damaged.
    except Exception:
        readable: list[EntryPoint] = []
        for distribution in distributions():
            with suppress(Exception):
                readable += distribution.entry_points.select(group=SOURCES)
        return EntryPoints(readable)


def _loaded(point: EntryPoint) -> SecretSource:
    name = f"the plugin {point.name!r} of {_distribution(point)}"
    try:
        source = point.load()()
        wrong = [part for part, kind in _PARTS.items() if not isinstance(getattr(source, part, None), kind)]
    # Whatever a plugin does when it is loaded, it must stop this command, and nothing else.
    except (Exception, SystemExit) as error:
        raise _error(f"{name} cannot be loaded: {type(error).__name__}", "upgrade or uninstall it") from error
    if wrong:
        raise _error(
            f"{name} is no source of references: {', '.join(wrong)} missing or of another type",
            "upgrade or uninstall it",
        )
    made: SecretSource = source
    return made


def _distribution(point: EntryPoint) -> str:
    # What is half uninstalled has no name.
    metadata = point.dist.metadata if point.dist else None
    return metadata["Name"] if metadata and "Name" in metadata else "an unknown package"


def _error(message: str, hint: str) -> ProviderError:
    return ProviderError(Fault.OTHER, message, hint=hint)
