"""One request on its way through its candidates.

Tenacity calls after a failed turn, in this order, `retry`, `after`, `wait` and
`stop`, then sleeps. So `after` asks `llm/retry.py` once, and `wait` and `stop` only
read what it decided.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import TypeVar

from tenacity import RetryCallState, Retrying

from flaskllm.core.errors import APIError
from flaskllm.llm import decisions, retry
from flaskllm.llm.health import Visit
from flaskllm.llm.history import Failure, History
from flaskllm.llm.line import Line, Turned
from flaskllm.llm.lineup import Candidate, Lineup
from flaskllm.llm.obstacles import error_of
from flaskllm.llm.order import Order
from flaskllm.llm.patience import Policy, hint_seconds
from flaskllm.llm.places import Places
from flaskllm.llm.telling import telling
from flaskllm.llm.types import Call
from flaskllm.net.callers import has_sent_more

# So soon a caller who hangs up while we wait is noticed.
_LOOK_EVERY_SECONDS = 0.25

_Result = TypeVar("_Result")


class Walk:
    """What was tried for one request, and what comes next.

    Attributes:
        call, lineup: What travels down with the request, and whom it may go to.
        current: Whose turn it is.
        may_continue: See `History.may_continue`.
        rescue_note: What is said as the decision instead, when not empty.
    """

    def __init__(
        self,
        lineup: Lineup,
        call: Call,
        policy: Policy,
        random: Random,
        order: Order,
        places: Places,
    ) -> None:
        """Begin with the first candidate of the line-up.

        Raises:
            LLMAPIError: There is no candidate; the error says why.
        """
        if not lineup.candidates:
            raise telling(lineup.objections)
        self.call = call
        self.lineup = lineup
        self._policy = policy
        self._random = random
        self._is_local = places.is_local
        self._line = Line(lineup, order, places, call.deadline.clock)
        self._failures: list[Failure] = []
        self._retried: list[str] = []
        self._had_last_resort = False
        self._move: retry.Decision = retry.Ask(self._line.first.name)
        self.current: Candidate = self._line.first
        self.may_continue = False
        self.rescue_note = ""
        self._decision = self._line.decision

    @property
    def number(self) -> int:
        """Return the number of the present attempt, from 1."""
        return len(self._failures) + 1

    @property
    def decision(self) -> str:
        """Return why it is the present candidate's turn, see `decisions`."""
        return self.rescue_note or self._decision

    @property
    def patience_seconds(self) -> float:
        """Return how long the present candidate may be silent, by its time-outs."""
        timeouts = self.current.deployment.timeouts
        if self.lineup.streams:
            return timeouts.first_byte_seconds
        return timeouts.answer_seconds

    @property
    def failures(self) -> tuple[str, ...]:
        """Return the codes of what was in the way so far, each once.

        Of deployments that were left out, that could not be asked, that failed.
        """
        blocked = (
            error_of({each.name: each.obstacle})
            for each in self._line.untried
            if each.obstacle
        )
        attempts = (failure.error for failure in self._failures)
        errors = (*self.lineup.objections, *blocked, *attempts)
        return tuple(dict.fromkeys(error.code for error in errors))

    @property
    def has_elsewhere(self) -> bool:
        """Tell whether an upstream is left that was not asked and may be asked now."""
        return self._line.has_elsewhere

    @property
    def rescue(self) -> str:
        """Return what the present candidate's route does when its stream breaks off."""
        return self.lineup.routes[self.current.alias].rescue

    def enter(self) -> Visit | None:
        """Return the place taken at the present candidate; None where it needs none.

        Raises:
            Turned: It may not be asked now.
        """
        move = self._move
        as_last_resort = isinstance(move, retry.Ask) and move.as_last_resort
        return self._line.enter(self.current, as_last_resort=as_last_resort)

    def run(self, attempts: Iterator[Callable[[], _Result]]) -> _Result:
        """Return what the first attempt that succeeds brings.

        It is a loop of its own each time: what tenacity counts belongs to a thread.

        Raises:
            LLMAPIError: No attempt succeeded, and none is left to make.
            CallerGone: Nobody waits for the answer any more.
        """
        loop = Retrying(
            retry=_may_go_on,
            after=self._decide,
            wait=self._wait_seconds,
            stop=self._is_over,
            sleep=self._sleep,
            retry_error_callback=self._give_up,
        )
        turns = iter(loop)
        while True:
            turn = next(turns)  # raises what ends the walk
            # Not `with turn`: that would keep the result as well, at some cost.
            try:
                return next(attempts)()
            except BaseException as error:
                turn.retry_state.set_exception((type(error), error, None))

    def _decide(self, state: RetryCallState) -> None:
        """Record what went wrong, decide, and move to whom was decided on."""
        error = _error(state)
        now_seconds = self.call.deadline.clock.monotonic()
        if isinstance(error, APIError):
            failure = Failure(self.current.name, error, now_seconds)
            self._failures.append(failure)
            move = retry.decide(error, self._history(now_seconds), self._policy)
            if retry.is_due_again(failure, self._retried):
                self._line.count_if_held_back(failure.deployment)
        else:
            move = retry.begin(self._history(now_seconds), self._policy)
        self._move = move
        if not isinstance(move, retry.GiveUp):
            self._go(move)

    def _wait_seconds(self, state: RetryCallState) -> float:
        """Return how long to wait before the next attempt."""
        move = self._move
        return move.wait_seconds if isinstance(move, retry.Retry) else 0.0

    def _is_over(self, state: RetryCallState) -> bool:
        """Tell whether no attempt follows."""
        return isinstance(self._move, retry.GiveUp)

    def _sleep(self, seconds: float) -> None:
        """Return after the wait; most moves do not wait at all.

        Raises:
            CallerGone: The caller hung up meanwhile.
        """
        caller = self.call.caller
        while caller is not None and seconds > _LOOK_EVERY_SECONDS:
            self.call.wait(_LOOK_EVERY_SECONDS)
            has_sent_more(caller)
            seconds -= _LOOK_EVERY_SECONDS
        if seconds > 0.0:
            self.call.wait(seconds)

    def _give_up(self, state: RetryCallState) -> None:
        """Raise the error that tells most, with a hint when to come back."""
        assert isinstance(self._move, retry.GiveUp)  # _is_over has seen to it
        error = self._move.error
        error.retry_after_seconds = hint_seconds(error, self._policy)
        raise error

    def _go(self, move: retry.Ask | retry.Retry) -> None:
        self.current = self._line[move.deployment]
        if isinstance(move, retry.Retry):
            self._retried.append(move.deployment)
        elif move.as_last_resort:
            self._had_last_resort = True
        code = self._failures[-1].error.code if self._failures else ""
        self._decision = decisions.after(
            self._verb(move), code, self.current, self._line.untried
        )

    def _verb(self, move: retry.Ask | retry.Retry) -> str:
        if isinstance(move, retry.Retry):
            return "retry" if self._line.was_tried(move.deployment) else "wait"
        if move.as_last_resort:
            return "last resort"
        alias = self.current.alias
        own = self._line.first.alias
        return "next" if alias == own else f"fallback {alias}"

    def _history(self, now_seconds: float) -> History:
        remaining_seconds = self.call.deadline.remaining_seconds()
        return History(
            options=self._line.options(),  # first: it puts the untried in order
            untried=tuple(
                each.name
                for each in self._line.untried
                if remaining_seconds > 0.0 or self._is_local(each.deployment)
            ),
            now_seconds=now_seconds,
            remaining_seconds=remaining_seconds,
            draw=self._random.random(),
            failures=tuple(self._failures),
            objections=self.lineup.objections,
            retried=tuple(self._retried),
            had_last_resort=self._had_last_resort,
            may_continue=self.may_continue,
            is_rescue=bool(self.rescue_note),
        )


def _may_go_on(state: RetryCallState) -> bool:
    """Tell whether there is something to decide: an error of our tree.

    Anything else is a fault of ours and leaves the loop as it is.
    """
    return isinstance(_error(state), APIError | Turned)


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
