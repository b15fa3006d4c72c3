"""Policies: the demands that a domain's owners sign in its epoch (docs/format.md, section 4.6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pocket_protector.crypto.encoding import lp
from pocket_protector.document.statements import encode_list
from pocket_protector.errors import FormatError

REQUIRE_SIGNED = "require-signed"
MAX_AGE = "max-age"
MIN_OWNERS = "min-owners"
PRODUCTION = "production"

_TRUTH = {True: "true", False: "false"}
_DAYS = re.compile(r"([1-9][0-9]{0,4})d")
_COUNT = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True)
class Policy:
    """A domain's demands.

    `require_signed`: refuse values that no owner has signed. `max_age`: refuse values that were set more than so many
    days ago (1 to 99,999). `min_owners`: refuse all values while the domain has fewer owners (1 to 9,999).
    `production`: treat every value as of high sensitivity at least, and resolve only references that an owner has
    signed; False states that the domain is not production, whatever its name looks like.
    """

    require_signed: bool = False
    max_age: int | None = None
    min_owners: int | None = None
    production: bool | None = None

    def items(self) -> dict[str, str]:
        """Return the demands as the file writes them, without those that are not made."""
        written = {
            MAX_AGE: None if self.max_age is None else f"{self.max_age}d",
            MIN_OWNERS: None if self.min_owners is None else str(self.min_owners),
            PRODUCTION: None if self.production is None else _TRUTH[self.production],
            REQUIRE_SIGNED: _TRUTH[True] if self.require_signed else None,
        }
        return {key: text for key, text in written.items() if text is not None}

    def encode(self) -> bytes:
        """Encode the policy as a field of a statement."""
        return encode_list(lp(key.encode(), text.encode()) for key, text in self.items().items())

    @classmethod
    def parse(cls, items: Mapping[str, str]) -> Policy:
        """Parse the inverse of `items`; FormatError for an unknown key and for another spelling of a value.

        A newer version may have written an unknown key. To ignore it would weaken the policy.
        """
        for key in items:
            if key not in (REQUIRE_SIGNED, MAX_AGE, MIN_OWNERS, PRODUCTION):
                error = FormatError(
                    "this policy is not known", hint="a newer pprotect may have made it: upgrade pprotect"
                )
                raise error.under(key)
        if items.get(REQUIRE_SIGNED, _TRUTH[True]) != _TRUTH[True]:
            raise FormatError("'true' belongs here").under(REQUIRE_SIGNED)
        if items.get(PRODUCTION, _TRUTH[True]) not in _TRUTH.values():
            raise FormatError("'true' or 'false' belongs here").under(PRODUCTION)
        age, count = items.get(MAX_AGE), items.get(MIN_OWNERS)
        return cls(
            REQUIRE_SIGNED in items,
            None if age is None else parse_days(age),
            None if count is None else parse_count(count),
            items[PRODUCTION] == _TRUTH[True] if PRODUCTION in items else None,
        )

    def weaker_than(self, other: Policy) -> list[str]:
        """Return the keys of the demands that `other` makes and this policy does not, or makes less strictly."""
        weaker = []
        if other.require_signed and not self.require_signed:
            weaker.append(REQUIRE_SIGNED)
        if other.max_age is not None and (self.max_age is None or self.max_age > other.max_age):
            weaker.append(MAX_AGE)
        if other.min_owners is not None and (self.min_owners is None or self.min_owners < other.min_owners):
            weaker.append(MIN_OWNERS)
        if other.production and not self.production:
            weaker.append(PRODUCTION)
        return weaker

    def stricter(self, other: Policy) -> Policy:
        """Return the policy that makes the demands of both."""
        ages = [age for age in (self.max_age, other.max_age) if age is not None]
        counts = [count for count in (self.min_owners, other.min_owners) if count is not None]
        production = {self.production, other.production}
        return Policy(
            self.require_signed or other.require_signed,
            min(ages) if ages else None,
            max(counts) if counts else None,
            True if True in production else None if None in production else False,
        )


def parse_days(text: str) -> int:
    """Parse a number of days such as `90d`."""
    found = _DAYS.fullmatch(text)
    if not found:
        raise FormatError("a number of days such as 90d belongs here").under(MAX_AGE)
    return int(found[1])


def parse_count(text: str) -> int:
    """Parse a number of owners (1 to 9,999)."""
    if not _COUNT.fullmatch(text):
        raise FormatError("a number from 1 to 9999 belongs here").under(MIN_OWNERS)
    return int(text)
