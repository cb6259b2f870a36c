"""`POST /v1/completions`: the text that follows a text.

An upstream of another dialect is asked as in a chat, with the prompt as the one turn
of the user's. Several prompts, and prompts of token numbers, need the dialect itself.
Source: https://platform.openai.com/docs/api-reference/completions
"""

from collections.abc import Mapping
from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import Discriminator, Field, Tag

from flaskllm.api import context
from flaskllm.api.guard import guarded
from flaskllm.api.idempotency import idempotent
from flaskllm.api.openai import replies
from flaskllm.api.openai.requests import (
    MODEL_BODY_BYTES,
    MOST_CHOICES,
    SamplingFields,
    check_stream_options,
    read,
    stops_of,
    top_k_of,
    unheld_by_text,
)
from flaskllm.api.openai.streams import TextEncoder
from flaskllm.api.streaming import closing_on_failure, stream_reply
from flaskllm.core.auth import Scope
from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.parts import Message
from flaskllm.llm.types import CallerBody, CompletionRequest

blueprint = Blueprint("openai_completions", __name__)

MOST_PROMPTS = 128

TokenNumber = Annotated[int, Field(ge=0, lt=2**31)]
TokenNumbers = Annotated[list[TokenNumber], Field(min_length=1, max_length=1_000_000)]


def tag_of_texts(value: Any) -> str:
    """Return which of a text, texts, tokens and lists of tokens a value should be."""
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(value, str):
        return "@text"
    if isinstance(first, list):
        return "@token_lists"
    return "@texts" if isinstance(first, str) or first == [] else "@tokens"


Prompt = Annotated[
    Annotated[str, Tag("@text")]
    | Annotated[list[str], Field(min_length=1, max_length=MOST_PROMPTS), Tag("@texts")]
    | Annotated[TokenNumbers, Tag("@tokens")]
    | Annotated[
        list[TokenNumbers],
        Field(min_length=1, max_length=MOST_PROMPTS),
        Tag("@token_lists"),
    ],
    Discriminator(tag_of_texts),
]


class TextFields(SamplingFields):
    """The body of `POST /v1/completions`."""

    prompt: Prompt
    best_of: int | None = Field(None, ge=1, le=MOST_CHOICES)
    echo: bool | None = None
    logprobs: int | None = Field(None, ge=0, le=20)
    suffix: str | None = None


@blueprint.post("/completions")
@guarded(Scope.CHAT)
@idempotent(MODEL_BODY_BYTES)
def create() -> Response:
    """Return the completion of a text, whole or as a stream."""
    body, fields = read(TextFields)
    asked = text_request(body, fields, direct=context.principal().direct_models)
    if asked.stream:
        return _stream(asked, includes_usage=body.includes_usage)
    return _whole(asked)


def text_request(
    body: TextFields, fields: Mapping[str, Any], *, direct: bool
) -> CompletionRequest:
    """Return what a caller asks of a model; see `requests.chat_request`.

    Raises:
        InvalidInputError: Fields that are valid alone do not go together.
    """
    check_stream_options(body)
    if body.best_of is not None and body.best_of < (body.n or 1):
        raise InvalidInputError.of("best_of", "is less than n", "at least n")
    return CompletionRequest(
        model=body.model or None,
        messages=(Message("user", _text_of(body.prompt)),),
        max_output_tokens=body.max_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        top_k=top_k_of(body),
        stop=stops_of(body),
        seed=body.seed,
        user=body.user,
        choices=body.n or 1,
        stream=bool(body.stream),
        body=CallerBody("openai.text", fields, unheld_by_text(fields)),
        direct=direct,
    )


def _text_of(prompt: str | list[str] | list[int] | list[list[int]]) -> str:
    """Return the text to estimate tokens by; token numbers say nothing here.

    Only upstreams of this dialect are asked with more than one text.
    """
    if isinstance(prompt, str):
        return prompt
    return "\n".join(each for each in prompt if isinstance(each, str))


def _whole(asked: CompletionRequest) -> Response:
    call = context.make_call("openai:completions")
    answer = context.services().completions.complete(asked, call)
    body = answer.completion.raw or replies.text_completion(
        answer.completion, replies.now()
    )
    return replies.json_bytes_reply(body, answer.dropped, answer.rate_limits)


def _stream(asked: CompletionRequest, *, includes_usage: bool) -> Response:
    call = context.make_call("openai:completions")
    answer = context.services().completions.stream(asked, call)
    with closing_on_failure(answer):
        created = replies.now()
        encoder = TextEncoder(answer.model, created, includes_usage=includes_usage)
        headers = replies.headers_of(answer.dropped, answer.rate_limits)
        return stream_reply(answer, encoder, headers)
