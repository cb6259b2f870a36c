"""A request in the canonical form as a body of Gemini's dialect.

Source: https://ai.google.dev/api/generate-content
"""

from collections.abc import Iterator, Mapping
from typing import Any

from flaskllm.core import json_text
from flaskllm.llm.providers.gemini_contents import contents, system_parts
from flaskllm.llm.providers.gemini_models import (
    Abilities,
    abilities_of,
    thinking_config,
)
from flaskllm.llm.providers.gemini_schema import narrow
from flaskllm.llm.tokens import output_cap
from flaskllm.llm.types import CompletionRequest, Deployment, Tool

_MOST_STOPS = 5
_SEEDS = 2**31  # it is a signed number of 32 bits
_TELL_NOTHING = frozenset(
    {"$schema", "additionalProperties", "description", "title", "type"}
)


def translated(request: CompletionRequest, deployment: Deployment) -> dict[str, Any]:
    """Return a body that says what the canonical form says, and nothing unasked."""
    abilities = abilities_of(deployment.model)
    wish = _json_wish(request, deployment)
    is_asked_in_words = bool(request.tools) and not abilities.json_beside_tools
    system = system_parts(request.messages)
    if wish is not None and is_asked_in_words:
        system.append({"text": _in_words(wish)})
        wish = None
    turns = contents(request.messages, checks_signatures=abilities.checks_signatures)
    if not turns and system:  # a request without contents is refused
        turns, system = [{"role": "user", "parts": system}], []
    said: dict[str, Any] = {
        "contents": turns,
        "systemInstruction": {"parts": system} if system else {},
        "tools": _tools(request),
        "toolConfig": _tool_config(request),
        "generationConfig": {
            **_sampling(request, deployment),
            **_thinking(request, abilities),
            **_json(wish),
        },
    }
    return {name: value for name, value in said.items() if value or name == "contents"}


def left_out(request: CompletionRequest, deployment: Deployment) -> Iterator[str]:
    """Yield the caller's fields that `translated` cannot say."""
    yield from request.body.extras if request.body else ()
    for name, is_lost in (
        ("user", request.user is not None),
        ("n", request.choices > 1),
        ("stop", len(request.stop) > _MOST_STOPS),
        ("parallel_tool_calls", request.parallel_tools is False),
        ("reasoning_effort", _loses_thoughts(request, deployment)),
    ):
        if is_lost:
            yield name


def _loses_thoughts(request: CompletionRequest, deployment: Deployment) -> bool:
    if request.effort is None and not request.thinking_tokens:
        return False
    return not thinking_config(request, abilities_of(deployment.model))


def _sampling(request: CompletionRequest, deployment: Deployment) -> dict[str, Any]:
    told = {
        "maxOutputTokens": output_cap(request, deployment),
        "temperature": request.temperature,
        "topP": request.top_p,
        "topK": request.top_k,
        "stopSequences": list(request.stop[:_MOST_STOPS]) or None,
        "seed": None if request.seed is None else request.seed % _SEEDS,
    }
    return {name: value for name, value in told.items() if value is not None}


def _thinking(request: CompletionRequest, abilities: Abilities) -> dict[str, Any]:
    config = thinking_config(request, abilities)
    return {"thinkingConfig": config} if config else {}


def _json_wish(
    request: CompletionRequest, deployment: Deployment
) -> Mapping[str, Any] | None:
    """Return the schema of the answer, empty for any JSON; None for any text."""
    offered = deployment.capabilities
    if offered is not None and "json" not in offered:
        return None
    if request.json_schema is not None:
        return request.json_schema
    return None if request.json_format is None else request.json_format.schema or {}


def _json(wish: Mapping[str, Any] | None) -> dict[str, Any]:
    if wish is None:
        return {}
    said: dict[str, Any] = {"responseMimeType": "application/json"}
    return {**said, "responseJsonSchema": narrow(wish)} if wish else said


def _in_words(wish: Mapping[str, Any]) -> str:
    """Return what asks for JSON where the dialect refuses it beside tools."""
    said = "Unless you call a tool, answer with one JSON object and nothing else"
    if not wish:
        return f"{said}."
    return f"{said}, valid against this JSON schema: {json_text.dump(wish).decode()}"


def _tools(request: CompletionRequest) -> list[dict[str, Any]]:
    if not request.tools:
        return []
    return [{"functionDeclarations": [_declaration(tool) for tool in request.tools]}]


def _declaration(tool: Tool) -> dict[str, Any]:
    said = {"name": tool.name, "description": tool.description or tool.name}
    # A function without parameters has no schema: an empty one is refused.
    if not any(
        tool.parameters[name] for name in tool.parameters.keys() - _TELL_NOTHING
    ):
        return said
    return {**said, "parametersJsonSchema": dict(tool.parameters)}


def _tool_config(request: CompletionRequest) -> dict[str, Any]:
    if not request.tools or request.tool_choice is None:
        return {}
    config: dict[str, Any] = {"mode": _MODES.get(request.tool_choice, "ANY")}
    if request.tool_choice not in _MODES:
        config["allowedFunctionNames"] = [request.tool_choice]
    return {"functionCallingConfig": config}


_MODES: Mapping[str, str] = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
