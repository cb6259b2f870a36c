"""Sliding windows as storages of `limits` count them: in memory and in databases."""

import threading

import pytest
from counter_storages import redis_counters, sql_counters
from limits import RateLimitItemPerMinute
from limits.strategies import SlidingWindowCounterRateLimiter
from sqlalchemy import select

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.sliding import Window
from flaskllm.core.windows import Windows
from flaskllm.storage.database import Database
from flaskllm.storage.tables import counters

TEN = RateLimitItemPerMinute(10)
KEY = "tokens/principal"


@pytest.fixture(params=["memory", "sqlite", "postgres", "redis"])
def storage(request, fake_clock, make_database):
    """A storage of each kind; 09:00:00 begins a window of a minute, as of any other."""
    if request.param == "memory":
        return Windows(clock=fake_clock)
    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
        return redis_counters(url, fake_clock)[0]
    url = request.getfixturevalue(f"{request.param}_database_url")
    return sql_counters(make_database(url), fake_clock)[0]


@pytest.fixture
def limiter(storage):
    return SlidingWindowCounterRateLimiter(storage)


@pytest.fixture
def rows(database_url, make_database, fake_clock):
    """Counters in a database, and what it holds of them."""
    database = make_database(database_url)
    storage, _ = sql_counters(database, fake_clock)

    def read():
        with database.reading() as connection:
            return connection.execute(select(counters)).all()

    return storage, read


def count_present(storage):
    return storage.get_sliding_window(KEY, 60)[2]


def test_so_many_are_admitted_in_a_window(limiter):
    assert [limiter.hit(TEN, "p", cost=4) for _ in range(3)] == [True, True, False]
    assert limiter.hit(TEN, "p", cost=2)
    assert not limiter.hit(TEN, "p")
    assert limiter.get_window_stats(TEN, "p").remaining == 0


def test_a_hit_above_the_limit_is_never_admitted(limiter):
    assert not limiter.hit(TEN, "p", cost=11)
    assert limiter.get_window_stats(TEN, "p").remaining == 10


def test_to_look_is_not_to_count(limiter):
    assert all(limiter.test(TEN, "p", cost=10) for _ in range(3))
    assert limiter.hit(TEN, "p", cost=10)
    assert not limiter.test(TEN, "p")


def test_keys_are_counted_apart(limiter):
    assert limiter.hit(TEN, "one", cost=10)
    assert limiter.hit(TEN, "other", cost=10)


def test_the_window_before_counts_by_the_part_that_is_still_reached(
    limiter, fake_clock
):
    limiter.hit(TEN, "p", cost=10)

    fake_clock.advance(60 + 30)

    assert limiter.hit(TEN, "p", cost=5)
    assert not limiter.hit(TEN, "p")
    fake_clock.advance(120)
    assert limiter.hit(TEN, "p", cost=10)


def test_stats_tell_when_a_window_is_over(storage, fake_clock):
    storage.acquire_sliding_window_entry(KEY, 10, 60, 3)
    fake_clock.advance(70)
    storage.acquire_sliding_window_entry(KEY, 10, 60, 2)

    assert storage.get_sliding_window(KEY, 60) == (3, 50, 2, 110)


def test_a_correction_goes_to_the_window_of_its_charge(storage, fake_clock):
    before = fake_clock.now().timestamp()
    storage.acquire_sliding_window_entry(KEY, 10, 60, 8)
    fake_clock.advance(60)
    storage.acquire_sliding_window_entry(KEY, 10, 60, 2)
    now = fake_clock.now().timestamp()

    storage.correct(KEY, 60, -5, before)
    storage.correct(KEY, 60, -1, now)
    storage.correct(KEY, 60, 6, before)  # what is more counts now

    previous, _, present, _ = storage.get_sliding_window(KEY, 60)
    assert (previous, present) == (3, 7)
    storage.correct(KEY, 60, -100, now)
    assert count_present(storage) == 0


