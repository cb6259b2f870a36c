"""Streams in Gemini's dialect: events that look like whole replies, and no end mark.

Source: https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
"""

from collections.abc import Sequence

from flaskllm.core.errors import LLMAPIError, LLMProtocolError
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
from flaskllm.llm.providers.written import Written
from flaskllm.llm.streams import Chunk, Opening, Piece, ToolFragment
from flaskllm.llm.types import FinishReason, Usage

_Part = Text | Thinking | ToolCall
# What an event names that carries a part of the answer.
_CARRIER = b'"candidates"'


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
        self.is_joinable = True
        self.broken: LLMAPIError | None = None
        self.opening: Opening | None = None
        self._parser = SSEParser()
        self._calls = 0
        self._written = Written()

    @property
    def output(self) -> str:
        """Return all that the model wrote so far."""
        return self._written.all()

    @property
    def text(self) -> str:
        """Return the answer's text so far."""
        return self._written.text()

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Return what these bytes complete.

        Raises:
            LLMAPIError: An error came in the place of an event, and nothing before.
            LLMProtocolError: An event, or their number, is over its cap; one that
                carried a part of the answer cannot be read; or the model wrote what
                its service could not read.
        """
        chunks: list[Piece] = []
        try:
            for event in self._parser.feed(data):
                reply = self._reply_in(event.data)
                if reply is not None:
                    chunks += self._read(reply)
        except LLMAPIError as error:
            if not chunks:
                raise
            self.broken = error
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

    def _reply_in(self, data: bytes) -> Reply | None:
        """Return what an event says, None when it cannot be read.

        Raises:
            LLMAPIError: It is an error.
            LLMProtocolError: It carried a part of the answer.
        """
        try:
            reply = read_reply(data)
        except LLMProtocolError:
            # Not even after a finish: more of the answer may follow it here.
            if _CARRIER in data:
                raise
            self.malformed += 1
            return None
        if reply.error:
            raise explain_object(reply.error)
        return reply

    def _read(self, reply: Reply) -> list[Piece]:
        parts = list(read_parts(reply))
        # First of all: of an event that breaks off nothing is told, nor kept.
        reason = self._reason_in(reply, parts)
        chunks: list[Piece] = []
        if reply.model and not self.model:
            self.model = reply.model
            chunks.append(Chunk(model=self.model))
        if reply.usage_metadata is not None:
            self.usage = read_usage(reply.usage_metadata)
        chunks += map(self._chunk, parts)
        if reason is not None:
            self._finish(reason)
        return chunks

    def _reason_in(self, reply: Reply, parts: list[_Part]) -> FinishReason | None:
        if reply.is_blocked:
            return "content_filter"
        if not reply.finish_reason:
            return None
        calls = sum(isinstance(part, ToolCall) for part in parts)
        return finish_reason(reply.finish_reason, has_calls=self._calls + calls > 0)

    def _chunk(self, part: _Part) -> Chunk:
        self.has_token = True
        if isinstance(part, ToolCall):
            return self._call(part)
        if isinstance(part, Thinking):
            self._written.add_other(part.text)
            return Chunk(thinking=part.text)
        self._written.pieces.append(part.text)
        return Chunk(text=part.text)

    def _call(self, call: ToolCall) -> Chunk:
        index, self._calls = self._calls, self._calls + 1
        self._written.add_other(call.arguments)
        self.is_joinable = False
        fragment = ToolFragment(
            index, call.id, call.name, call.arguments, call.signature
        )
        return Chunk(tool=fragment)

    def _finish(self, reason: FinishReason) -> None:
        self.finish_reason = reason
        self.is_finished = True
        # An empty answer that says no more than "stop" is none: see `end`.
        self.has_token = self.has_token or reason != "stop"
