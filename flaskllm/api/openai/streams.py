"""Streamed answers as OpenAI tells them.

The role first, then deltas, then an empty one with the finish reason, then the usage
where it was asked for, then `[DONE]`.
Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from flaskllm.api.openai.errors import body_of
from flaskllm.api.openai.replies import new_id, usage_of
from flaskllm.api.replies import rescue_note
from flaskllm.core import json_text
from flaskllm.core.errors import APIError
from flaskllm.core.sse import DONE
from flaskllm.llm.streaming import StreamAnswer
from flaskllm.llm.streams import Chunk, Opening, Seam, ToolFragment

Delta = dict[str, Any]

_ROLE: Delta = {"role": "assistant", "content": "", "refusal": None}


@dataclass(frozen=True, slots=True)
class Heading:
    """What all events of one stream begin with.

    `created` is in Unix seconds; `includes_usage` is what the caller asked for;
    `seam` is told with the finish, where there was one.
    """

    object: str
    id: str
    created: int
    model: str
    includes_usage: bool
    seam: Seam | None = None

    def after(self, seam: Seam) -> "Heading":
        """Return what the events after a seam begin with: what those before did."""
        began = seam.opening or Opening()
        return replace(
            self,
            id=began.id or self.id,
            created=self.created if began.created is None else began.created,
            model=began.model or self.model,
            seam=seam,
        )

    def chunk(self, choice: dict[str, Any]) -> bytes:
        """Return the event of one choice."""
        return event(self._payload([choice], None))

    def end(self, choice: dict[str, Any], answer: StreamAnswer) -> bytes:
        """Return the choice with the finish reason, and what follows it."""
        last = event(self._payload([choice], None) | rescue_note(self.seam))
        if not self.includes_usage:
            return last + DONE
        return last + event(self._payload([], usage_of(answer.usage))) + DONE

    def _payload(self, choices: list[dict[str, Any]], usage: Any) -> dict[str, Any]:
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
        return payload


class ChatEncoder:
    """Tells one answer as chunks of a chat completion."""

    def __init__(self, model: str, created: int, *, includes_usage: bool) -> None:
        """Start before the first chunk, see `Heading`."""
        self._heading = Heading(
            "chat.completion.chunk", new_id("chatcmpl"), created, model, includes_usage
        )
        self._has_begun = False

    def encode(self, chunk: Chunk) -> bytes:
        """Return the events that tell this chunk; empty when it has none."""
        told = b"".join(self._heading.chunk(_choice(each)) for each in _deltas(chunk))
        return self._begin() + told if told else b""

    def resume(self, seam: Seam) -> None:
        """Go on where another deployment takes over; the role is told already."""
        self._heading = self._heading.after(seam)
        self._has_begun = self._has_begun or seam.opening is not None

    def finish(self, answer: StreamAnswer) -> bytes:
        """Return the clean end."""
        last = _choice({}, answer.finish_reason)
        return self._begin() + self._heading.end(last, answer)

    def fail(self, error: APIError) -> bytes:
        """Return the one event that ends a stream which broke."""
        return event(body_of(error))

    def _begin(self) -> bytes:
        if self._has_begun:
            return b""
        self._has_begun = True
        return self._heading.chunk(_choice(_ROLE))


class TextEncoder:
    """Tells one answer as chunks of a text completion."""

    def __init__(self, model: str, created: int, *, includes_usage: bool) -> None:
        """Start before the first chunk, see `Heading`."""
        self._heading = Heading(
            "text_completion", new_id("cmpl"), created, model, includes_usage
        )

    def encode(self, chunk: Chunk) -> bytes:
        """Return the event that tells this chunk; empty when it has no text."""
        return self._heading.chunk(_text(chunk.text)) if chunk.text else b""

    def resume(self, seam: Seam) -> None:
        """Go on where another deployment takes over."""
        self._heading = self._heading.after(seam)

    def finish(self, answer: StreamAnswer) -> bytes:
        """Return the clean end."""
        return self._heading.end(_text("", answer.finish_reason), answer)

    def fail(self, error: APIError) -> bytes:
        """Return the one event that ends a stream which broke."""
        return event(body_of(error))


def event(payload: dict[str, Any]) -> bytes:
    """Return one event, which stays one to every client whatever its texts hold."""
    return b"data: %b\n\n" % json_text.dump_line(payload)


def _choice(delta: Delta, finish_reason: str | None = None) -> dict[str, Any]:
    return {
        "index": 0,
        "delta": delta,
        "logprobs": None,
        "finish_reason": finish_reason,
    }


def _text(text: str, finish_reason: str | None = None) -> dict[str, Any]:
    return {
        "text": text,
        "index": 0,
        "logprobs": None,
        "finish_reason": finish_reason,
    }


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
