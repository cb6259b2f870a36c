"""Completions: everybody who wants a model comes through here."""

from collections.abc import Callable
from dataclasses import dataclass

from flaskllm.llm.router import Router
from flaskllm.llm.types import Answer, Call, CompletionRequest


@dataclass(frozen=True, slots=True)
class Completions:
    """Asks models. `router` gives the router of the settings as they stand now."""

    router: Callable[[], Router]

    def complete(self, request: CompletionRequest, call: Call) -> Answer:
        """Return a whole answer.

        Raises:
            InvalidInputError: The model is unknown.
            LLMAPIError: No deployment could answer; `retryable` tells whether
                the same request may succeed later.
            CallerGone: Nobody waits for the answer any more.
        """
        return self.router().complete(request, call)
