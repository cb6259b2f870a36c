"""What an upstream told of its rate limits, for a caller and for ourselves.

Sources: https://platform.openai.com/docs/guides/rate-limits,
https://console.groq.com/docs/rate-limits and
https://platform.claude.com/docs/en/api/rate-limits.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

_PREFIXES = ("x-ratelimit-", "anthropic-ratelimit-")
_NAME = re.compile(
    r"x-ratelimit-(limit|remaining|reset)-(requests|tokens)"
    r"|anthropic-ratelimit-(requests|((in|out)put-)?tokens)-(limit|remaining|reset)"
)
# A number, a duration such as 6m0.5s, or a moment.
_VALUE = re.compile(r"[A-Za-z0-9.:+-]{1,64}")
_NONE: Mapping[str, str] = {}

Kind = Literal["requests", "tokens", "input-tokens", "output-tokens"]
"""What is counted; where a vendor counts both ways apart, it may tell all three."""

# How vendors name the headers, and of what kinds.
_FORMS: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    ("x-ratelimit-{what}-{kind}", ("requests", "tokens")),
    (
        "anthropic-ratelimit-{kind}-{what}",
        ("requests", "tokens", "input-tokens", "output-tokens"),
    ),
)
# For each kind the headers that tell its limit, what remains of it, and its reset.
_HEADERS: tuple[tuple[Kind, str, str, str], ...] = tuple(
    (
        kind,
        form.format(what="limit", kind=kind),
        form.format(what="remaining", kind=kind),
        form.format(what="reset", kind=kind),
    )
    for form, kinds in _FORMS
    for kind in kinds
)
_COUNT = re.compile(r"[0-9]{1,15}")
_DURATION = re.compile(
    r"(?:([0-9]{1,6})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m(?!s))?"
    r"(?:([0-9]{1,9}(?:\.[0-9]{1,20})?)s)?(?:([0-9]{1,9}(?:\.[0-9]{1,20})?)ms)?"
)
_SECONDS_OF = (86_400.0, 3_600.0, 60.0, 1.0, 0.001)
_PLAIN_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,20})?")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


@dataclass(frozen=True, slots=True)
class ToldLimit:
    """One rate limit as the upstream told it with a reply.

    `remaining` may be asked for now; `limit` is the whole, None where it was not
    told; `reset_seconds` is when all of it is free again, >= 0.0, None where that
    was not told.
    """

    kind: Kind
    remaining: int
    limit: int | None = None
    reset_seconds: float | None = None


def rate_limits_of(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return the headers that tell a rate limit; an unusual one is left out.

    Args:
        headers: A reply's, their names in lower case.
    """
    if not any(name.startswith(_PREFIXES) for name in headers):
        return _NONE
    return {
        name: value
        for name, value in headers.items()
        if _NAME.fullmatch(name) and _VALUE.fullmatch(value)
    }


def told_limits(headers: Mapping[str, str], now: datetime) -> tuple[ToldLimit, ...]:
    """Return the rate limits that a reply tells; what cannot be read is not there.

    Args:
        headers: A reply's, their names in lower case.
        now: The wall clock, aware, for resets that are told as a moment.

    Example:
        `{"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests":
        "1m2.5s"}` gives `ToldLimit("requests", 0, None, 62.5)`.
    """
    if not any(name.startswith(_PREFIXES) for name in headers):
        return ()
    return tuple(_told(headers, now))


def _told(headers: Mapping[str, str], now: datetime) -> Iterator[ToldLimit]:
    for kind, limit, remaining, reset in _HEADERS:
        left = _count(headers.get(remaining))
        if left is not None:
            whole, seconds = headers.get(limit), headers.get(reset)
            yield ToldLimit(kind, left, _count(whole), _reset_seconds(seconds, now))


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and _COUNT.fullmatch(text) else None


def _reset_seconds(text: str | None, now: datetime) -> float | None:
    """Read a duration (`6m0s`, `120ms`), a moment (RFC 3339), or plain seconds."""
    if not text:
        return None
    if found := _DURATION.fullmatch(text):
        parts = zip(found.groups("0"), _SECONDS_OF, strict=True)
        return sum(float(number) * seconds for number, seconds in parts)
    if _PLAIN_SECONDS.fullmatch(text):
        return float(text)
    return _until_seconds(text, now) if _MOMENT.fullmatch(text) else None


def _until_seconds(text: str, now: datetime) -> float | None:
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None  # the 31st of February
    return max(0.0, (moment - now).total_seconds())
