"""A streamed answer of Ollama's: one JSON object a line, the last one `done`."""

from collections.abc import Callable, Iterator, Sequence

from flaskllm.core.errors import LLMAPIError, LLMProtocolError
from flaskllm.core.sse import LineParser
from flaskllm.llm.providers.ollama_reply import (
    Reply,
    Said,
    first_number,
    read_calls,
    read_finish,
    read_reply,
    read_usage,
    refuse_cut_prompt,
)
from flaskllm.llm.providers.written import Written
from flaskllm.llm.streams import Chunk, Opening, ToolFragment
from flaskllm.llm.types import CompletionRequest, FinishReason, Usage

_LONGEST_NAME = 200
# What a line names that carries a part of the answer.
_CARRIERS = (b'"message"', b'"response"')


class OllamaStream:
    """Reads one stream; see `StreamReader` for what its attributes mean."""

    def __init__(
        self, request: CompletionRequest, explain: Callable[[bytes], LLMAPIError]
    ) -> None:
        """Start before the first byte.

        Args:
            request: What is answered.
            explain: Tells what a line with an error stands for.
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
        self.opening: Opening | None = None
        self._request = request
        self._explain = explain
        self._lines = LineParser()
        self._written = Written()
        self._calls = 0
        self._first_number = first_number(request)

    @property
    def output(self) -> str:
        """Return all that the model wrote so far."""
        return self._written.all()

    @property
    def text(self) -> str:
        """Return the answer's text so far."""
        return self._written.text()

    def feed(self, data: bytes) -> Sequence[Chunk]:
        """Return what these bytes complete.

        Raises:
            LLMAPIError: A line tells an error, or the prompt was cut; and nothing
                came before it.
            LLMProtocolError: A line or their number is over its cap; or one that
                carried a part of the answer cannot be read.
        """
        chunks: list[Chunk] = []
        try:
            for line in self._lines.feed(data):
                chunks += self._read_line(line)
        except LLMAPIError as error:
            if not chunks:
                raise
            self.broken = error
        return chunks

    def end(self) -> Sequence[Chunk]:
        """Return what a last line without its break says.

        Raises:
            LLMProtocolError: The stream ended before its last line.
        """
        chunks: list[Chunk] = []
        for line in self._lines.end():
            chunks += self._read_line(line, must_be_last=True)
        if not self.is_finished:
            raise LLMProtocolError(details="The upstream's stream broke off.")
        return chunks

    def _read_line(self, line: bytes, *, must_be_last: bool = False) -> list[Chunk]:
        """Return what a line says: nothing after the end, nor where it must be it."""
        if self.is_finished:
            return []
        try:
            reply = read_reply(line)
        except LLMProtocolError:
            if any(name in line for name in _CARRIERS):
                raise
            self.malformed += 1
            return []
        if reply.error:
            raise self._explain(line)
        if must_be_last and not reply.done:
            return []
        return list(self._read(reply))

    def _read(self, reply: Reply) -> Iterator[Chunk]:
        # First of all: of a line that breaks off nothing is told, nor kept.
        reason = self._reason_in(reply) if reply.done else None
        self.model = self.model or (reply.model or "")[:_LONGEST_NAME]
        if reply.message is not None:
            yield from self._message(reply.message)
        if reason is not None:
            yield self._finish(reply, reason)

    def _reason_in(self, reply: Reply) -> FinishReason:
        has_calls = bool(self._calls or (reply.message and reply.message.tool_calls))
        reason = read_finish(reply, has_calls)
        refuse_cut_prompt(reply, self._request)
        return reason

    def _message(self, said: Said) -> Iterator[Chunk]:
        self.has_token = self.has_token or bool(said.thinking or said.content)
        if said.thinking:
            self._written.add_other(said.thinking)
            yield Chunk(thinking=said.thinking)
        if said.content:
            self._written.pieces.append(said.content)
            yield Chunk(text=said.content)
        for call in read_calls(said, self._first_number + self._calls):
            fragment = ToolFragment(self._calls, call.id, call.name, call.arguments)
            self._calls += 1
            self.has_token = True
            self.is_joinable = False
            self._written.add_other(call.name + call.arguments)
            yield Chunk(tool=fragment)

    def _finish(self, reply: Reply, reason: FinishReason) -> Chunk:
        self.usage = read_usage(reply, self._request, self.output)
        self.finish_reason = reason
        # The last line has the finish, the usage and the end in one.
        self.has_token = self.is_finished = self.is_complete = True
        usage = None if self.usage.source == "none" else self.usage
        return Chunk(finish_reason=reason, usage=usage, model=self.model)
