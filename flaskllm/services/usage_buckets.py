"""Into which buckets a span is cut, and how its roll-ups are read for them. Pure."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from zoneinfo import ZoneInfo

from flaskllm.core.errors import InvalidInputError
from flaskllm.core.periods import next_start
from flaskllm.core.slots import Bucket, BucketSize, buckets_of, day_start
from flaskllm.services.usage_reports import COLUMNS, By, Span
from flaskllm.storage.rollup_filters import Grouping

MOST_BUCKETS: Mapping[BucketSize, int] = {
    "hour": 14 * 24 + 1,
    "day": 400,
    "week": 160,
    "month": 60,
}
"""Two weeks of hours, on which clocks may be put back; more than a year of days."""

_DAY_QUARTERS = 96
_HOUR_QUARTERS = 4
# No bucket of this size has fewer days, but those that are cut at an end.
_FEWEST_DAYS: Mapping[BucketSize, float] = {
    "hour": 1 / 25,
    "day": 1,
    "week": 7,
    "month": 28,
}


@dataclass(frozen=True, slots=True)
class Buckets:
    """The buckets of a span, and how roll-ups are read for them."""

    all: tuple[Bucket, ...]
    grouping: Grouping

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.all)

    def places(self) -> "Places":
        """Return what tells the bucket of a slot."""
        return Places(self)


class Places:
    """Tells in which bucket a slot lies, by its place among them."""

    def __init__(self, buckets: Buckets) -> None:
        """Take the beginnings."""
        self._firsts = [each.first for each in buckets.all]

    def of(self, slot: int) -> int:
        """Return the place of a slot that is in one of them."""
        return bisect_right(self._firsts, slot) - 1


def cut(
    size: BucketSize,
    span: Span,
    zone: ZoneInfo,
    by: By | None,
    most: int | None = None,
) -> Buckets:
    """Return the buckets of a span.

    Args:
        size: Of each.
        span: Days of 1970 to 9998, the last one not before the first.
        zone: In which days begin.
        by: What else sums are kept apart by.
        most: How many there may be; what `MOST_BUCKETS` says when omitted.

    Raises:
        InvalidInputError: There would be too many of them, or none.
    """
    days = (span.last - span.first).days + 1
    if days < 1:
        raise InvalidInputError.of("until", "it is before since", "a later day")
    most = MOST_BUCKETS[size] if most is None else most
    if days / _FEWEST_DAYS[size] > 2 * most:
        raise _too_many(size, most)
    found = tuple(buckets_of(size, span.first, span.last, zone))
    if len(found) > most:
        raise _too_many(size, most)
    return Buckets(found, _grouping(size, span, zone, by))


def _too_many(size: BucketSize, most: int) -> InvalidInputError:
    allowed = f"at most {most}: a shorter span, or a larger bucket"
    return InvalidInputError.of("bucket", f"too many buckets of one {size}", allowed)


def _grouping(size: BucketSize, span: Span, zone: ZoneInfo, by: By | None) -> Grouping:
    """Return how quarters are read that are in no hour or day yet.

    By days where all of them are of 24 hours, else by hours where clocks are never put
    back or forward by a part of one.
    """
    hourly, column = size == "hour", COLUMNS[by] if by else None
    starts, day = [day_start(span.first, zone)], span.first
    while day <= span.last:
        day = next_start("day", day)
        starts.append(day_start(day, zone))
    lengths = {after - first for first, after in pairwise(starts)}
    step = 1
    if lengths == {_DAY_QUARTERS} and not hourly:
        step = _DAY_QUARTERS
    elif all(length % _HOUR_QUARTERS == 0 for length in lengths):
        step = _HOUR_QUARTERS
    return Grouping(hourly, step, -starts[0] % step, column)
