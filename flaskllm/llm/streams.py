"""Streamed answers: their pieces, and who reads them off the wire."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from flaskllm.core.errors import LLMAPIError
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


@dataclass(frozen=True, slots=True)
class Opening:
    """How an upstream began an answer that was passed on as it came.

    What is told by us afterwards must go on in its name. `id` and `model` are as
    the upstream said them, empty where it did not; `created` is in Unix seconds.
    For a dialect of blocks `block` is the index of the one that is open, None when
    none is, and `next_block` the index of the one to open next; `is_thought` tells
    that the open one holds a thought and no text.
    """

    id: str = ""
    model: str = ""
    created: int | None = None
    block: int | None = None
    next_block: int = 0
    is_thought: bool = False


@dataclass(frozen=True, slots=True)
class Seam:
    """The place where another deployment took over an answer that was being shown.

    Attributes:
        from_deployment: The one that broke off, by its name.
        to_deployment: The one that goes on.
        at_character: How many characters of text were shown before.
        code: The code of what went wrong.
        mode: How the text was joined.
        opening: How the answer began, where it was passed on as it came; from here
            on it comes as chunks.
    """

    from_deployment: str
    to_deployment: str
    at_character: int
    code: str
    mode: Literal["match", "continue"]
    opening: Opening | None = None


Piece: TypeAlias = Chunk | bytes | Seam
"""A canonical chunk; or, where caller and upstream speak the same dialect, the bytes
of one or several whole events to pass on; or the seam of a rescue."""


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
        malformed: How many events could not be read and were skipped. One that can
            be seen to have carried a part of the answer is an error instead.
        is_joinable: Nothing but one answer's text and thoughts was told so far: no
            call of a tool, no refusal, no second choice. Only then another
            deployment may go on with it.
        opening: How the answer began, where its events are passed on.
        broken: The error that ended the stream in the same bytes in which pieces
            still came; whoever reads raises it after those.
    """

    has_token: bool
    is_finished: bool
    may_go_on: bool
    is_complete: bool
    usage: Usage
    finish_reason: FinishReason | None
    model: str
    malformed: int
    is_joinable: bool
    broken: LLMAPIError | None

    @property
    def output(self) -> str:
        """Return all that the model wrote so far."""
        ...

    @property
    def text(self) -> str:
        """Return the text of the first answer so far, without thoughts and calls."""
        ...

    @property
    def opening(self) -> Opening | None:
        """Return how the answer began; None where it is told in chunks."""
        ...

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Return what these bytes complete; the rest is kept for the next.

        An error after pieces in the same bytes is not raised but kept in `broken`,
        so that those are not lost.

        Raises:
            LLMAPIError: The upstream tells an error, in its own dialect.
            LLMProtocolError: A line, an event or their number is over its cap; or an
                event that carried a part of the answer cannot be read.
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
