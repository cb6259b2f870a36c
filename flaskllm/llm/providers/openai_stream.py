"""Streamed answers in OpenAI's dialect: passed on as they are, or as chunks.

Sources: https://platform.openai.com/docs/api-reference/chat-streaming, and what the
others make of it: usage beside the content, on every chunk, in a choice or not at
all; no `[DONE]`; events without a choice (Azure); errors as events.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from flaskllm.core.errors import LLMAPIError, LLMProtocolError
from flaskllm.core.json_text import read_object
from flaskllm.core.sse import DONE, SSEEvent, SSEParser
from flaskllm.llm.providers.openai_content import Words, read_finish, read_words
from flaskllm.llm.providers.openai_errors import status_within
from flaskllm.llm.providers.openai_refrain import Refrain
from flaskllm.llm.providers.openai_reply import error_within, read_model
from flaskllm.llm.providers.openai_request import asked_choices, wants_usage
from flaskllm.llm.providers.openai_tools import Fragments, words_of_call
from flaskllm.llm.providers.openai_usage import find_usage, usage_event
from flaskllm.llm.providers.written import Written
from flaskllm.llm.settlement import estimate_answer
from flaskllm.llm.streams import Chunk, Opening, Piece
from flaskllm.llm.types import CallerBody, CompletionRequest, FinishReason, Usage
from flaskllm.net.transport import HttpReply

_Choices = list[dict[str, Any]]
# What an event names that carries a part of the answer; the second is that of the
# responses, with which some answer here too.
_CARRIERS = (b'"choices"', b'"delta"')


class OpenAIStream:
    """Reads one stream, as `StreamReader` says.

    Where the caller's body was passed on, the events are passed on too, as they
    came, but for the one that counts tokens if the caller did not ask for it,
    and those that cannot be read; if the caller asked and none came, it gets one
    of ours. Else they become chunks.
    """

    def __init__(
        self,
        request: CompletionRequest,
        passed_on: CallerBody | None,
        explain: Callable[[HttpReply], LLMAPIError],
    ) -> None:
        """Start before the first byte; `passed_on` is the caller's body if it was."""
        self.has_token = False
        self.is_finished = False
        self.may_go_on = False
        self.is_complete = False
        self.usage = Usage()
        self.finish_reason: FinishReason | None = None
        self.model = ""
        self.malformed = 0
        self.broken: LLMAPIError | None = None
        self._passes_on = passed_on is not None
        self._is_text = passed_on is not None and passed_on.wire == "openai.text"
        self._request = request
        self._wants_usage = wants_usage(request)
        self._owes_usage = self._passes_on and self._wants_usage
        self._first_told: Mapping[str, Any] = {}
        self._expected = asked_choices(passed_on)
        self.is_joinable = self._expected == 1
        self._explain = explain
        self._parser = SSEParser()
        self._refrain = Refrain()
        self._fragments = Fragments()
        self._finished: set[int] = set()
        self._written = Written()
        self._has_calls = False
        self._has_refusal = False
        self._has_told_model = False

    @property
    def output(self) -> str:
        """Return all that the model wrote so far, of all choices."""
        return self._written.all()

    @property
    def text(self) -> str:
        """Return the text of the first choice so far."""
        return self._written.text()

    @property
    def opening(self) -> Opening | None:
        """Return how the answer began; None before it, and where it is chunks."""
        first = self._first_told
        if not first:
            return None
        told_id, created = first.get("id"), first.get("created")
        return Opening(
            id=told_id if isinstance(told_id, str) else "",
            model=self.model,
            created=created if isinstance(created, int) else None,
        )

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Return the events in one piece, or the chunks, that these bytes complete.

        Raises:
            LLMAPIError: The upstream tells an error, and nothing came before it.
            LLMProtocolError: It ends without having begun, or is over a cap; or an
                event that carried a part of the answer cannot be read.
        """
        pieces: list[Piece] = []
        try:
            for event in self._parser.feed(data):
                if self.is_complete:
                    break
                if self._passes_on and self._repeats(event):
                    pieces.append(event.raw)
                else:
                    self._take(event, pieces)
        except LLMAPIError as error:
            if not pieces:
                raise
            self.broken = error
        return _joined(pieces) if self._passes_on else pieces

    def end(self) -> Sequence[Piece]:
        """Return the end if the upstream forgot its mark and the caller knows it.

        Raises:
            LLMProtocolError: It closed before the finish was said.
        """
        if self.is_complete:
            return ()
        if not self.is_finished:
            raise LLMProtocolError(details="The upstream's stream ends too early.")
        self.is_complete = True
        return (self._owed() + DONE,) if self._passes_on else ()

    def _take(self, event: SSEEvent, pieces: list[Piece]) -> None:
        """Add to the pieces what an event says; one that breaks off adds nothing."""
        if self._is_end(event):
            self.is_complete = True
            if self._passes_on:
                pieces.append(self._owed() + event.raw)
        elif (told := self._read(event)) is None:
            self.malformed += 1
        elif not self._passes_on:
            pieces += list(self._chunks_of(told))
        elif self._passes(event, told):
            pieces.append(event.raw)

    def _owed(self) -> bytes:
        """Return the event that counts, if the caller still waits for it."""
        if not self._owes_usage:
            return b""
        if self.usage.source == "none":
            self.usage = estimate_answer(self._request, self.output, self.model)
        return usage_event(self._first_told, self.usage)

    def _repeats(self, event: SSEEvent) -> bool:
        """Take note of an event that is like another but for its text; tell so."""
        text = self._refrain.text_of(event)
        if text is not None:
            self._written.pieces.append(text)
        return text is not None

    def _learn(self, event: SSEEvent, told: dict[str, Any]) -> None:
        """Learn to recognise what is like this event, if it says a text alone."""
        if len(told["choices"]) != 1 or find_usage(told) is not None:
            return
        (choice,) = told["choices"]
        words = self._words_of(choice)
        is_text_alone = words == Words("", words.text, "", (), False)
        if is_text_alone and not (choice.get("finish_reason") or choice.get("index")):
            self._refrain.learn(event, words.text)

    def _passes(self, event: SSEEvent, told: dict[str, Any]) -> bool:
        """Take note of an event; tell whether it is passed on."""
        choices: _Choices = told["choices"]
        for choice in choices:
            self._note(choice, self._words_of(choice))
        self._learn(event, told)
        if len(choices) > 1:
            self.is_joinable = False
        if not self._first_told.get("id"):  # Azure's first event has none
            self._first_told = told
        self._owes_usage = self._owes_usage and not told.get("usage")
        return bool(choices) or self._wants_usage or not told.get("usage")

    def _chunks_of(self, told: dict[str, Any]) -> Iterator[Chunk]:
        if self.model and not self._has_told_model:
            self._has_told_model = True
            yield Chunk(model=self.model)
        for choice in told["choices"]:
            if not choice.get("index"):  # one answer was asked for, not several
                yield from self._chunks_in(choice)
        usage = find_usage(told)
        if usage is not None:
            yield Chunk(usage=usage)

    def _chunks_in(self, choice: dict[str, Any]) -> Iterator[Chunk]:
        words = self._words_of(choice)
        was_finished = self.is_finished
        self._note(choice, words)
        if words.thinking:
            yield Chunk(thinking=words.thinking)
        if words.text:
            yield Chunk(text=words.text)
        if words.refusal:
            yield Chunk(refusal=words.refusal)
        for fragment in self._fragments.read(words.calls):
            yield Chunk(tool=fragment)
        if self.is_finished and not was_finished:
            yield Chunk(finish_reason=self.finish_reason)

    def _is_end(self, event: SSEEvent) -> bool:
        """Tell whether this is the end mark.

        Raises:
            LLMProtocolError: It is, and comes too early.
        """
        if not event.data.startswith(b"[DONE]"):
            return False
        if not self.has_token or not (self._passes_on or self.is_finished):
            raise LLMProtocolError(details="The upstream's stream ends too early.")
        return True

    def _read(self, event: SSEEvent) -> dict[str, Any] | None:
        """Return an event's object with a list of choices; None when it is malformed.

        Raises:
            LLMAPIError: It tells an error.
            LLMProtocolError: It cannot be read, and carried a part of the answer.
        """
        whole = read_object(event.data)
        told = whole or {}
        error = error_within(told)
        if error or event.name == "error":
            status = status_within(error or told)
            raise self._explain(HttpReply(status, {}, event.data))
        usage = find_usage(told)
        if usage is not None:
            self.usage = usage
            told.setdefault("choices", [])
        choices = told.get("choices")
        if not isinstance(choices, list) or not all(map(_is_object, choices)):
            if not self.is_finished and _carries(event, whole):
                raise LLMProtocolError(details="A part of the answer cannot be read.")
            return None
        self.model = self.model or read_model(told)
        return told

    def _words_of(self, choice: dict[str, Any]) -> Words:
        if not self._is_text:
            delta = choice.get("delta")
            return read_words(delta if isinstance(delta, dict) else {})
        text = choice.get("text")
        return Words("", text if isinstance(text, str) else "", "", (), False)

    def _note(self, choice: dict[str, Any], words: Words) -> None:
        """Keep what was said and whether it was the end.

        Raises:
            LLMUnavailable: The upstream says that it broke the answer off.
        """
        self._has_calls = self._has_calls or bool(words.calls)
        self._has_refusal = self._has_refusal or bool(words.refusal)
        is_other = bool(words.refusal or words.calls or words.is_other)
        is_first = not choice.get("index")
        reason = choice.get("finish_reason")
        # First of all: of an event that breaks off nothing is told, nor kept.
        if reason and isinstance(reason, str):
            self._finish(reason, choice.get("index"))
        if is_other or not is_first:
            self.is_joinable = False
        if is_other or words.thinking or words.text:
            self.has_token = True
        self._write(words, is_first=is_first)

    def _write(self, words: Words, *, is_first: bool) -> None:
        add_text = self._written.pieces.append if is_first else self._written.add_other
        if words.thinking:
            self._written.add_other(words.thinking)
        if words.text:
            add_text(words.text)
        if words.refusal:
            self._written.add_other(words.refusal)
        for call in words.calls:
            self._written.add_other(words_of_call(call))

    def _finish(self, reason: str, index: Any) -> None:
        read = read_finish(
            reason, has_calls=self._has_calls, has_refusal=self._has_refusal
        )
        self.has_token = True
        self._finished.add(index if isinstance(index, int) else 0)
        self.is_finished = len(self._finished) >= self._expected
        if self.finish_reason is None or not index:
            self.finish_reason = read


def _joined(pieces: list[Piece]) -> Sequence[Piece]:
    """Return what goes out with one write."""
    passed = b"".join(piece for piece in pieces if isinstance(piece, bytes))
    return (passed,) if passed else ()


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _carries(event: SSEEvent, told: Mapping[str, Any] | None) -> bool:
    """Tell whether an event that cannot be read carried a part of an answer."""
    if told is not None:
        return bool(told.get("choices") or told.get("delta"))
    return any(name in event.data for name in _CARRIERS)
