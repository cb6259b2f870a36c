"""What a deployment costs, and how much of it may be used: the operator's terms."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Price:
    """Nano-dollars for a million tokens: one dollar a million is 1,000,000,000.

    `cache_read` and `cache_write` are for input that the upstream has kept or keeps;
    None means that it costs as much as other input.
    """

    input: int
    output: int
    cache_read: int | None = None
    cache_write: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be asked of a deployment; None is without limit.

    `concurrent_requests` counts attempts that are under way; the others count per
    sliding minute, tokens of input and output together.
    """

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent_requests: int | None = None


UNLIMITED = Limits()
