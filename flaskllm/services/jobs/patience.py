"""What a job waits for, where somebody who waits for an answer would be refused."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from flaskllm.core.clock import Clock, Deadline
from flaskllm.core.errors import RateLimitExceeded, ServiceUnavailable
from flaskllm.llm.types import Answer, Call, CompletionRequest
from flaskllm.services.completions import Completions
from flaskllm.storage.job_runs import Begun

_LIMIT_WAIT_SECONDS: Final = 30.0
_USUAL_LIMIT_WAIT_SECONDS: Final = 1.0
_STORE_WAITS_SECONDS: Final = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class PatientCompletions(Completions):
    """Waits up to 30 s where the limits of the principal are used up.

    Otherwise those of its jobs that wait would be begun and given back in turns. It
    waits outside the router: no deployment's place is taken meanwhile.
    """

    def complete(self, request: CompletionRequest, call: Call) -> Answer:
        """Return a whole answer."""
        waited = 0.0
        while True:
            try:
                return Completions.complete(self, request, call)
            except RateLimitExceeded as error:
                seconds = error.retry_after_seconds or _USUAL_LIMIT_WAIT_SECONDS
                waited += seconds
                left = min(_LIMIT_WAIT_SECONDS, call.deadline.remaining_seconds())
                if waited > left:
                    raise
                call.wait(seconds)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A clock that stands: `tomorrow` counts from when a document arrived."""

    at: datetime
    clock: Clock

    def now(self) -> datetime:
        """Return when it arrived."""
        return self.at

    def monotonic(self) -> float:
        """Return seconds that go on."""
        return self.clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        self.clock.sleep(seconds)


def time_left(clock: Clock, begun: Begun) -> Deadline:
    """Return a job's deadline by our clock: that of the store says what is left."""
    deadline_at = begun.job.deadline_at
    left = (deadline_at - begun.now).total_seconds() if deadline_at else 0.0
    return Deadline.after(left, clock)


def insist(clock: Clock, function: Callable[[], _Result]) -> _Result:
    """Return what a function does with the store, once the store works.

    It is for what was paid and is not kept yet: that would be paid again. The store
    is asked every ten seconds at least.

    Raises:
        ServiceUnavailable: What does not pass by itself, such as a master secret that
            is not known, after seven attempts.
    """
    failures = 0
    while True:
        try:
            return function()
        except ServiceUnavailable as error:
            passes = error.retry_after_seconds is not None
            if not passes and failures >= len(_STORE_WAITS_SECONDS):
                raise
            place = min(failures, len(_STORE_WAITS_SECONDS) - 1)
            clock.sleep(_STORE_WAITS_SECONDS[place])
            failures += 1
