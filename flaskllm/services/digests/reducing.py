"""Facts that fit: what is told for the prose when there are too many. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

_Value = TypeVar("_Value")
Facts = Mapping[str, Sequence[Any]]

# What a reader misses least goes first.
_LEAST_MISSED = (
    *("dates", "amounts", "points", "open_questions"),
    *("risks", "decisions", "action_items"),
)
# As many of a kind are kept as long as there is another one that has more.
_SPARED = (8, 1, 0)


def fit(
    facts: Mapping[str, Any], most_tokens: int, count: Callable[[str, Any], int]
) -> dict[str, Any]:
    """Return the facts that take no more tokens than that, spread over the document.

    Kinds are thinned in the order in which a reader misses them least, first down to
    eight of each, then to one, then to none. Their order stays.

    Args:
        facts: By kind; what is no list of facts is passed on.
        most_tokens: How many all of them may take.
        count: Tells how many one fact of a kind takes.
    """
    sizes = {
        name: [count(name, fact) for fact in facts[name]]
        for name in _LEAST_MISSED
        if facts.get(name)
    }
    chosen = {name: list(range(len(each))) for name, each in sizes.items()}
    over = sum(map(sum, sizes.values())) - most_tokens
    for spared in _SPARED:
        for name, numbers in chosen.items():
            while over > 0 and len(numbers) > spared:
                fewer = spread(numbers, max(spared, len(numbers) * 9 // 10))
                lost = sum(sizes[name][n] for n in numbers)
                numbers = fewer
                over -= lost - sum(sizes[name][n] for n in numbers)
            chosen[name] = numbers
    kept = {
        name: tuple(facts[name][n] for n in numbers) for name, numbers in chosen.items()
    }
    return {**facts, **kept}


def spread(values: Sequence[_Value], most: int) -> list[_Value]:
    """Return so many of the values, evenly spread, the last one among them."""
    if most <= 0:
        return []
    if most >= len(values):
        return list(values)
    return [values[(n + 1) * len(values) // most - 1] for n in range(most)]
