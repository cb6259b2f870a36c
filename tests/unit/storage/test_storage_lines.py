"""Who waits for a place gets one in the order of arrival, or is told."""

import signal
import threading

import pytest

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.storage.lines import Line


@pytest.fixture(params=[1, 3])
def places(request):
    """How many may be inside at a time."""
    return request.param


def wait_until(condition):
    """Return when the condition holds."""
    moment = threading.Event()
    while not condition():
        moment.wait(0.001)


def fill(line, places):
    for _ in range(places):
        line.__enter__()


def test_threads_come_in_in_the_order_they_came(places):
    line, order = Line(places, 60, "full"), []

    def come(name):
        with line:
            order.append(name)

    fill(line, places)
    threads = [threading.Thread(target=come, args=(name,)) for name in "abcd"]
    for number, thread in enumerate(threads, start=1):
        thread.start()
        wait_until(lambda until=number: len(line._waiting) == until)
    line.__exit__()
    for thread in threads:
        thread.join()

    assert order == [*"abcd"]


def test_never_more_are_inside_than_there_are_places(places):
    line, inside, most = Line(places, 60, "full"), [], []

    def come():
        for _ in range(50):
            with line:
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(most) == 400
    assert max(most) <= places


def test_an_error_inside_gives_the_place_to_the_next(places):
    line = Line(places, 0.01, "full")

    def fail():
        with line:
            raise KeyError("ours")

    for _ in range(places + 1):
        with pytest.raises(KeyError):
            fail()


def test_who_waits_too_long_is_told_and_leaves_the_line(places):
    line = Line(places, 0.01, "It is full.")
    fill(line, places)

    with pytest.raises(ServiceUnavailable) as refused:
        line.__enter__()

    assert refused.value.details == "It is full."
    assert refused.value.retry_after_seconds == 1
    line.__exit__()
    with line:
        pass


def test_who_is_stopped_while_it_waits_holds_nobody_up(places):
    """As by Ctrl-C, or by a host that ends a request."""

    def stop(_number, _frame):
        raise KeyboardInterrupt

    line = Line(places, 60, "full")
    fill(line, places)
    before = signal.signal(signal.SIGUSR1, stop)
    pid = threading.main_thread().ident
    stopping = threading.Thread(
        target=lambda: (
            wait_until(lambda: line._waiting),
            signal.pthread_kill(pid, signal.SIGUSR1),
        )
    )
    stopping.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            line.__enter__()
    finally:
        stopping.join()
        signal.signal(signal.SIGUSR1, before)

    assert not line._waiting


def test_a_place_that_comes_at_the_last_moment_is_passed_on(places):
    """The wait is over; before the thread can leave the line it has the place."""
    line = Line(places, 0.01, "full")
    fill(line, places)
    late = threading.Lock()
    late.acquire()
    line._waiting.append(late)

    line.__exit__()
    line._give_up(late)

    with line:
        pass
