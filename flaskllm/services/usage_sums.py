"""Sums of usage, added up and put into groups. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import TypeVar

MOST_GROUPS = 1000

_Item = TypeVar("_Item")
Parts = tuple[int, ...]
"""What is added up, in the order of the counts of `Sums`."""


@dataclass(frozen=True, slots=True)
class Sums:
    """The sums of a group; `key` is what it has in common, empty for all.

    `requests` counts those whose first attempt is among the attempts, `failed` the
    attempts that were not answered. `cost_nanos` adds up what has a price, `unpriced`
    counts the attempts that used tokens and have none, `estimated` those whose cost is
    an estimate. `cache_hits` of the answers came from the cache, and would have cost
    `saved_nanos`.
    """

    key: str
    requests: int
    attempts: int
    failed: int
    tokens_input: int
    tokens_output: int
    cost_nanos: int
    unpriced: int
    estimated: int
    cache_hits: int = 0
    saved_nanos: int = 0

    @property
    def answers(self) -> int:
        """Return the attempts that were answered, those of the cache included."""
        return self.attempts - self.failed

    @property
    def parts(self) -> Parts:
        """Return the counts."""
        counts: Parts = _counts_of(self)
        return counts


COUNTS = tuple(field.name for field in fields(Sums) if field.name != "key")
"""The names of the counts, in the order in which roll-ups add them up."""

NOTHING: Parts = (0,) * len(COUNTS)
_counts_of = attrgetter(*COUNTS)


def added(one: Parts, other: Parts) -> Parts:
    """Return the sums of both."""
    return tuple(map(int.__add__, one, other))


def total_of(items: Iterable[Parts]) -> Parts:
    """Return the sums of all of these."""
    return tuple(map(sum, zip(NOTHING, *items, strict=True)))


def grouped(
    items: Iterable[_Item],
    keys: Callable[[_Item], Iterable[str]],
    parts: Callable[[_Item], Parts],
) -> dict[str, Parts]:
    """Return the sums by what items have in common; one with two keys is in both."""
    found: dict[str, Parts] = {}
    for item in items:
        for key in keys(item):
            found[key] = added(found.get(key, NOTHING), parts(item))
    return found


def dearest_first(found: dict[str, Parts]) -> Iterator[Sums]:
    """Yield the thousand dearest groups that hold an attempt."""
    sums = (Sums(key, *parts) for key, parts in found.items())
    there = (each for each in sums if each.attempts)
    yield from sorted(there, key=lambda each: (-each.cost_nanos, each.key))[
        :MOST_GROUPS
    ]
