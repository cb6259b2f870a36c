"""A server that cannot be reached keeps nobody waiting but the one who tries."""

import logging

import pytest
from sqlalchemy.exc import OperationalError

from flaskllm.core.errors import InternalError, ServiceUnavailable
from flaskllm.storage.reach import SUSPECT_SECONDS, Reach


class Refusal(Exception):
    """What psycopg raises; its name and what it says count."""

    sqlstate = None


Refusal.__name__ = "OperationalError"


class Engine:
    """An engine whose server is there, or not."""

    def __init__(self):
        self.said = "connection failed: refused"
        self.asked = 0

    def connect(self):
        self.asked += 1
        if self.said:
            raise OperationalError("", {}, Refusal(self.said))
        return "a connection"


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
def reach(fake_clock):
    return Reach(fake_clock)


def refusal_of(reach, engine):
    with pytest.raises(ServiceUnavailable) as refused:
        reach.connect(engine)
    return refused.value


def test_while_it_is_away_one_tries_once_a_second_and_the_others_are_told(
    reach, engine, fake_clock
):
    told = [refusal_of(reach, engine) for _ in range(3)]
    assert engine.asked == 1
    assert {each.details for each in told} == {"Its server cannot be reached."}
    assert {each.retry_after_seconds for each in told} == {5}
    assert len({id(each) for each in told}) == 3

    fake_clock.advance(1)
    refusal_of(reach, engine)
    refusal_of(reach, engine)

    assert engine.asked == 2


def test_the_first_that_succeeds_lets_all_in_and_both_are_told_once(
    reach, engine, fake_clock, caplog
):
    caplog.set_level(logging.INFO)
    for _ in range(2):
        refusal_of(reach, engine)
        fake_clock.advance(1)
    assert reach.is_away
    engine.said = ""

    assert [reach.connect(engine) for _ in range(3)] == ["a connection"] * 3

    assert not reach.is_away
    names = [record.message for record in caplog.records]
    assert names == ["database_not_reached", "database_reached"]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("connection failed: FATAL:  sorry, too many clients", ServiceUnavailable),
        ("connection failed: password authentication failed", ServiceUnavailable),
    ],
)
def test_who_answers_is_not_away(reach, engine, said, error):
    engine.said = said

    for _ in range(2):
        with pytest.raises(error):
            reach.connect(engine)

    assert engine.asked == 2
    assert not reach.is_away


def test_a_fault_of_ours_says_nothing_against_the_server(reach, engine, fake_clock):
    refusal_of(reach, engine)
    fake_clock.advance(1)

    def connect():
        raise InternalError

    broken = Engine()
    broken.connect = connect
    with pytest.raises(InternalError):
        reach.connect(broken)

    assert not reach.is_away


def test_who_comes_while_it_comes_back_is_told_too(reach, engine, fake_clock):
    refusal_of(reach, engine)
    reach._failure = None  # as another thread leaves it for a moment

    assert refusal_of(reach, engine).retry_after_seconds == 1


def test_an_answer_has_its_limit_and_where_nobody_has_one_two_seconds(
    reach, engine, fake_clock
):
    since = reach.now_seconds()
    fake_clock.advance(SUSPECT_SECONDS)
    assert not reach.gives_up(since, SUSPECT_SECONDS + 1)
    assert not reach.gives_up(since, None)
    assert reach.gives_up(since, SUSPECT_SECONDS)

    refusal_of(reach, engine)

    assert reach.gives_up(since, None)
    assert not reach.gives_up(reach.now_seconds(), None)


def test_a_proxy_that_takes_the_connection_and_closes_it_is_no_server(reach, engine):
    engine.said = "connection failed: server closed the connection unexpectedly"

    told = [refusal_of(reach, engine) for _ in range(2)]

    assert {each.details for each in told} == {"Its server cannot be reached."}
    assert engine.asked == 1
