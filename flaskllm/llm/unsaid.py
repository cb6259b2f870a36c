"""What upstreams leave unsaid of their answers, filled in."""

from dataclasses import replace

from flaskllm.core.errors import LLMProtocolError
from flaskllm.llm.settlement import estimate_answer
from flaskllm.llm.tokens import estimate
from flaskllm.llm.types import (
    Completion,
    CompletionRequest,
    Deployment,
    EmbeddingRequest,
    Embeddings,
    Usage,
)


def filled_in(
    completion: Completion, request: CompletionRequest, deployment: Deployment
) -> Completion:
    """Fill in what the upstream left out: its name, and a count that we can trust."""
    usage = completion.usage
    if usage.source == "none":
        said = (
            completion.text,
            completion.refusal or "",
            *(thought.text for thought in completion.thinking),
            *(call.name + call.arguments for call in completion.tool_calls),
        )
        usage = estimate_answer(request, "".join(said), deployment.model)
    return replace(completion, usage=usage, model=completion.model or deployment.model)


def counted(
    embeddings: Embeddings, request: EmbeddingRequest, deployment: Deployment
) -> Embeddings:
    """Fill in what the upstream left out.

    Raises:
        LLMProtocolError: There is not one vector for each input.
    """
    if len(embeddings.vectors) != len(request.inputs):
        raise LLMProtocolError(
            details=f"{len(embeddings.vectors)} vectors came for "
            f"{len(request.inputs)} inputs."
        )
    usage = embeddings.usage
    if usage.source == "none":
        usage = _estimate_inputs(request)
    return replace(embeddings, usage=usage, model=embeddings.model or deployment.model)


def _estimate_inputs(request: EmbeddingRequest) -> Usage:
    tokens = sum(
        estimate(each) if isinstance(each, str) else len(each)
        for each in request.inputs
    )
    return Usage(input_uncached=tokens, source="estimated")
