"""What a message or a delta of OpenAI's dialect says, whoever wrote it.

Thoughts have three homes: `reasoning_content` (DeepSeek, vLLM, xAI, Moonshot, ...),
`reasoning` (OpenRouter, Groq, Cerebras, newer vLLM), and pieces of `content`
(Mistral). Some services send the first two with the same words.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from flaskllm.core.errors import LLMUnavailable
from flaskllm.llm.types import FinishReason

# Any other finish reason is a way to say "stop" that we do not know.
_FINISH_REASONS: Mapping[str, FinishReason] = {
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
# OpenRouter, vLLM and DeepSeek: the answer ends here because something broke.
_BROKEN_OFF = frozenset({"error", "abort", "insufficient_system_resource"})


class Words(NamedTuple):
    """What is said; `calls` are the raw objects of `tool_calls`."""

    thinking: str
    text: str
    refusal: str
    calls: tuple[dict[str, Any], ...]
    is_other: bool
    """Whether it says something that only the same dialect can hold."""


def read_words(message: Mapping[str, Any]) -> Words:
    """Return what a `message` or a `delta` says; what has another type says nothing."""
    thinking, text = _read_content(message.get("content"))
    thought = message.get("reasoning_content") or message.get("reasoning")
    if isinstance(thought, str):
        thinking += thought
    refusal, calls = message.get("refusal"), message.get("tool_calls")
    return Words(
        thinking,
        text,
        refusal if isinstance(refusal, str) else "",
        tuple(call for call in calls if isinstance(call, dict))
        if isinstance(calls, list)
        else (),
        bool(message.get("audio") or message.get("function_call")),
    )


def read_finish(reason: str, *, has_calls: bool, has_refusal: bool) -> FinishReason:
    """Return the finish reason; several services say "stop" after calling tools.

    Raises:
        LLMUnavailable: The upstream says that it broke the answer off.
    """
    if reason in _BROKEN_OFF:
        raise LLMUnavailable(details="The upstream broke the answer off.")
    if has_refusal:
        return "content_filter"
    read = _FINISH_REASONS.get(reason, "stop")
    return "tool_calls" if read == "stop" and has_calls else read


def _read_content(content: Any) -> tuple[str, str]:
    """Return the thoughts and the text in a content, which Mistral sends in pieces."""
    if isinstance(content, str):
        return "", content
    if not isinstance(content, list):
        return "", ""
    pieces = [piece for piece in content if isinstance(piece, dict)]
    thinking = "".join(_read_content(piece.get("thinking"))[1] for piece in pieces)
    texts = (piece.get("text") for piece in pieces)
    return thinking, "".join(text for text in texts if isinstance(text, str))
