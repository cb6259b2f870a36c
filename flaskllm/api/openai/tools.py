"""Functions that a model may call, as OpenAI's chat has them."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from flaskllm.api.openai.messages import TOOL_NAME, Fields
from flaskllm.api.schemas import check_object_schema
from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.types import Tool

MOST_TOOLS = 128


class FunctionFields(Fields):
    """A function, and the JSON schema of its arguments."""

    name: str = Field(pattern=TOOL_NAME)
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ToolFields(Fields):
    """A tool."""

    type: Literal["function"]
    function: FunctionFields


class NamedFields(Fields):
    """The name of a function."""

    name: str = Field(pattern=TOOL_NAME)


class NamedToolFields(Fields):
    """The one tool that must be called."""

    type: Literal["function"]
    function: NamedFields


def _tag_of_choice(value: Any) -> str:
    return "@word" if isinstance(value, str) else "@tool"


ToolChoice = Annotated[
    Annotated[Literal["auto", "none", "required"], Tag("@word")]
    | Annotated[NamedToolFields, Tag("@tool")],
    Discriminator(_tag_of_choice),
]


def read_tools(given: Sequence[ToolFields]) -> tuple[Tool, ...]:
    """Return the tools.

    Raises:
        InvalidInputError: The parameters of one are no schema of objects, or its
            name was used before.
    """
    tools = tuple(_tool(each, position) for position, each in enumerate(given))
    if len({tool.name for tool in tools}) < len(tools):
        raise InvalidInputError.of("tools", "two have the same name", "distinct names")
    return tools


def read_choice(
    given: str | NamedToolFields | None, tools: Sequence[Tool]
) -> str | None:
    """Return which tools to call: a word, or the name of the one.

    Raises:
        InvalidInputError: There is no such tool.
    """
    if given is None or given == "none":
        return given
    if not tools:
        raise InvalidInputError.of("tool_choice", "is there without tools", "tools")
    if isinstance(given, str):
        return given
    name = given.function.name
    if all(tool.name != name for tool in tools):
        raise InvalidInputError.of(
            "tool_choice.function.name", f"{name!r} is not among the tools", "a tool"
        )
    return name


def _tool(given: ToolFields, position: int) -> Tool:
    function = given.function
    parameters = function.parameters or {}
    check_object_schema(parameters, f"tools.{position}.function.parameters")
    return Tool(
        name=function.name,
        description=function.description or "",
        parameters=parameters,
        strict=function.strict,
    )
