"""Streams in Anthropic's dialect.

Source: https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flaskllm.core import json_text
from flaskllm.core.errors import LLMProtocolError
from flaskllm.core.json_text import read_object
from flaskllm.core.sse import SSEEvent, SSEParser
from flaskllm.llm.providers.anthropic_errors import explain_object
from flaskllm.llm.providers.anthropic_reply import (
    LONGEST_NAME,
    finish_reason,
    read_usage,
)
from flaskllm.llm.providers.anthropic_request import JSON_TOOL
from flaskllm.llm.streams import Chunk, Piece, ToolFragment
from flaskllm.llm.types import FinishReason, Usage

_MESSAGE_STOP = b'event: message_stop\ndata: {"type": "message_stop"}\n\n'


class _MalformedError(Exception):
    """An event is not what its type promises."""


@dataclass(slots=True)
class _Block:
    """One block of content that has begun.

    `tool` is the call's place among the calls, None for all else; `input` the
    arguments that came with its start, for they may come at once.
    """

    tool: int | None = None
    is_json_answer: bool = False
    input: Any = None
    has_arguments: bool = False


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
        self._is_raw = is_raw
        self._json_tool = json_tool
        self._parser = SSEParser()
        self._counts: dict[str, Any] = {}
        self._blocks: dict[int, _Block] = {}
        self._calls = 0
        self._written: list[str] = []

    @property
    def output(self) -> str:
        """Return all that the model wrote so far."""
        return "".join(self._written)

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Return what these bytes complete.

        Raises:
            LLMAPIError: An `error` event came.
            LLMProtocolError: An event, or their number, is over its cap.
        """
        pieces: list[Piece] = []
        for event in self._parser.feed(data):
            if self.is_complete:
                break
            try:
                chunks = list(self._read(event))
            except _MalformedError:
                self.malformed += 1
                continue
            pieces += [event.raw] if self._is_raw else chunks
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
        return [_MESSAGE_STOP] if self._is_raw else []

    def _read(self, event: SSEEvent) -> Iterator[Chunk]:
        told = read_object(event.data)
        if told is None:
            raise _MalformedError
        read = _EVENTS.get(_string(told, "type") or event.name)
        # A type that is not here is new or a ping, and says nothing to us.
        if read is not None:
            yield from read(self, told)

    def _message_start(self, told: dict[str, Any]) -> Iterator[Chunk]:
        message = _object(told, "message")
        self.model = _string(message, "model")[:LONGEST_NAME]
        self._count(message.get("usage"))
        yield Chunk(model=self.model, usage=self.usage)

    def _block_start(self, told: dict[str, Any]) -> Iterator[Chunk]:
        block = _object(told, "content_block")
        kind, name = _string(block, "type"), _string(block, "name")
        begun = self._blocks[_index(told)] = _Block(input=block.get("input"))
        if kind == "tool_use" and self._json_tool and name == JSON_TOOL:
            begun.is_json_answer = True
        elif kind == "tool_use":
            begun.tool, self._calls = self._calls, self._calls + 1
            self.has_token = True
            yield Chunk(tool=ToolFragment(begun.tool, _string(block, "id"), name))
        elif kind == "redacted_thinking":
            self.has_token = True
            yield Chunk(thinking_redacted=_string(block, "data"))
        elif kind in ("text", "thinking") and _string(block, kind):
            yield self._wrote(kind, _string(block, kind))

    def _block_delta(self, told: dict[str, Any]) -> Iterator[Chunk]:
        delta = _object(told, "delta")
        kind = _string(delta, "type")
        if kind == "input_json_delta":
            yield from self._arguments(_index(told), _string(delta, "partial_json"))
        elif kind == "signature_delta":
            yield Chunk(thinking_signature=_string(delta, "signature"))
        elif kind in _WRITTEN and _string(delta, _WRITTEN[kind]):
            yield self._wrote(_WRITTEN[kind], _string(delta, _WRITTEN[kind]))

    def _block_stop(self, told: dict[str, Any]) -> Iterator[Chunk]:
        index = _index(told)
        block = self._blocks.get(index, _Block())
        is_tool = block.tool is not None or block.is_json_answer
        if is_tool and not block.has_arguments:
            # A call without arguments has no delta; others send all at the start.
            text = json_text.dump(block.input or {}).decode()
            yield from self._arguments(index, text)

    def _message_delta(self, told: dict[str, Any]) -> Iterator[Chunk]:
        delta = _object(told, "delta")
        self._count(told.get("usage"))
        reason = _string(delta, "stop_reason")
        if reason:
            self._finish(reason)
        yield Chunk(
            finish_reason=self.finish_reason,
            stop_sequence=_string(delta, "stop_sequence") or None,
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
        self._written.append(text)
        return Chunk(text=text) if kind == "text" else Chunk(thinking=text)

    def _arguments(self, index: int, text: str) -> Iterator[Chunk]:
        block = self._blocks.get(index)
        if block is None or not (block.is_json_answer or block.tool is not None):
            return  # a tool that the upstream runs itself
        if not text:
            return
        block.has_arguments = True
        if block.tool is None:
            yield self._wrote("text", text)
            return
        self._written.append(text)
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


# Where a delta of this type holds its text.
_WRITTEN: Mapping[str, str] = {"text_delta": "text", "thinking_delta": "thinking"}

_EVENTS: Mapping[str, Callable[[AnthropicStream, dict[str, Any]], Iterator[Chunk]]] = {
    "message_start": AnthropicStream._message_start,
    "content_block_start": AnthropicStream._block_start,
    "content_block_delta": AnthropicStream._block_delta,
    "content_block_stop": AnthropicStream._block_stop,
    "message_delta": AnthropicStream._message_delta,
    "message_stop": AnthropicStream._message_stop,
    "error": AnthropicStream._error,
}


def _object(told: dict[str, Any], name: str) -> dict[str, Any]:
    value = told.get(name)
    if not isinstance(value, dict):
        raise _MalformedError
    return value


def _string(told: dict[str, Any], name: str) -> str:
    """Return a text that may be missing, but is nothing else."""
    value = told.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _MalformedError
    return value


def _index(told: dict[str, Any]) -> int:
    index = told.get("index")
    if not isinstance(index, int):
        raise _MalformedError
    return index
