"""Of what DBOS logs, the same line comes once a minute, and what is no fault never."""

import logging
import traceback
from pathlib import Path

import pytest
from dbos._dbos import DBOS
from dbos._error import DBOSException

from flaskllm.storage.workflow_logs import Calm, keep_quiet

LOOK = "Exception encountered in queue thread for"
FULL = f"{LOOK} digests: (sqlite3.OperationalError) database or disk is full"


@pytest.fixture
def log(fake_clock):
    """Return the lines that are written, each with the second when it was logged."""
    logger = logging.Logger("dbos")
    logger.addFilter(Calm(fake_clock.monotonic))
    written = []
    handler = logging.Handler()
    handler.emit = lambda record: written.append(handler.format(record))
    logger.addHandler(handler)
    return logger.warning, written


def test_what_comes_at_every_look_is_written_once_a_minute(log, fake_clock):
    warn, written = log
    for second in range(121):
        warn(f"{FULL}\n[SQL: SELECT {second}]")
        fake_clock.advance(1)

    assert len(written) == 3


@pytest.mark.parametrize(
    "other",
    [
        FULL.replace("digests", "deliveries"),
        f"{LOOK} digests: database is locked",
        "Exception finding work for queue digests: gone",
        "Exception listing queues: gone",
    ],
)
def test_another_queue_or_cause_is_told_besides(log, other):
    warn, written = log

    for line in (FULL, other, FULL, other):
        warn(line)

    assert written == [FULL, other]


def test_all_else_is_written_as_often_as_it_comes(log):
    warn, written = log

    for _ in range(3):
        warn("Workflow job_1 was begun too often.")

    assert len(written) == 3


def test_a_worker_that_stops_reports_no_fault(log):
    """In the very words of the library, which may change with its version."""
    warn, written = log
    with pytest.raises(DBOSException) as raised:
        DBOS._executor.fget(type("Stopped", (), {"_executor_field": None}))

    warn(f"Error executing workflow job_1: {raised.value}")

    assert written == []


def test_no_traceback_and_no_statement_is_written(log):
    warn, written = log
    try:
        raise OSError
    except OSError:
        warn("Error executing workflow job_1: gone\n[SQL: SELECT 1]", exc_info=True)
        warn(f"Exception polling schedules: {traceback.format_exc()}")

    assert written == ["Error executing workflow job_1: gone"]


def test_a_fault_that_nobody_expected_has_a_kind_and_a_place(log):
    warn, _ = log
    records = []
    warn.__self__.handlers[0].emit = records.append

    try:
        {}["a secret"]
    except KeyError as error:
        warn("Exception encountered in background workflow:", exc_info=error)
    warn("Fallback notification poll failed", exc_info=ValueError("never raised"))

    line = test_a_fault_that_nobody_expected_has_a_kind_and_a_place.__code__
    at = f"{Path(__file__).stem}:{line.co_firstlineno + 6}"
    told = [(each.cause, each.at, each.exc_info) for each in records]
    assert told == [("KeyError", at, None), ("ValueError", None, None)]


def test_it_is_asked_for_twice_and_filters_once():
    keep_quiet()
    keep_quiet()

    filters = logging.getLogger("dbos").filters
    assert sum(isinstance(each, Calm) for each in filters) == 1


def test_its_clock_goes_on_by_itself():
    record = logging.makeLogRecord({"msg": FULL})
    calm = Calm()

    assert [calm.filter(record), calm.filter(record)] == [True, False]
