"""PostgreSQL: how its connections are set up, and what its server can do to us."""

import threading

import pytest
from database_rows import COUNT, INSERT, count
from postgres_sessions import (
    OURS,
    SOMEBODY_WAITS,
    end_backends,
    insert,
    name_in,
    refusal_of,
    wait_until,
    with_options,
)
from sqlalchemy import make_url, text

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.storage import postgres as store
from flaskllm.storage import schema
from flaskllm.storage.driver_errors import driver_errors_told


@pytest.fixture
def database(postgres_database_url, make_database):
    return make_database(postgres_database_url)


class TestConnections:
    """How each of them is set up."""

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("statement_timeout", "15s"),
            ("lock_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "30s"),
            ("timezone", "UTC"),
            ("jit", "off"),
            ("random_page_cost", "1.1"),
            ("client_encoding", "UTF8"),
            ("application_name", "flaskllm"),
        ],
    )
    def test_its_settings(self, database, name, value):
        with database.reading() as connection:
            assert connection.execute(text(f"SHOW {name}")).scalar_one() == value

    def test_what_the_url_asks_for_wins(self, postgres_database_url, make_database):
        url = with_options(postgres_database_url, "lock_timeout=7s")
        database = make_database(f"{url}&application_name=ours")

        with database.reading() as connection:
            show = [
                connection.execute(text(f"SHOW {name}")).scalar_one()
                for name in ("lock_timeout", "statement_timeout", "application_name")
            ]

        assert show == ["7s", "15s", "ours"]

    @pytest.mark.parametrize(
        ("kind", "level", "read_only"),
        [
            ("transaction", "read committed", "off"),
            ("reading", "repeatable read", "on"),
        ],
    )
    def test_how_writers_and_readers_are_kept_apart(
        self, postgres, postgres_database_url, make_database, kind, level, read_only
    ):
        name = name_in(postgres_database_url)
        postgres.run(
            f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'"
        )
        database = make_database(postgres_database_url)
        # Of either kind, on the connection that is given out again.
        count(database)
        insert(database)

        with getattr(database, kind)() as connection:
            show = [
                connection.execute(text(f"SHOW {name}")).scalar_one()
                for name in ("transaction_isolation", "transaction_read_only")
            ]

        assert show == [level, read_only]

    def test_a_reader_cannot_write(self, database):
        def write():
            with database.reading() as connection:
                connection.execute(INSERT, {"id": "a"})

        with pytest.raises(ServiceUnavailable, match="moment"):
            write()
        assert count(database) == 0

    @pytest.mark.parametrize("name", store.NAMES)
    def test_the_url_may_begin_in_each_usual_way(
        self, postgres_database_url, make_database, name
    ):
        url = postgres_database_url.replace("postgresql", name)

        assert count(make_database(url)) == 0

    def test_a_socket_of_the_machine_is_an_address_too(
        self, postgres, postgres_database_url, make_database
    ):
        name = name_in(postgres_database_url)
        url = (
            f"postgresql://flaskllm@/{name}?host={postgres.folder}&port={postgres.port}"
        )

        assert count(make_database(url)) == 0

    def test_who_finds_them_all_in_use_is_told_after_a_while(
        self, postgres_database_url
    ):
        url = make_url(postgres_database_url)
        engine = store.PostgresStore(
            url, SystemClock(), pool_seconds=0.05
        ).make_engine()
        most = store.POOL_SIZE + store.POOL_OVERFLOW
        held = [engine.connect() for _ in range(most)]

        with pytest.raises(ServiceUnavailable) as refused, driver_errors_told():
            engine.connect()
        for each in held:
            each.close()
        engine.dispose()

        assert refused.value.details == "All its connections are in use."
        assert refused.value.retry_after_seconds == 1


