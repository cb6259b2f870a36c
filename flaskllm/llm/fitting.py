"""How large a request is, and which deployments it fits as far as that is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flaskllm.core.errors import LLMContextTooLong
from flaskllm.llm.known_models import family_of
from flaskllm.llm.token_weights import Family
from flaskllm.llm.tokens import estimate, estimate_request, room_tokens
from flaskllm.llm.types import CompletionRequest, Deployment, EmbeddingRequest


@dataclass(frozen=True, slots=True)
class Room:
    """How many tokens of input a deployment takes, and what bounds them."""

    tokens: int
    bound: Literal["context window", "tokens per minute"]


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

    def room(self, deployment: Deployment) -> Room | None:
        """Return how much the deployment takes; None where nothing is known of that.

        No more than fits its window, and no more than it may be asked in a minute:
        for what is larger its turn would never come.
        """
        request, rooms = self._request, []
        if isinstance(request, CompletionRequest):
            in_window = room_tokens(deployment, request)
            if in_window is not None:
                rooms.append(Room(in_window, "context window"))
        in_a_minute = deployment.limits.tokens_per_minute
        if in_a_minute is not None:
            rooms.append(Room(in_a_minute, "tokens per minute"))
        return min(rooms, key=lambda room: room.tokens, default=None)

    def _count(self, family: Family) -> int:
        request = self._request
        if isinstance(request, CompletionRequest):
            return estimate_request(request, family)
        return sum(
            estimate(each, family) if isinstance(each, str) else len(each)
            for each in request.inputs
        )


def too_long(
    too_small: Sequence[tuple[Deployment, Room]], size: Sizes
) -> LLMContextTooLong:
    """Return the error that tells the size, and the largest room that there is."""
    deployment, room = max(too_small, key=lambda each: each[1].tokens)
    if room.bound == "tokens per minute":
        most = f"at most {room.tokens} tokens a minute may be sent (tokens_per_minute)"
    else:
        most = (
            f"the largest context window is {deployment.context_window} tokens, which "
            f"leaves {room.tokens} for the input"
        )
    return LLMContextTooLong(
        details=f"The input is about {size.of(deployment)} tokens; {most}. Shorten the "
        "input, or name a model with more room.",
    )
