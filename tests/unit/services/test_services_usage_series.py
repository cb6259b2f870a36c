"""Reports over time are those of the usage rows, whatever the zone and what is made."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rollup_scene import NOON, Reports
from rollup_sums import unlike_usage
from usage_rows import add_usage, usage_row

from flaskllm.core.auth import BOOTSTRAP, Principal, Scope
from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import InvalidInputError, NotFound
from flaskllm.core.slots import BUCKET_SIZES
from flaskllm.services.usage_reports import BY, Span, Wanted
from flaskllm.services.usage_sums import COUNTS
from flaskllm.storage.database import Database
from flaskllm.storage.rollup_forgetting import RollupForgetting
from flaskllm.storage.rollup_tables import SUMMED

ALICE = Principal("alice", "Alice", frozenset({Scope.READ}), "api")
NOVEMBER = Span(date(2026, 11, 1), date(2026, 11, 30))
# Whole hours, halves, quarters; a clock changed by half an hour, one over midnight.
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/Santiago",
    "America/Havana",
)
# Around days on which some of them change their clocks.
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 60 * 24 * 60).map(lambda each: FIRST + timedelta(minutes=each))
ROWS = st.builds(
    usage_row,
    created_at=MOMENTS,
    model=st.sampled_from(["a", "b"]),
    deployment=st.sampled_from(["x", "y"]),
    principal_id=st.sampled_from(["alice", "bob"]),
    source=st.sampled_from(["chat", "webhook:email"]),
    tags=st.sampled_from(["", "red", "red blue"]),
    outcome=st.sampled_from(["OK", "LLM_TIMEOUT"]),
    attempt=st.integers(1, 2),
    cost_nanos=st.one_of(st.none(), st.integers(0, 10**15)),
    latency_ms=st.integers(0, 10**6),
    usage_source=st.sampled_from(["provider", "cached"]),
    saved_nanos=st.integers(0, 10**9),
)


@pytest.fixture
def database(database_url, make_database):
    return make_database(database_url)


@pytest.fixture
def reports(database):
    return Reports(database)


def by_hand(rows, span, zone, key=None):
    """Return the sums of rows by what `key` says, each row looked at by itself."""
    begin = datetime.combine(span.first, time.min, zone)
    end = datetime.combine(span.last + timedelta(days=1), time.min, zone)
    found = {}
    for row in rows:
        if not begin.timestamp() <= row["created_at"].timestamp() < end.timestamp():
            continue
        parts = (
            int(row["opens_request"]),
            1,
            int(row["outcome"] != "OK"),
            row["input_uncached"],
            row["output_text"],
            row["cost_nanos"] or 0,
            int(row["cost_nanos"] is None),
            int(row["is_estimated"]),
            int(row["usage_source"] == "cached"),
            row["saved_nanos"],
        )
        for each in key(row) if key else [""]:
            sums = found.get(each, (0,) * len(COUNTS))
            found[each] = tuple(map(int.__add__, sums, parts))
    return found


def keys(by):
    if by == "tag":
        return lambda row: row["tags"].split()
    column = {"token": "principal_id"}.get(by, by)
    return lambda row: [row[column]]


@settings(max_examples=15)
@given(
    rows=st.lists(ROWS, min_size=1, max_size=25),
    zone=st.sampled_from(ZONES),
    size=st.sampled_from(BUCKET_SIZES),
    by=st.sampled_from(BY),
    first=st.integers(0, 58),
    days=st.integers(0, 13),
    built=MOMENTS,
)
def test_the_buckets_add_up_to_the_total_in_any_zone(
    rows, zone, size, by, first, days, built
):
    database = Database("sqlite://", journal="wal", clock=SystemClock())
    add_usage(database, *rows)
    reports = Reports(database, zone)
    reports.build(built)
    day = (FIRST + timedelta(days=first)).date()
    span = Span(day, day + timedelta(days=days))

    found = reports.series.sums(Wanted(span), size, by, BOOTSTRAP)
    summary = reports.queries.summary(Wanted(span), (by,), BOOTSTRAP)
    wrong = unlike_usage(database)
    database.close()

    here = ZoneInfo(zone)
    expected = by_hand(rows, span, here).get("", (0,) * len(COUNTS))
    groups = by_hand(rows, span, here, keys(by))
    assert wrong == []
    assert found.total.total.parts == summary.total.parts == expected
    assert {each.key: each.total.parts for each in found.groups} == groups
    assert {each.key: each.parts for each in summary.by[by]} == groups
    for line in (found.total, *found.groups):
        summed = tuple(map(sum, zip(*line.buckets, strict=True)))
        assert summed == line.total.parts
    for bucket, parts in zip(found.buckets, found.total.buckets, strict=True):
        inside = [
            row
            for row in rows
            if bucket.first * 900 <= row["created_at"].timestamp() < bucket.after * 900
        ]
        assert parts == by_hand(inside, span, here).get("", (0,) * len(COUNTS))


@pytest.mark.parametrize("is_built", [False, True])
@pytest.mark.parametrize("by", [None, *BY])
def test_what_is_made_of_hours_and_days_changes_no_answer(
    database, reports, by, is_built
):
    rows = [
        usage_row(
            created_at=NOON - timedelta(hours=hours),
            model=f"m{hours % 3}",
            principal_id=["alice", "bob"][hours % 2],
            tags=["red", "red blue", ""][hours % 3],
            source=f"door{hours % 4}",
        )
        for hours in range(0, 400, 7)
    ]
    add_usage(database, *rows)
    if is_built:
        assert reports.build(NOON) == 17
    only = {"model": "m1"} if by != "model" else {}

    for size in ("hour", "day", "week"):
        span = Span(date(2026, 11, 9), date(2026, 11, 21))
        found = reports.series.sums(Wanted(span, **only), size, by, BOOTSTRAP)
        model = only.get("model")
        chosen = [row for row in rows if model in (None, row["model"])]
        key = keys(by) if by else lambda row: [""]
        groups = by_hand(chosen, span, reports.zone, key)
        if by:
            assert {each.key: each.total.parts for each in found.groups} == groups
        assert found.total.total.parts == by_hand(chosen, span, reports.zone)[""]
    assert unlike_usage(database) == []


@pytest.mark.parametrize(
    ("only", "hits"),
    [
        ({"tag": "red"}, 2),
        ({"tag": "blue"}, 1),
        ({"tag": "re"}, 0),
        ({"source": "chat"}, 1),
        ({"principal_id": "bob"}, 1),
        ({"alias": "fast", "deployment": "mini"}, 2),
        ({"tag": "red", "source": "chat", "principal_id": "alice"}, 1),
        ({"model": "nothing"}, 0),
    ],
)
def test_only_what_is_asked_for_is_counted(database, reports, only, hits):
    moment = datetime(2026, 11, 10, 9, tzinfo=UTC)
    add_usage(
        database,
        usage_row(created_at=moment, tags="red blue"),
        usage_row(
            created_at=moment, tags="red", source="webhook:email", principal_id="bob"
        ),
    )
    for _ in range(2):  # by the quarter, then by the day
        found = reports.series.sums(Wanted(NOVEMBER, **only), "day", None, BOOTSTRAP)
        assert found.total.total.attempts == hits
        reports.build(NOON)


def test_a_changed_reporting_zone_begins_with_what_lies_by_the_quarter(database):
    late = datetime(2026, 11, 10, 23, 30, tzinfo=UTC)
    add_usage(database, usage_row(created_at=late))
    Reports(database).build(NOON)
    newly = Reports(database, "America/New_York")

    def days_of(reports):
        found = reports.series.sums(Wanted(NOVEMBER), "day", None, BOOTSTRAP)
        used = zip(found.buckets, found.total.buckets, strict=True)
        return [each.starts_at.date().day for each, parts in used if parts[1]]

    assert days_of(Reports(database)) == [11]
    assert days_of(newly) == [10]
    newly.build(NOON)
    assert days_of(newly) == [10]
    # What comes late is brought to the days of both.
    add_usage(database, usage_row(created_at=late), usage_row(created_at=NOON))
    assert unlike_usage(database) == []


def test_a_zone_that_nobody_reports_in_any_more_is_forgotten(database):
    add_usage(database, usage_row())
    Reports(database).build(NOON)
    newly = Reports(database, "America/New_York")
    newly.build(NOON)
    forgetting = RollupForgetting(database, newly.zone)

    assert forgetting.forget_others() == 0
    newly.build(NOON + timedelta(days=40))
    assert forgetting.forget_others() == 1
    assert unlike_usage(database) == []


def test_sums_are_told_in_the_order_in_which_they_are_added_up():
    assert COUNTS == SUMMED


def test_the_fifty_dearest_are_told_one_by_one_and_the_others_together(
    database, reports
):
    rows = [usage_row(model=f"m{each:02}", cost_nanos=each) for each in range(60)]
    add_usage(database, *rows)
    found = reports.series.sums(Wanted(NOVEMBER), "month", "model", BOOTSTRAP)

    assert [each.key for each in found.groups[:2]] == ["m59", "m58"]
    assert (len(found.groups), found.groups[-1].key) == (51, None)
    assert found.groups[-1].total.attempts == 10
    assert sum(each.total.attempts for each in found.groups) == 60


def test_who_is_no_admin_sees_their_own_only(database, reports):
    add_usage(database, usage_row(), usage_row(principal_id="bob"))

    own = reports.series.sums(Wanted(NOVEMBER), "day", "token", ALICE)

    assert [each.key for each in own.groups] == ["alice"]
    assert own.total.total.attempts == 1
    with pytest.raises(NotFound):
        reports.series.sums(Wanted(NOVEMBER, principal_id="bob"), "day", None, ALICE)


@pytest.mark.parametrize(
    ("size", "span", "path"),
    [
        ("hour", Span(date(2026, 1, 1), date(2026, 1, 15)), "bucket"),
        ("day", Span(date(2025, 1, 1), date(2026, 2, 5)), "bucket"),
        ("month", Span(date(2000, 1, 1), date(2026, 1, 15)), "bucket"),
        ("hour", Span(date(1970, 1, 1), date(9998, 12, 31)), "bucket"),
        ("day", Span(date(2026, 1, 2), date(2026, 1, 1)), "until"),
    ],
)
def test_too_many_buckets_are_refused_and_so_are_none(reports, size, span, path):
    with pytest.raises(InvalidInputError) as refused:
        reports.series.sums(Wanted(span), size, None, BOOTSTRAP)

    assert [each.path for each in refused.value.fields] == [path]


def test_two_weeks_of_hours_fit_when_clocks_are_put_back(reports):
    span = Span(date(2026, 10, 19), date(2026, 11, 1))

    found = reports.series.sums(Wanted(span), "hour", None, BOOTSTRAP)

    assert len(found.buckets) == 14 * 24 + 1
