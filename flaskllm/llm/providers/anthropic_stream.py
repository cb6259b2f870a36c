"""Streams in Anthropic's dialect.

Source: https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from flaskllm.core import json_text
from flaskllm.core.errors import LLMAPIError, LLMProtocolError
from flaskllm.core.json_text import read_object
from flaskllm.core.sse import SSEEvent, SSEParser
from flaskllm.llm.providers.anthropic_blocks import JOINABLE, Beginning, Block
from flaskllm.llm.providers.anthropic_errors import explain_object
from flaskllm.llm.providers.anthropic_events import (
    MESSAGE_STOP,
    WRITTEN,
    MalformedError,
    carries,
    hole,
    read_index,
    read_part,
    read_string,
)
from flaskllm.llm.providers.anthropic_reply import (
    LONGEST_NAME,
    finish_reason,
    read_usage,
)
from flaskllm.llm.providers.anthropic_request import JSON_TOOL
from flaskllm.llm.providers.written import Written
from flaskllm.llm.streams import Chunk, Opening, Piece, ToolFragment
from flaskllm.llm.types import FinishReason, Usage


class AnthropicStream:
    """Reads one stream: `StreamReader` says what each attribute means.

    With `is_raw` its events are passed on as they are; else they become chunks.
    """

    def __init__(self, *, is_raw: bool, json_tool: bool) -> None:
        """Start before the first byte.

        Args:
            is_raw: Whether the caller speaks this dialect.
            json_tool: Whether `JSON_TOOL` may stand for the answer's text.
        """
        self.has_token = False
        self.is_finished = False
        self.may_go_on = False
        self.is_complete = False
        self.usage = Usage()
        self.finish_reason: FinishReason | None = None
        self.model = ""
        self.malformed = 0
        self.is_joinable = True
        self.broken: LLMAPIError | None = None
        self._is_raw = is_raw
        self._json_tool = json_tool
        self._parser = SSEParser()
        self._counts: dict[str, Any] = {}
        self._blocks: dict[int, Block] = {}
        self._calls = 0
        self._written = Written()
        self._beginning = Beginning()

    @property
    def output(self) -> str:
        """Return all that the model wrote so far."""
        return self._written.all()

    @property
    def text(self) -> str:
        """Return the text of all blocks so far."""
        return self._written.text()

    @property
    def opening(self) -> Opening | None:
        """Return how the answer began; None before it, and where it is chunks."""
        return self._beginning.opening if self._is_raw else None

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Return what these bytes complete.

        Raises:
            LLMAPIError: An `error` event came, and nothing before it.
            LLMProtocolError: An event, or their number, is over its cap; or one that
                carried a part of the answer cannot be read.
        """
        pieces: list[Piece] = []
        try:
            for event in self._parser.feed(data):
                if self.is_complete:
                    break
                pieces += self._take(event)
        except LLMAPIError as error:
            if not pieces:
                raise
            self.broken = error
        if self._is_raw and len(pieces) > 1:
            return [b"".join(piece for piece in pieces if isinstance(piece, bytes))]
        return pieces

    def end(self) -> Sequence[Piece]:
        """Return the end mark that the upstream forgot, if it said its finish.

        Raises:
            LLMProtocolError: It closed before.
        """
        if self.is_complete:
            return []
        if not self.is_finished:
            raise LLMProtocolError(details="The upstream's stream ends too early.")
        self.is_complete = True
        return [MESSAGE_STOP] if self._is_raw else []

    def _take(self, event: SSEEvent) -> Sequence[Piece]:
        """Return what an event says, or the event where it is passed on."""
        try:
            chunks = list(self._read(event))
        except MalformedError:
            if not self.is_finished and carries(event):
                raise hole() from None
            self.malformed += 1
            return ()
        return [event.raw] if self._is_raw else chunks

    def _read(self, event: SSEEvent) -> Iterator[Chunk]:
        told = read_object(event.data)
        if told is None:
            raise MalformedError
        read = _EVENTS.get(read_string(told, "type") or event.name)
        # A type that is not here is new or a ping, and says nothing to us.
        if read is not None:
            yield from read(self, told)

    def _message_start(self, told: dict[str, Any]) -> Iterator[Chunk]:
        message = read_part(told, "message")
        self.model = read_string(message, "model")[:LONGEST_NAME]
        self._beginning.start(read_string(message, "id"), self.model)
        self._count(message.get("usage"))
        yield Chunk(model=self.model, usage=self.usage)

    def _block_start(self, told: dict[str, Any]) -> Iterator[Chunk]:
        block = read_part(told, "content_block")
        kind, name = read_string(block, "type"), read_string(block, "name")
        index = read_index(told)
        begun = self._blocks[index] = Block(input=block.get("input"))
        is_json = kind == "tool_use" and self._json_tool and name == JSON_TOOL
        if kind not in JOINABLE and (self._is_raw or not is_json):
            self.is_joinable = False
        begun.is_json_answer = is_json
        if kind == "tool_use" and not is_json:
            begun.tool, self._calls = self._calls, self._calls + 1
            self.has_token = True
            yield Chunk(tool=ToolFragment(begun.tool, read_string(block, "id"), name))
        elif kind == "redacted_thinking":
            self.has_token = True
            yield Chunk(thinking_redacted=read_string(block, "data"))
        elif kind in ("text", "thinking") and read_string(block, kind):
            yield self._wrote(kind, read_string(block, kind))
        # Last of all: one that cannot be read is not passed on, and so not open.
        self._beginning.open_block(index, kind)

    def _block_delta(self, told: dict[str, Any]) -> Iterator[Chunk]:
        delta = read_part(told, "delta")
        kind = read_string(delta, "type")
        if kind == "input_json_delta":
            text = read_string(delta, "partial_json")
            yield from self._arguments(read_index(told), text)
        elif kind == "signature_delta":
            yield Chunk(thinking_signature=read_string(delta, "signature"))
        elif kind not in WRITTEN:
            self.is_joinable = False  # as a citation
        elif read_string(delta, WRITTEN[kind]):
            yield self._wrote(WRITTEN[kind], read_string(delta, WRITTEN[kind]))

    def _block_stop(self, told: dict[str, Any]) -> Iterator[Chunk]:
        index = read_index(told)
        block = self._blocks.get(index, Block())
        self._beginning.close_block()
        is_tool = block.tool is not None or block.is_json_answer
        if is_tool and not block.has_arguments:
            # A call without arguments has no delta; others send all at the start.
            text = json_text.dump(block.input or {}).decode()
            yield from self._arguments(index, text)

    def _message_delta(self, told: dict[str, Any]) -> Iterator[Chunk]:
        delta = read_part(told, "delta")
        self._count(told.get("usage"))
        if reason := read_string(delta, "stop_reason"):
            self._finish(reason)
        yield Chunk(
            finish_reason=self.finish_reason,
            stop_sequence=read_string(delta, "stop_sequence") or None,
            usage=self.usage,
        )

    def _message_stop(self, told: dict[str, Any]) -> Iterator[Chunk]:
        self.is_complete = True
        if not self.is_finished:
            self._finish("tool_use" if self._calls else "end_turn")
            yield Chunk(finish_reason=self.finish_reason)

    def _error(self, told: dict[str, Any]) -> Iterator[Chunk]:
        raise explain_object(told.get("error"))

    def _wrote(self, kind: str, text: str) -> Chunk:
        self.has_token = True
        if kind == "text":
            self._written.pieces.append(text)
            return Chunk(text=text)
        self._written.add_other(text)
        return Chunk(thinking=text)

    def _arguments(self, index: int, text: str) -> Iterator[Chunk]:
        block = self._blocks.get(index)
        # One that is neither is a tool that the upstream runs itself.
        is_told = block and (block.is_json_answer or block.tool is not None)
        if block is None or not is_told or not text:
            return
        block.has_arguments = True
        if block.tool is None:
            yield self._wrote("text", text)
            return
        self._written.add_other(text)
        yield Chunk(tool=ToolFragment(block.tool, arguments=text))

    def _finish(self, reason: str) -> None:
        self.finish_reason = finish_reason(reason, has_calls=self._calls > 0)
        self.is_finished = self.has_token = True

    def _count(self, usage: Any) -> None:
        """Take counts over: they are cumulative, and what is left out still holds."""
        if isinstance(usage, dict):
            told = {name: count for name, count in usage.items() if count is not None}
            self._counts.update(told)
            self.usage = read_usage(self._counts)


_EVENTS: Mapping[str, Callable[[AnthropicStream, dict[str, Any]], Iterator[Chunk]]] = {
    "message_start": AnthropicStream._message_start,
    "content_block_start": AnthropicStream._block_start,
    "content_block_delta": AnthropicStream._block_delta,
    "content_block_stop": AnthropicStream._block_stop,
    "message_delta": AnthropicStream._message_delta,
    "message_stop": AnthropicStream._message_stop,
    "error": AnthropicStream._error,
}
