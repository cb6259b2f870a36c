"""`POST /v1/embeddings`: texts in, vectors out.

Source: https://platform.openai.com/docs/api-reference/embeddings
"""

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Discriminator, Field, Tag

from flaskllm.api import context
from flaskllm.api.guard import guarded
from flaskllm.api.idempotency import idempotent
from flaskllm.api.openai import replies
from flaskllm.api.openai.completions import TokenNumbers, tag_of_texts
from flaskllm.api.openai.messages import Fields
from flaskllm.api.openai.replies import EncodingFormat
from flaskllm.api.openai.requests import MODEL_BODY_BYTES, read
from flaskllm.core.auth import Scope
from flaskllm.llm.types import EmbeddingRequest

blueprint = Blueprint("openai_embeddings", __name__)

MOST_INPUTS = 2048
# OpenAI takes 300,000 tokens in a request; clients send their numbers.
MOST_JSON_TOKENS = 1_000_000

_Text = Annotated[str, Field(min_length=1)]
Input = Annotated[
    Annotated[_Text, Tag("@text")]
    | Annotated[list[_Text], Field(min_length=1, max_length=MOST_INPUTS), Tag("@texts")]
    | Annotated[TokenNumbers, Tag("@tokens")]
    | Annotated[
        list[TokenNumbers],
        Field(min_length=1, max_length=MOST_INPUTS),
        Tag("@token_lists"),
    ],
    Discriminator(tag_of_texts),
]


class EmbeddingFields(Fields):
    """The body of `POST /v1/embeddings`."""

    input: Input
    model: str | None = Field(None, max_length=256)
    encoding_format: EncodingFormat | None = None
    dimensions: int | None = Field(None, ge=1, le=65_536)
    user: str | None = Field(None, max_length=512)


@blueprint.post("/embeddings")
@guarded(Scope.CHAT)
@idempotent(MODEL_BODY_BYTES)
def create() -> Response:
    """Return a vector for each input."""
    body, _ = read(EmbeddingFields, MOST_JSON_TOKENS)
    asked = embedding_request(body, direct=context.principal().direct_models)
    call = context.make_call("openai:embeddings")
    answer = context.services().completions.embed(asked, call)
    return replies.json_bytes_reply(
        replies.embedding_list(answer.embeddings, body.encoding_format or "float"),
        tuple(body.model_extra or ()),
        answer.rate_limits,
    )


def embedding_request(body: EmbeddingFields, *, direct: bool) -> EmbeddingRequest:
    """Return what a caller wants turned into vectors, in its order."""
    return EmbeddingRequest(
        model=body.model or None,
        inputs=_inputs(body.input),
        dimensions=body.dimensions,
        user=body.user,
        direct=direct,
    )


def _inputs(
    given: str | list[str] | list[int] | list[list[int]],
) -> tuple[str | tuple[int, ...], ...]:
    if isinstance(given, str):
        return (given,)
    numbers = tuple(each for each in given if isinstance(each, int))
    if numbers:
        return (numbers,)
    return tuple(
        each if isinstance(each, str) else tuple(each)
        for each in given
        if not isinstance(each, int)
    )
