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
from flaskllm.llm.streams import Chunk, ToolFragment
from flaskllm.llm.types import CompletionRequest, FinishReason, Usage

_LONGEST_NAME = 200


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
        self._request = request
        self._explain = explain
        self._lines = LineParser()
        self._written: list[str] = []
        self._calls = 0
        self._first_number = first_number(request)

    @property
    def output(self) -> str:
        """Return all that the model wrote so far."""
        return "".join(self._written)

    def feed(self, data: bytes) -> Sequence[Chunk]:
        """Return what these bytes complete.

        Raises:
            LLMAPIError: A line tells an error, or the prompt was cut.
            LLMProtocolError: A line or their number is over its cap.
        """
        return list(self._read_all(self._lines.feed(data)))

    def end(self) -> Sequence[Chunk]:
        """Return what a last line without its break says.

        Raises:
            LLMProtocolError: The stream ended before its last line.
        """
        pieces = list(self._read_all(self._lines.end()))
        if not self.is_finished:
            raise LLMProtocolError(details="The upstream's stream broke off.")
        return pieces

    def _read_all(self, lines: Sequence[bytes]) -> Iterator[Chunk]:
        for line in lines:
            if self.is_finished:
                return
            try:
                reply = read_reply(line)
            except LLMProtocolError:
                self.malformed += 1
                continue
            if reply.error:
                raise self._explain(line)
            yield from self._read(reply)

    def _read(self, reply: Reply) -> Iterator[Chunk]:
        self.model = self.model or (reply.model or "")[:_LONGEST_NAME]
        if reply.message is not None:
            yield from self._message(reply.message)
        if reply.done:
            yield self._finish(reply)

    def _message(self, said: Said) -> Iterator[Chunk]:
        if said.thinking:
            yield self._wrote(Chunk(thinking=said.thinking), said.thinking)
        if said.content:
            yield self._wrote(Chunk(text=said.content), said.content)
        for call in read_calls(said, self._first_number + self._calls):
            fragment = ToolFragment(self._calls, call.id, call.name, call.arguments)
            self._calls += 1
            yield self._wrote(Chunk(tool=fragment), call.name + call.arguments)

    def _wrote(self, chunk: Chunk, text: str) -> Chunk:
        self.has_token = True
        self._written.append(text)
        return chunk

    def _finish(self, reply: Reply) -> Chunk:
        reason = read_finish(reply, bool(self._calls))
        refuse_cut_prompt(reply, self._request)
        self.usage = read_usage(reply, self._request, self.output)
        self.finish_reason = reason
        # The last line has the finish, the usage and the end in one.
        self.has_token = self.is_finished = self.is_complete = True
        usage = None if self.usage.source == "none" else self.usage
        return Chunk(finish_reason=reason, usage=usage, model=self.model)
