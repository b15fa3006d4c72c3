"""Read the fields of trees by their keys; every error carries the keys of its place, from the top down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pocket_protector.document import names
from pocket_protector.errors import FormatError, LocatedError, NameFormatError
from pocket_protector.format.trees import Tree

SECRET_PREFIX = "secret-"  # noqa: S105 (a key of the file, not a password)

EPOCH_KEYS = ("number", "previous", "policy", "made", "made-by", "signature")
"""The fields that only the `meta` of a signed domain has (docs/format.md, section 7)."""

T = TypeVar("T")

Memo = dict[str, tuple[dict[str, Tree], dict[str, Any]]]
"""The results of reading another version of the file: place of a mapping → (its trees by key, its objects by key)."""

_NOTHING: tuple[dict[str, Tree], dict[str, Any]] = ({}, {})


def mapping_of(tree: Tree) -> dict[str, Tree]:
    """Return the tree as a mapping. Raises FormatError if it is not one."""
    if not isinstance(tree, dict):
        raise FormatError("this must be a mapping")
    return tree


def text_of(tree: Tree) -> str:
    """Return the tree as a text. Raises FormatError if it is not one."""
    if not isinstance(tree, str):
        raise FormatError("this must be a text")
    return tree


def texts_of(tree: Tree) -> tuple[str, ...]:
    """Return the tree as a list of texts. Raises FormatError if it is not one."""
    if not isinstance(tree, list):
        raise FormatError("this must be a list of texts")
    return tuple([text_of(item) for item in tree])


def child(parent: dict[str, Tree], key: str) -> Tree:
    """Return the child at `key`. Raises FormatError if the mapping does not have it."""
    tree = parent.get(key)
    if tree is None:
        raise FormatError(f"{key!r} is missing")
    return tree


def refuse_unknown(mapping: dict[str, Tree], *known: str) -> None:
    """Check that every key is one of `known` or an extension (`x-…`). Raises FormatError for any other key."""
    for key in extension_free(mapping):
        if key not in known:
            raise unknown_key().under(key)


def unknown_key() -> FormatError:
    """Return the error for a key that format 1 does not define in its place."""
    return FormatError(
        "this key is not known here",
        hint="upgrade pprotect if a newer version wrote the key; give a key of your own the prefix 'x-'",
    )


def extension_free(mapping: dict[str, Tree]) -> Iterator[str]:
    """Yield the keys that are not extensions (`x-…`)."""
    return (key for key in mapping if not key.startswith(names.EXTENSION_PREFIX))


def read_secret_name(key: str, parse: Callable[[str], str]) -> str:
    """Return the secret's name from a key such as `secret-db-password`, checked by `parse`.

    Raises FormatError for a key without the prefix and for a name that `parse` refuses.
    """
    if not key.startswith(SECRET_PREFIX):
        raise unknown_key()
    return read_name(key[len(SECRET_PREFIX) :], parse)


def read_name(text: str, parse: Callable[[str], str]) -> str:
    """Return `parse(text)`. Raises FormatError for a name that `parse` refuses."""
    try:
        return parse(text)
    except NameFormatError as error:
        raise FormatError(error.message, hint=error.hint) from None


def read_child(parent: dict[str, Tree], key: str, read: Callable[..., T], *arguments: object) -> T:
    """Return `read(child, *arguments)`. An error in it is located under `key`."""
    tree = child(parent, key)
    try:
        return read(tree, *arguments)
    except LocatedError as error:
        raise error.under(key) from None


def read_scalar(parent: dict[str, Tree], key: str, parse: Callable[..., T], *arguments: object) -> T:
    """Return `parse(text of the child, *arguments)`. An error in it is located under `key`."""
    text = child(parent, key)
    try:
        return parse(text if type(text) is str else text_of(text), *arguments)
    except LocatedError as error:
        raise error.under(key) from None


def read_each(
    tree: Tree,
    read: Callable[[Tree, str], T],
    *typical_keys: str,
    memo: Memo | None = None,
    place: str = "",
) -> dict[str, T]:
    """Return key → `read(child, key)` for every entry that is not an extension.

    A name may begin with `x-` too: such an entry is an extension only if its value is not a mapping with one of
    `typical_keys`. Where `memo` has an equal entry at `place`, the entry is not read again. An error is located
    under the entry's key.
    """
    mapping, each = mapping_of(tree), {}
    trees, known = memo.get(place, _NOTHING) if memo is not None else _NOTHING
    for key, item in mapping.items():
        if key in known and trees[key] == item:
            each[key] = known[key]
        elif not key.startswith(names.EXTENSION_PREFIX) or (
            isinstance(item, dict) and not item.keys().isdisjoint(typical_keys)
        ):
            try:
                each[key] = read(item, key)
            except LocatedError as error:
                raise error.under(key) from None
    if memo is not None:
        memo[place] = mapping, each
    return each
