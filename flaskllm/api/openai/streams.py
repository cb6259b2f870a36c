"""Streamed answers as OpenAI tells them.

The role first, then deltas, then an empty one with the finish reason, then the usage
where it was asked for, then `[DONE]`.
Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flaskllm.api.openai.errors import body_of
from flaskllm.api.openai.replies import new_id, usage_of
from flaskllm.core import json_text
from flaskllm.core.errors import APIError
from flaskllm.core.sse import DONE
from flaskllm.llm.streaming import StreamAnswer
from flaskllm.llm.streams import Chunk, ToolFragment

Delta = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Opening:
    """What all events of one stream begin with.

    `created` is in Unix seconds; `includes_usage` is what the caller asked for.
    """

    object: str
    id: str
    created: int
    model: str
    includes_usage: bool

    def chunk(self, choice: dict[str, Any]) -> bytes:
        """Return the event of one choice."""
        return self._event([choice], None)

    def end(self, answer: StreamAnswer) -> bytes:
        """Return what follows the finish reason."""
        if not self.includes_usage:
            return DONE
        return self._event([], usage_of(answer.usage)) + DONE

    def _event(self, choices: list[dict[str, Any]], usage: Any) -> bytes:
        payload: dict[str, Any] = {
            "id": self.id,
            "object": self.object,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": None,
            "choices": choices,
        }
        if self.includes_usage:
            payload["usage"] = usage
        return event(payload)


class ChatEncoder:
    """Tells one answer as chunks of a chat completion."""

    def __init__(self, model: str, created: int, *, includes_usage: bool) -> None:
        """Start before the first chunk, see `Opening`."""
        self._opening = Opening(
            "chat.completion.chunk", new_id("chatcmpl"), created, model, includes_usage
        )
        self._has_begun = False

    def encode(self, chunk: Chunk) -> bytes:
        """Return the events that tell this chunk; empty when it has none."""
        told = b"".join(map(self._delta, _deltas(chunk)))
        return self._begin() + told if told else b""

    def finish(self, answer: StreamAnswer) -> bytes:
        """Return the clean end."""
        last = self._begin() + self._delta({}, answer.finish_reason)
        return last + self._opening.end(answer)

    def fail(self, error: APIError) -> bytes:
        """Return the one event that ends a stream which broke."""
        return event(body_of(error))

    def _begin(self) -> bytes:
        if self._has_begun:
            return b""
        self._has_begun = True
        return self._delta({"role": "assistant", "content": "", "refusal": None})

    def _delta(self, delta: Delta, finish_reason: str | None = None) -> bytes:
        return self._opening.chunk(
            {
                "index": 0,
                "delta": delta,
                "logprobs": None,
                "finish_reason": finish_reason,
            }
        )


class TextEncoder:
    """Tells one answer as chunks of a text completion."""

    def __init__(self, model: str, created: int, *, includes_usage: bool) -> None:
        """Start before the first chunk, see `Opening`."""
        self._opening = Opening(
            "text_completion", new_id("cmpl"), created, model, includes_usage
        )

    def encode(self, chunk: Chunk) -> bytes:
        """Return the event that tells this chunk; empty when it has no text."""
        return self._text(chunk.text) if chunk.text else b""

    def finish(self, answer: StreamAnswer) -> bytes:
        """Return the clean end."""
        return self._text("", answer.finish_reason) + self._opening.end(answer)

    def fail(self, error: APIError) -> bytes:
        """Return the one event that ends a stream which broke."""
        return event(body_of(error))

    def _text(self, text: str, finish_reason: str | None = None) -> bytes:
        return self._opening.chunk(
            {
                "text": text,
                "index": 0,
                "logprobs": None,
                "finish_reason": finish_reason,
            }
        )


def event(payload: dict[str, Any]) -> bytes:
    """Return one event, which stays one to every client whatever its texts hold."""
    return b"data: %b\n\n" % json_text.dump_line(payload)


def _deltas(chunk: Chunk) -> Iterator[Delta]:
    if chunk.thinking:
        yield {"reasoning_content": chunk.thinking}
    if chunk.text:
        yield {"content": chunk.text}
    if chunk.refusal:
        yield {"refusal": chunk.refusal}
    if chunk.tool:
        yield {"tool_calls": [_call_of(chunk.tool)]}


def _call_of(fragment: ToolFragment) -> dict[str, Any]:
    """Return a fragment of a call; id, type and name stand in its first alone."""
    if not fragment.id and not fragment.name:
        return {
            "index": fragment.index,
            "function": {"arguments": fragment.arguments},
        }
    return {
        "index": fragment.index,
        "id": fragment.id,
        "type": "function",
        "function": {"name": fragment.name, "arguments": fragment.arguments},
    }
