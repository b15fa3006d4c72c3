"""Exporters for plain text: JSON, YAML, dotenv and shell assignments."""

from __future__ import annotations

import json
import re

from pocket_protector.document.exported import ExportedDomain
from pocket_protector.errors import StoreError
from pocket_protector.exports.variables import assignments, check_assignable

_OTHERWISE = "give --uppercase or --format json, or choose other secrets with --secret NAME"


class Json:
    """Export one JSON object, in the form that `pprotect decrypt-domain` prints."""

    def export(self, domain: ExportedDomain) -> bytes:
        """Return the domain as JSON, in UTF-8. Raises StoreError for a value that is not text."""
        return (json.dumps(domain.texts(), indent=2) + "\n").encode()


class Yaml:
    """Export one YAML block mapping. Names and values are quoted: a bare `no` or `1e3` is not text to all readers."""

    def export(self, domain: ExportedDomain) -> bytes:
        """Return the domain as YAML, in ASCII. Raises StoreError for a value that is not text."""
        lines = [f"{_yaml_scalar(name)}: {_yaml_scalar(text)}\n" for name, text in domain.texts().items()]
        return "".join(lines or ["{}\n"]).encode()


class Shell:
    """Export one `export NAME=value` per line, for `eval`."""

    def export(self, domain: ExportedDomain) -> bytes:
        """Return the domain as shell assignments, in UTF-8. Raises StoreError as `check_assignable` does."""
        return assignments(domain.texts(), "export ", hint=_OTHERWISE).encode()


class Dotenv:
    """Export one `NAME=value` per line.

    With these quotes python-dotenv, npm's dotenv, Node and docker compose all read the same value, and a shell that
    sources the file executes none of it.
    """

    def export(self, domain: ExportedDomain) -> bytes:
        """Return the domain as dotenv lines, in UTF-8.

        Raises StoreError as `check_assignable` does, and for a value that the readers would read differently.
        """
        return "".join(f"{name}={_dotenv_quoted(name, text)}\n" for name, text in domain.texts().items()).encode()


def _yaml_scalar(text: str) -> str:
    """Return a double-quoted scalar in printable ASCII: readers of YAML 1.1 and 1.2 differ on other characters."""
    return '"' + re.sub(r"[^ !#-\[\]-~]", _yaml_escape, text) + '"'


def _yaml_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    short = {'"': '\\"', "\\": "\\\\", "\n": "\\n"}.get(match[0])
    return short or (f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")


# Single quotes are literal, except that python-dotenv replaces ${NAME}, and that some readers take \' for a quote and
# \\ for one backslash. In double quotes all readers take \n for a line feed, but they differ on \r, \" and \\. No
# reader preserves a bare carriage return.
_NOT_IN_SINGLE = re.compile(r"['\r]|\$\{|\\\\|\\\Z")
_NOT_IN_DOUBLE = re.compile(r'["\r\\$`]')


def _dotenv_quoted(name: str, text: str) -> str:
    check_assignable(name, text, _OTHERWISE)
    if not _NOT_IN_SINGLE.search(text):
        return f"'{text}'"
    if not _NOT_IN_DOUBLE.search(text):
        return '"' + text.replace("\n", "\\n") + '"'
    raise StoreError(f"secret {name!r} cannot be quoted for every reader of dotenv files", hint=_OTHERWISE)
