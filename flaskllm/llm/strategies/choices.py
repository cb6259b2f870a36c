"""What a strategy sees of the deployments, and what it says of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Record:
    """What a route has learned of a deployment; older news counts less.

    `successes` and `failures` are discounted counts, `seconds` is the discounted
    mean time to the first byte of a stream or to a whole answer, None before any.
    """

    successes: float = 0.0
    failures: float = 0.0
    seconds: float | None = None


NOTHING_LEARNED = Record()


@dataclass(frozen=True, slots=True)
class Choice:
    """One deployment that may be asked now.

    Attributes:
        name: The deployment's.
        weight: Its share in the route, above zero.
        in_flight: Attempts at it that are under way in this process.
        headroom: The part of its requests and tokens per minute that is still free,
            the scarcer of the two, in [0, 1]; 1 where no limit is known.
        first_byte_seconds: The moving average for requests of this form (streamed
            or whole); None before the first.
        cost_nanos: What the request is expected to cost; None where no price is
            known.
        record: What this route has learned of it.
    """

    name: str
    weight: int
    in_flight: int = 0
    headroom: float = 1.0
    first_byte_seconds: float | None = None
    cost_nanos: int | None = None
    record: Record = NOTHING_LEARNED


@dataclass(frozen=True, slots=True)
class Turn:
    """One request of a route.

    `number` counts the route's requests in this process, from a random start;
    `random` is the source of chance; `second_nanos` is what the operator pays for
    an answer that comes a second earlier, in nano-dollars.
    """

    number: int
    random: Random
    second_nanos: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """A deployment and the number by which its strategy placed it; first is best.

    What the number means is the strategy's own, see `docs/routing.md`.
    """

    name: str
    score: float


Strategy = Callable[[Sequence[Choice], Turn], tuple[Place, ...]]
"""Returns a place for each choice, the one to ask first in front. Pure."""
