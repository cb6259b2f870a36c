"""A request in the canonical form as a body of Anthropic's dialect.

Source: https://platform.claude.com/docs/en/api/messages
"""

from collections.abc import Iterator, Mapping
from typing import Any

from flaskllm.llm.providers.anthropic_models import Abilities, abilities_of
from flaskllm.llm.providers.anthropic_thinking import (
    Plan,
    plan_thinking,
    wants_thoughts,
)
from flaskllm.llm.providers.anthropic_turns import system_text, turns
from flaskllm.llm.providers.strict_schema import tighten
from flaskllm.llm.types import CompletionRequest, Deployment, Tool

# Its arguments are the answer, where JSON cannot be asked for otherwise.
JSON_TOOL = "give_json_answer"

_JSON_WISH = "Answer with one JSON object and nothing else, without a code fence."
_LONGEST_USER = 256


def passed_on(request: CompletionRequest, deployment: Deployment) -> dict[str, Any]:
    """Return the caller's own body for this deployment: its model, and streamed or not.

    Only for a request whose `body` is in this dialect.
    """
    fields = dict(request.body.fields) if request.body else {}
    return {**fields, "model": deployment.model, "stream": request.stream}


def translated(request: CompletionRequest, deployment: Deployment) -> dict[str, Any]:
    """Return a body that says what the canonical form says, and nothing unasked."""
    abilities = abilities_of(deployment.model)
    json_tool = _json_tool(request, deployment, abilities)
    plan = _plan(request, deployment, abilities)
    tools = [*_tools(request, abilities), *([json_tool] if json_tool else [])]
    system, messages = _said(request, deployment)
    optional = {
        "system": system,
        "stop_sequences": [stop for stop in request.stop if stop.strip()],
        "tools": tools,
        "tool_choice": _forced_json(request) if json_tool else _tool_choice(request),
        "output_config": _output_config(request, deployment, abilities, plan),
        "metadata": {"user_id": request.user[:_LONGEST_USER]} if request.user else {},
        "stream": request.stream,
    }
    return {
        "model": deployment.model,
        "max_tokens": plan.max_tokens,
        "messages": messages,
        **plan.fields,
        **_sampling(request, abilities, plan),
        **{name: value for name, value in optional.items() if value},
    }


def left_out(request: CompletionRequest, deployment: Deployment) -> Iterator[str]:
    """Yield the caller's fields that `translated` cannot say."""
    abilities = abilities_of(deployment.model)
    plan = _plan(request, deployment, abilities)
    yield from request.body.extras if request.body else ()
    taken = _sampling(request, abilities, plan)
    for name in ("temperature", "top_p", "top_k"):
        if getattr(request, name) is not None and name not in taken:
            yield name
    for name, is_lost in (
        ("seed", request.seed is not None),
        ("n", request.choices > 1),
        ("stop", any(not stop.strip() for stop in request.stop)),
        ("reasoning_effort", wants_thoughts(request) and not plan.thinks),
    ):
        if is_lost:
            yield name


def uses_json_tool(request: CompletionRequest) -> bool:
    """Tell whether an answer through `JSON_TOOL` may come."""
    return _schema(request) is not None


def _plan(
    request: CompletionRequest, deployment: Deployment, abilities: Abilities
) -> Plan:
    is_forced = _forces_a_tool(request) or (
        _json_tool(request, deployment, abilities) is not None
    )
    return plan_thinking(request, deployment, abilities, is_forced=is_forced)


def _sampling(
    request: CompletionRequest, abilities: Abilities, plan: Plan
) -> dict[str, Any]:
    """Return what the model takes of the three, for it refuses the others.

    Temperatures go up to 1. `top_p` is refused beside a temperature, and all
    three beside thoughts.
    """
    if not abilities.samples or plan.thinks:
        return {}
    sampling: dict[str, Any] = {}
    if request.temperature is not None and request.temperature <= 1.0:
        sampling["temperature"] = request.temperature
    if request.top_p is not None and request.temperature is None:
        sampling["top_p"] = request.top_p
    if request.top_k is not None:
        sampling["top_k"] = request.top_k
    return sampling


