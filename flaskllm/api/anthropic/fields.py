"""The fields of a request in Anthropic's dialect, but for messages, system and tools.

Those three are read in `blocks.py` and `tools.py`: their blocks have many types,
and a fault in one is told with its place.

Source: https://docs.claude.com/en/api/messages
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flaskllm.api.validation import refusal

MOST_MESSAGES = 100_000
MOST_TOOLS = 512
MOST_STOPS = 16
MOST_TOKENS = 10**9

_STRICT = ConfigDict(strict=True, extra="allow")

Stop = Annotated[str, Field(min_length=1, max_length=1000)]


class ToolChoice(BaseModel):
    """Whether the model may, must or must not call a tool."""

    model_config = _STRICT

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = Field(None, min_length=1, max_length=128)
    disable_parallel_tool_use: bool | None = None

    @model_validator(mode="after")
    def _name_the_tool(self) -> Self:
        if self.type == "tool" and self.name is None:
            raise refusal("has no name", "the name of the tool")
        return self


class ThinkingWish(BaseModel):
    """How much the model may think; `budget_tokens` count as output."""

    model_config = _STRICT

    type: Literal["enabled", "disabled", "adaptive"]
    budget_tokens: int | None = Field(None, ge=1024, le=MOST_TOKENS)

    @model_validator(mode="after")
    def _give_the_budget(self) -> Self:
        if self.type == "enabled" and self.budget_tokens is None:
            raise refusal("has no budget_tokens", "at least 1024")
        return self


class OutputFormat(BaseModel):
    """JSON that is valid against a schema."""

    model_config = ConfigDict(strict=True, extra="allow", protected_namespaces=())

    type: Literal["json_schema"]
    # Pydantic's own method has the name that the dialect gives this field.
    schema_: dict[str, Any] = Field(alias="schema")


class OutputConfig(BaseModel):
    """How the answer is to be made."""

    model_config = _STRICT

    effort: str | None = Field(None, min_length=1, max_length=20)
    format: OutputFormat | None = None


class Metadata(BaseModel):
    """What the caller says of the request."""

    model_config = _STRICT

    user_id: str | None = Field(None, max_length=256)


class CountFields(BaseModel):
    """What counts of a request before it is sent; any other name is kept too."""

    model_config = _STRICT

    messages: list[Any] = Field(min_length=1, max_length=MOST_MESSAGES)
    model: str | None = Field(None, min_length=1, max_length=200)
    max_tokens: int | None = Field(None, ge=1, le=MOST_TOKENS)
    system: Any = None
    tools: list[Any] | None = Field(None, max_length=MOST_TOOLS)
    tool_choice: ToolChoice | None = None
    thinking: ThinkingWish | None = None
    output_config: OutputConfig | None = None
    output_format: OutputFormat | None = None
    stop_sequences: list[Stop] | None = Field(None, max_length=MOST_STOPS)
    temperature: float | None = Field(None, ge=0, le=1)
    top_p: float | None = Field(None, ge=0, le=1)
    top_k: int | None = Field(None, ge=0, le=MOST_TOKENS)
    metadata: Metadata | None = None
    stream: bool | None = None

    @property
    def unknown(self) -> Mapping[str, Any]:
        """Return the fields whose names are not above, but for those that are null."""
        extra = self.__pydantic_extra__ or {}
        return {name: value for name, value in extra.items() if value is not None}


class MessagesFields(CountFields):
    """A request that is to be answered."""

    max_tokens: int = Field(ge=1, le=MOST_TOKENS)
