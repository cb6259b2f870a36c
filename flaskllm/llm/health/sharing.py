"""What the processes of one gateway have in common, as the health of one sees it."""

from dataclasses import dataclass
from typing import Protocol

from flaskllm.core.findings import Finding
from flaskllm.core.upstream_counts import Refused
from flaskllm.llm.terms import Limits


@dataclass(frozen=True, slots=True)
class Held:
    """A place that was taken for one attempt, in the sight of all processes.

    Attributes:
        key: What it was counted under.
        seat: Its name.
        second: When it was counted, by the store's clock.
        tokens: How many were reserved.
        headroom: The free part of the limits afterwards, in [0, 1].
        is_awaited: Something has to be given back when the attempt has ended.
    """

    key: str
    seat: str
    second: int
    tokens: int
    headroom: float
    is_awaited: bool


class Sharing(Protocol):
    """Counts and findings that all processes share. None of its methods raises."""

    def name_of(self, text: str) -> str:
        """Return the name that all processes give to what this text tells.

        The text may hold what was made of a credential; the name tells nothing of it.
        """
        ...

    def take(
        self, place: str, limits: Limits, tokens: int, *, is_probe: bool
    ) -> Held | Refused:
        """Take a place for an attempt that begins now, unless it is refused.

        It takes a quarter of a second at most. Where the store does not answer, what
        was last seen of it decides.
        """
        ...

    def give(self, held: Held, used_tokens: int | None) -> None:
        """Give a place back, soon; None where nobody counted the tokens."""
        ...

    def tell(self, finding: Finding) -> None:
        """Tell the others, soon."""
        ...
