"""What OpenAI's routes take, checked and in the canonical form.

Source: https://platform.openai.com/docs/api-reference/chat/create
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypeVar

from flask import request
from pydantic import Discriminator, Field, Tag

from flaskllm.api import forbidden
from flaskllm.api.cache_wishes import heed, take_wishes
from flaskllm.api.openai.messages import (
    Fields,
    MessageFields,
    read_messages,
    unheld,
)
from flaskllm.api.openai.tools import (
    MOST_TOOLS,
    ToolChoice,
    ToolFields,
    read_choice,
    read_tools,
)
from flaskllm.api.schemas import check_schema
from flaskllm.api.validation import JSON_TOKENS, parse_model, read_json
from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.types import CallerBody, CompletionRequest, JsonFormat

MODEL_BODY_BYTES = 32 * 1024 * 1024
MOST_TOKENS = 10**9
MOST_CHOICES = 8

Body = TypeVar("Body", bound=Fields)


def _tag_of_stop(value: Any) -> str:
    return "@one" if isinstance(value, str) else "@several"


_StopText = Annotated[str, Field(max_length=1000)]
Stop = Annotated[
    Annotated[_StopText, Tag("@one")]
    | Annotated[list[_StopText], Field(max_length=16), Tag("@several")],
    Discriminator(_tag_of_stop),
]
Weight = Annotated[float, Field(ge=-100, le=100)]


class StreamOptions(Fields):
    """What a stream tells besides its answer."""

    include_usage: bool | None = None


class JsonSchemaFields(Fields):
    """The JSON schema that an answer must be valid against."""

    name: str = Field("answer", pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    json_schema: dict[str, Any] | None = Field(None, alias="schema")
    strict: bool | None = None


class ResponseFormat(Fields):
    """In which form the answer is wanted."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchemaFields | None = None


class SamplingFields(Fields):
    """What all of OpenAI's ways to complete a text take."""

    model: str | None = Field(None, max_length=256)
    max_tokens: int | None = Field(None, ge=1, le=MOST_TOKENS)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    top_k: int | None = Field(None, ge=-1, le=MOST_TOKENS)
    n: int | None = Field(None, ge=1, le=MOST_CHOICES)
    stop: Stop | None = None
    seed: int | None = Field(None, ge=-(2**63), le=2**63 - 1)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    logit_bias: dict[str, Weight] | None = Field(None, max_length=1000)
    user: str | None = Field(None, max_length=512)

    @property
    def includes_usage(self) -> bool:
        """Tell whether the caller wants the usage of a stream."""
        return bool(self.stream_options and self.stream_options.include_usage)


class ChatFields(SamplingFields):
    """The body of `POST /v1/chat/completions`."""

    messages: list[MessageFields] = Field(min_length=1, max_length=1000)
    max_completion_tokens: int | None = Field(None, ge=1, le=MOST_TOKENS)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)
    tools: list[ToolFields] | None = Field(None, max_length=MOST_TOOLS)
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: str | None = Field(None, max_length=32)


# What the canonical form holds; every other field needs an upstream of our dialect.
_HELD_SAMPLING = frozenset(
    (
        "max_tokens",
        "model",
        "n",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "temperature",
        "top_k",
        "top_p",
        "user",
    )
)
_HELD_CHAT = _HELD_SAMPLING | {
    "max_completion_tokens",
    "messages",
    "parallel_tool_calls",
    "reasoning_effort",
    "response_format",
    "tool_choice",
    "tools",
}
# Before tools there were functions; nobody else's dialect has them.
_BEFORE_TOOLS = {"functions": "tools", "function_call": "tool_choice"}


def read(
    model: type[Body], max_json_tokens: int = JSON_TOKENS
) -> tuple[Body, dict[str, Any]]:
    """Return the body of this request, checked, and as it was sent.

    Args:
        model: What it must be.
        max_json_tokens: See `validation.parse_object`.

    Raises:
        InvalidInputError: It cannot be read, is not valid, or names what a caller
            may not choose.
        PayloadTooLarge: It is over 32 MiB.
    """
    fields = read_json(MODEL_BODY_BYTES, max_json_tokens)
    forbidden.check(fields, request.get_data())
    heed(take_wishes(fields))
    return parse_model(model, fields), fields


def chat_request(
    body: ChatFields, fields: Mapping[str, Any], *, direct: bool
) -> CompletionRequest:
    """Return what a caller asks of a model.

    Args:
        body: The checked body.
        fields: The same as it was sent.
        direct: Whether this caller may name `provider/model`.

    Raises:
        InvalidInputError: Fields that are valid alone do not go together.
    """
    for name, now in _BEFORE_TOOLS.items():
        if fields.get(name) is not None:
            raise InvalidInputError.of(name, "is no longer supported", now)
    check_stream_options(body)
    tools = read_tools(body.tools or ())
    extras = (*_unheld_fields(fields, _HELD_CHAT), *unheld(body.messages))
    return CompletionRequest(
        model=body.model or None,
        messages=read_messages(body.messages),
        max_output_tokens=body.max_completion_tokens or body.max_tokens,
        temperature=body.temperature,
        json_format=_json_format(body.response_format),
        top_p=body.top_p,
        top_k=top_k_of(body),
        stop=stops_of(body),
        seed=body.seed,
        tools=tools,
        tool_choice=read_choice(body.tool_choice, tools),
        parallel_tools=body.parallel_tool_calls,
        effort=body.reasoning_effort,
        user=body.user,
        choices=body.n or 1,
        stream=bool(body.stream),
        body=CallerBody("openai.chat", fields, tuple(dict.fromkeys(extras))),
        direct=direct,
    )


def check_stream_options(body: SamplingFields) -> None:
    """Refuse the options of a stream where none was asked for."""
    if body.stream_options is not None and not body.stream:
        raise InvalidInputError.of(
            "stream_options", "is there without stream", "only with stream: true"
        )


def stops_of(body: SamplingFields) -> tuple[str, ...]:
    """Return the texts that end an answer."""
    given = [body.stop] if isinstance(body.stop, str) else body.stop or ()
    return tuple(filter(None, given))


def top_k_of(body: SamplingFields) -> int | None:
    """Return from how many tokens to choose; vLLM writes "all" as -1 or 0."""
    return body.top_k if body.top_k and body.top_k > 0 else None


def unheld_by_text(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields of a text completion that need an upstream of its dialect."""
    return tuple(_unheld_fields(fields, _HELD_SAMPLING | {"prompt"}))


def _unheld_fields(fields: Mapping[str, Any], held: frozenset[str]) -> Iterable[str]:
    return (
        name for name, value in fields.items() if value is not None and name not in held
    )


def _json_format(given: ResponseFormat | None) -> JsonFormat | None:
    if given is None or given.type == "text":
        return None
    if given.type == "json_object":
        return JsonFormat()
    wanted = given.json_schema
    if wanted is None:
        raise InvalidInputError.of(
            "response_format.json_schema", "is missing", "a name and a schema"
        )
    if wanted.json_schema is not None:
        check_schema(wanted.json_schema, "response_format.json_schema.schema")
    return JsonFormat(wanted.json_schema, wanted.name, wanted.strict)
