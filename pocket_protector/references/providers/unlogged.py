"""Keeping out of every log what an SDK would log of a fetch: at DEBUG, some write whole answers and tokens."""

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
    """Loggers of these names, their children not included, drop what this thread gives them meanwhile, and only that:
    the program's own use of the same SDK is logged as before."""
    for name in names:
        logging.getLogger(name).addFilter(_SILENCE)
    token = _fetching.set(True)
    try:
        yield
    finally:
        _fetching.reset(token)
