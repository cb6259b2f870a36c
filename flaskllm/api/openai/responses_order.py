"""From a request for a response to the canonical form."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flaskllm.api.openai.responses_fields import (
    FormatFields,
    ResponsesFields,
    check_state,
    dropped,
)
from flaskllm.api.openai.responses_items import Item, read_input, read_items
from flaskllm.api.schemas import check_object_schema, check_schema
from flaskllm.api.validation import shorten
from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.parts import Message
from flaskllm.llm.types import CompletionRequest, JsonFormat, Tool

_TOOL_NAME_LENGTH = 64
_WORDS = ("auto", "none", "required")


@dataclass(frozen=True, slots=True)
class ResponseOrder:
    """A request for a response.

    `input_items` are its own, with ids; `dropped` names the fields that no
    upstream hears of.
    """

    given: ResponsesFields
    request: CompletionRequest
    input_items: Sequence[Item]
    dropped: tuple[str, ...] = ()


def read_order(
    given: ResponsesFields, earlier: Sequence[Item], *, direct: bool
) -> ResponseOrder:
    """Return what the caller asks.

    Args:
        given: The checked fields.
        earlier: The items of the conversation that the request goes on with.
        direct: Whether the caller may name `provider/model`.

    Raises:
        InvalidInputError: An item or a tool is wrong, or is not supported.
    """
    check_state(given)
    items = read_input(given.input)
    said = read_items(items, earlier)
    if not said:
        raise InvalidInputError.of("input", "says nothing", "at least one message")
    tools = tuple(_tools(given.tools or ()))
    _check_names(tools)
    request = CompletionRequest(
        model=given.model or None,
        messages=(*_instructions(given), *said),
        max_output_tokens=given.max_output_tokens,
        temperature=given.temperature,
        top_p=given.top_p,
        json_format=_json_format(given.text.format if given.text else None),
        tools=tools,
        tool_choice=_choice(given.tool_choice, tools),
        parallel_tools=given.parallel_tool_calls,
        effort=given.reasoning.effort if given.reasoning else None,
        user=given.safety_identifier or given.user,
        stream=bool(given.stream),
        direct=direct,
    )
    return ResponseOrder(given, request, items, tuple(dropped(given)))


def _instructions(given: ResponsesFields) -> Iterator[Message]:
    if given.instructions:
        yield Message("system", given.instructions)


def _tools(raw: Sequence[Any]) -> Iterator[Tool]:
    for index, each in enumerate(raw):
        path = f"tools.{index}"
        if not isinstance(each, dict):
            raise InvalidInputError.of(path, "is not an object", "a tool")
        if each.get("type") != "function":
            raise InvalidInputError.of(
                f"{path}.type",
                f"the tool {shorten(str(each.get('type')))!r} is not supported",
                "function",
            )
        yield _tool(each, path)


def _tool(tool: Item, path: str) -> Tool:
    name, description = tool.get("name"), tool.get("description")
    if not _is_name(name):
        raise InvalidInputError.of(
            f"{path}.name", "is no name of a tool", "1 to 64 letters, digits, _ and -"
        )
    parameters = tool.get("parameters") or {}
    check_object_schema(parameters, f"{path}.parameters")
    strict = tool.get("strict")
    return Tool(
        name=tool["name"],
        description=description if isinstance(description, str) else "",
        parameters=parameters,
        strict=strict if isinstance(strict, bool) else None,
    )


def _is_name(name: object) -> bool:
    if not isinstance(name, str) or not 0 < len(name) <= _TOOL_NAME_LENGTH:
        return False
    return name.isascii() and name.replace("-", "_").replace("_", "a").isalnum()


def _check_names(tools: Sequence[Tool]) -> None:
    if len({tool.name for tool in tools}) < len(tools):
        raise InvalidInputError.of("tools", "two have the same name", "distinct names")


def _choice(choice: Any, tools: Sequence[Tool]) -> str | None:
    if choice is None or (isinstance(choice, str) and choice in _WORDS):
        return choice
    if not isinstance(choice, dict) or choice.get("type") != "function":
        raise InvalidInputError.of(
            "tool_choice", "is not supported", f"{', '.join(_WORDS)}, or a function"
        )
    names = [tool.name for tool in tools]
    if choice.get("name") not in names:
        raise InvalidInputError.of(
            "tool_choice.name", "is not among the tools", "the name of a tool"
        )
    return str(choice["name"])


def _json_format(wanted: FormatFields | None) -> JsonFormat | None:
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return JsonFormat()
    if wanted.json_schema is None:
        raise InvalidInputError.of("text.format.schema", "is missing", "a JSON schema")
    check_schema(wanted.json_schema, "text.format.schema")
    return JsonFormat(wanted.json_schema, wanted.name, wanted.strict)
