"""Several questions at once: as many as allowed, and fewer where a limit says so."""

import contextvars
import threading
from dataclasses import replace

import pytest
from digest_fakes import call as make_call
from fakes import FakeClock
from no_threads import no_threads

from flaskllm.core.clock import Deadline
from flaskllm.core.errors import (
    CallerGone,
    LLMRateLimited,
    LLMUnavailable,
    RateLimitExceeded,
    ServiceUnavailable,
)
from flaskllm.llm.types import Attempt, Deployment, Outcome, Usage
from flaskllm.services.digests.mapping import one_at_a_time, run_all

ATTEMPT = Attempt(1, "fast", Deployment("small", "box", "vllm", "m"))
WHOSE = contextvars.ContextVar("whose", default="nobody")


def a_call(clock=None, seconds=100.0):
    clock = clock or FakeClock()
    return replace(
        make_call(), deadline=Deadline.after(seconds, clock), wait=clock.sleep
    )


def failing_once(error, result):
    errors = [error]

    def function():
        if errors:
            raise errors.pop()
        return result

    return function


def test_results_stand_in_the_order_of_the_questions():
    functions = [lambda n=n: n for n in range(20)]

    assert run_all(functions, 4, a_call()) == list(range(20))


def test_so_many_run_at_once_and_no_more():
    meeting, lock, running, most = threading.Barrier(3), threading.Lock(), [0], [0]

    def function():
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        meeting.wait(timeout=5)  # breaks unless three are here
        with lock:
            running[0] -= 1

    run_all([function] * 9, 3, a_call())

    assert most == [3]


def test_one_at_a_time_needs_no_thread():
    threads = run_all([threading.get_ident] * 3, 1, a_call())

    assert set(threads) == {threading.get_ident()}


def test_threads_know_whose_request_it_is():
    token = WHOSE.set("anna")
    try:
        assert run_all([WHOSE.get] * 4, 2, a_call()) == ["anna"] * 4
    finally:
        WHOSE.reset(token)


def test_the_first_failure_is_told_and_nothing_is_begun_after_it():
    begun = []

    def fail():
        raise LLMUnavailable(details="Nobody listens.")

    with pytest.raises(LLMUnavailable):
        run_all([fail, fail, *[lambda: begun.append(1)] * 20], 2, a_call())

    assert len(begun) < 20


@pytest.mark.parametrize("error", [RateLimitExceeded, LLMRateLimited])
@pytest.mark.parametrize("at_once", [1, 3])
def test_what_a_limit_refuses_is_asked_again(error, at_once):
    clock = FakeClock()
    refused = failing_once(error(retry_after_seconds=2.0), "late")

    results = run_all([refused, lambda: "b", lambda: "c"], at_once, a_call(clock))

    assert results == ["late", "b", "c"]
    if at_once == 1:
        assert sum(clock.slept) == pytest.approx(2.0)


def test_a_limit_that_lasts_is_waited_for_a_minute_at_most():
    clock = FakeClock()

    def refuse():
        raise RateLimitExceeded(retry_after_seconds=25.0)

    with pytest.raises(RateLimitExceeded):
        run_all([refuse], 4, a_call(clock))

    assert sum(clock.slept) == pytest.approx(50.0)


def test_a_limit_beyond_the_deadline_is_not_waited_for():
    clock = FakeClock()

    def refuse():
        raise RateLimitExceeded(retry_after_seconds=25.0)

    with pytest.raises(RateLimitExceeded):
        run_all([refuse], 1, a_call(clock, seconds=10.0))

    assert clock.slept == []


def test_nobody_waits_for_a_limit_when_the_caller_is_gone(monkeypatch):
    call = replace(a_call(), caller=object())
    monkeypatch.setattr(
        "flaskllm.services.digests.mapping.has_hung_up", lambda caller: True
    )

    with pytest.raises(CallerGone):
        run_all([failing_once(RateLimitExceeded(), 1)], 1, call)


def test_who_hears_of_attempts_hears_one_by_one():
    inside, overlaps = threading.Lock(), []

    def hear(*_):
        if not inside.acquire(blocking=False):
            overlaps.append(1)
            return
        threading.Event().wait(0.002)
        inside.release()

    call = one_at_a_time(replace(a_call(), before=hear, after=lambda *_: None))
    run_all([lambda: call.before(ATTEMPT)] * 8, 8, call)
    call = one_at_a_time(replace(a_call(), before=hear, after=hear))
    outcome = Outcome("OK", 1.0, Usage())
    run_all([lambda: call.after(ATTEMPT, outcome)] * 8, 8, call)

    assert overlaps == []


def test_without_a_thread_it_fails_in_words_and_what_waited_is_not_asked():
    asked = []

    with no_threads(), pytest.raises(ServiceUnavailable):
        run_all([lambda: asked.append(1)] * 3, 2, a_call())

    assert asked == []


def test_a_thread_too_few_ends_it_once_those_that_run_have_ended(monkeypatch):
    asked, begun, may_end = [], [], threading.Event()
    really_start = threading.Thread.start

    def start(thread):
        if begun:
            may_end.set()
            raise RuntimeError("can't start new thread")
        begun.append(thread)
        really_start(thread)

    def first():
        assert may_end.wait(5)
        asked.append("first")

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(ServiceUnavailable):
        run_all([first, lambda: asked.append("second")], 2, a_call())

    assert asked == ["first"]
