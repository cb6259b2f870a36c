"""How often an event comes again (RFC 5545, section 3.3.10), in plain words."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain

from flaskllm.inputs.calendar_times import Moment, read_moment

_FREQUENCIES = {
    "SECONDLY": ("every second", "seconds"),
    "MINUTELY": ("every minute", "minutes"),
    "HOURLY": ("hourly", "hours"),
    "DAILY": ("daily", "days"),
    "WEEKLY": ("weekly", "weeks"),
    "MONTHLY": ("monthly", "months"),
    "YEARLY": ("yearly", "years"),
}
_RULE_VALUE = re.compile(r"[A-Z0-9+,-]{1,100}")


def recurrence(rule: str, start: Moment | None) -> str:
    """Return a recurrence rule in words: `weekly on MO until 2026-03-01`.

    Returns:
        An empty string where the rule has no sense.
    """
    named = (piece.partition("=") for piece in rule.upper().split(";"))
    parts = {name.strip(): value.strip() for name, _, value in named}
    kept = {
        name: value for name, value in parts.items() if _RULE_VALUE.fullmatch(value)
    }
    if kept.get("FREQ") not in _FREQUENCIES:
        return ""
    return " ".join(chain([_pace(kept)], _days(kept), _limits(kept, start)))


def _pace(parts: Mapping[str, str]) -> str:
    word, unit = _FREQUENCIES[parts["FREQ"]]
    interval = parts.get("INTERVAL", "1")
    is_plain = not interval.isdecimal() or int(interval) < 2
    return word if is_plain else f"every {int(interval)} {unit}"


def _days(parts: Mapping[str, str]) -> Iterator[str]:
    texts = (
        ("BYDAY", "on {}"),
        ("BYMONTHDAY", "on day {}"),
        ("BYMONTH", "in month {}"),
        ("BYSETPOS", "(number {} of these)"),
    )
    for name, text in texts:
        if name in parts:
            yield text.format(parts[name].replace(",", ", "))


def _limits(parts: Mapping[str, str], start: Moment | None) -> Iterable[str]:
    if parts.get("COUNT", "").isdecimal():
        yield f"{int(parts['COUNT'])} times"
    until = _until(parts.get("UNTIL", ""), start)
    if until:
        yield f"until {until}"


def _until(written: str, start: Moment | None) -> str:
    moment = read_moment(written)
    if moment is None:
        return ""
    # The last moment is told in universal time, the days of the event are not.
    zone = start.zone if start else None
    if not isinstance(moment.value, datetime) or not (zone and moment.zone):
        return moment.day
    return Moment(moment.value.astimezone(zone)).day
