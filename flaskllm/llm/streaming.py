"""A streamed answer, as the faces read it, whoever gives it."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from flaskllm.llm.streams import Piece, Seam
from flaskllm.llm.types import Deployment, FinishReason, Usage


class StreamAnswer(Protocol):
    """An answer whose first token is there, and where it comes from.

    Iterate over it once, and close it: each attempt is settled when the iteration
    ends, breaks, or is closed early. A piece is bytes in the caller's own dialect
    (while `is_raw`), a `Chunk`, or, at most once, the `Seam` after which another
    deployment goes on, in chunks; None means that nothing came for a while.
    Iterating raises LLMAPIError when the stream broke, and CallerGone.

    The properties are those of `Answer`, of whom answers at present: all are final
    after the last piece.
    """

    @property
    def dropped(self) -> tuple[str, ...]:
        """Return the fields of the caller that the first dialect could not say."""
        ...

    @property
    def rate_limits(self) -> Mapping[str, str]:
        """Return the headers in which the first upstream told its rate limits."""
        ...

    @property
    def seam(self) -> Seam | None:
        """Return where another deployment took over, if one did."""
        ...

    @property
    def is_raw(self) -> bool:
        """Tell whether the pieces are bytes in the caller's dialect."""
        ...

    @property
    def is_complete(self) -> bool:
        """Tell whether all was read: no piece that is left has to be waited for."""
        ...

    @property
    def alias(self) -> str:
        """Return the name of the route that led to the deployment."""
        ...

    @property
    def deployment(self) -> Deployment:
        """Return who answers."""
        ...

    @property
    def attempts(self) -> int:
        """Return how many attempts were made."""
        ...

    @property
    def failures(self) -> tuple[str, ...]:
        """Return the codes of what went wrong so far, each once, in order."""
        ...

    @property
    def usage(self) -> Usage:
        """Return the tokens of what came, as the upstream counts or estimated."""
        ...

    @property
    def finish_reason(self) -> FinishReason | None:
        """Return why the answer ended; None until the upstream says so."""
        ...

    @property
    def model(self) -> str:
        """Return the name that the upstream gave itself, else what was asked for."""
        ...

    def __iter__(self) -> Iterator[Piece | None]:
        """Return the one iterator over the pieces."""
        ...

    def close(self) -> None:
        """Hang up on an upstream that is not done; more than once is fine."""
        ...
