"""Streams in Gemini's dialect: events that look like whole replies, and no end mark.

Source: https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
"""

from collections.abc import Sequence

from flaskllm.core.errors import LLMProtocolError
from flaskllm.core.sse import SSEParser
from flaskllm.llm.parts import Text, Thinking, ToolCall
from flaskllm.llm.providers.gemini_errors import explain_object
from flaskllm.llm.providers.gemini_reply import (
    Reply,
    finish_reason,
    no_content,
    read_parts,
    read_reply,
    read_usage,
)
from flaskllm.llm.streams import Chunk, Piece, ToolFragment
from flaskllm.llm.types import FinishReason, Usage


class GeminiStream:
    """Reads one stream: `StreamReader` says what each attribute means.

    The finish comes as the last chunk, from `end`: older models, and relays, name a
    reason in every event, so none of them is known to be the last before the upstream
    closes. For the same reason `is_complete` stays False until then, and `may_go_on`
    is True.
    """

    def __init__(self) -> None:
        """Start before the first byte."""
        self.has_token = False
        self.is_finished = False
        self.may_go_on = True
        self.is_complete = False
        self.usage = Usage()
        self.finish_reason: FinishReason | None = None
        self.model = ""
        self.malformed = 0
        self._parser = SSEParser()
        self._calls = 0
        self._written: list[str] = []

    @property
    def output(self) -> str:
        """Return all that the model wrote so far."""
        return "".join(self._written)

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Return what these bytes complete.

        Raises:
            LLMAPIError: An error came in the place of an event.
            LLMProtocolError: An event, or their number, is over its cap; or the
                model wrote what its service could not read.
        """
        chunks: list[Piece] = []
        for event in self._parser.feed(data):
            try:
                reply = read_reply(event.data)
            except LLMProtocolError:
                self.malformed += 1
                continue
            if reply.error:
                raise explain_object(reply.error)
            chunks += self._read(reply)
        return chunks

    def end(self) -> Sequence[Piece]:
        """Return the finish and the usage.

        Raises:
            LLMProtocolError: The upstream closed before it said its finish, or
                said nothing else.
        """
        if self.is_complete:
            return []
        if not self.is_finished:
            raise LLMProtocolError(
                details="The upstream's stream ended before its answer was complete."
            )
        if self.finish_reason == "stop" and not self.has_token:
            raise no_content()
        self.is_complete = True
        return [Chunk(finish_reason=self.finish_reason, usage=self.usage)]

    def _read(self, reply: Reply) -> list[Piece]:
        chunks: list[Piece] = []
        if reply.model and not self.model:
            self.model = reply.model
            chunks.append(Chunk(model=self.model))
        if reply.usage_metadata is not None:
            self.usage = read_usage(reply.usage_metadata)
        chunks += map(self._chunk, read_parts(reply))
        if reply.is_blocked:
            self._finish("content_filter")
        elif reply.finish_reason:
            has_calls = self._calls > 0
            self._finish(finish_reason(reply.finish_reason, has_calls=has_calls))
        return chunks

    def _chunk(self, part: Text | Thinking | ToolCall) -> Chunk:
        self.has_token = True
        if isinstance(part, ToolCall):
            return self._call(part)
        self._written.append(part.text)
        if isinstance(part, Thinking):
            return Chunk(thinking=part.text)
        return Chunk(text=part.text)

    def _call(self, call: ToolCall) -> Chunk:
        index, self._calls = self._calls, self._calls + 1
        self._written.append(call.arguments)
        fragment = ToolFragment(
            index, call.id, call.name, call.arguments, call.signature
        )
        return Chunk(tool=fragment)

    def _finish(self, reason: FinishReason) -> None:
        self.finish_reason = reason
        self.is_finished = True
        # An empty answer that says no more than "stop" is none: see `end`.
        self.has_token = self.has_token or reason != "stop"