class TestBrokenConnections:
    """Connections that end: none of it needs a restart."""

    def test_backends_killed_between_transactions_are_not_noticed(
        self, postgres, postgres_database_url, database
    ):
        with database.reading() as first, database.reading() as second:
            assert first.execute(COUNT).scalar() == second.execute(COUNT).scalar() == 0

        assert end_backends(postgres, postgres_database_url) == 2

        insert(database)
        assert count(database) == 1

    def test_a_backend_killed_inside_a_transaction_leaves_nothing(
        self, postgres, postgres_database_url, database
    ):
        def write():
            with database.transaction() as connection:
                connection.execute(INSERT, {"id": "a"})
                end_backends(postgres, postgres_database_url)
                connection.execute(INSERT, {"id": "b"})

        with pytest.raises(ServiceUnavailable) as refused:
            write()

        assert refused.value.details == "The connection to its server was lost."
        assert refused.value.retry_after_seconds == 1
        assert count(database) == 0

    def test_a_backend_killed_before_the_commit_leaves_nothing(
        self, postgres, postgres_database_url, database
    ):
        def write():
            with database.transaction() as connection:
                connection.execute(INSERT, {"id": "a"})
                end_backends(postgres, postgres_database_url)

        with pytest.raises(ServiceUnavailable) as refused:
            write()

        assert refused.value.retry_after_seconds == 1
        assert count(database) == 0

    @pytest.mark.parametrize("how", ["QUIT", "INT"])
    def test_a_server_that_comes_back_is_used_again(
        self, postgres, postgres_database_url, make_database, fake_clock, how
    ):
        database = make_database(postgres_database_url, clock=fake_clock)
        database.check()
        postgres.stop(how)
        try:
            error = refusal_of(database)
        finally:
            postgres.start()

        assert error.details == "Its server cannot be reached."
        assert error.retry_after_seconds == 5
        fake_clock.advance(1)
        assert count(database) == 0

    def test_a_transaction_left_open_is_ended_by_the_server(
        self, postgres, postgres_database_url, make_database
    ):
        name = name_in(postgres_database_url)
        settings = "idle_in_transaction_session_timeout=50ms"
        database = make_database(with_options(postgres_database_url, settings))
        database.check()

        def dawdle():
            with database.transaction() as connection:
                connection.execute(INSERT, {"id": "a"})
                wait_until(postgres, "SELECT count(*) = 0 " + OURS, name)
                connection.execute(INSERT, {"id": "b"})

        with pytest.raises(ServiceUnavailable) as refused:
            dawdle()

        assert refused.value.details == "A transaction was left open for too long."
        assert count(database) == 0

    def test_one_that_broke_among_several_statements_is_let_go(self, database, caplog):
        """The driver leaves it in its pipeline mode, in which it can do nothing."""
        drivers = []

        def break_among_several():
            with database.transaction() as connection:
                driver = connection.connection.dbapi_connection
                drivers.append(driver)
                driver.pgconn.enter_pipeline_mode()
                connection.execute(text("SELECT 1"))

        with pytest.raises(ServiceUnavailable):
            break_among_several()

        assert [driver.closed for driver in drivers] == [True]
        assert caplog.records == []
        database.check()


class TestSchema:
    """The schema's lock, and what a server must offer."""

    def test_who_waits_too_long_for_the_lock_is_told(
        self, postgres, empty_postgres_url
    ):
        url = make_url(empty_postgres_url)
        impatient = store.PostgresStore(url, SystemClock(), schema_seconds=0.05)
        engine = impatient.make_engine()

        with (
            postgres.connect(name_in(empty_postgres_url)) as other,
            engine.connect() as connection,
        ):
            other.execute(f"SELECT pg_advisory_lock({store.SCHEMA_LOCK})")
            with pytest.raises(ServiceUnavailable) as refused:
                impatient.lock_schema(connection)
        with engine.begin() as connection:
            impatient.lock_schema(connection)
        engine.dispose()

        assert "Another process" in refused.value.details
        assert refused.value.retry_after_seconds == 60

    def test_a_lock_that_cannot_be_asked_for_is_told(self, postgres, database):
        """As long as its schema is made the server may end too."""
        url = make_url(postgres.url("postgres"))
        lost = store.PostgresStore(url, SystemClock())
        engine = lost.make_engine()

        def lock():
            with driver_errors_told(), engine.begin() as connection:
                pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
                postgres.run(f"SELECT pg_terminate_backend({pid}, 5000)")
                lost.lock_schema(connection)

        with pytest.raises(ServiceUnavailable) as refused:
            lock()
        engine.dispose()

        assert refused.value.details == "The connection to its server was lost."

    def test_what_another_host_did_meanwhile_is_not_done_again(
        self, postgres, empty_postgres_url, make_database
    ):
        """One waits for the lock; when it gets it, the schema is there."""
        late, changes = make_database(empty_postgres_url), []
        with postgres.connect(name_in(empty_postgres_url)) as other:
            other.execute(f"SELECT pg_advisory_lock({store.SCHEMA_LOCK})")
            waiting = threading.Thread(target=lambda: changes.append(late.upgrade()))
            waiting.start()
            wait_until(postgres, SOMEBODY_WAITS, name_in(empty_postgres_url))
            migrate_as_another_host_would(other)
        waiting.join()

        assert changes == [False]
        assert late.examine().revision == schema.HEAD

    def test_an_encoding_that_loses_letters_is_told(self, postgres, make_database):
        postgres.run(
            "DROP DATABASE IF EXISTS ascii",
            "CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII'",
        )
        database = make_database(postgres.url("ascii"))
        database.upgrade()

        assert database.examine().faults == (
            "Its encoding is SQL_ASCII; make the database with UTF8.",
        )


def migrate_as_another_host_would(connection):
    """Leave what an upgrade leaves."""
    connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
    connection.execute("INSERT INTO alembic_version VALUES (%s)", [schema.HEAD])
