"""References: URIs that stand in the place of values (docs/format.md, section 4.10)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from pocket_protector.errors import FormatError

MAX_REFERENCE_CHARACTERS = 2048

_PART = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_FORM = re.compile(rf"([a-z][a-z0-9+.-]{{0,31}})://((?:{_PART}|/)+)(?:\?((?:{_PART}|[/?])+))?(?:#((?:{_PART}|[/?])+))?")


@dataclass(frozen=True, slots=True)
class Reference:
    """A pointer such as `azure-kv://vault/secret#json.key`: a URI in the characters of RFC 3986, with a scheme, a part
    after `//`, and at most one query and fragment, none of them empty; 2,048 characters at most.

    Only the scheme's source interprets the part after `//`. Percent-encoded parts are printable UTF-8 text.
    FormatError for another form.
    """

    text: str

    def __post_init__(self) -> None:
        if len(self.text) > MAX_REFERENCE_CHARACTERS:
            raise FormatError(f"a reference has at most {MAX_REFERENCE_CHARACTERS} characters")
        if not _FORM.fullmatch(self.text):
            raise FormatError(
                "not a reference such as aws-sm://name or azure-kv://vault/secret",
                hint="other characters than those of a URI are percent-encoded: a space is %20",
            )
        if not _decoded(self.text).isprintable():
            raise FormatError("a percent-encoded part of a reference is printable text")
        if "?" in self.text:
            _ = self.query

    @property
    def scheme(self) -> str:
        """The scheme, such as `vault`."""
        return self.text.partition(":")[0]

    @property
    def segments(self) -> tuple[str, ...]:
        """The part between `//` and the query, cut at slashes and then decoded; `file:///a` has `""` and `a`."""
        return tuple(map(_decoded, self._parts()[1].split("/")))

    @property
    def query(self) -> dict[str, str]:
        """The query as key → value; FormatError for a part that is not `key=value`, and for a repeated key."""
        query = self._parts()[2]
        pairs = [part.partition("=") for part in query.split("&")] if query else []
        found = {_decoded(key): _decoded(value) for key, _, value in pairs}
        if len(found) < len(pairs) or not all(key and equals for key, equals, _ in pairs):
            raise FormatError("the query of a reference is key=value, or several joined by &, each key once")
        return found

    @property
    def fragment(self) -> str | None:
        """The fragment, undecoded, since the source decides whether it is one name or several; None without one."""
        return self._parts()[3] or None

    def without_fragment(self) -> Self:
        """Return the reference without its fragment."""
        return type(self)(self.text.partition("#")[0])

    def _parts(self) -> tuple[str, ...]:
        found = _FORM.fullmatch(self.text)
        assert found
        return tuple(part or "" for part in found.groups())

    def __str__(self) -> str:
        return self.text


def decode_part(text: str) -> str:
    """Decode the percent-encoding of a part of a reference."""
    return _decoded(text)


def _decoded(text: str) -> str:
    if "%" not in text:
        return text
    from urllib.parse import unquote_to_bytes

    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise FormatError("a percent-encoded part of a reference is UTF-8 text") from None
