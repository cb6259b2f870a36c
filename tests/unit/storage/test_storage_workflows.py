"""Workflows lie in the same database as our rows, and in the same transactions."""

import subprocess
import sys
import threading
from contextlib import suppress
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import Column, MetaData, Table, Text, text
from workflow_rows import begin, digest, give_to, prepared, queues, states

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import InternalError, ServiceUnavailable
from flaskllm.storage.workflow_queries import ids_near
from flaskllm.storage.workflows import Start, Workflows

HOUR = 3600.0
DAY = timedelta(days=1)


@pytest.fixture
def database(database_url, make_database):
    return make_database(database_url)


@pytest.fixture
def workflows(database):
    with prepared(database) as opened:
        yield opened


def test_a_workflow_is_there_after_the_callers_commit(workflows, database):
    begin(
        workflows, database, digest("job_a"), Start("deliver", "msg_a.1", "e", ("a", 1))
    )

    assert states(workflows) == {"job_a": "ENQUEUED", "msg_a.1": "ENQUEUED"}
    assert queues(workflows) == {"job_a": "digests", "msg_a.1": "deliveries"}


def test_a_workflow_is_not_there_when_the_caller_rolls_back(workflows, database):
    class TheirOwnError(Exception):
        pass

    with suppress(TheirOwnError), database.transaction() as connection:
        workflows.start(connection, digest("job_a"))
        raise TheirOwnError

    assert states(workflows) == {}


def test_a_workflow_that_was_started_is_not_started_again(workflows, database):
    begin(workflows, database, digest("job_a"))
    workflows.cancel(["job_a"])

    begin(workflows, database, digest("job_a"))

    assert states(workflows) == {"job_a": "CANCELLED"}


def test_an_id_belongs_to_one_kind_of_workflow(workflows, database):
    begin(workflows, database, digest("job_a"))

    with pytest.raises(InternalError):
        begin(workflows, database, Start("deliver", "job_a", "e", ("a", 1)))


def test_nothing_is_started_before_it_was_prepared(database):
    with pytest.raises(InternalError), database.transaction() as connection:
        Workflows(database).start(connection, digest("job_a"))


def test_a_database_in_memory_has_no_workflows(make_database):
    workflows = Workflows(make_database("sqlite://"))

    assert not workflows.is_enabled
    with pytest.raises(ServiceUnavailable, match="cannot be used"):
        workflows.prepare()


def test_a_server_that_is_gone_is_told_as_such(make_database):
    workflows = Workflows(make_database("postgresql://a:b@127.0.0.1:1/x"))

    with pytest.raises(ServiceUnavailable) as raised:
        workflows.prepare()

    assert raised.value.details == "Its server cannot be reached."
    workflows.close()


def test_cancelled_workflows_wait_for_nobody(workflows, database):
    begin(workflows, database, digest("job_a"), digest("job_b"))

    workflows.cancel(["job_a", "job_unknown"])
    workflows.cancel([])

    assert states(workflows) == {"job_a": "CANCELLED", "job_b": "ENQUEUED"}


def test_an_id_is_deleted_with_its_attempts_and_no_other(workflows, database):
    own = ["job_a", "job_a.2", "job_a.10", "job_a.9.zZ0", "job_c.1"]
    others = ["job_ab", "job_ab.2", "jobxa", "job_A", "job_A.2", "job_b", "job_"]
    begin(workflows, database, *map(digest, own + others))

    workflows.delete(["job_a", "job_c", "job_unknown"])
    workflows.delete([])

    assert states(workflows).keys() == set(others)


def test_what_is_deleted_is_found_without_reading_all_there_is(workflows):
    query = ids_near(workflows._status(), ["job_a"])
    engine = workflows._client()._sys_db.engine
    shown = query.compile(
        engine,
        compile_kwargs={"literal_binds": True, "render_schema_translate": True},
        schema_translate_map=engine.get_execution_options()["schema_translate_map"],
    )
    is_file = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        if not is_file:
            # So few rows would be read without it.
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN" if is_file else "EXPLAIN"
        plan = connection.execute(text(f"{explain} {shown}")).all()

    told = "\n".join(str(row) for row in plan)
    assert ("SEARCH" if is_file else "Index Cond") in told
    assert ("SCAN" if is_file else "Seq Scan") not in told
    assert "Filter" not in told


