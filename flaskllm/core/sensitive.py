"""What a text holds that is not for everybody, by rule alone: counts and places.

A rule has a name; what it found is told as names and counts, never as text.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from flaskllm.core.sensitive_accounts import Span, find_cards, find_ibans
from flaskllm.core.sensitive_ids import find_national_ids
from flaskllm.core.sensitive_words import (
    HEALTH_WORDS,
    find_words,
    squeezed,
    words_pattern,
)

RuleName = Literal["payment_card", "iban", "national_id", "health"]
OnSensitive = Literal["ignore", "local"]
"""`local`: what matches a rule is only sent to deployments tagged `local`."""

Found = Mapping[str, int]
"""How often each rule matched, by its name; rules that did not are left out."""

RULE_NAMES: Final[tuple[RuleName, ...]] = get_args(RuleName)
LOCAL: Final = "local"

_Find = Callable[[str], Iterator[Span]]
_HEALTH = words_pattern(HEALTH_WORDS)


def _find_health(text: str) -> Iterator[Span]:
    return find_words(_HEALTH, text)


_BUILT_IN: Mapping[RuleName, _Find] = {
    "payment_card": find_cards,
    "iban": find_ibans,
    "national_id": find_national_ids,
    "health": _find_health,
}


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules in force.

    Attributes:
        built_in: Those of ours, by name.
        patterns: The operator's, ready to search.
        words: The operator's, each a pattern of whole words.
    """

    built_in: tuple[RuleName, ...] = RULE_NAMES
    patterns: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    words: Mapping[str, re.Pattern[str]] = field(default_factory=dict)

    def find(self, texts: Iterable[str]) -> Found:
        """Return how often each rule matches in these texts.

        Invisible signs are looked through, wide ones read as plain ones.
        """
        counts: dict[str, int] = {}
        for text in map(squeezed, texts):
            for name, find in self._finders():
                count = sum(1 for _ in find(text))
                if count:
                    counts[name] = counts.get(name, 0) + count
        return counts

    def _finders(self) -> Iterator[tuple[str, _Find]]:
        yield from ((name, _BUILT_IN[name]) for name in self.built_in)
        for name, pattern in (*self.patterns.items(), *self.words.items()):
            yield name, _finder_of(pattern)


def find_accounts_and_ids(text: str) -> Iterator[Span]:
    """Yield where cards, accounts and identity numbers stand in a text as it is."""
    yield from find_cards(text)
    yield from find_ibans(text)
    yield from find_national_ids(text)


def strictest(*wanted: OnSensitive | None) -> OnSensitive:
    """Return what holds when several have a say: nobody can make it less strict."""
    return LOCAL if LOCAL in wanted else "ignore"


def _finder_of(pattern: re.Pattern[str]) -> _Find:
    def find(text: str) -> Iterator[Span]:
        return find_words(pattern, text)

    return find
