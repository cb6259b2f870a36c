"""What a caller may say to `/api/v1/routes/explain`: a chat, and what it would need."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from flaskllm.api.v1.chat_fields import (
    ChatFields,
    ChatMessage,
    ChatOrder,
    OutputTokens,
    read_order,
    unknown_fields,
    whole,
)
from flaskllm.api.v1.webhook_fields import LONGEST_NAME, NOT_BLANK
from flaskllm.api.validation import parse_model
from flaskllm.llm.types import CallerBody, JsonFormat, Tool

MOST_MESSAGES = 2000
MOST_TOOLS = 512
MOST_CHOICES = 8

_CHAT = ("model", "system", "max_output_tokens", "temperature")


class AnswerFormat(BaseModel):
    """In which form the answer is wanted."""

    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)

    type: Literal["text", "json_object", "json_schema"]


class ExplainFields(BaseModel):
    """A chat that is not sent to anybody. A null counts as left out.

    All fields may be left out: then the default route is explained, for an empty
    question.
    """

    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)

    model: str | None = Field(
        None,
        description="A model alias; the default route's if absent.",
        min_length=1,
        max_length=LONGEST_NAME,
    )
    messages: list[ChatMessage] | None = Field(
        None,
        description="The conversation so far.",
        min_length=1,
        max_length=MOST_MESSAGES,
    )
    message: str | None = Field(
        None, description="The question, behind `messages`.", pattern=NOT_BLANK
    )
    prompt: str | None = Field(
        None, description="Another name for `message`.", pattern=NOT_BLANK
    )
    system: str | None = Field(None, description="What the model should keep to.")
    max_output_tokens: OutputTokens | None = Field(
        None, description="The longest answer, in tokens."
    )
    max_completion_tokens: OutputTokens | None = Field(
        None, description="The same, as OpenAI's chat has it."
    )
    max_tokens: OutputTokens | None = Field(
        None, description="The same, as OpenAI's chat once had it."
    )
    n: Annotated[int, Field(ge=1, le=MOST_CHOICES), BeforeValidator(whole)] | None = (
        Field(None, description="How many answers, as OpenAI's chat has it.")
    )
    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(
        None, description="How freely to choose words; it changes no route."
    )
    stream: bool | None = Field(None, description="Whether the answer is streamed.")
    tools: list[dict[str, Any]] | None = Field(
        None, description="Tools, as OpenAI's chat has them.", max_length=MOST_TOOLS
    )
    response_format: AnswerFormat | None = Field(
        None, description="The form of the answer, as OpenAI's chat has it."
    )


_KNOWN = frozenset({*ExplainFields.model_fields, *ChatFields.model_fields})


def read_question(data: Mapping[str, Any], *, direct: bool) -> ChatOrder:
    """Return the request that is to be explained, and what means nothing in it.

    Args:
        data: A parsed JSON object.
        direct: Whether this caller may name `provider/model`.

    Raises:
        InvalidInputError: A field is wrong, or is not for a caller to choose.
    """
    fields = parse_model(ExplainFields, data)
    said = [text for text in (fields.message, fields.prompt) if text is not None]
    asked = [{"role": "user", "content": text} for text in said]
    # Something has to be said in a chat; that one word changes no route.
    messages = [*(data.get("messages") or ()), *asked] or [
        {"role": "user", "content": "?"}
    ]
    chat = {name: data.get(name) for name in _CHAT}
    chat["max_output_tokens"] = (
        fields.max_output_tokens or fields.max_completion_tokens or fields.max_tokens
    )
    is_streamed = bool(fields.stream)
    order = read_order(
        {**data, **chat, "message": None, "messages": messages},
        direct=direct,
        stream=is_streamed,
    )
    request = replace(
        order.request,
        tools=tuple(map(_tool, fields.tools or ())),
        json_format=_json_format(fields.response_format),
        choices=fields.n or 1,
        # Only who speaks OpenAI's dialect gives several answers, as in its chat.
        body=CallerBody("openai.chat", data) if fields.n else None,
    )
    return ChatOrder(request, unknown_fields(data, _KNOWN))


def _tool(told: Mapping[str, Any]) -> Tool:
    function = told.get("function")
    known = function if isinstance(function, dict) else told
    name, description = known.get("name"), known.get("description")
    parameters = known.get("parameters")
    return Tool(
        name if isinstance(name, str) else "",
        description if isinstance(description, str) else "",
        parameters if isinstance(parameters, dict) else {},
    )


def _json_format(wanted: AnswerFormat | None) -> JsonFormat | None:
    return None if wanted is None or wanted.type == "text" else JsonFormat()
