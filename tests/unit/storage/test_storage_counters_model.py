"""Whatever is charged and corrected, and when: no window admits more than its limit."""

from collections import defaultdict

from counter_storages import sql_counters
from fakes import FakeClock
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
)
from limits import RateLimitItemPerMinute
from limits.strategies import SlidingWindowCounterRateLimiter
from rounds import rounds

from flaskllm.core.windows import Windows
from flaskllm.storage.database import Database

LIMIT = RateLimitItemPerMinute(100)
KEY = LIMIT.key_for("p")
SECONDS = 60


class Counting(RuleBasedStateMachine):
    """Two storages on one clock, and the truth: what was charged in which window."""

    charges = Bundle("charges")

    def __init__(self):
        super().__init__()
        self.clock = FakeClock()
        self.database = Database("sqlite://", journal="wal", clock=self.clock)
        memory = Windows(clock=self.clock)
        self.storages = (memory, sql_counters(self.database, self.clock)[0])
        self.limiters = [
            SlidingWindowCounterRateLimiter(each) for each in self.storages
        ]
        self.charged = defaultdict(int)  # by the start of its window
        self.beyond = defaultdict(int)  # what corrections counted without asking

    def teardown(self):
        self.database.close()

    @property
    def now(self):
        return self.clock.now().timestamp()

    @property
    def window(self):
        return self.now // SECONDS

    @rule(target=charges, amount=st.integers(1, 120))
    def charge(self, amount):
        before = self.charged[self.window - 1]
        left = SECONDS - self.now % SECONDS
        counted = self.charged[self.window] + before * left / SECONDS
        fits = int(counted) + amount <= LIMIT.amount

        said = [each.hit(LIMIT, "p", cost=amount) for each in self.limiters]

        assert said == [fits, fits]
        if not fits:
            return multiple()
        self.charged[self.window] += amount
        return self.now, amount

    @rule(charge=charges, part=st.floats(0, 1))
    def give_back(self, charge, part):
        at, amount = charge
        back = int(amount * part)

        self.correct(-back, at)

        window = at // SECONDS
        self.charged[window] = max(0, self.charged[window] - back)

    @rule(charge=charges, more=st.integers(1, 50))
    def overshoot(self, charge, more):
        self.correct(more, charge[0])

        self.charged[self.window] += more
        self.beyond[self.window] += more

    @rule(seconds=st.sampled_from([0.5, 7, 30, 59.5, 60, 125]))
    def wait(self, seconds):
        self.clock.advance(seconds)

    @precondition(lambda self: self.charged[self.window])
    @rule()
    def wait_until_there_is_room(self):
        window = self.storages[0].window(KEY, SECONDS)
        seconds = window.room_in_seconds(1, LIMIT.amount, self.now, SECONDS)

        self.clock.advance(seconds)

        assert all(each.test(LIMIT, "p") for each in self.limiters)

    @invariant()
    def the_storages_tell_the_truth(self):
        truth = (self.charged[self.window - 1], self.charged[self.window])
        for storage in self.storages:
            previous, _, present, _ = storage.get_sliding_window(KEY, SECONDS)
            assert (previous, present) == truth

    @invariant()
    def no_window_admitted_more_than_the_limit(self):
        for window, count in self.charged.items():
            assert 0 <= count <= LIMIT.amount + self.beyond[window]

    def correct(self, amount, at):
        for storage in self.storages:
            storage.correct(KEY, SECONDS, amount, at)


Counting.TestCase.settings = settings(
    max_examples=rounds(25, 60), stateful_step_count=40, deadline=None
)
TestCounting = Counting.TestCase
