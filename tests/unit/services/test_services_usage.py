"""Usage: written for each attempt, and never in a request's way."""

import logging
from datetime import UTC, datetime

import pytest
from database_rows import usage_of
from log_lines import ours

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.llm.types import Attempt, Deployment, Outcome, Usage
from flaskllm.services.usage import UsageService
from flaskllm.storage.database import Database
from flaskllm.storage.usage import UsageRow, UsageRows

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
DEPLOYMENT = Deployment("mini", "openai", "openai", "gpt-4o-mini")
ATTEMPT = Attempt(2, "fast", DEPLOYMENT, "weighted 2/3")
OUTCOME = Outcome("OK", 1.2346, Usage(1, 2, 3, 4, 5, "provider"))


class Noon(SystemClock):
    """A clock that stands still."""

    def now(self):
        return NOON


@pytest.fixture
def database(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/x.db", journal="truncate", clock=Noon())
    yield database
    database.close()


def test_an_attempt_becomes_a_row(database):
    UsageService(UsageRows(database), Noon(), threaded=False).record(
        ATTEMPT, OUTCOME, principal_id="abc", request_id="req_12345678"
    )

    (row,) = usage_of(database, "req_12345678")
    assert row == UsageRow(
        id=row.id,
        request_id="req_12345678",
        principal_id="abc",
        alias="fast",
        deployment="mini",
        provider="openai",
        model="gpt-4o-mini",
        attempt=2,
        outcome="OK",
        latency_ms=1235,
        input_uncached=1,
        input_cache_read=2,
        input_cache_write=3,
        output_text=4,
        output_reasoning=5,
        usage_source="provider",
        created_at=NOON,
        decision="weighted 2/3",
    )
    assert row.id.startswith("use_")


def test_every_attempt_has_its_own_row(database):
    service = UsageService(UsageRows(database), Noon(), threaded=False)
    failed = Outcome("LLM_TIMEOUT", 60.0, Usage())
    service.record(
        Attempt(1, "fast", DEPLOYMENT),
        failed,
        principal_id="abc",
        request_id="req_12345678",
    )
    service.record(ATTEMPT, OUTCOME, principal_id="abc", request_id="req_12345678")

    found = usage_of(database, "req_12345678")

    assert [(row.attempt, row.outcome) for row in found] == [
        (1, "LLM_TIMEOUT"),
        (2, "OK"),
    ]


def test_a_failure_to_write_is_logged_and_goes_no_further(tmp_path, caplog):
    (tmp_path / "x.db").mkdir(mode=0o700)
    database = Database(f"sqlite:///{tmp_path}/x.db", journal="wal", clock=Noon())

    with caplog.at_level(logging.WARNING):
        UsageService(UsageRows(database), Noon(), threaded=False).record(
            ATTEMPT, OUTCOME, principal_id="a", request_id="req_1"
        )

    (line,) = ours(caplog)
    assert (line.message, line.levelname) == ("usage_not_recorded", "WARNING")
    assert line.fields == {
        "request_id": "req_1",
        "principal": "a",
        "deployment": "mini",
        "attempt": 2,
        "code": "SERVICE_UNAVAILABLE",
        "reason": "Its file cannot be opened.",
    }


class BrokenRows:
    """A table that fails in a way that nobody foresaw."""

    def add(self, rows):
        raise KeyError("somebody's text")


def test_a_fault_of_ours_loses_its_rows_and_not_the_thread_that_writes(caplog):
    service = UsageService(BrokenRows(), Noon(), threaded=True)

    with caplog.at_level(logging.WARNING):
        for number in (1, 2):
            service.record(
                ATTEMPT, OUTCOME, principal_id="a", request_id=f"req_{number}"
            )
            service.flush()

    told = [line.fields for line in ours(caplog)]
    assert [fields["request_id"] for fields in told] == ["req_1", "req_2"]
    assert {(each["code"], each["reason"]) for each in told} == {
        ("INTERNAL_ERROR", "KeyError")
    }


def test_a_decision_is_cut_to_what_its_column_holds(database):
    attempt = Attempt(1, "fast", DEPLOYMENT, "a" * 299 + "bc")
    UsageService(UsageRows(database), Noon(), threaded=False).record(
        attempt, OUTCOME, principal_id="abc", request_id="req_12345678"
    )

    (row,) = usage_of(database, "req_12345678")
    assert row.decision == "a" * 299 + "b"


class CountedRows(UsageRows):
    """The table, and how often it was written to."""

    writes = 0

    def add(self, rows):
        self.writes += 1
        super().add(rows)


def record_many(service, count, wrong=()):
    """Record attempts from 1; the wrong ones hold what no table takes."""
    for number in range(1, count + 1):
        tokens = 2**70 if number in wrong else 1
        service.record(
            Attempt(number, "fast", DEPLOYMENT),
            Outcome("OK", 1.0, Usage(tokens)),
            principal_id="abc",
            request_id="req_12345678",
        )


@pytest.mark.parametrize("wrong", [{1}, {250}, {500}, {3, 4, 401}])
def test_of_a_batch_only_the_wrong_rows_are_lost(database, caplog, wrong):
    rows = CountedRows(database)
    service = UsageService(rows, Noon(), threaded=True)

    with caplog.at_level(logging.WARNING):
        record_many(service, 500, wrong)
        service.flush()

    written = [row.attempt for row in usage_of(database, "req_12345678")]
    assert written == [number for number in range(1, 501) if number not in wrong]
    lost = [line.fields for line in ours(caplog)]
    assert {each["attempt"] for each in lost} == wrong
    assert {each["code"] for each in lost} == {"INTERNAL_ERROR"}
    assert rows.writes <= 60


class ClosedRows:
    """A database that cannot be used."""

    writes = 0

    def add(self, rows):
        self.writes += 1
        raise ServiceUnavailable(details="Its disk is full.")


def test_a_database_that_fails_is_not_asked_for_each_row(caplog):
    rows = ClosedRows()
    service = UsageService(rows, Noon(), threaded=True)

    with caplog.at_level(logging.WARNING):
        record_many(service, 100)
        service.flush()

    assert rows.writes <= 2
    assert len(ours(caplog)) == 100