def _said(
    request: CompletionRequest, deployment: Deployment
) -> tuple[str, list[dict[str, Any]]]:
    """Return the system's words and the turns; where they are all, they are asked."""
    system, messages = _system(request, deployment), turns(request.messages)
    if messages or not system:
        return system, messages
    return "", [{"role": "user", "content": [{"type": "text", "text": system}]}]


def _system(request: CompletionRequest, deployment: Deployment) -> str:
    system = system_text(request.messages)
    wants_object = request.json_format is not None and _schema(request) is None
    if wants_object and _takes_json(deployment):
        return f"{system}\n\n{_JSON_WISH}".lstrip()
    return system


def _schema(request: CompletionRequest) -> Mapping[str, Any] | None:
    """Return the schema that the answer must keep; any object has none."""
    if request.json_schema is not None:
        return request.json_schema
    return request.json_format.schema if request.json_format else None


def _takes_json(deployment: Deployment) -> bool:
    return deployment.capabilities is None or "json" in deployment.capabilities


def _strict_schema(
    request: CompletionRequest, abilities: Abilities
) -> dict[str, Any] | None:
    schema = _schema(request)
    return tighten(schema) if schema is not None and abilities.schemas else None


def _output_config(
    request: CompletionRequest,
    deployment: Deployment,
    abilities: Abilities,
    plan: Plan,
) -> dict[str, Any]:
    config: dict[str, Any] = {"effort": plan.effort} if plan.effort else {}
    strict = _strict_schema(request, abilities)
    if strict is not None and _takes_json(deployment):
        config["format"] = {"type": "json_schema", "schema": strict}
    return config


def _json_tool(
    request: CompletionRequest, deployment: Deployment, abilities: Abilities
) -> dict[str, Any] | None:
    """Return the tool that stands for the answer, where the model needs one.

    For models older than structured outputs, and for schemas that have no strict
    form: `input_schema` takes any. Where the caller demands a call of a tool there
    is no other answer.
    """
    schema = _schema(request)
    if schema is None or not _takes_json(deployment) or _forces_a_tool(request):
        return None
    if _strict_schema(request, abilities) is not None:
        return None
    return {
        "name": JSON_TOOL,
        "description": "Give the answer to the user.",
        "input_schema": {**schema, "type": "object"},
    }


def _forced_json(request: CompletionRequest) -> dict[str, Any]:
    if request.tools and request.tool_choice != "none":
        return {"type": "any", "disable_parallel_tool_use": True}
    return {"type": "tool", "name": JSON_TOOL}


def _tools(request: CompletionRequest, abilities: Abilities) -> list[dict[str, Any]]:
    return [_tool(tool, abilities) for tool in request.tools]


def _tool(tool: Tool, abilities: Abilities) -> dict[str, Any]:
    said: dict[str, Any] = {"name": tool.name}
    if tool.description:
        said["description"] = tool.description
    strict = tighten(tool.parameters) if tool.strict and abilities.schemas else None
    if strict is not None:
        return {**said, "input_schema": strict, "strict": True}
    return {**said, "input_schema": {"type": "object", **tool.parameters}}


def _forces_a_tool(request: CompletionRequest) -> bool:
    is_free = request.tool_choice in (None, "auto", "none")
    return bool(request.tools) and not is_free


def _tool_choice(request: CompletionRequest) -> dict[str, Any]:
    is_single = request.parallel_tools is False
    if not request.tools or (request.tool_choice is None and not is_single):
        return {}
    choice = _CHOICES.get(request.tool_choice or "auto")
    said: dict[str, Any] = (
        {"type": "tool", "name": request.tool_choice} if choice is None else {**choice}
    )
    if is_single and said["type"] != "none":
        said["disable_parallel_tool_use"] = True
    return said


_CHOICES: Mapping[str, Mapping[str, str]] = {
    "auto": {"type": "auto"},
    "none": {"type": "none"},
    "required": {"type": "any"},
}
