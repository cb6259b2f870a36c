"""Usage reports: what was used and what it cost, for whoever may see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from flaskllm.core.auth import Principal, Scope
from flaskllm.core.clock import Clock
from flaskllm.core.errors import InvalidInputError, NotFound
from flaskllm.core.paging import Place
from flaskllm.core.periods import day_of, next_start, period_start
from flaskllm.core.slots import day_start
from flaskllm.services.request_reports import (
    AttemptReport,
    RequestReport,
    request_report,
)
from flaskllm.services.usage_sums import Sums, dearest_first, grouped, total_of
from flaskllm.storage.rollup_filters import Dimension, RollupFilter
from flaskllm.storage.rollup_reports import KeySums, RollupReports
from flaskllm.storage.usage_reports import UsageFilter, UsageReports

__all__ = [
    "BY",
    "AttemptReport",
    "By",
    "RequestReport",
    "Span",
    "Summary",
    "UsageQueries",
    "Wanted",
]

By = Literal["model", "alias", "deployment", "token", "source", "tag"]
BY: tuple[By, ...] = get_args(By)

COLUMNS: Mapping[By, Dimension] = {
    "model": "model",
    "alias": "alias",
    "deployment": "deployment",
    "token": "principal_id",
    "source": "source",
    "tag": "tags",
}


_FIRST_DAY = date(1970, 1, 1)
_LAST_DAY = date(9998, 12, 31)


@dataclass(frozen=True, slots=True)
class Span:
    """From the beginning of `first` to the end of `last`, both days included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; None is everything that one may see.

    `principal_id` is that of an API token. A span of None is this month so far.
    """

    span: Span | None = None
    principal_id: str | None = None
    model: str | None = None
    alias: str | None = None
    deployment: str | None = None
    source: str | None = None
    tag: str | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """The sums of a span of days, in the time zone of the settings."""

    span: Span
    time_zone: str
    total: Sums
    by: Mapping[By, tuple[Sums, ...]]
    names: Mapping[str, str]


class UsageQueries:
    """Tells usage. Who is no admin sees their own, and nothing of the others."""

    def __init__(
        self,
        reports: UsageReports,
        rollups: RollupReports,
        clock: Clock,
        zone: ZoneInfo,
    ) -> None:
        """Keep the collaborators; nothing is opened.

        Args:
            reports: The table of attempts.
            rollups: Their sums.
            clock: Tells today.
            zone: In which days begin.
        """
        self._reports = reports
        self._rollups = rollups
        self._clock = clock
        self.zone = zone

    def summary(
        self, wanted: Wanted, by: Sequence[By], viewer: Principal | None
    ) -> Summary:
        """Return the sums of what is wanted, and by each of these.

        Args:
            wanted: What is asked for; its outcome is not looked at.
            by: Which groups.
            viewer: Who asks; None is the operator, who sees all.

        Raises:
            InvalidInputError: A day is not one of 1970 to 9998.
            NotFound: Another principal was asked for by who is no admin.
            ServiceUnavailable: The database cannot be read.
        """
        span = wanted.span or self.span()
        found = tuple(self._rollups.by_key(self.rollup_filter(wanted, viewer)))
        total = Sums("", *total_of(each.sums for each in found))
        groups = {each: _groups(found, each) for each in by}
        names = self.names([each.key for each in groups.get("token", ())])
        return Summary(span, self.zone.key, total, groups, names)

    def names(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Return the names of API tokens, as far as they have one."""
        return self._reports.names(ids) if ids else {}

    def requests(
        self,
        wanted: Wanted,
        most: int,
        before: Place | None,
        viewer: Principal | None,
    ) -> tuple[RequestReport, ...]:
        """Return at most so many requests, the newest first; raises as `summary`."""
        found = self._reports.requests(self._filter(wanted, viewer), most, before)
        return tuple(map(request_report, found))

    def rollup_filter(self, wanted: Wanted, viewer: Principal | None) -> RollupFilter:
        """Return which roll-ups are wanted; raises as `summary`."""
        span = _checked(wanted.span or self.span())
        return RollupFilter(
            zone=self.zone.key,
            first=day_start(span.first, self.zone),
            after=day_start(next_start("day", span.last), self.zone),
            principal_id=_visible(wanted.principal_id, viewer),
            model=wanted.model,
            alias=wanted.alias,
            deployment=wanted.deployment,
            source=wanted.source,
            tag=wanted.tag,
        )

    def _filter(self, wanted: Wanted, viewer: Principal | None) -> UsageFilter:
        span = _checked(wanted.span or self.span())
        return UsageFilter(
            since=self._begin(span.first),
            until=self._begin(next_start("day", span.last)),
            principal_id=_visible(wanted.principal_id, viewer),
            model=wanted.model,
            alias=wanted.alias,
            deployment=wanted.deployment,
            source=wanted.source,
            tag=wanted.tag,
            outcome=wanted.outcome,
        )

    def span(self, first: date | None = None, last: date | None = None) -> Span:
        """Return the span of these days; where both are None, this month so far.

        Without a last day it ends today, or with a first day that is later; without
        a first one it begins with the month of the last. One that ends before it
        begins is empty.
        """
        today = day_of(self._clock.now(), self.zone)
        last = last or max(today, first or today)
        return Span(first or period_start("month", last), last)

    def _begin(self, day: date) -> datetime:
        return datetime.combine(day, time.min, tzinfo=self.zone)


def _checked(span: Span) -> Span:
    """Return the span; a day at either end of the calendar has no UTC any more."""
    for path, day in (("since", span.first), ("until", span.last)):
        if not _FIRST_DAY <= day <= _LAST_DAY:
            allowed = f"{_FIRST_DAY} to {_LAST_DAY}"
            raise InvalidInputError.of(path, f"{day} is out of bounds", allowed)
    return span


def _visible(asked: str | None, viewer: Principal | None) -> str | None:
    """Return whose usage is shown; None is everybody's."""
    if viewer is None or viewer.may(Scope.ADMIN):
        return asked
    if asked is not None and asked != viewer.id:
        # The same words for somebody else and for nobody.
        raise NotFound("There is no such API token.")
    return viewer.id


def _groups(found: Sequence[KeySums], by: By) -> tuple[Sums, ...]:
    sums = grouped(found, lambda each: keys_by(by, each), lambda each: each.sums)
    return tuple(dearest_first(sums))


def keys_by(by: By, of: KeySums) -> Sequence[str]:
    """Return the groups that a key belongs to; who carries two tags is in both."""
    text: str = getattr(of, COLUMNS[by])
    return text.split() if by == "tag" else (text,)
