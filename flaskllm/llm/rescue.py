"""What is done about a stream that broke after some of it was shown.

The next deployment is asked as the walk decides, with the same history and the same
deadline. Its answer must go on exactly where the first one stopped: what joins the
two texts, and when they do not fit, is said in `llm/joining.py`.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from flaskllm.core.errors import (
    APIError,
    CallerGone,
    LLMAnswerDiffers,
    LLMAPIError,
    LLMInvalidRequest,
    LLMRequestRejected,
)
from flaskllm.llm.continuing import continuing, may_continue
from flaskllm.llm.intake import LIMITS
from flaskllm.llm.joining import Continuation, Joiner, Repetition
from flaskllm.llm.known_models import family_of
from flaskllm.llm.open_stream import OpenStream
from flaskllm.llm.settlement import Settlement
from flaskllm.llm.streams import Chunk, Opening, Piece, Seam
from flaskllm.llm.types import Attempt, CompletionRequest, Usage
from flaskllm.llm.walk import Walk

Begun = OpenStream | LLMAPIError
Ask = Callable[[Walk, Settlement], Begun]
GoOn = Callable[[LLMAPIError, Ask], Begun]
"""Tells the walk what broke, and asks whose turn it is then."""
Open = Callable[
    [CompletionRequest, Walk, Settlement, CompletionRequest | None], OpenStream
]
"""Asks the walk's present deployment; read is as for the second request."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the caller has of an answer, from whom, and what ended it."""

    text: str
    opening: Opening | None
    attempt: Attempt
    usage: Usage
    error: LLMAPIError


