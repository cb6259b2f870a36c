"""A streamed answer put together, and a whole one taken apart. Pure."""

from collections.abc import Iterable, Iterator

from flaskllm.llm.parts import Thinking, ToolCall
from flaskllm.llm.streams import Chunk, ToolFragment
from flaskllm.llm.types import Completion, FinishReason, Usage


class Gathered:
    """What the chunks of one answer say together.

    `characters` counts what was gathered.
    """

    def __init__(self) -> None:
        """Start before the first chunk."""
        self.characters = 0
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._thoughts: list[Thinking] = []
        self._thought: list[str] = []
        self._calls: dict[int, _Call] = {}
        self._stop_sequence: str | None = None

    def add(self, chunk: Chunk) -> None:
        """Take in the next chunk."""
        self._text.append(chunk.text)
        self._refusal.append(chunk.refusal)
        self._thought.append(chunk.thinking)
        self.characters += len(chunk.text) + len(chunk.refusal) + len(chunk.thinking)
        if chunk.thinking_signature is not None:
            self._end_thought(chunk.thinking_signature)
        if chunk.thinking_redacted is not None:
            self._end_thought()
            self._thoughts.append(Thinking(redacted=chunk.thinking_redacted))
        if chunk.tool is not None:
            self._calls.setdefault(chunk.tool.index, _Call()).add(chunk.tool)
            self.characters += len(chunk.tool.arguments)
        self._stop_sequence = chunk.stop_sequence or self._stop_sequence

    def completion(
        self, finish_reason: FinishReason, usage: Usage, model: str
    ) -> Completion:
        """Return the whole answer, once the last chunk was added."""
        self._end_thought()
        return Completion(
            text="".join(self._text),
            finish_reason=finish_reason,
            usage=usage,
            model=model,
            tool_calls=tuple(self._calls[index].call for index in sorted(self._calls)),
            thinking=tuple(self._thoughts),
            stop_sequence=self._stop_sequence,
            refusal="".join(self._refusal) or None,
        )

    def _end_thought(self, signature: str | None = None) -> None:
        text = "".join(self._thought)
        self._thought.clear()
        if text or signature is not None:
            self._thoughts.append(Thinking(text, signature))


class _Call:
    """A call of a tool, fragment after fragment."""

    def __init__(self) -> None:
        self._id = self._name = ""
        self._signature: str | None = None
        self._arguments: list[str] = []

    def add(self, fragment: ToolFragment) -> None:
        self._id = self._id or fragment.id
        self._name = self._name or fragment.name
        self._signature = self._signature or fragment.signature
        self._arguments.append(fragment.arguments)

    @property
    def call(self) -> ToolCall:
        arguments = "".join(self._arguments)
        return ToolCall(self._id, self._name, arguments, self._signature)


def chunks_of(completion: Completion) -> Iterator[Chunk]:
    """Yield a whole answer as a stream would tell it, in as few chunks as it takes."""
    yield Chunk(usage=completion.usage, model=completion.model)
    for thought in completion.thinking:
        yield from _chunks_of_thought(thought)
    if completion.text:
        yield Chunk(text=completion.text)
    if completion.refusal:
        yield Chunk(refusal=completion.refusal)
    for index, call in enumerate(completion.tool_calls):
        fragment = ToolFragment(
            index, call.id, call.name, call.arguments, call.signature
        )
        yield Chunk(tool=fragment)
    yield Chunk(
        finish_reason=completion.finish_reason,
        stop_sequence=completion.stop_sequence,
        usage=completion.usage,
    )


def gathered(chunks: Iterable[Chunk]) -> Gathered:
    """Return what these chunks say together."""
    found = Gathered()
    for chunk in chunks:
        found.add(chunk)
    return found


def _chunks_of_thought(thought: Thinking) -> Iterator[Chunk]:
    if thought.redacted is not None:
        yield Chunk(thinking_redacted=thought.redacted)
        return
    yield Chunk(thinking=thought.text, thinking_signature=thought.signature)
