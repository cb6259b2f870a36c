"""Limits counted in Redis: as in memory, whatever is counted and when."""

from counter_storages import redis_counters
from fakes import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.sliding import Window
from flaskllm.core.windows import Windows

KEY = "tokens/principal"
SECONDS = 60
LIMIT = 100

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("hit"), st.integers(1, 120)),
        st.tuples(st.just("more"), st.integers(1, 50)),
        st.tuples(st.just("less"), st.integers(1, 120)),
        # Backwards too: the clock of another host may be behind.
        st.tuples(
            st.just("wait"), st.sampled_from([0.5, 7, 30, 59.5, 60, 125, -40, -130])
        ),
    ),
    max_size=25,
)


class Both:
    """The same on two storages, and when things were counted."""

    def __init__(self, url):
        self.clock = FakeClock()
        memory = Windows(clock=self.clock)
        shared, _ = redis_counters(url, self.clock)
        self.storages = memory, shared
        self.counted_at = self.clock.now().timestamp()

    def hit(self, amount):
        self.counted_at = self.clock.now().timestamp()
        return [
            each.acquire_sliding_window_entry(KEY, LIMIT, SECONDS, amount)
            for each in self.storages
        ]

    def more(self, amount):
        return [
            each.correct(KEY, SECONDS, amount, self.counted_at)
            for each in self.storages
        ]

    def less(self, amount):
        return self.more(-amount)

    def wait(self, seconds):
        self.clock.advance(seconds)

    def told(self):
        return [each.get_sliding_window(KEY, SECONDS) for each in self.storages]


@given(steps=STEPS)
def test_redis_counts_as_memory_does(redis_server, steps):
    redis_server.client().flushdb()
    both = Both(redis_server.url())

    for step, value in steps:
        memory, shared = getattr(both, step)(value) or (None, None)
        assert memory == shared, (step, value)
        memory, shared = both.told()
        assert memory == shared, (step, value)


def test_the_mirror_sees_what_was_counted(redis_url, fake_clock):
    one, mirror = redis_counters(redis_url, fake_clock)
    other, _ = redis_counters(redis_url, fake_clock)
    started_at = int(fake_clock.now().timestamp())

    other.acquire_sliding_window_entry(KEY, 10, SECONDS, 4)
    one.acquire_sliding_window_entry(KEY, 10, SECONDS, 5)

    assert mirror.window(KEY, SECONDS) == Window(started_at, 9)
    one.clear_sliding_window(KEY, SECONDS)
    assert mirror.window(KEY, SECONDS) is None
    assert one.get(KEY) == 0


def test_what_is_over_is_forgotten_by_redis_itself(redis_url, redis_server, fake_clock):
    counters, _ = redis_counters(redis_url, fake_clock)

    assert counters.incr(KEY, SECONDS, 3) == 3

    (key,) = redis_server.client().keys()
    assert key == b"flaskllm:limits:tokens/principal"
    assert 0 < redis_server.client().ttl(key) <= 2 * SECONDS
    left = counters.get_expiry(KEY) - fake_clock.now().timestamp()
    assert 0 < left <= 2 * SECONDS
    assert counters.forget_expired() == 0
    assert counters.reset() == 1
    assert counters.reset() == 0
    assert counters.check()
