"""Where a connection is lost before the commit, all of it is done once more."""

import pytest
from database_rows import INSERT, count
from postgres_sessions import end_backends, name_in
from sqlalchemy import text
from tcp_chaos import tcp_chaos

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.storage.repeats import once_more, once_more_anyway

OWN = text(f"{INSERT.text} ON CONFLICT DO NOTHING")


class Rows:
    """What writes a row, and whose connection is lost so many times before it."""

    def __init__(self, database, lose, losses=1):
        self.database, self.lose, self.losses = database, lose, losses
        self.calls = 0

    @once_more
    def write(self):
        self.calls += 1
        with self.database.transaction() as connection:
            connection.exec_driver_sql("SELECT 1")
            if self.calls <= self.losses:
                self.lose()
            connection.execute(INSERT, {"id": "a"})
            return "written"

    @once_more_anyway
    def own(self):
        self.calls += 1
        with self.database.transaction() as connection:
            connection.execute(OWN, {"id": "a"})
            if self.calls <= self.losses:
                self.lose()
        return "own"


@pytest.fixture
def kill(postgres, postgres_database_url):
    return lambda: end_backends(postgres, postgres_database_url)


def test_what_was_not_committed_is_done_again(
    postgres_database_url, make_database, kill
):
    rows = Rows(make_database(postgres_database_url), kill)

    assert rows.write() == "written"

    assert (rows.calls, count(rows.database)) == (2, 1)


def test_it_is_done_again_a_single_time(postgres_database_url, make_database, kill):
    rows = Rows(make_database(postgres_database_url), kill, losses=9)

    with pytest.raises(ServiceUnavailable) as refused:
        rows.write()

    assert refused.value.details == "The connection to its server was lost."
    assert refused.value.retry_after_seconds == 1
    assert (rows.calls, count(rows.database)) == (2, 0)


def test_who_has_waited_long_is_not_made_to_wait_again(
    postgres_database_url, make_database, kill
):
    class Late(SystemClock):
        offset_seconds = 0.0

        def monotonic(self):
            return super().monotonic() + self.offset_seconds

    clock = Late()

    def lose():
        clock.offset_seconds = 3.0
        kill()

    rows = Rows(make_database(postgres_database_url, clock=clock), lose)

    with pytest.raises(ServiceUnavailable):
        rows.write()

    assert (rows.calls, count(rows.database)) == (1, 0)


@pytest.fixture
def committed(postgres, postgres_database_url, make_database):
    """What loses the answer to its commit."""
    with tcp_chaos(postgres.port) as chaos:
        url = postgres.url(name_in(postgres_database_url)).replace(
            f":{postgres.port}/", f":{chaos.port}/"
        )
        yield Rows(make_database(url), lambda: chaos.cut_after(b"COMMIT\0"))


def test_what_may_have_been_committed_is_not_done_again(committed):
    with pytest.raises(ServiceUnavailable) as refused:
        committed.write()

    assert refused.value.retry_after_seconds == 1
    assert (committed.calls, count(committed.database)) == (1, 1)


def test_unless_it_finds_its_own_work(committed):
    assert committed.own() == "own"

    assert (committed.calls, count(committed.database)) == (2, 1)
