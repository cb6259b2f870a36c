"""What is older than wanted goes, in small transactions; money goes by whole days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from fakes import FakeClock
from ledger_scene import (
    disagreements,
    open_ledger,
    reservation,
    reserved_by_id,
    set_budget,
    settled,
    spent_of,
)
from sqlalchemy import event, func, select
from usage_rows import usage_row

from flaskllm.core.auth import Actor
from flaskllm.services.keeping import retention as module
from flaskllm.services.keeping.retention import Retention, Terms
from flaskllm.storage.audit import AuditRows
from flaskllm.storage.old_rows import OldRows
from flaskllm.storage.tables import audit, budget_notices, spending, usage, workers
from flaskllm.storage.workers import WorkerRow, Workers

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2030, 6, 15, 9, 30, tzinfo=UTC)
TERMS = Terms(usage_days=10, ledger_days=62, audit_days=30)
OLDEST = date(2030, 4, 14)  # 62 days before


def count(database, table):
    """Return how many rows a table has."""
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


@pytest.fixture
def clock():
    return FakeClock(NOW)


@pytest.fixture
def database(make_database, database_url, clock):
    return make_database(database_url, clock=clock)


@pytest.fixture
def retention(database, clock):
    return Retention(OldRows(database), database, TERMS, clock, BERLIN)


def add_usage(database, *ages_days):
    with database.transaction() as connection:
        for age in ages_days:
            row = usage_row(created_at=NOW - timedelta(days=age))
            connection.execute(usage.insert().values(row))


def test_usage_goes_by_its_age(retention, database):
    add_usage(database, 9.9, 10.1, 30, 0)

    assert retention.forget_usage() == 2
    assert retention.forget_usage() == 0
    assert count(database, usage) == 2


def test_no_transaction_is_longer_than_a_batch_and_no_turn_than_twenty(
    retention, database, monkeypatch
):
    monkeypatch.setattr(module, "MOST_AT_ONCE", 2)
    add_usage(database, *[20] * 45)
    removed = []
    with database.reading() as connection:
        engine = connection.engine

    @event.listens_for(engine, "after_cursor_execute")
    def note(connection, cursor, statement, *_):
        if statement.startswith("DELETE FROM usage"):
            removed.append(cursor.rowcount)

    assert retention.forget_usage() == 40
    assert removed == [2] * 20
    assert retention.forget_usage() == 5


def test_the_audit_goes_by_its_age(retention, database):
    rows = AuditRows(database)
    for age in (29, 31):
        rows.add(Actor("cli:anna"), "x", "y", NOW - timedelta(days=age))

    assert retention.forget_audit() == 1
    assert count(database, audit) == 1


def test_workers_are_forgotten_that_nobody_has_heard_of_for_a_day(
    retention, database, clock
):
    clock.advance(-2 * 86400)
    Workers(database, clock).beat(WorkerRow("wrk_old", "h", "p", 1))
    if database.is_shared:  # its server has dated it
        with database.transaction() as connection:
            old = {"beat_at": NOW - timedelta(days=2)}
            connection.execute(workers.update().values(old))
    clock.advance(2 * 86400)

    assert retention.forget_workers() == 1
    assert count(database, workers) == 0


class TestMoney:
    """A day of it goes with all entries of its attempts, and its sums."""

    @pytest.fixture
    def ledger(self, database, clock):
        return open_ledger(database, clock)

    def spend(self, ledger, attempt_id, at, nanos=700, **changes):
        day = at.astimezone(BERLIN).date()
        held = reservation(attempt_id, created_at=at, day=day, **changes)
        ledger.write([held], [])
        ledger.write([], [settled(held, nanos, at + timedelta(seconds=2))])

    def test_entries_and_sums_agree_before_and_after(self, retention, database, ledger):
        midnight = datetime(2030, 4, 13, 22, tzinfo=UTC)  # of the oldest day in Berlin
        self.spend(ledger, "att_old", midnight - timedelta(seconds=1))
        self.spend(ledger, "att_kept", midnight)
        self.spend(ledger, "att_new", NOW, tags=("team",))

        assert retention.forget_ledger() == 2  # an attempt, and a sum

        assert set(reserved_by_id(database)) == {"att_kept", "att_new"}
        assert spent_of(database, "principal:ann", OLDEST) == (0, 700)
        assert spent_of(database, "principal:ann", OLDEST - timedelta(days=1)) == (0, 0)
        assert count(database, spending) == 3
        assert retention.forget_ledger() == 0

    def test_they_agree_for_every_subject(self, retention, database, ledger):
        for days in (0, 1, 61, 62, 63, 70, 200):
            for principal in ("ann", "bob"):
                at = NOW - timedelta(days=days, seconds=len(principal))
                self.spend(ledger, f"att_{principal}{days}", at, principal=principal)
        retention.forget_ledger()
        with database.transaction() as connection:  # usage has a time of its own
            gone = usage.c.created_at < datetime(2030, 4, 13, 22, tzinfo=UTC)
            connection.execute(usage.delete().where(gone))

        wrong = [each for each in disagreements(database) if "_quarters" not in each]
        assert wrong == []  # the sums over time stay
        assert len(reserved_by_id(database)) == 8

    def test_what_is_still_reserved_stays(self, retention, database, ledger):
        old = NOW - timedelta(days=100)
        held = reservation("att_open", created_at=old, day=old.date())
        ledger.write([held], [])

        assert retention.forget_ledger() == 0
        assert set(reserved_by_id(database)) == {"att_open"}
        assert spent_of(database, "principal:ann", old.date()) == (1000, 0)

    def test_sums_wait_until_all_their_entries_are_gone(
        self, retention, database, ledger, monkeypatch
    ):
        monkeypatch.setattr(module, "MOST_AT_ONCE", 1)
        monkeypatch.setattr(module, "_MOST_BATCHES", 2)
        for number in range(3):
            at = NOW - timedelta(days=100, seconds=number)
            self.spend(ledger, f"att_{number}", at)

        assert retention.forget_ledger() == 2
        assert count(database, spending) == 1
        assert retention.forget_ledger() == 2
        assert count(database, spending) == 0

    def test_what_was_told_of_budgets_goes_with_their_days(
        self, retention, database, ledger
    ):
        budget = set_budget(database, "principal:ann", 100)
        told = [
            {"budget_id": budget, "period_start": day, "at": NOW}
            for day in ("2030-04-13", "2030-04-14")
        ]
        with database.transaction() as connection:
            connection.execute(budget_notices.insert().values(told))

        retention.forget_ledger()

        with database.reading() as connection:
            left = connection.execute(select(budget_notices.c.period_start)).scalars()
            assert list(left) == ["2030-04-14"]


def test_old_entries_are_found_by_their_index(make_database, sqlite_database_url):
    database = make_database(sqlite_database_url)
    asked = []
    with database.reading() as connection:
        engine = connection.engine

    @event.listens_for(engine, "before_cursor_execute")
    def note(connection, cursor, statement, parameters, *_):
        if statement.startswith("SELECT ledger"):
            asked.append((statement, parameters))

    OldRows(database).remove_entries(NOW, 500)

    ((statement, parameters),) = asked
    with database.reading() as connection:
        explain = f"EXPLAIN QUERY PLAN {statement}"
        plan = connection.exec_driver_sql(explain, parameters).all()
    assert "ledger_by_time" in str(plan)


def test_the_log_of_a_file_is_empty_afterwards(
    make_database, sqlite_database_url, tmp_path, clock
):
    database = make_database(sqlite_database_url, clock=clock)
    add_usage(database, 1, 2, 3)
    log = tmp_path / "store.db-wal"
    before = log.stat().st_size

    kept = Retention(OldRows(database), database, TERMS, clock, BERLIN)

    assert kept.fold_log() == 0
    assert before > 0
    assert log.stat().st_size == 0
