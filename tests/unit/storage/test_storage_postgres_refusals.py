"""What a PostgreSQL server, or an address of one, says no to."""

import threading

import pytest
from database_rows import INSERT, count
from postgres_sessions import (
    SOMEBODY_WAITS,
    insert,
    name_in,
    refusal_of,
    wait_until,
    with_options,
)
from sqlalchemy import text

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import InvalidInputError, ServiceUnavailable
from flaskllm.storage.database import Database


@pytest.fixture
def database(postgres_database_url, make_database):
    return make_database(postgres_database_url)


class TestRefusals:
    """Each in words that name no secret."""

    def test_a_lock_that_another_session_keeps(
        self, postgres, postgres_database_url, make_database
    ):
        url = with_options(postgres_database_url, "lock_timeout=50ms")
        database = make_database(url)
        database.check()

        with (
            postgres.connect(name_in(postgres_database_url)) as other,
            other.transaction(),
        ):
            other.execute("LOCK TABLE api_tokens")
            with pytest.raises(ServiceUnavailable) as refused:
                insert(database)

        assert refused.value.details == "Another transaction keeps it locked."
        assert refused.value.retry_after_seconds == 1
        insert(database)

    def test_a_statement_that_takes_too_long(
        self, postgres_database_url, make_database
    ):
        url = with_options(postgres_database_url, "statement_timeout=50ms")
        database = make_database(url)
        database.check()

        def sleep():
            with database.reading() as connection:
                connection.execute(text("SELECT pg_sleep(5)"))

        with pytest.raises(ServiceUnavailable) as refused:
            sleep()

        assert refused.value.details == "A statement took too long."
        assert refused.value.retry_after_seconds == 1

    def test_a_deadlock(self, postgres, postgres_database_url, make_database):
        settings = "deadlock_timeout=50ms"
        database = make_database(with_options(postgres_database_url, settings))
        with database.transaction() as connection:
            for name in ("a", "b"):
                connection.execute(INSERT, {"id": name})
        lock = "SELECT 1 FROM api_tokens WHERE id = '{}' FOR UPDATE"
        name = name_in(postgres_database_url)
        other = postgres.connect(name)

        threads = []

        def take_a():
            other.execute(lock.format("a"))

        def collide():
            with database.transaction() as connection:
                connection.execute(text(lock.format("a")))
                threads.append(threading.Thread(target=take_a))
                threads[0].start()
                wait_until(postgres, SOMEBODY_WAITS, name)
                connection.execute(text(lock.format("b")))

        with other, other.transaction():
            other.execute("SET LOCAL deadlock_timeout = '1min'")
            other.execute(lock.format("b"))
            with pytest.raises(ServiceUnavailable) as refused:
                collide()
            threads.pop().join()

        assert refused.value.details == "Other transactions were in the way."
        assert refused.value.retry_after_seconds == 1

    def test_a_database_that_is_read_only(
        self, postgres, postgres_database_url, make_database
    ):
        name = name_in(postgres_database_url)
        postgres.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        database = make_database(postgres_database_url)
        assert count(database) == 0

        with pytest.raises(ServiceUnavailable) as refused:
            insert(database)

        assert refused.value.details == "It can be read but not written."
        assert count(database) == 0

    def test_a_password_that_is_wrong(self, postgres, make_database):
        error = refusal_of(make_database(postgres.url("postgres", quoted="hunter2")))

        assert error.details == "Its server does not accept the user or the password."
        assert error.retry_after_seconds is None
        assert "hunter2" not in str(error.__cause__)

    def test_a_password_that_is_missing(self, postgres, make_database):
        url = f"postgresql://flaskllm@127.0.0.1:{postgres.port}/postgres"

        assert "does not accept" in refusal_of(make_database(url)).details

    def test_a_role_that_may_not_log_in(self, postgres, make_database):
        postgres.run("DROP ROLE IF EXISTS shut", "CREATE ROLE shut PASSWORD 'p'")

        error = refusal_of(make_database(postgres.url("postgres", "shut", "p")))

        assert "does not accept" in error.details

    def test_a_database_that_is_not_there(self, postgres, make_database):
        error = refusal_of(make_database(postgres.url("nowhere")))

        assert error.details == "Its server has no database of that name."

    def test_a_server_without_room_for_more(self, postgres, make_database):
        postgres.run(
            "DROP ROLE IF EXISTS many",
            "CREATE ROLE many LOGIN PASSWORD 'p' CONNECTION LIMIT 0",
        )

        error = refusal_of(make_database(postgres.url("postgres", "many", "p")))

        assert error.details == "Its server takes no more connections."
        assert error.retry_after_seconds == 5

    def test_a_role_without_the_right_to_make_tables(
        self, postgres, empty_postgres_url, make_database
    ):
        postgres.run("DROP ROLE IF EXISTS poor", "CREATE ROLE poor LOGIN PASSWORD 'p'")
        url = postgres.url(name_in(empty_postgres_url), "poor", "p")

        error = refusal_of(make_database(url))

        assert error.details == "Its user may not do what is needed."

    def test_an_encryption_that_the_server_has_not(self, postgres, make_database):
        url = f"{postgres.url('postgres')}?sslmode=require"

        assert "encrypted connection" in refusal_of(make_database(url)).details

    @pytest.mark.parametrize(
        "host", ["127.0.0.1:1", "nowhere.invalid", "/nonexistent"], ids=str
    )
    def test_an_address_where_nobody_answers(self, make_database, host):
        url = f"postgresql://me:hunter2@{host}/x"
        if host.startswith("/"):
            url = f"postgresql://me:hunter2@/x?host={host}"

        error = refusal_of(make_database(url))

        assert error.details == "Its server cannot be reached."
        assert error.retry_after_seconds == 5
        assert "hunter2" not in f"{error}{error.__cause__}"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql+pymysql://me:hunter2@db/x", "'mysql+pymysql' is not supported"),
        ("postgresql+asyncpg://me:hunter2@db/x", "'postgresql+asyncpg' is not"),
        ("hunter2", "not a URL"),
        ("postgresql://me:hunter2@db:port/x", "not a URL"),
    ],
)
def test_another_url_is_refused_without_quoting_it(url, problem):
    with pytest.raises(InvalidInputError) as refused:
        Database(url, journal="wal", clock=SystemClock())

    assert refused.value.fields[0].problem.startswith(problem)
    assert "postgresql://user:password@host/name" in refused.value.fields[0].allowed
    assert "hunter2" not in refused.value.details
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