@pytest.mark.parametrize("collation", ["C", "und-x-icu", "en-x-icu", "th-x-icu"])
def test_attempts_are_found_in_every_collation(
    postgres_database_url, make_database, collation
):
    ids = ["msg_a", "msg_a.1", "msg_a.10", "msg_a.9.zZ0", "msg_a.9.00Z"]
    column = Column("workflow_uuid", Text(collation=collation))
    table = Table("kept", MetaData(), column, prefixes=["TEMPORARY"])
    with make_database(postgres_database_url).transaction() as connection:
        table.create(connection)
        rows = [{"workflow_uuid": id} for id in [*ids, "msg_b", "msg_b.1", "msg_"]]
        connection.execute(table.insert(), rows)
        found = connection.execute(ids_near(table, ["msg_a"])).scalars().all()

    assert sorted(found) == sorted(ids)


def test_what_an_executor_has_left_goes_back_to_its_queue(workflows, database):
    delivery = Start("deliver", "msg_a.1", "e", ("a", 1))
    begin(workflows, database, digest("job_a"), digest("job_b"), delivery)
    give_to(workflows, "wrk_dead", "job_a", "msg_a.1")
    give_to(workflows, "wrk_lives", "job_b")

    assert workflows.executors() == {"wrk_dead", "wrk_lives"}
    left = workflows.claimed("wrk_dead")

    assert workflows.put_back("wrk_dead", left) == 2
    assert workflows.put_back("wrk_dead", left) == 0
    assert workflows.claimed("wrk_dead") == workflows.claimed("wrk_unknown") == []
    assert states(workflows) == {
        "job_a": "ENQUEUED",
        "job_b": "PENDING",
        "msg_a.1": "ENQUEUED",
    }
    assert queues(workflows)["msg_a.1"] == "deliveries"


def test_what_waits_or_runs_here_is_work(workflows, database):
    found = [workflows.has_work("wrk_own")]
    begin(workflows, database, digest("job_a"))
    found.append(workflows.has_work("wrk_own"))
    give_to(workflows, "wrk_own", "job_a")
    found.append(workflows.has_work("wrk_own"))
    found.append(workflows.has_work("wrk_other"))

    assert found == [False, True, True, False]


def test_what_waits_for_its_time_is_no_work_until_then(workflows, database):
    begin(workflows, database, digest("job_a", delay_seconds=HOUR))
    begin(workflows, database, digest("job_b", delay_seconds=0.0))
    workflows.has_work("wrk_own")

    assert states(workflows) == {"job_a": "DELAYED", "job_b": "ENQUEUED"}


@pytest.mark.parametrize("skew", [DAY, -DAY], ids=["ahead", "behind"])
def test_a_delay_ends_by_the_servers_clock_whatever_the_hosts_clocks_say(
    postgres_database_url, make_database, skew
):
    database = make_database(postgres_database_url)
    with prepared(database) as workflows:
        there = SystemClock().now() + skew
        with time_machine.travel(there):
            begin(workflows, database, digest("job_late", delay_seconds=HOUR))
            begin(workflows, database, digest("job_due", delay_seconds=-1.0))
        workflows.has_work("wrk_own")
        by_right_clock = states(workflows)
        begin(workflows, database, digest("job_later", delay_seconds=HOUR))
        with time_machine.travel(there):
            workflows.has_work("wrk_own")

        assert by_right_clock == {"job_late": "DELAYED", "job_due": "ENQUEUED"}
        assert states(workflows)["job_later"] == "DELAYED"


def test_several_that_make_the_tables_at_once_are_all_served(
    database_url, make_database
):
    all_of_them = [Workflows(make_database(database_url)) for _ in range(4)]
    threads = [threading.Thread(target=each.prepare) for each in all_of_them]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [each.is_current() for each in all_of_them] == [True] * 4
    for each in all_of_them:
        each.close()


def test_what_accepts_no_job_never_loads_the_library():
    program = (
        "import sys, flaskllm.factory, flaskllm.cli, flaskllm.jobs.worker\n"
        "sys.exit('dbos' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
