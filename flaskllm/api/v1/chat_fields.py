"""What a caller may say to a model through `/api/v1/chat`: names, types, rules."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    WithJsonSchema,
    model_validator,
)

from flaskllm.api import forbidden
from flaskllm.api.images import image_of
from flaskllm.api.v1.cache_fields import CacheFields
from flaskllm.api.v1.webhook_fields import LONGEST_NAME, NOT_BLANK
from flaskllm.api.validation import parse_model, refusal, shorten
from flaskllm.llm.cached import USUAL, CacheWish
from flaskllm.llm.parts import Image, Message, Text
from flaskllm.llm.types import CompletionRequest

MOST_MESSAGES = 2000
MOST_PARTS = 1000
MOST_OUTPUT_TOKENS = 1_000_000
MOST_WARNINGS = 20

_BASE64 = (
    r"([A-Za-z0-9+/]{4})*"
    r"([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)"
)
_IMAGE_URL = (
    rf"^(https://[!-\[\]-~]{{1,8000}}|data:image/(gif|jpeg|png|webp);base64,{_BASE64})$"
)
_MODE = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)


class TextPart(BaseModel):
    """Words."""

    model_config = _MODE

    type: Literal["text"]
    text: str


class ImageUrl(BaseModel):
    """Where a picture is, and how closely the model should look."""

    model_config = _MODE

    url: str = Field(
        description="An https address on the public internet, without a user name, "
        "or data:image/...;base64,....",
        json_schema_extra={"pattern": _IMAGE_URL},
    )
    detail: Literal["auto", "low", "high"] | None = None


class ImagePart(BaseModel):
    """A picture."""

    model_config = _MODE

    type: Literal["image_url"]
    image_url: ImageUrl


def _tag_of_content(value: object) -> str:
    return "@text" if isinstance(value, str) else "@parts"


def _tag_of_turn(value: object) -> str:
    is_user = isinstance(value, dict) and value.get("role") == "user"
    return "@user" if is_user else "@other"


Part = Annotated[TextPart | ImagePart, Field(discriminator="type")]
Words = Annotated[str, Field(min_length=1), Tag("@text")]
Count = Field(min_length=1, max_length=MOST_PARTS)
UserContent = Annotated[
    Words | Annotated[list[Part], Count, Tag("@parts")], Discriminator(_tag_of_content)
]
OtherContent = Annotated[
    Words | Annotated[list[TextPart], Count, Tag("@parts")],
    Discriminator(_tag_of_content),
]


class UserTurn(BaseModel):
    """What the user said and showed."""

    model_config = _MODE

    role: Literal["user"]
    content: UserContent = Field(description="Words, or a list of parts.")


class OtherTurn(BaseModel):
    """What the model said, or should keep to."""

    model_config = _MODE

    role: Literal["system", "assistant"]
    content: OtherContent = Field(description="Words, or a list of parts.")


ChatMessage = Annotated[
    Annotated[UserTurn, Tag("@user")] | Annotated[OtherTurn, Tag("@other")],
    Discriminator(_tag_of_turn),
]


def _refuse_conversation(value: object) -> None:
    if value is not None:
        raise refusal("is not available yet", "no value: send all messages")


def _only(wanted: str, kind: str) -> dict[str, Any]:
    return {"required": [wanted], "properties": {wanted: {"type": kind}}}


def whole(value: object) -> object:
    """Return 5.0 as 5: to JSON, and to JavaScript, they are one number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


OutputTokens = Annotated[
    int, Field(ge=1, le=MOST_OUTPUT_TOKENS), BeforeValidator(whole)
]
NotYet = Annotated[
    None, PlainValidator(_refuse_conversation), WithJsonSchema({"type": "null"})
]


class ChatFields(CacheFields):
    """A question, or a whole conversation. A null counts as left out."""

    model_config = _MODE | ConfigDict(
        json_schema_extra={
            "oneOf": [_only("message", "string"), _only("messages", "array")]
        },
    )

    message: str | None = Field(
        None,
        description="The question. Either this or `messages`.",
        pattern=NOT_BLANK,
    )
    messages: list[ChatMessage] | None = Field(
        None,
        description="The conversation so far, the question last.",
        min_length=1,
        max_length=MOST_MESSAGES,
    )
    model: str | None = Field(
        None,
        description="A model alias; the default route's if absent.",
        min_length=1,
        max_length=LONGEST_NAME,
    )
    system: str | None = Field(None, description="What the model should keep to.")
    conversation_id: NotYet = Field(None, description="Not available yet.")
    max_output_tokens: OutputTokens | None = Field(
        None, description="The longest answer, in tokens; the model's own if absent."
    )
    temperature: float | None = Field(
        None,
        description="How freely to choose words; the model's own if absent.",
        ge=0,
        le=2,
    )

    @model_validator(mode="after")
    def _check_question(self) -> "ChatFields":
        if (self.message is None) == (self.messages is None):
            raise refusal(
                "has neither or both of message and messages", "exactly one of them"
            )
        return self


@dataclass(frozen=True, slots=True)
class ChatOrder:
    """What was asked, and a warning for each name that means nothing here."""

    request: CompletionRequest
    warnings: tuple[str, ...]
    wish: CacheWish = USUAL


def read_order(data: Mapping[str, Any], *, direct: bool, stream: bool) -> ChatOrder:
    """Return what the caller asks.

    Args:
        data: A parsed JSON object.
        direct: Whether this caller may name `provider/model`.
        stream: Whether the answer comes in pieces.

    Raises:
        InvalidInputError: A field is wrong, or is not for a caller to choose.
    """
    forbidden.check(data)
    fields = parse_model(ChatFields, data)
    return ChatOrder(
        CompletionRequest(
            model=fields.model,
            messages=_messages(fields),
            max_output_tokens=fields.max_output_tokens,
            temperature=fields.temperature,
            stream=stream,
            direct=direct,
        ),
        unknown_fields(data, ChatFields.model_fields),
        CacheWish.of(fields.cache, fields.sensitive),
    )


def unknown_fields(data: Mapping[str, Any], known: Container[str]) -> tuple[str, ...]:
    """Return a warning for each name that means nothing here."""
    strange = [name for name in data if name not in known]
    return tuple(f"unknown_field: {shorten(name)}" for name in strange[:MOST_WARNINGS])


def _messages(fields: ChatFields) -> tuple[Message, ...]:
    said = [] if fields.system is None else [Message("system", fields.system)]
    if fields.message is not None:
        return (*said, Message("user", fields.message))
    turns = fields.messages or []
    return (*said, *(_message(turn, place) for place, turn in enumerate(turns)))


def _message(turn: UserTurn | OtherTurn, place: int) -> Message:
    if isinstance(turn.content, str):
        return Message(turn.role, turn.content)
    path = f"messages.{place}.content"
    parts = (_part(part, f"{path}.{each}") for each, part in enumerate(turn.content))
    return Message(turn.role, tuple(parts))


def _part(part: TextPart | ImagePart, path: str) -> Text | Image:
    if isinstance(part, TextPart):
        return Text(part.text)
    image = part.image_url
    return image_of(image.url, f"{path}.image_url.url", image.detail)
