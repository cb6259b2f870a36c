"""How large a request is, and which deployments it fits as far as that is known."""

from collections.abc import Sequence

from flaskllm.core.errors import LLMContextTooLong
from flaskllm.llm.known_models import family_of
from flaskllm.llm.token_weights import Family
from flaskllm.llm.tokens import estimate, estimate_request, room_tokens
from flaskllm.llm.types import CompletionRequest, Deployment, EmbeddingRequest


class Sizes:
    """How many tokens a request takes, counted once for each kind of tokenizer."""

    def __init__(self, request: CompletionRequest | EmbeddingRequest) -> None:
        """Count nothing yet: most requests are never measured."""
        self._request = request
        self._counted: dict[Family, int] = {}

    def of(self, deployment: Deployment) -> int:
        """Return about how many tokens of input it is for the deployment's model."""
        family = family_of(deployment.model)
        if family not in self._counted:
            self._counted[family] = self._count(family)
        return self._counted[family]

    def _count(self, family: Family) -> int:
        request = self._request
        if isinstance(request, CompletionRequest):
            return estimate_request(request, family)
        return sum(
            estimate(each, family) if isinstance(each, str) else len(each)
            for each in request.inputs
        )


def fits(
    deployments: Sequence[Deployment], request: CompletionRequest, sizes: Sizes
) -> tuple[bool, ...]:
    """Tell of each deployment whether the input fits; an unknown window fits all."""
    rooms = ((each, room_tokens(each, request)) for each in deployments)
    return tuple(room is None or sizes.of(each) <= room for each, room in rooms)


def too_long(
    too_small: Sequence[Deployment], request: CompletionRequest, sizes: Sizes
) -> LLMContextTooLong:
    """Return the error that tells the size, and the room of the largest window."""
    largest = max(too_small, key=lambda deployment: deployment.context_window or 0)
    return LLMContextTooLong(
        details=f"The input is about {sizes.of(largest)} tokens; the largest "
        f"context window is {largest.context_window} tokens, which leaves "
        f"{room_tokens(largest, request)} for the input. Shorten the input, or name a "
        "model with a longer window.",
    )
