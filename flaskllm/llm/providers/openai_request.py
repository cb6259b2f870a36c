"""What is asked in OpenAI's dialect: a body of our own, or the caller's passed on.

Source: https://platform.openai.com/docs/api-reference/chat/create
"""

from collections.abc import Iterator, Mapping
from typing import Any

from flaskllm.llm.providers.compatible import Dialect
from flaskllm.llm.providers.openai_fields import canonical_fields, loses_schema, options
from flaskllm.llm.providers.openai_turns import (
    NAME_OF_A_MESSAGE,
    adapted,
    names_one,
)
from flaskllm.llm.types import CallerBody, CompletionRequest, Deployment, Wire

_CAPS = ("max_completion_tokens", "max_tokens")


def wires(dialect: Dialect) -> frozenset[Wire]:
    """Return the callers' dialects in which a service can be asked as it is."""
    if dialect.speaks_text:
        return frozenset({"openai.chat", "openai.text"})
    return frozenset({"openai.chat"})


def passed_on(request: CompletionRequest, dialect: Dialect) -> CallerBody | None:
    """Return the caller's body if it is passed on as it is, else None."""
    body = request.body
    return body if body and body.wire in wires(dialect) else None


def wants_usage(request: CompletionRequest) -> bool:
    """Tell whether the caller asked for the event that counts tokens."""
    given = request.body.fields.get("stream_options") if request.body else None
    return isinstance(given, Mapping) and bool(given.get("include_usage"))


def asked_choices(body: CallerBody | None) -> int:
    """Return how many choices the caller's body asks for: `n` for each prompt."""
    if body is None:
        return 1
    wanted, prompts = body.fields.get("n"), body.fields.get("prompt")
    each = wanted if isinstance(wanted, int) else 1
    if not isinstance(prompts, list) or any(isinstance(p, int) for p in prompts):
        return each  # one text, or one text as the numbers of its tokens
    return each * max(1, len(prompts))


def encode_body(
    request: CompletionRequest, deployment: Deployment, dialect: Dialect
) -> dict[str, Any]:
    """Return the body to send, in the words that the service knows."""
    body = passed_on(request, dialect)
    if body is None:
        fields = canonical_fields(request, deployment, dialect)
    else:
        fields = _callers_fields(body, deployment, dialect)
    sent = {
        dialect.renames.get(name, name): value
        for name, value in fields.items()
        if not dialect.refuses(dialect.renames.get(name, name))
    }
    if "messages" in sent:
        sent["messages"] = adapted(sent["messages"], dialect)
    return sent | _streaming(request, dialect)


def dropped_fields(request: CompletionRequest, dialect: Dialect) -> tuple[str, ...]:
    """Return the fields of the caller's that `encode_body` leaves out."""
    body = passed_on(request, dialect)
    if body is not None:
        return tuple(_dropped_of(body.fields, dialect))
    extras = request.body.extras if request.body else ()
    lost = {
        "n": request.choices > 1,
        "thinking": request.thinking_tokens is not None,
        "response_format.json_schema": loses_schema(request, dialect),
    }
    unsaid = _dropped_of(options(request), dialect)
    lost_names = (name for name, is_lost in lost.items() if is_lost)
    return tuple(dict.fromkeys([*extras, *lost_names, *unsaid]))


def _dropped_of(fields: Mapping[str, Any], dialect: Dialect) -> Iterator[str]:
    for name in fields:
        # What caps the answer and what counts it has rules of its own.
        if name in _CAPS or name == "stream_options":
            continue
        if dialect.refuses(dialect.renames.get(name, name)):
            yield name
    if NAME_OF_A_MESSAGE in dialect.drops and names_one(fields.get("messages")):
        yield NAME_OF_A_MESSAGE


def _streaming(request: CompletionRequest, dialect: Dialect) -> dict[str, Any]:
    """Return what a stream is asked for with: usage always, where that is known."""
    if not request.stream:
        return {}
    if not dialect.asks_usage:
        return {"stream": True}
    given = request.body.fields.get("stream_options") if request.body else None
    callers = given if isinstance(given, Mapping) else {}
    return {"stream": True, "stream_options": {**callers, "include_usage": True}}


def _callers_fields(
    body: CallerBody, deployment: Deployment, dialect: Dialect
) -> dict[str, Any]:
    """Return the caller's fields with the deployment's model and a cap it allows."""
    fields = {**body.fields, "model": deployment.model}
    for name in ("stream", "stream_options"):
        fields.pop(name, None)
    known = dialect.output_caps if body.wire == "openai.chat" else ("max_tokens",)
    for name in _CAPS:
        if fields.get(name) is None:
            continue
        cap = fields.pop(name)
        if isinstance(cap, int) and deployment.max_output_tokens is not None:
            cap = min(cap, deployment.max_output_tokens)
        fields.setdefault(name if name in known else known[0], cap)
    return fields
