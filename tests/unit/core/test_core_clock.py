"""Time is aware and goes forward; a deadline knows what is left."""

from datetime import UTC

import pytest
from fakes import FakeClock

from flaskllm.core.clock import Deadline, SystemClock


def test_the_wall_clock_is_aware_and_in_utc():
    assert SystemClock().now().tzinfo is UTC


def test_the_monotonic_clock_goes_forward_while_we_sleep():
    clock = SystemClock()
    before = clock.monotonic()

    clock.sleep(0.001)

    assert clock.monotonic() - before >= 0.001


@pytest.mark.parametrize(
    ("passed_seconds", "remaining_seconds", "is_over"),
    [(0, 5.0, False), (4.5, 0.5, False), (5, 0.0, True), (90, 0.0, True)],
)
def test_what_remains_is_never_below_zero(passed_seconds, remaining_seconds, is_over):
    clock = FakeClock()
    deadline = Deadline.after(5.0, clock)

    clock.advance(passed_seconds)

    assert deadline.remaining_seconds() == remaining_seconds
    assert deadline.passed() is is_over


def test_a_deadline_within_a_time_is_the_earlier_of_the_two():
    clock = FakeClock()
    deadline = Deadline.after(10.0, clock)

    assert deadline.within(4.0).remaining_seconds() == 4.0
    assert deadline.within(40.0).remaining_seconds() == 10.0
    assert deadline.within(None) is deadline
