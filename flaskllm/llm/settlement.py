"""One attempt and its bill: announced before it is made, told once when it ended."""

import math
from collections.abc import Mapping

from flaskllm.core.errors import APIError, CallerGone, LLMAPIError, LLMTimeout
from flaskllm.llm.health import Visit
from flaskllm.llm.known_models import family_of
from flaskllm.llm.rate_limits import rate_limits_of
from flaskllm.llm.tokens import estimate, estimate_request
from flaskllm.llm.types import Attempt, Call, CompletionRequest, Outcome, Usage

_NOTHING = Usage()


class Settlement:
    """Tells `call.after` and the deployment's health how an attempt ended, once.

    Attributes:
        attempt: The attempt.
        malformed: How many events of its stream were skipped so far.
        rate_limits: The headers in which its upstream told its rate limits.
    """

    def __init__(
        self,
        attempt: Attempt,
        call: Call,
        visit: Visit | None = None,
        patience_seconds: float = math.inf,
    ) -> None:
        """Announce the attempt; what `call.before` raises forbids it.

        Args:
            attempt: The attempt.
            call: Who is told.
            visit: The place that was taken for it; None where none is needed.
            patience_seconds: So long the deployment may be silent by its own
                time-outs. A request that ends sooner has not waited for it.
        """
        self.attempt = attempt
        self.malformed = 0
        self.rate_limits: Mapping[str, str] = {}
        self._call = call
        self._visit = visit
        self._patience_seconds = patience_seconds
        self._clock = call.deadline.clock
        self._started_seconds = self._clock.monotonic()
        self._first_token_seconds: float | None = None
        self._is_told = False
        try:
            call.before(attempt)
        except BaseException as error:
            # It was never asked: its place is free again, and it has done no wrong.
            self._leave(error, _NOTHING, is_callers_fault=True)
            raise

    @property
    def elapsed_seconds(self) -> float:
        """Return how long the attempt has taken so far."""
        return self._clock.monotonic() - self._started_seconds

    def heed(self, headers: Mapping[str, str]) -> None:
        """Take in what a reply's headers tell of rate limits, whatever its status."""
        self.rate_limits = rate_limits_of(headers)
        if self._visit is not None:
            self._visit.heed(headers)

    def mark_first_token(self) -> None:
        """Remember that the first token is there now."""
        seconds = self._first_token_seconds = self.elapsed_seconds
        if self._visit is not None:
            self._visit.first_token(seconds)

    def tell(self, code: str, usage: Usage, details: str = "") -> None:
        """Tell how it ended, well or by the caller; again it does nothing."""
        error = None if code == "OK" else CallerGone()
        self._end(code, usage, details, error)

    def tell_error(self, error: BaseException, usage: Usage = _NOTHING) -> None:
        """Tell that this error ended it."""
        code = error.code if isinstance(error, APIError) else "INTERNAL_ERROR"
        # Errors that are not about a model may repeat the caller's words.
        details = error.details if isinstance(error, LLMAPIError) else ""
        self._end(code, usage, details, error)

    def _end(
        self, code: str, usage: Usage, details: str, error: BaseException | None
    ) -> None:
        if self._is_told:
            return
        self._is_told = True
        self._leave(error, usage, is_callers_fault=self._is_callers_fault(error))
        outcome = Outcome(
            code,
            self.elapsed_seconds,
            usage,
            details,
            self._first_token_seconds,
            self.malformed,
        )
        self._call.after(self.attempt, outcome)

    def _leave(
        self, error: BaseException | None, usage: Usage, *, is_callers_fault: bool
    ) -> None:
        if self._visit is not None:
            self._visit.end(
                error, usage, self.elapsed_seconds, is_callers_fault=is_callers_fault
            )

    def _is_callers_fault(self, error: BaseException | None) -> bool:
        """Tell whether it was the request that left no time, or was left itself.

        Once a token is there a silence that is too long ends the attempt before its
        deadline does; until then the deployment's own patience tells.
        """
        if not isinstance(error, LLMTimeout):
            return isinstance(error, CallerGone)
        if not self._call.deadline.passed():
            return False
        had_token = self._first_token_seconds is not None
        return had_token or self.elapsed_seconds < self._patience_seconds


def estimate_answer(request: CompletionRequest, output: str, model: str) -> Usage:
    """Return the usage of an answer whose upstream did not count it well.

    Args:
        request: What was asked.
        output: All that the model wrote.
        model: The upstream's name for it, for the tokenizer that it is known to have.
    """
    family = family_of(model)
    return Usage(
        input_uncached=estimate_request(request, family),
        output_text=estimate(output, family),
        source="estimated",
    )
