"""DBOS's record of a step may fail; the work goes on."""

import sqlite3

import pytest
from dbos._sys_db import SystemDatabase
from sqlalchemy.exc import OperationalError
from worker_scene import worker_scene

from flaskllm.storage.workflows import Start


@pytest.mark.parametrize(
    "record", ["record_operation_result", "check_operation_execution"]
)
def test_a_step_whose_record_fails_is_no_failure_of_the_job(
    make_database, sqlite_database_url, monkeypatch, record
):
    full = sqlite3.OperationalError("disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL

    def fail(*_, **__):
        raise OperationalError("", {}, full)

    begun, returned = [], []

    def digest(_job_id, _attempt, step):
        with monkeypatch.context() as patched:
            patched.setattr(SystemDatabase, record, fail)
            returned.append(step("facts", lambda: begun.append(1) or "facts"))

    with worker_scene(make_database(sqlite_database_url)) as scene:
        scene.start(Start("digest", "job_1", "anna", ("job_1", 1)))
        assert scene.drain(digest) == 0

    assert returned == ["facts"]
    assert begun
