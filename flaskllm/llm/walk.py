"""One request on its way through its candidates.

Tenacity calls after a failed attempt, in this order, `retry`, `after`, `wait` and
`stop`, then sleeps. So `after` asks `retry.decide` once, and `wait` and `stop` only
read what it decided.
"""

from collections.abc import Callable
from random import Random

from tenacity import RetryCallState

from flaskllm.core.errors import APIError
from flaskllm.llm import retry
from flaskllm.llm.candidates import Candidate, Lineup
from flaskllm.llm.types import Call, Deployment
from flaskllm.net.callers import has_sent_more

# So soon a caller who hangs up while we wait is noticed.
_LOOK_EVERY_SECONDS = 0.25


class Walk:
    """What was tried for one request, and what comes next.

    `is_local` tells which deployments need no upstream: those may be asked after
    the deadline too.
    """

    def __init__(
        self,
        lineup: Lineup,
        call: Call,
        policy: retry.Policy,
        random: Random,
        is_local: Callable[[Deployment], bool],
    ) -> None:
        self._candidates = {each.deployment.name: each for each in lineup.candidates}
        self._objections = lineup.objections
        self._call = call
        self._policy = policy
        self._random = random
        self._is_local = is_local
        self._untried = [each.deployment.name for each in lineup.candidates[1:]]
        self._failures: list[retry.Failure] = []
        self._decision: retry.Decision | None = None
        self.current: Candidate = lineup.candidates[0]

    @property
    def number(self) -> int:
        """Return the number of the present attempt, from 1."""
        return len(self._failures) + 1

    @property
    def failures(self) -> tuple[str, ...]:
        """Return the codes of what went wrong so far, each once, in order."""
        attempts = (failure.error for failure in self._failures)
        errors = (*self._objections, *attempts)
        return tuple(dict.fromkeys(error.code for error in errors))

    @property
    def has_elsewhere(self) -> bool:
        """Tell whether an upstream is left that was not asked yet."""
        return any(
            not self._is_local(self._candidates[name].deployment)
            for name in self._untried
        )

    def may_go_on(self, state: RetryCallState) -> bool:
        """Tell whether there is something to decide: an error of our tree.

        Anything else is a fault of ours and leaves the loop as it is.
        """
        return isinstance(_error(state), APIError)

    def decide(self, state: RetryCallState) -> None:
        """Record the failure, decide, and move to the deployment decided on."""
        error = _error(state)
        assert isinstance(error, APIError)  # may_go_on has seen to it
        now_seconds = self._call.deadline.clock.monotonic()
        name = self.current.deployment.name
        self._failures.append(retry.Failure(name, error, now_seconds))
        self._decision = retry.decide(error, self._history(now_seconds), self._policy)
        if isinstance(self._decision, retry.Fallback):
            self._untried.remove(self._decision.deployment)
        if not isinstance(self._decision, retry.GiveUp):
            self.current = self._candidates[self._decision.deployment]

    def wait_seconds(self, state: RetryCallState) -> float:
        """Return how long to wait before the next attempt."""
        decision = self._decision
        return decision.wait_seconds if isinstance(decision, retry.Retry) else 0.0

    def is_over(self, state: RetryCallState) -> bool:
        """Tell whether no attempt follows."""
        return isinstance(self._decision, retry.GiveUp)

    def sleep(self, seconds: float) -> None:
        """Return after the wait; a fallback does not wait at all.

        Raises:
            CallerGone: The caller hung up meanwhile.
        """
        caller = self._call.caller
        while caller is not None and seconds > _LOOK_EVERY_SECONDS:
            self._call.wait(_LOOK_EVERY_SECONDS)
            has_sent_more(caller)
            seconds -= _LOOK_EVERY_SECONDS
        if seconds > 0.0:
            self._call.wait(seconds)

    def give_up(self, state: RetryCallState) -> None:
        """Raise the error that tells most, with a hint when to come back."""
        assert isinstance(self._decision, retry.GiveUp)  # is_over has seen to it
        error = self._decision.error
        error.retry_after_seconds = retry.hint_seconds(error, self._policy)
        raise error

    def _history(self, now_seconds: float) -> retry.History:
        remaining_seconds = self._call.deadline.remaining_seconds()
        return retry.History(
            failures=tuple(self._failures),
            untried=tuple(
                name
                for name in self._untried
                if remaining_seconds > 0.0
                or self._is_local(self._candidates[name].deployment)
            ),
            now_seconds=now_seconds,
            remaining_seconds=remaining_seconds,
            draw=self._random.random(),
            objections=self._objections,
            windows={
                name: candidate.deployment.context_window
                for name, candidate in self._candidates.items()
            },
        )


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
