"""Deliveries, endpoints and workflows are written together, whoever is faster."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from callback_scene import NOW, OWNER, endpoint, job
from delivery_scene import NOTED
from sqlalchemy import select
from workflow_rows import prepared, states

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import InternalError, ServiceUnavailable
from flaskllm.services.callbacks.planning import deliveries_of, usual_endpoint
from flaskllm.services.callbacks.schedule import Outcome
from flaskllm.services.callbacks.settling import settle_by
from flaskllm.services.callbacks.signing import make_secret
from flaskllm.storage.deliveries import DeliveryRows
from flaskllm.storage.delivery_changes import New
from flaskllm.storage.delivery_log import DeliveryLog
from flaskllm.storage.endpoints import EndpointRows, listeners_of, put_missing
from flaskllm.storage.job_rows import DeliveryAttempt
from flaskllm.storage.tables import deliveries, delivery_attempts

AT_ONCE = 4
NEVER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def database(database_url, make_database):
    return make_database(database_url)


@pytest.fixture
def workflows(database):
    with prepared(database) as opened:
        yield opened


@pytest.fixture
def rows(database, workflows):
    return DeliveryRows(database, workflows, SystemClock())


def add(database, rows, **others):
    """Store an endpoint and a delivery to it; return the delivery."""
    EndpointRows(database, SystemClock()).add(endpoint(**others), NOTED, 20)
    with database.reading() as connection:
        listeners = listeners_of(connection, OWNER)
    ended = job(expires_at=NEVER)
    return rows.add(lambda now: deliveries_of(ended, listeners, now)).deliveries[0]


def attempt(delivery, number=1):
    return DeliveryAttempt(delivery.id, number, NOW, 500, "receiver_failed", 12)


def failing(*, is_gone=False):
    return settle_by(Outcome("receiver_failed", 500, is_gone), NOW, NOW, 0.5)


def at_once(act):
    """Do something in several threads that begin together; return what it returned."""
    barrier = threading.Barrier(AT_ONCE)

    def run(number):
        barrier.wait()
        return act(number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, range(AT_ONCE)))


def test_a_delivery_and_its_workflow_are_written_together(database, workflows, rows):
    delivery = add(database, rows)

    rows.settle(delivery, attempt(delivery), failing())

    assert states(workflows) == {
        f"{delivery.id}.1": "ENQUEUED",
        f"{delivery.id}.2": "DELAYED",
    }


def test_where_the_workflow_cannot_be_started_nothing_is_written(database, rows):
    delivery = add(database, rows)
    started = f"{delivery.id}.1"

    def decide(situation):
        settled = failing()(situation)
        # Another workflow under an id that is taken is our own fault.
        (start,) = settled.starts
        return replace(settled, starts=(replace(start, workflow="digest", id=started),))

    with pytest.raises((InternalError, ServiceUnavailable)):
        rows.settle(delivery, attempt(delivery), decide)

    with database.reading() as connection:
        assert connection.execute(select(delivery_attempts)).all() == []
        assert connection.execute(select(deliveries.c.attempts)).scalar_one() == 0


def test_of_several_that_settle_one_attempt_at_once_one_does(database, workflows, rows):
    delivery = add(database, rows)

    settled = at_once(lambda _: rows.settle(delivery, attempt(delivery), failing()))

    assert sum(each is not None for each in settled) == 1
    assert len(states(workflows)) == 2
    (logged,) = DeliveryLog(database).of_endpoint("end_1", OWNER, 10)
    assert len(logged.attempts) == 1


def test_deliveries_of_one_endpoint_that_end_it_at_once_wait_in_no_circle(
    database, rows
):
    first = add(database, rows)
    others = [replace(first, id=f"msg_{number}") for number in range(1, AT_ONCE)]
    rows.add(lambda _: New(tuple(others)))
    told = [first, *others]

    settled = at_once(
        lambda number: rows.settle(
            told[number], attempt(told[number]), failing(is_gone=True)
        )
    )

    # The first one cancels what the others had not written yet.
    assert sum(each is not None for each in settled) == 1
    found = EndpointRows(database, SystemClock()).find("end_1", OWNER)
    assert found is not None
    assert found.state == "disabled"


def test_several_that_make_an_endpoint_at_once_do_not_pass_the_cap(database):
    rows = EndpointRows(database, SystemClock())
    rows.add(endpoint(), NOTED, 2)

    added = at_once(lambda number: rows.add(endpoint(id=f"end_{number + 2}"), NOTED, 2))

    assert added.count(True) == 1
    assert len(rows.list(OWNER)) == 2


def test_several_that_need_the_usual_endpoint_at_once_get_the_same(database):
    rows = EndpointRows(database, SystemClock())

    made = at_once(
        lambda _: rows.ensure(usual_endpoint(OWNER, make_secret(), NOW), NOTED)
    )

    assert len({each.secret for each in made}) == 1
    assert rows.list(OWNER) == (made[0],)


def test_one_that_is_there_is_not_put_again(database):
    with database.transaction() as connection:
        assert put_missing(connection, endpoint())
        assert not put_missing(connection, endpoint(name="Other"))


def test_what_lies_in_the_tables_shows_no_url_and_no_secret(
    sqlite_database_url, make_database, tmp_path
):
    database = make_database(sqlite_database_url)
    row = endpoint(previous_secret=b"whsec_previous", previous_until=NOW)
    EndpointRows(database, SystemClock()).add(row, NOTED, 20)
    database.close()

    held = b"".join(path.read_bytes() for path in tmp_path.glob("store.db*"))
    assert b"end_1" in held
    assert not any(each in held for each in (b"SECRET", b"HIDDEN", b"whsec_"))


def test_a_delivery_that_was_removed_is_settled_by_nobody(database, workflows, rows):
    delivery = add(database, rows)
    with database.transaction() as connection:
        connection.execute(deliveries.update().values(expires_at=NOW))

    assert rows.remove_expired(10) == 1

    assert rows.settle(delivery, attempt(delivery), failing()) is None
    assert states(workflows) == {}
    assert rows.sending(delivery.id) is None
    assert not rows.cancel(delivery.id, NOW)
