"""Many questions at once: a few at a time, fewer where a limit says so."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import replace
from threading import Lock
from typing import TypeVar

from flaskllm.core.errors import CallerGone, LLMRateLimited, RateLimitExceeded
from flaskllm.llm.types import Attempt, Call, Outcome
from flaskllm.services.background import no_thread
from flaskllm.services.callers import has_hung_up

_Result = TypeVar("_Result")

_USUAL_WAIT_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 60.0
_LOOK_EVERY_SECONDS = 0.5


def one_at_a_time(call: Call) -> Call:
    """Return a call for several threads: those who hear of attempts hear one by one.

    What it tells of keeps its order for each attempt; an attempt that is to be paid
    for may be waited for by others.
    """
    beginning, ending = Lock(), Lock()

    def before(attempt: Attempt) -> None:
        with beginning:
            call.before(attempt)

    def after(attempt: Attempt, outcome: Outcome) -> None:
        with ending:
            call.after(attempt, outcome)

    return replace(call, before=before, after=after)


def run_all(
    functions: Sequence[Callable[[], _Result]],
    at_once: int,
    call: Call,
) -> list[_Result]:
    """Return what the functions return, in their order.

    At most `at_once` run at a time; with 1 they run here, one after the other.
    Where a limit refuses one, it is run again once another has ended, and one fewer
    runs at a time from then on; the last one waits as long as it is told, a minute
    in all.

    Args:
        functions: What to run; it must be safe to run one again that raised.
        at_once: How many threads may run them.
        call: Says how long to wait for a limit, and whether somebody still does.

    Raises:
        CallerGone: Nobody waits for the answer any more.
        Exception: What the first of them raised that failed. None is begun after it,
            and all that were under way have ended.
    """
    results: dict[int, _Result] = {}
    waiting = list(range(len(functions)))
    most = min(at_once, len(functions))
    if most > 1:
        waiting = _run_in_threads(functions, waiting, most, results)
    for number in waiting:
        results[number] = _insist(functions[number], call)
    return [results[number] for number in range(len(functions))]


def _run_in_threads(
    functions: Sequence[Callable[[], _Result]],
    waiting: list[int],
    most: int,
    results: dict[int, _Result],
) -> list[int]:
    """Run functions until one thread would be enough; return which are left."""
    failed: list[BaseException] = []
    running: dict[Future[_Result], int] = {}
    with ThreadPoolExecutor(most, thread_name_prefix="digest") as pool:
        while running or (waiting and most > 1 and not failed):
            while waiting and len(running) < most and not failed and most > 1:
                number = waiting.pop(0)
                # The lines of the log say whose request it is.
                context = copy_context()
                try:
                    future = pool.submit(context.run, functions[number])
                except RuntimeError:  # the system has no thread left
                    # Or another thread would take it up, and nobody what it brings.
                    pool.shutdown(wait=False, cancel_futures=True)
                    failed.append(no_thread())
                else:
                    running[future] = number
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in sorted(ended, key=running.__getitem__):
                number = running.pop(future)
                if future.cancelled():
                    continue
                error = future.exception()
                if error is None:
                    results[number] = future.result()
                elif isinstance(error, RateLimitExceeded | LLMRateLimited):
                    most -= 1
                    waiting.insert(0, number)
                else:
                    failed.append(error)
    if failed:
        raise failed[0]
    return sorted(waiting)


def _insist(function: Callable[[], _Result], call: Call) -> _Result:
    """Return what a function returns, which the limits may put off."""
    waited = 0.0
    while True:
        try:
            return function()
        except (RateLimitExceeded, LLMRateLimited) as error:
            seconds = error.retry_after_seconds or _USUAL_WAIT_SECONDS
            waited += seconds
            left = call.deadline.remaining_seconds()
            if waited > _LONGEST_WAIT_SECONDS or seconds > left:
                raise
            _pause(seconds, call)


def _pause(seconds: float, call: Call) -> None:
    """Wait; a caller who hangs up meanwhile is noticed.

    Raises:
        CallerGone: They did.
    """
    while seconds > 0:
        if has_hung_up(call.caller):
            raise CallerGone
        call.wait(min(seconds, _LOOK_EVERY_SECONDS))
        seconds -= _LOOK_EVERY_SECONDS
