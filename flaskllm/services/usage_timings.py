"""How long answers took, over time: percentiles of roll-ups that were added up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from flaskllm.core.auth import Principal
from flaskllm.core.errors import InvalidInputError
from flaskllm.core.histograms import Histogram, added, empty, percentiles
from flaskllm.core.slots import Bucket, BucketSize
from flaskllm.services.usage_buckets import Buckets, cut
from flaskllm.services.usage_reports import Span, UsageQueries, Wanted
from flaskllm.services.usage_series import MOST_LINES
from flaskllm.storage.rollup_reports import Histograms, RollupReports
from flaskllm.storage.rollup_rows import ANSWER, FIRST_TOKEN

Measure = Literal["answer", "first_token"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
TimedBy = Literal["model", "alias", "deployment", "token"]
TIMED_BY: tuple[TimedBy, ...] = get_args(TimedBy)
PERCENTILES = (50, 90, 95, 99)
_SHARES = [each / 100 for each in PERCENTILES]

MOST_BUCKETS: Mapping[BucketSize, int] = {
    "hour": 7 * 24 + 1,
    "day": 100,
    "week": 27,
    "month": 12,
}
"""A week of hours, which may have one more, and half a year of weeks."""
MOST_OF_TOKENS_DAYS = 31
"""So many days at most by API token: each of them has durations of its own."""

_NUMBERS: Mapping[Measure, int] = {"answer": ANSWER, "first_token": FIRST_TOKEN}
_Row = Mapping[int, Histogram]
"""Of each bucket in which something was measured, by its place."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How many were measured, and their milliseconds by percentile; None of none."""

    count: int
    milliseconds: Mapping[int, float | None]


@dataclass(frozen=True, slots=True)
class Timing:
    """The durations of one group: those of the span, and of each bucket in order."""

    key: str
    name: str
    total: Spread
    buckets: tuple[Spread, ...]


@dataclass(frozen=True, slots=True)
class Timings:
    """Durations over time, the group with most of them first."""

    span: Span
    time_zone: str
    size: BucketSize
    measure: Measure
    buckets: tuple[Bucket, ...]
    total: Timing
    groups: tuple[Timing, ...]


class UsageTimings:
    """Tells how long answers took. Who is no admin sees their own."""

    def __init__(self, queries: UsageQueries, rollups: RollupReports) -> None:
        """Keep the collaborators: who may see what, and the durations."""
        self._queries = queries
        self._rollups = rollups

    def spreads(
        self,
        wanted: Wanted,
        measure: Measure,
        size: BucketSize,
        by: TimedBy | None,
        viewer: Principal | None,
    ) -> Timings:
        """Return the percentiles of each bucket, and by what else is asked for.

        Only attempts that were answered are measured. A percentile is at most 5 %
        from the measured value that it stands for.

        Args:
            wanted: What is asked for; durations know no source and no tag.
            measure: Of the whole answer, or up to its first token.
            size: Of the buckets.
            by: Which groups; None is none.
            viewer: Who asks; None is the operator, who sees all.

        Raises:
            InvalidInputError: A source or a tag is asked for; else as
                `UsageSeries.sums`.
            NotFound: Another principal was asked for by who is no admin.
            ServiceUnavailable: The database cannot be read.
        """
        for path in ("source", "tag"):
            if getattr(wanted, path) is not None:
                raise _not_kept(path)
        span = wanted.span or self._queries.span()
        if by == "token" and (span.last - span.first).days >= MOST_OF_TOKENS_DAYS:
            allowed = f"at most {MOST_OF_TOKENS_DAYS} days by API token"
            raise InvalidInputError.of("by", "the span is too long", allowed)
        only = self._queries.rollup_filter(wanted, viewer)
        zone = self._queries.zone
        buckets = cut(size, span, zone, by, MOST_BUCKETS[size])
        found = self._rollups.durations(only, buckets.grouping, _NUMBERS[measure])
        rows = _rows(found, buckets)
        total = _timing("", _merged(rows.values()), len(buckets))
        told = sorted(rows, key=lambda key: (-_count(rows[key]), key)) if by else []
        groups = tuple(
            _timing(key, rows[key], len(buckets)) for key in told[:MOST_LINES]
        )
        if by == "token":
            groups = self._named(groups)
        return Timings(span, zone.key, size, measure, buckets.all, total, groups)

    def _named(self, groups: Sequence[Timing]) -> tuple[Timing, ...]:
        names = self._queries.names([each.key for each in groups])
        return tuple(replace(each, name=names.get(each.key, "")) for each in groups)


def _not_kept(path: str) -> InvalidInputError:
    allowed = "token, model, alias and deployment"
    return InvalidInputError.of(path, "durations are not kept by it", allowed)


def _rows(found: Histograms, buckets: Buckets) -> dict[str, _Row]:
    parts: dict[str, dict[int, list[Histogram]]] = {}
    places = buckets.places()
    for (slot, key), histogram in found.items():
        row = parts.setdefault(key, {})
        row.setdefault(places.of(slot), []).append(histogram)
    return {key: _added_up(row) for key, row in parts.items()}


def _merged(rows: Iterable[_Row]) -> _Row:
    parts: dict[int, list[Histogram]] = {}
    for row in rows:
        for place, histogram in row.items():
            parts.setdefault(place, []).append(histogram)
    return _added_up(parts)


def _added_up(parts: Mapping[int, Sequence[Histogram]]) -> _Row:
    return {place: added(each) for place, each in parts.items()}


def _count(row: _Row) -> int:
    return sum(map(sum, row.values()))


def _timing(key: str, row: _Row, count: int) -> Timing:
    nothing = _spread(empty())
    spreads = {place: _spread(histogram) for place, histogram in row.items()}
    buckets = tuple(spreads.get(place, nothing) for place in range(count))
    return Timing(key, "", _spread(added(row.values())), buckets)


def _spread(histogram: Histogram) -> Spread:
    found = percentiles(histogram, _SHARES)
    return Spread(sum(histogram), dict(zip(PERCENTILES, found, strict=True)))