def test_a_correction_needs_no_count_before_it(storage, fake_clock):
    storage.correct(KEY, 60, 12, fake_clock.now().timestamp())

    assert count_present(storage) == 12
    assert not storage.acquire_sliding_window_entry(KEY, 10, 60)


def test_a_key_can_be_forgotten(limiter):
    limiter.hit(TEN, "p", cost=10)

    limiter.clear(TEN, "p")

    assert limiter.hit(TEN, "p", cost=10)


def test_plain_counters_count_too(rows, fake_clock):
    storage, _ = rows
    assert storage.get(KEY) == 0
    now = fake_clock.now().timestamp()
    assert storage.get_expiry(KEY) == now

    assert [storage.incr(KEY, 60), storage.incr(KEY, 60, 2)] == [1, 3]

    assert storage.get_expiry(KEY) == now + 60
    fake_clock.advance(60)
    assert storage.get(KEY) == 0
    assert storage.incr(KEY, 60) == 1
    assert storage.reset() == 1
    assert storage.get(KEY) == 0
    assert storage.check()


def test_one_row_holds_a_key_however_much_is_counted(rows, fake_clock):
    storage, read = rows
    for _ in range(20):
        storage.acquire_sliding_window_entry(KEY, 1000, 60, 37)
        fake_clock.advance(7)

    (row,) = read()
    assert row.key == KEY
    assert row.expires_at == row.started_at + 120


def test_what_is_over_is_removed_and_nothing_else(rows, fake_clock):
    storage, read = rows
    for number in range(3):
        storage.acquire_sliding_window_entry(f"old-{number}", 10, 60)
    fake_clock.advance(60)
    storage.acquire_sliding_window_entry("young", 10, 60)
    assert storage.forget_expired() == 0

    fake_clock.advance(60)

    assert storage.forget_expired() == 3
    assert [row.key for row in read()] == ["young"]


def test_what_is_over_is_removed_in_batches(
    sqlite_database_url, make_database, fake_clock
):
    storage, _ = sql_counters(make_database(sqlite_database_url), fake_clock)
    for number in range(501):
        storage.acquire_sliding_window_entry(f"old-{number}", 10, 60)

    fake_clock.advance(120)

    assert [storage.forget_expired() for _ in range(2)] == [501, 0]


def test_the_mirror_sees_what_was_counted(database_url, make_database, fake_clock):
    database = make_database(database_url)
    one, mirror = sql_counters(database, fake_clock)
    other, _ = sql_counters(database, fake_clock)
    started_at = int(fake_clock.now().timestamp())

    other.acquire_sliding_window_entry(KEY, 10, 60, 4)
    one.acquire_sliding_window_entry(KEY, 10, 60, 5)
    assert mirror.window(KEY, 60) == Window(started_at, 9)
    other.acquire_sliding_window_entry(KEY, 10, 60)
    one.acquire_sliding_window_entry(KEY, 10, 60)  # refused, and seen all the same

    assert mirror.window(KEY, 60) == Window(started_at, 10)
    one.clear_sliding_window(KEY, 60)
    assert mirror.window(KEY, 60) is None


def test_threads_that_hit_together_are_admitted_up_to_the_limit_exactly(
    database_url, make_database, fake_clock
):
    storage, _ = sql_counters(make_database(database_url), fake_clock)
    together, admitted = threading.Barrier(4), []

    def hit():
        together.wait()
        for _ in range(25):
            admitted.append(storage.acquire_sliding_window_entry(KEY, 40, 60))

    threads = [threading.Thread(target=hit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(admitted) == 100
    assert admitted.count(True) == 40


def test_a_database_that_is_gone_is_told(tmp_path, fake_clock):
    (tmp_path / "file").touch()
    database = Database(
        f"sqlite:///{tmp_path}/file/x.db", journal="wal", clock=fake_clock
    )
    storage, _ = sql_counters(database, fake_clock)

    assert not storage.check()
    with pytest.raises(ServiceUnavailable) as refused:
        storage.acquire_sliding_window_entry(KEY, 10, 60)
    assert isinstance(refused.value, storage.base_exceptions)
