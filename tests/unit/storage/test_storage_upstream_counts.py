"""What all processes ask of deployments: each store counts as the arithmetic says."""

import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from redis_server import patient_store
from sqlalchemy import select, text

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.upstream_counts import (
    Counts,
    Given,
    Order,
    Refused,
    Taken,
    Wanted,
    settle,
)
from flaskllm.storage.database import Database
from flaskllm.storage.redis_upstream_counts import RedisUpstreamCounts
from flaskllm.storage.tables import upstream_counts
from flaskllm.storage.upstream_counts import SqlUpstreamCounts

REQUESTS = Wanted("a", requests_per_minute=2)
PATIENCE = 0.25


class SetClock(SystemClock):
    """A clock that is set, exactly."""

    def now(self):
        return datetime.fromtimestamp(self.at, UTC)


class OnSql:
    """The table, on a clock of the test."""

    def __init__(self):
        self.clock = SetClock()
        self.database = Database("sqlite://", journal="wal", clock=self.clock)
        self._store = SqlUpstreamCounts(self.database, self.clock, PATIENCE)

    def settle(self, orders, now):
        self.clock.at = now
        return self._store.settle(orders)

    def clear(self):
        with self.database.transaction() as connection:
            connection.execute(upstream_counts.delete())

    def close(self):
        self.database.close()


class OnRedis:
    """Redis, whose time the test tells."""

    def __init__(self, url):
        self._redis = patient_store(url)
        self._store = RedisUpstreamCounts(self._redis)

    def settle(self, orders, now):
        self._store.now = now
        return self._store.settle(orders)

    def clear(self):
        self._redis.run(lambda client: client.flushdb())

    def close(self):
        self._redis.close()


@pytest.fixture(scope="module", params=["sql", "redis"])
def timed(request):
    """A store whose time the test tells."""
    if request.param == "sql":
        store = OnSql()
    else:
        store = OnRedis(request.getfixturevalue("redis_server").url(3))
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def store(request, make_database):
    """A store on its own time."""
    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
        redis = patient_store(url)
        yield RedisUpstreamCounts(redis)
        redis.close()
    else:
        url = request.getfixturevalue(f"{request.param}_database_url")
        yield SqlUpstreamCounts(make_database(url), SystemClock(), PATIENCE)


# To make a failure shorter would take minutes.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)

limits = st.none() | st.integers(1, 4)
wanted = st.builds(
    Wanted,
    st.sampled_from("abcdefgh"),
    st.integers(0, 5),
    limits,
    st.none() | st.integers(1, 12),
    limits,
    st.sampled_from([5, 90]),
    st.sampled_from([0, 0, 10]),
)
given_back = st.builds(
    Given, st.sampled_from("abcdefgh"), st.integers(0, 3), st.integers(-6, 6)
)
orders = st.tuples(st.sampled_from("xy"), wanted | given_back)
steps = st.lists(
    st.tuples(st.sampled_from([0, 0.25, 1, 7.5, 59.75, 62, -1, -3, -3600]), orders),
    min_size=1,
    max_size=25,
)


@given(steps)
@settings(max_examples=60, phases=PHASES)
def test_whatever_is_wanted_and_given_back_it_counts_as_the_arithmetic_says(
    timed, steps
):
    timed.clear()
    now, present = 1_800_000_000.0, {"x": Counts(), "y": Counts()}
    both = [(0, (key, REQUESTS)) for key in present]
    for seconds, (key, what) in both + steps:
        now += seconds
        if isinstance(what, Given):
            what = replace(what, second=int(now) - what.second)
        expected = settle(present[key], what, now)

        [found] = timed.settle([Order(key, what)], now)

        assert found == expected
        if not isinstance(expected.answer, Refused):
            present[key] = expected.counts


def test_orders_of_one_batch_come_one_after_the_other(store):
    wishes = [Order("k", replace(REQUESTS, seat=seat)) for seat in "abc"]

    said = [each.answer for each in store.settle([*wishes, Order("l", REQUESTS)])]

    assert [type(each) for each in said] == [Taken, Taken, Refused, Taken]


def test_what_is_given_back_is_free_for_the_next_of_the_batch(store):
    seat = Wanted("a", tokens=60, tokens_per_minute=100, concurrent_requests=1)
    [taken] = store.settle([Order("k", seat)])
    back = Given("a", taken.answer.second, -60)

    _, next_one = store.settle([Order("k", back), Order("k", replace(seat, seat="b"))])

    assert isinstance(next_one.answer, Taken)


def test_to_give_back_what_nobody_knows_makes_nothing(store):
    [settled] = store.settle([Order("k", Given("a", 0))])

    assert settled.counts == Counts()
    assert isinstance(store.settle([Order("k", REQUESTS)])[0].answer, Taken)


def test_eight_at_once_take_two_places(store):
    came, barrier = [], threading.Barrier(8)

    def take(seat):
        barrier.wait()
        came.append(store.settle([Order("k", replace(REQUESTS, seat=seat))])[0].answer)

    threads = [threading.Thread(target=take, args=(f"{n}",)) for n in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert (
        sorted(type(each).__name__ for each in came) == ["Refused"] * 6 + ["Taken"] * 2
    )


def test_rows_that_are_over_go_when_another_is_made():
    store = OnSql()
    store.settle([Order("old", REQUESTS)], 1_800_000_000.0)
    store.settle([Order("new", REQUESTS)], 1_800_000_063.0)

    with store.database.reading() as connection:
        keys = connection.execute(select(upstream_counts.c.key)).scalars().all()

    assert keys == ["new"]
    store.close()


def test_redis_forgets_what_is_over(redis_url):
    store = patient_store(redis_url)
    RedisUpstreamCounts(store).settle([Order("k", REQUESTS)])

    left = store.run(lambda client: client.ttl("flaskllm:routing:counts:k"))

    assert 55 <= left <= 64
    store.close()


def test_who_waits_for_a_locked_row_is_told_in_a_quarter_of_a_second(
    database_url, make_database
):
    database, other = make_database(database_url), make_database(database_url)
    store, clock = SqlUpstreamCounts(database, SystemClock(), 0.1), SystemClock()
    store.settle([Order("k", REQUESTS)])

    with other.transaction() as connection:
        connection.execute(text("UPDATE upstream_counts SET body = '{}'"))
        began = clock.monotonic()
        with pytest.raises(ServiceUnavailable):
            store.settle([Order("k", REQUESTS)])
        took = clock.monotonic() - began

    assert 0.1 <= took < 1.0
    with database.transaction() as connection:  # as patient as ever
        connection.execute(select(upstream_counts))
