"""Whole replies in Gemini's dialect, and the events of a stream, which look alike.

Source: https://ai.google.dev/api/generate-content
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from flaskllm.core import json_text
from flaskllm.core.errors import LLMProtocolError
from flaskllm.core.ids import new_id
from flaskllm.llm.parts import Text, Thinking, ToolCall
from flaskllm.llm.providers.counts import read_count
from flaskllm.llm.types import Completion, FinishReason, Usage

LONGEST_NAME = 200

# Any other is a way to say "stop" that we do not know.
_FINISH_REASONS: Mapping[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "LANGUAGE": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
}
# The model wrote what its own service could not read; another try may do better.
_BROKEN_OFF = frozenset(
    {"MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "UNEXPECTED_TOOL_CALL"}
    | {"TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE"}
)


class _Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class _FunctionCall(_Shape):
    id: str | None = None
    name: str
    args: dict[str, Any] | None = None


class _Part(_Shape):
    text: str | None = None
    thought: bool = False
    thought_signature: str | None = None
    function_call: _FunctionCall | None = None


class _Content(_Shape):
    parts: list[_Part] | None = None


class _Candidate(_Shape):
    content: _Content | None = None
    finish_reason: str | None = None


class _Feedback(_Shape):
    block_reason: str | None = None


class Reply(_Shape):
    """An answer or a piece of one, or an error in its place."""

    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: Any = None
    model_version: str | None = None
    error: Any = None

    @property
    def is_blocked(self) -> bool:
        """Tell whether the prompt was refused: then there is no candidate."""
        return bool(self.prompt_feedback and self.prompt_feedback.block_reason)

    @property
    def model(self) -> str:
        """Return the name that the upstream gave itself, else empty."""
        return (self.model_version or "")[:LONGEST_NAME]

    @property
    def finish_reason(self) -> str | None:
        """Return why the first candidate ended; None while it goes on."""
        return self.candidates[0].finish_reason if self.candidates else None


def read_reply(data: bytes) -> Reply:
    """Return the reply that a body or an event is.

    Raises:
        LLMProtocolError: It is not JSON, or not of the dialect's shape.
    """
    try:
        return Reply.model_validate_json(data)
    except ValidationError:
        # From None: pydantic's text quotes the upstream's.
        raise LLMProtocolError(
            details="The upstream's reply is not a generated content."
        ) from None


def read_parts(reply: Reply) -> Iterator[Text | Thinking | ToolCall]:
    """Yield what the first candidate says; a call without an id gets one."""
    content = reply.candidates[0].content if reply.candidates else None
    for part in (content and content.parts) or ():
        if part.function_call is not None:
            yield _tool_call(part.function_call, part.thought_signature)
        elif part.text:
            yield Thinking(part.text) if part.thought else Text(part.text)


def to_completion(reply: Reply) -> Completion:
    """Return the completion in a reply that is no error.

    Raises:
        LLMProtocolError: There is no candidate, or one without content that does
            not say why; or the model wrote what its service could not read.
    """
    if not reply.candidates and not reply.is_blocked:
        raise LLMProtocolError(details="The upstream's reply holds no candidate.")
    said = tuple(read_parts(reply))
    text = "".join(part.text for part in said if isinstance(part, Text))
    calls = tuple(part for part in said if isinstance(part, ToolCall))
    reason: FinishReason = "content_filter"
    if reply.candidates:
        reason = finish_reason(reply.finish_reason, has_calls=bool(calls))
    if reason == "stop" and not text:
        raise no_content()
    return Completion(
        text=text,
        finish_reason=reason,
        usage=read_usage(reply.usage_metadata),
        model=reply.model,
        tool_calls=calls,
        thinking=_joined(part for part in said if isinstance(part, Thinking)),
    )


def finish_reason(told: str | None, *, has_calls: bool) -> FinishReason:
    """Return the canonical reason; calls of tools end with a plain stop here.

    Raises:
        LLMProtocolError: The model wrote what its service could not read.
    """
    if told in _BROKEN_OFF:
        raise LLMProtocolError(
            details="The model's call of a tool could not be read by its service."
        )
    reason = _FINISH_REASONS.get(told or "STOP", "stop")
    return "tool_calls" if reason == "stop" and has_calls else reason


def no_content() -> LLMProtocolError:
    """Return the error for an answer of nothing, which another try often mends."""
    return LLMProtocolError(details="The upstream's reply holds no content.")


def read_usage(usage: Any) -> Usage:
    """Return the counts in their normal form, or none when they cannot be true.

    What was read from the cache is inside the prompt; what tools of Google's put
    into the prompt is beside it; thoughts are beside the answer, and paid like it.
    What the total has beyond all these is thoughts too.
    """
    if not isinstance(usage, dict):
        return Usage()
    prompt = read_count(usage, "promptTokenCount")
    cached = read_count(usage, "cachedContentTokenCount")
    added = read_count(usage, "toolUsePromptTokenCount")
    answer = read_count(usage, "candidatesTokenCount")
    thoughts = read_count(usage, "thoughtsTokenCount")
    beyond = 0
    if usage.get("totalTokenCount") is not None:
        known = prompt + added + answer + thoughts
        beyond = read_count(usage, "totalTokenCount") - known
    # A prompt of nothing was never sent: such servers do not count.
    if min(prompt - 1, cached, added, answer, thoughts, beyond) < 0 or cached > prompt:
        return Usage()
    return Usage(
        input_uncached=prompt - cached + added,
        input_cache_read=cached,
        output_text=answer,
        output_reasoning=thoughts + beyond,
        source="provider",
    )


def _tool_call(call: _FunctionCall, signature: str | None) -> ToolCall:
    arguments = json_text.dump(call.args or {}).decode()
    return ToolCall(call.id or new_id("call"), call.name, arguments, signature)


def _joined(thoughts: Iterable[Thinking]) -> tuple[Thinking, ...]:
    """Return one thought: the parts of a summary are no thoughts by themselves."""
    text = "".join(thought.text for thought in thoughts)
    return (Thinking(text),) if text else ()
