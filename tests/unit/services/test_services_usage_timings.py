"""Durations over time: percentiles within the error that is stated."""

from datetime import date, timedelta

import pytest
from rollup_scene import NOON, Reports
from usage_rows import add_usage, usage_row

from flaskllm.core.auth import BOOTSTRAP, Principal, Scope
from flaskllm.core.errors import InvalidInputError
from flaskllm.services.usage_reports import Span, Wanted

ALICE = Principal("alice", "Alice", frozenset({Scope.READ}), "api")
NOVEMBER = Span(date(2026, 11, 1), date(2026, 11, 30))


@pytest.fixture
def database(database_url, make_database):
    return make_database(database_url)


@pytest.fixture
def reports(database):
    """By the quarter of an hour in half of the tests, made of days in the others."""
    return Reports(database)


def spreads(reports, by=None, measure="answer", size="day", viewer=BOOTSTRAP, **only):
    wanted = Wanted(only.pop("span", NOVEMBER), **only)
    return reports.timings.spreads(wanted, measure, size, by, viewer)


@pytest.mark.parametrize("is_built", [False, True])
def test_percentiles_are_those_of_all_answers(database, reports, is_built):
    add_usage(
        database,
        *[
            usage_row(
                latency_ms=10 * each,
                deployment=["mini", "big"][each % 2],
                principal_id=["alice", "bob"][each % 2],
                created_at=NOON - timedelta(days=1 + each % 3),
            )
            for each in range(1, 101)
        ],
    )
    if is_built:
        reports.build(NOON)

    found = spreads(reports)
    told = found.total.total.milliseconds
    by_token = spreads(reports, by="token").groups

    assert found.total.total.count == 100
    for percent, exact in ((50, 500), (90, 900), (95, 950), (99, 990)):
        assert told[percent] == pytest.approx(exact, rel=0.051)
    assert sorted(each.count for each in found.total.buckets)[-3:] == [33, 33, 34]
    assert [(each.key, each.total.count) for each in by_token] == [
        ("alice", 50),
        ("bob", 50),
    ]
    groups = spreads(reports, by="deployment", size="month").groups
    assert [each.total.count for each in groups] == [50, 50]
    assert spreads(reports, principal_id="bob").total.total.count == 50
    assert spreads(reports, viewer=ALICE).total.total.count == 50


def test_what_was_not_answered_is_not_measured(database, reports):
    add_usage(
        database,
        usage_row(outcome="LLM_TIMEOUT", latency_ms=60_000, first_token_ms=1),
        usage_row(outcome="ABANDONED", latency_ms=0),
    )
    total = spreads(reports).total.total

    assert (total.count, set(total.milliseconds.values())) == (0, {None})


def test_the_first_token_is_measured_where_there_was_one(database, reports):
    add_usage(
        database,
        usage_row(latency_ms=5000, first_token_ms=200),
        usage_row(latency_ms=5000),
    )
    found = spreads(reports, measure="first_token").total.total

    assert found.count == 1
    assert found.milliseconds[50] == pytest.approx(200, rel=0.051)


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({"source": "chat"}, "source"),
        ({"tag": "red"}, "tag"),
        ({"by": "token", "span": Span(date(2026, 10, 1), date(2026, 11, 1))}, "by"),
        ({"span": Span(date(2026, 1, 1), date(2026, 11, 1))}, "bucket"),
    ],
)
def test_what_is_not_kept_and_what_would_be_slow_is_refused(reports, asked, path):
    with pytest.raises(InvalidInputError) as refused:
        spreads(reports, **asked)

    assert [each.path for each in refused.value.fields] == [path]
