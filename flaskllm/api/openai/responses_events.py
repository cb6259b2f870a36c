"""A stream as OpenAI's responses tell it: typed events with increasing numbers.

`response.created`, `response.in_progress`, then for each item `output_item.added`,
its parts and deltas, `output_item.done`, then how the response ended. There is no
`[DONE]`.
Source: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from flaskllm.api.openai import responses_object as told
from flaskllm.api.openai.responses_object import Json, Status
from flaskllm.api.openai.responses_thoughts import seal, thought_item
from flaskllm.api.replies import rescue_note
from flaskllm.api.tool_order import ToolOrder
from flaskllm.core.errors import APIError
from flaskllm.llm.parts import Thinking, ToolCall
from flaskllm.llm.streams import Chunk, Seam, ToolFragment
from flaskllm.llm.types import FinishReason, Usage

Keep = Callable[[Json], Json]
"""Stores a response that ended, and returns it as it is to be told."""


class Ended(Protocol):
    """What is known of an answer once it is whole."""

    @property
    def finish_reason(self) -> FinishReason | None:
        """Return why it ended."""
        ...

    @property
    def usage(self) -> Usage:
        """Return its tokens."""
        ...


@dataclass(slots=True)
class _Open:
    """The item that is being told. `key` tells calls apart; `pieces` is what came."""

    kind: str
    key: int
    index: int
    item: Json
    pieces: list[str] = field(default_factory=list)


class ResponseEvents:
    """Tells one response, item after item, as JSON objects."""

    def __init__(self, response: Json, keep: Keep) -> None:
        """Start before the first chunk, with a response in progress."""
        self._response = response
        self._keep = keep
        self._order = ToolOrder()
        self._sequence_number = 0
        self._output: list[Json] = []
        self._open: _Open | None = None
        self._has_begun = False
        self._seam: Seam | None = None

    def begin(self) -> Iterator[Json]:
        """Yield what comes before any content, once."""
        if not self._has_begun:
            self._has_begun = True
            yield self._event("response.created", response=self._response)
            yield self._event("response.in_progress", response=self._response)

    def tell(self, chunk: Chunk) -> Iterator[Json]:
        """Yield the events of a chunk."""
        yield from self.begin()
        if chunk.thinking:
            yield from self._words("reasoning", chunk.thinking)
        if chunk.thinking_signature is not None or chunk.thinking_redacted is not None:
            yield from self._prove(chunk)
        if chunk.text:
            yield from self._words("output_text", chunk.text)
        if chunk.refusal:
            yield from self._words("refusal", chunk.refusal)
        if chunk.tool is not None:
            for fragment in self._order.feed(chunk.tool):
                yield from self._call(fragment)

    def resume(self, seam: Seam) -> None:
        """Go on, in the item that is open, where another deployment takes over."""
        self._seam = seam

    def finish(self, answer: Ended) -> Iterator[Json]:
        """Yield the clean end; the response is kept before it is told."""
        yield from self.begin()
        for fragment in self._order.end():
            yield from self._call(fragment)
        reason = answer.finish_reason
        yield from self._close(told.status_of(reason))
        whole = told.ended(self._response, self._output, reason, answer.usage)
        response = self._keep(whole)
        note = rescue_note(self._seam)
        yield self._event(f"response.{response['status']}", response=response, **note)

    def fail(self, error: APIError) -> Iterator[Json]:
        """Yield the end of a response that broke off."""
        yield from self.begin()
        response = told.failed(self._response, self._output, error)
        yield self._event("response.failed", response=response)

    def _event(self, kind: str, **fields: Any) -> Json:
        event = {"type": kind, "sequence_number": self._sequence_number, **fields}
        self._sequence_number += 1
        return event

    def _words(self, kind: str, delta: str) -> Iterator[Json]:
        opened = self._open
        if opened is None or opened.kind != kind:
            yield from self._begin_item(kind, 0, _NEW_ITEMS[kind]())
            yield self._part_event("added", "")
        yield self._delta(delta)

    def _prove(self, chunk: Chunk) -> Iterator[Json]:
        """Yield what ends a thought with its proof; hidden ones have no words."""
        if self._open is None or self._open.kind != "reasoning":
            yield from self._begin_item("hidden", 0, thought_item(Thinking()))
        assert self._open is not None  # it is a thought
        signature, redacted = chunk.thinking_signature, chunk.thinking_redacted
        self._open.item["encrypted_content"] = seal(signature, redacted)
        yield from self._close()

    def _call(self, fragment: ToolFragment) -> Iterator[Json]:
        opened = self._open
        if opened is None or (opened.kind, opened.key) != ("call", fragment.index):
            call = ToolCall(fragment.id, fragment.name, "", fragment.signature)
            item = told.call_item(call, "in_progress")
            yield from self._begin_item("call", fragment.index, item)
        if fragment.arguments:
            yield self._delta(fragment.arguments)

    def _begin_item(self, kind: str, key: int, item: Json) -> Iterator[Json]:
        yield from self._close()
        if kind != "call":
            self._order.interrupt()
        self._open = _Open(kind, key, len(self._output), item)
        self._output.append(item)
        yield self._item_event("added")

    def _close(self, status: Status = "completed") -> Iterator[Json]:
        opened = self._open
        if opened is None:
            return
        text = "".join(opened.pieces)
        if opened.kind in _WORDS:
            name, whole = _WORDS[opened.kind]
            yield self._placed(f"{name}.done", **{whole: text})
        if opened.kind in _PARTS:
            yield self._part_event("done", text)
        opened.item.update(_FILL[opened.kind](text))
        if "status" in opened.item:
            opened.item["status"] = status
        yield self._item_event("done")
        self._open = None

    def _delta(self, delta: str) -> Json:
        assert self._open is not None  # nothing else has deltas
        self._open.pieces.append(delta)
        return self._placed(f"{_WORDS[self._open.kind][0]}.delta", delta=delta)

    def _item_event(self, what: str) -> Json:
        assert self._open is not None  # each item is opened first
        return self._event(
            f"response.output_item.{what}",
            output_index=self._open.index,
            item=dict(self._open.item),
        )

    def _part_event(self, what: str, text: str) -> Json:
        assert self._open is not None  # each part is in an item
        name, part = _PARTS[self._open.kind]
        return self._placed(f"{name}.{what}", part=part(text))

    def _placed(self, kind: str, **fields: Any) -> Json:
        """Return an event that names its item, and the part where there are parts."""
        assert self._open is not None  # the item is told first
        place: Json = {
            "item_id": self._open.item["id"],
            "output_index": self._open.index,
            **_PART_INDEXES[self._open.kind],
        }
        return self._event(f"response.{kind}", **place, **fields)


def _summary_part(text: str) -> Json:
    return {"type": "summary_text", "text": text}


# By kind of item: the item at its start; the names of its deltas and of what holds
# the whole; its part; where the part stands; and how it looks when it is done.
_NEW_ITEMS: dict[str, Callable[[], Json]] = {
    "output_text": lambda: told.message_item(None, "in_progress"),
    "refusal": lambda: told.message_item(None, "in_progress"),
    "reasoning": lambda: thought_item(Thinking()),
}
_WORDS = {
    "output_text": ("output_text", "text"),
    "refusal": ("refusal", "refusal"),
    "reasoning": ("reasoning_summary_text", "text"),
    "call": ("function_call_arguments", "arguments"),
}
_PARTS: dict[str, tuple[str, Callable[[str], Json]]] = {
    "output_text": ("content_part", told.text_part),
    "refusal": ("content_part", told.refusal_part),
    "reasoning": ("reasoning_summary_part", _summary_part),
}
_PART_INDEXES: dict[str, Json] = {
    "output_text": {"content_index": 0},
    "refusal": {"content_index": 0},
    "reasoning": {"summary_index": 0},
    "call": {},
    "hidden": {},
}
_FILL: dict[str, Callable[[str], Json]] = {
    "output_text": lambda text: {"content": [told.text_part(text)]},
    "refusal": lambda text: {"content": [told.refusal_part(text)]},
    "reasoning": lambda text: {"summary": [_summary_part(text)]},
    "call": lambda text: {"arguments": text},
    "hidden": lambda text: {},
}
