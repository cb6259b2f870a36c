"""Windows in memory: what counts, for how long, and that nothing runs beside it."""

import threading
import time

import pytest
import time_machine
from limits import RateLimitItemPerMinute
from limits.storage import storage_from_string
from limits.strategies import (
    MovingWindowRateLimiter,
    SlidingWindowCounterRateLimiter,
)

from flaskllm.core.config import load
from flaskllm.core.sliding import Window
from flaskllm.core.windows import SCHEME, SECONDS_BETWEEN_SWEEPS, Windows
from flaskllm.factory import create_app

THREE = RateLimitItemPerMinute(3)


@pytest.fixture
def clock():
    with time_machine.travel("2026-01-05T09:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def storage(clock):
    return storage_from_string(f"{SCHEME}://")


@pytest.fixture
def limiter(storage):
    return MovingWindowRateLimiter(storage)


def test_the_limit_admits_so_many_hits_in_any_minute(limiter, clock):
    admitted = []
    for _ in range(5):
        admitted.append(limiter.hit(THREE, "peer"))
        clock.shift(15)

    assert admitted == [True, True, True, False, True]


def test_a_refused_hit_does_not_count(limiter, clock):
    for _ in range(10):
        limiter.hit(THREE, "peer")

    clock.shift(60)

    assert [limiter.hit(THREE, "peer") for _ in range(4)] == [True, True, True, False]


def test_to_look_is_not_to_count(limiter):
    assert all(limiter.test(THREE, "peer") for _ in range(10))
    assert limiter.hit(THREE, "peer")


def test_peers_are_counted_apart(limiter):
    for _ in range(3):
        limiter.hit(THREE, "one")

    assert not limiter.test(THREE, "one")
    assert limiter.test(THREE, "other")


def test_the_window_opens_again_when_its_oldest_hit_is_over(limiter, clock):
    start = limiter.get_window_stats(THREE, "peer").reset_time
    limiter.hit(THREE, "peer")
    clock.shift(20)
    limiter.hit(THREE, "peer")

    stats = limiter.get_window_stats(THREE, "peer")

    assert stats.reset_time == start
    assert stats.remaining == 1


def test_a_hit_of_several_counts_as_several_or_not_at_all(storage):
    assert storage.acquire_entry("key", limit=3, expiry=60, amount=2)
    assert not storage.acquire_entry("key", limit=3, expiry=60, amount=2)
    assert storage.get("key") == 2


def test_the_plain_counter_counts_in_the_same_window(storage, clock):
    assert storage.get("key") == 0
    now = storage.get_expiry("key")
    assert [storage.incr("key", 60), storage.incr("key", 60, amount=2)] == [1, 3]
    assert storage.get_expiry("key") == now + 60

    clock.shift(60)

    assert storage.get("key") == 0


def test_keys_can_be_forgotten_one_or_all(storage):
    for key in ("a", "b", "c"):
        storage.incr(key, 60)

    storage.clear("a")

    assert [storage.get(key) for key in "abc"] == [0, 1, 1]
    assert storage.reset() == 2
    assert storage.get("b") == 0
    assert storage.check()
    assert storage.base_exceptions == ()


def test_a_key_whose_hits_are_over_takes_no_room(storage, clock):
    for number in range(100):
        storage.incr(f"old-{number}", 60)
    clock.shift(SECONDS_BETWEEN_SWEEPS - 10)
    storage.incr("young", 60)
    clock.shift(10)

    storage.incr("new", 60)

    assert storage.reset() == 2


def test_threads_that_hit_together_are_admitted_up_to_the_limit_exactly():
    storage, together = Windows(), threading.Barrier(8)
    admitted = []

    def hit():
        together.wait()
        for _ in range(50):
            admitted.append(storage.acquire_entry("key", limit=100, expiry=60))

    threads = [threading.Thread(target=hit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert admitted.count(True) == 100


def test_making_the_app_starts_no_thread(tmp_path):
    """A host that forks after it, beside a thread, may get a worker that hangs."""
    before = set(threading.enumerate())

    create_app(load({}, tmp_path))

    assert set(threading.enumerate()) == before


def test_moving_and_sliding_windows_of_one_storage_are_counted_apart(storage):
    sliding = SlidingWindowCounterRateLimiter(storage)
    for _ in range(3):
        assert MovingWindowRateLimiter(storage).hit(THREE, "peer")
        assert sliding.hit(THREE, "principal")

    assert not sliding.hit(THREE, "principal")
    assert storage.reset() == 2


def test_what_was_put_from_elsewhere_goes_on_being_counted(storage, clock):
    now = int(time.time())
    storage.put("key", 60, Window(now, 2))

    assert storage.acquire_sliding_window_entry("key", 3, 60)
    assert not storage.acquire_sliding_window_entry("key", 3, 60)
    assert storage.window("key", 60) == Window(now, 3)


def test_a_window_that_is_over_is_none(storage, clock):
    storage.acquire_sliding_window_entry("key", 3, 60)
    assert storage.window("key", 60)

    clock.shift(120)

    assert storage.window("key", 60) is None


def test_a_window_that_is_over_takes_no_room(storage, clock):
    for number in range(100):
        storage.acquire_sliding_window_entry(f"old-{number}", 3, 60)
    clock.shift(120)

    storage.acquire_sliding_window_entry("new", 3, 60)

    assert storage.reset() == 1