class Rescue:
    """Goes on with one answer that broke off. Good for one break.

    Attributes:
        seam: Where another deployment took over; None until then.
        source: Who goes on since then.
        spent: What the attempts took that are not the present one: those that did
            not fit, and after the seam the broken one.
    """

    def __init__(
        self, request: CompletionRequest, walk: Walk, go_on: GoOn, open_stream: Open
    ) -> None:
        """Keep what is needed to go on with this walk; nothing is done yet."""
        self.seam: Seam | None = None
        self.source: OpenStream | None = None
        self.spent = Usage()
        self._request = request
        self._walk = walk
        self._go_on = go_on
        self._open = open_stream
        self._clock = walk.call.deadline.clock
        self._differed: set[str] = set()

    def is_possible(self, broken: OpenStream, error: LLMAPIError) -> bool:
        """Tell whether another deployment may go on.

        Not where the route says `off`; nor after an error that comes again for the
        same request; nor where more than text and thoughts was shown, or a finish.
        """
        return (
            self._walk.rescue != "off"
            and error.retryable
            and broken.is_joinable
            and not self._walk.call.deadline.passed()
        )

    def run(
        self, broken: OpenStream, first: LLMAPIError
    ) -> Generator[Piece | None, None, None]:
        """Yield the seam and the rest of the answer in chunks; None is a sign of life.

        Every attempt is settled; one that does not fit is closed at the first
        character that differs.

        Raises:
            LLMAPIError: The first failure, whatever went wrong with the rescue.
            CallerGone: Nobody waits for the answer any more.
        """
        shown = _Shown(broken.text, broken.opening, broken.attempt, broken.usage, first)
        self._tell_walk(shown)
        failed: LLMAPIError | None = first
        while failed is not None:
            yield None
            begun = self._ask(shown, failed)
            if begun is None:
                raise first
            if isinstance(begun, LLMAPIError):
                failed = begun
            else:
                failed = yield from self._join(shown, begun)

    def _tell_walk(self, shown: _Shown) -> None:
        walk = self._walk
        walk.may_continue = walk.rescue == "continue" and may_continue(
            self._request, shown.text
        )
        walk.rescue_note = (
            f"rescue of attempt {shown.attempt.number} "
            f"after {len(shown.text)} characters"
        )

    def _ask(self, shown: _Shown, failed: LLMAPIError) -> Begun | None:
        """Return the next stream once it has begun, or what went wrong with it.

        None where the walk ends.
        """

        def ask(walk: Walk, settlement: Settlement) -> Begun:
            try:
                return self._begin(shown, walk, settlement)
            except LLMAPIError as error:
                # Not raised: the walk would go on, and nobody tell the caller so.
                settlement.tell_error(error)
                return error

        try:
            return self._go_on(failed, ask)
        except CallerGone:
            raise
        except APIError:
            return None

    def _begin(self, shown: _Shown, walk: Walk, settlement: Settlement) -> OpenStream:
        deployment = settlement.attempt.deployment
        asked, reads = self._words(shown, deployment.name, deployment.model)
        try:
            return self._open(asked, walk, settlement, reads)
        except LLMInvalidRequest as error:
            # Another took it: there is nothing that its caller has to mend.
            details = "It does not take what another deployment took."
            raise LLMRequestRejected(details=details) from error

    def _words(
        self, shown: _Shown, deployment: str, model: str
    ) -> tuple[CompletionRequest, CompletionRequest]:
        """Return what to ask, and as the answer to what it is read: in chunks."""
        if self._mode(deployment) == "continue":
            rest = continuing(self._request, shown.text, family_of(model))
            return rest, rest
        canonical = replace(self._request, body=None)
        body = self._request.body
        # Chunks are only made of chats: a text to go on with is asked as one.
        is_text = body is not None and body.wire == "openai.text"
        return (canonical if is_text else self._request), canonical

    def _mode(self, deployment: str) -> Literal["match", "continue"]:
        return "continue" if deployment in self._differed else "match"

    def _join(
        self, shown: _Shown, opened: OpenStream
    ) -> Generator[Piece | None, None, LLMAPIError | None]:
        """Yield the rest of the answer; return what went wrong before the seam."""
        try:
            yield from self._rest(shown, opened)
        except LLMAPIError as error:
            if self.seam is not None:
                raise shown.error from error
            opened.break_off(error)
            self.spent += opened.usage
            if isinstance(error, LLMAnswerDiffers):
                self._differed.add(opened.attempt.deployment.name)
            return error
        finally:
            opened.close()
        return None

    def _rest(
        self, shown: _Shown, opened: OpenStream
    ) -> Generator[Piece | None, None, None]:
        deployment = opened.attempt.deployment.name
        mode = self._mode(deployment)
        joint = Continuation if mode == "continue" else Repetition
        pieces = iter(opened)
        fresh = yield from self._until_new(pieces, Joiner(joint(shown.text)))
        self.source = opened
        self.spent += shown.usage
        self.seam = Seam(
            from_deployment=shown.attempt.deployment.name,
            to_deployment=deployment,
            at_character=len(shown.text),
            code=shown.error.code,
            mode=mode,
            opening=shown.opening,
        )
        yield self.seam
        if fresh is not None:
            yield self._summed(fresh)
        for piece in pieces:
            yield self._summed(piece) if isinstance(piece, Chunk) else piece

    def _until_new(
        self, pieces: Iterator[Piece | None], joiner: Joiner
    ) -> Generator[None, None, Chunk | None]:
        """Swallow what was shown already; return what is new in the last chunk.

        Raises:
            LLMAnswerDiffers: The answer does not fit to what was shown.
        """
        heard_seconds = self._clock.monotonic()
        for piece in pieces:
            fresh = joiner.take(piece) if isinstance(piece, Chunk) else None
            if joiner.is_joined:
                return fresh
            now_seconds = self._clock.monotonic()
            if piece is None or now_seconds - heard_seconds >= LIMITS.ping_seconds:
                heard_seconds = now_seconds
                yield None
        return joiner.end()

    def _summed(self, chunk: Chunk) -> Chunk:
        """Return a chunk whose usage, if it has one, is that of the whole answer."""
        if chunk.usage is None:
            return chunk
        return replace(chunk, usage=self.spent + chunk.usage)
