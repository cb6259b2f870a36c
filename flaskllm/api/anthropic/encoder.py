"""A stream as Anthropic tells it: one message, made of blocks one after the other.

`message_start`, then for each block `content_block_start`, its deltas and
`content_block_stop`, then `message_delta` and `message_stop`.
Source: https://docs.claude.com/en/api/messages-streaming
"""

from collections.abc import Iterable, Iterator
from typing import Any

from flaskllm.api.anthropic.errors import body_of
from flaskllm.api.anthropic.replies import (
    new_message,
    stop_reason,
    thinking_block,
    usage_of,
)
from flaskllm.api.replies import rescue_note
from flaskllm.api.tool_order import ToolOrder
from flaskllm.core import json_text
from flaskllm.core.errors import APIError
from flaskllm.core.ids import new_id
from flaskllm.core.sse import encode_event
from flaskllm.llm.parts import Thinking
from flaskllm.llm.streaming import StreamAnswer
from flaskllm.llm.streams import Chunk, Seam, ToolFragment
from flaskllm.llm.types import Usage

Event = dict[str, Any]


class MessagesEncoder:
    """Tells one answer; never two blocks at once, and their indexes increase."""

    def __init__(self, model: str, input_tokens: int, request_id: str) -> None:
        """Start before the first chunk.

        Args:
            model: What the message names when the upstream does not.
            input_tokens: An estimate, told at the start: clients show it.
            request_id: Told with an error.
        """
        self._model = model
        self._request_id = request_id
        self._usage = Usage(input_uncached=max(1, input_tokens), source="estimated")
        self._order = ToolOrder()
        self._has_started = False
        self._open: str | None = None  # the type of the open block
        self._tool: int | None = None  # the index of the call in the open block
        self._index = 0  # of the open block
        self._next_index = 0
        self._stop_sequence: str | None = None
        self._seam: Seam | None = None

    def encode(self, chunk: Chunk) -> bytes:
        """Return the events that tell this chunk; empty when it has none."""
        if chunk.usage is not None and chunk.usage.tokens_input > 0:
            self._usage = chunk.usage
        if chunk.stop_sequence is not None:
            self._stop_sequence = chunk.stop_sequence
        return _wire([*self._start(chunk.model), *self._content(chunk)])

    def resume(self, seam: Seam) -> None:
        """Go on where another deployment takes over, in the block that is open.

        An open thought is closed before the text that follows it.
        """
        self._seam = seam
        began = seam.opening
        if began is None:
            return
        self._has_started = True
        self._next_index = began.next_block
        if began.block is not None:
            self._index = began.block
            self._open = "thinking" if began.is_thought else "text"

    def finish(self, answer: StreamAnswer) -> bytes:
        """Return the clean end, with what `answer` says of reason and usage."""
        events = [*self._start(answer.model)]
        for fragment in self._order.end():
            events += self._call(fragment)
        events += self._close()
        reason = stop_reason(answer.finish_reason, self._stop_sequence)
        delta = {"stop_reason": reason, "stop_sequence": self._stop_sequence}
        usage = usage_of(answer.usage)
        ended = {"type": "message_delta", "delta": delta, "usage": usage}
        events.append(ended | rescue_note(self._seam))
        events.append({"type": "message_stop"})
        return _wire(events)

    def fail(self, error: APIError) -> bytes:
        """Return the error; no block is closed and no message stopped after it."""
        body = json_text.dump_line(body_of(error, self._request_id))
        return encode_event(body, name="error")

    def _start(self, model: str) -> Iterator[Event]:
        if self._has_started:
            return
        self._has_started = True
        usage = {**usage_of(self._usage), "output_tokens": 1}
        message = {**new_message(model or self._model), "usage": usage}
        yield {"type": "message_start", "message": message}

    def _content(self, chunk: Chunk) -> Iterator[Event]:
        if chunk.thinking:
            yield from self._think(
                {"type": "thinking_delta", "thinking": chunk.thinking}
            )
        if chunk.thinking_signature is not None:
            signature = chunk.thinking_signature
            yield from self._think({"type": "signature_delta", "signature": signature})
            yield from self._close()
        if chunk.thinking_redacted is not None:
            redacted = Thinking(redacted=chunk.thinking_redacted)
            yield from self._begin(thinking_block(redacted))
            yield from self._close()
        if text := chunk.text or chunk.refusal:
            if self._open != "text":
                yield from self._begin({"type": "text", "text": ""})
            yield self._delta({"type": "text_delta", "text": text})
        if chunk.tool is not None:
            for fragment in self._order.feed(chunk.tool):
                yield from self._call(fragment)

    def _think(self, delta: Event) -> Iterator[Event]:
        if self._open != "thinking":
            yield from self._begin(thinking_block(Thinking()))
        yield self._delta(delta)

    def _call(self, fragment: ToolFragment) -> Iterator[Event]:
        if self._open != "tool_use" or self._tool != fragment.index:
            self._tool = fragment.index
            block = {
                "type": "tool_use",
                "id": fragment.id or new_id("toolu"),
                "name": fragment.name,
                "input": {},
            }
            yield from self._begin(block)
        if fragment.arguments:
            delta = {"type": "input_json_delta", "partial_json": fragment.arguments}
            yield self._delta(delta)

    def _begin(self, block: Event) -> Iterator[Event]:
        yield from self._close()
        self._index = self._next_index
        self._next_index += 1
        self._open = block["type"]
        if self._open != "tool_use":
            self._order.interrupt()
        yield {
            "type": "content_block_start",
            "index": self._index,
            "content_block": block,
        }

    def _delta(self, delta: Event) -> Event:
        return {"type": "content_block_delta", "index": self._index, "delta": delta}

    def _close(self) -> Iterator[Event]:
        if self._open is None:
            return
        self._open = None
        yield {"type": "content_block_stop", "index": self._index}


def _wire(events: Iterable[Event]) -> bytes:
    return b"".join(
        encode_event(json_text.dump_line(event), name=event["type"]) for event in events
    )
