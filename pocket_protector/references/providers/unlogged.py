"""Keep an SDK's records of a fetch out of every log: at DEBUG, some SDKs write whole answers and tokens."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_fetching: ContextVar[bool] = ContextVar("fetching", default=False)


class _Silence(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002
        return not _fetching.get()


_SILENCE = _Silence()


@contextmanager
def unlogged(*names: str) -> Iterator[None]:
    """Make the loggers of these names, but not their children, drop the records of this thread inside the context.

    The program's own use of the same SDK in other threads is logged as before.
    """
    for name in names:
        logging.getLogger(name).addFilter(_SILENCE)
    token = _fetching.set(True)
    try:
        yield
    finally:
        _fetching.reset(token)
