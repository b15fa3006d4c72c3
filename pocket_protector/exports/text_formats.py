"""Formats that anybody can read: JSON, YAML, dotenv, and assignments for a shell."""

from __future__ import annotations

import json
import re

from pocket_protector.document.exported import ExportedDomain
from pocket_protector.errors import StoreError
from pocket_protector.exports.variables import assignments, check_assignable

_OTHERWISE = "--uppercase spells it otherwise; or --format json, or other secrets: --secret NAME"


class Json:
    """One object, as `pprotect decrypt-domain` prints it."""

    def export(self, domain: ExportedDomain) -> bytes:
        return (json.dumps(domain.texts(), indent=2) + "\n").encode()


class Yaml:
    """One block mapping. Every name and value is quoted: a bare `no` or `1e3` is text to some readers only."""

    def export(self, domain: ExportedDomain) -> bytes:
        lines = [f"{_yaml_scalar(name)}: {_yaml_scalar(text)}\n" for name, text in domain.texts().items()]
        return "".join(lines or ["{}\n"]).encode()


class Shell:
    """An `export` a line, for `eval`."""

    def export(self, domain: ExportedDomain) -> bytes:
        return assignments(domain.texts(), "export ", hint=_OTHERWISE).encode()


class Dotenv:
    """A variable a line, quoted so that python-dotenv, npm's dotenv, Node itself and docker compose read the same
    value, and that a shell which reads the file runs none of it."""

    def export(self, domain: ExportedDomain) -> bytes:
        return "".join(f"{name}={_dotenv_quoted(name, text)}\n" for name, text in domain.texts().items()).encode()


def _yaml_scalar(text: str) -> str:
    """Double-quoted, in printable ASCII: what else may stand there differs between YAML 1.1, 1.2 and their readers."""
    return '"' + re.sub(r"[^ !#-\[\]-~]", _yaml_escape, text) + '"'


def _yaml_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    short = {'"': '\\"', "\\": "\\\\", "\n": "\\n"}.get(match[0])
    return short or (f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")


# What is in single quotes stands for itself, but python-dotenv replaces ${NAME} there too, to some readers \' is a
# quote and to some \\ is one backslash. In double quotes \n is a line feed to all readers; of \r, \" and \\ that is
# not so. None of the readers keeps a bare carriage return.
_NOT_IN_SINGLE = re.compile(r"['\r]|\$\{|\\\\|\\\Z")
_NOT_IN_DOUBLE = re.compile(r'["\r\\$`]')


def _dotenv_quoted(name: str, text: str) -> str:
    check_assignable(name, text, _OTHERWISE)
    if not _NOT_IN_SINGLE.search(text):
        return f"'{text}'"
    if not _NOT_IN_DOUBLE.search(text):
        return '"' + text.replace("\n", "\\n") + '"'
    raise StoreError(f"no quoting holds secret {name!r} for every reader of dotenv files", hint=_OTHERWISE)
