"""A streamed answer that an upstream is giving."""

from collections.abc import Generator, Iterator, Mapping

from flaskllm.core.errors import LLMAPIError
from flaskllm.llm.open_stream import OpenStream
from flaskllm.llm.rescue import Rescue
from flaskllm.llm.streams import Piece, Seam
from flaskllm.llm.types import Deployment, FinishReason, Usage
from flaskllm.llm.walk import Walk


class LiveStream:
    """A `StreamAnswer` whose first token is there, and where it comes from.

    Iterate over it once, and close it: each attempt is settled when the iteration
    ends, breaks, or is closed early. A piece is bytes in the caller's own dialect
    (while `is_raw`), a `Chunk`, or, at most once, the `Seam` after which another
    deployment goes on, in chunks; None means that nothing came for a while.
    Iterating raises LLMAPIError when the stream broke, and CallerGone.

    The properties are those of `Answer`, of whom answers at present: all are final
    after the last piece.

    Attributes:
        dropped: Fields of the caller that the first dialect could not say.
        rate_limits: The headers in which the first upstream told its rate limits.
    """

    def __init__(
        self,
        source: OpenStream,
        walk: Walk,
        rescue: Rescue,
        *,
        is_raw: bool,
        dropped: tuple[str, ...] = (),
        rate_limits: Mapping[str, str] | None = None,
    ) -> None:
        """Take over a stream that has begun; `rescue` is asked when it breaks."""
        self.dropped = dropped
        self.rate_limits = rate_limits or {}
        self._source = source
        self._walk = walk
        self._rescue = rescue
        self._is_raw = is_raw
        self._pieces = self._run()

    @property
    def seam(self) -> Seam | None:
        """Return where another deployment took over, if one did."""
        return self._rescue.seam

    @property
    def is_raw(self) -> bool:
        """Tell whether the pieces are bytes in the caller's dialect."""
        return self._is_raw and self._rescue.seam is None

    @property
    def is_complete(self) -> bool:
        """Tell whether all was read: no piece that is left has to be waited for."""
        return self._present.is_complete

    @property
    def alias(self) -> str:
        """Return the name of the route that led to the deployment."""
        return self._present.attempt.alias

    @property
    def deployment(self) -> Deployment:
        """Return who answers."""
        return self._present.attempt.deployment

    @property
    def attempts(self) -> int:
        """Return how many attempts were made."""
        return self._present.attempt.number

    @property
    def failures(self) -> tuple[str, ...]:
        """Return the codes of what went wrong so far, each once, in order."""
        return self._walk.failures

    @property
    def usage(self) -> Usage:
        """Return the tokens of what came, as the upstream counts or estimated.

        After a seam this is the sum over the attempts from the one that broke on.
        """
        return self._rescue.spent + self._present.usage

    @property
    def finish_reason(self) -> FinishReason | None:
        """Return why the answer ended; None until the upstream says so."""
        return self._present.finish_reason

    @property
    def model(self) -> str:
        """Return the name that the upstream gave itself, else what was asked for."""
        return self._present.model

    def __iter__(self) -> Iterator[Piece | None]:
        """Return the one iterator over the pieces."""
        return self._pieces

    def close(self) -> None:
        """Hang up on an upstream that is not done; more than once is fine."""
        self._pieces.close()
        self._source.close()  # where nobody began to read, nobody has

    @property
    def _present(self) -> OpenStream:
        return self._rescue.source or self._source

    def _run(self) -> Generator[Piece | None, None, None]:
        try:
            yield from self._source
        except LLMAPIError as error:
            if not self._rescue.is_possible(self._source, error):
                raise
            broken = error
        else:
            return
        # Outside of the handler: the first failure is not its own context.
        yield from self._rescue.run(self._source, broken)
