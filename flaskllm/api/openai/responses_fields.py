"""The fields of a request for a response, but for its items and tools.

Source: https://platform.openai.com/docs/api-reference/responses/create
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from flaskllm.api.openai.messages import Fields
from flaskllm.core.errors import InvalidInputError

MOST_TOKENS = 10**9
ENCRYPTED_THOUGHTS = "reasoning.encrypted_content"

Label = Annotated[str, Field(max_length=64)]


class FormatFields(Fields):
    """In which form the text is wanted."""

    type: Literal["text", "json_object", "json_schema"]
    name: str = Field("answer", pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    json_schema: dict[str, Any] | None = Field(None, alias="schema")
    strict: bool | None = None


class TextFields(Fields):
    """How the text is to be written."""

    format: FormatFields | None = None
    verbosity: str | None = Field(None, max_length=16)


class ReasoningFields(Fields):
    """How hard to think."""

    effort: str | None = Field(None, max_length=16)
    summary: str | None = Field(None, max_length=16)
    generate_summary: str | None = Field(None, max_length=16)


class ResponsesFields(Fields):
    """The body of `POST /v1/responses`, and of `response.create` in a WebSocket."""

    model: str | None = Field(None, max_length=256)
    input: Any = None
    instructions: str | None = None
    tools: list[Any] | None = Field(None, max_length=128)
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    text: TextFields | None = None
    max_output_tokens: int | None = Field(None, ge=1, le=MOST_TOKENS)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    reasoning: ReasoningFields | None = None
    metadata: dict[Label, Annotated[str, Field(max_length=512)]] | None = Field(
        None, max_length=16
    )
    user: str | None = Field(None, max_length=512)
    safety_identifier: str | None = Field(None, max_length=512)
    store: bool | None = None
    previous_response_id: str | None = Field(None, min_length=1, max_length=200)
    stream: bool | None = None
    background: bool | None = None
    include: list[str] | None = Field(None, max_length=20)
    truncation: Literal["auto", "disabled"] | None = None

    @property
    def stores(self) -> bool:
        """Tell whether the response is kept: yes, unless the caller says no."""
        return self.store is not False


# State that only OpenAI itself keeps.
_NOT_HERE = {
    "conversation": "previous_response_id",
    "prompt": "instructions and input",
}


def check_state(given: ResponsesFields) -> None:
    """Refuse what would be another request when it was left out.

    Raises:
        InvalidInputError: Work in the background is asked for, or state that is
            kept at OpenAI.
    """
    if given.background:
        raise InvalidInputError.of(
            "background", "is not supported", "false; stream: true for long answers"
        )
    extra = given.model_extra or {}
    for name, instead in _NOT_HERE.items():
        if extra.get(name) is not None:
            raise InvalidInputError.of(name, "is not supported", instead)


def dropped(given: ResponsesFields) -> Iterator[str]:
    """Give the names of fields that no upstream hears of."""
    yield from (
        n for n, value in (given.model_extra or {}).items() if value is not None
    )
    if given.truncation == "auto":
        yield "truncation"
    if given.text and given.text.verbosity:
        yield "text.verbosity"
    if set(given.include or ()) - {ENCRYPTED_THOUGHTS}:
        yield "include"
