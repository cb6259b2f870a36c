"""One attempt at a deployment, from its seat to its end."""

from collections.abc import Mapping

from flaskllm.core.clock import Clock
from flaskllm.llm.health.changes import Change
from flaskllm.llm.health.deployment_health import DeploymentHealth
from flaskllm.llm.health.herald import Herald
from flaskllm.llm.health.lessons import Lessons
from flaskllm.llm.health.seats import Seat
from flaskllm.llm.health.verdicts import judge
from flaskllm.llm.rate_limits import told_limits
from flaskllm.llm.types import Usage


class Visit:
    """The seat of one attempt. One thread has it, and ends it exactly once."""

    __slots__ = (
        "_alias",
        "_clock",
        "_health",
        "_herald",
        "_is_over",
        "_lessons",
        "_seat",
    )

    def __init__(
        self,
        health: DeploymentHealth,
        seat: Seat,
        alias: str,
        lessons: Lessons,
        clock: Clock,
        herald: Herald,
    ) -> None:
        """Keep the seat, which is taken already."""
        self._health = health
        self._seat = seat
        self._alias = alias
        self._lessons = lessons
        self._clock = clock
        self._herald = herald
        self._is_over = False

    def heed(self, headers: Mapping[str, str]) -> None:
        """Take in a reply's headers, whatever its status: they tell rate limits.

        Args:
            headers: Their names in lower case.
        """
        told = told_limits(headers, self._clock.now())
        self._health.heed(self._seat, told, self._clock.monotonic())

    def first_token(self, seconds: float) -> None:
        """Take in that a stream's first token came after so many seconds.

        A probe has succeeded with it.
        """
        changes = self._health.begin(self._seat, seconds, self._clock.monotonic())
        self._tell(changes)

    def end(
        self,
        error: BaseException | None,
        usage: Usage,
        seconds: float,
        *,
        is_callers_fault: bool = False,
    ) -> None:
        """Free the seat; after the first time this does nothing.

        Args:
            error: What ended the attempt; None is a whole answer.
            usage: What it used; where nobody counted, the estimate stays in the
                deployment's tokens per minute.
            seconds: How long it took in all.
            is_callers_fault: The caller ended it, or gave it less time than the
                deployment's own time-outs: its deployment is not to blame.
        """
        if self._is_over:
            return
        self._is_over = True
        now_seconds = self._clock.monotonic()
        verdict = judge(error, is_callers_fault)
        is_counted = usage.source != "none"
        used = usage.tokens_input + usage.tokens_output if is_counted else None
        seat = self._seat
        self._health.provider.listen(not seat.is_waiting, seconds)
        changes = self._health.leave(seat, verdict, error, seconds, used, now_seconds)
        self._herald.leave(seat, used)
        if verdict != "nothing" and self._alias:
            is_success = verdict == "succeeded"
            taken = seat.first_token_seconds if seat.asking.streams else seconds
            self._lessons.learn(
                self._alias,
                self._health.deployment.name,
                is_success,
                taken if is_success else None,
            )
        self._tell(changes)

    def _tell(self, changes: list[Change]) -> None:
        for change in changes:
            self._herald.tell(change, self._health)
