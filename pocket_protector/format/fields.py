"""How the fields of trees are read: each child by its key, an error with the keys that lead to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pocket_protector.document import names
from pocket_protector.errors import FormatError, LocatedError, NameFormatError
from pocket_protector.format.trees import Tree

SECRET_PREFIX = "secret-"  # noqa: S105 (a key of the file, not a password)

EPOCH_KEYS = ("number", "previous", "policy", "made", "made-by", "signature")
"""What a domain's meta has besides, if it is signed."""

T = TypeVar("T")

Memo = dict[str, tuple[dict[str, Tree], dict[str, Any]]]
"""What was read of another version of the file: of each mapping by its place the trees, and what they were read as."""

_NOTHING: tuple[dict[str, Tree], dict[str, Any]] = ({}, {})


def mapping_of(tree: Tree) -> dict[str, Tree]:
    if not isinstance(tree, dict):
        raise FormatError("a mapping belongs here")
    return tree


def text_of(tree: Tree) -> str:
    if not isinstance(tree, str):
        raise FormatError("a text belongs here")
    return tree


def texts_of(tree: Tree) -> tuple[str, ...]:
    if not isinstance(tree, list):
        raise FormatError("a list of texts belongs here")
    return tuple([text_of(item) for item in tree])


def child(parent: dict[str, Tree], key: str) -> Tree:
    found = parent.get(key)
    if found is None:
        raise FormatError(f"{key!r} is missing")
    return found


def refuse_unknown(mapping: dict[str, Tree], *known: str) -> None:
    """FormatError for a key that is neither known nor an extension."""
    for key in extension_free(mapping):
        if key not in known:
            raise unknown_key().under(key)


def unknown_key() -> FormatError:
    return FormatError(
        "this key is not known here",
        hint="if a newer pprotect wrote it, upgrade pprotect; keys that begin with 'x-' are free for your own use",
    )


def extension_free(mapping: dict[str, Tree]) -> Iterator[str]:
    return (key for key in mapping if not key.startswith(names.EXTENSION_PREFIX))


def read_secret_name(key: str, parse: Callable[[str], str]) -> str:
    """The name in a key such as `secret-db-password`."""
    if not key.startswith(SECRET_PREFIX):
        raise unknown_key()
    return read_name(key[len(SECRET_PREFIX) :], parse)


def read_name(text: str, parse: Callable[[str], str]) -> str:
    try:
        return parse(text)
    except NameFormatError as error:
        raise FormatError(error.message, hint=error.hint) from None


def read_child(parent: dict[str, Tree], key: str, read: Callable[..., T], *arguments: object) -> T:
    """`read(child, *arguments)`, with `key` before the place of an error in it."""
    tree = child(parent, key)
    try:
        return read(tree, *arguments)
    except LocatedError as error:
        raise error.under(key) from None


def read_scalar(parent: dict[str, Tree], key: str, parse: Callable[..., T], *arguments: object) -> T:
    """`parse(child text, *arguments)`, likewise."""
    text = child(parent, key)
    try:
        return parse(text if type(text) is str else text_of(text), *arguments)
    except LocatedError as error:
        raise error.under(key) from None


def read_each(
    tree: Tree,
    read: Callable[[Tree, str], T],
    *marks: str,
    memo: Memo | None = None,
    place: str = "",
) -> dict[str, T]:
    """Every entry but extensions; one that is as the memo has it of that place is not read again.

    A key that begins with `x-` is none if its value is a mapping with one of `marks`: somebody's name may begin so.
    """
    mapping, each = mapping_of(tree), {}
    trees, known = memo.get(place, _NOTHING) if memo is not None else _NOTHING
    for key, item in mapping.items():
        if key in known and trees[key] == item:
            each[key] = known[key]
        elif not key.startswith(names.EXTENSION_PREFIX) or (
            isinstance(item, dict) and not item.keys().isdisjoint(marks)
        ):
            try:
                each[key] = read(item, key)
            except LocatedError as error:
                raise error.under(key) from None
    if memo is not None:
        memo[place] = mapping, each
    return each
