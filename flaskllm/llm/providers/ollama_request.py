"""What is asked of Ollama, in its own dialect.

Sources: https://docs.ollama.com/api/chat and https://docs.ollama.com/api/embed;
`truncate` and `shift` of a chat stand in the server's api/types.go alone (since
0.12.6; an older server ignores them).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from flaskllm.core.errors import InvalidInputError
from flaskllm.core.json_text import read_object
from flaskllm.llm import known_models
from flaskllm.llm.parts import (
    Image,
    Message,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from flaskllm.llm.tokens import estimate_request, output_cap
from flaskllm.llm.types import CompletionRequest, Deployment, EmbeddingRequest

# Another num_ctx makes the server load the model again, for seconds: few sizes.
_SMALLEST_CONTEXT = 8192
# What is kept for an answer that nobody capped.
_ANSWER_TOKENS = 4096

# gpt-oss alone thinks in levels, always; all others know on and off.
_LEVELS: Mapping[str, str] = {
    "none": "low",
    "minimal": "low",
    "low": "low",
    "medium": "medium",
}
_HIGHEST_LEVEL = "high"


def chat_body(request: CompletionRequest, deployment: Deployment) -> dict[str, Any]:
    """Return the body of `POST /api/chat`.

    The context is asked for explicitly, and neither the prompt may be cut to it
    nor its start be dropped while the answer grows: the server does both without
    a word when nothing is said.

    Raises:
        InvalidInputError: An image is given by an address, which nobody fetches.
    """
    body = {
        "model": deployment.model,
        "messages": list(_messages(request.messages)),
        "stream": request.stream,
        "truncate": False,
        "shift": False,
        "options": _options(request, deployment),
    }
    extras = {
        "tools": [] if request.tool_choice == "none" else list(_tools(request)),
        "format": _format(request, deployment),
    }
    body.update({name: value for name, value in extras.items() if value})
    think = _think(request, deployment)
    return body if think is None else {**body, "think": think}


def embed_body(request: EmbeddingRequest, deployment: Deployment) -> dict[str, Any]:
    """Return the body of `POST /api/embed`. A text that is too long is not cut.

    Raises:
        InvalidInputError: An input is a list of token numbers.
    """
    for index, each in enumerate(request.inputs):
        if not isinstance(each, str):
            raise InvalidInputError.of(
                f"input.{index}", "token numbers, which Ollama does not take", "a text"
            )
    body: dict[str, Any] = {
        "model": deployment.model,
        "input": list(request.inputs),
        "truncate": False,
    }
    if request.dimensions is not None:
        body["dimensions"] = request.dimensions
    return body


def dropped_fields(
    request: CompletionRequest, deployment: Deployment
) -> tuple[str, ...]:
    """Return the fields of the caller's that this model cannot be told."""
    extras = request.body.extras if request.body else ()
    lost = {
        "n": request.choices > 1,
        "tool_choice": request.tool_choice not in (None, "auto", "none"),
        "parallel_tool_calls": request.parallel_tools is not None,
        "user": request.user is not None,
        "reasoning_effort": _wish(request) is not None
        and _think(request, deployment) is None,
    }
    names = (name for name, is_lost in lost.items() if is_lost)
    return tuple(dict.fromkeys([*extras, *names]))


def context_tokens(request: CompletionRequest, deployment: Deployment) -> int:
    """Return the context to ask for: the smallest power of two that holds it all.

    That is the input as estimated, and the answer's cap or 4096 tokens; at least
    8192, and never more than the deployment's window where that is known.
    """
    family = known_models.family_of(deployment.model)
    answer = output_cap(request, deployment) or _ANSWER_TOKENS
    needed = estimate_request(request, family) + answer
    tokens = _SMALLEST_CONTEXT
    while tokens < needed:
        tokens *= 2
    return min(tokens, deployment.context_window or tokens)


def _options(request: CompletionRequest, deployment: Deployment) -> dict[str, Any]:
    options = {
        "num_ctx": context_tokens(request, deployment),
        "num_predict": output_cap(request, deployment),
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "seed": request.seed,
        "stop": list(request.stop) or None,
    }
    return {name: value for name, value in options.items() if value is not None}


def _tools(request: CompletionRequest) -> Iterator[dict[str, Any]]:
    for tool in request.tools:
        parameters = dict(tool.parameters) or {"type": "object", "properties": {}}
        function = {
            "name": tool.name,
            "description": tool.description,
            "parameters": parameters,
        }
        yield {"type": "function", "function": function}


def _format(
    request: CompletionRequest, deployment: Deployment
) -> Mapping[str, Any] | str | None:
    """Return the schema of the answer, or `json` for any object."""
    offered = deployment.capabilities
    if offered is not None and "json" not in offered:
        return None
    if request.json_schema is not None:
        return dict(request.json_schema)
    if request.json_format is None:
        return None
    return dict(request.json_format.schema or {}) or "json"


def _think(request: CompletionRequest, deployment: Deployment) -> bool | str | None:
    """Return how hard to think; None leaves it to the model.

    The server refuses to think with a model that cannot.
    """
    offered, wish = deployment.capabilities, _wish(request)
    if wish is None or (offered is not None and "thinking" not in offered):
        return None
    if "gpt-oss" in deployment.model:
        return _LEVELS.get(wish, _HIGHEST_LEVEL)
    return wish != "none"


def _wish(request: CompletionRequest) -> str | None:
    if request.effort is not None or request.thinking_tokens is None:
        return request.effort
    return "medium" if request.thinking_tokens else "none"


def _messages(messages: tuple[Message, ...]) -> Iterator[dict[str, Any]]:
    names: dict[str, str] = {}
    for index, message in enumerate(messages):
        path = f"messages.{index}"
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        for result in results:
            yield _result(result, names.get(result.call_id, ""), path)
        words = any(isinstance(part, Text | Image) for part in message.parts)
        if results and not words:
            continue
        role = "user" if results else message.role
        told = {"role": role, **_content(message.parts, path)}
        # An id may come again in a later turn: what was called last is meant.
        for part in message.parts:
            if isinstance(part, ToolCall):
                names[part.id] = part.name
                told.setdefault("tool_calls", []).append(_call(part))
        thoughts = [part.text for part in message.parts if isinstance(part, Thinking)]
        if any(thoughts):
            told["thinking"] = "".join(thoughts)
        yield told


def _content(parts: tuple[Part, ...], path: str) -> dict[str, Any]:
    """Return the words of some parts, and their pictures in base64."""
    text = "".join(part.text for part in parts if isinstance(part, Text))
    images = [_image(part, path) for part in parts if isinstance(part, Image)]
    return {"content": text, "images": images} if images else {"content": text}


def _image(image: Image, path: str) -> str:
    if image.data is None:
        raise InvalidInputError.of(
            path,
            "an image by its address, which this model's server does not fetch",
            "an image as base64 data",
        )
    return image.data


def _result(result: ToolResult, name: str, path: str) -> dict[str, Any]:
    told = {
        "role": "tool",
        "tool_call_id": result.call_id,
        **_content(result.content, path),
    }
    return {**told, "tool_name": name} if name else told


def _call(call: ToolCall) -> dict[str, Any]:
    """Return a call with its arguments as the object that is required."""
    arguments = read_object(call.arguments or "{}")
    if arguments is None:
        arguments = {"arguments": call.arguments}
    return {"id": call.id, "function": {"name": call.name, "arguments": arguments}}
