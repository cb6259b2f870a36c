"""A streamed answer, as the faces read it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from flaskllm.llm.open_stream import OpenStream
from flaskllm.llm.streams import Piece
from flaskllm.llm.types import Deployment, FinishReason, Usage


@dataclass(frozen=True, slots=True)
class StreamAnswer:
    """An answer whose first token is there, and where it comes from.

    Iterate over it once, and close it: the attempt is settled when the iteration
    ends, breaks, or is closed early. A piece is bytes in the caller's own dialect
    (`is_raw`), or a `Chunk`; None means that nothing came for a while. Iterating
    raises LLMAPIError when the stream broke, and CallerGone.

    The other attributes are those of `Answer`. `usage`, `finish_reason` and
    `model` are final after the last piece.
    """

    alias: str
    deployment: Deployment
    attempts: int
    failures: tuple[str, ...]
    dropped: tuple[str, ...]
    is_raw: bool
    source: OpenStream = field(repr=False)
    rate_limits: Mapping[str, str] = field(default_factory=dict)

    @property
    def usage(self) -> Usage:
        """Return the tokens of what came, as the upstream counts or estimated."""
        return self.source.usage

    @property
    def finish_reason(self) -> FinishReason | None:
        """Return why the answer ended; None until the upstream says so."""
        return self.source.finish_reason

    @property
    def model(self) -> str:
        """Return the name that the upstream gave itself, else what was asked for."""
        return self.source.model

    def __iter__(self) -> Iterator[Piece | None]:
        """Return the one iterator over the pieces."""
        return iter(self.source)

    def close(self) -> None:
        """Hang up on an upstream that is not done; more than once is fine."""
        self.source.close()
