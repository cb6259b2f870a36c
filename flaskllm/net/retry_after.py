"""When whoever answered wants to be asked again."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# No upstream means more than an hour; a longer wait is a mistake or a trap.
LONGEST_SECONDS = 3600.0

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def retry_after_seconds(
    headers: Mapping[str, str],
    now: datetime,
    longest_seconds: float = LONGEST_SECONDS,
) -> float | None:
    """Return the wait that a reply asks for, between 0 and `longest_seconds`.

    `retry-after-ms` (OpenAI, Azure) is more exact and goes first; `retry-after`
    is in seconds or an HTTP date (RFC 9110, 10.2.3). A date counts from the
    reply's own `date`, so that a clock that is off does no harm. What cannot be
    read is as absent: None.

    Args:
        headers: With lower-case names.
        now: Aware; used when the reply has no `date`.
        longest_seconds: What a longer wait is cut to.
    """
    seconds = _asked_seconds(headers, now)
    return None if seconds is None else min(longest_seconds, max(0.0, seconds))


def _asked_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000.0
    value = headers.get("retry-after", "")
    seconds = _number(value)
    if seconds is not None:
        return seconds
    moment = _date(value)
    if moment is None:
        return None
    return (moment - (_date(headers.get("date", "")) or now)).total_seconds()


def _number(value: str) -> float | None:
    value = value.strip()
    return float(value) if _NUMBER.fullmatch(value) else None


def _date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    # "-0000" and no zone at all come back naive; HTTP dates are always UTC.
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
