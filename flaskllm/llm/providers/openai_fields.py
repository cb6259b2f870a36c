"""The fields of OpenAI's chat dialect, out of a request in the canonical form.

Source: https://platform.openai.com/docs/api-reference/chat/create
"""

from typing import Any

from flaskllm.core import json_text
from flaskllm.llm.providers.compatible import Dialect
from flaskllm.llm.providers.openai_messages import encode_messages
from flaskllm.llm.providers.strict_schema import tighten
from flaskllm.llm.tokens import output_cap
from flaskllm.llm.types import CompletionRequest, Deployment, JsonFormat, Tool

_CHOICES = frozenset({"auto", "none", "required"})


def canonical_fields(
    request: CompletionRequest, deployment: Deployment, dialect: Dialect
) -> dict[str, Any]:
    """Return the fields of a body that asks what the canonical request asks."""
    messages = encode_messages(
        request.messages, replays_thinking=dialect.replays_thinking
    )
    if loses_schema(request, dialect):
        messages = _with_instruction(messages, _in_words(request))
    fields = {
        "model": deployment.model,
        "messages": messages,
        dialect.output_caps[0]: output_cap(request, deployment),
        "response_format": _response_format(request, deployment, dialect),
        **options(request),
    }
    return {name: value for name, value in fields.items() if value is not None}


def options(request: CompletionRequest) -> dict[str, Any]:
    """Return the optional fields, only those that are set."""
    found = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "stop": list(request.stop) or None,
        "seed": request.seed,
        "reasoning_effort": request.effort,
        "user": request.user,
        **(_tools(request) if request.tools else {}),
    }
    return {name: value for name, value in found.items() if value is not None}


def _tools(request: CompletionRequest) -> dict[str, Any]:
    choice: Any = request.tool_choice
    if choice is not None and choice not in _CHOICES:
        choice = {"type": "function", "function": {"name": choice}}
    return {
        "tools": [_encode_tool(tool) for tool in request.tools],
        "tool_choice": choice,
        "parallel_tool_calls": request.parallel_tools,
    }


def _encode_tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    nothing = {"type": "object", "properties": {}}
    function["parameters"] = dict(tool.parameters) or nothing
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _response_format(
    request: CompletionRequest, deployment: Deployment, dialect: Dialect
) -> dict[str, Any] | None:
    """Return how JSON is asked for: by the caller's wish, else by our own schema."""
    wish = request.json_format
    if wish is None and request.json_schema is not None:
        offered = deployment.capabilities
        if offered is not None and "json" not in offered:
            return None
        strict = tighten(request.json_schema)
        schema = strict or dict(request.json_schema)
        wish = JsonFormat(schema, strict=strict is not None)
    if wish is None:
        return None
    if wish.schema is None or dialect.json_mode == "json_object":
        return {"type": "json_object"}
    form = {"name": wish.name, "strict": wish.strict, "schema": dict(wish.schema)}
    return {
        "type": "json_schema",
        "json_schema": {
            name: value for name, value in form.items() if value is not None
        },
    }


def _with_instruction(
    messages: list[dict[str, Any]], instruction: str
) -> list[dict[str, Any]]:
    """Return the messages with one more instruction in the system's one turn.

    Templates of several open models refuse a second.
    """
    first, *others = messages
    if first["role"] == "system":  # its content is always one text here
        said = f"{first['content']}\n\n{instruction}"
        return [{**first, "content": said}, *others]
    return [{"role": "system", "content": instruction}, *messages]


def _in_words(request: CompletionRequest) -> str:
    """Return what asks for a schema where the service knows no field for one."""
    wish = request.json_format
    assert wish is not None  # loses_schema has seen to it
    schema = json_text.dump(wish.schema).decode()
    return (
        "Answer with one JSON object and nothing else, without a code fence, valid "
        f"against this JSON schema: {schema}"
    )


def loses_schema(request: CompletionRequest, dialect: Dialect) -> bool:
    """Tell whether a schema of the caller's can only be asked for in words."""
    wish = request.json_format
    has_schema = wish is not None and wish.schema is not None
    return has_schema and dialect.json_mode == "json_object"
