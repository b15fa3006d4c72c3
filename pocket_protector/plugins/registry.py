"""Finding plugins by their entry points, ours among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import EntryPoint, EntryPoints, distributions, entry_points
from threading import RLock
from typing import TYPE_CHECKING, Any
