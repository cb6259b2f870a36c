"""An operator's own patterns: accepted only when they cannot take long.

Python's `re` goes back and tries again: `(a+)+b` needs years for thirty letters. A
pattern is therefore looked at before it is used. Each repetition must say how often
at most, and all ways in which one match could be tried are multiplied: more than 256
are refused. From each place of a text so at most 256 tries begin, each as long as the
longest match, whatever the text holds. Back references are refused, too.
"""

import importlib
import re
from collections.abc import Sequence
from typing import Any, Final

MOST_WAYS: Final = 256
LONGEST_MATCH: Final = 256
LONGEST_PATTERN: Final = 500
MOST_PATTERNS: Final = 50

# The parser of `re` has no public name since Python 3.11 (`sre_parse` warns).
_PARSER: Any = importlib.import_module("re._parser")
_ONE_WAY = frozenset({"LITERAL", "NOT_LITERAL", "ANY", "IN", "RANGE", "CATEGORY", "AT"})
_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})
_LOOKS = frozenset({"ASSERT", "ASSERT_NOT"})


class UnsafePatternError(ValueError):
    """A pattern that cannot be used; the text says what would be accepted."""


def compile_pattern(text: str) -> re.Pattern[str]:
    """Return the pattern, ready to search, or refuse it.

    Raises:
        UnsafePatternError: It is no pattern, matches empty text, or could take long.
    """
    if len(text) > LONGEST_PATTERN:
        raise UnsafePatternError(f"at most {LONGEST_PATTERN} characters")
    try:
        tree = _PARSER.parse(text)
        pattern = re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise UnsafePatternError("a regular expression of Python's `re`") from error
    shortest, longest = tree.getwidth()
    if shortest == 0:
        raise UnsafePatternError("a pattern that matches no empty text")
    if longest > LONGEST_MATCH:
        raise UnsafePatternError(
            "repetitions that say how often at most, such as {1,20} for +, and no "
            f"match of more than {LONGEST_MATCH} characters"
        )
    if _ways_of(tree) > MOST_WAYS:
        raise UnsafePatternError(
            f"at most {MOST_WAYS} ways to try a match: fewer or shorter repetitions"
        )
    return pattern


def _ways_of(items: Sequence[tuple[Any, Any]]) -> int:
    """Return in how many ways these, one after the other, could be tried."""
    ways = 1
    for operation, arguments in items:
        ways = min(ways * _ways_of_one(str(operation), arguments), MOST_WAYS + 1)
    return ways


def _ways_of_one(operation: str, arguments: Any) -> int:
    if operation in _ONE_WAY:
        return 1
    if operation in _REPEATS:
        fewest, most, items = arguments
        return _ways_of_repeat(fewest, most, _ways_of(items))
    if operation == "BRANCH":
        return sum(_ways_of(branch) for branch in arguments[1])
    if operation == "SUBPATTERN":
        return _ways_of(arguments[3])
    if operation in _LOOKS:
        return _ways_of(arguments[1])
    if operation == "ATOMIC_GROUP":
        return _ways_of(arguments)
    raise UnsafePatternError("a pattern without references to its own groups")


def _ways_of_repeat(fewest: int, most: int, each: int) -> int:
    """Return the sum of each**n for n from `fewest` to `most`, as far as it matters."""
    if each == 1:
        return min(most - fewest + 1, MOST_WAYS + 1)
    total, power = 0, 1
    for number in range(most + 1):
        total += power if number >= fewest else 0
        power = min(power * each, MOST_WAYS + 1)
        if total > MOST_WAYS:
            break
    return total
