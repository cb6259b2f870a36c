"""Usage over time: sums by the hour, day, week or month."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from flaskllm.core.auth import Principal
from flaskllm.core.slots import Bucket, BucketSize
from flaskllm.services.usage_buckets import Buckets, cut
from flaskllm.services.usage_reports import By, Span, UsageQueries, Wanted
from flaskllm.services.usage_sums import NOTHING, Parts, Sums, added, total_of
from flaskllm.storage.rollup_reports import Cell, RollupReports

MOST_LINES = 50
"""Groups that are told one by one; what all others used is told together."""

_Row = list[Parts]
"""The sums of each bucket."""


@dataclass(frozen=True, slots=True)
class Line:
    """The sums of one group: those of the span, and of each bucket in order.

    `key` is None for all groups that are not told one by one.
    """

    key: str | None
    name: str
    total: Sums
    buckets: tuple[Parts, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """Sums over time, in the time zone of the settings; the dearest group first."""

    span: Span
    time_zone: str
    size: BucketSize
    buckets: tuple[Bucket, ...]
    total: Line
    groups: tuple[Line, ...]


class UsageSeries:
    """Tells usage over time. Who is no admin sees their own."""

    def __init__(self, queries: UsageQueries, rollups: RollupReports) -> None:
        """Keep the collaborators: who may see what, and the sums."""
        self._queries = queries
        self._rollups = rollups

    def sums(
        self,
        wanted: Wanted,
        size: BucketSize,
        by: By | None,
        viewer: Principal | None,
    ) -> Series:
        """Return the sums of each bucket, and by what else is asked for.

        Args:
            wanted: What is asked for; its outcome is not looked at.
            size: Of the buckets.
            by: Which groups; None is none.
            viewer: Who asks; None is the operator, who sees all.

        Raises:
            InvalidInputError: There would be too many buckets, or none; or a day is
                not one of 1970 to 9998.
            NotFound: Another principal was asked for by who is no admin.
            ServiceUnavailable: The database cannot be read.
        """
        span = wanted.span or self._queries.span()
        only = self._queries.rollup_filter(wanted, viewer)
        zone = self._queries.zone
        buckets = cut(size, span, zone, by)
        rows = _rows(self._rollups.series(only, buckets.grouping), buckets)
        total = _line("", _summed(rows.values(), len(buckets)))
        groups: tuple[Line, ...] = ()
        if by is not None:
            groups = _cut(_apart(rows, by, len(buckets)), len(buckets))
        if by == "token":
            groups = self._named(groups)
        return Series(span, zone.key, size, buckets.all, total, groups)

    def _named(self, groups: Sequence[Line]) -> tuple[Line, ...]:
        names = self._queries.names([each.key or "" for each in groups])
        return tuple(
            replace(each, name=names.get(each.key or "", "")) for each in groups
        )


def _rows(cells: Iterable[Cell], buckets: Buckets) -> dict[str, _Row]:
    """Return the sums of each bucket for each value that cells have."""
    rows: dict[str, _Row] = defaultdict(lambda: [NOTHING] * len(buckets))
    places = buckets.places()
    for cell in cells:
        row, at = rows[cell.key], places.of(cell.slot)
        row[at] = cell.sums if row[at] is NOTHING else added(row[at], cell.sums)
    return rows


def _apart(rows: Mapping[str, _Row], by: By, count: int) -> Mapping[str, _Row]:
    """Return the rows of each group; who carries two tags counts for both."""
    if by != "tag":
        return rows
    of_tags: dict[str, list[_Row]] = defaultdict(list)
    for tags, row in rows.items():
        for tag in tags.split():
            of_tags[tag].append(row)
    return {tag: _summed(found, count) for tag, found in of_tags.items()}


def _cut(rows: Mapping[str, _Row], count: int) -> tuple[Line, ...]:
    """Return the dearest lines, and one for what all others used."""
    lines = [_line(key, row) for key, row in rows.items()]
    there = [each for each in lines if each.total.attempts]
    there.sort(key=lambda each: (-each.total.cost_nanos, each.key))
    told, others = there[:MOST_LINES], there[MOST_LINES:]
    if others:
        told.append(_line(None, _summed([each.buckets for each in others], count)))
    return tuple(told)


def _summed(rows: Iterable[Sequence[Parts]], count: int) -> _Row:
    found = list(rows)
    if len(found) == 1:
        return list(found[0])
    return [total_of(each) for each in zip(*found, strict=True)] or [NOTHING] * count


def _line(key: str | None, row: Sequence[Parts]) -> Line:
    return Line(key, "", Sums(key or "", *total_of(row)), tuple(row))
