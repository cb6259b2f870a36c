"""A server that says nothing: nobody waits for it for ever."""

import pytest
from database_rows import COUNT, INSERT, count
from postgres_sessions import name_in, refusal_of, with_options
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from tcp_chaos import tcp_chaos

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import ServiceUnavailable

LIMITED = "SHOW statement_timeout"


class Racing(SystemClock):
    """A clock that goes a hundred times too fast: waits are over in no time."""

    def monotonic(self):
        return super().monotonic() * 100


@pytest.fixture
def chaos(postgres):
    with tcp_chaos(postgres.port) as proxy:
        yield proxy


@pytest.fixture
def url(postgres, postgres_database_url, chaos):
    return postgres.url(name_in(postgres_database_url)).replace(
        f":{postgres.port}/", f":{chaos.port}/"
    )


def test_who_is_silent_when_tested_is_given_up_without_a_new_connection(
    chaos, url, make_database
):
    database = make_database(url, clock=Racing())
    database.check()
    accepted = chaos.accepted
    chaos.hang()

    error = refusal_of(database)

    assert error.details == "Its server cannot be reached."
    assert error.retry_after_seconds == 5
    assert chaos.accepted == accepted


def test_who_is_silent_in_the_middle_is_given_up_when_the_server_should_have(
    chaos, url, make_database
):
    database = make_database(with_options(url, "statement_timeout=2s"), clock=Racing())

    def ask():
        with database.reading() as connection:
            assert connection.execute(COUNT).scalar() == 0
            chaos.hang()
            connection.execute(COUNT)

    with pytest.raises(ServiceUnavailable) as refused:
        ask()

    assert refused.value.details == "The connection to its server was lost."
    chaos.heal()
    assert count(database) == 0


def test_a_commit_whose_answer_is_lost_was_made_all_the_same(chaos, url, make_database):
    database = make_database(with_options(url, "statement_timeout=2s"), clock=Racing())

    def write():
        with database.transaction() as connection:
            connection.execute(INSERT, {"id": "a"})
            chaos.mute()

    with pytest.raises(ServiceUnavailable) as refused:
        write()

    assert refused.value.retry_after_seconds == 1
    chaos.heal()
    assert count(database) == 1


def test_a_statement_without_a_limit_may_take_as_long_as_it_needs(
    chaos, url, make_database
):
    database = make_database(with_options(url, "statement_timeout=0"), clock=Racing())

    with database.reading() as connection:
        # The clock shows minutes.
        assert connection.execute(text("SELECT pg_sleep(0.5)")).rowcount == 1


def test_what_workflows_ask_is_lost_as_when_a_connection_breaks(
    chaos, url, make_database
):
    """Their library knows how to go on after that."""
    engine = make_database(url, clock=Racing()).make_workflow_engine()
    with engine.connect() as connection:
        connection.execute(text(LIMITED))
        chaos.hang()
        with pytest.raises(OperationalError) as lost:
            connection.execute(text(LIMITED))
    engine.dispose()

    assert lost.value.connection_invalidated
