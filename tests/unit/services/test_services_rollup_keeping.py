"""Sums are kept as long as is wanted; who writes waits for it seldom and shortly."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from fakes import FakeClock
from rollup_sums import unlike_usage
from sqlalchemy import delete, func, select, text
from usage_rows import add_usage, usage_row

from flaskllm.services.rollup_keeping import RollupKeeping
from flaskllm.storage.rollup_building import RollupBuilding
from flaskllm.storage.rollup_forgetting import RollupForgetting
from flaskllm.storage.tables import latency_spans, usage, usage_keys

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
# 62 days before, as it begins in Berlin.
KEPT_FROM = datetime(2026, 9, 19, 22, tzinfo=UTC)
OF_ONE = 5
"""Keys of one combination: all of it, and what tells less."""


@pytest.fixture
def clock():
    return FakeClock(NOW)


@pytest.fixture
def database(make_database, database_url):
    return make_database(database_url)


@pytest.fixture
def keeping(database, clock):
    return keeping_in(BERLIN, database, clock)


def keeping_in(zone, database, clock):
    return RollupKeeping(
        RollupBuilding(database, zone),
        RollupForgetting(database, zone),
        clock,
        zone,
        keep_days=62,
        most_seconds=60,
    )


def forget_rows(database):
    """Remove the usage rows of days that are not kept."""
    with database.transaction() as connection:
        connection.execute(delete(usage).where(usage.c.created_at < KEPT_FROM))


def count(database, table):
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_whole_days_go_with_what_only_they_name(database, keeping, clock):
    add_usage(
        database,
        usage_row(
            created_at=KEPT_FROM - timedelta(seconds=1), model="named by a caller"
        ),
        usage_row(created_at=KEPT_FROM - timedelta(days=300), model="of last year"),
        usage_row(created_at=KEPT_FROM - timedelta(days=300)),
        usage_row(created_at=KEPT_FROM),
        usage_row(created_at=NOW),
    )

    keeping.keep()

    forget_rows(database)
    assert unlike_usage(database) == []
    assert count(database, usage_keys) == OF_ONE
    clock.advance(timedelta(days=63).total_seconds())
    keeping.keep()
    assert count(database, usage_keys) == count(database, latency_spans) == 0


def test_what_is_used_again_after_long_keeps_its_keys(database, keeping):
    add_usage(database, usage_row(created_at=KEPT_FROM - timedelta(days=1)))
    keeping.keep()
    old = usage_row(created_at=KEPT_FROM - timedelta(hours=5), model="again")
    add_usage(database, old, usage_row(created_at=NOW, model="again"))

    keeping.keep()

    forget_rows(database)
    assert unlike_usage(database) == []
    with database.reading() as connection:
        models = set(connection.execute(select(usage_keys.c.model)).scalars())
    assert models == {"again"}


def test_days_of_a_zone_that_was_reported_in_before_go_too(database, keeping, clock):
    keeping_in(ZoneInfo("America/New_York"), database, clock).keep()
    at = KEPT_FROM - timedelta(hours=2)
    add_usage(database, usage_row(created_at=at), usage_row(created_at=NOW))

    keeping.keep()

    forget_rows(database)
    assert unlike_usage(database) == []


def test_where_nothing_is_to_be_done_nobody_waits_for_it(
    database, keeping, make_database, database_url
):
    add_usage(database, usage_row(created_at=NOW - timedelta(days=3)))
    keeping.keep()
    writer = make_database(database_url)

    with writer.transaction() as connection:
        connection.execute(text("UPDATE usage_quarters SET failed = failed"))
        done = keeping.keep()

    assert done == 0


def test_between_two_days_writers_have_as_long_as_the_first_took(clock):
    took_seconds = [2.0, 0.5, 70.0, 1.0]

    def build_day(now):
        clock.advance(took_seconds.pop(0))
        return True

    building = SimpleNamespace(build_day=build_day)
    forgetting = SimpleNamespace(
        forget_day=lambda first: False, forget_others=lambda: 0
    )
    keeping = RollupKeeping(
        building, forgetting, clock, BERLIN, keep_days=62, most_seconds=60
    )

    assert keeping.keep() == 3
    # No day follows the third, so that nothing is waited for.
    assert clock.slept == [2.0, 0.5]
    assert took_seconds == [1.0]
