"""One attempt and its bill: announced before it is made, told once when it ended."""

from collections.abc import Mapping

from flaskllm.core.errors import APIError, LLMAPIError
from flaskllm.llm.known_models import family_of
from flaskllm.llm.tokens import estimate, estimate_request
from flaskllm.llm.types import Attempt, Call, CompletionRequest, Outcome, Usage

_NOTHING = Usage()


class Settlement:
    """Tells `call.after` how an attempt ended, exactly once.

    Attributes:
        attempt: The attempt.
        malformed: How many events of its stream were skipped so far.
        rate_limits: The headers in which its upstream told its rate limits.
    """

    def __init__(self, attempt: Attempt, call: Call) -> None:
        """Announce the attempt; what `call.before` raises forbids it."""
        call.before(attempt)
        self.attempt = attempt
        self.malformed = 0
        self.rate_limits: Mapping[str, str] = {}
        self._call = call
        self._clock = call.deadline.clock
        self._started_seconds = self._clock.monotonic()
        self._first_token_seconds: float | None = None
        self._is_told = False

    @property
    def elapsed_seconds(self) -> float:
        """Return how long the attempt has taken so far."""
        return self._clock.monotonic() - self._started_seconds

    def mark_first_token(self) -> None:
        """Remember that the first token is there now."""
        self._first_token_seconds = self.elapsed_seconds

    def tell(self, code: str, usage: Usage, details: str = "") -> None:
        """Tell how it ended; after the first time this does nothing."""
        if self._is_told:
            return
        self._is_told = True
        outcome = Outcome(
            code,
            self.elapsed_seconds,
            usage,
            details,
            self._first_token_seconds,
            self.malformed,
        )
        self._call.after(self.attempt, outcome)

    def tell_error(self, error: BaseException, usage: Usage = _NOTHING) -> None:
        """Tell that this error ended it."""
        code = error.code if isinstance(error, APIError) else "INTERNAL_ERROR"
        # Errors that are not about a model may repeat the caller's words.
        details = error.details if isinstance(error, LLMAPIError) else ""
        self.tell(code, usage, details)


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
