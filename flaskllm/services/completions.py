"""Completions: everybody who wants a model comes through here."""

from collections.abc import Callable
from dataclasses import dataclass

from flaskllm.llm.router import Router
from flaskllm.llm.streaming import StreamAnswer
from flaskllm.llm.types import (
    Answer,
    Call,
    CompletionRequest,
    EmbeddingAnswer,
    EmbeddingRequest,
)


@dataclass(frozen=True, slots=True)
class Completions:
    """Asks models. `router` gives the router of the settings as they stand now.

    What each use raises: ModelNotFound and InvalidInputError for a request that
    nothing can answer; LLMAPIError when no deployment could, whose `retryable`
    tells whether the same request may succeed later; CallerGone when nobody waits
    any more.
    """

    router: Callable[[], Router]

    def complete(self, request: CompletionRequest, call: Call) -> Answer:
        """Return a whole answer."""
        return self.router().complete(request, call)

    def stream(self, request: CompletionRequest, call: Call) -> StreamAnswer:
        """Return a streamed answer whose first token is there; close it."""
        return self.router().stream(request, call)

    def embed(self, request: EmbeddingRequest, call: Call) -> EmbeddingAnswer:
        """Return a vector for each input."""
        return self.router().embed(request, call)
