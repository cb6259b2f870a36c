"""Streamed answers: their pieces, and who reads them off the wire."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from flaskllm.llm.types import FinishReason, Usage


@dataclass(frozen=True, slots=True)
class ToolFragment:
    """A piece of a call. `index` tells the calls of one answer apart, from 0.

    `id` and `name` come with the first fragment of a call and are empty later;
    `arguments` is the next piece of its JSON text.
    """

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """One streamed piece in the canonical form; what says nothing is left empty.

    `thinking_signature` closes the thought before it. `usage` is
    the whole answer's and replaces what an earlier chunk said.
    """

    text: str = ""
    thinking: str = ""
    thinking_signature: str | None = None
    thinking_redacted: str | None = None
    tool: ToolFragment | None = None
    refusal: str = ""
    finish_reason: FinishReason | None = None
    stop_sequence: str | None = None
    usage: Usage | None = None
    model: str = ""


Piece: TypeAlias = Chunk | bytes
"""A canonical chunk; or, where caller and upstream speak the same dialect, the bytes
of one or several whole events to pass on."""


class StreamReader(Protocol):
    """Reads one streamed answer: pure, no I/O, a fresh one for each attempt.

    Attributes:
        has_token: Content, a thought, a call of a tool or the finish was seen:
            from here the deployment can no longer be changed unnoticed.
        is_finished: The upstream has said why it ended (for every choice); what
            may still come is the usage and the dialect's end mark.
        may_go_on: More of the answer may follow the finish: the dialect has no end
            mark, and some upstreams name a reason in every event.
        is_complete: The end mark was seen; nothing more needs to be read.
        usage: As said last; its source is `none` when nothing was said, or
            nothing that can be true.
        output: The text, thoughts and arguments so far, to estimate the usage
            of what broke off.
        finish_reason: As said, else None.
        model: The name that the upstream gave itself, else empty.
        malformed: How many events could not be read and were skipped.
    """

    has_token: bool
    is_finished: bool
    may_go_on: bool
    is_complete: bool
    usage: Usage
    finish_reason: FinishReason | None
    model: str
    malformed: int

    @property
    def output(self) -> str:
        """Return all that the model wrote so far."""
        ...

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Return what these bytes complete; the rest is kept for the next.

        Raises:
            LLMAPIError: The upstream tells an error, in its own dialect.
            LLMProtocolError: A line, an event or their number is over its cap.
        """
        ...

    def end(self) -> Sequence[Piece]:
        """Return what is left when the upstream closed its connection.

        For an upstream that forgot its end mark after the finish these are the
        pieces that complete the answer.

        Raises:
            LLMProtocolError: It closed before the finish was said.
        """
        ...
