"""Which deployments an input fits, as far as their windows are known."""

from collections.abc import Sequence

from flaskllm.core.errors import LLMContextTooLong
from flaskllm.llm.known_models import family_of
from flaskllm.llm.token_weights import Family
from flaskllm.llm.tokens import estimate_request, room_tokens
from flaskllm.llm.types import CompletionRequest, Deployment


def fits(
    deployments: Sequence[Deployment], request: CompletionRequest
) -> tuple[bool, ...]:
    """Tell of each deployment whether the input fits; an unknown window fits all."""
    needed = _Sizes(request)
    rooms = ((each, room_tokens(each, request)) for each in deployments)
    return tuple(room is None or needed.of(each) <= room for each, room in rooms)


def too_long(
    too_small: Sequence[Deployment], request: CompletionRequest
) -> LLMContextTooLong:
    """Return the error that tells the size, and the room of the largest window."""
    largest = max(too_small, key=lambda deployment: deployment.context_window or 0)
    return LLMContextTooLong(
        details=f"The input is about {_Sizes(request).of(largest)} tokens; the largest "
        f"context window is {largest.context_window} tokens, which leaves "
        f"{room_tokens(largest, request)} for the input. Shorten the input, or name a "
        "model with a longer window.",
    )


class _Sizes:
    """How many tokens a request takes, counted once for each kind of tokenizer."""

    def __init__(self, request: CompletionRequest) -> None:
        self._request = request
        self._counted: dict[Family, int] = {}

    def of(self, deployment: Deployment) -> int:
        family = family_of(deployment.model)
        if family not in self._counted:
            self._counted[family] = estimate_request(self._request, family)
        return self._counted[family]
